"""What an error says of the database itself: that it cannot be reached or used just now, which is the operator's to mend; pure."""

import sqlite3

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

_SQLITE = frozenset(
    (
        sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_CANTOPEN,
    )
)  # fmt: skip
"""https://sqlite.org/rescode.html: somebody else writes; the disk or its folder."""

_CLASSES = ("08", "28", "3D", "53", "57P", "58")
"""https://www.postgresql.org/docs/current/errcodes-appendix.html: connection, authorization, no such database, resources (disk, memory,
connections), shutting down or starting up, and its own system's errors."""


class ServerLost(ConnectionError):
    """The database's server cannot be reached, or was lost in the middle."""


def unavailable(error: BaseException) -> bool:
    """Whether this came from a database that cannot be reached or used just now; a fault of ours in a statement is none such."""
    if isinstance(error, PoolTimeout | ServerLost):
        return True
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        error = error.orig or error
    if isinstance(error, sqlite3.Error):
        # The low byte is the primary code.
        return getattr(error, "sqlite_errorcode", 0) & 0xFF in _SQLITE
    if isinstance(error, asyncpg.InterfaceError):
        return "closed" in str(error)
    return str(getattr(error, "sqlstate", None) or "").startswith(_CLASSES)
