"""A private PostgreSQL cluster for the tests that need one: loopback only, thrown away at the end, stopped by its pid."""

import os
import pwd
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import asyncpg


def binaries() -> Path:
    """Where `initdb` and `postgres` are. Raises RuntimeError that says what to install."""
    on_path = shutil.which("initdb")
    found = [Path(on_path)] if on_path else sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)
    if not found:
        raise RuntimeError("these tests need PostgreSQL's server; install it first (Debian: apt-get install postgresql)")
    return found[0].resolve().parent


def _unprivileged() -> pwd.struct_passwd | None:
    """PostgreSQL refuses to run as root; whom to run it as then."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        try:
            return pwd.getpwnam(name)
        except KeyError:
            continue
    raise RuntimeError("PostgreSQL does not run as root, and there is no user postgres or nobody to run it as")


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster; the address without a database's name."""
    user, folder = _unprivileged(), binaries()
    with TemporaryDirectory(prefix="hitchpost-pg-") as root, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        if user:
            os.chown(root, user.pw_uid, user.pw_gid)
        data = f"{root}/data"

        def start(command: Sequence[str]) -> subprocess.Popen[bytes]:
            who = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
            return subprocess.Popen(command, cwd=root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who)  # type: ignore[call-overload,no-any-return]

        made = start([str(folder / "initdb"), "-D", data, "-U", "tests", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"])
        if made.wait() != 0:
            raise RuntimeError("initdb failed")
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200"]
        server = start([str(folder / "postgres"), "-D", data, "-p", str(port), *options])
        try:
            _await_ready(Path(data), server)
            yield f"postgresql://tests@127.0.0.1:{port}"
        finally:
            server.terminate()
            server.wait()


def _await_ready(data: Path, server: subprocess.Popen[bytes]) -> None:
    """The server writes its state into the last line of its pid file; an open port alone may still say "starting up"."""
    pid_file = data / "postmaster.pid"
    for _ in range(600):
        if server.poll() is not None:
            raise RuntimeError("PostgreSQL did not start")
        if pid_file.exists() and pid_file.read_text().rstrip().endswith("ready"):
            return
        time.sleep(0.05)
    raise RuntimeError("PostgreSQL did not become ready in 30 s")


async def new_database(address: str, name: str) -> str:
    """A fresh database in the cluster; its address."""
    connection = await asyncpg.connect(f"{address}/postgres")
    try:
        await connection.execute(f'CREATE DATABASE "{name}"')
    finally:
        await connection.close()
    return f"{address}/{name}"
