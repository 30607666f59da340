"""Accounts of Ada and Cleo, and browsers over ASGI, each with cookies of its own."""

from collections.abc import AsyncIterator

import httpx2
import pytest
from starlette.applications import Starlette

from hitchpost.db.engine import SqliteDatabase
from hitchpost.people.pages import routes
from hitchpost.settings import Settings
from hitchpost.web.pages import Pages
from hitchpost.web.problems import exception_handlers
from tests.people.accounts import HOME, Accounts, CountingHasher, NewBrowser, settled
from tests.support.clock import ManualClock


@pytest.fixture
def hasher() -> CountingHasher:
    return CountingHasher()


@pytest.fixture
async def accounts(database: SqliteDatabase, clock: ManualClock, hasher: CountingHasher) -> Accounts:
    return await settled(database, clock, hasher)


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
