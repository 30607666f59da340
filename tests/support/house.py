"""A whole Hitchpost beside a whole sandbox in one process, real HTTP over ASGI, and browsers with cookie jars of their own."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import cache
from pathlib import Path
from urllib.parse import urljoin

import asyncpg
import httpx2
from sqlalchemy import text
from starlette.types import ASGIApp

from hitchpost.asgi import create_app
from hitchpost.bootstrap import Services, build
from hitchpost.db.base import metadata
from hitchpost.db.engine import Database, PostgresDatabase, SqliteDatabase, Tx, open_database
from hitchpost.db.schema import HEAD
from hitchpost.demo.browser import Fields, FormOnPage, Page, filled, read_page, refresh_target
from hitchpost.demo.world import app_variables
from hitchpost.jobs.queue import install_script
from hitchpost.networks.catalog import Catalog, discover
from hitchpost.people.passwords import hash_now
from hitchpost.secret import Secret
from hitchpost.settings import read_settings
from hitchpost.workspaces.roles import Role
from hitchpost_sandbox.app import build as build_sandbox
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import Ledger
from hitchpost_sandbox.world import World
from tests.support.clock import ManualClock

PUBLIC_URL, SANDBOX_URL = "http://127.0.0.1:8420", "http://localhost:8421"
PASSWORD = "correct-horse-battery-canary"
NETWORKS = ("facebook", "instagram", "x", "linkedin", "pinterest")


class ByHost(httpx2.AsyncBaseTransport):
    """Sends each request to the program that its origin belongs to; all else is unreachable."""

    def __init__(self, programs: Mapping[str, ASGIApp]) -> None:
        self._programs = {origin: httpx2.ASGITransport(app=app) for origin, app in programs.items()}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        origin = f"{request.url.scheme}://{request.url.netloc.decode()}"
        if origin not in self._programs:
            raise httpx2.ConnectError(f"nobody listens at {origin}")
        return await self._programs[origin].handle_async_request(request)


class Weather(httpx2.AsyncBaseTransport):
    """The way to the networks: fair, until a test lets some calls meet `trouble` (an answer, or an error to raise)."""

    def __init__(self, beyond: httpx2.AsyncBaseTransport) -> None:
        self._beyond = beyond
        self.trouble: Callable[[httpx2.Request], httpx2.Response | Exception | None] = lambda _request: None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        met = self.trouble(request)
        if isinstance(met, Exception):
            raise met
        if met is not None:
            return httpx2.Response(met.status_code, headers=met.headers, stream=httpx2.ByteStream(met.content))
        return await self._beyond.handle_async_request(request)

    async def aclose(self) -> None:
        await self._beyond.aclose()


class Browser:
    """One cookie jar; follows redirects, submits forms, and (by `settle`) the pages' own refreshes."""

    def __init__(self, house: "House") -> None:
        self.house = house
        self.client = httpx2.AsyncClient(transport=house.wire, follow_redirects=True)
        self.seen: list[str] = []

    async def open(self, url: str, *, follow: bool = True, headers: Mapping[str, str] | None = None) -> Page:
        return self._page(await self.client.get(urljoin(PUBLIC_URL, url), follow_redirects=follow, headers=headers))

    async def submit(self, page: Page, form: FormOnPage, changed: Fields, drop: tuple[str, ...] = ()) -> Page:
        return await self.post(urljoin(page.url, form.action or page.url), filled(form, changed, drop))

    async def post(self, url: str, data: Mapping[str, str | list[str]], *, headers: Mapping[str, str] | None = None) -> Page:
        return self._page(await self.client.post(urljoin(PUBLIC_URL, url), data=dict(data), headers=headers))

    async def settle(self, page: Page) -> Page:
        """Follow refreshes, letting background looks finish in between."""
        for _ in range(10):
            if not page.refresh:
                return page
            await self.house.services.looks.settled()
            page = await self.open(refresh_target(page))
        return page

    def _page(self, answer: httpx2.Response) -> Page:
        self.seen.append(answer.text)
        return read_page(str(answer.url), answer.status_code, answer.headers.get("Hitchpost-Error", ""), answer.text)

    async def sign_in(self, email: str, password: str = PASSWORD) -> Page:
        page = await self.open("/sign-in")
        return await self.submit(page, page.form("/sign-in"), [("email", email), ("password", password)])

    # The way, step by step.

    async def start(self, provider: str, workspace_id: str) -> Page:
        return await self.open(f"/api/social-connect/start?provider={provider}&workspaceId={workspace_id}")

    async def depart(self, provider: str, workspace_id: str, login: str = "") -> Page:
        """From the start page to the network's consent page."""
        page = await self.start(provider, workspace_id)
        form = page.form("/api/social-connect/start")
        moving = await self.submit(page, form, [("login", login)] if login else [])
        return await self.open(refresh_target(moving))

    async def consent(self, page: Page, person: str = "ada", *, allow: bool = True, ticks: Fields | None = None) -> str:
        """Decide at the network; the address that it sends the browser back to, not yet opened."""
        form = next(one for one in page.forms if any(name == "person" for name, _ in one.fields + one.boxes))
        changed = [("person", person), ("decision", "allow" if allow else "deny"), *(ticks or [])]
        sent = filled(form, changed, drop=("scope", "target") if ticks else ())
        answer = await self.client.post(urljoin(page.url, form.action or page.url), data=sent, follow_redirects=False)
        assert answer.status_code in (302, 303), answer.text[:400]
        return str(answer.headers["location"])

    async def arrive(self, provider: str, workspace_id: str, person: str = "ada", login: str = "") -> Page:
        """From the start page through consent to the settled page of the connection."""
        page = await self.depart(provider, workspace_id, login)
        if page.url.startswith(SANDBOX_URL):
            page = await self.open(await self.consent(page, person))
        # Else the network skipped its consent page, as LinkedIn does for who has consented before.
        return await self.settle(page)

    async def attach(self, page: Page, picks: list[str] | None = None) -> Page:
        """Pick (everything usable by default) and connect."""
        form = page.form("/attach")
        keys = picks if picks is not None else [value for name, value in form.boxes if name == "pick"]
        return await self.settle(await self.submit(page, form, [("pick", key) for key in keys], drop=("pick",)))


