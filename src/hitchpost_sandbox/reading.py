"""Reads JSON and TOML into the sandbox's dataclasses, strictly: what is unknown, missing or of another kind is refused by its place."""

import difflib
import math
import types
import typing
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass
from functools import cache
from typing import Any, TypeVar, Union

T = TypeVar("T")


class Misread(Exception):
    """What was given is not what is understood; the message says where and what is wrong."""


def why(error: Exception) -> str:
    """What an error says, without the path that the system's own repeat."""
    return getattr(error, "strerror", None) or str(error)


_FEW = 12


def unknown(at: str, word: str, known: Iterable[str]) -> str:
    """The sentence that refuses a word: where it stands, and the known ones nearest to it; all that there are, if few and none near."""
    words = {one.lower(): one for one in sorted(known)}
    if not words:
        return f"{at}: '{word[:80]}' is not known; there is none that could be named"
    asked = word[:80].lower()
    near = difflib.get_close_matches(asked, words, 3, 0.6)
    if not near and len(words) > _FEW:
        near = difflib.get_close_matches(asked, words, 5, 0.0)
    said = f"nearest: {', '.join(words[one] for one in near)}" if near else f"known: {', '.join(words.values())}"
    return f"{at}: '{word[:80]}' is not known; {said}"


def one_of(at: str, word: str, known: Iterable[str]) -> None:
    """Raises ValueError, which `read` turns into Misread, unless `word` is known."""
    words = tuple(known)
    if word not in words:
        raise ValueError(unknown(f"'{at}'", word, words))


def read(kind: type[T], value: object, at: str = "") -> T:
    """`value` as a `kind` (a dataclass). `at`: its place, which each refusal begins with; none for a whole file. Raises Misread."""
    if not isinstance(value, Mapping):
        raise Misread(f"{at} must be an object")
    known = _known(typing.cast(Any, kind))
    for name in value:
        if name not in known:
            raise Misread(unknown(at or "the file's keys", str(name), known))
    given: dict[str, Any] = {}
    for name, (field, hint) in known.items():
        if name in value:
            given[name] = _read(hint, value[name], f"{at}.{name}".lstrip("."))
        elif field.default is MISSING and field.default_factory is MISSING:
            raise Misread(f"{at}.{name} is missing".lstrip("."))
    try:
        return kind(**given)
    except ValueError as error:
        raise Misread(f"{at}: {error}" if at else str(error)) from None


@cache
def _known(kind: Any) -> dict[str, tuple[Field[Any], Any]]:
    hints = typing.get_type_hints(kind)
    return {field.name: (field, hints[field.name]) for field in fields(kind) if field.init}


def _read(hint: Any, value: object, at: str) -> object:
    origin, inner = typing.get_origin(hint), typing.get_args(hint)
    if origin in (Union, types.UnionType):
        return _one_of(inner, value, at)
    if origin is tuple or origin is frozenset:
        if not isinstance(value, list):
            raise Misread(f"{at} must be a list")
        return origin(_read(inner[0], one, f"{at}[{index}]") for index, one in enumerate(value))
    if origin is Mapping:
        if not isinstance(value, Mapping):
            raise Misread(f"{at} must be an object")
        return {str(name): _read(inner[1], one, f"{at}.{name}") for name, one in value.items()}
    if is_dataclass(hint):
        return read(hint, value, at)  # type: ignore[arg-type]
    return _plain(hint, value, at)


def _one_of(kinds: tuple[Any, ...], value: object, at: str) -> object:
    """A value of one of several kinds; an absent dataclass is null."""
    if value is None and type(None) in kinds:
        return None
    left = [kind for kind in kinds if kind is not type(None)]
    if len(left) == 1:
        return _read(left[0], value, at)
    if type(value) not in left:
        raise Misread(f"{at} must be {' or '.join(_WORDS[kind] for kind in left)}")
    return _plain(type(value), value, at)


def _plain(kind: Any, value: object, at: str) -> object:
    if kind is float and type(value) is int:
        try:
            value = float(value)
        except OverflowError:
            raise Misread(f"{at} is too large") from None
    if isinstance(value, float) and not math.isfinite(value):
        raise Misread(f"{at} must be a number")
    if isinstance(value, str) and not _writable(value):
        raise Misread(f"{at} holds half a character, which cannot be written")
    # Exactly this type: True is an int to Python, and to nobody who writes a file.
    if type(value) is not kind:
        raise Misread(f"{at} must be {_WORDS[kind]}")
    return value


def _writable(text: str) -> bool:
    """Whether it can be written as UTF-8: JSON can spell halves of surrogate pairs, which nothing can."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_WORDS: dict[Any, str] = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
