"""The rules of the house that no linter knows: sizes, floors' words, what must not stand in the repository."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from hitchpost.web.log import redact

ROOT = Path(__file__).parents[2]
SOURCES = sorted((ROOT / "src").rglob("*.py"))
TRACKED = [
    ROOT / line
    for line in subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.split("\n")
    if line
]


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_source_file_is_longer_than_300_lines(path: Path) -> None:
    assert len(path.read_text().splitlines()) <= 300


def test_there_are_no_rooms_for_leftovers() -> None:
    assert not [path for path in SOURCES if path.stem in ("utils", "util", "helpers", "common", "managers", "misc")]


def test_nothing_is_marked_unfinished() -> None:
    mark = re.compile(r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X)\b|NotImplemented" + "Error")
    assert not [
        path for path in TRACKED if path.is_file() and path.suffix in (".py", ".html", ".css", ".js") and mark.search(path.read_text())
    ]


def test_dependencies_are_pinned_with_hashes_in_files_without_addresses() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        assert "://" not in text
        pinned = re.findall(r"^[a-z0-9._-]+==", text, re.MULTILINE)
        assert len(pinned) == len(re.findall(r"^[a-z]", text, re.MULTILINE))
        assert text.count("--hash=sha256:") >= len(pinned)


def test_the_two_files_pin_the_same_versions() -> None:
    pins = [
        dict(re.findall(r"^([a-z0-9._-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.txt", "requirements-dev.txt")
    ]
    assert pins[0].items() <= pins[1].items()


def test_no_lock_file_and_no_path_of_a_machine_is_in_the_repository() -> None:
    names = {path.name for path in TRACKED}
    assert not names & {"uv.lock", "poetry.lock", "package-lock.json", "pylock.toml", "Pipfile.lock"}
    machine = re.compile(r"(?<![\w.])/(work|farm|root)/")
    texts = [
        path
        for path in TRACKED
        if path.is_file() and path.suffix in (".py", ".md", ".toml", ".html", ".txt", "") and path != Path(__file__)
    ]
    assert not [path for path in texts if machine.search(path.read_text(errors="ignore"))]


def test_the_server_loads_neither_command_line_nor_migrations_nor_sandbox() -> None:
    program = (
        "import sys, hitchpost.asgi; print([n for n in ('typer', 'alembic', 'hitchpost_sandbox', 'hitchpost.cli') if n in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_sandbox_loads_nothing_of_the_product() -> None:
    program = "import sys, hitchpost_sandbox.__main__; print([n for n in sys.modules if n == 'hitchpost' or n.startswith('hitchpost.')])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


_LEVELS = ("debug", "info", "warning", "error", "exception", "critical")
_COMPUTED = {"places": ("error", "at")}
"""What functions that make fields call them."""


def logged_names(source: str) -> Iterator[str]:
    """The fields of every call of a log in a source; fields from elsewhere are looked for in the dicts that the function writes."""
    for function in [one for one in ast.walk(ast.parse(source)) if isinstance(one, ast.FunctionDef | ast.AsyncFunctionDef)]:
        written = {
            target.id: [value for value in ast.walk(one.value) if isinstance(value, ast.Dict)]
            for one in ast.walk(function)
            if isinstance(one, ast.Assign)
            for target in one.targets
            if isinstance(target, ast.Name)
        }
        for call in ast.walk(function):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _LEVELS):
                continue
            if not ast.unparse(call.func.value).rpartition(".")[2].lstrip("_").startswith("log"):
                continue
            for field in call.keywords:
                if field.arg is not None:
                    yield field.arg
                elif isinstance(field.value, ast.Call):
                    yield from _COMPUTED[ast.unparse(field.value.func)]
                else:
                    yield from (
                        str(ast.literal_eval(key)) for one in written[ast.unparse(field.value)] for key in one.keys if key is not None
                    )


def test_no_log_call_names_a_field_that_the_log_hides() -> None:
    """A field with a secret's name is hidden whatever it holds (E5), and then tells nobody anything."""
    names = {(path.name, name) for path in SOURCES for name in logged_names(path.read_text())}
    assert len(names) > 30
    assert {("giving_back.py", "problem"), ("shell.py", "error")} <= names
    hidden = {(path, name) for path, name in names if redact(None, "", {name: "plain"}) != {name: "plain"}}
    assert not hidden


def test_a_field_is_found_wherever_a_log_call_takes_it_from() -> None:
    source = "def f(self):\n    said = {'code': 1} if self else {}\n    self._log.info('so', state=2, **said, **places(self))"
    assert set(logged_names(source)) == {"code", "state", "error", "at"}
