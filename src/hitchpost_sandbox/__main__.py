"""`python -m hitchpost_sandbox`: serves the simulated networks on loopback until it is stopped."""

import argparse
import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.checking import checked_app
from hitchpost_sandbox.keeping import CannotKeep, Kept
from hitchpost_sandbox.outgoing import Outgoing, is_loopback
from hitchpost_sandbox.reading import Misread, read, why
from hitchpost_sandbox.server import address, listen, server
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.worldfile import WorldFile, read_file, world_of


def main(argv: list[str] | None = None) -> int:
    """Serve. Returns 2 with one sentence on stderr for arguments that cannot be followed."""
    parser = argparse.ArgumentParser(prog="python -m hitchpost_sandbox", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default: loopback, 127.0.0.1 and ::1)")
    parser.add_argument("--port", type=int, default=8421, help="0 picks a free one (default: %(default)s)")
    parser.add_argument("--world", type=Path, metavar="FILE.toml", help="people, apps and faults to begin with")
    parser.add_argument("--apps", type=Path, metavar="FILE.json", help="a JSON list of apps to know besides the well-known ones")
    parser.add_argument("--keep", type=Path, metavar="FILE", help="keep everything in this file and go on from it (default: forget)")
    parser.add_argument("--seed", type=int, help="of fault scripts' dice and of the crowd; goes before the file's")
    parser.add_argument("--also", action="append", default=[], metavar="MODULE", help="a module with one more twin")
    parser.add_argument("--anywhere", action="store_true", help="allow an address that other machines can reach, and calls to such")
    chosen = parser.parse_args(argv)
    if not chosen.anywhere and not is_loopback(chosen.host):
        return _refuse(f"{chosen.host} can be reached from other machines; say --anywhere if that is meant")
    try:
        twins = (*networks.found(), *(networks.named(module) for module in chosen.also))
    except (ImportError, AttributeError) as error:
        return _refuse(str(error))
    reading = chosen.apps
    try:
        apps = _apps_in(chosen.apps, twins) if chosen.apps else ()
        reading = chosen.world
        file = read_file(chosen.world) if chosen.world else WorldFile()
        file = replace(file, apps=(*file.apps, *apps), seed=file.seed if chosen.seed is None else chosen.seed)
        world = world_of(file, twins, outgoing=Outgoing(anywhere=chosen.anywhere))
    except (OSError, ValueError, Misread) as error:
        return _refuse(f"{reading}: {why(error)}")
    app = build(world, twins)
    try:
        sockets = listen(chosen.host, chosen.port)
    except (OSError, OverflowError) as error:
        reason = "there is no such port" if isinstance(error, OverflowError) else why(error)
        return _refuse(f"cannot listen on {chosen.host}:{chosen.port}: {reason}")
    try:
        # After listening: a second start on a taken port must not touch the file of the first.
        serving = server(Kept(app, world, chosen.keep, twins), tells=True) if chosen.keep else server(app)
    except CannotKeep as error:
        return _refuse(str(error))
    # Ctrl-C is the usual end: uvicorn raises it once more when everything is closed.
    with contextlib.suppress(KeyboardInterrupt):
        at = address(chosen.host, sockets)
        print(f"sandbox: {at}", flush=True)
        print(f"  panel: {at}/\n  Hitchpost: HITCHPOST_NETWORKS_AT={at} HITCHPOST_NETWORKS_AT_INSECURE=true", flush=True)
        serving.run(sockets=sockets)
    return 0


def _apps_in(path: Path, twins: Sequence[Twin]) -> tuple[App, ...]:
    apps = json.loads(path.read_text())
    if not isinstance(apps, list):
        raise Misread("a JSON list is wanted")
    return tuple(checked_app(read(App, app, f"app {number}"), twins, f"app {number}") for number, app in enumerate(apps, 1))


def _refuse(sentence: str) -> int:
    sys.stderr.write(f"sandbox: {sentence}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main())
