"""Ports on this machine: which are taken, by whom, and how they are had back."""

import socket
from collections.abc import Iterator
from pathlib import Path

_PROC = Path("/proc")
_LISTENS = "0A"


def is_taken(port: int) -> bool:
    """Whether somebody listens on it, on either loopback address."""
    for family, address in ((socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")):
        try:
            with socket.socket(family) as probe:
                if probe.connect_ex((address, port)) == 0:
                    return True
        except OSError:
            # A machine without IPv6.
            continue
    return False


def said_of(port: int) -> str:
    """Who holds a taken port and how it is freed, a sentence; the process is named where it is known and may be asked about."""
    if holder := holder_of(port):
        pid, command = holder
        return f"port {port} is taken by process {pid} ({command}); to stop it: kill {pid}"
    return f"port {port} is taken by a process that cannot be seen from here; stop what listens on it"


def holder_of(port: int) -> tuple[int, str] | None:
    """Pid and command of the process that listens on it (proc(5)); None where nobody does, or it is somebody else's."""
    sockets = {f"socket:[{inode}]" for inode in _listening(port)}
    for process in _PROC.glob("[0-9]*") if sockets else ():
        try:
            if any(str(file.readlink()) in sockets for file in (process / "fd").iterdir()):
                command = (process / "cmdline").read_bytes().decode(errors="replace").rstrip("\0").replace("\0", " ")
                return int(process.name), command[:120]
        except OSError:
            # Another person's process, or one that has ended meanwhile.
            continue
    return None


def _listening(port: int) -> Iterator[str]:
    """The inodes of the sockets that listen on it."""
    for table in ("tcp", "tcp6"):
        try:
            lines = (_PROC / "net" / table).read_text().splitlines()[1:]
        except OSError:
            continue
        for fields in (line.split() for line in lines):
            if fields[3] == _LISTENS and int(fields[1].rpartition(":")[2], 16) == port:
                yield fields[9]
