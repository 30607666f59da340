"""What a network is to Hitchpost: facts first, methods second.

An adapter states facts (addresses, scopes, lives, marks, hosts of pictures) and adds methods only for what facts cannot say.
Everything that comes from a network leaves this window as one of the frozen dataclasses below.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Literal

from hitchpost.networks.errors import SENT_BACK, Expected, Fault, FaultKind, judge, plain
from hitchpost.networks.login import AppCredentials, Login, OAuthFacts, Renewal, TokenSet
from hitchpost.networks.verdict import Verdict
from hitchpost.secret import Secret

if TYPE_CHECKING:
    from hitchpost.networks.http import NetworkHttp

__all__ = [
    "Adapter", "AppCredentials", "Call", "Candidate", "Consent", "Derived", "Kind", "Listing", "Login", "OAuthFacts", "Picked", "Renewal",
    "Revocation", "Subject", "TokenSet", "Verdict",
]  # fmt: skip


class Kind(StrEnum):
    """What a profile is at its network: an identity, never a type of account (a Business that becomes a Creator stays `account`)."""

    PAGE = "page"
    ACCOUNT = "account"
    PERSON = "person"
    ORGANIZATION = "organization"

    @property
    def said(self) -> str:
        """As people read it."""
        return self.value.capitalize()


@dataclass(frozen=True, slots=True)
class Subject:
    """Who consented: the id that the token speaks for and that a second consent would replace. `image` is the network's address."""

    id: str
    name: str
    handle: str = ""
    image: str = ""


@dataclass(frozen=True, slots=True)
class Consent:
    """The outcome of one code exchange: tokens, whose they are, what was granted, and what was asked but not granted."""

    tokens: TokenSet
    subject: Subject
    granted: frozenset[str] | None = None
    missing: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Candidate:
    """What could be attached. `id_scope` is `global` when the id is the same for every app, `app` when it changes with the client id.

    `parent_id`: what it is reached through (the Page of an Instagram account), or empty. `image`: the network's address, or empty.
    `tasks`: the roles found, in the network's words. No token is kept in it.
    """

    kind: Kind
    external_id: str
    name: str
    handle: str = ""
    image: str = ""
    parent_id: str = ""
    id_scope: Literal["global", "app"] = "global"
    tasks: tuple[str, ...] = ()
    verdict: Verdict = field(default_factory=Verdict)


@dataclass(frozen=True, slots=True)
class Listing:
    """All candidates of a consent, best first, unusable ones included. `empty`: why there is none and what to do.

    `remarks`: sentences about what could not be read (one business that failed), shown above the list.
    """

    candidates: tuple[Candidate, ...]
    empty: Verdict | None = None
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Picked:
    """A candidate that the person chose, as stored: enough to derive its token again."""

    kind: Kind
    external_id: str
    parent_id: str = ""


@dataclass(frozen=True, slots=True)
class Derived:
    """A picked candidate examined again with the very token that would act for it. `token` None: the Grant's own token acts."""

    candidate: Candidate
    token: Secret | None = None


class Revocation(StrEnum):
    """What became of a revoke call. `UNSUPPORTED`: the network offers none; the person must remove the app there."""

    DONE = "done"
    ALREADY_DEAD = "already_dead"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Call:
    """What an adapter's method needs besides its arguments: the client, the app, the login that was used, the time."""

    http: "NetworkHttp"
    app: AppCredentials
    login: Login
    now: datetime

    @property
    def version(self) -> str:
        return self.app.version or self.login.default_version

    def expires(self, seconds: int | None) -> datetime | None:
        """The moment `seconds` from now, None for none."""
        return None if seconds is None else self.now + timedelta(seconds=seconds)


class Adapter(ABC):
    """One network: the facts, and the methods that every network needs. Adapters never import each other."""

    provider: ClassVar[str]
    title: ClassVar[str]
    mark: ClassVar[str]
    """The mark as one SVG path in a 24 × 24 box, drawn by our own hand."""
    colour: ClassVar[str]
    """The colour of the mark, `#rrggbb`."""
    logins: ClassVar[tuple[Login, ...]]
    image_hosts: ClassVar[tuple[str, ...]]
    """Hosts (exact, or `.suffix`) that pictures may be fetched from."""
    switch_account: ClassVar[str]
    """How a person makes the network use another account, one or two sentences."""
    sent_back: ClassVar[tuple[Expected, ...]] = SENT_BACK
    """What the network may send a person back with instead of a code."""
    remove_app: ClassVar[str]
    """Where a person takes the access back at the network, one sentence with the address."""

    def authorize_url(self, call: Call, *, state: str, redirect_uri: str, challenge: str, again: bool) -> str:
        """The address of the network's consent page, from facts only (threat A12). `again`: a permission was missing last time."""
        # Here, because oauth2 is written in the words of this module.
        from hitchpost.networks.oauth2 import authorize_url

        return authorize_url(call, state=state, redirect_uri=redirect_uri, challenge=challenge)

    def opens(self, login: Login) -> str:
        """The title of the network at which a person consents by this login."""
        return login.opens or self.title

    def refusal(self, answer: Mapping[str, str]) -> Fault:
        """Why the network sent the person back without a code: DECLINED when it was their own wish (RFC 6749 §4.1.2.1)."""
        error = answer.get("error") or answer.get("error_code", "")
        return judge(self.sent_back, 0, plain(error, "callback"), answer.get("error_description") or answer.get("error_message", ""))

    @abstractmethod
    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        """Redeem the code, exactly once, and read whose token it is. Raises Fault."""

    @abstractmethod
    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        """List and examine what can be attached. Raises Fault."""

    @abstractmethod
    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        """For each picked candidate, in order: examine it again and get the token that acts for it. Raises Fault."""

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        """As `derive`, for what stands behind profiles already: by the cheapest calls that tell the truth, without names. Raises Fault."""
        return await self.derive(call, tokens, picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        """New tokens for old ones, as the login's `renewal` says; what the answer leaves out is None. Raises Fault.

        REFUSED is the network's definitive no to these tokens; the callers see to it that it is asked once (law 1).
        """
        raise Fault(FaultKind.REFUSED, "not_renewable", "these tokens cannot be renewed without the person")

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        """End the access at the network, best effort. `subject`: whose it is, as the consent named them, where tokens alone do not tell.

        Raises Fault when it should be tried again.
        """
        return Revocation.UNSUPPORTED
