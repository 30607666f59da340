"""Fixtures that every room's tests share."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from hitchpost.db.base import metadata
from hitchpost.db.engine import SqliteDatabase
from tests.support.clock import ManualClock


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
