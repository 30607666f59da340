"""One revoke: what is asked of the network without a transaction, and what its answers make of an access (law 1, threat E8).

A former token that the network fails to end keeps neither the others alive nor the present one.
"""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from hitchpost.clock import Clock
from hitchpost.networks.base import Adapter, AppCredentials, Call, Login, Revocation, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import DEADLINE, NetworkHttp
from hitchpost.tokens import freshness


class Fate(StrEnum):
    """What became of a grant that somebody needed no more."""

    KEPT = "kept"
    """Another profile stands on it."""
    PENDING = "pending"
    """A connection under way may still use it; it ends with that, if nothing comes of it."""
    SHARED = "shared"
    """Destroyed here; the login at the network lives on, for another grant shares it."""
    REVOKED = "revoked"
    DESTROYED = "destroyed"
    """Here only: the network does not let us end it."""
    REVOKING = "revoking"
    """Under way: it is tried again until it is done."""
    UNREADABLE = "unreadable"
    """What is stored of it does not open, since it was changed or damaged: nobody here can use it, or end it at the network."""


REFUSING = (FaultKind.REFUSED, FaultKind.PERMISSION)
"""What a network says to an app that may not end an access: to ask again would change nothing."""
STOPPING = (FaultKind.NOT_SENT, FaultKind.THROTTLED, FaultKind.MISCONFIGURED)
"""After these the network is asked nothing more for now: the next token would fare no better."""
_FAILURES = 3
"""Former tokens that may fail in one try before the rest of them wait for the next: perhaps it is the network that is in trouble."""
_FATES = {Revocation.DONE: Fate.REVOKED, Revocation.ALREADY_DEAD: Fate.REVOKED, Revocation.UNSUPPORTED: Fate.DESTROYED}


@dataclass(frozen=True, slots=True)
class Revoked:
    """`fate` None: nothing is settled, for the reason `fault`. `former`: the former tokens that have not ended yet."""

    fate: Fate | None
    fault: Fault | None = None
    former: tuple[TokenSet, ...] = ()


@dataclass(frozen=True, slots=True)
class Revoke:
    """A claimed revoke; `at` None: the network is not told, above all when another grant lives on the same login (threat A20).

    `untold`: what becomes of it then. `tries`: this one included. `since`: when it was first to be given back. `within`: seconds for all
    that is asked.
    """

    app_id: str
    version: int
    subject: str
    tries: int
    since: datetime
    untold: Fate
    at: tuple[Adapter, Login, AppCredentials, TokenSet] | None
    within: float = DEADLINE

    @property
    def until(self) -> datetime:
        """Until when anything of it may live at the network."""
        return self.since if self.at is None else freshness.may_live_until(self.at[-1], self.since)

    async def act(self, http: NetworkHttp, clock: Clock) -> Revoked:
        """Act: the former tokens first, for some networks end the whole login by the last one."""
        if self.at is None:
            return Revoked(self.untold)
        adapter, login, app, tokens = self.at
        call, left, failures, refused = Call(http, app, login, clock.now()), list(tokens.former), list[Fault](), list[Fault]()
        # However many calls it takes, together they get no longer than one, so that stopping is bounded.
        ends = asyncio.get_running_loop().time() + self.within
        for one in self._in_turn(tokens.former):
            try:
                refused += (await self._ended(adapter, call, one, before=ends))[1]
                left.remove(one)
            except Fault as fault:
                failures.append(fault)
                if fault.kind in STOPPING:
                    return Revoked(None, fault, tuple(left))
            if len(failures) >= _FAILURES:
                break
        try:
            fate, why = await self._ended(adapter, call, tokens, before=ends, last=True)
        except Fault as fault:
            return Revoked(None, fault, tuple(left))
        if left:
            # Asked once more together with what is left: a network that has ended it says so again.
            return Revoked(None, failures[0], tuple(left))
        refused += why
        return Revoked(Fate.DESTROYED, refused[-1]) if refused else Revoked(fate)

    def _in_turn(self, former: tuple[TokenSet, ...]) -> tuple[TokenSet, ...]:
        """Each try begins where the one before it may have given up, so that those that fail always keep no others waiting."""
        first = (self.tries - 1) * _FAILURES % len(former) if former else 0
        return former[first:] + former[:first]

    async def _ended(
        self, adapter: Adapter, call: Call, tokens: TokenSet, *, before: float, last: bool = False
    ) -> tuple[Fate, list[Fault]]:
        """What became of one token set, and why it was refused if it was. Raises Fault when it is to be tried again.

        `before`: by the loop's clock. One that is not the last gets half of what is left, so that its silence keeps no other from its turn.
        """
        left = before - asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(left if last else left / 2):
                return await self._asked(adapter, call, tokens)
        except TimeoutError:
            raise Fault(FaultKind.FATE_UNKNOWN, "deadline") from None

    async def _asked(self, adapter: Adapter, call: Call, tokens: TokenSet) -> tuple[Fate, list[Fault]]:
        try:
            return _FATES[await adapter.revoke(call, tokens, self.subject)], []
        except Fault as fault:
            if fault.kind in REFUSING:
                return Fate.DESTROYED, [fault]
            if fault.kind is FaultKind.REVOKED:
                # Dead already.
                return Fate.REVOKED, []
            raise
