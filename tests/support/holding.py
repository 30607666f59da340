"""An act whose call is held at its network while all else goes on."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

from hitchpost_sandbox.faults import Fault
from tests.faults.held import until
from tests.support.house import House

T = TypeVar("T")


@asynccontextmanager
async def holding(
    house: House, act: Coroutine[Any, Any, T], *, network: str, path: str = "", method: str = "", acts: bool = False
) -> AsyncIterator["asyncio.Task[T]"]:
    """Within the block the act's first such call waits; after it the act has ended. `acts`: only the answer waits."""
    script = house.world.faults.add(Fault("hold", network=network, path=path, method=method, acts=acts))
    task = asyncio.create_task(act)
    try:
        await until(lambda: script.holding == 1 or task.done())
        assert not task.done(), "it has ended without such a call"
        yield task
    finally:
        house.world.faults.remove(script.id)
        await task
