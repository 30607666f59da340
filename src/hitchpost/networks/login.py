"""A login as facts: the app's credentials, the tokens that a consent gives, and how one authority speaks OAuth 2.0."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from hitchpost.networks.errors import Expected, Place
from hitchpost.secret import Secret


@dataclass(frozen=True, slots=True)
class AppCredentials:
    """The OAuth app that a call is made for. `variant` is the adapter's own word (LinkedIn: A, B, C); `version` of the API, or empty."""

    id: str
    client_id: str
    client_secret: Secret
    variant: str = ""
    scopes: tuple[str, ...] = ()
    version: str = ""


@dataclass(frozen=True, slots=True)
class TokenSet:
    """What a consent or refresh gave. None: the network names no date (expiry) or gave none (refresh, scopes)."""

    access: Secret
    access_expires_at: datetime | None = None
    refresh: Secret | None = None
    refresh_expires_at: datetime | None = None
    scopes: frozenset[str] | None = None
    extras: Mapping[str, str] = field(default_factory=dict)
    former: tuple["TokenSet", ...] = ()
    """What earlier consents gave for the same grant, and may still live at the network: it is ended together with the grant, not before,
    for a network may end all of a person's tokens by one of them."""


class Renewal(StrEnum):
    """How a login's tokens are kept alive without the person."""

    NONE = "none"
    """They are not: the person must consent again before the end."""
    ROTATING = "rotating"
    """A refresh token that works once, for a new pair: two users of one token lose the connection."""
    CONTINUOUS = "continuous"
    """A refresh token for a new pair or the same one again; a second use does no harm that is known of."""
    SELF = "self"
    """The living access token itself is handed in for one that lives longer."""
    EXCHANGE = "exchange"
    """The same, but the new one may end when the old one would: tried, never counted on."""


@dataclass(frozen=True, slots=True)
class OAuthFacts:
    """How one authority speaks OAuth 2.0 (RFC 6749, RFC 7636), where it differs from the others.

    `client_auth`: where the secret goes. `scopes_joined_by`: in the request. `pkce`: S256 is sent, or nothing is.
    `authorize_url` and `token_url` may hold `{version}`. `issuer`: the only `iss` that a callback may carry, or empty for none known.
    """

    authorize_url: str
    token_url: str
    client_auth: Literal["body", "basic"] = "body"
    exchange_method: Literal["POST", "GET"] = "POST"
    pkce: bool = False
    client_id_param: str = "client_id"
    scopes_joined_by: str = " "
    extra_authorize: Mapping[str, str] = field(default_factory=dict)
    extra_token: Mapping[str, str] = field(default_factory=dict)
    issuer: str = ""


@dataclass(frozen=True, slots=True)
class Login:
    """One way through a network's consent, with the app slot whose credentials it uses (HITCHPOST_APP_<SLOT>_…).

    `scopes`: what is asked, by app variant ("" is the default variant); which of them a connection cannot do without, `look` says in its
    verdicts. `asks`: what is asked, in people's words. `before`: what must be true beforehand.
    """

    key: str
    slot: str
    authority: str
    title: str
    oauth: OAuthFacts
    scopes: Mapping[str, tuple[str, ...]]
    asks: tuple[str, ...]
    before: tuple[str, ...] = ()
    opens: str = ""
    """The title of the network whose consent page opens, where that is not the adapter's own."""
    variants: tuple[str, ...] = ("",)
    default_version: str = ""
    version_form: str = ""
    """A regular expression of the API's versions, where it has any."""
    expected: Mapping[Place, tuple[Expected, ...]] = field(default_factory=dict)
    """What the network is known to say where it fails, beside what it sends people back with; docs and tests walk these rows."""
    renewal: Renewal = Renewal.NONE
    renewable_after: timedelta = timedelta()
    """How old an access token must be before the network takes it for another."""
    examined_every: timedelta | None = timedelta(days=1)
    """How often what a consent reaches is examined again at the network; None where each look is billed and renewals tell enough."""
    revocable: bool = True
    """Whether the network lets an app give an access back; else only the person can, where `Adapter.remove_app` says."""
    notices: bool = False
    """Whether the network calls us, signed with the app's secret, when a person removes the app or wants their data deleted."""
    notices_also_signed_by: str = ""
    """Another authority whose apps' secrets may sign them too, where it is not established which one does."""

    def tries(self, tokens: TokenSet) -> bool:
        """Whether these tokens may be renewed without the person: an answer without refresh token is the network's no."""
        if self.renewal in (Renewal.SELF, Renewal.EXCHANGE):
            return tokens.access_expires_at is not None
        return self.renewal is not Renewal.NONE and tokens.refresh is not None

    def renews(self, tokens: TokenSet) -> bool:
        """Whether people may count on it."""
        return self.renewal is not Renewal.EXCHANGE and self.tries(tokens)

    def asked(self, app: AppCredentials) -> tuple[str, ...]:
        """The scopes to ask: the operator's list, else the variant's."""
        return app.scopes or self.scopes[app.variant or self.variants[0]]
