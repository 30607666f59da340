"""`make docs`: writes the tables of the docs from the code they describe; `--check` only says what is not so.

Also checks what no table can hold: that each network has its page, and that every page and heading that is named exists.
"""

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from annotated_types import Ge, Le
from docs import sandbox_reference, sandbox_tables
from pydantic.fields import FieldInfo

from hitchpost.errors import CATALOGUE, Entry
from hitchpost.networks.base import Adapter
from hitchpost.networks.catalog import discover
from hitchpost.networks.errors import BEYOND, Expected, Fault, Place
from hitchpost.secret import Secret
from hitchpost.settings import PREFIX, Settings
from hitchpost.verdicts import VERDICTS, Grounds

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
_LINK = re.compile(r"\]\(([^)\s]+)\)")
_MENTION = re.compile(r"docs/[a-z0-9/-]+\.md(?:#[a-z0-9-]+)?")


def settings_table(fields: Mapping[str, FieldInfo] = Settings.model_fields) -> str:
    """Every setting: variable, default, meaning, and the range where there is one."""
    lines = ["| Variable | Default | Means |", "|---|---|---|"]
    for name, field in fields.items():
        bounds = [str(one.ge if isinstance(one, Ge) else one.le) for one in field.metadata if isinstance(one, Ge | Le)]
        means = f"{field.description} ({' to '.join(bounds)})" if bounds else str(field.description)
        lines.append(_row(f"`{PREFIX}{name.upper()}`", _default(field.default), means))
    return "\n".join(lines)


def _default(value: object) -> str:
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value in ("", ()) or (isinstance(value, Secret) and not value):
        return "–"
    return f"`{value}`"


def _way(entry: Entry) -> str:
    """The way on, and that of programs where it is another."""
    return " ".join(part for part in (entry.way, f"API: {entry.call}" if entry.call else "") if part) or "–"


def errors_table(catalogue: Mapping[str, Entry] = CATALOGUE) -> str:
    """Every code: status, sentence, who can mend it, the way on, whether the same thing may be tried again."""
    lines = ["| Code | Status | Says | Who can mend it | Way on | Try again |", "|---|---|---|---|---|---|"]
    for code, entry in catalogue.items():
        again = "yes" if entry.retryable else "no"
        lines.append(_row(f"`{code}`", str(entry.status), entry.message, entry.fix_by.value, _way(entry), again))
    return "\n".join(lines)


def verdicts_table(verdicts: Mapping[str, Grounds] = VERDICTS) -> str:
    """Every code of a verdict: sentence, who can mend it, the way on, and what a profile can still do that has it."""
    lines = ["| Code | Says | Who can mend it | Way on | The profile then |", "|---|---|---|---|---|"]
    for code, row in verdicts.items():
        bad = "`reconnect_required`: out of reach" if row.out_of_reach else "`missing_permissions`: may still be read"
        cells = ("–", "–", "stands as it does: a remark at most") if row.usable else (row.fix_by.value, row.way, bad)
        lines.append(_row(f"`{code}`", row.says, *cells))
    return "\n".join(lines)


def networks_tables(networks: Iterable[Adapter] | None = None) -> str:
    """What each network is known to say, in the order in which it is looked through, and what it means; last, what follows each list."""
    sections = []
    for adapter in discover() if networks is None else networks:
        heard = [(row, ", ".join(places)) for row, places in said_by(adapter).items()]
        sections.append(f"### {adapter.title}\n\n" + _said_table(adapter.title, adapter.provider, heard))
    anywhere = "### What nobody listed\n\nThis follows every list above: the unknown is never taken for the end of an access.\n\n"
    sections.append(anywhere + _said_table("{network}", "", [(row, "anywhere") for row in BEYOND]))
    return "\n\n".join(sections)


def said_by(adapter: Adapter) -> Mapping[Expected, list[str]]:
    """Each row of a network once, with the places where it is looked for; a login is named where not all of them have the row there."""
    found: dict[Expected, list[str]] = {row: [Place.CONSENT.value] for row in adapter.sent_back}
    for place in Place:
        tables = {login.key: login.expected.get(place, ()) for login in adapter.logins}
        for row in dict.fromkeys(row for rows in tables.values() for row in rows):
            having = [key for key, rows in tables.items() if row in rows]
            of_login = "" if len(having) == len(tables) else f" (login {', '.join(having)})"
            found.setdefault(row, []).append(place.value + of_login)
    return found


