"""The key ring: read exactly, made once and only for an empty database, and never half made."""

import base64
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from hitchpost.ids import random_bytes
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.tokens.ring import BadRing, Ring, load_or_make, parse
from tests.tokens.rings import new_ring, ring_text


def b64(key: bytes) -> str:
    return base64.b64encode(key).decode()


GOOD = b64(random_bytes(32))
UNUSABLE = {
    "nothing": ("", "there is no key in it"),
    "commas": (" , ,", "there is no key in it"),
    "no id": (GOOD, "key 1 must be"),
    "an empty id": (f":{GOOD}", "key 1 must be"),
    "a strange id": (f"my key:{GOOD}", "key 1 must be"),
    "short": (f"a:{b64(random_bytes(16))}", "exactly 32 bytes"),
    "long": (f"a:{b64(random_bytes(33))}", "exactly 32 bytes"),
    "not base64": (f"a:{'§' * 44}", "key 1 must be"),
    "cut": (f"a:{GOOD[:-2]}", "key 1 must be"),
    "the second one bad": (f"a:{GOOD},b:{GOOD[:20]}", "key 2 must be"),
    "twice the same id": (f"a:{GOOD},a:{b64(random_bytes(32))}", "the key id a stands there twice"),
    "zeros": (f"a:{b64(bytes(32))}", "not random"),
    "a repeated word": (f"a:{b64(b'changeme' * 4)}", "not random"),
    "a passphrase": (f"a:{b64(b'correct horse battery staple 123')}", "not random"),
    "hexadecimal digits": (f"a:{b64(random_bytes(16).hex().encode())}", "not random"),
    "a count": (f"a:{b64(bytes(range(32)))}", "not random"),
}


@pytest.mark.parametrize("case", UNUSABLE)
def test_E2_a_ring_that_cannot_be_used_is_refused_with_its_source_and_without_its_key(case: str) -> None:
    text, said = UNUSABLE[case]
    with pytest.raises(BadRing, match=said) as refusal:
        parse(text, "HITCHPOST_KEY_RING")
    assert str(refusal.value).startswith("HITCHPOST_KEY_RING: ")
    assert all(part.partition(":")[2] not in str(refusal.value) for part in text.split(",") if part.partition(":")[2])


def test_a_ring_is_ids_and_keys_and_the_first_is_primary() -> None:
    ring = new_ring("new", "old")
    read = parse(f"\n {ring_text(ring)} ,\n", "HITCHPOST_KEY_RING")
    assert (read.primary, dict(read.keys)) == ("new", ring.keys)
    standard = ",".join(f"{name}:{b64(key)}" for name, key in ring.keys.items())
    assert parse(standard, "HITCHPOST_KEY_RING").keys == ring.keys


def test_E5_a_ring_hides_its_keys_when_it_is_printed() -> None:
    ring = new_ring()
    assert str(ring.keys["first"]) not in repr(ring)
    assert "keys" not in repr(ring)


def at(folder: Path, text: str | None = None) -> Settings:
    return Settings(key_dir=folder) if text is None else Settings(key_dir=folder, key_ring=Secret(text))


def test_the_first_run_makes_a_ring_that_only_its_owner_can_read(tmp_path: Path) -> None:
    made = load_or_make(at(tmp_path / "keys"), database_empty=True)
    path = tmp_path / "keys" / "ring"
    assert made.made_at == str(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [one.name for one in path.parent.iterdir()] == ["ring"]
    again = load_or_make(at(tmp_path / "keys"), database_empty=False)
    assert (again.primary, again.keys, again.made_at) == (made.primary, made.keys, "")


def test_E2_a_lost_ring_is_never_replaced_for_a_database_that_is_in_use(tmp_path: Path) -> None:
    with pytest.raises(BadRing, match=r"HITCHPOST_KEY_RING or HITCHPOST_KEY_RING_FILE, or put the ring back at .*ring$"):
        load_or_make(at(tmp_path / "keys"), database_empty=False)
    assert not (tmp_path / "keys").exists()


@pytest.mark.parametrize("database_empty", [True, False])
def test_E2_a_setting_that_arrived_empty_makes_no_ring(tmp_path: Path, database_empty: bool) -> None:
    with pytest.raises(BadRing, match="HITCHPOST_KEY_RING: there is no key in it"):
        load_or_make(at(tmp_path / "keys", ""), database_empty=database_empty)
    assert not (tmp_path / "keys").exists()


def test_the_setting_comes_before_the_file(tmp_path: Path) -> None:
    load_or_make(at(tmp_path), database_empty=True)
    ring = new_ring("given")
    assert load_or_make(at(tmp_path, ring_text(ring)), database_empty=False).keys == ring.keys


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_E2_a_ring_that_others_can_read_is_refused_with_the_cure(tmp_path: Path, mode: int) -> None:
    load_or_make(at(tmp_path), database_empty=True)
    (tmp_path / "ring").chmod(mode)
    with pytest.raises(BadRing, match=r"can be read by others; run: chmod 600 "):
        load_or_make(at(tmp_path), database_empty=False)


def test_E2_a_ring_that_is_no_readable_text_is_refused_in_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "ring"
    path.write_bytes(b"\xff\xfe")
    path.chmod(0o600)
    with pytest.raises(BadRing, match="ring cannot be read: not text"):
        load_or_make(at(tmp_path), database_empty=True)
    path.unlink()
    path.mkdir(mode=0o700)
    with pytest.raises(BadRing, match="ring cannot be read: Is a directory"):
        load_or_make(at(tmp_path), database_empty=True)


def test_E2_a_place_where_no_ring_can_be_made_is_said_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "keys").write_text("a file, not a directory")
    with pytest.raises(BadRing, match="HITCHPOST_KEY_DIR"):
        load_or_make(at(tmp_path / "keys" / "deeper"), database_empty=True)


def test_E2_of_many_processes_that_start_at_once_one_makes_the_ring_for_all(tmp_path: Path) -> None:
    def start(_number: int) -> Ring:
        return load_or_make(at(tmp_path / "keys"), database_empty=True)

    with ThreadPoolExecutor(16) as processes:
        rings = list(processes.map(start, range(64)))
    assert len({tuple(ring.keys.items()) for ring in rings}) == 1
    assert sum(1 for ring in rings if ring.made_at) == 1
    assert [one.name for one in (tmp_path / "keys").iterdir()] == ["ring"]
