"""Fault: what went wrong at a network, classed by what may be done about it. Fails closed: the unknown is never `REVOKED`.

What networks are known to say is data: rows of `Expected`, listed by each login and adapter, printed in docs/errors.md.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Literal

from hitchpost.errors import Problem


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
    DECLINED = "declined"
    """The person did not allow it on the consent page."""
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
    WITHDRAWN = "withdrawn"
    """Nothing was asked: whoever runs the server has ended all access."""
    UNREADABLE = "unreadable"
    """Nothing was asked: what is stored here of the access does not open."""
    UNINTELLIGIBLE = "unintelligible"
    """The answer is not what the network promises: HTML, torn JSON, a missing field."""


_PROBLEMS = {
    FaultKind.NOT_SENT: "network_down",
    FaultKind.FATE_UNKNOWN: "network_down",
    FaultKind.TRANSIENT: "network_trouble",
    FaultKind.THROTTLED: "network_throttled",
    FaultKind.MISCONFIGURED: "app_misconfigured",
    FaultKind.DECLINED: "consent_denied",
    FaultKind.REFUSED: "code_refused",
    FaultKind.REVOKED: "access_revoked",
    FaultKind.PERMISSION: "permission_missing",
    FaultKind.BLOCKED: "account_blocked",
    FaultKind.UNINTELLIGIBLE: "network_unintelligible",
    FaultKind.HALTED: "halted",
    FaultKind.WITHDRAWN: "all_withdrawn",
    FaultKind.UNREADABLE: "access_unreadable",
}


_RETRYABLE = (
    FaultKind.NOT_SENT, FaultKind.FATE_UNKNOWN, FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.UNINTELLIGIBLE, FaultKind.HALTED,
)  # fmt: skip

Cause = Literal["", "expired", "revoked"]
"""How an access ended, where the network says so: its time was over, or somebody took it back."""


class Place(StrEnum):
    """Where a network says it: the same code may mean another thing elsewhere."""

    CONSENT = "consent page"
    TOKEN = "token endpoint"  # noqa: S105  a place, not a password
    INTROSPECTION = "introspection"
    API = "API"


@dataclass(frozen=True, slots=True)
class Expected:
    """One row of what a network is known to say, and what it means. Everything that is given must fit; the first row that does wins.

    `codes`, one of which must fit: `190/463` is that code with that subcode, `190` the code alone, `190/*` the code with any subcode or
    none, `200-299` any number among these, with any subcode or none. `status`: HTTP's, one or a range. `says`: words in the network's own
    text, in lower case, for cases that nothing else tells apart; `mark` is then the subcode that we give them.

    `kind` is the class, and names the house's code and who can mend it. `detail`: what completes that code's sentence for people. `how`:
    the way on, where the house's own is not the right one. `cause`: how an access ended. `source`: the section where the fact stands.
    """

    codes: tuple[str, ...]
    kind: FaultKind
    detail: str
    source: str
    status: str = ""
    says: str = ""
    mark: str = ""
    how: str = ""
    cause: Cause = ""

    def fits(self, status: int, code: str, said: str = "") -> bool:
        """Whether the network says this. `said`: its text, if it is needed."""
        return (
            (not self.codes or any(_fits(one, code) for one in self.codes))
            and (not self.status or _is(self.status, str(status)))
            and self.says in said.lower()
        )

    def __str__(self) -> str:
        """As people search for it."""
        named = ", ".join(f"`{one}`" for one in self.codes)
        said = (f"status {self.status}" if self.status else "", named, f"“{self.says}”" if self.says else "")
        return " · ".join(part for part in said if part) or "anything else"


def _is(wanted: str, number: str) -> bool:
    """Whether a number is the wanted one, or lies in the wanted range."""
    if (ends := re.fullmatch(r"(\d+)-(\d+)", wanted)) and number.isdecimal():
        return int(ends[1]) <= int(number) <= int(ends[2])
    return wanted == number


def _fits(wanted: str, code: str) -> bool:
    head = code.partition("/")[0]
    if wanted.endswith("/*"):
        return wanted.removesuffix("/*") == head
    return wanted == code or ("-" in wanted and _is(wanted, head))


class Fault(Exception):
    """A call to a network did not do what was asked.

    `code`: the network's own code, short and stable (`190/460`, `invalid_client`), or ours (`timeout`). `detail`: a sentence of ours for
    people, never the network's raw text (it may hold tokens or markup). `retry_at`: when the network said to come back. `row`: what it was
    judged by, when the network said it. `how`: the way on, where it is not the house's. `cause`: how the access ended, where that is known.
    """

    def __init__(
        self, kind: FaultKind, code: str, detail: str = "", *,
        retry_at: datetime | None = None, row: Expected | None = None, cause: Cause = "",
    ) -> None:  # fmt: skip
        self.kind = kind
        self.code = code
        self.detail = detail
        self.retry_at = retry_at
        self.row = row
        self.how = row.how if row else ""
        self.cause = row.cause if row else cause
        super().__init__(f"{kind.value}: {code}" + (f" ({detail})" if detail else ""))

    @property
    def retryable(self) -> bool:
        """Whether the same act may be tried again later without a new consent."""
        return self.kind in _RETRYABLE

    @property
    def problem(self) -> str:
        """The code in `hitchpost.errors.CATALOGUE` that explains it to people."""
        return _PROBLEMS[self.kind]

    @property
    def network_code(self) -> str:
        """The network's own code, for whoever helps; empty when the code is ours."""
        return self.code if self.row else ""

    def explained(self, *, network: str, provider: str) -> Problem:
        """The same in the house's words: pages, API and records speak of a fault by this alone."""
        when = f"after {self.retry_at:%H:%M} UTC" if self.retry_at else "in a few minutes"
        known = {"way": self.how, "network_code": self.network_code}
        facts = {"network": network, "provider": provider, "detail": self.detail or self.code, "when": when}
        return Problem(self.problem, **facts, **{name: fact for name, fact in known.items() if fact})


