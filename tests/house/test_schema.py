"""The migrations make the very tables that the rooms describe, on SQLite and on PostgreSQL."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path

import asyncpg
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hitchpost.db.base import metadata
from hitchpost.db.engine import open_database
from hitchpost.db.schema import HEAD, check
from hitchpost.ids import new_id
from hitchpost.jobs.queue import PREFIX, over
from hitchpost.migrations.__main__ import configuration
from tests.support.postgres import new_database


def test_the_program_needs_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


def migrated(url: str, folder: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    environment |= {"HITCHPOST_DATABASE_URL": url, "HITCHPOST_KEY_DIR": str(folder / "keys")}
    done = subprocess.run([sys.executable, "-m", "hitchpost.migrations"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


async def test_migrations_and_models_agree(empty_database_url: str, tmp_path: Path) -> None:
    migrated(empty_database_url, tmp_path)
    database = open_database(empty_database_url)

    def of_a_room(_thing: object, name: str | None, kind: str, _found: bool, _other: object) -> bool:
        return not (kind == "table" and (name or "").startswith(PREFIX))

    def differences(connection: Connection) -> list[object]:
        check(connection)
        return list(compare_metadata(MigrationContext.configure(connection, opts={"include_object": of_a_room}), metadata))

    try:
        assert await database.read(differences) == []
    finally:
        await database.close()


async def test_the_queue_s_tables_are_what_the_pinned_pgqueuer_wants(postgres: str, tmp_path: Path) -> None:
    """Another version that wants other tables needs a migration of ours: this test says so before a server would."""
    url = await new_database(postgres, f"q{new_id()}")
    migrated(url, tmp_path)
    connection = await asyncpg.connect(url)
    try:
        assert (await over(connection).plan_upgrade()).statements == ()
    finally:
        await connection.close()


async def test_programs_that_start_at_once_bring_one_database_up_to_date_one_after_the_other(postgres: str, tmp_path: Path) -> None:
    url = await new_database(postgres, f"t{new_id()}")
    await asyncio.gather(*(asyncio.to_thread(migrated, url, tmp_path) for _ in range(3)))
