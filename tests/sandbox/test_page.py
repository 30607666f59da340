"""docs/sandbox.md cannot lie: its commands are run, its tests pass, its world is a world."""

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World
from hitchpost_sandbox.worldfile import from_toml, world_of

PAGE = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text()
INSTALL = "python3 -m pip install ./.hitchpost"
ADDRESS = "http://localhost:8421"


def blocks(language: str) -> list[str]:
    """The page's fenced blocks of a language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with in_thread(build(world)) as url:
        yield url


def run(script: str, folder: Path) -> str:
    ended = subprocess.run(["bash", "-euo", "pipefail", "-c", script], cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def test_the_whole_way_by_hand_goes_to_its_end(address: str, world: World, tmp_path: Path) -> None:
    said = run(blocks("bash")[0].replace(ADDRESS, address), tmp_path)
    assert '"username": "adalantern"' in said
    assert said.count("Unauthorized") >= 1
    assert world.ledger.count(What.CODE_REDEEMED) == 1


@pytest.mark.parametrize("number", range(1, len(blocks("bash"))))
def test_every_other_command_is_understood(address: str, tmp_path: Path, number: int) -> None:
    said = run(blocks("bash")[number].replace(ADDRESS, address), tmp_path)
    assert '"message"' not in said


def test_the_pages_own_tests_pass_in_a_strangers_project(tmp_path: Path) -> None:
    (tmp_path / "conftest.py").write_text('pytest_plugins = ["hitchpost_sandbox.pytest"]\n')
    (tmp_path / "test_mine.py").write_text(blocks("python")[0])
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    ended = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert "1 passed" in ended.stdout, ended.stdout + ended.stderr


def test_its_world_is_a_world() -> None:
    world = world_of(from_toml(blocks("toml")[0]), networks.found())
    assert world.authority("x").app("my-app") is not None
    assert "mia" in world.cast
    assert "crowd-20" in world.cast


def test_the_shell_example_starts_and_stops_it(tmp_path: Path) -> None:
    install, _, script = blocks("sh")[0].partition("\n")
    assert install == INSTALL
    run(script.replace("python3", sys.executable).replace("8421", "8437"), tmp_path)
    assert (tmp_path / "health.json").read_text().startswith('{"status":"ok"')
    assert (tmp_path / "sandbox.log").read_text().startswith("sandbox: http://localhost:8437")


def test_the_ci_example_is_yaml() -> None:
    steps = yaml.safe_load(blocks("yaml")[0])["jobs"]["test"]["steps"]
    assert f"{INSTALL} pytest" in [step.get("run") for step in steps]
    assert ".hitchpost" in [step.get("with", {}).get("path") for step in steps]


def test_it_is_installed_from_no_index() -> None:
    assert re.findall(r"pip install (?!\./)(?!the checkout)\S+", PAGE.replace("`", "")) == []
