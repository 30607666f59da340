"""A process of our own that does one thing and can be told where to die: `python -m tests.faults.child`, orders as JSON on its first line.

Prints a line for each thing that it may tell its caller: what is printed is acknowledged.
"""

import asyncio
import json
import os
import resource
import sys
from datetime import datetime, timedelta
from typing import Any

import httpx2

from hitchpost.bootstrap import Services, build
from hitchpost.clock import SystemClock
from hitchpost.ids import digest
from hitchpost.networks.errors import Fault
from hitchpost.settings import read_settings
from hitchpost.web.log import set_up
from tests.faults.dying import DyingTransport, Fate, dying_database


class AheadClock(SystemClock):
    """The system's clock, so much ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return super().now() + self.ahead


def say(**facts: Any) -> None:
    print(json.dumps(facts), flush=True)


async def fresh(services: Services, grant_id: str, callers: int) -> None:
    """So many callers ask for the same grant's tokens at once; what they got, without saying it."""
    answers = await asyncio.gather(*(services.tokens.fresh(grant_id) for _ in range(callers)), return_exceptions=True)
    got = {(one.version, digest(one.tokens.access.reveal())) for one in answers if not isinstance(one, BaseException)}
    say(got=sorted(got), faults=sorted({one.code for one in answers if isinstance(one, Fault)}))
    for one in answers:
        if isinstance(one, BaseException) and not isinstance(one, Fault):
            raise one


async def each(services: Services, grants: list[str], at_once: int = 8) -> None:
    """Fresh tokens for each grant, a few at a time."""
    gate = asyncio.Semaphore(at_once)

    async def one(grant_id: str) -> None:
        async with gate:
            try:
                got = await services.tokens.fresh(grant_id)
            except Fault as fault:
                say(grant=grant_id, fault=fault.code)
            else:
                say(grant=grant_id, version=got.version)

    await asyncio.gather(*(one(grant_id) for grant_id in grants))


class BrokenDisk(DyingTransport):
    """When every call is on its way the disk breaks: the system refuses this process every byte that makes a file longer than one."""

    def __init__(self, calls: int) -> None:
        super().__init__(Fate())
        self._calls, self._all = calls, asyncio.Event()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self._calls -= 1
        if self._calls == 0:
            _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (1, most))
            self._all.set()
        await self._all.wait()
        return await super().handle_async_request(request)

    async def mended_when_told(self, refused: asyncio.Event) -> None:
        """Say that it is broken, once it has refused something; whole again when the caller says so."""
        await self._all.wait()
        await refused.wait()
        say(broken=True)
        await asyncio.to_thread(sys.stdin.readline)
        _, most = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))


async def main() -> None:
    orders = json.loads(sys.stdin.readline())
    fate = Fate(*orders.get("die", ("", 0)))
    configuration = read_settings({name: value for name, value in os.environ.items() if name.startswith("HITCHPOST_")})
    # All that it may say, and not a secret among it: the stage searches it in the end (E5).
    set_up("debug")
    database = dying_database(configuration.settings.database, fate, checkpoints=orders.get("checkpoints", True))
    clock = AheadClock(timedelta(seconds=orders["ahead"]))
    broken = BrokenDisk(len(orders["grants"])) if orders.get("breaks") else None
    services = await build(configuration, clock=clock, database=database, networks=broken or DyingTransport(fate))
    fate.armed = True
    say(ready=True)
    if orders.get("waits"):
        sys.stdin.readline()
    if orders["act"] == "fresh":
        await fresh(services, orders["grant"], orders["callers"])
    else:
        mending = asyncio.create_task(broken.mended_when_told(database.refused)) if broken else None
        await each(services, orders["grants"], orders.get("at_once", 8))
        if mending is not None:
            await mending
    await services.close()


if __name__ == "__main__":
    asyncio.run(main())
