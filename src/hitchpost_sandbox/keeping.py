"""`--keep FILE`: the state of a sandbox outlives its process, even one that is killed.

What gives, takes or changes access is in the file before its answer leaves; other calls (reads, which only the ledger and limits
remember) follow within half a second and at the end. The file is written whole beside its place and renamed into it, for its owner
alone: it holds living tokens of the simulation. Its first line says what it is and the digest of the rest, so that one which is not as
it was written is refused. Named snapshots are not kept, and of the ledger the newest entries only.
"""

import asyncio
import contextlib
import hashlib
import json
import os
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.ledger import Entry, What
from hitchpost_sandbox.people import Cast
from hitchpost_sandbox.plain import Reader, Unreadable, Writer
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_WHAT = "hitchpost sandbox state, 1"
_ENTRIES = 5_000
"""Entries of the ledger that the file holds."""
_SOON = 0.5
"""Seconds until what is not urgent is written."""
_READS = frozenset({What.CALL, What.AUTHORIZE_SHOWN, What.AUTHORIZE_REFUSED, What.TOKEN_REFUSED, What.FAULT})
"""What a mere look may write into the ledger."""


class CannotKeep(Exception):
    """The file cannot be used; the message says why."""


class Kept:
    """The app over a world whose state stands in a file. Raises CannotKeep for a file that is broken, foreign or cannot be written."""

    def __init__(self, app: ASGIApp, world: World, path: Path, twins: Iterable[Twin]) -> None:
        self._app, self._world, self._path = app, world, path
        # A twin may remember dataclasses of its own; nothing else outside this package is made.
        ours = {name for name in sys.modules if name.partition(".")[0] == "hitchpost_sandbox"}
        theirs = {str(getattr(route.handler, "__module__", "")) for twin in twins for route in twin.routes}
        self._trusted = frozenset(ours | theirs)
        self._lines: list[str] = []
        self._seen, self._era = 0, world.era
        self._cast: tuple[Cast | None, str] = (None, "")
        self._later: asyncio.TimerHandle | None = None
        if path.exists():
            self._read()
        try:
            self._write()
        except OSError as error:
            raise CannotKeep(f"{path} cannot be written: {error.strerror}") from None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answered = False

        async def told(message: Message) -> None:
            nonlocal answered
            if message["type"] in ("http.response.start", "lifespan.shutdown.complete"):
                self._note(scope)
                answered = True
            await send(message)

        try:
            await self._app(scope, receive, told)
        finally:
            # A caller may go without an answer, and the network has acted all the same.
            if scope["type"] == "http" and not answered:
                self._note(scope)

    def _note(self, scope: Scope) -> None:
        """Write now what must not be lost, and the rest soon."""
        new = self._new()
        if scope["type"] == "http" and scope["method"] in ("GET", "HEAD", "OPTIONS") and all(entry.what in _READS for entry in new):
            if new and self._later is None:
                self._later = asyncio.get_running_loop().call_later(_SOON, self.write)
        elif new or scope["type"] != "http" or scope["path"].startswith("/_sandbox/"):
            self.write()

    def write(self) -> None:
        """Write everything now; a disk that refuses is said on standard error, and the sandbox goes on."""
        if self._later is not None:
            self._later.cancel()
            self._later = None
        try:
            self._write()
        except OSError as error:
            sys.stderr.write(f"sandbox: {self._path} cannot be written ({error.strerror}); what happens now is not kept\n")

    def _new(self) -> tuple[Entry, ...]:
        """The entries that are not written yet."""
        if self._world.era != self._era:
            self._era, self._seen, self._lines = self._world.era, 0, []
        return self._world.ledger.read(after=self._seen)

    def _write(self) -> None:
        new = self._new()
        lines = [*self._lines, *(json.dumps(entry.as_json()) for entry in new)][-_ENTRIES:]
        body = "\n".join([self._people(), json.dumps(Writer().plain(_state_of(self._world))), *lines]).encode()
        head = json.dumps({"what": _WHAT, "sha256": hashlib.sha256(body).hexdigest()}).encode()
        beside = self._path.with_name(self._path.name + ".new")
        with contextlib.suppress(FileNotFoundError):
            beside.unlink()
        with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(head + b"\n" + body)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(self._path)
        self._lines, self._seen = lines, new[-1].seq if new else self._seen

    def _people(self) -> str:
        """The cast's line; it seldom changes and may be long."""
        if self._cast[0] is not self._world.cast:
            self._cast = (self._world.cast, json.dumps(Writer().plain(self._world.cast.people)))
        return self._cast[1]

    def _read(self) -> None:
        try:
            head, _, body = self._path.read_bytes().partition(b"\n")
        except OSError as error:
            raise CannotKeep(f"{self._path} cannot be read: {error.strerror}") from None
        try:
            said = json.loads(head)
        except ValueError:
            said = None
        if not isinstance(said, dict) or said.get("what") != _WHAT:
            raise CannotKeep(f"{self._path} is not the kept state of this version of the sandbox; name another file, or remove it")
        if said.get("sha256") != hashlib.sha256(body).hexdigest():
            raise CannotKeep(f"{self._path} is not as the sandbox wrote it; remove it to begin anew")
        reader = Reader(self._trusted)
        try:
            people, state, *entries = body.decode().split("\n")
            cast = Cast(reader.value(json.loads(people)))
            _bring_back(self._world, cast, reader.value(json.loads(state)), [_entry(json.loads(line)) for line in entries])
        except (Unreadable, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise CannotKeep(f"{self._path} was kept by another version of the sandbox ({error}); remove it to begin anew") from None
        self._era, self._lines = self._world.era, entries
        self._seen = self._world.ledger.last


def _entry(values: dict[str, Any]) -> Entry:
    return Entry(**{**values, "what": What(values["what"])})


def _state_of(world: World) -> dict[str, Any]:
    return {
        "last": world.ledger.last,
        "clock": world.clock.kept(),
        "limits": world.limits.kept(),
        "faults": world.faults.kept(),
        "authorities": {name: authority.kept() for name, authority in world.authorities.items()},
    }


def _bring_back(world: World, cast: Cast, state: dict[str, Any], entries: list[Entry]) -> None:
    apps: tuple[App, ...] = world.apps
    world.reset()
    world.cast = cast
    world.clock.back(state["clock"])
    world.ledger.back(entries, state["last"])
    world.limits.back(state["limits"])
    world.faults.back(state["faults"])
    for name, kept in state["authorities"].items():
        world.authority(name).back(kept)
    world.bring(apps)
