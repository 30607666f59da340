"""The two programs of the demo, each a process of its own that is stopped by its pid and never left behind."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx2

from hitchpost.demo import ports, tied

START_DEADLINE = 30.0


class DemoFailed(Exception):
    """The demo cannot go on; the message says what broke and what to do."""


@dataclass(frozen=True, slots=True)
class Program:
    """A running program and where it answers."""

    name: str
    address: str
    process: subprocess.Popen[bytes]

    def json(self, path: str) -> Any:
        """What the program answers at `path`, as JSON."""
        return httpx2.get(self.address + path, trust_env=False, timeout=10.0).raise_for_status().json()


def free_port() -> int:
    """A loopback port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@contextmanager
def sandbox(port: int, *, keep: Path | None = None) -> Iterator[Program]:
    """The sandbox on `localhost`: another site than the server's 127.0.0.1, so that cookie rules bite as they do outside.

    `keep`: the file in which it remembers what happened, also after a kill.
    """
    kept = ["--keep", str(keep)] if keep else []
    with _running("the sandbox", ["hitchpost_sandbox", "--port", str(port), *kept], port, f"http://localhost:{port}",
                  "/_sandbox/health", os.environ) as program:  # fmt: skip
        yield program


@contextmanager
def server(environment: Mapping[str, str]) -> Iterator[Program]:
    """The server alone in its process, on a database that is migrated already."""
    port = int(environment["HITCHPOST_BIND"].rpartition(":")[2])
    with _running("Hitchpost", ["hitchpost.asgi"], port, environment["HITCHPOST_PUBLIC_URL"], "/health",
                  environment) as program:  # fmt: skip
        yield program


@contextmanager
def _running(name: str, command: Sequence[str], port: int, address: str, health: str, environment: Mapping[str, str]) -> Iterator[Program]:
    refuse_taken({name: port})
    # Unbuffered: what a program says stands in order with what the demo prints.
    # In a group of its own: Ctrl-C means the demo, which stops its programs in order and in whatever state of starting they are.
    # Tied to this process by its standard input: it ends as well when the demo is killed.
    process = subprocess.Popen(
        [sys.executable, "-P", tied.__file__, *command], stdin=subprocess.PIPE,
        env={"PYTHONUNBUFFERED": "1", **environment}, process_group=0,
    )  # fmt: skip
    try:
        _await_health(name, process, address + health)
        yield Program(name, address, process)
    finally:
        process.terminate()
        try:
            process.wait(tied.PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        if process.stdin is not None:
            process.stdin.close()


def refuse_taken(wanted: Mapping[str, int]) -> None:
    """Raises DemoFailed naming each port, by the program that wants it, that somebody listens on, and how it is freed."""
    taken = [f"{ports.said_of(port)}; {name} wants it" for name, port in wanted.items() if ports.is_taken(port)]
    if taken:
        raise DemoFailed("\n      ".join([*taken, "nothing was changed; try again when it is free"]))


def _await_health(name: str, process: subprocess.Popen[bytes], url: str) -> None:
    deadline = time.monotonic() + START_DEADLINE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise DemoFailed(f"{name} stopped at start with code {process.returncode}; the lines above say why")
        try:
            if httpx2.get(url, trust_env=False, timeout=2.0).status_code == 200:
                return
        except httpx2.HTTPError:
            pass
        time.sleep(0.05)
    raise DemoFailed(f"{name} did not answer at {url} within {START_DEADLINE:.0f} s")
