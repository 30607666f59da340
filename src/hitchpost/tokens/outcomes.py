"""What a renewal's outcome makes of a grant's row; pure. Silence and trouble end nothing, only the network's definitive no does."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime

from sqlalchemy import RowMapping

from hitchpost.networks.base import Login, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import timing
from hitchpost.tokens.freshness import UNREADABLE, kept_refresh, with_former

Values = dict[str, object]

ENDING = (FaultKind.REFUSED, FaultKind.REVOKED)
"""The only kinds that end a grant."""
OPERATORS = FaultKind.MISCONFIGURED
"""The app's fault, not the grant's: no health of a connection changes by it."""
SEVERING = ("revoked", "unknown")
"""Causes after which each workspace needs its own confirmation again: perhaps the person wanted out (data model, "A Grant")."""
_SETTLED = (FaultKind.NOT_SENT, FaultKind.THROTTLED, FaultKind.MISCONFIGURED, FaultKind.PERMISSION, FaultKind.BLOCKED)
"""After these the tokens that were sent are as good as before."""


def merged(new: TokenSet, old: TokenSet, now: datetime) -> TokenSet:
    """The tokens to keep: an answer that leaves something out takes nothing away (RFC 6749 §6)."""
    kept = kept_refresh(new, old, now)
    scopes = old.scopes if kept.scopes is None else kept.scopes
    return with_former(replace(kept, scopes=scopes, extras={**old.extras, **kept.extras}), old, now, spent=True)


def unborn(grant_id: str, now: datetime) -> Values:
    """A grant's row before its first consent is recorded in the same transaction."""
    return {
        "id": grant_id, "name": "", "state": "gone", "cause": "", "code": "", "scopes": "", "granular": "", "renews_itself": False,
        "consented_at": now, "consent_seq": 0, "version": 0, "claim_id": "", "claim_kind": "", "claims": 0, "issued_at": now, "doubts": 0,
        "trouble": "", "checked_at": now,
    }  # fmt: skip


def renewed(grant_id: str, login: Login, tokens: TokenSet, now: datetime) -> Values:
    """The row after new tokens came. `code` stays: what was severed when the access ended last stays so until somebody confirms it."""
    return {
        "state": "live", "cause": "", "doubts": 0, "claims": 0, "trouble": "", "trouble_since": None, "checked_at": now,
        "issued_at": now, "scopes": " ".join(sorted(tokens.scopes or ())), **dates(grant_id, login, tokens, now),
    }  # fmt: skip


def dates(grant_id: str, login: Login, tokens: TokenSet, now: datetime) -> Values:
    """When tokens end, whether they renew themselves, and when the grant is next to be looked after: at their end if they do not."""
    due = tokens.access_expires_at
    if due is not None and login.tries(tokens):
        due = max(timing.next_due(grant_id, now, due), now + login.renewable_after)
    return {
        "access_expires_at": tokens.access_expires_at, "refresh_expires_at": tokens.refresh_expires_at,
        "renews_itself": login.renews(tokens), "due_at": due,
    }  # fmt: skip


def ended(row: Mapping[str, object] | RowMapping, fault: Fault, now: datetime) -> Values:
    """The row after the network's definitive no. `code` says whether an answer of ours was lost before, `cause` who ended it."""
    ends = row["refresh_expires_at"] or row["access_expires_at"]
    lost = bool(row["doubts"])
    if lost:
        cause = "superseded"
    elif isinstance(ends, datetime) and ends <= now:
        cause = "expired"
    else:
        cause = fault.cause or "unknown"
    code = "refresh_answer_lost" if lost else "access_expired" if cause == "expired" else "access_revoked"
    return {
        "state": "reconnect",
        "cause": cause,
        "code": code,
        "due_at": None,
        "doubts": 0,
        "claims": 0,
        "trouble": "",
        "trouble_since": None,
    }


def troubled(row: RowMapping, fault: Fault, now: datetime) -> Values:
    """The row after a failure that ends nothing: when to try again, and what is in doubt. `row`: as it was before the claim."""
    values: Values = {"doubts": row["doubts"] + (fault.kind not in _SETTLED), "due_at": next_try(row, fault, now)}
    if fault.kind is not OPERATORS:
        values |= _trouble(row, fault.problem, now)
    return values


def unreadable(row: RowMapping, now: datetime) -> Values:
    """The row when its tokens do not open. Nothing was asked, so nothing has ended: its access may well live."""
    return _trouble(row, UNREADABLE, now)


def _trouble(row: RowMapping, code: str, now: datetime) -> Values:
    """Since the first of its sort: the networks' trouble and ours have nothing to do with each other."""
    same = row["trouble_since"] is not None and (row["trouble"] == UNREADABLE) == (code == UNREADABLE)
    return {"trouble": code, "trouble_since": row["trouble_since"] if same else now}


def next_try(row: RowMapping, fault: Fault, now: datetime) -> datetime:
    """When the grant is due again after this failure."""
    if fault.kind is FaultKind.FATE_UNKNOWN:
        return timing.after_doubt(now + timing.LEASE, now, row["access_expires_at"])
    return timing.after_failure(row["id"], fault, row["claims"] + 1, now)
