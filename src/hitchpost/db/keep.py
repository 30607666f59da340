"""`insert_or_keep`: of several who insert the same row at once one is first, and nobody fails."""

from collections.abc import Mapping

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql, sqlite

from hitchpost.db.engine import Tx


def insert_or_keep(tx: Tx, table: Table, row: Mapping[str, object]) -> bool:
    """Insert `row` unless a unique key of it is taken; whether it was inserted.

    On PostgreSQL this waits for whoever inserts the same row just now.
    """
    statement = postgresql.insert(table) if tx.dialect.name == "postgresql" else sqlite.insert(table)
    return tx.execute(statement.values(dict(row)).on_conflict_do_nothing()).rowcount == 1
