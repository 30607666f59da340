"""R27: an upgrade that dies at any statement has changed nothing, and the next one goes through with every row."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from sqlalchemy import Connection, Engine, event, text

from hitchpost.db.engine import open_database
from hitchpost.db.schema import HEAD
from hitchpost.migrations.__main__ import configuration, sqlite_engine, upgrade

OLDEST = "0001"
READS = ("SELECT", "PRAGMA", "BEGIN")


class Died(Exception):
    """The end of the upgrade: what its transaction holds is rolled back, as the next process does for one that was killed."""


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """A database of the first release with an app, a grant and a reach in it."""
    url = f"sqlite:///{tmp_path}/old.db"
    open_database(url, checkpoints=False)
    engine = sqlite_engine(url)
    with engine.begin() as connection:
        command.upgrade(configuration(connection), OLDEST)
        for table, known in (("apps", {"id": "a"}), ("grants", {"id": "g", "app_id": "a"}), ("reaches", {"id": "r", "grant_id": "g"})):
            fill(connection, table, known)
    yield engine
    engine.dispose()


def fill(connection: Connection, table: str, known: dict[str, str]) -> None:
    """One row, whatever columns its table had then."""
    columns = connection.exec_driver_sql(f"PRAGMA table_info({table})").all()
    row = {column[1]: known.get(column[1], 0 if column[2] in ("BIGINT", "INTEGER", "BOOLEAN", "FLOAT") else "") for column in columns}
    names = ", ".join(row)
    connection.execute(text(f"INSERT INTO {table} ({names}) VALUES ({', '.join(f':{name}' for name in row)})"), row)


def stands(engine: Engine) -> tuple[str, list[str], int]:
    """The version, all tables, and how many reaches there are."""
    with engine.begin() as connection:
        version = connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one()
        tables = list(connection.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY name").scalars())
        return version, tables, connection.exec_driver_sql("SELECT COUNT(*) FROM reaches").scalar_one()


def upgraded(engine: Engine, dies_after: int = 0) -> bool:
    """Whether it went through. `dies_after`: so many statements that change something."""
    done = 0

    def count(_connection: Connection, _cursor: Any, statement: str, *_more: Any) -> None:
        nonlocal done
        if not statement.lstrip().upper().startswith(READS):
            done += 1
            if done == dies_after:
                raise Died

    event.listen(engine, "after_cursor_execute", count)
    try:
        with engine.begin() as connection:
            upgrade(connection)
    except Died:
        return False
    finally:
        event.remove(engine, "after_cursor_execute", count)
    return True


def test_R27_an_upgrade_that_dies_at_any_statement_has_changed_nothing(engine: Engine) -> None:
    before, statement = stands(engine), 1
    while not upgraded(engine, dies_after=statement):
        assert stands(engine) == before
        statement += 1
    assert statement > 20
    version, tables, reaches = stands(engine)
    assert (version, reaches) == (HEAD, 1)
    assert not [name for name in tables if name.startswith("_alembic")]
