"""The two programs as processes on loopback, as people run them: for fuzzers, browsers and clients that nobody here wrote."""

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from hitchpost.demo import programs, world


@dataclass(frozen=True, slots=True)
class Served:
    """A running Hitchpost with Ada's world, its sandbox, and where its files are."""

    url: str
    sandbox_url: str
    key: str
    workspace_id: str
    folder: Path
    environment: Mapping[str, str]


@contextmanager
def serving(folder: Path, extra: Mapping[str, str] | None = None) -> Iterator[Served]:
    """Both programs, stopped at the end by their pids."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(programs.sandbox(programs.free_port()))
        environment = {**world.environment(folder, programs.free_port(), sandbox), **(extra or {})}
        key = world.make(environment)
        server = stack.enter_context(programs.server(environment))
        workspace_id = world.workspace_of(server.address, key)
        yield Served(server.address, sandbox.address, key.reveal(), workspace_id, folder, environment)
