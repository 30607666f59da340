"""A process of our own that does one thing and can be told where to die: `python -m tests.faults.child`, orders as JSON on its first line.

Prints a line for each thing that it may tell its caller: what is printed is acknowledged.
"""

import asyncio
import json
import os
import sys
from datetime import datetime, timedelta
from typing import Any

from hitchpost.bootstrap import Services, build
from hitchpost.clock import SystemClock
from hitchpost.db.engine import open_database
from hitchpost.ids import digest
from hitchpost.networks.errors import Fault
from hitchpost.settings import read_settings
from hitchpost.web.log import set_up
from tests.faults.dying import DyingDatabase, DyingTransport, Fate


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


async def each(services: Services, grants: list[str]) -> None:
    """Fresh tokens for each grant, a few at a time."""
    gate = asyncio.Semaphore(8)

    async def one(grant_id: str) -> None:
        async with gate:
            try:
                got = await services.tokens.fresh(grant_id)
            except Fault as fault:
                say(grant=grant_id, fault=fault.code)
            else:
                say(grant=grant_id, version=got.version)

    await asyncio.gather(*(one(grant_id) for grant_id in grants))


async def main() -> None:
    orders = json.loads(sys.stdin.readline())
    fate = Fate(*orders.get("die", ("", 0)))
    configuration = read_settings({name: value for name, value in os.environ.items() if name.startswith("HITCHPOST_")})
    # All that it may say, and not a secret among it: the stage searches it in the end (E5).
    set_up("debug")
    database = DyingDatabase(open_database(configuration.settings.database, checkpoints=orders.get("checkpoints", True)), fate)
    clock = AheadClock(timedelta(seconds=orders["ahead"]))
    services = await build(configuration, clock=clock, database=database, networks=DyingTransport(fate))
    fate.armed = True
    say(ready=True)
    if orders.get("waits"):
        sys.stdin.readline()
    if orders["act"] == "fresh":
        await fresh(services, orders["grant"], orders["callers"])
    else:
        await each(services, orders["grants"])
    await services.close()


if __name__ == "__main__":
    asyncio.run(main())