@cache
def _hashed() -> str:
    """PASSWORD's hash, made once: argon2 is slow on purpose."""
    return hash_now(Secret(PASSWORD))


@dataclass(slots=True)
class House:
    """The two programs and what tests ask of them."""

    services: Services
    app: ASGIApp
    world: World
    wire: httpx2.AsyncBaseTransport
    weather: Weather
    clock: ManualClock

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    def browser(self) -> Browser:
        return Browser(self)

    async def person(self, email: str, name: str) -> str:
        """A new person's id; the password is PASSWORD."""
        hashed = _hashed()

        def add(tx: Tx) -> str:
            return self.services.people.create_person(tx, email=email, name=name, password_hash=hashed, now=self.clock.now()).id

        return await self.services.database.begin(add)

    async def workspace(self, name: str, owner_id: str) -> str:
        return await self.services.database.begin(lambda tx: self.services.workspaces.create(tx, name=name, owner_id=owner_id))

    async def member(self, workspace_id: str, person_id: str, role: Role) -> None:
        await self.services.workspaces.add_member(workspace_id, person_id, role)

    async def key(self, person_id: str) -> str:
        _, secret = await self.services.database.begin(lambda tx: self.services.workspaces.issue_key(tx, person_id, "tests"))
        return secret.reveal()

    def api(self, key: str) -> httpx2.AsyncClient:
        """A caller with this key."""
        return httpx2.AsyncClient(transport=self.wire, base_url=f"{PUBLIC_URL}/api/_public/v1/", headers={"X-API-Key": key})

    def own(self, key: str) -> httpx2.AsyncClient:
        """A caller of our own calls beside the contract."""
        return httpx2.AsyncClient(transport=self.wire, base_url=f"{PUBLIC_URL}/api/v1/", headers={"X-API-Key": key})

    def forward(self, by: timedelta) -> None:
        """Time passes for both programs."""
        self.clock.forward(by)
        self.world.clock.forward(by)

    async def befall(self, network: str, turn: str, person: str = "ada", **more: str) -> None:
        """Something befalls a person at a network, behind our back."""
        async with httpx2.AsyncClient(transport=self.wire, base_url=SANDBOX_URL) as plane:
            told = await plane.post("/_sandbox/turns", json={"network": network, "turn": turn, "person": person, **more})
            assert told.is_success, told.text

    async def rows(self, sql: str) -> list[dict[str, object]]:
        """What stands in the database, read past our own code."""
        return await self.services.database.read(lambda tx: [dict(row) for row in tx.execute(text(sql)).mappings()])


def variables(tmp_path: Path, world: World, catalog: Catalog, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a server whose networks are this sandbox."""
    found = {
        "HITCHPOST_PUBLIC_URL": PUBLIC_URL, "HITCHPOST_DATA_DIR": str(tmp_path / "data"), "HITCHPOST_KEY_DIR": str(tmp_path / "keys"),
        "HITCHPOST_NETWORKS_AT": SANDBOX_URL, "HITCHPOST_NETWORKS_AT_INSECURE": "true", "HITCHPOST_LOG_LEVEL": "info",
        "HITCHPOST_RATE_LIMIT": "100000",
    }  # fmt: skip
    found |= app_variables([asdict(app) for app in world.apps], catalog)
    found |= extra or {}
    return {name: value for name, value in found.items() if value}


async def prepared(url: str) -> SqliteDatabase | PostgresDatabase:
    """An open database at the newest schema, made from the tables themselves (a test of its own holds the migration to them)."""
    database = open_database(url)

    def make(tx: Tx) -> None:
        metadata.create_all(tx)
        tx.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        tx.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})

    await database.begin(make)
    if isinstance(database, PostgresDatabase):
        connection = await asyncpg.connect(url)
        await connection.execute(install_script())
        await connection.close()
    return database


@asynccontextmanager
async def opened(
    tmp_path: Path, clock: ManualClock, *, extra: Mapping[str, str] | None = None, database_url: str = "", world: World | None = None,
    watched: Callable[[Database], Database] = lambda database: database,
) -> AsyncIterator[House]:  # fmt: skip
    """Both programs, built and closed. `watched`: what stands between the product and its database."""
    world = world or World(clock=SandboxClock())
    sandbox, catalog = build_sandbox(world), discover()
    configuration = read_settings(variables(tmp_path, world, catalog, extra))
    database = await prepared(database_url or configuration.settings.database)
    weather = Weather(ByHost({SANDBOX_URL: sandbox}))
    services = await build(configuration, clock=clock, catalog=catalog, database=watched(database), networks=weather)
    app = create_app(services, background=False)
    public = configuration.settings.public_url
    house = House(services, app, world, ByHost({public: app, SANDBOX_URL: sandbox}), weather, clock)
    try:
        yield house
    finally:
        await services.close()
