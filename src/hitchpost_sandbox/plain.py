"""Writes what the sandbox remembers as JSON and reads it back. Reading runs nothing and imports nothing: it makes plain values, and
dataclasses and words of modules that are loaded already and were named as trusted.

Texts, numbers, truth values, null and lists stand as in JSON; everything else is an object with one tag. A dataclass that can change is
written once and named by its number where it stands again, so that what is shared stays shared.
"""

import sys
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class Unreadable(Exception):
    """What is read was not written by this version of the sandbox; the message says what is strange."""


class Writer:
    """Makes plain JSON values of one state."""

    def __init__(self) -> None:
        self._seen: dict[int, int] = {}

    def plain(self, value: Any) -> Any:
        """The value as JSON knows it. Raises TypeError for what cannot be kept."""
        kind = type(value)
        if kind in (str, int, float, bool, type(None)):
            return value
        if kind is list:
            return [self.plain(one) for one in value]
        if kind is dict:
            return {"dict": [[self.plain(name), self.plain(one)] for name, one in value.items()]}
        if kind is tuple:
            return {"tuple": [self.plain(one) for one in value]}
        if kind in (set, frozenset):
            return {kind.__name__: [self.plain(one) for one in sorted(value)]}
        if isinstance(value, datetime):
            return {"datetime": value.isoformat()}
        if isinstance(value, timedelta):
            return {"timedelta": [value.days, value.seconds, value.microseconds]}
        if isinstance(value, StrEnum):
            return {"word": [kind.__module__, kind.__qualname__, value.value]}
        if is_dataclass(kind):
            return self._record(kind, value)
        raise TypeError(f"{kind.__name__} cannot be kept")

    def _record(self, kind: Any, value: Any) -> Any:
        if kind.__dataclass_params__.frozen:
            number = 0
        elif id(value) in self._seen:
            return {"same": self._seen[id(value)]}
        else:
            number = self._seen[id(value)] = len(self._seen) + 1
        return {"record": [kind.__module__, kind.__qualname__, number, *(self.plain(getattr(value, name)) for name in _names(kind))]}


class Reader:
    """Makes one state of plain JSON values. `trusted`: whether dataclasses of this module may be made."""

    def __init__(self, trusted: frozenset[str]) -> None:
        self._trusted = trusted
        self._seen: dict[int, Any] = {}

    def value(self, plain: Any) -> Any:
        """The value as it was written. Raises Unreadable."""
        if isinstance(plain, list):
            return [self.value(one) for one in plain]
        if not isinstance(plain, Mapping):
            return plain
        try:
            ((tag, inner),) = plain.items()
            return self._tagged(tag, inner)
        except (ValueError, TypeError, KeyError, OverflowError) as error:
            raise Unreadable(str(error)) from None

    def _tagged(self, tag: str, inner: Any) -> Any:
        match tag:
            case "dict":
                return {self.value(name): self.value(one) for name, one in inner}
            case "tuple":
                return tuple(self.value(one) for one in inner)
            case "set":
                return {self.value(one) for one in inner}
            case "frozenset":
                return frozenset(self.value(one) for one in inner)
            case "datetime":
                return datetime.fromisoformat(inner)
            case "timedelta":
                days, seconds, microseconds = inner
                return timedelta(days, seconds, microseconds)
            case "word":
                module, name, word = inner
                return self._known(module, name, words=True)(word)
            case "same":
                return self._seen[inner]
            case "record":
                return self._record(*inner)
        raise Unreadable(f"'{tag}' means nothing here")

    def _record(self, module: str, name: str, number: int, *values: Any) -> Any:
        kind = self._known(module, name, words=False)
        made = kind(**dict(zip(_names(kind), [self.value(one) for one in values], strict=True)))
        if number:
            self._seen[number] = made
        return made

    def _known(self, module: str, name: str, *, words: bool) -> Any:
        found: Any = getattr(sys.modules.get(module), name, None) if module in self._trusted else None
        fits = isinstance(found, type) and (issubclass(found, StrEnum) if words else is_dataclass(found))
        if not fits or (found.__module__, found.__qualname__) != (module, name):
            raise Unreadable(f"there is no '{module}.{name}' to be remembered")
        return found


def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind) if field.init]
