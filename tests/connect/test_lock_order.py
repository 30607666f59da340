"""Who writes a connection's request and its grant holds the grant first: of two who wait for each other PostgreSQL ends one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Tx
from hitchpost.ids import new_id
from tests.support.clock import ManualClock
from tests.support.house import opened
from tests.support.people import Town, settled_town
from tests.support.postgres import new_database

pytestmark = pytest.mark.postgres

WAITING = text("SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")


@pytest.fixture
async def town(postgres: str, tmp_path: Path, clock: ManualClock) -> AsyncIterator[Town]:
    async with opened(tmp_path, clock, database_url=await new_database(postgres, f"l{new_id()}")) as house:
        yield await settled_town(house)


async def attached(town: Town) -> object:
    """Ada's X account stands in Lantern."""
    browser = await town.browser("ada")
    return await browser.attach(await browser.arrive("x", town.lantern))


async def attaching(town: Town) -> Callable[[], Awaitable[object]]:
    browser = await town.browser("ada")
    page = await browser.arrive("x", town.lantern)
    return lambda: browser.attach(page)


async def shredding(town: Town) -> Callable[[], Awaitable[object]]:
    await attached(town)
    return lambda: town.house.services.shredding.shred(town.lantern)


@pytest.mark.parametrize("prepared", [attaching, shredding])
async def test_who_waits_for_a_grant_holds_no_request(
    town: Town, prepared: Callable[[Town], Awaitable[Callable[[], Awaitable[object]]]]
) -> None:
    act = await prepared(town)
    holding, waited = asyncio.Event(), asyncio.Event()

    async def ended() -> object:
        await holding.wait()
        return await act()

    acting = asyncio.create_task(ended())

    def hold(tx: Tx) -> None:
        tx.execute(text("SELECT 1 FROM grants FOR UPDATE"))
        holding.set()
        while not (acting.done() or tx.execute(WAITING).first()):
            pass
        assert not acting.done(), "it did not wait"
        assert tx.execute(text("SELECT 1 FROM authorization_requests FOR UPDATE NOWAIT")).all()
        waited.set()

    await town.house.services.database.begin(hold)
    await acting
    assert waited.is_set()
    assert len(await town.house.rows("SELECT 1 FROM authorization_requests")) == 1
