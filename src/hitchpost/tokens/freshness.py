"""What a grant's dates and state mean for the profiles that stand on it, and how its tokens are written down; pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import RowMapping

from hitchpost.networks.base import TokenSet
from hitchpost.secret import Secret

WARNED_BEFORE = timedelta(days=14)
"""How long before its end an access that cannot renew itself is shown as expiring."""

REVOKE_TRIES = 8
_FIRST_RETRY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Standing:
    """`healthy`, `expiring` (at `until`, and it cannot renew itself beyond), or `reconnect_required` with the code that says why."""

    state: str
    code: str = ""
    until: datetime | None = None


def standing_of(backings: Iterable[RowMapping], now: datetime) -> Standing:
    """The standing of a profile by its live backings, best first: one live grant is enough."""
    fallback = Standing("reconnect_required", "no_backing")
    for row in backings:
        if row["state"] != "live":
            fallback = Standing("reconnect_required", row["code"])
            continue
        ends = row["refresh_expires_at"] if row["renews_itself"] else row["access_expires_at"]
        if ends is None or ends - now > WARNED_BEFORE:
            return Standing("healthy")
        if ends > now:
            return Standing("expiring", until=ends)
        fallback = Standing("reconnect_required", "expired")
    return fallback


def kept_refresh(new: TokenSet, old: TokenSet | None, now: datetime) -> TokenSet:
    """`new` with the old refresh token where it brings none and the old one can still live: an absent one wipes nothing (RFC 6749 §6)."""
    if new.refresh is not None or old is None or old.refresh is None:
        return new
    if old.refresh_expires_at is not None and old.refresh_expires_at <= now:
        return new
    return TokenSet(new.access, new.access_expires_at, old.refresh, old.refresh_expires_at, new.scopes, new.extras)


def next_revoke(now: datetime, tries: int, retry_at: datetime | None) -> datetime | None:
    """When to ask the network again after `tries` failures, waiting twice as long each time; None after REVOKE_TRIES, within a day."""
    if tries >= REVOKE_TRIES:
        return None
    return max(now + _FIRST_RETRY * (1 << (tries - 1)), retry_at or now)


def written(tokens: TokenSet) -> Secret:
    """The one text of a token set, to be sealed as it is."""
    return Secret(
        json.dumps(
            {
                "access": tokens.access.reveal(),
                "access_expires_at": _iso(tokens.access_expires_at),
                "refresh": tokens.refresh.reveal() if tokens.refresh else None,
                "refresh_expires_at": _iso(tokens.refresh_expires_at),
                "scopes": sorted(tokens.scopes) if tokens.scopes is not None else None,
                "extras": dict(tokens.extras),
            }
        )
    )


def read(text: Secret) -> TokenSet:
    """The token set of a text that `written` made."""
    stored = json.loads(text.reveal())
    return TokenSet(
        Secret(stored["access"]),
        _moment(stored["access_expires_at"]),
        Secret(stored["refresh"]) if stored["refresh"] else None,
        _moment(stored["refresh_expires_at"]),
        frozenset(stored["scopes"]) if stored["scopes"] is not None else None,
        stored["extras"],
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
