"""Fault scripts: which calls at the networks go wrong, how, and how often. The same script and seed always spoil the same calls.

A `Fault` says what happens (`does`) and to which calls; `Faults` counts matching calls and says what is due. `playing` carries it out.
"""

import asyncio
import random
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from fnmatch import fnmatchcase
from typing import Any


class Does(StrEnum):
    """What can happen to an answer at any network. Beside these, `Fault.does` may name one of the network's own `errors` or `turns`."""

    SLOW = "slow"
    """Answers after `seconds`, which it needs."""
    HOLD = "hold"
    """Answers when the fault is released."""
    HANG = "hang"
    """Never answers: the connection stays open for `seconds` (0: until the caller gives up), then closes."""
    DROP = "drop"
    """Closes the connection without a byte. With `acts`, the network has done what was asked, and only its answer is lost."""
    SERVER_ERROR = "server_error"
    """The network's own 5xx."""
    RATE_LIMIT = "rate_limit"
    """The network's own way of saying: too many calls."""
    HTML = "html"
    """A page of a proxy before the network, which says `status` (502 unless said otherwise) or is `body`."""
    TRUNCATED = "truncated"
    """Does what was asked and answers with the first half of the body."""
    ANSWER = "answer"
    """Answers with exactly `status`, `headers` and `body`."""


_LONGEST = 86_400.0
_HEADER, _VALUE = re.compile(r"(?!content-length$)[A-Za-z0-9-]+"), re.compile(r"[\x20-\x7e]*")


@dataclass(frozen=True, slots=True)
class Fault:
    """Which calls are spoiled, and how. Every filter that is empty fits all calls.

    `path`: a shell pattern over the real path (`/v*/me/accounts`; `*` takes slashes too); whoever asks for a fault may put the host
    before it. `where`: fields of the query or form that must have these values. `app`, `person`: whom the call's token, code or client id
    belongs to. `skip`: so many fitting calls pass first; then `times` calls are spoiled (0: all). `chance`: of each call that is due, by
    the world's seed. `acts`: the network does what was asked before it goes wrong. For turns, `app` and `person` left empty mean the
    caller's, and `target`, `scope` say what is lost.
    """

    does: str
    network: str = ""
    host: str = ""
    method: str = ""
    path: str = ""
    where: Mapping[str, str] = field(default_factory=dict)
    app: str = ""
    person: str = ""
    skip: int = 0
    times: int = 1
    chance: float = 1.0
    acts: bool = False
    seconds: float = 0.0
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""
    target: str = ""
    scope: str = ""

    def __post_init__(self) -> None:
        if not self.does:
            raise ValueError("'does' must say what goes wrong")
        if self.skip < 0 or self.times < 0 or self.seconds < 0 or not 0 <= self.chance <= 1:
            raise ValueError("'skip', 'times' and 'seconds' are not negative, and 'chance' lies between 0 and 1")
        if self.seconds > _LONGEST:
            raise ValueError(f"'seconds' are at most {_LONGEST:.0f}")
        if any(not _HEADER.fullmatch(name) or not _VALUE.fullmatch(value) for name, value in self.headers.items()):
            raise ValueError("'headers' are ASCII names and values")
        if self.status and not 200 <= self.status <= 599:
            raise ValueError("'status' is an HTTP status between 200 and 599")
        if self.does == Does.SLOW and not self.seconds:
            raise ValueError("'slow' needs 'seconds'")
        if self.does == Does.ANSWER and not self.status:
            raise ValueError("'answer' needs a 'status'")


_EVERYWHERE = frozenset(str(one) for one in Does)


