"""Engine: asks the rows what is due, puts batches into the queue, each once, and does what it takes out of it.

Every process asks and every process takes, so whoever has hands free works; a batch whose process died is taken by another.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

import structlog

from hitchpost.jobs.stopping import Stopping, ended
from hitchpost.jobs.work import Work

if TYPE_CHECKING:
    from pgqueuer.core.qm import QueueManager
    from pgqueuer.domain.models import Job

    from hitchpost.jobs.queue import Connect, Queue

Beat = tuple[float, Callable[[], Awaitable[object]]]
HANDS = 32
"""Batches under way in one process: more than all networks together get, so that one that hangs leaves hands for the others."""
_LOOKS_AFTER = 30.0
"""Seconds without a sign of life after which a batch is somebody else's to do."""
_POLL = 5.0
_LAST_WORDS = 2.0
"""Seconds for the queue to be left in order, once nothing is in hand any more."""
_PAUSES = (1.0, 2.0, 5.0, 10.0, 30.0)


class Engine:
    """Runs in this process from `start` to `stop`. `connect`: to the database whose queue is shared; None for one in memory.

    `beats`: what this process does for itself, each every so many seconds, without the queue. `clears_every`: seconds between two
    clearings of PGQueuer's log.
    """

    def __init__(
        self, work: Sequence[Work], stopping: Stopping, connect: "Connect | None", *, beats: Sequence[Beat] = (), clears_every: float = 60.0
    ) -> None:
        self._beats = tuple(beats)
        self._work, self._stopping, self._connect, self._clears_every = tuple(work), stopping, connect, clears_every
        self._running: asyncio.Task[None] | None = None
        self._in_hand = set[asyncio.Task[object]]()
        self._lost = 0
        self._log = structlog.get_logger("hitchpost.jobs")

    def start(self) -> None:
        """Begin; the rows are asked at once, for what a stopped process left behind."""
        self._running = asyncio.create_task(self._kept_running(), name="engine")

    async def run_due(self) -> None:
        """Every batch that is due now, in order and without the queue; for tests and command lines."""
        for work in self._work:
            for batch in await work.due():
                await work.act(batch)

    async def stop(self, seconds: float | None = None) -> None:
        """Take nothing more, and wait so long (the rest of the grace) for what is in hand; what takes longer is given up and due again."""
        self._stopping.tell()
        if self._running is not None:
            await asyncio.wait([self._running], timeout=self._stopping.left() if seconds is None else seconds)
            for task in self._in_hand:
                task.cancel()
            await ended([self._running], _LAST_WORDS)

    async def _kept_running(self) -> None:
        """A queue that is lost is opened again: the rows know what stood in it."""
        # Late, here and below: PGQueuer takes a while to import, and command lines never start an engine.
        from hitchpost.jobs.queue import opened

        while not self._stopping.told:
            try:
                async with opened(self._connect) as queue:
                    await self._run(queue)
            except Exception as error:  # noqa: BLE001  (whatever befalls the queue, work goes on when it is back)
                pause = _PAUSES[min(self._lost, len(_PAUSES) - 1)]
                self._lost += 1
                self._log.warning("the queue was lost", error=_cause(error), again_in=pause)
                await self._stopping.within(pause)

    async def _run(self, queue: "Queue") -> None:
        """Until told to stop, or until any part fails: then all end together."""
        from pgqueuer.core.qm import QueueManager

        manager = QueueManager(queue, queue.qbe.settings.channel)
        for work in self._work:
            manager.entrypoint(work.name, accepts_context=False)(partial(self._do, work))
        async with asyncio.TaskGroup() as group:
            group.create_task(self._taken(manager))
            group.create_task(self._cleared(queue))
            for beat in self._beats:
                group.create_task(self._beaten(*beat))
            for work in self._work:
                group.create_task(self._asked(queue, work))
            await self._stopping.until_told()
            manager.shutdown.set()

    async def _taken(self, manager: "QueueManager") -> None:
        """Batches out of the queue, one at a time so that other processes get theirs, until told to stop; those in hand are finished."""
        await manager.run(
            batch_size=1, max_concurrent_tasks=HANDS, dequeue_timeout=timedelta(seconds=_POLL), shutdown_on_listener_failure=True,
            heartbeat_timeout=timedelta(seconds=_LOOKS_AFTER), log_aggregation_interval=timedelta(0),
        )  # fmt: skip

    async def _asked(self, queue: "Queue", work: Work) -> None:
        """Ask the rows on the beat, and put what is due into the queue unless it stands there already, or is in somebody's hands."""
        while not self._stopping.told:
            try:
                batches = list(await work.due())
            except Exception:  # noqa: BLE001  (one failed look must not end the beat)
                self._log.exception("what is due could not be read", work=work.name)
                batches = []
            if batches:
                await queue.enqueue(
                    [work.name] * len(batches), [batch.encode() for batch in batches], [0] * len(batches),
                    dedupe_key=[f"{work.name} {batch}" for batch in batches], on_conflict="skip",
                )  # fmt: skip
            self._lost = 0
            await self._stopping.within(work.seconds)

    async def _beaten(self, seconds: float, act: Callable[[], Awaitable[object]]) -> None:
        while not await self._stopping.within(seconds):
            try:
                await act()
            except Exception:  # noqa: BLE001  (it is done again on the next beat)
                self._log.exception("a beat failed")

    async def _cleared(self, queue: "Queue") -> None:
        """PGQueuer keeps a log of every job for ever; the rows and our own log say all that matters."""
        names = [work.name for work in self._work]
        while not await self._stopping.within(self._clears_every):
            await queue.clear_queue_log(names)

    async def _do(self, work: Work, job: "Job") -> None:
        task = asyncio.current_task()
        assert task is not None, "PGQueuer gives each job a task of its own"
        self._in_hand.add(task)
        task.add_done_callback(self._in_hand.discard)
        try:
            await work.act((job.payload or b"").decode())
        except Exception:  # noqa: BLE001  (PGQueuer would write its text into a table, and it may hold what no table may)
            self._log.exception("work failed", work=work.name)


def _cause(error: BaseException) -> str:
    """The name of the error inside a group of one."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return type(error).__name__
