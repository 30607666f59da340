"""A way to the networks on which calls wait until a trial lets them go: before the network hears of them, or with its answer in hand."""

import asyncio
import contextlib
from collections.abc import Callable

import httpx2


async def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds. Raises TimeoutError for what does not within a minute."""
    async with asyncio.timeout(60):
        while not holds():
            # Real time, and little of it: other programs' threads need to come on.
            await asyncio.sleep(0.002)


class Held(httpx2.AsyncBaseTransport):
    """`before(request)`: whether a call waits before it is sent; `after(request)`: whether its answer waits. Fair by default.

    `waiting`: how many wait now. `late(request)`: what comes in place of the network's own answer when a call is let go, if anything.
    """

    def __init__(self, beyond: httpx2.AsyncBaseTransport | None = None) -> None:
        self._beyond = beyond or httpx2.AsyncHTTPTransport()
        self.before: Callable[[httpx2.Request], bool] = lambda _request: False
        self.after: Callable[[httpx2.Request], bool] = lambda _request: False
        self.late: Callable[[httpx2.Request], httpx2.Response | None] = lambda _request: None
        self.waiting = 0
        self._gates: dict[str, asyncio.Event] = {}
        self.name: Callable[[httpx2.Request], str] = lambda _request: ""

    def let_go(self, name: str = "") -> None:
        """Let the calls of this name go on, those to come as well."""
        self._gates.setdefault(name, asyncio.Event()).set()

    def hold(self) -> None:
        """Those to come wait again."""
        self._gates.clear()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if self.before(request):
            await self._wait(request)
        if (instead := self.late(request)) is not None:
            return _streamed(instead, instead.content)
        answer = await self._beyond.handle_async_request(request)
        if not self.after(request):
            return answer
        body = await answer.aread()
        await self._wait(request)
        return _streamed(answer, body)

    async def _wait(self, request: httpx2.Request) -> None:
        gate = self._gates.setdefault(self.name(request), asyncio.Event())
        self.waiting += 1
        with contextlib.ExitStack() as left:
            left.callback(self._left)
            await gate.wait()

    def _left(self) -> None:
        self.waiting -= 1

    async def aclose(self) -> None:
        await self._beyond.aclose()


def _streamed(answer: httpx2.Response, body: bytes) -> httpx2.Response:
    return httpx2.Response(answer.status_code, headers=answer.headers, stream=httpx2.ByteStream(body))
