"""Ticker: calls each room's sweep on its beat. A sweep that fails is logged and tried on the next beat; the rows keep what is due."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import structlog

from hitchpost.jobs.stopping import GRACE, Stopping, ended

Sweep = Callable[[], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Beat:
    """One sweep and how often it is due, in seconds."""

    name: str
    seconds: float
    sweep: Sweep


class Ticker:
    """Beats in this process until stopped. Several processes may tick at once: every sweep claims its own rows."""

    def __init__(self, beats: Sequence[Beat], stopping: Stopping) -> None:
        self._beats, self._stopping = tuple(beats), stopping
        self._tasks: list[asyncio.Task[None]] = []
        self._log = structlog.get_logger("hitchpost.jobs")

    def start(self) -> None:
        """Begin; the first beat comes at once, for what a stopped process left behind."""
        self._tasks = [asyncio.create_task(self._beat(beat), name=f"beat {beat.name}") for beat in self._beats]

    async def run_due(self) -> None:
        """Every sweep once, in order; for tests and command lines."""
        for beat in self._beats:
            await beat.sweep()

    async def stop(self, seconds: float = GRACE) -> None:
        """Tell every sweep to stop, and wait so long for them to finish what they have in hand."""
        self._stopping.tell()
        await ended(self._tasks, seconds)
        self._tasks = []

    async def _beat(self, beat: Beat) -> None:
        while not self._stopping.told:
            try:
                await beat.sweep()
            except Exception:  # noqa: BLE001  (one failed sweep must not end the beat)
                self._log.exception("sweep failed", sweep=beat.name)
            await self._stopping.within(beat.seconds)
