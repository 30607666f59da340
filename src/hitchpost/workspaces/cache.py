"""Cache: remembers what was read for at most one second, and forgets at once when this process changes something."""

from collections import OrderedDict
from typing import Generic, TypeVar

from hitchpost.clock import Clock

V = TypeVar("V")


class Cache(Generic[V]):
    """Bounded, least recently used out first. `seconds`: how long an answer stands, counted from when its read began.

    What is not there can be remembered too: let V include None. Everything is forgotten together, because one change (a role, a name)
    may stand in the answers of many; a second later they would be read again anyway.
    """

    def __init__(self, clock: Clock, *, seconds: float = 1.0, most: int = 10_000) -> None:
        self._monotonic = clock.monotonic
        self._seconds, self._most = seconds, most
        self._entries: OrderedDict[str, tuple[float, V]] = OrderedDict()
        self._generation = 0

    def get(self, key: str, missing: V) -> V:
        """What was read for `key` not longer ago than `seconds`, else `missing`."""
        entry = self._entries.get(key)
        if entry is None or entry[0] <= self._monotonic():
            return missing
        self._entries.move_to_end(key)
        return entry[1]

    def reading(self) -> tuple[int, float]:
        """To be asked before the read whose outcome is then given to `fill`."""
        return self._generation, self._monotonic()

    def fill(self, key: str, value: V, reading: tuple[int, float]) -> None:
        """Remember what was read. It is dropped if anything was forgotten since the read began: it may be from before the change."""
        generation, began = reading
        if generation != self._generation:
            return
        self._entries[key] = began + self._seconds, value
        self._entries.move_to_end(key)
        if len(self._entries) > self._most:
            self._entries.popitem(last=False)

    def forget(self) -> None:
        """Forget everything; to be called as soon as a change is committed."""
        self._generation += 1
        self._entries.clear()
