"""Giving back: a grant that no profile and no open flow needs ends at the network too, is tried again until done, and is destroyed here."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

import structlog
from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.jobs.stopping import Stopping
from hitchpost.networks.base import TokenSet
from hitchpost.networks.errors import Fault
from hitchpost.networks.http import NetworkHttp
from hitchpost.tokens import freshness, gates, leases, reaches, repository
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.cipher import SealBroken
from hitchpost.tokens.gates import Rate
from hitchpost.tokens.revoke import Fate, Revoke, Revoked
from hitchpost.tokens.stored import put_to_rest, tokens_at_rest
from hitchpost.tokens.timing import LEASE
from hitchpost.tokens.vault import Vault

ABANDONED_AFTER = timedelta(minutes=15)
REVOKES_AT_A_TIME = 64
GIVE_BACK = "give_back"
"""The gate of these calls."""
_RATE = Rate(1.5 * REVOKES_AT_A_TIME, 1.5 * REVOKES_AT_A_TIME)
"""A whole round of one app passes at once, and leaves the share that is kept for people who wait."""
_AT_ONCE = 16
_UNREADABLE = timedelta(hours=6)
"""How often a cell that does not open is tried again: somebody may have put back what was there."""
ENDED = (Fate.REVOKED, Fate.DESTROYED, Fate.SHARED)


class Hurry(StrEnum):
    """Who wants an access given back, and so how the gate treats it."""

    SWEPT = "swept"
    WAITED_FOR = "waited_for"
    """Somebody waits for the answer, and goes before what is swept."""
    EMERGENCY = "emergency"
    """No gate holds it up: while a theft goes on, a network is asked whatever it said a minute ago."""


@dataclass(frozen=True, slots=True)
class AccessLeft:
    """An access that was destroyed here though its network did not end it, told to the rooms above in the transaction that destroys it.

    `code`: why it did not. `network_code`: what the network itself called it, or empty. `profile_ids`: what stood on it, ever.
    """

    grant_id: str
    code: str
    network_code: str
    profile_ids: tuple[str, ...]


class GivingBack:
    """`flow_open(tx, grant_id)`: whether a connection under way still needs the grant. `on_left(tx, left)`: told what lives on."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, apps: Apps, http: NetworkHttp, stopping: Stopping, *,
        flow_open: Callable[[Tx, str], bool], on_left: Callable[[Tx, AccessLeft], None],
    ) -> None:  # fmt: skip
        self._database, self._clock, self._vault, self._apps, self._http = database, clock, vault, apps, http
        self._flow_open, self._on_left, self._stopping = flow_open, on_left, stopping
        self._log = structlog.get_logger("hitchpost.tokens")

    async def sweep(self) -> int:
        """Story: give back, at the network too, every grant that no profile and no open flow needs; how many ended."""
        now = self._clock.now()
        rows = await self._database.read(lambda tx: repository.abandoned(tx, now - ABANDONED_AFTER, now, REVOKES_AT_A_TIME, GIVE_BACK))
        of_app: dict[str, list[str]] = {}
        for row in rows:
            of_app.setdefault(row["app_id"], []).append(str(row["id"]))
        return sum(await asyncio.gather(*(self._swept(grant_ids) for grant_ids in of_app.values())))

    async def _swept(self, grant_ids: Sequence[str]) -> int:
        """Of one app: the first goes alone, so that after an outage one call tries for all; then the others, side by side."""
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def one(grant_id: str) -> bool:
            async with at_once:
                return not self._stopping.told and await self.give_back(grant_id, Hurry.SWEPT) in ENDED

        first, *others = grant_ids
        return await one(first) + sum(await asyncio.gather(*(one(grant_id) for grant_id in others)))

    async def give_back(self, grant_id: str, hurry: Hurry = Hurry.WAITED_FOR) -> Fate | None:
        """Story: give this grant back now, unless a profile or an open flow needs it; None if it had ended before."""
        claim_id = new_id()
        claimed = await self._database.begin(lambda tx: self._claim_revoke(tx, grant_id, claim_id, hurry))
        if not isinstance(claimed, Revoke):
            return claimed
        done = await claimed.act(self._http, self._clock)
        return await self._database.begin(lambda tx: self._record(tx, grant_id, claim_id, claimed, done))

    # The claim.

    def _claim_revoke(self, tx: Tx, grant_id: str, claim_id: str, hurry: Hurry) -> Revoke | Fate | None:
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
        if row["app_id"] not in self._apps or (row["claim_id"] and (row["due_at"] is None or row["due_at"] > now)):
            return Fate.REVOKING
        try:
            revoke = self._to_be_done(tx, row, now)
        except SealBroken:
            # The cell stays as evidence, and keeps no others from ending.
            self._log.error("the tokens of a grant do not open, and cannot be given back", grant=grant_id)
            self._put_off(tx, row, now, now + _UNREADABLE)
            return Fate.UNREADABLE
        if revoke.at is not None and hurry is not Hurry.EMERGENCY:
            waiting = hurry is Hurry.WAITED_FOR
            passed = gates.take(tx, row["app_id"], GIVE_BACK, 1, _RATE, now, waiting=waiting)
            if not passed.permits:
                self._put_off(tx, row, now, passed.until or now)
                return Fate.REVOKING
        held = {
            "state": "revoking", "claim_id": claim_id, "claim_kind": "revoke", "claims": revoke.tries, "due_at": now + LEASE,
            "trouble_since": revoke.since,
        }  # fmt: skip
        return revoke if repository.claim_grant(tx, grant_id, version=row["version"], now=now, values=held) else Fate.REVOKING

    def _to_be_done(self, tx: Tx, row: RowMapping, now: datetime) -> Revoke:
        # Renewals that failed before count for nothing here.
        tries, since = row["claims"] + 1 if row["state"] == "revoking" else 1, _since(row, now)
        app, tokens, served = self._apps[row["app_id"]], tokens_at_rest(tx, self._vault, row["id"]), self._apps.served_by(row["app_id"])
        shared = repository.others_alive(tx, row["id"], app.client_id, row["subject"])
        at = None if tokens is None or served is None or shared else (*served, app, tokens)
        return Revoke(row["app_id"], row["version"], row["subject"], tries, since, Fate.SHARED if shared else Fate.DESTROYED, at)

    def _put_off(self, tx: Tx, row: RowMapping, now: datetime, until: datetime) -> None:
        """It is being given back, and the network is not asked before `until`."""
        tries, since = row["claims"] if row["state"] == "revoking" else 0, _since(row, now)
        values = {"state": "revoking", "claim_id": "", "claim_kind": "", "claims": tries, "due_at": until, "trouble_since": since}
        repository.change_grant(tx, row["id"], values)

    # The record.

    def _record(self, tx: Tx, grant_id: str, claim_id: str, claimed: Revoke, done: Revoked) -> Fate:
        """Write what became of it; tried again while anything of it can live, then destroyed and said aloud (threat E8)."""
        now, fault = self._clock.now(), done.fault
        repository.hold(tx, grant_id)
        if claimed.at is not None:
            self._note_at_gate(tx, claimed.app_id, fault, now)
        left, again = self._left(tx, grant_id, claimed, done), None
        if done.fate is None and fault is not None:
            again = freshness.next_revoke(now, claimed.tries, claimed.until, fault.retry_at)
        elif left is not None:
            again = now
        values: dict[str, object] = {"state": "gone", "due_at": None}
        if again is not None:
            values = {"due_at": again, "trouble": fault.problem if fault is not None else ""}
        # A newer consent may have taken the grant over meanwhile: then the version is not ours, and nothing is touched.
        if not leases.record(tx, grant_id, claim_id, version=claimed.version, values=values):
            # Our call may have reached the network after that consent, and have ended it as well: looked at now, it is told now.
            reaches.due_at(tx, grant_id, now)
            return Fate.REVOKING
        told = {"fault": fault.code, "kind": fault.kind.value, "problem": fault.problem} if fault is not None else {}
        if again is not None:
            self._log.warning("a grant could not be given back", grant=grant_id, again=again.isoformat(), **told)
            if left is not None:
                put_to_rest(tx, self._vault, grant_id, claimed.version, left)
            return Fate.REVOKING
        outcome = done.fate or Fate.DESTROYED
        if fault is not None and outcome is Fate.DESTROYED:
            self._log.error("a grant is destroyed here and lives on at its network", grant=grant_id, tries=claimed.tries, **told)
            stood = reaches.profiles_ever_on(tx, grant_id)
            self._on_left(tx, AccessLeft(grant_id, fault.problem, fault.network_code, stood))
        repository.destroy(tx, grant_id)
        self._log.info("grant given back", grant=grant_id, outcome=outcome)
        return outcome

    def _left(self, tx: Tx, grant_id: str, claimed: Revoke, done: Revoked) -> TokenSet | None:
        """The tokens as they are stored, without what has ended: a long list is worked off over several tries. None: nothing new to keep.

        What an older consent gave may have come to them meanwhile, and is to end as well.
        """
        if claimed.at is None:
            return None
        asked = claimed.at[-1].former
        try:
            stored = tokens_at_rest(tx, self._vault, grant_id)
        except SealBroken:
            return None
        if stored is None:
            return None
        former = tuple(one for one in stored.former if one not in asked or one in done.former)
        ended, come = len(done.former) < len(asked), any(one not in asked for one in former)
        return replace(stored, former=former) if come or (ended and done.fate is None) else None

    def _note_at_gate(self, tx: Tx, app_id: str, fault: Fault | None, now: datetime) -> None:
        """Some failures in a row, or a time that the network names, hold up all the app's revokes: one alone may be that login's own."""
        if fault is None:
            gates.went_well(tx, app_id, GIVE_BACK)
        else:
            gates.heard(tx, app_id, GIVE_BACK, fault, now)


def _since(row: RowMapping, now: datetime) -> datetime:
    """When it was first to be given back: what troubled its renewals before counts for nothing here."""
    return row["trouble_since"] if row["state"] == "revoking" and row["trouble_since"] else now
