"""The keeper at its desk, on both databases."""

import pytest

from hitchpost.db.engine import PostgresDatabase, SqliteDatabase
from tests.support.clock import ManualClock
from tests.tokens.desk import Desk, x_that


@pytest.fixture
async def desk(any_database: SqliteDatabase | PostgresDatabase, clock: ManualClock) -> Desk:
    return Desk(any_database, clock, x_that())
