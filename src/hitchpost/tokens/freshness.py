"""What a grant's dates and state mean for the profiles that stand on it, and how its tokens are written down; pure."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import RowMapping

from hitchpost.errors import FixBy
from hitchpost.networks.base import TokenSet, Verdict
from hitchpost.secret import Secret

WARNED_BEFORE = timedelta(days=14)
"""How long before its end an access that cannot renew itself is shown as expiring."""

UNREADABLE = "access_unreadable"
"""The trouble of a grant whose stored tokens do not open."""

LIVES = timedelta(days=183)
"""How long a token may live whose end its network does not name. The longest that is known: X's refresh token, six months from its issue
(https://dev.to/xdevs/handling-refresh-tokens-in-the-oauth-20-authorization-code-flow-with-pkce-with-flask-481p, seen July 2026). It covers
what is not in the set as well: a Page's token outlives the person's that it was made from."""
FORMER_KEPT = 64
"""Former token sets that one grant remembers: one person who connects the same account for one workspace after another leaves one each
time, and of X's no end is known by which to forget them. Beyond it those go that end first."""
_FIRST_RETRY, _LONGEST_RETRY = timedelta(minutes=10), timedelta(hours=6)


class State(StrEnum):
    """How a profile stands, best first."""

    HEALTHY = "healthy"
    EXPIRING = "expiring"
    """The access ends at `until` and does not renew itself beyond."""
    MISSING_PERMISSIONS = "missing_permissions"
    """The access lives, but may not do what publishing needs; `missing` names the permissions that were not granted, if it is those."""
    NETWORK_TROUBLE = "network_trouble"
    """The access could not be renewed since `since`, for reasons that pass."""
    RECONNECT_REQUIRED = "reconnect_required"


@dataclass(frozen=True, slots=True)
class Standing:
    """How a profile stands now. `code` says why (of `errors.CATALOGUE` or `verdicts.VERDICTS`), `why` and `how` are sentences for people.

    `renews`: whether the access renews itself. `checked_at`: when the network last confirmed it. `can`: what may be done with it.
    """

    state: State
    code: str = ""
    until: datetime | None = None
    renews: bool = False
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    checked_at: datetime | None = None
    can: tuple[str, ...] = ()
    why: str = ""
    how: str = ""
    fix_by: FixBy = FixBy.PERSON


_BEST_FIRST = tuple(State)


def standing_of(backings: Iterable[RowMapping], now: datetime) -> Standing:
    """The standing of a profile by its backings, best first: one live grant is enough."""
    each = [_of_one(row, now) for row in backings]
    return min(each, key=lambda one: _BEST_FIRST.index(one.state)) if each else Standing(State.RECONNECT_REQUIRED, "not_confirmed")


def _of_one(row: RowMapping, now: datetime) -> Standing:
    seen = max(row["checked_at"], row["examined_at"])
    if row["backing"] != "live" or row["state"] != "live":
        return Standing(State.RECONNECT_REQUIRED, row["code"] or "not_confirmed", checked_at=seen)
    verdict = Verdict.read(json.loads(row["verdict"]))
    ends, renews = row["refresh_expires_at"] if row["renews_itself"] else row["access_expires_at"], bool(row["renews_itself"])
    if ends is not None and ends <= now:
        return Standing(State.RECONNECT_REQUIRED, "access_expired", checked_at=seen)
    if row["trouble"] == UNREADABLE:
        # Whatever its network says of it, nothing can be done with it from here.
        return Standing(State.RECONNECT_REQUIRED, UNREADABLE, since=row["trouble_since"], checked_at=seen)
    if not verdict.usable:
        out = verdict.grounds.out_of_reach
        state = State.RECONNECT_REQUIRED if out else State.MISSING_PERMISSIONS
        return Standing(
            state, verdict.code, ends, renews, verdict.missing, checked_at=seen, can=() if out else ("read",),
            why=verdict.why, how=verdict.how, fix_by=verdict.fix_by,
        )  # fmt: skip
    can = ("read", "publish")
    if row["trouble"] and row["access_expires_at"] is not None and row["access_expires_at"] <= now:
        return Standing(State.NETWORK_TROUBLE, row["trouble"], ends, renews, since=row["trouble_since"], checked_at=seen)
    if ends is not None and ends - now <= WARNED_BEFORE:
        return Standing(State.EXPIRING, "access_expiring", ends, renews, checked_at=seen, can=can)
    return Standing(State.HEALTHY, "", ends, renews, checked_at=seen, can=can)


def kept_refresh(new: TokenSet, old: TokenSet | None, now: datetime) -> TokenSet:
    """`new` with the old refresh token where it brings none and the old one can still live: an absent one wipes nothing (RFC 6749 §6)."""
    if new.refresh is not None or old is None or old.refresh is None:
        return new
    if old.refresh_expires_at is not None and old.refresh_expires_at <= now:
        return new
    return replace(new, refresh=old.refresh, refresh_expires_at=old.refresh_expires_at)


def with_former(new: TokenSet, old: TokenSet | None, now: datetime, *, spent: bool = False) -> TokenSet:
    """`new` remembering what it replaces and the network may still honour, FORMER_KEPT at most; what has run out is forgotten.

    `spent`: the old refresh token was given for `new`.
    """
    if old is None:
        return new
    replaced = replace(old, refresh=None if spent or new.refresh == old.refresh else old.refresh, former=())
    known = {(new.access, new.refresh), (new.access, None)}
    alive: list[tuple[TokenSet, datetime | None]] = []
    for one in (replaced, *old.former, *new.former):
        if (one.access, one.refresh) not in known and ((end := _end(one)) is None or end > now):
            known.add((one.access, one.refresh))
            alive.append((one, end))
    # Those without an end first, then the latest to end; of equals the newest.
    lasting = sorted(alive, key=lambda one: (one[1] is None, one[1] or now), reverse=True)
    return replace(new, former=tuple(one for one, _ in lasting[:FORMER_KEPT]))


def _end(tokens: TokenSet) -> datetime | None:
    return tokens.refresh_expires_at if tokens.refresh is not None else tokens.access_expires_at


def may_live_until(tokens: TokenSet, since: datetime) -> datetime:
    """Until when something of the set, former tokens included, may live at its network, which was first to end it at `since`."""
    named = (end for one in (tokens, *tokens.former) for end in (one.access_expires_at, one.refresh_expires_at) if end is not None)
    return max([since + LIVES, *named])


def next_revoke(now: datetime, tries: int, until: datetime, retry_at: datetime | None) -> datetime | None:
    """When to ask the network again after `tries` failures: after 10 minutes, then twice as long each time up to 6 hours.

    None once nothing of the access can live any more (`until`). A network that names a time (`retry_at`) is not asked before.
    """
    if now >= until:
        return None
    return max(now + min(_FIRST_RETRY * (1 << min(tries - 1, 10)), _LONGEST_RETRY), retry_at or now)


def written(tokens: TokenSet) -> Secret:
    """The one text of a token set, to be sealed as it is."""
    return Secret(json.dumps(_written(tokens)))


def _written(tokens: TokenSet) -> dict[str, Any]:
    return {
        "access": tokens.access.reveal(),
        "access_expires_at": _iso(tokens.access_expires_at),
        "refresh": tokens.refresh.reveal() if tokens.refresh else None,
        "refresh_expires_at": _iso(tokens.refresh_expires_at),
        "scopes": sorted(tokens.scopes) if tokens.scopes is not None else None,
        "extras": dict(tokens.extras),
        "former": [_written(one) for one in tokens.former],
    }


def read(text: Secret) -> TokenSet:
    """The token set of a text that `written` made."""
    return _read(json.loads(text.reveal()))


def _read(stored: dict[str, Any]) -> TokenSet:
    return TokenSet(
        Secret(stored["access"]),
        _moment(stored["access_expires_at"]),
        Secret(stored["refresh"]) if stored["refresh"] else None,
        _moment(stored["refresh_expires_at"]),
        frozenset(stored["scopes"]) if stored["scopes"] is not None else None,
        stored["extras"],
        tuple(_read(one) for one in stored.get("former", ())),
    )


def _iso(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
