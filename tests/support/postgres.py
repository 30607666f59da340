"""A private PostgreSQL cluster for the tests that need one: loopback only, thrown away at the end, stopped by its pid."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
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


class Cluster:
    """A cluster of one's own, which may be lost and come back; `address` is without a database's name."""

    def __init__(self, root: str, port: int) -> None:
        self.address = f"postgresql://tests@127.0.0.1:{port}"
        self._root, self._port, self._folder, self._user = root, port, binaries(), _unprivileged()
        self._server: subprocess.Popen[bytes] | None = None
        if self._user:
            os.chown(root, self._user.pw_uid, self._user.pw_gid)
        options = ["-U", "tests", "--auth=trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        if self._run("initdb", "-D", f"{root}/data", *options).wait() != 0:
            raise RuntimeError("initdb failed")

    def start(self) -> None:
        """Start the server and wait until it takes connections. Raises RuntimeError."""
        options = ["-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories=", "-c", "fsync=off", "-c", "max_connections=200"]
        self._server = self._run("postgres", "-D", f"{self._root}/data", "-p", str(self._port), *options)
        _await_ready(Path(self._root, "data"), self._server)

    def lose(self) -> None:
        """Stop at once, without a word to anybody, as `pg_ctl stop -m immediate` does; what was committed is there after the next start."""
        self._stop(signal.SIGQUIT)

    def stop(self) -> None:
        """Stop; the connections that there are end."""
        self._stop(signal.SIGINT)

    def _stop(self, how: signal.Signals) -> None:
        if self._server is not None:
            self._server.send_signal(how)
            self._server.wait()
            self._server = None

    def _run(self, program: str, *words: str) -> "subprocess.Popen[bytes]":
        who = {"user": self._user.pw_uid, "group": self._user.pw_gid, "extra_groups": []} if self._user else {}
        command = [str(self._folder / program), *words]
        started: subprocess.Popen[bytes] = subprocess.Popen(
            command, cwd=self._root, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **who
        )  # type: ignore[call-overload]
        return started


@contextmanager
def own_cluster() -> Iterator[Cluster]:
    """A running cluster that the caller may lose and start again."""
    with TemporaryDirectory(prefix="hitchpost-pg-") as root, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        made = Cluster(root, port)
        try:
            made.start()
            yield made
        finally:
            made.stop()


@contextmanager
def cluster() -> Iterator[str]:
    """A running cluster; the address without a database's name."""
    with own_cluster() as made:
        yield made.address


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
