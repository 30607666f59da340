"""Gates: how many calls of one kind an app may make just now, in all processes together, and whether its network is worth asking.

A gate closes after failures in a row and lets one call try when it opens again. What an outage has dammed up passes a second gate too,
which fills at a rate near the app's normal one, so that it flows out without a flood (R16) while who waits for a token is served at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import repository, timing
from hitchpost.tokens.models import gates

REFRESH, EXAMINE = "refresh", "examine"
DAMMED = "dammed"
"""What falls due by itself and has missed its date: it passes this gate as well."""
FLOOR = 30.0
"""Permits a minute that every app has, however few grants it has."""
ABOVE_NORMAL = 1.6
_DAMMED_FLOOR = 1.0
MISSED = timedelta(minutes=5)
_BURST = timedelta(seconds=10)
_LEAST_BURST = 8.0
_LEAST_DAMMED_BURST = 4.0
_FOR_CALLERS = 0.25
"""The share of a full gate that only people and programs who wait for a token may take."""
_CLOSES_AFTER = 5
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(minutes=10)
_OF_ONE = (FaultKind.REFUSED, FaultKind.REVOKED, FaultKind.PERMISSION, FaultKind.BLOCKED)
"""What a network says of one person's access, however many hear it in a row: it has answered (R18)."""
_AT_FAULT = {REFRESH: "operator_fault", EXAMINE: "operator_fault_examine"}
"""The app's state while the network refuses the app itself, by the kind of call: a look that passes shows nothing of its secret."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How fast a gate fills, in permits a minute, and the least that it holds when full."""

    a_minute: float
    least: float = _LEAST_BURST

    @classmethod
    def of(cls, normal: float, set_by_operator: float = 0.0) -> "Rate":
        """The rate for an app whose grants fall due `normal` times a minute, unless the operator has set one."""
        return cls(set_by_operator or max(FLOOR, ABOVE_NORMAL * normal))

    @classmethod
    def of_dammed(cls, normal: float, set_by_operator: float = 0.0) -> "Rate":
        """The rate for what such an app's grants have missed."""
        return cls(set_by_operator or max(_DAMMED_FLOOR, ABOVE_NORMAL * normal), _LEAST_DAMMED_BURST)

    @property
    def full(self) -> float:
        return max(self.least, self.a_minute * (_BURST / timedelta(minutes=1)))


@dataclass(frozen=True, slots=True)
class Passed:
    """How many calls may go. `until`: when to come back if none may."""

    permits: int
    until: datetime | None = None


def take(tx: Tx, app_id: str, bucket: str, wanted: int, rate: Rate, now: datetime, *, waiting: bool = False) -> Passed:
    """Step: take up to `wanted` permits. `waiting`: somebody waits for the answer, and may take the share that is kept for such."""
    fresh = {"app_id": app_id, "bucket": bucket, "permits": rate.full, "refilled_at": now, "failures": 0}
    insert_or_keep(tx, gates, fresh)
    same = (gates.c.app_id == app_id, gates.c.bucket == bucket)
    row = tx.execute(select(gates).where(*same).with_for_update()).mappings().one()
    if row["closed_until"] is not None and row["closed_until"] > now:
        return Passed(0, row["closed_until"])
    since = max(now - row["refilled_at"], timedelta())
    permits = min(rate.full, row["permits"] + rate.a_minute * (since / timedelta(minutes=1)))
    kept = 0.0 if waiting else rate.full * _FOR_CALLERS
    # After a closure one call tries for all.
    most = 1 if row["failures"] >= _CLOSES_AFTER else wanted
    taken = max(0, min(most, int(permits - kept)))
    tx.execute(update(gates).where(*same).values(permits=permits - taken, refilled_at=now))
    if taken:
        return Passed(taken)
    return Passed(0, now + timedelta(minutes=1) * max((1 + kept - permits) / rate.a_minute, 0.01))


def missed_before(tx: Tx, app_id: str, now: datetime) -> datetime:
    """Step: what was due before this has missed its date, for its app was closed then, or nobody was there."""
    shut = select(gates.c.closed_until).where(gates.c.app_id == app_id, gates.c.bucket == REFRESH)
    closed: datetime | None = tx.execute(shut).scalar_one_or_none()
    return max(now - MISSED, closed) if closed is not None else now - MISSED


def give_back(tx: Tx, app_id: str, bucket: str, permits: int) -> None:
    """Step: permits that were taken and not used."""
    if permits:
        same = (gates.c.app_id == app_id, gates.c.bucket == bucket)
        tx.execute(update(gates).where(*same).values(permits=gates.c.permits + permits))


def heard(tx: Tx, app_id: str, bucket: str, fault: Fault, now: datetime) -> None:
    """Step: what the network answered a failed call with, or that it did not, counts for or against it, or against the app.

    Only for what the network was really asked: what a gate of ours refused says nothing of it.
    """
    if fault.kind in _OF_ONE:
        went_well(tx, app_id, bucket)
    elif fault.kind is FaultKind.MISCONFIGURED:
        repository.set_app_state(tx, app_id, _AT_FAULT[bucket])
        went_wrong(tx, app_id, bucket, now, until=fault.retry_at or now + timing.OPERATOR)
    else:
        went_wrong(tx, app_id, bucket, now, until=fault.retry_at)


def worked(tx: Tx, app_id: str, bucket: str) -> None:
    """Step: a call did what was asked: neither the network nor the app is at fault, for this kind of call."""
    went_well(tx, app_id, bucket)
    repository.set_app_state(tx, app_id, "ok", was=_AT_FAULT[bucket])


def is_app_at_fault(tx: Tx, app_id: str, bucket: str) -> bool:
    """Whether it is the app itself that the network refuses, for this kind of call."""
    return repository.app_state(tx, app_id) == _AT_FAULT[bucket]


def went_well(tx: Tx, app_id: str, bucket: str) -> None:
    """Step: a call got an answer that says nothing against the network. A closure stays: the call began before it."""
    same = (gates.c.app_id == app_id, gates.c.bucket == bucket, gates.c.failures > 0)
    tx.execute(update(gates).where(*same).values(failures=0))


def went_wrong(tx: Tx, app_id: str, bucket: str, now: datetime, *, until: datetime | None = None) -> None:
    """Step: a call failed by the network's own trouble. `until`: closed at least so long, since the network said so."""
    same = (gates.c.app_id == app_id, gates.c.bucket == bucket)
    row = tx.execute(select(gates).where(*same).with_for_update()).mappings().one_or_none()
    if row is None:
        return
    failures, closed = row["failures"] + 1, row["closed_until"]
    if failures >= _CLOSES_AFTER and (closed is None or closed <= now):
        closed = now + min(_FIRST * (1 << min(failures - _CLOSES_AFTER, 10)), _LONGEST)
    if until is not None:
        # The network itself has closed the gate: then too one call tries for all.
        failures, closed = max(failures, _CLOSES_AFTER), max(closed or until, until)
    tx.execute(update(gates).where(*same).values(failures=failures, closed_until=closed))
