"""Ways to die with -9 at an exact step of a call or a transaction, passed in where the product takes its outside."""

import os
import signal
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx2

from hitchpost.db.engine import Database, PostgresDatabase, SqliteDatabase, Step, T, Tx

BEFORE_SEND, AFTER_ANSWER = "before_send", "after_answer"
BEFORE_BEGIN, BEFORE_COMMIT, AFTER_COMMIT = "before_begin", "before_commit", "after_commit"
POINTS = (BEFORE_SEND, AFTER_ANSWER, BEFORE_BEGIN, BEFORE_COMMIT, AFTER_COMMIT)


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


class DyingDatabase:
    """A database whose write transactions can be the last thing that a process does."""

    def __init__(self, inner: SqliteDatabase | PostgresDatabase, fate: Fate) -> None:
        self._inner, self._fate = inner, fate

    async def read(self, step: Step[T]) -> T:
        return await self._inner.read(step)

    async def begin(self, step: Step[T]) -> T:
        self._fate.reached(BEFORE_BEGIN)

        def watched(tx: Tx) -> T:
            result = step(tx)
            self._fate.reached(BEFORE_COMMIT)
            return result

        result = await self._inner.begin(watched)
        self._fate.reached(AFTER_COMMIT)
        return result

    async def close(self) -> None:
        await self._inner.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


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
