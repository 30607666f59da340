"""`python -m hitchpost_sandbox`: serves the simulated networks on loopback until it is stopped."""

import argparse
import contextlib
import ipaddress
import json
import socket
import sys
from pathlib import Path

import uvicorn

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.control import Misread, app_from
from hitchpost_sandbox.world import World


def main(argv: list[str] | None = None) -> int:
    """Serve. Returns 2 with one sentence on stderr for arguments that cannot be followed."""
    parser = argparse.ArgumentParser(prog="python -m hitchpost_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback, 127.0.0.1 and ::1)")
    parser.add_argument("--port", type=int, default=8421, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--apps", type=Path, metavar="FILE.json", help="a JSON list of apps to know besides the well-known ones")
    parser.add_argument("--also", action="append", default=[], metavar="MODULE", help="a module with one more twin")
    parser.add_argument("--anywhere", action="store_true", help="allow an address that other machines can reach")
    chosen = parser.parse_args(argv)
    if not chosen.anywhere and not _is_loopback(chosen.host):
        return _refuse(f"{chosen.host} can be reached from other machines; say --anywhere if that is meant")
    world = World()
    try:
        for app in _apps_in(chosen.apps) if chosen.apps else []:
            world.register(app_from(app))
    except (OSError, ValueError, Misread) as error:
        return _refuse(f"{chosen.apps}: {error}")
    try:
        also = [networks.named(module) for module in chosen.also]
    except (ImportError, AttributeError) as error:
        return _refuse(str(error))
    app = build(world, (*networks.found(), *also))
    try:
        sockets = _listen(chosen.host, chosen.port)
    except OSError as error:
        return _refuse(f"cannot listen on {chosen.host}:{chosen.port}: {error.strerror}")
    port = sockets[0].getsockname()[1]
    name = "localhost" if _is_loopback(chosen.host) else chosen.host
    # Access logs would show codes in query strings.
    config = uvicorn.Config(app, log_level="warning", access_log=False, server_header=False, lifespan="off", ws="none")
    # Ctrl-C is the usual end: uvicorn raises it once more when everything is closed.
    with contextlib.suppress(KeyboardInterrupt):
        print(f"sandbox: http://{name}:{port}", flush=True)
        uvicorn.Server(config).run(sockets=sockets)
    return 0


def _apps_in(path: Path) -> list[object]:
    apps = json.loads(path.read_text())
    if not isinstance(apps, list):
        raise Misread("a JSON list is wanted")
    return apps


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _listen(host: str, port: int) -> list[socket.socket]:
    """Listening sockets. The default answers to `localhost` too, which some machines resolve to ::1 first. Raises OSError."""
    first = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET, backlog=512)
    sockets = [first]
    if host in ("127.0.0.1", "localhost"):
        # A machine without IPv6 resolves localhost to 127.0.0.1 alone.
        with contextlib.suppress(OSError):
            sockets.append(socket.create_server(("::1", first.getsockname()[1]), family=socket.AF_INET6, backlog=512))
    return sockets


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"sandbox: {sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
