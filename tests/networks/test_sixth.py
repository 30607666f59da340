"""A further network costs three files: adapter, twin, docs page. Shown by adding one to a copy of the product and walking all of them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from hitchpost_sandbox.app import build
from hitchpost_sandbox.world import World
from tests.networks.sixth.twin import TWIN

ROOT = Path(__file__).parents[2]
SIXTH = Path(__file__).parent / "sixth"
THREE_FILES = {
    "adapter.py": "src/hitchpost/networks/adapters/commons.py",
    "twin.py": "src/hitchpost_sandbox/networks/commons.py",
    "page.md": "docs/networks/commons.md",
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The product and its pages, as they are, in a folder of their own."""
    for page in ROOT.glob("*.md"):
        shutil.copy(page, tmp_path)
    shutil.copytree(ROOT / "src", tmp_path / "src", ignore=shutil.ignore_patterns("__pycache__"))
    for folder in ("docs", "tests"):
        shutil.copytree(ROOT / folder, tmp_path / folder, ignore=shutil.ignore_patterns("__pycache__"))
    return tmp_path


def run(copy: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program over the copy."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HITCHPOST_", "PYTHON"))}
    command = [sys.executable, *words]
    return subprocess.run(
        command, cwd=copy, env=environment | {"PYTHONPATH": str(copy / "src")}, capture_output=True, text=True, check=False, timeout=120
    )


def test_a_sixth_network_costs_three_files_and_is_walked_with_all_others(copy: Path) -> None:
    for source, target in THREE_FILES.items():
        shutil.copyfile(SIXTH / source, copy / target)
    walked = run(copy, "-m", "hitchpost", "demo", "--walk")
    assert walked.returncode == 0, walked.stdout + walked.stderr
    for provider in ("facebook", "instagram", "x", "linkedin", "pinterest", "commons"):
        assert f"✓ {provider}: " in walked.stdout
    attached = [line.split() for line in walked.stdout.partition("profiles attached:")[2].splitlines() if line.strip()]
    assert [line[1] for line in attached if line[0] == "commons"] == ["account"]
    # The tables that the code writes itself, as `make docs` does.
    for words in ((), ("--check",)):
        documented = run(copy, "-m", "docs.generate", *words)
        assert documented.returncode == 0, documented.stdout + documented.stderr


def test_a_network_without_its_page_is_told_so(copy: Path) -> None:
    shutil.copyfile(SIXTH / "adapter.py", copy / THREE_FILES["adapter.py"])
    documented = run(copy, "-m", "docs.generate", "--check")
    assert documented.returncode == 1
    assert "docs/networks/commons.md" in documented.stderr


def test_the_app_that_a_twin_brings_is_known_once_and_outlives_a_reset() -> None:
    world = World(apps=())
    build(world, [TWIN])
    build(world, [TWIN])
    assert world.apps == TWIN.apps
    world.reset()
    assert world.apps == TWIN.apps
