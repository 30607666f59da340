"""R15: processes on machines whose clocks disagree go by the database's, so a claim ends for all of them at the same moment."""

import json
from datetime import datetime, timedelta
from io import StringIO
from pathlib import Path

import pytest
from sqlalchemy import func, select

from hitchpost.bootstrap import build
from hitchpost.clock import SystemClock
from hitchpost.db.clock import DatabaseClock
from hitchpost.db.engine import PostgresDatabase, open_database
from hitchpost.ids import new_id
from hitchpost.networks.catalog import discover
from hitchpost.settings import read_settings
from hitchpost.web.log import set_up
from hitchpost_sandbox.world import World
from tests.faults.child import AheadClock
from tests.support.house import prepared, variables
from tests.support.postgres import new_database

NEAR = timedelta(seconds=30)
"""Nothing here is about speed: a busy machine may take this long."""

pytestmark = pytest.mark.postgres


async def theirs(database: PostgresDatabase) -> datetime:
    return await database.read(lambda tx: tx.execute(select(func.clock_timestamp())).scalar_one())


@pytest.mark.parametrize("off", [timedelta(minutes=7), timedelta(minutes=-7), timedelta(hours=1)], ids=str)
async def test_R15_a_clock_that_is_off_is_put_right(postgres: str, off: timedelta) -> None:
    database = PostgresDatabase(await new_database(postgres, f"c{new_id()}"))
    written = StringIO()
    set_up("info", stream=written)
    try:
        own = AheadClock(off)
        clock = DatabaseClock(database, own)
        assert abs(clock.now() - own.now()) < NEAR
        await clock.measure()
        assert abs(clock.now() - await theirs(database)) < NEAR
        # It was moved while we ran, as machines' clocks are.
        own.ahead = -off
        await clock.measure()
        assert abs(clock.now() - await theirs(database)) < NEAR
        said = [json.loads(line) for line in written.getvalue().splitlines()]
        assert [round(one["seconds"] / 60) for one in said] == [round(-off / timedelta(minutes=1)), round(off / timedelta(minutes=1))]
    finally:
        await database.close()


async def test_R15_every_process_on_postgresql_goes_by_the_databases_clock(postgres: str, tmp_path: Path) -> None:
    url = await new_database(postgres, f"c{new_id()}")
    await (await prepared(url)).close()
    configuration = read_settings(variables(tmp_path, World(), discover(), {"HITCHPOST_DATABASE_URL": url}))
    services = await build(configuration, database=open_database(url))
    try:
        assert isinstance(services.clock, DatabaseClock)
    finally:
        await services.close()


async def test_with_sqlite_there_is_one_process_and_its_clock(tmp_path: Path) -> None:
    configuration = read_settings(variables(tmp_path, World(), discover(), {}))
    await (await prepared(configuration.settings.database)).close()
    services = await build(configuration)
    try:
        assert isinstance(services.clock, SystemClock)
    finally:
        await services.close()
