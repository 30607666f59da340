"""Gates: how many calls of one kind an app may make just now, in all processes together, and whether its network is worth asking.

A gate closes after failures in a row and lets one call try when it opens again: the others wait for that one's answer. What an outage
has dammed up passes a second gate too, which fills at a rate near the app's normal one, so that it flows out without a flood (R16) while
who waits for a token is served at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping, Update, select, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import closures, repository, timing
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
_FIRST = timedelta(seconds=30)
_OF_ONE = (FaultKind.REFUSED, FaultKind.REVOKED, FaultKind.PERMISSION, FaultKind.BLOCKED)
"""What a network says of one person's access, however many hear it in a row: it has answered (R18)."""
_AT_FAULT = {REFRESH: "operator_fault", EXAMINE: "operator_fault_examine"}
"""The words of an app's state while the network refuses the app itself, by the kind of call: a look that passes shows nothing of its
secret. Without any the state is `ok`."""


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
    row = _held(tx, app_id, bucket)
    assert row is not None, "it was made just now, and none is ever deleted under its app"
    if (closed := closures.closed_until(row, now)) is not None:
        return Passed(0, closed)
    since = max(now - row["refilled_at"], timedelta())
    permits = min(rate.full, row["permits"] + rate.a_minute * (since / timedelta(minutes=1)))
    kept = 0.0 if waiting else rate.full * _FOR_CALLERS
    # After a closure one call tries for all, and while it runs nobody else does.
    tries = row["failures"] >= _CLOSES_AFTER
    taken = max(0, min(1 if tries else wanted, int(permits - kept)))
    shut = {"closed_until": now + closures.TRY} if tries and taken else {}
    tx.execute(_change(app_id, bucket).values(permits=permits - taken, refilled_at=now, **shut))
    if taken:
        return Passed(taken)
    return Passed(0, now + timedelta(minutes=1) * max((1 + kept - permits) / rate.a_minute, 0.01))


def missed_before(tx: Tx, app_id: str, now: datetime) -> datetime:
    """Step: what was due before this has missed its date, for its app was closed then, or nobody was there."""
    row = tx.execute(select(gates).where(gates.c.app_id == app_id, gates.c.bucket == REFRESH)).mappings().one_or_none()
    if row is None or row["closed_until"] is None:
        return now - MISSED
    # Who asks while a try is under way is the one that tries: its closure began when the last one had ended.
    opened: datetime = row["refilled_at"] if closures.is_try(row) else row["closed_until"]
    # Never what is still to come, leases under way above all, whatever a clock that was wrong has written.
    return max(now - MISSED, min(opened, now))


def give_back(tx: Tx, app_id: str, bucket: str, permits: int) -> None:
    """Step: permits that were taken and not used; if it was a try, another one may."""
    if permits and (row := _held(tx, app_id, bucket)) is not None:
        tx.execute(_change(app_id, bucket).values(permits=gates.c.permits + permits, **_tried(row)))


def heard(tx: Tx, app_id: str, bucket: str, fault: Fault, now: datetime, *, again: bool = False) -> None:
    """Step: what the network answered a failed call with, or that it did not, counts for or against it, or against the app.

    Only for what the network was really asked: what a gate of ours refused says nothing of it. `again`: the last call for the same grant
    failed as well.
    """
    if fault.kind in _OF_ONE:
        went_well(tx, app_id, bucket)
    elif fault.kind is FaultKind.MISCONFIGURED and bucket in _AT_FAULT:
        went_wrong(tx, app_id, bucket, now, until=fault.retry_at or now + timing.OPERATOR)
        repository.note_app(tx, app_id, _AT_FAULT[bucket], holds=True)
    else:
        went_wrong(tx, app_id, bucket, now, until=fault.retry_at, again=again)


def worked(tx: Tx, app_id: str, bucket: str) -> None:
    """Step: a call did what was asked: neither the network nor the app is at fault, for this kind of call."""
    went_well(tx, app_id, bucket)
    repository.note_app(tx, app_id, _AT_FAULT[bucket], holds=False)


def is_app_at_fault(tx: Tx, app_id: str, bucket: str) -> bool:
    """Whether it is the app itself that the network refuses, for this kind of call."""
    return _AT_FAULT[bucket] in repository.app_state(tx, app_id).split()


def refusal(tx: Tx, app_id: str, bucket: str, until: datetime | None) -> Fault:
    """Step: what is said to who waits for a call that the gate did not let pass, until when it does not."""
    if is_app_at_fault(tx, app_id, bucket):
        return Fault(FaultKind.MISCONFIGURED, "app_at_fault", "the network refuses this server's app", retry_at=until)
    return Fault(FaultKind.THROTTLED, "gate", "the network is left alone for a while", retry_at=until)


def went_well(tx: Tx, app_id: str, bucket: str) -> None:
    """Step: a call got an answer that says nothing against the network. A closure stays, for the call began before it; a try's ends."""
    if (row := _held(tx, app_id, bucket, gates.c.failures > 0)) is not None:
        tx.execute(_change(app_id, bucket).values(failures=0, **_tried(row)))


def went_wrong(tx: Tx, app_id: str, bucket: str, now: datetime, *, until: datetime | None = None, again: bool = False) -> None:
    """Step: a call failed by the network's own trouble. `until`: closed at least so long, since the network said so.

    `again`: as the last one for the same grant did. One person's broken page, however often it is asked for, closes no gate (R18); it
    counts only as the one that tries for all.
    """
    if (row := _held(tx, app_id, bucket)) is None or (again and until is None and row["failures"] < _CLOSES_AFTER):
        return
    failures, closed = row["failures"] + 1, None if closures.is_try(row) else closures.closed_until(row, now)
    if failures >= _CLOSES_AFTER and closed is None:
        closed = now + min(_FIRST * (1 << min(failures - _CLOSES_AFTER, 10)), closures.LONGEST)
    if until is not None:
        # The network itself has closed the gate: then too one call tries for all.
        failures, closed = max(failures, _CLOSES_AFTER), max(closed or until, until)
    tx.execute(_change(app_id, bucket).values(failures=failures, closed_until=closed or row["closed_until"]))


def _held(tx: Tx, app_id: str, bucket: str, *which: ColumnElement[bool]) -> RowMapping | None:
    query = select(gates).where(gates.c.app_id == app_id, gates.c.bucket == bucket, *which)
    return tx.execute(query.with_for_update()).mappings().one_or_none()


def _change(app_id: str, bucket: str) -> Update:
    return update(gates).where(gates.c.app_id == app_id, gates.c.bucket == bucket)


def _tried(gate: RowMapping) -> dict[str, object]:
    """The gate's closure after its try: ended when that began, so that what it had dammed up is still known as such."""
    return {"closed_until": gate["refilled_at"]} if closures.is_try(gate) else {}
