"""Fault: what went wrong at a network, classed by what may be done about it. Fails closed: the unknown is never `REVOKED`."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum


class FaultKind(StrEnum):
    """The class decides what happens next; the code explains it."""

    NOT_SENT = "not_sent"
    """Nothing left this machine (DNS, connect, TLS, pool): may be repeated freely."""
    FATE_UNKNOWN = "fate_unknown"
    """Sent, but no whole answer came: it may have acted. Silence proves nothing."""
    TRANSIENT = "transient"
    """5xx and the like: the network's own trouble."""
    THROTTLED = "throttled"
    """Wait, until `retry_at` where known."""
    MISCONFIGURED = "misconfigured"
    """The operator's app is wrong: secret, scopes, version, review. No person can mend it."""
    REFUSED = "refused"
    """The code or grant in this request is definitively refused."""
    REVOKED = "revoked"
    """The access token is dead: expired, revoked, password changed."""
    PERMISSION = "permission"
    """The token lives but may not do this."""
    BLOCKED = "blocked"
    """The network has locked or suspended the account."""
    HALTED = "halted"
    """Nothing was asked: whoever runs the server has stopped all use of people's access."""
    UNINTELLIGIBLE = "unintelligible"
    """The answer is not what the network promises: HTML, torn JSON, a missing field."""


_PROBLEMS = {
    FaultKind.NOT_SENT: "network_down",
    FaultKind.FATE_UNKNOWN: "network_down",
    FaultKind.TRANSIENT: "network_trouble",
    FaultKind.THROTTLED: "network_throttled",
    FaultKind.MISCONFIGURED: "app_misconfigured",
    FaultKind.REFUSED: "code_refused",
    FaultKind.REVOKED: "access_revoked",
    FaultKind.PERMISSION: "permission_missing",
    FaultKind.BLOCKED: "account_blocked",
    FaultKind.UNINTELLIGIBLE: "network_unintelligible",
    FaultKind.HALTED: "halted",
}


_RETRYABLE = (
    FaultKind.NOT_SENT, FaultKind.FATE_UNKNOWN, FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.UNINTELLIGIBLE, FaultKind.HALTED,
)  # fmt: skip


class Fault(Exception):
    """A call to a network did not do what was asked.

    `code`: the network's own code, short and stable (`190/460`, `invalid_client`, `timeout`). `detail`: a sentence of ours for
    people, never the network's raw text (it may hold tokens or markup). `retry_at`: when the network said to come back.
    """

    def __init__(self, kind: FaultKind, code: str, detail: str = "", *, retry_at: datetime | None = None) -> None:
        self.kind = kind
        self.code = code
        self.detail = detail
        self.retry_at = retry_at
        super().__init__(f"{kind.value}: {code}" + (f" ({detail})" if detail else ""))

    @property
    def retryable(self) -> bool:
        """Whether the same act may be tried again later without a new consent."""
        return self.kind in _RETRYABLE

    @property
    def problem(self) -> str:
        """The code in `hitchpost.errors.CATALOGUE` that explains it to people."""
        return _PROBLEMS[self.kind]


@dataclass(frozen=True, slots=True)
class Expected:
    """One row of an adapter's table of expected failures: when `when(status, code)` holds, it is `kind`. First match wins.

    `source`: where the fact comes from (a section of the network's page in docs/networks).
    """

    when: Callable[[int, str], bool]
    kind: FaultKind
    detail: str
    source: str


def moment(header: str, now: datetime) -> datetime | None:
    """When a limit's header says to come back: below 10^9 it is seconds to wait, above it is Unix time.

    None when it holds no number, or one that lies more than a month ahead; a moment that has passed is now.
    """
    if (digits := re.match(r"\s*(\d{1,10})\b", header)) is None:
        return None
    number = int(digits[1])
    at = now + timedelta(seconds=number) if number < 10**9 else datetime.fromtimestamp(number, UTC)
    return max(at, now) if at - now <= timedelta(days=31) else None


def judge(table: Iterable[Expected], status: int, code: str, *, retry_at: datetime | None = None) -> Fault:
    """The Fault for a failed answer by the table; unknown ones fail closed: 429 waits, 5xx is transient, the rest is unintelligible.

    `retry_at`: when a limit's headers say to come back. Some networks send these with every answer; they mean something for limits alone.
    """
    for row in table:
        if row.when(status, code):
            return Fault(row.kind, code, row.detail, retry_at=retry_at if row.kind is FaultKind.THROTTLED else None)
    if status == 429:
        return Fault(FaultKind.THROTTLED, code, retry_at=retry_at)
    if status >= 500:
        return Fault(FaultKind.TRANSIENT, code)
    return Fault(FaultKind.UNINTELLIGIBLE, code)
