"""`python -m hitchpost.migrations`: bring the database to the newest schema. Refuses bad settings, naming the setting."""

import os
import sys
from pathlib import Path

from alembic import command
from alembic.config import Config
from asyncpg import PostgresError
from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from hitchpost.db.engine import begin_by_hand, open_database
from hitchpost.db.schema import HEAD
from hitchpost.db.unusable import unusable
from hitchpost.settings import BadSettings, Settings, read_settings

_LOCK = 0x4869746368
"""Ours among the advisory locks of a PostgreSQL database: "Hitch"."""


def configuration(connection: Connection | None = None) -> Config:
    """Alembic's configuration for our history, on `connection` when given."""
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("path_separator", "os")
    if connection is not None:
        config.attributes["connection"] = connection
    return config


def upgrade(connection: Connection) -> None:
    """Every step that is missing, in the connection's transaction."""
    command.upgrade(configuration(connection), "head")


def sqlite_engine(url: str) -> Engine:
    """One whose transactions hold changes of tables too: Python's module would commit before each, and a kill between leave half of them.

    Foreign keys are not enforced, as SQLite demands of who replaces a table that others point to.
    """
    engine = create_engine(url, poolclass=NullPool, connect_args={"timeout": 15})
    begin_by_hand(engine, "BEGIN IMMEDIATE")
    return engine


async def _upgrade_postgres(url: str) -> None:
    engine = create_async_engine(make_url(url).set(drivername="postgresql+asyncpg"), poolclass=NullPool, hide_parameters=True)
    try:
        async with engine.begin() as connection:
            # Servers and workers that start at once wait for each other; it is let go with the transaction.
            await connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
            await connection.run_sync(upgrade)
    finally:
        await engine.dispose()


def main(*, quiet: bool = False) -> int:
    """Exit code 0 when the database is at the newest schema, 1 when it cannot be used, 2 for bad settings; a sentence says why.

    `quiet`: for programs that go on; only what fails is said.
    """
    try:
        settings = read_settings(os.environ).settings
    except BadSettings as error:
        print(error, file=sys.stderr)
        return 2
    try:
        _bring_up_to_date(settings)
    except (SQLAlchemyError, PostgresError, OSError) as error:
        print(unusable(error, settings), file=sys.stderr)
        return 1
    if not quiet:
        print(f"The database is up to date: it stands at {HEAD}.")
    return 0


def _bring_up_to_date(settings: Settings) -> None:
    if settings.database.startswith("sqlite:"):
        # As the server opens it, so that its folder is made.
        open_database(settings.database, checkpoints=False)
        with sqlite_engine(settings.database).begin() as connection:
            upgrade(connection)
    else:
        import asyncio

        asyncio.run(_upgrade_postgres(settings.database))


if __name__ == "__main__":
    sys.exit(main(quiet="--quiet" in sys.argv[1:]))
