"""The migrations make the very tables that the rooms describe, on SQLite and on PostgreSQL."""

import os
import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from hitchpost.db.base import metadata
from hitchpost.db.engine import open_database
from hitchpost.db.schema import HEAD, check
from hitchpost.migrations.__main__ import configuration


def test_the_program_needs_the_newest_revision() -> None:
    assert ScriptDirectory.from_config(configuration()).get_current_head() == HEAD


async def test_migrations_and_models_agree(empty_database_url: str, tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    environment |= {"HITCHPOST_DATABASE_URL": empty_database_url, "HITCHPOST_KEY_DIR": str(tmp_path / "keys")}
    done = subprocess.run([sys.executable, "-m", "hitchpost.migrations"], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    database = open_database(empty_database_url)

    def differences(connection: Connection) -> list[object]:
        check(connection)
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    try:
        assert await database.read(differences) == []
    finally:
        await database.close()
