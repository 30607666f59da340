"""What happened at the networks, in order: tests ask here, so that they never believe the product's own word alone.

Secrets (codes, tokens) enter only as a fingerprint, so a ledger can be shown, kept and searched for leaks.
"""

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from itertools import islice

from hitchpost_sandbox.clock import SandboxClock

Fact = str | int | bool | list[str]


class What(StrEnum):
    """The kinds of entries; each lists the facts it carries in `Entry.facts`."""

    AUTHORIZE_SHOWN = "authorize_shown"
    """A consent page was shown: `scopes`, `redirect_uri`."""
    AUTHORIZE_REFUSED = "authorize_refused"
    """The network showed its own error page instead and sent nobody back: `reason`."""
    CONSENT_GIVEN = "consent_given"
    """`scopes`, `targets`, `family`: exactly what the person granted."""
    CONSENT_DENIED = "consent_denied"
    CONSENT_LEFT = "consent_left"
    """The person closed the consent page: nobody is sent back."""
    CODE_ISSUED = "code_issued"
    """`code` (fingerprint), `scopes`, `redirect_uri`, `family`."""
    CODE_REDEEMED = "code_redeemed"
    """`code`, `family`."""
    CODE_REFUSED = "code_refused"
    """`code`, `reason` (a word of `authority.Why`)."""
    CODE_REVOKED = "code_revoked"
    """An unused code ended with all that its person had granted: `code`, `reason`, `family`."""
    TOKEN_ISSUED = "token_issued"  # noqa: S105 - a kind of entry
    """`token` (fingerprint), `token_kind`, `scopes`, `family`."""
    TOKEN_ROTATED = "token_rotated"  # noqa: S105 - a kind of entry
    """`token`: the refresh token that has just been used up; `family`."""
    TOKEN_REFUSED = "token_refused"  # noqa: S105 - a kind of entry
    """`token`, `reason`."""
    TOKEN_REVOKED = "token_revoked"  # noqa: S105 - a kind of entry
    """`token`, `token_kind`, `reason`, `family`."""
    SCOPE_TAKEN = "scope_taken"
    """A person took back one permission: `token`, `scope`, `family`."""
    TURN = "turn"
    """Something befell a person: `turn`, and `target`, `scope`, `detail` where they were named."""
    FAULT = "fault"
    """A fault script spoiled the call that follows: `fault` (its number), `does`."""
    TOLD = "told"
    """The network called the app's own server: `kind`, `url`, `status` (0: nobody answered), `answer`."""
    BROKEN = "broken"
    """The sandbox itself failed and said so with 500: `error` (its type). Never planned; please report it."""
    CALL = "call"
    """Every request to a twin: `method`, `host`, `path` (never the query), `status` (0: the caller got no answer)."""


def fingerprint(secret: str) -> str:
    """How a secret is named in the ledger: the first 16 hexadecimal digits of its SHA-256."""
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()[:16]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened. `network` is the twin's or authority's name; `app` a client id, `person` a key of the cast, or empty."""

    seq: int
    at: str
    network: str
    what: What
    app: str
    person: str
    facts: Mapping[str, Fact] = field(default_factory=dict)

    def as_json(self) -> dict[str, object]:
        return asdict(self)


KEPT = 500_000
"""Entries in memory; older ones are forgotten, and `seq` goes on."""


class Ledger:
    """Append-only; nothing in the sandbox reads it to decide anything."""

    def __init__(self, clock: SandboxClock) -> None:
        self._clock = clock
        self._entries: list[Entry] = []
        self._forgotten = 0

    def write(self, network: str, what: What, *, app: str = "", person: str = "", **facts: Fact) -> None:
        """Add what happened just now."""
        at = self._clock.now().isoformat(timespec="milliseconds")
        self._entries.append(Entry(self._forgotten + len(self._entries) + 1, at, network, what, app, person, facts))
        if len(self._entries) >= 2 * KEPT:
            self._forgotten += KEPT
            del self._entries[:KEPT]

    @property
    def last(self) -> int:
        """The `seq` of the newest entry; 0 before the first."""
        return self._forgotten + len(self._entries)

    def back(self, entries: Iterable[Entry], last: int) -> None:
        """Go on after these entries, the newest of which has the `seq` `last`; older ones are forgotten."""
        self._entries = list(entries)
        self._forgotten = last - len(self._entries)

    def read(
        self,
        *,
        network: str = "",
        what: str = "",
        app: str = "",
        person: str = "",
        after: int | None = None,
        before: int | None = None,
        limit: int | None = None,
        **facts: Fact,
    ) -> tuple[Entry, ...]:
        """The entries that match every filter given, oldest first. `after`, `before`: only those with a greater, a smaller `seq`.

        `limit`: at most so many: the first ones behind `after` where it is given, otherwise the newest.
        """
        start = max((after or 0) - self._forgotten, 0)
        end = self.last if before is None else min(max(before - 1, 0), self.last)
        places = range(start, end - self._forgotten)
        backward = limit is not None and after is None
        matching = (
            entry
            for entry in map(self._entries.__getitem__, reversed(places) if backward else places)
            if network in ("", entry.network)
            and what in ("", entry.what)
            and app in ("", entry.app)
            and person in ("", entry.person)
            and all(entry.facts.get(name) == value for name, value in facts.items())
        )
        found = tuple(islice(matching, limit))
        return found[::-1] if backward else found

    def count(self, what: str, *, network: str = "", app: str = "", person: str = "", **facts: Fact) -> int:
        """How often `what` happened, filtered as by `read`."""
        return len(self.read(what=what, network=network, app=app, person=person, after=None, before=None, limit=None, **facts))