def _said_table(network: str, provider: str, heard: Iterable[tuple[Expected, str]]) -> str:
    lines = ["| What the network says | Where | Class | Our code | Says | Who can mend it | Way on | Source |", "|" + "---|" * 8]
    for row, where in heard:
        problem = Fault(row.kind, "", row.detail, row=row).explained(network=network, provider=provider)
        says = problem.message if row.detail in problem.message else f"{problem.message} ({row.detail})"
        page, _, heading = row.source.removeprefix("docs/").partition("#")
        source = f"[{page.rpartition('/')[2]}]({page}#{heading})" if heading else row.source
        source = source.replace("(errors.md#", "(#")
        lines.append(_row(str(row), where, row.kind.value, f"`{problem.code}`", says, problem.entry.fix_by.value, problem.way, source))
    return "\n".join(lines)


def _row(*cells: str) -> str:
    # `<base>` is meant as it stands; Markdown would take it for markup.
    return "| " + " | ".join(cell.replace("|", "\\|").replace("<", "\\<") for cell in cells) + " |"


TABLES: Mapping[tuple[str, str], Callable[[], str]] = {
    ("settings", "settings"): settings_table,
    ("errors", "errors"): errors_table,
    ("errors", "verdicts"): verdicts_table,
    ("errors", "networks"): networks_tables,
    ("sandbox-coverage", "sandbox-coverage"): sandbox_tables.coverage_table,
    ("sandbox-words", "sandbox-words"): sandbox_tables.words_table,
    ("sandbox-reference", "plane"): sandbox_reference.plane_table,
    ("sandbox-reference", "running"): sandbox_reference.running_table,
    ("sandbox-reference", "keys"): sandbox_reference.keys_tables,
}
"""By page and mark."""


def regenerated(page: str, name: str, table: str) -> str:
    """`page` with `table` between its two marks `<!-- name -->` and `<!-- /name -->`. Raises ValueError when they are missing."""
    head, begin, rest = page.partition(f"<!-- {name} -->\n")
    _, end, tail = rest.partition(f"<!-- /{name} -->")
    if not begin or not end:
        raise ValueError(f"the page lacks the marks of its table {name}")
    return f"{head}{begin}{table}\n{end}{tail}"


def without_page(networks: Iterable[Adapter], docs: Path) -> list[str]:
    """A sentence for each network whose page is missing."""
    pages = [f"networks/{one.provider}.md" for one in networks]
    return [f"docs/{page} is missing: every network has a page" for page in pages if not (docs / page).is_file()]


def dead_links(root: Path) -> list[str]:
    """A sentence for each link of a page, and each page named in the sources, that leads nowhere."""
    found = []
    for page in [*root.glob("*.md"), *root.glob("docs/**/*.md")]:
        for target in _LINK.findall(page.read_text()):
            if "://" not in target and not _leads(page, target):
                found.append(f"{page.relative_to(root)}: {target} leads nowhere")
    for source in root.glob("src/**/*.py"):
        for mention in _MENTION.findall(source.read_text()):
            if not _leads(root / "here", mention):
                found.append(f"{source.relative_to(root)}: {mention} leads nowhere")
    return sorted(found)


def _leads(page: Path, target: str) -> bool:
    path, _, heading = target.partition("#")
    place = page.parent / path if path else page
    return place.exists() and (not heading or heading in _headings(place.read_text()))


def _headings(text: str) -> set[str]:
    """The names that headings are linked by: lower case, words joined by hyphens."""
    titles = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def main(arguments: list[str]) -> int:
    """Write the tables, or with `--check` only compare. 1 after saying what is wrong."""
    wrong = []
    for (where, name), table in TABLES.items():
        page = DOCS / f"{where}.md"
        is_now = page.read_text()
        should_be = regenerated(is_now, name, table())
        if "--check" not in arguments:
            page.write_text(should_be)
        elif is_now != should_be:
            wrong.append(f"docs/{where}.md differs from the code: run `make docs`")
    wrong += sandbox_tables.missing_tests(sandbox_tables.cells())
    wrong += without_page(discover(), DOCS) + dead_links(ROOT)
    print("\n".join(wrong), file=sys.stderr, end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
