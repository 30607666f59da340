"""Whether a shell pattern over paths, as fault scripts have them, can ever fit a path that a network answers at."""

import re
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase

LONGEST = 2000
"""Characters of a pattern; a longer one fits nothing."""
_PRINTABLE = frozenset(map(chr, range(32, 127)))
_DIGITS = frozenset("0123456789")
_SHELL = re.compile(r"\*+|\[!?\]?[^\]]*\]|.", re.DOTALL)
_ROUTE = re.compile(r"\{(?P<name>\w+)(?::(?P<kind>\w+))?\}|(?P<plain>.)", re.DOTALL)
Piece = tuple[frozenset[str], bool]
"""The characters that one place of a pattern takes, and whether it takes any number of them (also none)."""


def fitting(pattern: str, paths: Iterable[str]) -> list[str]:
    """Those of `paths` (patterns of routes: `/2/users/{id}`) at which a real path exists that the shell pattern fits as well."""
    if len(pattern) > LONGEST:
        return []
    every = _PRINTABLE | frozenset(pattern)
    shell = list(_of_shell(pattern, every))
    return [path for path in paths if _meet(shell, list(_of_route(path, every)))]


def shown(path: str) -> str:
    """A route's pattern as somebody would write it into a fault: `/2/users/*`."""
    return _ROUTE.sub(lambda found: found["plain"] or "*", path).replace("*.*", "*")


def _of_shell(pattern: str, every: frozenset[str]) -> Iterator[Piece]:
    for place in _SHELL.findall(pattern):
        if place[0] == "*":
            yield every, True
        elif len(place) == 1 and place != "?":
            yield frozenset(place), False
        else:
            yield frozenset(one for one in every if fnmatchcase(one, place)), False


def _of_route(path: str, every: frozenset[str]) -> Iterator[Piece]:
    """Starlette's converters: `path` takes everything and also nothing, the others at least one character and no slash."""
    for place in _ROUTE.finditer(path):
        if place["plain"]:
            yield frozenset(place["plain"]), False
        elif place["kind"] == "path":
            yield every, True
        else:
            takes = _DIGITS if place["kind"] == "int" else every - {"/"}
            yield takes, False
            yield takes, True


def _meet(one: list[Piece], other: list[Piece]) -> bool:
    """Whether some text fits both."""
    seen: set[tuple[int, int]] = set()
    todo = [(0, 0)]
    while todo:
        here = left, right = todo.pop()
        if here in seen:
            continue
        seen.add(here)
        if here == (len(one), len(other)):
            return True
        if left < len(one) and one[left][1]:
            todo.append((left + 1, right))
        if right < len(other) and other[right][1]:
            todo.append((left, right + 1))
        if left < len(one) and right < len(other) and one[left][0] & other[right][0]:
            todo.append((left + (not one[left][1]), right + (not other[right][1])))
    return False
