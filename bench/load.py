"""A small load generator: keep-alive connections that each send the same request again as soon as its answer is whole."""

import asyncio
import sys
import time
from typing import cast

HEAD_END = b"\r\n\r\n"


class _Caller(asyncio.Protocol):
    def __init__(self, request: bytes, until: float) -> None:
        self._request, self._until = request, until
        self._buffer = b""
        self.done, self.refused = 0, 0
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        # uvloop's transports are not asyncio's by class, only by method.
        self._transport = cast(asyncio.Transport, transport)
        self._transport.write(self._request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(HEAD_END)
        if not found:
            return
        at = head.lower().index(b"content-length:") + 15
        length = int(head[at:].split(b"\r\n", 1)[0])
        if len(body) < length:
            return
        self._buffer = b""
        self.done += 1
        self.refused += not head.startswith(b"HTTP/1.1 200")
        if time.monotonic() < self._until:
            self._transport.write(self._request)
        else:
            self._transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.closed.done():
            self.closed.set_result(None)


async def load(port: int, path: str, key: str, seconds: float, connections: int = 16) -> tuple[int, int]:
    """Whole answers within `seconds`, and how many of them were no 200."""
    body = b'{"provider": "instagram"}'
    lines = [
        f"POST {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", f"X-API-Key: {key}", "Content-Type: application/json",
        f"Content-Length: {len(body)}", "", "",
    ]  # fmt: skip
    request = "\r\n".join(lines).encode() + body
    until = time.monotonic() + seconds
    loop = asyncio.get_running_loop()
    callers = []
    for _ in range(connections):
        _, caller = await loop.create_connection(lambda: _Caller(request, until), "127.0.0.1", port)
        callers.append(caller)
    async with asyncio.timeout(seconds + 10):
        await asyncio.gather(*(caller.closed for caller in callers))
    return sum(caller.done for caller in callers), sum(caller.refused for caller in callers)


if __name__ == "__main__":
    import uvloop

    done, refused = uvloop.run(load(int(sys.argv[1]), sys.argv[2], sys.argv[3], float(sys.argv[4])))
    print(done, refused)
