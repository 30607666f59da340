"""A sandbox that is served over HTTP, a database on disk, people's grants by the hundred, and processes of ours that come and go."""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from hitchpost.bootstrap import Services, build
from hitchpost.clock import Clock
from hitchpost.db.engine import Tx, open_database
from hitchpost.demo.world import app_variables
from hitchpost.ids import new_id
from hitchpost.networks.base import Candidate, Consent, Derived, Kind, Subject, TokenSet
from hitchpost.networks.catalog import discover
from hitchpost.secret import Secret
from hitchpost.settings import read_settings
from hitchpost_sandbox.app import build as build_sandbox
from hitchpost_sandbox.apps import X_APP, App
from hitchpost_sandbox.authority import Authority
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.people import Cast, Person, XAccount
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World
from tests.faults.child import AheadClock
from tests.security.canaries import Canaries
from tests.support.house import Weather, prepared
from tests.support.postgres import new_database

ROOT = Path(__file__).parents[2]
TWO_HOURS = timedelta(hours=2)
ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
SCOPES = ("tweet.read", "users.read", "tweet.write", "media.write", "offline.access")
STRICT = replace(X_APP, options={**X_APP.options, "reuse_kills_family": True})
"""X as it may be at its strictest: a refresh token that is used twice ends everything that was granted."""


async def place(request: pytest.FixtureRequest, engine: str) -> str:
    """The address of an empty database of this engine, for `staged`."""
    return await new_database(request.getfixturevalue("postgres"), f"f{new_id()}") if engine == "postgres" else ""


@dataclass(slots=True)
class Stage:
    """What a trial needs. `clock` and the sandbox's move together."""

    world: World
    environment: dict[str, str]
    services: Services
    clock: AheadClock
    workspace_id: str
    person_id: str
    app_id: str
    weather: Weather
    children: list["Child"] = field(default_factory=list)
    _people: int = 0

    @property
    def x(self) -> Authority:
        return self.world.authority("x")

    def forward(self, by: timedelta) -> None:
        self.clock.ahead += by
        self.world.clock.forward(by)

    async def people(self, count: int) -> list[str]:
        """So many people who have each connected an X account; their grants' ids."""
        made: list[str] = []
        for _ in range(0, count, 500):
            batch = range(self._people, self._people + min(500, count - len(made)))
            self._people += len(batch)
            self.world.cast = Cast((*self.world.cast.people, *(_known(number) for number in batch)))
            made += await self.services.database.begin(lambda tx, batch=batch: [self._connected(tx, number) for number in batch])  # type: ignore[misc]
        return made

    def consented(self, tx: Tx, number: int) -> str:
        """Step: the person of this number consents, for the first time or anew; the grant's id."""
        name = _name(number)
        given = self.x.consent(STRICT, name, SCOPES)
        access = self.x.issue(given, "access", life=TWO_HOURS)
        refresh = self.x.issue(given, "refresh", life=timedelta(days=182))
        now = self.clock.now()
        tokens = TokenSet(Secret(access.value), now + TWO_HOURS, Secret(refresh.value), None, frozenset(SCOPES))
        keeper = self.services.tokens
        consent = Consent(tokens, Subject(f"10{number:08}", name), tokens.scopes)
        return keeper.record_consent(tx, app_id=self.app_id, consent=consent, consent_seq=keeper.take_consent_seq(tx))

    def _connected(self, tx: Tx, number: int) -> str:
        keeper, grant_id = self.services.tokens, self.consented(tx, number)
        subject = Subject(f"10{number:08}", f"person-{number}")
        derived = Derived(Candidate(Kind.ACCOUNT, subject.id, subject.name, subject.name))
        self.services.profiles.attach(
            tx, workspace_id=self.workspace_id, provider="x", app=keeper.app(self.app_id), grant_id=grant_id, derived=derived, picture="",
            person_id=self.person_id,
        )  # fmt: skip
        return grant_id

    async def tokens_of(self, grant_id: str) -> TokenSet:
        """The tokens that are stored, in clear."""
        return await self.services.database.read(lambda tx: self.services.tokens.tokens_of(tx, grant_id))

    async def another(self, networks: httpx2.AsyncBaseTransport, clock: Clock | None = None) -> Services:
        """Another server's services on the same database, whose way to the networks is this one; whoever asks closes them."""
        configuration = read_settings(self.environment)
        database = open_database(configuration.settings.database, checkpoints=False)
        return await build(configuration, clock=clock or self.clock, database=database, networks=networks)

    async def rows(self, sql: str, **values: object) -> list[dict[str, Any]]:
        return await self.services.database.read(lambda tx: [dict(row) for row in tx.execute(text(sql), values).mappings()])

    def leaks(self) -> set[tuple[str, str]]:
        """Tokens and secrets that a process of ours has said, whatever its log level (E1, E5): what leaked, and where."""
        canaries = Canaries()
        for authority in self.world.authorities.values():
            canaries.add("app secret", *(app.client_secret for app in authority.apps))
            for token in authority.tokens:
                canaries.add(f"{token.kind} token", token.value)
        said = {
            f"{name} {at}": text.encode() for at, one in enumerate(self.children) for name, text in (("out", one.out), ("err", one.err))
        }
        return canaries.found_in(said)

    def child(self, **orders: Any) -> "Child":
        """A process of ours at work; it is killed at the end if it still lives."""
        made = Child.started(self.environment, {"ahead": self.clock.ahead.total_seconds(), **orders})
        self.children.append(made)
        return made


