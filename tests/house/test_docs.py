"""The docs say what is so: tables equal the code, links and paths lead somewhere, commands exist, every network has its page."""

import re
from collections.abc import Collection
from dataclasses import fields, replace
from pathlib import Path

import pytest
import typer
from docs import generate, sandbox_reference
from pydantic import Field
from pydantic.fields import FieldInfo
from starlette.requests import Request
from starlette.responses import Response

from hitchpost.cli import app
from hitchpost.connect.service import ConnectFlow
from hitchpost.errors import CATALOGUE
from hitchpost.networks.catalog import Catalog, discover
from hitchpost.settings import Settings
from hitchpost.verdicts import VERDICTS
from hitchpost_sandbox.control import Plane
from hitchpost_sandbox.running import Running
from tests.networks.sixth.adapter import Commons

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])
COMMAND = re.compile(r"^(?:HITCHPOST_\S+ )*(?:\.venv/bin/)?hitchpost (.+)$", re.MULTILINE)


@pytest.mark.parametrize(("where", "name"), generate.TABLES)
def test_a_table_equals_the_code(where: str, name: str) -> None:
    page = (DOCS / f"{where}.md").read_text()
    assert page == generate.regenerated(page, name, generate.TABLES[where, name]()), "run `make docs`"


def test_every_setting_stands_in_its_page() -> None:
    page = (DOCS / "settings.md").read_text()
    assert all(page.count(f"\n| `HITCHPOST_{name.upper()}` |") == 1 for name in Settings.model_fields)
    assert all(field.description for field in Settings.model_fields.values())


@pytest.mark.parametrize(
    "other",
    [
        Field(default=61, ge=1, le=1_000_000, description="public API calls a minute and person"),
        Field(default=60, ge=2, le=1_000_000, description="public API calls a minute and person"),
        Field(default=60, ge=1, le=1_000_000, description="something else"),
    ],
    ids=["default", "range", "meaning"],
)
def test_a_setting_that_changed_is_noticed(other: FieldInfo) -> None:
    page = (DOCS / "settings.md").read_text()
    table = generate.settings_table(dict(Settings.model_fields) | {"rate_limit": other})
    assert generate.regenerated(page, "settings", table) != page


@pytest.mark.parametrize(("table", "codes"), [("errors", CATALOGUE), ("verdicts", VERDICTS)], ids=["errors", "verdicts"])
def test_every_code_is_explained_once_in_its_table(table: str, codes: Collection[str]) -> None:
    page = (DOCS / "errors.md").read_text().partition(f"<!-- {table} -->")[2].partition(f"<!-- /{table} -->")[0]
    assert all(page.count(f"\n| `{code}` |") == 1 for code in codes)


def test_a_verdict_that_changed_is_noticed() -> None:
    page = (DOCS / "errors.md").read_text()
    other = dict(VERDICTS) | {"role_missing": replace(VERDICTS["role_missing"], out_of_reach=True)}
    assert generate.regenerated(page, "verdicts", generate.verdicts_table(other)) != page


def test_every_network_has_its_page() -> None:
    assert generate.without_page(discover(), DOCS) == []


def test_a_further_network_without_its_page_is_noticed() -> None:
    assert generate.without_page(Catalog([*discover(), Commons()]), DOCS) == [
        "docs/networks/commons.md is missing: every network has a page"
    ]


def test_every_link_and_every_page_that_the_sources_name_leads_somewhere() -> None:
    assert generate.dead_links(ROOT) == []


def test_a_dead_link_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "here.md").write_text("# Here\n\n[there](there.md) [below](#below) [itself](here.md#here)\n")
    assert generate.dead_links(tmp_path) == ["docs/here.md: #below leads nowhere", "docs/here.md: there.md leads nowhere"]


def test_the_picture_of_the_flow_names_files_and_steps_that_exist() -> None:
    text = (DOCS / "connect-flow.md").read_text()
    files = set(re.findall(r"\b(?:[a-z_]+/)+[a-z_]+\.py", text))
    assert "connect/api.py" in files
    assert [name for name in sorted(files) if not any((base / name).is_file() for base in (ROOT, ROOT / "src" / "hitchpost"))] == []
    steps = set(re.findall(r"ConnectFlow\.(\w+)", text))
    assert {"depart", "arrive", "attach"} <= steps
    assert [step for step in sorted(steps) if not hasattr(ConnectFlow, step)] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_of_a_page_exists(page: Path) -> None:
    group = typer.main.get_command(app)
    for line in COMMAND.findall(page.read_text()):
        command, words = group, line.split()
        while words and (known := getattr(command, "commands", None)) is not None:
            assert words[0] in known, f"hitchpost {line}"
            command, words = known[words[0]], words[1:]
        options = {option for one in command.params for option in one.opts}
        said = {word for word in words if word.startswith("--")}
        assert said <= options or command.context_settings.get("ignore_unknown_options"), f"hitchpost {line}"


def test_every_target_of_make_that_a_page_names_exists() -> None:
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {name for page in PAGES for name in re.findall(r"`make ([a-z-]+)`|^make ([a-z-]+)$", page.read_text(), re.MULTILINE)}
    assert {one or other for one, other in named} <= targets


def test_every_path_of_the_sandboxs_plane_stands_in_its_reference() -> None:
    table = sandbox_reference.plane_table()
    for call in ("GET /_sandbox/ledger", "POST /_sandbox/turns", "PUT /_sandbox/cast/{key}", "DELETE /_sandbox/faults/{number}"):
        assert table.count(f"\n| `{call}` |") == 1


def test_every_method_of_a_running_sandbox_stands_in_its_reference_with_its_arguments() -> None:
    table = sandbox_reference.running_table()
    methods = [name for name in vars(Running) if not name.startswith("_")]
    assert all(table.count(f"\n| `{name}(") == 1 for name in methods)
    assert "app(authority, client_id, client_secret, **more)" in table
    assert all(f"\n| `{name}` |" in table for name in ("url", "query", "error", "code"))


def test_a_method_that_nobody_describes_is_noticed() -> None:
    class Other(Plane):
        async def reset(self, request: Request) -> Response:
            """GET: something else."""
            return await super().reset(request)

    with pytest.raises(LookupError, match=r"reset and its docstring differ"):
        sandbox_reference.plane_table(Other)


def test_every_kind_of_thing_in_a_world_file_has_its_table() -> None:
    text = sandbox_reference.keys_tables()
    for kind, title in sandbox_reference.KINDS.items():
        section = text.partition(f"### {title}\n")[2].partition("\n### ")[0]
        assert all(f"\n| `{one.name}` |" in section for one in fields(kind) if one.init), title
