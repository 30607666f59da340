"""The key ring: ids and 256-bit keys, from a setting or a file apart from the database. The first key wraps new data keys."""

import base64
import binascii
import fcntl
import os
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path

from hitchpost.ids import new_id, random_bytes
from hitchpost.settings import Settings
from hitchpost.tokens.cipher import KEY_BYTES

_KEY_ID = re.compile(r"[A-Za-z0-9_-]{1,32}")
_SETTING = "HITCHPOST_KEY_RING"


class BadRing(Exception):
    """The key ring cannot be used; the message names the setting or file and what to do. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Ring:
    """Keys by id; `primary` is the one for new seals. `made_at`: the file that was made just now, or empty."""

    primary: str
    keys: dict[str, bytes] = field(repr=False)
    made_at: str = ""


def parse(text: str, source: str) -> Ring:
    """`id:base64,id:base64,…`, the first is primary. Raises BadRing naming `source`."""
    keys: dict[str, bytes] = {}
    for number, part in enumerate((one.strip() for one in text.split(",") if one.strip()), 1):
        key_id, colon, encoded = part.partition(":")
        try:
            key = base64.b64decode(encoded, altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            key = b""
        if not colon or not _KEY_ID.fullmatch(key_id) or len(key) != KEY_BYTES:
            raise BadRing(f"{source}: key {number} must be `id:` and the base64 of exactly {KEY_BYTES} bytes")
        if key_id in keys:
            raise BadRing(f"{source}: the key id {key_id} stands there twice")
        if not _looks_random(key):
            raise BadRing(f"{source}: key {key_id} is not random; make one with `head -c 32 /dev/urandom | base64`")
        keys[key_id] = key
    if not keys:
        raise BadRing(f"{source}: there is no key in it")
    return Ring(next(iter(keys)), keys)


def _looks_random(key: bytes) -> bool:
    """False for what people type or copy: repeated bytes, a count, readable text. Chance makes such a key less often than once in 10^12."""
    steps = {(after - before) % 256 for before, after in pairwise(key)}
    return len(set(key)) >= 16 and len(steps) >= 16 and not all(32 <= byte < 127 for byte in key)


def load_or_make(settings: Settings, *, database_empty: bool) -> Ring:
    """The ring of this installation; made only for an empty database, so that a lost ring is never papered over (threat E2)."""
    # Set but empty is a secret that failed to arrive, never a wish for another ring.
    if "key_ring" in settings.model_fields_set:
        return parse(settings.key_ring.reveal(), _SETTING)
    path = settings.key_dir / "ring"
    if path.exists():
        return _read(path)
    if not database_empty:
        raise BadRing(
            f"the database holds sealed tokens, but there is no key ring: set {_SETTING} or {_SETTING}_FILE, or put the ring back at {path}"
        )
    return _made(path)


@contextmanager
def turning(settings: Settings) -> Iterator[None]:
    """One rotation at a time on this machine: two that read the same ring would each drop the other's key. Raises BadRing."""
    path = settings.key_dir / "ring.lock"
    if "key_ring" in settings.model_fields_set:
        yield
        return
    try:
        handle = os.open(path, os.O_WRONLY | os.O_CREAT, 0o600)
    except OSError as error:
        raise BadRing(f"{path} cannot be used: {error.strerror}; nothing was changed") from None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def with_new_key(settings: Settings) -> Ring:
    """The ring with a fresh first key, written to its file; one that comes from a setting is the operator's to change, and stays as it is.

    Running processes read the file again when they meet a key id that they do not know. Raises BadRing.
    """
    if "key_ring" in settings.model_fields_set:
        return parse(settings.key_ring.reveal(), _SETTING)
    ring = _read(settings.key_dir / "ring")
    fresh = (new_id()[:9], random_bytes(KEY_BYTES))
    return _written(settings.key_dir / "ring", [fresh, *ring.keys.items()])


def with_key_to_come(settings: Settings) -> str:
    """Write a further key into the ring's file, last, where it wraps nothing yet; its id. For rings that are copied to other machines."""
    if "key_ring" in settings.model_fields_set:
        raise BadRing(f"the ring comes from {_SETTING}: put a further key into it there, last, on every machine")
    ring = _read(settings.key_dir / "ring")
    key_id = new_id()[:9]
    _written(settings.key_dir / "ring", [*ring.keys.items(), (key_id, random_bytes(KEY_BYTES))])
    return key_id


def with_first(settings: Settings, key_id: str) -> Ring:
    """The ring with this key of its own first, written to its file. Raises BadRing."""
    if "key_ring" in settings.model_fields_set:
        raise BadRing(f"the ring comes from {_SETTING}: put the key first there, on every machine, and restart; then rotate without a name")
    ring = _read(settings.key_dir / "ring")
    if key_id not in ring.keys:
        raise BadRing(f"the ring holds no key {key_id}; it holds {', '.join(ring.keys)}")
    return _written(settings.key_dir / "ring", [(key_id, ring.keys[key_id]), *(one for one in ring.keys.items() if one[0] != key_id)])


def with_primary_alone(settings: Settings) -> Ring:
    """The ring's file with its first key alone, for when nothing is wrapped by the others any more. Raises BadRing."""
    if "key_ring" in settings.model_fields_set:
        raise BadRing(f"the ring comes from {_SETTING}: take the older keys out of it there")
    ring = _read(settings.key_dir / "ring")
    return _written(settings.key_dir / "ring", [(ring.primary, ring.keys[ring.primary])])


def _written(path: Path, keys: Iterable[tuple[str, bytes]]) -> Ring:
    """Replaced whole, so that no process ever reads half a ring."""
    draft = path.with_name(f"{path.name}.{new_id()}")
    try:
        _draft(draft, ",".join(f"{key_id}:{base64.urlsafe_b64encode(key).decode()}" for key_id, key in keys))
        draft.replace(path)
        _kept(path.parent)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise BadRing(f"the key ring cannot be written at {path}: {error.strerror}; nothing was changed") from None
    return _read(path)


def _kept(folder: Path) -> None:
    """What was renamed in a folder is on disk: a ring that a power cut takes back would no longer open what it has wrapped meanwhile."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _draft(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(f"{text}\n")
        file.flush()
        os.fsync(file.fileno())


def _read(path: Path) -> Ring:
    try:
        if path.stat().st_mode & 0o077:
            raise BadRing(f"{path} can be read by others; run: chmod 600 {path}")
        return parse(path.read_text("ascii"), str(path))
    except (OSError, UnicodeDecodeError) as error:
        raise BadRing(f"{path} cannot be read: {getattr(error, 'strerror', None) or 'not text'}") from None


def _made(path: Path) -> Ring:
    """Written whole under another name, then linked: no process ever reads half a ring, and the first one's stands."""
    key = base64.urlsafe_b64encode(random_bytes(KEY_BYTES)).decode()
    draft = path.with_name(f"{path.name}.{new_id()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _draft(draft, f"{new_id()[:9]}:{key}")
        try:
            os.link(draft, path)
            _kept(path.parent)
        except FileExistsError:
            return _read(path)
        finally:
            draft.unlink()
    except OSError as error:
        raise BadRing(f"the key ring cannot be made at {path}: {error.strerror}; see HITCHPOST_KEY_DIR") from None
    ring = _read(path)
    return Ring(ring.primary, ring.keys, made_at=str(path))
