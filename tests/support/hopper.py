"""A second origin before the sandbox: browsers are sent on by a redirect, as networks do; the server's own calls are passed through."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx2


@dataclass(slots=True)
class Hopper:
    """`hopped`: the paths at which a browser was sent on.

    While `gate` is closed, server calls whose path holds `held` wait (`reached` says that one does); then they are passed on, or with
    `loses` never sent on at all.
    """

    address: str
    held: str = "/boards"
    loses: bool = False
    hopped: list[str] = field(default_factory=list)
    gate: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)


@contextmanager
def hopping(sandbox_url: str) -> Iterator[Hopper]:
    """A running hopper before this sandbox, its gate open."""
    client = httpx2.Client(trust_env=False, timeout=30.0)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.headers.get("Sec-Fetch-Mode") == "navigate":
                hopper.hopped.append(self.path.partition("?")[0])
                self._say(302, {"Location": sandbox_url + self.path}, b"")
            else:
                self._pass_on()

        def do_POST(self) -> None:
            self._pass_on()

        def _pass_on(self) -> None:
            if hopper.held in self.path and not hopper.gate.is_set():
                hopper.reached.set()
                hopper.gate.wait(20)
                if hopper.loses:
                    self.close_connection = True
                    return
            body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            kept = {name: value for name, value in self.headers.items() if name.lower() not in ("host", "connection", "accept-encoding")}
            answer = client.request(self.command, sandbox_url + self.path, headers=kept, content=body)
            dropped = ("content-length", "content-encoding", "transfer-encoding", "connection", "date", "server")
            self._say(answer.status_code, {name: value for name, value in answer.headers.items() if name not in dropped}, answer.content)

        def _say(self, status: int, headers: dict[str, str], body: bytes) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name is the base class's
            """Addresses hold states: nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hopper = Hopper(f"http://localhost:{server.server_address[1]}")
    hopper.gate.set()
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield hopper
    finally:
        hopper.gate.set()
        server.shutdown()
        thread.join()
        server.server_close()
        client.close()
