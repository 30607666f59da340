"""The tokens room with Beacon as the outside, on SQLite and on PostgreSQL."""

from collections.abc import AsyncIterator

import pytest

from hitchpost.db.engine import Database
from tests.support.clock import ManualClock
from tests.tokens.beacon.room import Room, opened


@pytest.fixture
async def room(any_database: Database, clock: ManualClock) -> AsyncIterator[Room]:
    async with opened(any_database, clock) as room:
        yield room