def _name(number: int) -> str:
    return f"person-{number}"


def _id(number: int) -> str:
    return f"10{number:08}"


def _known(number: int) -> Person:
    """Somebody as the network knows them: it must be able to say whose token it is."""
    name = _name(number)
    return Person(name, name, f"{name}@example.com", "of a trial", x=XAccount(_id(number), name, name, name))


@dataclass(slots=True)
class Child:
    """One of our processes, and what it said: `out`, `err`, when it has ended."""

    process: "subprocess.Popen[str]"
    out: str = ""
    err: str = ""

    @classmethod
    def started(cls, environment: dict[str, str], orders: dict[str, Any]) -> "Child":
        process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.child"], cwd=ROOT, env={**os.environ, **environment}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip
        assert process.stdin is not None
        process.stdin.write(json.dumps(orders) + "\n")
        process.stdin.flush()
        return cls(process)

    def ready(self) -> None:
        """Wait until it stands before its task."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1][-2000:]
        assert json.loads(line).get("ready")

    def line(self) -> dict[str, Any]:
        """The next thing that it says."""
        assert self.process.stdout is not None
        said: dict[str, Any] = json.loads(self.process.stdout.readline())
        return said

    def go(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def ended(self) -> tuple[int, list[dict[str, Any]]]:
        """Its exit code (-9: killed) and what it acknowledged."""
        self.collected()
        assert self.process.returncode in (0, -9), self.err[-2000:]
        return self.process.returncode, [json.loads(line) for line in self.out.splitlines()]

    def collected(self) -> None:
        """Keep what it says until its end."""
        if self.process.stdout is not None and not self.process.stdout.closed:
            self.out, self.err = self.process.communicate(timeout=120)


@asynccontextmanager
async def staged(
    folder: Path, database_url: str = "", apps: Sequence[App] = (STRICT,), extra: dict[str, str] | None = None, *, checkpoints: bool = True
) -> AsyncIterator[Stage]:
    """A stage on an empty database, SQLite in the folder unless another is named. `checkpoints`: no child of its is the server."""
    world = World(clock=SandboxClock(), apps=apps)
    clock = AheadClock(timedelta())
    with in_thread(build_sandbox(world)) as address:
        environment = {
            "HITCHPOST_DATA_DIR": str(folder / "data"), "HITCHPOST_KEY_DIR": str(folder / "keys"), "HITCHPOST_NETWORKS_AT": address,
            "HITCHPOST_NETWORKS_AT_INSECURE": "true", "HITCHPOST_LOG_LEVEL": "error", "HITCHPOST_RENEWALS_A_MINUTE": "100000",
            "HITCHPOST_RATE_LIMIT": "100000", **app_variables([_plain(app) for app in apps], discover()),
        }  # fmt: skip
        environment |= ({"HITCHPOST_DATABASE_URL": database_url} if database_url else {}) | (extra or {})
        configuration = read_settings(environment)
        await (await prepared(configuration.settings.database)).close()
        weather = Weather(httpx2.AsyncHTTPTransport())
        database = open_database(configuration.settings.database, checkpoints=checkpoints)
        services = await build(configuration, clock=clock, database=database, networks=weather)
        stage = await _settled(world, environment, services, clock, weather)
        try:
            yield stage
        finally:
            for child in stage.children:
                if child.process.poll() is None:
                    child.process.kill()
                child.collected()
            await stage.services.close()
        assert stage.leaks() == set()


async def _settled(world: World, environment: dict[str, str], services: Services, clock: AheadClock, weather: Weather) -> Stage:
    def people(tx: Tx) -> tuple[str, str]:
        ada = services.people.create_person(tx, email="ada@example.com", name="Ada", password_hash="-", now=clock.now()).id
        return ada, services.workspaces.create(tx, name="Lantern", owner_id=ada)

    ada, lantern = await services.database.begin(people)
    logins = services.tokens.logins("x")
    return Stage(world, environment, services, clock, lantern, ada, logins[0][1].id if logins else "", weather)


def _plain(app: App) -> dict[str, Any]:
    return {"authority": app.authority, "client_id": app.client_id, "client_secret": app.client_secret, "variant": app.variant}
