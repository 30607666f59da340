"""Counting calls in fixed windows, for networks that say how many are left."""

import math
from dataclasses import dataclass
from datetime import timedelta

from hitchpost_sandbox.clock import SandboxClock


@dataclass(frozen=True, slots=True)
class Spent:
    """After one call: how many are left (-1: there was none left for it) and when the window ends, in Unix seconds."""

    limit: int
    left: int
    resets_at: int


class Limits:
    """One counter for each key and window; windows begin at multiples of their length since 1970."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._made: dict[tuple[str, int], int] = {}

    def kept(self) -> dict[tuple[str, int], int]:
        """What was counted, for `back`."""
        return dict(self._made)

    def back(self, kept: dict[tuple[str, int], int]) -> None:
        """Go on counting from there."""
        self._made = dict(kept)

    def spend(self, key: str, *, limit: int, window: timedelta) -> Spent:
        """Count one call for `key`; a call that finds nothing left costs nothing."""
        length = int(window.total_seconds())
        resets_at = (math.floor(self._clock.now().timestamp()) // length + 1) * length
        made = self._made.get((key, resets_at), 0)
        if made >= limit:
            return Spent(limit, -1, resets_at)
        self._made[key, resets_at] = made + 1
        return Spent(limit, limit - made - 1, resets_at)
