"""The real server as a process of ours that can be told where to die; forked from one that has imported everything: it starts at once.

Orders come over a pipe: `("die", point, nth)` and `("ahead", seconds)`, each answered when it is done.
"""

import asyncio
import multiprocessing
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from multiprocessing.connection import Connection
from multiprocessing.context import ForkServerProcess
from typing import Any

from hitchpost.asgi import listen, serve
from hitchpost.bootstrap import Services, build
from hitchpost.jobs.loop import new_loop
from hitchpost.settings import read_settings
from tests.faults.child import AheadClock
from tests.faults.dying import DyingTransport, Fate, dying_database


async def _live(environment: Mapping[str, str], ahead: float, line: Connection) -> None:
    fate, clock = Fate(), AheadClock(timedelta(seconds=ahead))
    configuration = read_settings(environment)
    sockets = listen("127.0.0.1:0")
    database = dying_database(configuration.settings.database, fate)
    services = await build(configuration, clock=clock, database=database, networks=DyingTransport(fate))
    obeying = asyncio.get_running_loop().create_task(_obey(line, fate, clock, services))
    line.send(sockets[0].getsockname()[1])
    await serve(services, sockets)
    obeying.cancel()


async def _obey(line: Connection, fate: Fate, clock: AheadClock, services: Services) -> None:
    told = asyncio.Event()
    asyncio.get_running_loop().add_reader(line.fileno(), told.set)
    while True:
        await told.wait()
        told.clear()
        while line.poll():
            order = line.recv()
            if order[0] == "die":
                fate.point, fate.nth, fate.armed = order[1], order[2], True
            else:
                clock.ahead = timedelta(seconds=order[1])
                await services.engine.run_due()
            line.send(order[0])


def _process(environment: Mapping[str, str], ahead: float, line: Connection) -> None:
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        runner.run(_live(environment, ahead, line))


@dataclass(slots=True)
class Server:
    """A server that listens at `port` on loopback."""

    process: ForkServerProcess
    line: Connection
    port: int

    @classmethod
    async def started(cls, environment: Mapping[str, str], ahead: timedelta) -> "Server":
        """One that answers; connections wait until it does."""
        nursery = multiprocessing.get_context("forkserver")
        nursery.set_forkserver_preload(["tests.faults.server"])
        ours, its = nursery.Pipe()
        process = nursery.Process(target=_process, args=(dict(environment), ahead.total_seconds(), its), daemon=True)
        await asyncio.to_thread(process.start)
        its.close()
        await _readable(ours.fileno())
        return cls(process, ours, ours.recv())

    async def told(self, *order: Any) -> None:
        """Give an order and wait until it is done, or until the server is dead."""
        with suppress(EOFError, OSError):
            self.line.send(order)
            await _readable(self.line.fileno())
            self.line.recv()

    async def ended(self) -> int:
        """Wait for its end; its exit code, -9: killed."""
        await _readable(self.process.sentinel)
        self.process.join()
        assert self.process.exitcode is not None
        return self.process.exitcode


async def _readable(descriptor: int) -> None:
    """No thread waits: one that does would outlive a test that fails."""
    loop, came = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(descriptor, came.set)
    try:
        await came.wait()
    finally:
        loop.remove_reader(descriptor)
