"""Projections of LinkedIn's unversioned API: which fields an answer has, and what its URNs name (`logoV2(original~:playableStreams)`).

Deprecated by LinkedIn and closed in the versioned API; clients of many years write them all the same.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from hitchpost_sandbox.networks.linkedin_api import Stop

Decorate = Callable[[str, str], dict[str, Any]]
"""What stands behind a URN, in the wanted form (`playableStreams`, or empty). Raises Stop where it cannot be shown."""

_FIELD = re.compile(r"(?P<name>\*|[A-Za-z$][\w$]*)(?P<each>\*?)(?P<behind>~\w*)?(?::(?P<form>\w+))?")
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a projection. `each`: of a list or map, every value is meant. `behind`: what its URN names is wanted too.

    `form`: in which form. `inner`: only these fields of it; None: all.
    """

    name: str
    each: bool
    behind: bool
    form: str
    inner: "tuple[Field, ...] | None"


def read(text: str) -> tuple[Field, ...]:
    """`(id,firstName,profilePicture(displayImage~:playableStreams))` as fields. Raises Stop for what is no projection."""
    fields, rest = _list(text, _DEEPEST)
    if rest:
        raise _unreadable()
    return fields


def _unreadable() -> Stop:
    return Stop(400, "Invalid query parameters passed to request", code="PARAM_INVALID")


def _list(text: str, deeper: int) -> tuple[tuple[Field, ...], str]:
    """The fields of one pair of brackets, and what comes after it."""
    if not text.startswith("(") or not deeper:
        raise _unreadable()
    fields: list[Field] = []
    while True:
        found = _FIELD.match(text, 1)
        if found is None:
            raise _unreadable()
        inner, text = None, text[found.end() :]
        if text.startswith("("):
            inner, text = _list(text, deeper - 1)
        if any(field.name == found["name"] for field in fields):
            # LinkedIn fails when a field is named twice (seen in public code).
            raise _unreadable()
        fields.append(Field(found["name"], bool(found["each"]), found["behind"] is not None, found["form"] or "", inner))
        if text.startswith(")"):
            return tuple(fields), text[1:]
        if not text.startswith(","):
            raise _unreadable()


def projected(value: Any, fields: tuple[Field, ...] | None, decorate: Decorate) -> Any:
    """`value` with only these fields. A URN that cannot be followed has its error under `name!` in the place of `name~`."""
    if fields is None or not isinstance(value, dict | list):
        return value
    if isinstance(value, list):
        return [projected(one, fields, decorate) for one in value]
    shown: dict[str, Any] = {}
    for field in fields:
        if field.name == "*":
            shown |= value
        elif field.name in value:
            shown |= _shown(field, value[field.name], decorate)
    return shown


def _shown(field: Field, value: Any, decorate: Decorate) -> dict[str, Any]:
    if field.each and isinstance(value, dict):
        return {field.name: {key: projected(one, field.inner, decorate) for key, one in value.items()}}
    if not field.behind or not isinstance(value, str):
        return {field.name: projected(value, field.inner, decorate)}
    try:
        found = projected(decorate(value, field.form), field.inner, decorate)
    except Stop as stop:
        return {field.name: value, f"{field.name}!": stop.body}
    return {field.name: value, f"{field.name}~": found}
