"""The tables of the sandbox's reference: its plane path by path, the handle on a running one, and every key of a world file."""

import inspect
import re
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from typing import Any, Union

from starlette.routing import Route

from hitchpost_sandbox import networks
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.control import Plane, control_plane
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.people import (
    AdAccount,
    Board,
    Business,
    FacebookLogin,
    InstagramAccount,
    LinkedInMember,
    Organization,
    OrganizationRole,
    Page,
    Person,
    PinterestAccount,
    XAccount,
)
from hitchpost_sandbox.running import Running, Sent
from hitchpost_sandbox.world import World
from hitchpost_sandbox.worldfile import WorldFile

KINDS: Mapping[type, str] = {
    WorldFile: "The file",
    Person: "People",
    FacebookLogin: "People: Facebook",
    Page: "People: Facebook Pages",
    Business: "People: Facebook businesses",
    InstagramAccount: "People: Instagram",
    XAccount: "People: X",
    LinkedInMember: "People: LinkedIn",
    OrganizationRole: "People: LinkedIn roles",
    Organization: "People: LinkedIn pages",
    PinterestAccount: "People: Pinterest",
    Board: "People: Pinterest boards",
    AdAccount: "People: Pinterest ad accounts",
    App: "Apps",
    Fault: "Faults",
}
"""What a world file is made of, each with its heading, in the order of the page."""
_PLAIN: Mapping[Any, str] = {str: "text", int: "whole number", float: "number", bool: "`true` or `false`"}
_METHOD = re.compile(r"^(GET|PUT|POST|DELETE): ", re.MULTILINE)


def plane_table(plane: type[Plane] = Plane) -> str:
    """Every path of the plane with every method that it takes. Raises LookupError for a method that no docstring tells of."""
    lines = ["| Call | What it is answered, or does |", "|---|---|"]
    for route in control_plane(World(), networks.found()).routes:
        assert isinstance(route, Route)
        answer = getattr(plane, getattr(route.endpoint, "__name__", ""), None)
        if not route.path.startswith("/_sandbox/") or answer is None:
            continue
        _, *told = _METHOD.split(inspect.getdoc(answer) or "")
        said = dict(zip(told[::2], told[1::2], strict=True))
        if missing := ((route.methods or set()) - {"HEAD"}) ^ set(said):
            raise LookupError(f"Plane.{answer.__name__} and its docstring differ about {missing}")
        lines += [f"| `{method} {route.path.replace(':int', '')}` | {_one_line(text)} |" for method, text in said.items()]
    return "\n".join(lines)


def running_table() -> str:
    """Every method of the handle with its arguments, and what `allow` and `deny` give back."""
    lines = ["| Method | What it does, and gives back |", "|---|---|"]
    for name, method in _public(Running, types.FunctionType):
        arguments = [*inspect.signature(method).parameters.values()][1:]
        lines.append(f"| `{name}({', '.join(_listed(arguments))})` | {_one_line(inspect.getdoc(method))} |")
    lines += ["", "What `allow` and `deny` give back:", "", "| Of `Sent` | What it is |", "|---|---|"]
    for field in fields(Sent):
        said = re.search(rf"`{field.name}`: (.+?\.)", inspect.getdoc(Sent) or "")
        assert said is not None, field.name
        lines.append(f"| `{field.name}` | {said[1][0].upper()}{said[1][1:]} |")
    lines += [f"| `{name}` | {_one_line(inspect.getdoc(one))} |" for name, one in _public(Sent, property)]
    return "\n".join(lines)


def _public(kind: type, wanted: type) -> Iterable[tuple[str, Any]]:
    return ((name, one) for name, one in vars(kind).items() if not name.startswith("_") and isinstance(one, wanted))


def _listed(arguments: Iterable[inspect.Parameter]) -> Iterable[str]:
    """The arguments as somebody who calls writes them: names and defaults, and `*` where only names go on."""
    starred = False
    for one in arguments:
        if one.kind is one.KEYWORD_ONLY and not starred:
            starred = True
            yield "*"
        if one.kind is one.VAR_KEYWORD:
            yield f"**{one.name}"
        elif one.default is one.empty:
            yield one.name
        else:
            yield f'{one.name}="{one.default}"' if isinstance(one.default, str) else f"{one.name}={one.default}"


def keys_tables() -> str:
    """Every key of a world file, table by table."""
    sections = []
    for kind, title in KINDS.items():
        hints = typing.get_type_hints(kind)
        lines = [f"### {title}", "", " ".join((inspect.getdoc(kind) or "").split()), "", "| Key | Value | Left out |", "|---|---|---|"]
        lines += [f"| `{one.name}` | {_value(hints[one.name])} | {_left_out(one)} |" for one in fields(kind) if one.init]
        sections.append("\n".join(lines))
    return "\n\n".join(sections)


def _value(hint: Any) -> str:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return " or ".join(_value(one) for one in inner if one is not type(None))
    if origin is tuple or origin is frozenset:
        return f"list of {_value(inner[0])}"
    if origin is Mapping:
        return f"table of {_value(inner[1])}"
    if is_dataclass(hint):
        title = KINDS[typing.cast(type, hint)]
        return f"[{title}](#{title.lower().replace(':', '').replace(' ', '-')})"
    return _PLAIN[hint]


def _left_out(one: Field[Any]) -> str:
    if one.default is MISSING and one.default_factory is MISSING:
        return "refused"
    value = one.default if one.default_factory is MISSING else one.default_factory()
    if isinstance(value, bool):
        return f"`{str(value).lower()}`"
    if value is None or value in ("", (), frozenset(), {}):
        return "–" if value is None else "empty"
    return ", ".join(f"`{each}`" for each in value) if isinstance(value, tuple) else f"`{value}`"


def _one_line(text: str | None) -> str:
    return " ".join((text or "").split()).replace("|", "\\|")
