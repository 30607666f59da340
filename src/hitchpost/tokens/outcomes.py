"""What a renewal's outcome makes of a grant's row; pure. Silence and trouble end nothing, only the network's definitive no does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy import RowMapping

from hitchpost.networks.base import Login, TokenSet
from hitchpost.networks.errors import Expected, Fault, FaultKind
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


@dataclass(frozen=True, slots=True)
class Unseen:
    """How a look saw nothing: whose claim it was, for those who wait for it in other processes, and why.

    `times`: how many looks in a row the network has failed, this one included; 0 if it was not asked. `at`: when the last one ended.
    """

    claim_id: str
    fault: Fault
    times: int
    at: datetime

    @classmethod
    def read(cls, text: str) -> "Unseen | None":
        """What `written` made; None for nothing, and for a cell that somebody changed: it tells nobody anything."""
        try:
            stored = json.loads(text or "{}")
            kind, code, detail, until, said = (stored[name] for name in ("kind", "code", "detail", "retry_at", "said"))
            row = Expected((code,), FaultKind(kind), detail, "", how=said["how"]) if said else None
            fault = Fault(FaultKind(kind), code, detail, retry_at=datetime.fromisoformat(until) if until else None, row=row)
            # What an older release wrote counts nothing.
            at = stored.get("at", "1970-01-01T00:00:00+00:00")
            return cls(stored["claim"], fault, stored.get("times", 0), datetime.fromisoformat(at))
        except (ValueError, KeyError, TypeError, AttributeError):
            return None

    def written(self) -> str:
        fault = self.fault
        until, said = fault.retry_at.isoformat() if fault.retry_at else "", {"how": fault.how} if fault.row else None
        return json.dumps({
            "claim": self.claim_id, "kind": fault.kind, "code": fault.code, "detail": fault.detail, "retry_at": until, "said": said,
            "times": self.times, "at": self.at.isoformat(),
        })  # fmt: skip

    def holds(self, now: datetime) -> Fault | None:
        """Why nobody who asks now is answered by another look: the last one was a short while ago, longer after each that failed."""
        until = self.at + timing.before_next_look(self.times)
        if not self.at <= now < until:
            return None
        fault = self.fault
        return Fault(fault.kind, fault.code, fault.detail, retry_at=max(until, fault.retry_at or until), row=fault.row)


def unseen(text: str, claim_id: str) -> Fault | None:
    """The Fault for which the look of this claim saw nothing, if it is that look's outcome that stands."""
    return one.fault if (one := Unseen.read(text)) is not None and one.claim_id == claim_id else None


def unseen_lately(text: str, now: datetime) -> Fault | None:
    """The Fault for which the network has just failed a look, and which answers who asks now."""
    return one.holds(now) if (one := Unseen.read(text)) is not None else None


def failures_in_a_row(text: str) -> int:
    """How many looks the network has failed since the last one that saw something."""
    return one.times if (one := Unseen.read(text)) is not None else 0


def next_try(row: RowMapping, fault: Fault, now: datetime) -> datetime:
    """When the grant is due again after this failure."""
    if fault.kind is FaultKind.FATE_UNKNOWN:
        return timing.after_doubt(now + timing.LEASE, now, row["access_expires_at"])
    return timing.after_failure(row["id"], fault, row["claims"] + 1, now)
