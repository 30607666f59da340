"""Fixtures that every room's tests share."""

import logging
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from hitchpost.db.base import metadata
from hitchpost.db.engine import PostgresDatabase, SqliteDatabase
from hitchpost.ids import new_id
from tests.support.clock import ManualClock
from tests.support.house import House, opened, prepared
from tests.support.people import Town, settled_town
from tests.support.postgres import cluster, new_database

# No test is about speed: a busy machine must not turn a property red.
settings.register_profile("house", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("house")


class Scale:
    """How much of a trial is run: all of it with --full (`make faults`), else a short form."""

    def __init__(self, full: bool) -> None:
        self.is_full = full

    def __call__(self, *, short: int, full: int) -> int:
        return full if self.is_full else short


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--full", action="store_true", help="run the trials under tests/faults at their full length")
    parser.addoption("--due", type=int, default=10_000, help="with --full: how many grants fall due at once before two workers")


@pytest.fixture(scope="session")
def scale(request: pytest.FixtureRequest) -> Scale:
    return Scale(bool(request.config.getoption("--full")))


@pytest.fixture(autouse=True)
def _log_of_its_own() -> Iterator[None]:
    """What a test has set up to be logged, and where, ends with it: the next one must not write to a stream that is closed."""
    root = logging.getLogger()
    before = list(root.handlers)
    yield
    structlog.reset_defaults()
    root.handlers[:] = [one for one in root.handlers if one in before]


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


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A private PostgreSQL cluster for the whole run."""
    with cluster() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgres"])
async def empty_database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The address of an empty database, on SQLite and on PostgreSQL."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'empty.db'}"
    return await new_database(request.getfixturevalue("postgres"), f"t{new_id()}")


@pytest.fixture
async def any_database(empty_database_url: str) -> AsyncIterator[SqliteDatabase | PostgresDatabase]:
    """An open database at the newest schema, on SQLite and on PostgreSQL."""
    database = await prepared(empty_database_url)
    yield database
    await database.close()


@pytest.fixture
async def any_house(empty_database_url: str, tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    """Hitchpost beside the sandbox, on SQLite and on PostgreSQL."""
    async with opened(tmp_path, clock, database_url=empty_database_url) as house:
        yield house
