"""A Hitchpost that can be killed at an exact step within the test's own process, and rise again on the same database.

Killed means: from that step on nothing of it reaches the database or a network, and nothing of its memory is seen again.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import httpx2
from starlette.types import Receive, Scope, Send

from hitchpost.asgi import create_app
from hitchpost.bootstrap import Services, build
from hitchpost.connect.callbacks import take_over_all
from hitchpost.db.engine import PostgresDatabase, SqliteDatabase
from hitchpost.networks.catalog import Catalog, discover
from hitchpost.settings import Configuration, read_settings
from hitchpost_sandbox.app import build as build_sandbox
from hitchpost_sandbox.apps import LINKEDIN_PAGES_APP, META_APP, PINTEREST_APP, X_APP, App
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.outgoing import Heard
from hitchpost_sandbox.playing import NoAnswer
from hitchpost_sandbox.world import World
from tests.faults.dying import AFTER_ANSWER, BEFORE_SEND, Fate, dying_database
from tests.support.clock import ManualClock
from tests.support.house import PUBLIC_URL, SANDBOX_URL, ByHost, House, Weather, prepared, variables


class Killed(BaseException):
    """This process is dead. Not an Exception: nothing of the product may survive its own death by catching it."""


@dataclass(slots=True)
class Doom(Fate):
    """Where one life ends, if it ends by force."""

    dead: bool = False

    def reached(self, point: str) -> None:
        if self.dead:
            raise Killed
        if self.armed and self.nth and point == self.point:
            self.nth -= 1
            if self.nth == 0:
                self.dead = True
                raise Killed

    def arm(self, point: str, nth: int) -> None:
        self.point, self.nth, self.armed = point, nth, True

    def disarm(self) -> None:
        self.armed = False


class ImpatientClock(ManualClock):
    """Stands still for dates; who measures how long they wait finds that 16 seconds passed at each look: nobody waits for real."""

    def monotonic(self) -> float:
        self._monotonic += 16.0
        return super().monotonic()


Act = Callable[[], Awaitable[object]]


class Passage(Weather):
    """One life's way to the networks. `meanwhile`: happens once, after the network has acted on a call and before we hear of it."""

    def __init__(self, beyond: httpx2.AsyncBaseTransport, doom: Doom) -> None:
        super().__init__(beyond)
        self._doom = doom
        self.meanwhile: tuple[str, Act] | None = None
        self.interrupted = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._doom.reached(BEFORE_SEND)
        answer: httpx2.Response | None = None
        with suppress(NoAnswer):
            answer = await super().handle_async_request(request)
        if self.meanwhile is not None and self.meanwhile[0] in request.url.path:
            (_, act), self.meanwhile = self.meanwhile, None
            self.interrupted += 1
            await act()
        if answer is None:
            raise httpx2.ReadError("closed without an answer")
        self._doom.reached(AFTER_ANSWER)
        return answer


STRICT: tuple[App, ...] = (
    replace(META_APP, options={"replay_revokes": True}),
    replace(X_APP, options={"replay_revokes": True, "reuse_kills_family": True, "reauthorization_kills": True}),
    replace(LINKEDIN_PAGES_APP, options={"replay_revokes": True, "refresh_tokens": True}),
    replace(PINTEREST_APP, options={"replay_revokes": True, "reuse_kills_family": True}),
)
"""Every network as it may be at its strictest. Meta's app serves Facebook and Instagram by one consent."""


class Mortal:
    """A House whose Hitchpost dies and rises. Its browsers, its database and its networks outlive it."""

    def __init__(self, configuration: Configuration, catalog: Catalog, world: World, clock: ManualClock, url: str) -> None:
        self._configuration, self._catalog, self._clock, self._url = configuration, catalog, clock, url
        self._sandbox = build_sandbox(world)
        self.world, self.doom = world, Doom()
        self.house: House
        self._inner: SqliteDatabase | PostgresDatabase

    @classmethod
    async def born(cls, folder: Path, database_url: str = "") -> "Mortal":
        """The first life, on an empty database; SQLite in the folder unless another is named."""
        clock, catalog = ImpatientClock(), discover()
        world = World(clock=SandboxClock(clock.now()), apps=STRICT)
        configuration = read_settings(variables(folder, world, catalog, {"HITCHPOST_LOG_LEVEL": "error"}))
        url = database_url or configuration.settings.database
        await (await prepared(url)).close()
        self = cls(configuration, catalog, world, clock, url)
        services, passage = await self._living()
        wire = ByHost({PUBLIC_URL: self._front, SANDBOX_URL: self._sandbox})
        self.house = House(services, create_app(services, background=False), world, wire, passage, clock)
        self._told_of_leavers()
        return self

    async def _living(self) -> tuple[Services, Passage]:
        self.doom = Doom()
        self._inner = database = dying_database(self._url, self.doom)
        passage = Passage(ByHost({SANDBOX_URL: self._sandbox}), self.doom)
        services = await build(self._configuration, clock=self._clock, catalog=self._catalog, database=database, networks=passage)
        if isinstance(self._inner, SqliteDatabase):
            # As the server's start does where it is the only process.
            await database.begin(partial(take_over_all, self._clock))
        return services, passage

    async def _front(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.house.app(scope, receive, send)

    def _told_of_leavers(self) -> None:
        """Meta tells us of people who remove the app, as its portal would have it."""
        meta = next(one for one in self.world.apps if one.authority == "meta")
        address = f"{PUBLIC_URL}/api/networks/meta/{meta.client_id}/"
        told = {"deauthorize_url": f"{address}deauthorize", "deletion_url": f"{address}data-deletion"}
        self.world.register(replace(meta, options={**meta.options, **told}))

        async def tell(url: str, form: dict[str, str]) -> Heard:
            async with httpx2.AsyncClient(transport=self.house.wire) as client:
                answer = await client.post(url, data=form)
            return Heard(answer.status_code, answer.text)

        self.world.outgoing.tell = tell  # type: ignore[method-assign]

    @property
    def passage(self) -> Passage:
        assert isinstance(self.house.weather, Passage)
        return self.house.weather

    async def die(self) -> None:
        """Here and now: what it had in hand is dropped, its connections close as the operating system would close them."""
        self.doom.dead = True
        mine = asyncio.all_tasks() - {asyncio.current_task()}
        for task in mine:
            task.cancel()
        await asyncio.gather(*mine, return_exceptions=True)
        await self.house.services.http.close()
        await self._inner.close()

    async def rise(self) -> None:
        """Another process on the same database."""
        services, passage = await self._living()
        self.house.services, self.house.weather = services, passage
        self.house.app = create_app(services, background=False)

    async def stop(self) -> None:
        """As at SIGTERM."""
        await self.house.services.close()
