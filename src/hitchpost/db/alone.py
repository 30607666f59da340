"""One server for one SQLite database: it holds a lock beside the file, which the system takes back however the process ends.

Command lines work beside a running server and take no lock; neither does anybody on PostgreSQL.
"""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ServedAlready(Exception):
    """Another server works with this database; the message says which process, and what to do. Nothing was changed."""


@contextmanager
def alone(database: Path | None) -> Iterator[None]:
    """Hold the SQLite file `database` (None: it is not SQLite) as its only server. Raises ServedAlready."""
    if database is None:
        yield
        return
    # By its real name: two links to one file are one database.
    lock = database.resolve().with_name(f"{database.resolve().name}.lock")
    try:
        lock.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never removed: who opened it before would hold the lock of a file that nobody else finds.
        handle = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ServedAlready(f"{lock} cannot be written: {error.strerror}; the server holds it while it runs") from None
    try:
        _take(handle, lock, database)
        yield
    finally:
        os.close(handle)


def _take(handle: int, lock: Path, database: Path) -> None:
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        pid = os.read(handle, 32).decode(errors="replace").strip()
        raise ServedAlready(
            f"Another server{f' (process {pid})' if pid else ''} works with {database}: with SQLite run one process. Stop it first, "
            "or give this one a HITCHPOST_DATA_DIR of its own; for several on one database use PostgreSQL (docs/operating.md)"
        ) from None
    except OSError as error:
        raise ServedAlready(f"{lock} cannot be locked: {error.strerror}; an SQLite database needs a local disk") from None
    os.ftruncate(handle, 0)
    os.write(handle, f"{os.getpid()}\n".encode())
