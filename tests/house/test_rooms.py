"""Across rooms only the other's service or auth: what else a room lets others read is named here, and its tables never are."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "src" / "hitchpost"
ROOMS = frozenset(path.parent.name for path in HOUSE.glob("*/service.py"))
OPEN = frozenset(("service", "auth"))
WORDS = frozenset((("workspaces", "roles"), ("workspaces", "schemas"), ("people", "cookies")))
"""Pure files of words that others use as well: roles and rights, the error body of the public API, the form token of a guest."""
BUILDERS = frozenset(("asgi.py", "bootstrap.py", "cli", "worker.py", "migrations", "demo"))
TABLES = frozenset(("models", "repository"))


def reached(source: str) -> Iterator[tuple[str, str]]:
    """Every (room, file) of ours that a module imports."""
    for node in ast.walk(ast.parse(source)):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{one.name}" for one in node.names)]
        for parts in (name.split(".") for name in names):
            if parts[0] == "hitchpost" and len(parts) > 2 and (HOUSE / parts[1] / f"{parts[2]}.py").exists():
                yield parts[1], parts[2]


def trespasses(place: str, source: str) -> list[tuple[str, str]]:
    """What a module in `place` (a room, or a file above the rooms) reads of other rooms and may not."""
    foreign = {(room, file) for room, file in reached(source) if room in ROOMS - {place}}
    if place == "migrations":
        return []
    if place in BUILDERS:
        return sorted((room, file) for room, file in foreign if file in TABLES)
    return sorted(one for one in foreign if one[1] not in OPEN and one not in WORDS)


@pytest.mark.parametrize("path", sorted(HOUSE.rglob("*.py")), ids=lambda path: str(path.relative_to(HOUSE)))
def test_a_room_is_entered_by_its_service_or_auth(path: Path) -> None:
    assert trespasses(path.relative_to(HOUSE).parts[0], path.read_text()) == []


def test_every_room_is_known() -> None:
    assert {"connect", "profiles", "tokens", "workspaces", "people", "events"} <= ROOMS


@pytest.mark.parametrize(
    ("place", "line"),
    [
        ("connect", "from hitchpost.tokens.vault import Vault"),
        ("connect", "from hitchpost.tokens import repository"),
        ("console", "import hitchpost.profiles.models"),
        ("bootstrap.py", "from hitchpost.connect import repository as rows"),
    ],
)
def test_a_back_door_is_noticed(place: str, line: str) -> None:
    assert len(trespasses(place, line)) == 1
