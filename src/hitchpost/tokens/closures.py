"""Closures: until when a gate lets nothing through, and which of its closures are believed whatever the clock has done meanwhile (R15)."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, ColumnElement, RowMapping, and_, exists, or_, type_coerce

from hitchpost.networks.http import DEADLINE
from hitchpost.tokens import timing
from hitchpost.tokens.models import gates

LONGEST = timedelta(minutes=10)
"""For which we close a gate ourselves, at most. What a network names may be longer."""
TRY = timedelta(seconds=DEADLINE)
"""For which a gate that has opened again is closed to all but the one that tries."""
_OURS = LONGEST + timing.LEASE
"""After its gate was last passed a closure of ours ends within this; what ends later a network has named."""
_MICROSECOND = timedelta(microseconds=1)


def closed_until(gate: RowMapping, now: datetime) -> datetime | None:
    """Until when this row of gates lets nothing through; None when it is open, or its closure comes of a clock that was wrong."""
    until: datetime | None = gate["closed_until"]
    if until is None or until <= now:
        return None
    # Passed in what is yet to come: the clock was put back, by more than two machines' clocks differ.
    wrong = gate["refilled_at"] > now + timing.LEASE and until > now + LONGEST and until <= gate["refilled_at"] + _OURS
    return None if wrong else until


def are_shut(app_id: ColumnElement[str], bucket: str, now: datetime) -> ColumnElement[bool]:
    """The same in SQL, for the app's gate `bucket`."""
    named = type_coerce(gates.c.closed_until, BigInteger) - type_coerce(gates.c.refilled_at, BigInteger) > _OURS // _MICROSECOND
    believed = or_(gates.c.refilled_at <= now + timing.LEASE, gates.c.closed_until <= now + LONGEST, named)
    return exists().where(and_(gates.c.app_id == app_id, gates.c.bucket == bucket, gates.c.closed_until > now, believed))


def is_try(gate: RowMapping) -> bool:
    """Whether the closure is that of a try, written as the gate was passed."""
    return gate["closed_until"] is not None and gate["closed_until"] == gate["refilled_at"] + TRY
