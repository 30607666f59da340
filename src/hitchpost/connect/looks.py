"""Looks in the background: the callback answers at once, and the list is read behind a page that shows progress."""

import asyncio

import structlog

from hitchpost.connect.service import ConnectFlow
from hitchpost.jobs.stopping import ended

LOOKS_AT_ONCE = 8


class Looks:
    """Runs looks in the background of this process; the rows make it harmless to lose or repeat one."""

    def __init__(self, flow: ConnectFlow) -> None:
        self._flow = flow
        self._running: set[asyncio.Task[None]] = set()
        self._gate = asyncio.Semaphore(LOOKS_AT_ONCE)
        self._log = structlog.get_logger("hitchpost.connect")

    def begin(self, request_id: str) -> None:
        """Start the look of a request and return at once."""
        task = asyncio.create_task(self._look(request_id))
        self._running.add(task)
        task.add_done_callback(self._running.discard)

    async def _look(self, request_id: str) -> None:
        async with self._gate:
            try:
                await self._flow.look(request_id)
            except Exception:  # noqa: BLE001  (nobody awaits this task; the row falls due again)
                self._log.exception("look failed", request=request_id)

    async def stop(self, seconds: float) -> None:
        """Wait so long for the looks under way; those that take longer are given back to whoever comes next."""
        await ended(self._running, seconds)

    async def settled(self) -> None:
        """Wait until every look that was begun here has ended."""
        while self._running:
            await asyncio.gather(*self._running)