@dataclass(frozen=True, slots=True)
class Spoilt:
    """One call as a script sees it. `values`: query and form as one. `who` answers (app, person), asked only when needed."""

    network: str
    host: str
    method: str
    path: str
    values: Mapping[str, str]
    who: Callable[[], tuple[str, str]]

    def fits(self, fault: Fault) -> bool:
        """Whether `fault` means this call."""
        if fault.network not in ("", self.network) or fault.host not in ("", self.host) or fault.method.upper() not in ("", self.method):
            return False
        if fault.path and not fnmatchcase(self.path, fault.path):
            return False
        if any(self.values.get(name) != value for name, value in fault.where.items()):
            return False
        if not fault.app and not fault.person:
            return True
        app, person = self.who()
        return fault.app in ("", app) and fault.person in ("", person)


@dataclass(slots=True)
class Script:
    """A fault on the list: how many calls fitted, how many it spoiled, how many it holds now."""

    id: int
    fault: Fault
    fitted: int = 0
    spoiled: int = 0
    holding: int = 0
    released: asyncio.Event = field(default_factory=asyncio.Event)
    dice: random.Random = field(default_factory=random.Random, repr=False)

    @property
    def over(self) -> bool:
        """Whether it will never spoil a call again."""
        return bool(self.fault.times) and self.spoiled >= self.fault.times

    def due(self) -> bool:
        """Count one fitting call; whether it is to be spoiled."""
        self.fitted += 1
        if self.over or self.fitted <= self.fault.skip:
            return False
        if self.fault.chance < 1 and self.dice.random() >= self.fault.chance:
            return False
        self.spoiled += 1
        return True

    async def hold(self) -> None:
        """Wait until the fault is released."""
        self.holding += 1
        try:
            await self.released.wait()
        finally:
            self.holding -= 1


class Faults:
    """The scripts of one world, in the order in which they were written."""

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed
        self._scripts: dict[int, Script] = {}
        self._next = 1

    def add(self, fault: Fault) -> Script:
        """Put a fault on the list."""
        script = Script(self._next, fault, dice=random.Random(f"{self.seed}:{self._next}"))  # noqa: S311 - a test's dice, not a secret
        self._scripts[script.id] = script
        self._next += 1
        return script

    @property
    def scripts(self) -> tuple[Script, ...]:
        return tuple(self._scripts.values())

    def remove(self, number: int) -> bool:
        """Take a fault off the list and let go what it holds. False when there is none of this number."""
        script = self._scripts.pop(number, None)
        if script is None:
            return False
        script.released.set()
        return True

    def clear(self) -> None:
        """Take every fault off the list."""
        for number in list(self._scripts):
            self.remove(number)

    def meeting(self, call: Spoilt, *, turns: frozenset[str], errors: frozenset[str]) -> tuple[list[Script], Script | None]:
        """What this call meets: every turn that is due, and the first other fault that is. Later ones wait for another call.

        `turns`, `errors`: the words of the call's network; a word of another one means calls of that one alone.
        """
        befalls: list[Script] = []
        meets: Script | None = None
        for script in self._scripts.values():
            if script.fault.does not in turns | errors | _EVERYWHERE or not call.fits(script.fault):
                continue
            if script.fault.does in turns:
                if script.due():
                    befalls.append(script)
            elif meets is not None:
                # It counts the call and spoils a later one.
                script.fitted += 1
            elif script.due():
                meets = script
        return befalls, meets

    def kept(self) -> tuple[Any, ...]:
        """The list as it is now, for `back`; the dice only of scripts that throw them. Calls that are held stay with this list."""
        return self.seed, self._next, [
            (one.id, one.fault, one.fitted, one.spoiled, one.dice.getstate() if one.fault.chance < 1 else None)
            for one in self._scripts.values()
        ]  # fmt: skip

    def back(self, kept: tuple[Any, ...]) -> None:
        """Go on from such a list."""
        self.seed, self._next, scripts = kept
        self._scripts = {number: Script(number, fault, fitted, spoiled) for number, fault, fitted, spoiled, _ in scripts}
        for number, *_, dice in scripts:
            if dice is not None:
                self._scripts[number].dice.setstate(dice)
