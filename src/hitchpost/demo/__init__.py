"""`hitchpost demo`: sandbox and server side by side with a small ready-made world, to be looked at or to be walked by itself."""

import signal
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import FrameType

from hitchpost.demo import programs, walk, world
from hitchpost.demo.programs import DemoFailed

SERVER_PORT, SANDBOX_PORT = 8420, 8421


def run(*, walk_through: bool = False) -> int:
    """Start both programs; show how to use them until interrupted, or walk all networks and stop. The exit code."""
    try:
        with ExitStack() as stack:
            stack.enter_context(_ended_by_signal())
            if walk_through:
                folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="hitchpost-")))
                running = _start(stack, folder, programs.free_port(), programs.free_port(), say=lambda _: None)
                return walk.walk(running)
            running = _start(stack, Path(".hitchpost/demo"), SERVER_PORT, SANDBOX_PORT, say=print)
            print(world.invitation(running), flush=True)
            running.wait()
            return 0
    except DemoFailed as failure:
        print(f"demo: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _start(stack: ExitStack, folder: Path, server_port: int, sandbox_port: int, *, say: programs.Say) -> world.Running:
    say("starting the sandbox: five simulated networks …")
    sandbox = stack.enter_context(programs.sandbox(sandbox_port))
    environment = world.environment(folder, server_port, sandbox)
    say("making ready a small world: Ada, her workspace Lantern, a fresh API key …")
    key = world.make(environment)
    say("starting Hitchpost …")
    server = stack.enter_context(programs.server(environment))
    return world.Running(server, sandbox, environment["HITCHPOST_PUBLIC_URL"], key)


@contextmanager
def _ended_by_signal() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, so that neither program is left behind."""

    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
