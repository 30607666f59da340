"""What a look that saw nothing leaves in its reaches' rows, for who waits for it elsewhere and for who asks again soon; pure."""

import json
from dataclasses import dataclass
from datetime import datetime

from hitchpost.networks.errors import Expected, Fault, FaultKind
from hitchpost.tokens import timing


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


def of(text: str, claim_id: str) -> Fault | None:
    """The Fault for which the look of this claim saw nothing, if it is that look's outcome that stands."""
    return one.fault if (one := Unseen.read(text)) is not None and one.claim_id == claim_id else None


def lately(text: str, now: datetime) -> Fault | None:
    """The Fault for which the network has just failed a look, and which answers who asks now."""
    return one.holds(now) if (one := Unseen.read(text)) is not None else None


def failures_in_a_row(text: str) -> int:
    """How many looks the network has failed since the last one that saw something."""
    return one.times if (one := Unseen.read(text)) is not None else 0
