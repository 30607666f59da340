"""Reads the request and answer examples of docs/networks/*.md, strictly: what cannot be read is a mistake of the page.

In a fenced block, a line that begins with a method is a request, indented lines go on with it; `→ status body` is an answer to the
request above, indented lines go on with it, and what stands behind five blanks or more is a remark. `…` inside a text is anything; a bare
`…` in an object is: more fields may follow.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

DOCS = Path(__file__).parents[2] / "docs" / "networks"
MORE = "…"
_TITLE = re.compile(r"^\*\*(.+?)\.\*\*")
_DATE = re.compile(r"\b20\d\d\b")


@dataclass(frozen=True, slots=True)
class Asked:
    """A documented request. `names`: of query and form parameters, with the value where the page fixes one."""

    method: str
    host: str
    path: str
    names: dict[str, str]
    headers: dict[str, str]


@dataclass(frozen=True, slots=True)
class Example:
    """One documented answer to one documented request. `place`: network, title, and its number under that title."""

    network: str
    title: str
    number: int
    asked: Asked
    status: int
    body: Any
    location: str = ""

    @property
    def place(self) -> str:
        return f"{self.network}: {self.title} #{self.number}"


def examples(network: str, text: str | None = None) -> tuple[Example, ...]:
    """Every example of a network's page. Raises ValueError with the line for what cannot be read."""
    text = (DOCS / f"{network}.md").read_text() if text is None else text
    section = text.partition("\n## Requests and answers\n")[2].partition("\n## ")[0]
    if not _DATE.search(section):
        raise ValueError(f"docs/networks/{network}.md: the examples have no date")
    return tuple(_read(network, section))


def _read(network: str, section: str) -> Iterator[Example]:
    title, inside, number = "", False, 0
    asked: Asked | None = None
    for line in _joined(section):
        if line.startswith("```"):
            inside = not inside
        elif not inside:
            if found := _TITLE.match(line):
                title, number = found[1], 0
        elif line.startswith("→ "):
            if asked is None:
                raise ValueError(f"{network}, {title}: an answer without a request: {line}")
            number += 1
            yield _answer(network, title, number, asked, line)
        elif line.strip():
            asked = _request(network, line)


def _joined(section: str) -> list[str]:
    """The lines, with each indented one of a block joined to the line that it goes on with."""
    lines: list[str] = []
    inside = False
    for line in section.splitlines():
        inside ^= line.startswith("```")
        if inside and line.startswith(" ") and lines:
            gap = "" if lines[-1].startswith("→") else "    "
            lines[-1] += gap + line.strip()
        else:
            lines.append(line)
    return lines


def _request(network: str, line: str) -> Asked:
    method, _, rest = line.partition(" ")
    if method not in ("GET", "POST", "DELETE"):
        raise ValueError(f"{network}: no request: {line}")
    address, *parts = re.split(r"\s{4,}", rest.strip())
    headers: dict[str, str] = {}
    names: dict[str, str] = {}
    for part in parts:
        name, colon, value = part.partition(": ")
        if colon and re.fullmatch(r"[A-Za-z-]+", name):
            headers[name.lower()] = value
        elif part.startswith("&"):
            address += part
        else:
            names |= dict(parse_qsl(part, keep_blank_values=True))
    split = urlsplit(address)
    if split.scheme != "https" or not split.hostname:
        raise ValueError(f"{network}: an address must be whole: {address}")
    return Asked(method, split.hostname, split.path, dict(parse_qsl(split.query, keep_blank_values=True)) | names, headers)


def _answer(network: str, title: str, number: int, asked: Asked, line: str) -> Example:
    said = re.split(r"\s{5,}", line.removeprefix("→ "))[0]
    status, _, rest = said.partition(" ")
    if int(status) in (301, 302, 303):
        return Example(network, title, number, asked, int(status), None, rest)
    return Example(network, title, number, asked, int(status), _json(rest) if rest else None)


def _json(text: str) -> Any:
    """The body, `,…}` read as the name MORE."""
    marked = re.sub(r"([,{])\s*…\s*}", lambda found: f'{found[1]}"{MORE}":"{MORE}"}}', text)
    try:
        return json.loads(marked)
    except ValueError as error:
        raise ValueError(f"an example is no JSON ({error}): {text}") from None
