"""Many people on their way through a connection at once, before servers that die under them; their browsers reload, and go on."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from urllib.parse import urljoin, urlsplit

import httpx2

from hitchpost.db.engine import Tx
from hitchpost.demo.browser import Fields, FormOnPage, Page, filled, read_page, refresh_target
from hitchpost.people.passwords import hash_now
from hitchpost.secret import Secret
from tests.faults.server import Server
from tests.faults.stage import Stage

PUBLIC_URL = "http://127.0.0.1:8420"
PASSWORD = "correct-horse-battery-canary"
PATIENCE = 8
"""So many times a person sees the same progress before they let time pass."""

TOLD = "interrupted"
"""What somebody is told whose consent may be lost: we died."""

LEASED = timedelta(seconds=125)
"""A little more than a claim holds."""


class Fleet(httpx2.AsyncBaseTransport):
    """The servers of one installation behind one public address, as behind a load balancer that knows who is alive.

    Each death is answered by a new start on the same database. `fate`: how the next one dies: at its own kill point, or (`at_request`)
    from outside, when the browsers have sent so many requests.
    """

    def __init__(self, stage: Stage, size: int) -> None:
        self._stage, self._size, self._turn = stage, size, 0
        self._wire = httpx2.AsyncHTTPTransport(limits=httpx2.Limits(max_connections=200, max_keepalive_connections=50))
        self._watchers: list[asyncio.Task[None]] = []
        self._standing = asyncio.Condition()
        self._closing = False
        self.servers: list[Server] = []
        self.deaths = 0
        self.at_request = 0
        self.polls = asyncio.Semaphore(2)
        self.revives = asyncio.Event()
        self.revives.set()

    async def start(self) -> None:
        for _ in range(self._size):
            await self._start_one()

    async def _start_one(self) -> None:
        server = await Server.started(self._stage.environment, self._stage.clock.ahead)
        async with self._standing:
            self.servers.append(server)
            if self._closing:
                server.process.kill()
            self._watchers.append(asyncio.create_task(self._watch(server)))
            self._standing.notify_all()

    async def _watch(self, server: Server) -> None:
        code = await server.ended()
        self.servers.remove(server)
        server.line.close()
        if not self._closing:
            assert code == -9, f"a server ended by itself with {code}"
            async with self._standing:
                self.deaths += 1
                self._standing.notify_all()
            await self.revives.wait()
            await self._start_one()

    async def close(self) -> None:
        self._closing = True
        self.revives.set()
        for server in list(self.servers):
            server.process.kill()
        # Whoever was just being started in a dead one's place adds a watcher of its own.
        while waiting := [one for one in self._watchers if not one.done()]:
            await asyncio.gather(*waiting)
        await asyncio.gather(*self._watchers)
        await self._wire.aclose()

    async def doom(self, point: str, nth: int) -> None:
        """The server whose turn is next dies at the `nth` time that it reaches this point."""
        await self.servers[0].told("die", point, nth)

    async def died(self) -> None:
        """Wait until one is dead, while nobody comes in its place (`revives` is clear)."""
        async with self._standing:
            await self._standing.wait_for(lambda: not self.servers)

    async def kill_one(self) -> None:
        """Kill -9 from outside, and wait until another one stands in its place."""
        before = self.deaths
        self.servers[0].process.kill()
        async with self._standing:
            await self._standing.wait_for(lambda: self.deaths > before and len(self.servers) == self._size)

    async def forward(self, by: timedelta) -> None:
        """Time passes for everybody, and every server looks after what is due."""
        self._stage.forward(by)
        for server in list(self.servers):
            await server.told("ahead", self._stage.clock.ahead.total_seconds())

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if not str(request.url).startswith(PUBLIC_URL):
            return await self._wire.handle_async_request(request)
        async with self._standing:
            await self._standing.wait_for(lambda: bool(self.servers))
        self._turn += 1
        server = self.servers[self._turn % len(self.servers)]
        beyond = httpx2.Request(
            request.method, request.url.copy_with(port=server.port), headers=request.headers, stream=request.stream,
            extensions=request.extensions,
        )  # fmt: skip
        if self.at_request:
            self.at_request -= 1
            if self.at_request == 0:
                server.process.kill()
        return await self._wire.handle_async_request(beyond)

    async def aclose(self) -> None:
        """A browser that closes leaves the wire to the others."""


@dataclass(slots=True)
class Traveller:
    """One person with a browser of their own, who does what the page before them offers, and reloads it when it breaks.

    `leaves`: never picks, so that the access has to be given back. `over`: saw what they came for. `told`: that it was interrupted, how
    often; `codes`: of the problems they met; `broken`: answers that did not come.
    """

    fleet: Fleet
    number: int
    person_id: str
    workspace_id: str
    provider: str
    account: str
    dice: random.Random
    leaves: bool = False
    over: bool = False
    broken: int = 0
    codes: Counter[str] = field(default_factory=Counter)
    page: Page | None = None
    picked: int = 0
    _client: httpx2.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        self._client = httpx2.AsyncClient(transport=self.fleet, follow_redirects=True, timeout=60)

    async def go(self) -> None:
        """Onward, until it is over, or a page stands still for long."""
        seen = 0
        while not self.over and seen < PATIENCE:
            before, self.page = self.page, await self._next()
            still = before is not None and (before.url, before.text) == (self.page.url, self.page.text)
            seen = seen + 1 if still else 0

    async def _next(self) -> Page:
        page = self.page
        if page is None:
            start = f"/api/social-connect/start?provider={self.provider}&workspaceId={self.workspace_id}"
            return await self._sent("GET", PUBLIC_URL + start)
        assert page.status < 500 or page.code == TOLD, f"{page.status} {page.code}: {page.text[:300]}"
        if page.refresh:
            async with self.fleet.polls:
                return await self._sent("GET", refresh_target(page))
        forms = {urlsplit(urljoin(page.url, form.action)).path.rpartition("/")[2]: form for form in page.forms}
        if "sign-in" in forms:
            return await self._submitted(forms["sign-in"], [("email", email_of(self.number)), ("password", PASSWORD)])
        if "start" in forms:
            return await self._submitted(forms["start"], [])
        if (form := self._asked()) is not None:
            return await self._submitted(form, self._allowing())
        if "attach" in forms:
            picks = [(name, value) for name, value in forms["attach"].boxes if name == "pick"]
            assert picks, page.text[:300]
            if self.leaves:
                self.over = True
                return page
            self.picked = len(picks)
            return await self._submitted(forms["attach"], picks)
        if page.code:
            # Whatever befell it, the page has a way on: list once more, or start again.
            self.codes[page.code] += 1
            assert forms.keys() & {"look", "again"}, f"no way on: {page.url.partition('?')[0]} {page.code}: {page.text[:300]}"
            return await self._submitted(forms.get("look") or forms["again"], [])
        assert f"{self.picked} profiles are connected" in page.text or (self.picked == 1 and "One profile is connected" in page.text), (
            f"neither done nor a way on: {page.url.partition('?')[0]}: {page.text[:300]}"
        )
        self.over = True
        return page

    async def storm(self, copies: int) -> list[str]:
        """Go to the network and come back so many times at once; where each copy of the callback led."""
        while (form := self._asked()) is None:
            self.page = await self._next()
        assert self.page is not None
        back = await self._client.post(
            urljoin(self.page.url, form.action or self.page.url), data=filled(form, self._allowing()), follow_redirects=False
        )
        copy = partial(self._client.get, back.headers["location"], follow_redirects=False)
        answers = await asyncio.gather(*(copy() for _ in range(copies)))
        self.page = await self._sent("GET", back.headers["location"])
        return [f"{answer.status_code} {answer.headers['location']}" for answer in answers]

    def _asked(self) -> FormOnPage | None:
        """The network's question, if the page before them asks it."""
        forms = self.page.forms if self.page else []
        return next((form for form in forms if any(name == "person" for name, _ in form.fields + form.boxes)), None)

    def _allowing(self) -> Fields:
        return [("person", self.account), ("decision", "allow")]

    async def _submitted(self, form: FormOnPage, changed: Fields) -> Page:
        assert self.page is not None
        return await self._sent("POST", urljoin(self.page.url, form.action or self.page.url), filled(form, changed))

    async def _sent(self, method: str, url: str, data: Mapping[str, list[str]] | None = None) -> Page:
        """The page that comes of it in the end. Where an answer breaks off, the browser reloads what its address bar shows."""
        while True:
            try:
                answer = await self._client.request(method, url, data=data)
            except httpx2.TransportError as error:
                self.broken += 1
                if error.request.method == "GET":
                    method, url, data = "GET", str(error.request.url), None
                elif self.page is not None and self.dice.random() < 0.5:
                    # People either send a form again, or go back to the page that it stood on.
                    method, url, data = "GET", self.page.url, None
            else:
                return read_page(str(answer.url), answer.status_code, answer.headers.get("Hitchpost-Error", ""), answer.text)


