"""A pytest plugin: `pytest_plugins = ["hitchpost_sandbox.pytest"]` gives tests the fixture `sandbox`, five simulated networks of their own.

One server a session (and worker) in a thread; before each test everything is as at the beginning. `--sandbox-url` uses one that runs
already and resets it first, `--sandbox-world` or the ini option `sandbox_world` begins with a TOML file.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.reading import Misread, why
from hitchpost_sandbox.running import Running, SandboxRefused
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World
from hitchpost_sandbox.worldfile import load

_BOTH = (
    "--sandbox-url uses a sandbox that runs already, with the world that it was started with; a world of this project's own "
    "(--sandbox-world, or sandbox_world in the ini file: -o sandbox_world= empties it) belongs to its start: --world FILE.toml"
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """The plugin's two options."""
    group = parser.getgroup("sandbox", "five simulated social networks")
    group.addoption("--sandbox-url", default="", metavar="URL", help="use the sandbox that runs at this address; it is reset first")
    group.addoption("--sandbox-world", default="", metavar="FILE.toml", help="people, apps and faults to begin with")
    parser.addini("sandbox_world", "people, apps and faults to begin with (a TOML file, relative to the ini file)", default="")


def pytest_configure(config: pytest.Config) -> None:
    """Refuses two worlds at once, one world for several workers, a world that cannot be read and a sandbox that does not answer, before
    anything runs.
    """
    url, world = str(config.getoption("--sandbox-url")), _world_file(config)
    if not url:
        if world is not None:
            _loaded(world)
        return
    if world is not None:
        raise pytest.UsageError(_BOTH)
    if config.getoption("numprocesses", None):
        raise pytest.UsageError("--sandbox-url is one sandbox for several workers (-n), each of which would reset it under the others")
    _demand_sandbox(url)


def _world_file(config: pytest.Config) -> Path | None:
    """The file that the options name."""
    if chosen := str(config.getoption("--sandbox-world")):
        return Path(config.invocation_params.dir) / chosen
    set_up = str(config.getini("sandbox_world"))
    return Path(config.rootpath) / set_up if set_up else None


def _loaded(path: Path) -> World:
    """The world in a file. Raises UsageError with the file and what is wrong."""
    try:
        return load(path, networks.found())
    except (OSError, Misread) as error:
        raise pytest.UsageError(f"{path}: {why(error)}") from None


def _demand_sandbox(url: str) -> None:
    """Raises UsageError unless a sandbox answers."""
    try:
        known: object = Running(url).networks()
    except SandboxRefused as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        reason = getattr(error, "reason", error)
        raise pytest.UsageError(f"no sandbox answers at {url}: {why(reason) if isinstance(reason, Exception) else reason}") from None
    if not known or not isinstance(known, dict):
        raise pytest.UsageError(f"no sandbox answers at {url}, but something else")


@pytest.fixture(scope="session")
def sandbox_world_file(pytestconfig: pytest.Config) -> Path | None:
    """The file that the world begins with; override it to choose one in code."""
    return _world_file(pytestconfig)


@pytest.fixture(scope="session")
def sandbox_url(pytestconfig: pytest.Config, sandbox_world_file: Path | None) -> Iterator[str]:
    """The address of the session's sandbox: `<address>/<real host>/<real path>` is the network."""
    if running := str(pytestconfig.getoption("--sandbox-url")):
        if sandbox_world_file is not None:
            raise pytest.UsageError(_BOTH)
        yield running
        return
    try:
        world = _loaded(sandbox_world_file) if sandbox_world_file else World()
    except pytest.UsageError as error:
        # A file chosen in code is known only now.
        pytest.fail(str(error), pytrace=False)
    with in_thread(build(world)) as url:
        yield url


@pytest.fixture(scope="session")
def _beginning(sandbox_url: str) -> Iterator[str]:
    """The name of a snapshot of nothing but the world as it was started, made anew by each session and gone with it."""
    running = Running(sandbox_url)
    name = "the beginning of the session"
    running.reset()
    running.keep(name)
    yield name
    # One that was stopped meanwhile has nothing left to tidy.
    with contextlib.suppress(OSError):
        running.restore(name)
        running.forget(name)


@pytest.fixture
def sandbox(sandbox_url: str, _beginning: str) -> Running:
    """The sandbox as at the beginning of the session, its clock too."""
    running = Running(sandbox_url)
    running.restore(_beginning)
    return running
