"""Fixtures that every room's tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hitchpost.db.base import metadata
from hitchpost.db.engine import SqliteDatabase
from tests.support.clock import ManualClock
from tests.support.house import House, opened
from tests.support.people import Town, settled_town


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[SqliteDatabase]:
    """An SQLite file with the tables of every room that the test has imported."""
    database = SqliteDatabase(f"sqlite:///{tmp_path / 'hitchpost.db'}")
    await database.begin(metadata.create_all)
    yield database
    await database.close()


@pytest.fixture
async def house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    """Hitchpost beside the sandbox, on SQLite, with every network configured."""
    async with opened(tmp_path, clock) as house:
        yield house


@pytest.fixture
async def town(house: House) -> Town:
    """The house with Ada, Ben, Vic and Cleo."""
    return await settled_town(house)