def email_of(number: int) -> str:
    return f"traveller-{number}@example.com"


@cache
def _hashed() -> str:
    """PASSWORD's hash, made once: argon2 is slow on purpose."""
    return hash_now(Secret(PASSWORD))


async def people(stage: Stage, numbers: Sequence[int]) -> list[tuple[str, str]]:
    """People who can sign in, each with a workspace of their own: the ids of both."""
    services, now = stage.services, stage.clock.now()

    def made(tx: Tx) -> list[tuple[str, str]]:
        found = []
        for number in numbers:
            email = email_of(number)
            person = services.people.create_person(tx, email=email, name=f"Traveller {number}", password_hash=_hashed(), now=now).id
            found.append((person, services.workspaces.create(tx, name=f"Place {number}", owner_id=person)))
        return found

    return await services.database.begin(made)


async def arrived(fleet: Fleet, travellers: Sequence[Traveller]) -> None:
    """All of them go until each has seen what they came for; while everybody waits for a claim of the dead, its lease runs out."""
    for _ in range(6):
        await asyncio.gather(*(one.go() for one in travellers))
        if all(one.over for one in travellers):
            return
        await fleet.forward(LEASED)
    stuck = [(one.provider, one.page.url.partition("?")[0], one.page.text[:200]) for one in travellers if one.page and not one.over]
    raise AssertionError(f"no way on for {len(stuck)}: {stuck[:3]}")


@asynccontextmanager
async def serving(stage: Stage, size: int) -> AsyncIterator[Fleet]:
    """So many servers on the stage's database; killed at the end."""
    fleet = Fleet(stage, size)
    await fleet.start()
    try:
        yield fleet
    finally:
        await fleet.close()
