"""Stopping: told once that this process is to end, everybody who works in batches finishes the one in hand and takes no other."""

import asyncio
import math
from collections.abc import Iterable
from contextlib import suppress
from typing import Any

from hitchpost.clock import Clock, SystemClock

GRACE = 25.0
"""Seconds from being told to stop until what is still under way is cancelled; a call to a network ends before (20 seconds)."""


class Stopping:
    """One for the process. However many parts stop after each other, they share one GRACE, from the moment that the first was told."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._told, self._clock = asyncio.Event(), clock or SystemClock()
        self._until = math.inf

    @property
    def told(self) -> bool:
        return self._told.is_set()

    def tell(self) -> None:
        if not self.told:
            self._until = self._clock.monotonic() + GRACE
        self._told.set()

    def left(self) -> float:
        """Seconds that what is under way still has, never less than none."""
        return max(self._until - self._clock.monotonic(), 0.0)

    async def until_told(self) -> None:
        """Wait for it."""
        await self._told.wait()

    async def within(self, seconds: float) -> bool:
        """Wait so long, or until told; whether it was told."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._told.wait(), seconds)
        return self.told


async def ended(tasks: Iterable["asyncio.Task[Any]"], seconds: float) -> None:
    """Wait so long for the tasks to end by themselves, then cancel those that have not."""
    waiting = set(tasks)
    if waiting:
        _, late = await asyncio.wait(waiting, timeout=max(seconds, 0.0))
        for task in late:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