def moment(header: str, now: datetime) -> datetime | None:
    """When a limit's header says to come back: below 10^9 it is seconds to wait, above it is Unix time.

    None when it holds no number, or one that lies more than a month ahead; a moment that has passed is now.
    """
    if (digits := re.match(r"\s*(\d{1,10})\b", header)) is None:
        return None
    number = int(digits[1])
    at = now + timedelta(seconds=number) if number < 10**9 else datetime.fromtimestamp(number, UTC)
    return max(at, now) if at - now <= timedelta(days=31) else None


_CODE = re.compile(r"[A-Za-z0-9_.-]{1,40}(?:/[A-Za-z0-9_.-]{1,20}){0,2}")
"""What is short and plain enough to be a code. All else is text, which may hold tokens or markup."""
_RFC = "RFC 6749 §4.1.2.1"

SENT_BACK: tuple[Expected, ...] = (
    Expected(("access_denied",), FaultKind.DECLINED, "", _RFC),
    Expected(("server_error", "temporarily_unavailable"), FaultKind.TRANSIENT, "", _RFC),
    Expected(
        ("unauthorized_client", "invalid_scope", "invalid_request", "unsupported_response_type"),
        FaultKind.MISCONFIGURED,
        "it refuses the request that this server makes in the app's name",
        _RFC,
    ),
)
"""What any network may send a person back with from its consent page, in `error`."""

BEYOND: tuple[Expected, ...] = (
    Expected((), FaultKind.THROTTLED, "", "docs/errors.md#what-nobody-listed", status="429"),
    Expected((), FaultKind.TRANSIENT, "", "docs/errors.md#what-nobody-listed", status="500-599"),
    Expected((), FaultKind.UNINTELLIGIBLE, "", "docs/errors.md#what-nobody-listed"),
)
"""What follows the rows of every network: the unknown fails closed."""


_ENDING = (FaultKind.REFUSED, FaultKind.REVOKED)
_PASSING = (408, 425, 429)
"""Statuses below 500 that say: not now."""


def plain(code: object, otherwise: str) -> str:
    """`code` when it can be one, else `otherwise`."""
    text = str(code) if isinstance(code, str | int) and not isinstance(code, bool) else ""
    return text if _CODE.fullmatch(text) else otherwise


def judge(table: Sequence[Expected], status: int, code: object, said: str = "", *, retry_at: datetime | None = None) -> Fault:
    """The Fault for a failed answer, by the first row that fits; what is in no row fails closed. `said`: the network's text, to look into.

    A `code` that is none becomes the status: `http_400`. Whatever a code says, an answer whose status speaks of trouble ends nothing.
    """
    known = plain(code, f"http_{status}")
    definite = status < 500 and status not in _PASSING
    row = next(row for row in (*table, *BEYOND) if (definite or row.kind not in _ENDING) and row.fits(status, known, said))
    marked = f"{known}/{row.mark}" if row.mark else known
    # Some networks send a limit's reset with every answer: it means something for limits alone.
    return Fault(row.kind, marked, row.detail, retry_at=retry_at if row.kind is FaultKind.THROTTLED else None, row=row)
