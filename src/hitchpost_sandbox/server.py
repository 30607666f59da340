"""The sandbox as a server: uvicorn with one thing more, connections that close without an answer; in the foreground or in a thread."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hitchpost_sandbox.app import Sandbox
from hitchpost_sandbox.outgoing import is_loopback
from hitchpost_sandbox.playing import DROP

KEEPS_ALIVE = 75
"""Seconds that an idle connection stays open, as at the networks: closed sooner it would meet a client's next call on its way."""


class DroppingProtocol(HttpToolsProtocol):
    """HTTP/1.1 that offers the app, as an ASGI extension, to close the connection before a byte of the answer."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self.scope["extensions"] = {DROP: {"close": self.transport.abort}}


def server(app: ASGIApp, *, tells: bool = False) -> uvicorn.Server:
    """A server for the app; `run(sockets=…)` serves until it is told to stop. `tells`: it tells the app so, before the process ends."""
    # Access logs would show codes in query strings. What uvicorn has to warn of goes where its surroundings log; it changes nothing there.
    return uvicorn.Server(
        uvicorn.Config(
            app,
            http=DroppingProtocol,
            log_config=None,
            access_log=False,
            server_header=False,
            lifespan="on" if tells else "off",
            ws="none",
            timeout_keep_alive=KEEPS_ALIVE,
        )
    )


def listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets. The default answers to `localhost` too, which some machines resolve to ::1 first. Raises OSError."""
    first = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)
    sockets = [first]
    if host in ("127.0.0.1", "localhost"):
        # A machine without IPv6 resolves localhost to 127.0.0.1 alone.
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=512))
    return sockets


def address(host: str, sockets: list[socket.socket]) -> str:
    """How programs on this machine reach those sockets."""
    return f"http://{'localhost' if is_loopback(host) else host}:{sockets[0].getsockname()[1]}"


@contextlib.contextmanager
def in_thread(app: Sandbox, *, port: int = 0) -> Iterator[str]:
    """Serve on loopback in a thread of this process; gives the address. Stops when the block ends, answers under way are finished first."""
    sockets = listen("127.0.0.1", port)
    serving = server(app)
    thread = threading.Thread(target=serving.run, kwargs={"sockets": sockets}, name="sandbox", daemon=True)
    thread.start()
    try:
        yield address("127.0.0.1", sockets)
    finally:
        app.world.faults.clear()
        serving.should_exit = True
        thread.join(timeout=10)
        for one in sockets:
            one.close()
