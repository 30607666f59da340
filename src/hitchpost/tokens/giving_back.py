"""Giving back: a grant that no profile and no open flow needs ends at the network too, is tried again until done, and is destroyed here."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

import structlog

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.jobs.stopping import Stopping
from hitchpost.networks.base import Adapter, AppCredentials, Call, Login, Revocation, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import DEADLINE, NetworkHttp
from hitchpost.tokens import freshness, leases, reaches, repository
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.cipher import SealBroken
from hitchpost.tokens.stored import tokens_at_rest
from hitchpost.tokens.timing import LEASE
from hitchpost.tokens.vault import Vault

ABANDONED_AFTER = timedelta(minutes=15)
REVOKES_AT_A_TIME = 64
_AT_ONCE = 16


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
    """Here only: the network offers no revocation."""
    REVOKING = "revoking"
    """Under way: it is tried again until it is done."""


ENDED = (Fate.REVOKED, Fate.DESTROYED, Fate.SHARED)
OVER = (FaultKind.REVOKED, FaultKind.REFUSED)
"""What a network says of tokens that are dead already."""
_FATES = {Revocation.DONE: Fate.REVOKED, Revocation.ALREADY_DEAD: Fate.REVOKED, Revocation.UNSUPPORTED: Fate.DESTROYED}


class GivingBack:
    """`flow_open(tx, grant_id)`: whether a connection under way still needs the grant."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, apps: Apps, http: NetworkHttp, stopping: Stopping, *,
        flow_open: Callable[[Tx, str], bool],
    ) -> None:  # fmt: skip
        self._database, self._clock, self._vault, self._apps, self._http = database, clock, vault, apps, http
        self._flow_open, self._stopping = flow_open, stopping
        self._log = structlog.get_logger("hitchpost.tokens")

    async def sweep(self) -> int:
        """Story: give back, at the network too, every grant that no profile and no open flow needs; how many ended."""
        now = self._clock.now()
        rows = await self._database.read(lambda tx: repository.abandoned(tx, now - ABANDONED_AFTER, now, REVOKES_AT_A_TIME))
        gates = {row["app_id"]: asyncio.Semaphore(_AT_ONCE) for row in rows}

        async def one(grant_id: str, app_id: str) -> bool:
            async with gates[app_id]:
                if self._stopping.told:
                    return False
                try:
                    return await self.give_back(grant_id) in ENDED
                except SealBroken:
                    # A cell that was tampered with must not keep the others from ending; it stays as evidence.
                    self._log.error("the tokens of a grant do not open", grant=grant_id)
                    return False

        return sum(await asyncio.gather(*(one(str(row["id"]), row["app_id"]) for row in rows)))

    async def give_back(self, grant_id: str) -> Fate | None:
        """Story: give this grant back now, unless a profile or an open flow needs it; None if it had ended before. Raises SealBroken."""
        claim_id = new_id()
        claimed = await self._database.begin(lambda tx: self._claim_revoke(tx, grant_id, claim_id))
        if not isinstance(claimed, _Revoke):
            return claimed
        outcome, again = await self._revoked(claimed, grant_id)

        def record(tx: Tx) -> bool:
            # A newer consent may have taken the grant over meanwhile: then the version is not ours, and nothing is touched.
            values: dict[str, object] = {"due_at": again} if again else {"state": "gone", "due_at": None}
            if not leases.record(tx, grant_id, claim_id, version=claimed.version, values=values):
                # Our call may have reached the network after that consent, and have ended it as well: looked at now, it is told now.
                reaches.due_at(tx, grant_id, self._clock.now())
                return False
            if again:
                return False
            repository.destroy(tx, grant_id)
            return True

        ended = await self._database.begin(record)
        if not ended:
            return Fate.REVOKING
        self._log.info("grant given back", grant=grant_id, outcome=outcome)
        return outcome

    async def _revoked(self, claimed: "_Revoke", grant_id: str) -> tuple[Fate, datetime | None]:
        """Act: what became of it, and when to try again, or None when it is over (threat E8: revoke with retries, then destroy)."""
        try:
            return await claimed.act(self._http, self._clock), None
        except Fault as fault:
            if fault.kind in OVER:
                return Fate.REVOKED, None
            again = freshness.next_revoke(self._clock.now(), claimed.tries, fault.retry_at)
            said = {"fault": fault.code, "kind": fault.kind.value, "code": fault.problem}
            self._log.warning("a grant could not be given back", grant=grant_id, **said, again=again and again.isoformat())
            # Given up after a day: what is left is to destroy it here, and the person can still remove the app there.
            return Fate.REVOKING if again else Fate.DESTROYED, again

    def _claim_revoke(self, tx: Tx, grant_id: str, claim_id: str) -> "_Revoke | Fate | None":
        # Held first: an attach that is being written just now is either seen here, or finds the grant revoking.
        now, row = self._clock.now(), repository.hold(tx, grant_id)
        if row is None or row["state"] == "gone":
            return None
        # What is being given back already stays so: in an emergency no flow keeps it.
        if row["state"] != "revoking":
            if repository.is_backed(tx, grant_id):
                return Fate.KEPT
            if self._flow_open(tx, grant_id):
                return Fate.PENDING
        if row["app_id"] not in self._apps:
            return Fate.REVOKING
        # Renewals that failed before count for nothing here.
        tries = row["claims"] + 1 if row["state"] == "revoking" else 1
        held = {"claim_id": claim_id, "claim_kind": "revoke", "claims": tries, "due_at": now + LEASE, "state": "revoking"}
        if not repository.claim_grant(tx, grant_id, version=row["version"], now=now, values=held):
            return Fate.REVOKING
        app, tokens, served = self._apps[row["app_id"]], tokens_at_rest(tx, self._vault, grant_id), self._apps.served_by(row["app_id"])
        shared = repository.others_alive(tx, grant_id, app.client_id, row["subject"])
        at = None if tokens is None or served is None or shared else (*served, app, tokens)
        return _Revoke(row["version"], row["subject"], tries, Fate.SHARED if shared else Fate.DESTROYED, at)


@dataclass(frozen=True, slots=True)
class _Revoke:
    """A claimed revoke; `at` None: the network is not told, above all when another grant lives on the same login (threat A20).

    `untold`: what becomes of it then.
    """

    version: int
    subject: str
    tries: int
    untold: Fate
    at: tuple[Adapter, Login, AppCredentials, TokenSet] | None

    async def act(self, http: NetworkHttp, clock: Clock) -> Fate:
        if self.at is None:
            return self.untold
        adapter, login, app, tokens = self.at
        try:
            # Some networks take two calls; both together get no longer than one, so that stopping is bounded.
            async with asyncio.timeout(DEADLINE):
                call = Call(http, app, login, clock.now())
                for former in tokens.former:
                    try:
                        await adapter.revoke(call, former, self.subject)
                    except Fault as fault:
                        if fault.kind not in OVER:
                            raise
                return _FATES[await adapter.revoke(call, tokens, self.subject)]
        except TimeoutError:
            raise Fault(FaultKind.FATE_UNKNOWN, "deadline") from None
