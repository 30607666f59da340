"""Objects of the Graph and their lists, from the network's side: `fields`, nested ones with modifiers, edges as fields, and cursors."""

import base64
import binascii
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.twin import Visit

_FIELD = re.compile(r"\s*([A-Za-z_]\w*(?:\.\w+\([^()]*\))*|[{},])\s*")
_MODIFIER = re.compile(r"\.(\w+)\(([^()]*)\)")
_DEEPEST = 6
LIMIT = 25
"""Objects in one answer when nothing is asked; and at most, unless the app's switch `page_limit` says otherwise."""

Value = Any


@dataclass(frozen=True, slots=True)
class Asked:
    """One field as the caller asked for it: what is wanted `below` it in braces, and `said`, its modifiers (`.limit(5)`)."""

    below: "Tree" = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)


Tree = dict[str, Asked]


@dataclass(frozen=True, slots=True)
class Node:
    """An object of the graph: every field its kind has. A value of None is left out of answers; a function is called with what was Asked.

    `default`: what comes of it in a list when nothing is asked; `alone`: when it is read by its id.
    """

    kind: str
    values: Mapping[str, Value | Callable[[Asked], Value] | None]
    default: tuple[str, ...]
    alone: tuple[str, ...] = ()

    def shown(self, asked: Tree, *, alone: bool = False) -> dict[str, Value]:
        """The fields asked for, `id` in any case. Raises GraphError for a field that the kind does not have."""
        answer: dict[str, Value] = {}
        wanted = self.alone if alone and self.alone else self.default
        for name, one in (asked or {name: Asked() for name in wanted}).items():
            if name not in self.values:
                raise nonexisting(name, self.kind)
            value = self.values[name]
            value = value(one) if callable(value) else narrowed(value, one.below)
            if value is not None:
                answer[one.said.get("as", name)] = value.shown(one.below) if isinstance(value, Node) else value
        return answer | {"id": self.values["id"]}


def nonexisting(name: str, kind: str) -> GraphError:
    """100: the kind has no such field or edge."""
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")


def narrowed(value: Value, below: Tree) -> Value:
    """What `picture{url}` leaves of a value that is no node: of `data` inside it, and of each of a list."""
    if not below:
        return value
    if isinstance(value, list):
        return [narrowed(one, below) for one in value]
    if isinstance(value, dict):
        if set(value) == {"data"}:
            return {"data": narrowed(value["data"], below)}
        return {name: one for name, one in value.items() if name in below or name == "id"}
    return value


def fields(text: str) -> Tree:
    """The tree in `id,picture.type(large),accounts.limit(5){id,name}`. Raises GraphError."""
    root: Tree = {}
    stack, last, at = [root], "", 0
    while at < len(text):
        found = _FIELD.match(text, at)
        if found is None or (found[1] == "{" and not last) or (found[1] == "}" and len(stack) == 1):
            raise _syntax(text, at)
        at = found.end()
        if found[1] == "{":
            if len(stack) > _DEEPEST:
                raise GraphError(100, "(#100) Fields are nested too deeply")
            stack.append(stack[-1][last].below)
        elif found[1] == "}":
            stack.pop()
        elif found[1] != ",":
            last = found[1].partition(".")[0]
            stack[-1].setdefault(last, Asked()).said.update(_MODIFIER.findall(found[1]))
            continue
        last = ""
    if len(stack) > 1:
        raise _syntax(text, at)
    return root


def _syntax(text: str, at: int) -> GraphError:
    return GraphError(2500, f'Syntax error "Expected end of string instead of "{text[at : at + 1]}"." at character {at}: {text[:at]}')


def _written(tree: Tree) -> str:
    """The text that `fields` reads as this tree."""
    return ",".join(
        name + "".join(f".{key}({value})" for key, value in one.said.items()) + (f"{{{_written(one.below)}}}" if one.below else "")
        for name, one in tree.items()
    )


def edge(visit: Visit, path: str, nodes: Callable[[], Sequence[Node]]) -> Callable[[Asked], Value]:
    """An edge that is asked for as a field: its first answer, and nothing at all when it is empty or not permitted."""

    def shown(asked: Asked) -> Value:
        try:
            found = nodes()
        except GraphError:
            return None
        return listed(visit, {**asked.said, "fields": _written(asked.below)}, path, found) if found else None

    return shown


def listed(visit: Visit, given: Mapping[str, str], path: str, nodes: Sequence[Node]) -> dict[str, Value]:
    """One page of an edge: `data`, cursors, and `next` and `previous` as whole addresses that hold the token, as the network gives it.

    Many clients follow them blindly, so they lead to where the caller came.
    """
    asked = fields(given.get("fields", ""))
    said = given.get("limit", "")[:4]
    limit = max(1, min(int(said) if said.isdecimal() else LIMIT, _most(visit)))
    before = given.get("before", "")
    start = max(_after(before, nodes) - 1 - limit, 0) if before else _after(given.get("after", ""), nodes)
    shown = nodes[start : start + limit]
    body: dict[str, Value] = {"data": [node.shown(asked) for node in shown]}
    if shown:
        after = _cursor(shown[-1])
        body["paging"] = {"cursors": {"before": _cursor(shown[0]), "after": after}}
        asking = {"access_token": visit.token.value if visit.token else "", "fields": given.get("fields", ""), "limit": limit}
        if start + limit < len(nodes):
            body["paging"]["next"] = visit.address(f"/{path}?{urlencode(asking | {'after': after})}")
        if start:
            body["paging"]["previous"] = visit.address(f"/{path}?{urlencode(asking | {'before': _cursor(shown[0])})}")
    return body


def _most(visit: Visit) -> int:
    """The real maximum is not established; a small one keeps callers honest about cursors."""
    app = visit.authority.app(visit.token.client_id) if visit.token else None
    return int(app.options.get("page_limit", LIMIT)) if app else LIMIT


def publishing_limit(app: App, given: Mapping[str, str]) -> dict[str, Value]:
    """The one entry of `content_publishing_limit`: how many posts the app has made for the account in 24 hours, and how many it may."""
    total, used = int(app.options.get("quota_total", 100)), int(app.options.get("quota_usage", 0))
    everything = {"quota_usage": used, "config": {"quota_total": total, "quota_duration": 86400}}
    return {"data": [{name: everything[name] for name in fields(given.get("fields", "quota_usage")) if name in everything}]}


def _cursor(node: Node) -> str:
    return base64.urlsafe_b64encode(str(node.values["id"]).encode()).rstrip(b"=").decode()


def _after(cursor: str, nodes: Sequence[Node]) -> int:
    """The index behind the node that `cursor` names."""
    if not cursor:
        return 0
    try:
        last = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        return [str(node.values["id"]) for node in nodes].index(last) + 1
    except (binascii.Error, UnicodeDecodeError, ValueError):
        raise GraphError(100, "(#100) Invalid cursor") from None
