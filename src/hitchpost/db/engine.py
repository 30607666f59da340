"""Database: runs synchronous functions over a connection, in a read or in one short write transaction.

SQLite: reads run inline (a thread hop costs forty times the query), writes on one writer thread with BEGIN IMMEDIATE.
PostgreSQL: both through asyncpg. A function given to `begin` may run once only and must not touch the network (law 1).
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any, Protocol, TypeVar

import asyncpg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import QueuePool

from hitchpost.db.trouble import ServerLost

T = TypeVar("T")
Tx = Connection
Step = Callable[[Tx], T]


class Database(Protocol):
    """What rooms know of the database."""

    async def read(self, step: Step[T]) -> T:
        """Run `step` in a read transaction; what it writes is refused or lost."""
        ...

    async def begin(self, step: Step[T]) -> T:
        """Run `step` in a write transaction and commit it; any exception rolls it back and is raised here."""
        ...

    async def close(self) -> None: ...


class SqliteDatabase:
    """SQLite in WAL mode, `synchronous=FULL`; only the server (`checkpoints=True`) moves the log into the database."""

    def __init__(self, url: str, *, checkpoints: bool = True) -> None:
        target = make_url(url)
        if not target.database:
            raise ValueError("an SQLite database needs a file: sqlite:///path")
        Path(target.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._writer = _sqlite_engine(url, "BEGIN IMMEDIATE", checkpoints=checkpoints, readonly=False, size=1)
        self._reader = _sqlite_engine(url, "BEGIN", checkpoints=False, readonly=True, size=4)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="database-writer")

    async def read(self, step: Step[T]) -> T:
        return self.read_now(step)

    def read_now(self, step: Step[T]) -> T:
        """`read` without a loop, for command lines and start-up."""
        with self._reader.connect() as tx, tx.begin():
            return step(tx)

    async def begin(self, step: Step[T]) -> T:
        # shield: a caller who goes away must not leave the writer thread's outcome unobserved.
        return await asyncio.shield(asyncio.get_running_loop().run_in_executor(self._thread, self.begin_now, step))

    def begin_now(self, step: Step[T]) -> T:
        """`begin` without a loop. The immediate lock makes concurrent writers wait for each other."""
        with self._writer.connect() as tx, tx.begin():
            return step(tx)

    async def close(self) -> None:
        self._thread.shutdown(wait=True)
        self._reader.dispose()
        self._writer.dispose()


def _sqlite_engine(url: str, begin: str, *, checkpoints: bool, readonly: bool, size: int) -> Engine:
    engine = create_engine(
        url,
        hide_parameters=True,
        poolclass=QueuePool,
        pool_size=size,
        max_overflow=0,
        connect_args={"check_same_thread": False, "timeout": 15},
    )
    begin_by_hand(engine, begin)
    first = threading.Lock()

    @event.listens_for(engine, "connect")
    def _prepare(connection: Any, _record: Any) -> None:
        cursor = connection.cursor()
        with first:
            cursor.execute("PRAGMA busy_timeout=15000")
            cursor.execute("PRAGMA journal_mode=WAL")
        cursor.execute("PRAGMA foreign_keys=ON")
        cursor.execute("PRAGMA synchronous=FULL")
        # One checkpointer: several were the trigger of SQLite's WAL-reset corruption (3.7.0 to 3.51.2).
        cursor.execute(f"PRAGMA wal_autocheckpoint={1000 if checkpoints else 0}")
        if readonly:
            cursor.execute("PRAGMA query_only=ON")
        cursor.close()

    return engine


def begin_by_hand(engine: Engine, begin: str) -> None:
    """Let an SQLite engine's transactions begin with this statement: Python's module would not begin one before a change of tables."""

    @event.listens_for(engine, "connect")
    def _by_hand(connection: Any, _record: Any) -> None:
        connection.isolation_level = None

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(begin)


class PostgresDatabase:
    """PostgreSQL through asyncpg: for more than one process."""

    def __init__(self, url: str, *, pool_size: int = 10) -> None:
        self._engine: AsyncEngine = create_async_engine(
            make_url(url).set(drivername="postgresql+asyncpg"),
            pool_size=pool_size,
            max_overflow=0,
            pool_timeout=15,
            pool_pre_ping=True,
            hide_parameters=True,
        )

    async def read(self, step: Step[T]) -> T:
        # All of a step's queries see one moment, as on SQLite: rows that belong together never come from two.
        async with self._connected() as connection:
            await connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            return await connection.run_sync(step)

    async def begin(self, step: Step[T]) -> T:
        async with self._connected() as connection, connection.begin():
            return await connection.run_sync(step)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[AsyncConnection]:
        """A connection from the pool. asyncpg lets the socket's own errors out as they are; a step's other errors stay what they are."""
        async with AsyncExitStack() as stack:
            try:
                connection = await stack.enter_async_context(self._engine.connect())
            except OSError as error:
                raise ServerLost("the database server") from error
            try:
                yield connection
            except ConnectionError as error:
                # No step meets a socket of its own (law 1).
                raise ServerLost("the database server") from error

    async def connect(self) -> asyncpg.Connection:
        """A connection of its own beside the pool, for who listens on it; the address is understood as for all others."""
        _, options = self._engine.dialect.create_connect_args(self._engine.url)
        own = {name: value for name, value in options.items() if not name.startswith(("prepared_statement_", "async_"))}
        return await asyncpg.connect(**own, timeout=15)

    async def close(self) -> None:
        await self._engine.dispose()


def open_database(url: str, *, checkpoints: bool = True) -> SqliteDatabase | PostgresDatabase:
    """The database at `url` (`sqlite:///path` or `postgresql://…`). `checkpoints`: this process is the server."""
    if url.startswith("sqlite:"):
        return SqliteDatabase(url, checkpoints=checkpoints)
    return PostgresDatabase(url)
