"""`make bench`: the connection-URL call against a bare FastAPI route; memory and start of server and sandbox. Prints; fails on nothing."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2

from hitchpost.demo import programs, world
from hitchpost.secret import Secret

ROUNDS, SECONDS = 5, 3.0
PATH = "/api/_public/v1/social-profiles/connection-url?workspaceId="


def _cpu(pid: int) -> float:
    """Seconds of processor time that the process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _rss(pid: int) -> float:
    """Resident memory in MB."""
    line = next(one for one in Path(f"/proc/{pid}/status").read_text().splitlines() if one.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


def _round(port: int, pid: int, path: str, key: str, seconds: float) -> tuple[float, float]:
    """Requests a second, and microseconds of the server's processor time for each."""
    before = _cpu(pid)
    done = subprocess.run(
        [sys.executable, "-m", "bench.load", str(port), path, key, str(seconds)], capture_output=True, text=True, check=True
    ).stdout.split()
    answered, refused = int(done[0]), int(done[1])
    if refused:
        print(f"  ({refused} of {answered} answers were no 200)")
    return answered / seconds, (_cpu(pid) - before) / answered * 1e6


@contextmanager
def _bare() -> Iterator[tuple[int, int]]:
    port = programs.free_port()
    command = [sys.executable, "-m", "uvicorn", "bench.bare:app", "--port", str(port), "--no-access-log", "--log-level", "warning"]
    process = subprocess.Popen(command)
    try:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline:
            try:
                httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)
                break
            except httpx2.HTTPError:
                time.sleep(0.05)
        yield port, process.pid
    finally:
        process.terminate()
        process.wait()


def _start_seconds(environment: dict[str, str]) -> float:
    """From starting the server's process to its first answer."""
    began = time.monotonic()
    with programs.server(environment):
        return time.monotonic() - began


def _sandbox() -> tuple[float, float, float]:
    """Seconds from starting the sandbox to its first answer; its memory then, and after a thousand calls."""
    began = time.monotonic()
    with programs.sandbox(programs.free_port()) as sandbox, httpx2.Client(base_url=sandbox.address, trust_env=False) as client:
        started, small = time.monotonic() - began, _rss(sandbox.process.pid)
        for _ in range(1000):
            client.get("/api.x.com/2/users/me")
        return started, small, _rss(sandbox.process.pid)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder, programs.sandbox(programs.free_port()) as sandbox:
        environment = world.environment(Path(folder), programs.free_port(), sandbox) | {"HITCHPOST_RATE_LIMIT": "1000000"}
        key = world.make(environment).reveal()
        starts = [_start_seconds(environment) for _ in range(3)]
        with programs.server(environment) as server, _bare() as (bare_port, bare_pid):
            port, pid = int(server.address.rpartition(":")[2]), server.process.pid
            path = PATH + world.workspace_of(server.address, Secret(key))
            ours: list[tuple[float, float]] = []
            bare: list[tuple[float, float]] = []
            for number in range(ROUNDS + 1):
                pair = _round(port, pid, path, key, SECONDS), _round(bare_port, bare_pid, path, key, SECONDS)
                if number:
                    ours.append(pair[0])
                    bare.append(pair[1])
            _report(ours, bare, _rss(pid), starts)
    alone = [_sandbox() for _ in range(3)]
    start, small, large = (statistics.median(one[at] for one in alone) for at in range(3))
    print(f"sandbox, first answer {start:8.2f} s   (asked: at most 1.50)")
    print(f"sandbox memory        {small:8.0f} MB  (asked: at most 80; {large:.0f} after a thousand calls)")


def _report(ours: list[tuple[float, float]], bare: list[tuple[float, float]], rss: float, starts: list[float]) -> None:
    ratios = [one[0] / other[0] for one, other in zip(ours, bare, strict=True)]
    rounds = ", ".join(f"{one:.2f}" for one in ratios)
    print(f"connection-URL call   {_speed(ours)}")
    print(f"bare FastAPI route    {_speed(bare)}")
    print(f"throughput ratio      {statistics.median(ratios):8.2f}   (asked: at least 0.90; rounds {rounds})")
    print(f"server memory         {rss:8.0f} MB  (asked: at most 120)")
    print(f"start to first answer {statistics.median(starts):8.2f} s   (asked: at most 1.50; {', '.join(f'{one:.2f}' for one in starts)})")


def _speed(rounds: list[tuple[float, float]]) -> str:
    requests, cost = (statistics.median(one[at] for one in rounds) for at in (0, 1))
    return f"{requests:8.0f} requests/s   {cost:5.0f} µs CPU each"


if __name__ == "__main__":
    main()
