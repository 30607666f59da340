"""Accounts of Ada and Cleo, and browsers over ASGI, each with cookies of its own."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from hitchpost.db.engine import SqliteDatabase, Tx
from hitchpost.people.pages import routes
from hitchpost.people.passwords import Passwords
from hitchpost.people.service import People, Person
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.web.pages import Pages
from hitchpost.web.problems import exception_handlers
from tests.people.accounts import ABSOLUTE, HOME, IDLE, RIGHT, Accounts, CountingHasher, NewBrowser
from tests.support.clock import ManualClock


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
async def accounts(database: SqliteDatabase, clock: ManualClock, hasher: CountingHasher) -> Accounts:
    ended: list[str] = []

    def told(_tx: Tx, ids: tuple[str, ...]) -> None:
        ended.extend(ids)

    people = People(database, clock, idle=IDLE, absolute=ABSOLUTE, on_session_ended=told, passwords=Passwords(hasher))
    hashed = await people.hash_password(Secret(RIGHT))

    async def add(email: str, name: str) -> Person:
        return await database.begin(lambda tx: people.create_person(tx, email=email, name=name, password_hash=hashed, now=clock.now()))

    return Accounts(database, people, await add("ada@example.com", "Ada"), await add("cleo@example.com", "Cleo"), ended)


@pytest.fixture
async def new_browser(accounts: Accounts) -> AsyncIterator[NewBrowser]:
    """Makes browsers: each with cookies of its own, at `public_url`, seen by the server at `address`."""
    opened: list[httpx2.AsyncClient] = []

    def browser(public_url: str = "http://127.0.0.1:8420", address: str = HOME) -> httpx2.AsyncClient:
        pages = Pages(public_url=public_url)
        app = Starlette(
            routes=routes(accounts.people, pages, Settings(public_url=public_url)), exception_handlers=exception_handlers(pages)
        )
        opened.append(httpx2.AsyncClient(transport=httpx2.ASGITransport(app=app, client=(address, 50000)), base_url=public_url))
        return opened[-1]

    yield browser
    for one in opened:
        await one.aclose()
