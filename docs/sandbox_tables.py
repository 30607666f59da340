"""The tables of the sandbox's pages: which test shows each cell of the networks' tables, and every word that can be asked for by name."""

import ast
import itertools
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from hitchpost_sandbox import networks
from hitchpost_sandbox.faults import Does

ROOT = Path(__file__).parents[1]
ROWS = ROOT / "tests" / "sandbox" / "rows"


@dataclass(frozen=True, slots=True)
class Cell:
    """One thing that must be reproduced: `tests` that show it (`path::name`), or the reason why none does."""

    network: str
    row: str
    endpoint: str
    says: str
    tests: tuple[str, ...] = ()
    reason: str = ""


def cells(folder: Path = ROWS) -> tuple[Cell, ...]:
    """Every cell of every network, in the order of the files."""
    return tuple(cell for file in sorted(folder.glob("*.toml")) for cell in _of(file))


def _of(file: Path) -> Iterator[Cell]:
    for row in tomllib.loads(file.read_text())["row"]:
        for says, tests in row.get("shown", {}).items():
            yield Cell(file.stem, row["id"], row["endpoint"], says, tuple(tests))
        for says, reason in row.get("without", {}).items():
            yield Cell(file.stem, row["id"], row["endpoint"], says, reason=reason)


def missing_tests(found: tuple[Cell, ...], root: Path = ROOT) -> list[str]:
    """A sentence for each cell that names no test that exists and gives no reason either."""
    known: dict[str, set[str]] = {}
    wrong = []
    for cell in found:
        place = f"{cell.network}/{cell.row}: “{cell.says}”"
        if not cell.tests and not cell.reason.strip():
            wrong.append(f"{place} is shown by nothing and says not why")
        for test in cell.tests:
            path, _, name = test.partition("::")
            if name not in known.setdefault(path, _tests_in(root / path)):
                wrong.append(f"{place} names a test that does not exist: {test}")
    return wrong


def _tests_in(path: Path) -> set[str]:
    if not path.is_file():
        return set()
    tree = ast.parse(path.read_text())
    return {node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_")}


def coverage_table(found: tuple[Cell, ...] | None = None) -> str:
    """A summary, and for each network its rows, cells, and the tests or reasons."""
    found = cells() if found is None else found
    shown = sum(1 for cell in found if cell.tests)
    lines = [f"{len(found)} cells in {len({(cell.network, cell.row) for cell in found})} rows: {shown} shown by tests, ", ""]
    lines[0] += f"{len(found) - shown} with a reason why none shows them."
    for network in dict.fromkeys(cell.network for cell in found):
        lines += ["", f"### {_title(network)}", "", "| Endpoint | What | Shown by, or why not |", "|---|---|---|"]
        for cell in found:
            if cell.network == network:
                what = "all of it" if cell.says == "*" else cell.says
                by = "<br>".join(f"`{test.removeprefix('tests/')}`" for test in cell.tests) or f"*{cell.reason}*"
                lines.append("| " + " | ".join(text.replace("|", "\\|") for text in (f"{cell.endpoint}", what, by)) + " |")
    return "\n".join(line for number, line in enumerate(lines) if line or number == 0 or lines[number - 1])


def words_table() -> str:
    """What may be named in fault scripts, turns and app options, network by network."""
    lines = ["### Every network", "", "| Fault | What happens |", "|---|---|"]
    lines += [f"| `{one.value}` | {_said(one)} |" for one in Does]
    for twin in networks.found():
        tables: tuple[tuple[str, Mapping[str, str]], ...] = (
            ("Error (a fault word)", {name: wrong.says for name, wrong in twin.errors.items()}),
            ("Turn (also a fault word)", {name: turn.says for name, turn in twin.turns.items()}),
            ("Switch of its apps", dict(twin.switches)),
        )
        lines += ["", f"### {twin.title}"]
        for head, words in tables:
            lines += ["", f"| {head} | What it means |", "|---|---|", *(f"| `{name}` | {says} |" for name, says in words.items())]
    return "\n".join(lines)


def _said(word: Does) -> str:
    """The docstring under a word of Does, which Python itself forgets."""
    tree = ast.parse((ROOT / "src" / "hitchpost_sandbox" / "faults.py").read_text())
    body = next(node.body for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "Does")
    for assigned, said in itertools.pairwise(body):
        if isinstance(assigned, ast.Assign) and isinstance(assigned.value, ast.Constant) and assigned.value.value == word.value:
            assert isinstance(said, ast.Expr)
            assert isinstance(said.value, ast.Constant)
            return str(said.value.value)
    raise LookupError(word)


def _title(network: str) -> str:
    return next((twin.title for twin in networks.found() if twin.network == network), network)
