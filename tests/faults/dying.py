"""Ways to die with -9 at an exact step of a call or a transaction, passed in where the product takes its outside."""

import asyncio
import os
import re
import signal
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NoReturn

import httpx2
from sqlalchemy import event
from sqlalchemy.exc import DBAPIError

from hitchpost.db.engine import Database, PostgresDatabase, SqliteDatabase, Step, T, Tx

BEFORE_SEND, AFTER_ANSWER = "before_send", "after_answer"
BEFORE_BEGIN, BEFORE_COMMIT, AFTER_COMMIT = "before_begin", "before_commit", "after_commit"
POINTS = (BEFORE_SEND, AFTER_ANSWER, BEFORE_BEGIN, BEFORE_COMMIT, AFTER_COMMIT)
_WRITE = re.compile(r"\s*(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")


def wrote(table: str) -> str:
    """The point between two statements of a transaction: one has just written to this table."""
    return f"wrote {table}"


def die() -> NoReturn:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError("kill -9 does not return")


@dataclass(slots=True)
class Fate:
    """Dies when the `nth` step of this kind is reached; 0: never. Armed late, so that starting up does not count."""

    point: str = ""
    nth: int = 0
    armed: bool = False

    def reached(self, point: str) -> None:
        if self.armed and self.nth and point == self.point:
            self.nth -= 1
            if self.nth == 0:
                die()


class DyingTransport(httpx2.AsyncHTTPTransport):
    """The way to the networks; the answer is read whole before the second point counts as reached."""

    def __init__(self, fate: Fate) -> None:
        super().__init__()
        self._fate = fate

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._fate.reached(BEFORE_SEND)
        answer = await super().handle_async_request(request)
        body = await answer.aread()
        self._fate.reached(AFTER_ANSWER)
        return httpx2.Response(answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(body))


if TYPE_CHECKING:
    _Base = SqliteDatabase
else:
    _Base = object


class _Dying(_Base):
    """A database whose write transactions can be the last thing that a process does. `refused`: it has refused one."""

    fate: Fate
    refused: asyncio.Event

    async def begin(self, step: Step[T]) -> T:
        self.fate.reached(BEFORE_BEGIN)

        def watched(tx: Tx) -> T:
            event.listen(tx, "after_cursor_execute", _heard(self.fate))
            result = step(tx)
            self.fate.reached(BEFORE_COMMIT)
            return result

        try:
            result = await super().begin(watched)
        except DBAPIError:
            self.refused.set()
            raise
        self.fate.reached(AFTER_COMMIT)
        return result


def _heard(fate: Fate) -> Callable[..., None]:
    def heard(_tx: Tx, cursor: Any, statement: str, *_more: Any) -> None:
        if (written := _WRITE.match(statement)) is None:
            return
        try:
            fate.reached(wrote(written[1]))
        except BaseException:
            # Who dies in one process with the others: rows that it has not fetched yet would keep its transaction open.
            cursor.close()
            raise

    return heard


class _DyingSqlite(_Dying, SqliteDatabase):
    """SQLite that dies; a subclass, because the product asks which of the two databases it has."""


class _DyingPostgres(_Dying, PostgresDatabase):
    """PostgreSQL that dies."""


def dying_database(url: str, fate: Fate, *, checkpoints: bool = True) -> "_DyingSqlite | _DyingPostgres":
    """The database at `url`, as `open_database` opens it, with this fate."""
    made: _DyingSqlite | _DyingPostgres
    made = _DyingSqlite(url, checkpoints=checkpoints) if url.startswith("sqlite:") else _DyingPostgres(url)
    made.fate, made.refused = fate, asyncio.Event()
    return made


class WatchedDatabase:
    """A database that knows how many transactions are open."""

    def __init__(self, inner: Database) -> None:
        self._inner = inner
        self.open = 0

    async def read(self, step: Step[T]) -> T:
        return await self._counted(self._inner.read(step))

    async def begin(self, step: Step[T]) -> T:
        return await self._counted(self._inner.begin(step))

    async def _counted(self, transaction: Awaitable[T]) -> T:
        self.open += 1
        try:
            return await transaction
        finally:
            self.open -= 1

    async def close(self) -> None:
        await self._inner.close()
