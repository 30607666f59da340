"""One revoke: what is asked of the network without a transaction, and what its answers make of an access (law 1, threat E8)."""

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

    `untold`: what becomes of it then. `tries`: this one included. `since`: when it was first to be given back.
    """

    app_id: str
    version: int
    subject: str
    tries: int
    since: datetime
    untold: Fate
    at: tuple[Adapter, Login, AppCredentials, TokenSet] | None

    @property
    def until(self) -> datetime:
        """Until when anything of it may live at the network."""
        return self.since if self.at is None else freshness.may_live_until(self.at[-1], self.since)

    async def act(self, http: NetworkHttp, clock: Clock) -> Revoked:
        """Act: the former tokens first, for some networks end the whole login by the last one."""
        if self.at is None:
            return Revoked(self.untold)
        adapter, login, app, tokens = self.at
        former = list(tokens.former)
        refused: Fault | None = None
        try:
            # However many calls it takes, together they get no longer than one, so that stopping is bounded.
            async with asyncio.timeout(DEADLINE):
                call = Call(http, app, login, clock.now())
                while former:
                    refused = (await self._ended(adapter, call, former[0]))[1] or refused
                    del former[0]
                fate, at_last = await self._ended(adapter, call, tokens)
        except TimeoutError:
            return Revoked(None, Fault(FaultKind.FATE_UNKNOWN, "deadline"), tuple(former))
        except Fault as fault:
            return Revoked(None, fault, tuple(former))
        refused = at_last or refused
        return Revoked(Fate.DESTROYED, refused) if refused else Revoked(fate)

    async def _ended(self, adapter: Adapter, call: Call, tokens: TokenSet) -> tuple[Fate, Fault | None]:
        """What became of one token set, and why it was refused if it was. Raises Fault when it is to be tried again."""
        try:
            return _FATES[await adapter.revoke(call, tokens, self.subject)], None
        except Fault as fault:
            if fault.kind in REFUSING:
                return Fate.DESTROYED, fault
            if fault.kind is FaultKind.REVOKED:
                # Dead already.
                return Fate.REVOKED, None
            raise
