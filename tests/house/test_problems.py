"""A sentence of the catalogue has no hole: whoever raises a code gives what its row names in braces."""

import ast
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

from hitchpost.errors import CATALOGUE, Entry

SOURCES = sorted((Path(__file__).parents[2] / "src" / "hitchpost").rglob("*.py"))


def raised(source: str) -> Iterator[tuple[int, str, set[str]]]:
    """Line, code, and facts of every Problem that is made with a code in words; those with facts from elsewhere are left out."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name) or node.func.id != "Problem" or not node.args:
            continue
        code, facts = node.args[0], {one.arg for one in node.keywords}
        if isinstance(code, ast.Constant) and isinstance(code.value, str) and None not in facts:
            yield node.lineno, code.value, {name for name in facts if name is not None}


def wanted(entry: Entry) -> set[str]:
    """What the row's sentences leave open."""
    return {name for text in (entry.message, entry.way) for _, name, _, _ in Formatter().parse(text) if name}


def holes(source: str) -> list[tuple[int, str, set[str]]]:
    return [(line, code, wanted(CATALOGUE[code]) - facts) for line, code, facts in raised(source) if wanted(CATALOGUE[code]) - facts]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.name)
def test_every_problem_is_raised_with_all_that_its_sentences_name(path: Path) -> None:
    assert holes(path.read_text()) == []


def test_a_hole_is_noticed() -> None:
    assert holes('raise Problem("signed_request_invalid")') == [(1, "signed_request_invalid", {"provider"})]
    assert holes('raise Problem("signed_request_invalid", provider="x")') == []
