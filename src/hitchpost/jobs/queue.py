"""The queue between the rows and the hands: PGQueuer's, in this process's memory or in PostgreSQL for all processes together.

What stands in it may be lost or repeated; its tables are not logged and hold names of work, never anything of a person's.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from pgqueuer.adapters.drivers.asyncpg import AsyncpgDriver
from pgqueuer.adapters.inmemory import InMemoryDriver, InMemoryQueries
from pgqueuer.adapters.persistence.qb import QueryBuilderEnvironment, QueryQueueBuilder, QuerySchedulerBuilder
from pgqueuer.adapters.persistence.queries import Queries
from pgqueuer.domain.settings import DBSettings, Durability
from pgqueuer.domain.types import Channel

Queue = Queries | InMemoryQueries
Connect = Callable[[], Awaitable[asyncpg.Connection]]
"""Opens a connection of its own for the queue, which listens on it."""

PREFIX = "queue_"
"""How all of the queue's own in PostgreSQL is called."""
# Every name is said here: PGQueuer would also read each from an environment variable as common as CHANNEL.
SETTINGS = DBSettings(
    prefix=PREFIX, db_schema=None, channel=Channel(f"{PREFIX}changed"), function=f"{PREFIX}notify", trigger=f"{PREFIX}notify",
    statistics_table=f"{PREFIX}statistics", queue_status_type=f"{PREFIX}status", queue_table=f"{PREFIX}waiting",
    queue_table_log=f"{PREFIX}log", schedules_table=f"{PREFIX}schedules", durability=Durability.volatile, widen_id=True,
)  # fmt: skip


def install_script() -> str:
    """The SQL that makes the queue's tables in PostgreSQL, several statements long."""
    return QueryBuilderEnvironment(SETTINGS).build_install_query()


def in_memory() -> InMemoryQueries:
    """A queue of this process alone."""
    return InMemoryQueries(
        InMemoryDriver(), QueryBuilderEnvironment(SETTINGS), QueryQueueBuilder(SETTINGS), QuerySchedulerBuilder(SETTINGS)
    )


def over(connection: asyncpg.Connection) -> Queries:
    """The queue in the connection's database, through this one connection: it also listens."""
    return Queries(
        AsyncpgDriver(connection), QueryBuilderEnvironment(SETTINGS), QueryQueueBuilder(SETTINGS), QuerySchedulerBuilder(SETTINGS)
    )


@asynccontextmanager
async def opened(connect: Connect | None) -> AsyncIterator[Queue]:
    """A queue: shared with whoever connects to the same database, or of this process alone. Raises what `connect` raises."""
    if connect is None:
        yield in_memory()
        return
    connection = await connect()
    try:
        yield over(connection)
    finally:
        await connection.close(timeout=5)
