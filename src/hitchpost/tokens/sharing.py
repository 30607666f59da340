"""Sharing: in one process everybody who wants the same act for a grant waits for one attempt, and gets what comes of it."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

from hitchpost.clock import Clock
from hitchpost.jobs.stopping import ended

Act = Callable[[], Coroutine[Any, Any, None]]


class Shared:
    """`what`: the act's name, for its tasks."""

    def __init__(self, clock: Clock, what: str) -> None:
        self._clock, self._what = clock, what
        self._running: dict[str, asyncio.Task[None]] = {}

    async def attempt(self, grant_id: str, act: Act) -> None:
        """Join the attempt under way for this grant, or begin one. Raises what it raises."""
        running = self._running.get(grant_id)
        if running is None:
            running = asyncio.create_task(act(), name=f"{self._what} {grant_id}")
            self._running[grant_id] = running
            running.add_done_callback(lambda ended: self._forget(grant_id, ended))
        # shield: who stops waiting must not stop the call that others wait for.
        await asyncio.shield(running)

    def _forget(self, grant_id: str, ended: "asyncio.Task[None]") -> None:
        self._running.pop(grant_id, None)
        if not ended.cancelled():
            # Looked at here: everybody who waited may have gone away.
            ended.exception()

    async def settled(self, seconds: float | None = None) -> None:
        """When every attempt under way has been recorded; after so many seconds those that have not are given up."""
        until = None if seconds is None else self._clock.monotonic() + seconds
        while tasks := [*self._running.values()]:
            if until is None:
                await asyncio.gather(*tasks, return_exceptions=True)
            else:
                await ended(tasks, until - self._clock.monotonic())
