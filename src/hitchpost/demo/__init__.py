"""`hitchpost demo`: sandbox and server side by side with a small ready-made world, to be looked at or to be walked by itself."""

import base64
import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from hitchpost.demo import programs, walk, world
from hitchpost.demo.programs import DemoFailed
from hitchpost.ids import random_bytes

SERVER_PORT, SANDBOX_PORT = 8420, 8421
HOME = Path(".hitchpost/demo")


def run(*, walk_through: bool = False, ports: tuple[int, int] = (SERVER_PORT, SANDBOX_PORT)) -> int:
    """Start both programs; show how to use them until interrupted, or walk all networks and stop. The exit code.

    `ports`: of the server and of the sandbox that are shown.
    """
    try:
        with _ended_by_signal(), ExitStack() as stack:
            return _walked(stack) if walk_through else _shown(stack, *ports)
    except DemoFailed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nstopped" if walk_through else f"\nstopped; the world stays in {HOME}")
        return 128 + signal.SIGINT if walk_through else 0


def _walked(stack: ExitStack) -> int:
    """In a world of its own that is thrown away; its key ring is a setting, so that nobody is told to save it."""
    print("making a world of its own for the walk, thrown away at the end (about ten seconds) …", flush=True)
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hitchpost-")))
    sandbox = stack.enter_context(programs.sandbox(programs.free_port()))
    ring = "walk:" + base64.b64encode(random_bytes(32)).decode()
    environment = world.environment(folder, programs.free_port(), sandbox) | {"HITCHPOST_KEY_RING": ring}
    fresh_key = stack.enter_context(world.made(environment))
    server = stack.enter_context(programs.server(environment))
    return walk.walk(world.Running(server, sandbox, environment["HITCHPOST_PUBLIC_URL"], fresh_key()))


def _shown(stack: ExitStack, server_port: int, sandbox_port: int) -> int:
    """Until interrupted, in the world that stays."""
    # Before anything is touched: where a demo runs already, its world and its key are in use.
    programs.refuse_taken({"Hitchpost": server_port, "the sandbox": sandbox_port})
    HOME.mkdir(parents=True, exist_ok=True)
    kept, settings = HOME / "sandbox", HOME / "env"
    if (HOME / "data").exists() and not kept.exists():
        _say("the sandbox of this world remembers nothing: profiles that were connected before must be connected again")
    _say("starting the sandbox: five simulated networks …")
    sandbox = stack.enter_context(programs.sandbox(sandbox_port, keep=kept))
    environment = world.environment(HOME.absolute(), server_port, sandbox)
    world.written(environment, settings)
    _say("making ready a small world: its database, Ada, her workspace Lantern (a few seconds) …")
    fresh_key = stack.enter_context(world.made(environment))
    _say("starting Hitchpost, with a fresh API key (a few seconds) …")
    server = stack.enter_context(programs.server(environment))
    # Last of all, when nothing can fail any more between the end of the older key and the showing of this one.
    running = world.Running(server, sandbox, environment["HITCHPOST_PUBLIC_URL"], fresh_key())
    _say(world.invitation(running, settings))
    running.wait()
    return 0


def _say(line: str) -> None:
    print(line, flush=True)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGTERM and a closed terminal end the demo as Ctrl-C does, so that neither program is left behind; once is enough.

    A second one while the programs stop, or while this process ends, would leave a traceback and a program.
    """
    ends = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        for one in ends:
            # Not SIG_IGN: Python says aloud of a signal that was on its way when it began to be ignored.
            signal.signal(one, lambda _number, _frame: None)
        raise KeyboardInterrupt

    before = {one: signal.signal(one, interrupt) for one in ends}
    interrupted = False
    try:
        yield
    except KeyboardInterrupt:
        interrupted = True
        raise
    finally:
        if not interrupted:
            for one, handler in before.items():
                signal.signal(one, handler)
