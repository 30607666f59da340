"""When a grant's tokens fall due, and how long to wait after each kind of failure; pure, and jittered by the grant's id alone."""

import hashlib
from datetime import datetime, timedelta

from hitchpost.networks.errors import Fault, FaultKind

LEASE = timedelta(seconds=120)
"""How long a claim holds; a network call ends long before (20 seconds)."""
DOUBT = timedelta(minutes=10)
EARLY = timedelta(seconds=90)
"""An access token that ends within this span is not given to anybody any more."""
CLOCKS_APART = timedelta(minutes=10)
"""How far the networks' clocks may be from ours (R15)."""
OPERATOR = timedelta(minutes=10)
"""How often a network that refuses the app itself is asked whether it still does."""
_BLOCKED = timedelta(hours=6)
_FIRST, _LONGEST = timedelta(seconds=30), timedelta(hours=1)
_LEAST = timedelta(minutes=1)
_LOOKS_AGAIN, _LOOKS_AGAIN_AT_LAST = timedelta(minutes=1), timedelta(minutes=10)


def next_due(grant_id: str, issued_at: datetime, expires_at: datetime) -> datetime:
    """Between half and three quarters of the tokens' life, always at the same place for one grant, so that grants spread out."""
    return issued_at + max((expires_at - issued_at) * (0.5 + 0.25 * _share(grant_id)), _LEAST)


def after_doubt(lease_end: datetime, now: datetime, access_ends: datetime | None) -> datetime:
    """When tokens whose fate is unknown may be sent once more: not before half of the access token's remaining life, 10 minutes at most."""
    left = max(access_ends - now, timedelta()) / 2 if access_ends is not None else DOUBT
    return lease_end + min(DOUBT, left)


def after_failure(grant_id: str, fault: Fault, tries: int, now: datetime) -> datetime:
    """When to try again after `tries` failures in a row that ended nothing."""
    if fault.retry_at is not None and fault.retry_at > now:
        return fault.retry_at + _jitter(grant_id, _FIRST)
    if fault.kind is FaultKind.MISCONFIGURED:
        return now + OPERATOR
    if fault.kind in (FaultKind.BLOCKED, FaultKind.PERMISSION):
        return now + _BLOCKED + _jitter(grant_id, _BLOCKED / 4)
    wait = min(_FIRST * (1 << min(tries - 1, 10)), _LONGEST)
    return now + wait + _jitter(grant_id, wait / 2)


def before_next_look(times: int) -> timedelta:
    """How long nobody's asking makes another look at what the network has failed to show so many times in a row."""
    return min(_LOOKS_AGAIN * (1 << min(times - 1, 10)), _LOOKS_AGAIN_AT_LAST) if times else timedelta()


def _jitter(grant_id: str, most: timedelta) -> timedelta:
    return most * _share(grant_id)


def _share(grant_id: str) -> float:
    """A number between 0 and 1 that belongs to the grant."""
    return int.from_bytes(hashlib.sha256(grant_id.encode()).digest()[:4], "big") / 2**32
