"""Guessing budgets for signing in: waits that grow with wrong tries, and that end within minutes by themselves (threat F1).

Kept in memory and bounded; a restart forgets them. The owner is not locked out: wrong tries from one address slow that address
alone, and where an account is guessed at from everywhere, an address that signed in to it before is not slowed.
"""

import math
from collections import OrderedDict
from dataclasses import dataclass
from typing import Generic, TypeVar

from hitchpost.clock import Clock
from hitchpost.errors import Problem
from hitchpost.ids import digest
from hitchpost.web.address import neighbourhood

_FORGOTTEN_AFTER = 3600.0

V = TypeVar("V")


class _Bounded(OrderedDict[str, V], Generic[V]):
    """Keeps so many; what was touched longest ago is forgotten first."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self._most = most

    def put(self, key: str, value: V) -> None:
        self[key] = value
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)


@dataclass(frozen=True, slots=True)
class _Tries:
    count: int
    last: float


class _Budget:
    """`free` tries without a wait; from then on a wait after each, doubling from `first` to `longest` seconds."""

    def __init__(self, *, free: int, first: float, longest: float, remembered: int) -> None:
        self._free, self._first, self._longest = free, first, longest
        self._tries: _Bounded[_Tries] = _Bounded(remembered)

    def wait(self, key: str, now: float) -> float:
        """Seconds until the next try is let through; 0 or less: now."""
        tries = self._tries.get(key)
        if tries is None or tries.count < self._free:
            return 0.0
        # The exponent is bounded before the power, or a patient guesser makes it overflow.
        doubled = self._first * 2.0 ** min(tries.count - self._free, 16)
        return tries.last + min(doubled, self._longest) - now

    def spend(self, key: str, now: float) -> None:
        tries = self._tries.get(key)
        before = tries.count if tries and now - tries.last < _FORGOTTEN_AFTER else 0
        self._tries.put(key, _Tries(before + 1, now))

    def refund(self, key: str) -> None:
        """Take back one try; what others tried stays counted, or one's own account would buy guesses at another's."""
        tries = self._tries.get(key)
        if tries is not None:
            self._tries.put(key, _Tries(max(tries.count - 1, 0), tries.last))

    def forget(self, key: str) -> None:
        self._tries.pop(key, None)


@dataclass(frozen=True, slots=True)
class Try:
    """One try that was let through. It counts as wrong until `Budgets.forgive`."""

    account: str
    address: str
    pair: str
    known: bool


class Budgets:
    """Counts tries for an account at an address, for an address, and for an account; the longest of the waits holds.

    `remembered`: of how many of each it keeps count (about 400 bytes apiece).
    """

    def __init__(self, clock: Clock, *, remembered: int = 10_000) -> None:
        self._clock = clock
        self._pairs = _Budget(free=5, first=30, longest=300, remembered=remembered)
        self._addresses = _Budget(free=30, first=10, longest=300, remembered=remembered)
        self._accounts = _Budget(free=30, first=10, longest=120, remembered=remembered)
        self._known: _Bounded[None] = _Bounded(remembered)

    def take(self, email_key: str, address: str) -> Try:
        """Let one try through, or raise Problem sign_in_slowed. A refused try costs nothing and makes no wait longer.

        It is counted before its outcome is known, so tries at the same time do not share one permit.
        """
        account, address = digest(email_key), neighbourhood(address)
        pair, now = f"{account} {address}", self._clock.monotonic()
        known = pair in self._known
        waits = [self._addresses.wait(address, now), self._pairs.wait(pair, now), 0.0 if known else self._accounts.wait(account, now)]
        if max(waits) > 0:
            raise Problem("sign_in_slowed", minutes=str(math.ceil(max(waits) / 60)))
        self._addresses.spend(address, now)
        self._pairs.spend(pair, now)
        if not known:
            self._accounts.spend(account, now)
        return Try(account, address, pair, known)

    def forgive(self, one: Try) -> None:
        """The try was right: this person is known at this address from now on."""
        self._addresses.refund(one.address)
        self._pairs.forget(one.pair)
        if not one.known:
            self._accounts.refund(one.account)
        self._known.put(one.pair, None)
