"""The same rules on a real socket, in bytes that no HTTP client would send."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine

import pytest
import uvicorn

from tests.support.porch import Porch, porch_for

Call = Callable[[bytes], Coroutine[None, None, bytes]]


@pytest.fixture
async def wire() -> AsyncIterator[tuple[Porch, int, Call]]:
    """A server on a free port of this machine, and a way to say something to it and hear it out."""
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    porch = porch_for(f"http://127.0.0.1:{port}", body_seconds=0.1)
    server = uvicorn.Server(uvicorn.Config(porch.shell, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def call(said: bytes) -> bytes:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(said)
        heard = await asyncio.wait_for(reader.read(), 10)
        writer.close()
        await writer.wait_closed()
        return heard

    yield porch, port, call
    server.should_exit = True
    await serving


async def test_A13_an_absolute_target_does_not_speak_for_another_host(wire: tuple[Porch, int, Call]) -> None:
    _, port, call = wire
    ours = f"127.0.0.1:{port}"
    for target, host, expected in (
        (f"http://{ours}/leaving", "evil.example", b"421"),
        ("http://evil.example/leaving", "evil.example", b"421"),
        ("http://evil.example/leaving", ours, b"303"),
        ("/leaving", f"{ours}\r\nHost: evil.example", b"400"),
    ):
        heard = await call(f"GET {target} HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        head, _, _ = heard.partition(b"\r\n\r\n")
        assert head.split()[1] == expected, (target, host)
        assert b"evil" not in head
        assert expected != b"303" or b"location: /hello" in head.lower()


async def test_C11_a_body_without_end_and_one_that_stalls_are_cut_off(wire: tuple[Porch, int, Call]) -> None:
    porch, port, call = wire
    head = f"POST /api/_public/v1/call HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n".encode()
    chunk = b"1000\r\n" + b"x" * 0x1000 + b"\r\n"
    large = await call(head + b"Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk * 20 + b"0\r\n\r\n")
    assert large.startswith(b"HTTP/1.1 413 ")
    slow = await call(head + b"Content-Length: 10\r\n\r\n{")
    assert slow.startswith(b"HTTP/1.1 408 ")
    assert porch.done == []
