"""What an authorization server remembers: consents, codes and tokens, and why one of them does not count."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Why(StrEnum):
    """Why a code or token was refused; the twin chooses the network's words for it."""

    UNKNOWN = "unknown"
    USED = "used"
    EXPIRED = "expired"
    OTHER_APP = "other_app"
    OTHER_REDIRECT = "other_redirect"
    NO_VERIFIER = "no_verifier"
    WRONG_VERIFIER = "wrong_verifier"
    ROTATED = "rotated"
    REVOKED = "revoked"
    NARROWER = "narrower"
    """It holds less than was asked for."""


class Refused(Exception):
    """A code or token did not count.

    `at`: when it expired or died, where that is known (networks like to print it). `because`: what befell a revoked one.
    `app`: the client id that it was given to.
    """

    def __init__(self, why: Why, at: datetime | None = None, because: str = "", app: str = "") -> None:
        super().__init__(why)
        self.app = app
        self.why = why
        self.at = at
        self.because = because


@dataclass(frozen=True, slots=True)
class Consented:
    """What one person granted one app in one consent. All codes and tokens that follow from it carry its `family`."""

    family: str
    client_id: str
    person: str
    scopes: tuple[str, ...]
    targets: tuple[str, ...]
    at: datetime


@dataclass(slots=True)
class Code:
    """An authorization code. `challenge` empty: PKCE was not used and a verifier is ignored. `replays`: attempts after it was used.

    `because`: what ended it before anybody used it, in the sandbox's words; it then counts as used.
    """

    value: str
    consented: Consented
    redirect_uri: str
    challenge: str
    method: str
    issued_at: datetime
    expires_at: datetime
    used: bool = False
    replays: int = 0
    because: str = ""


@dataclass(slots=True)
class Token:
    """An issued token. `kind` and `subject` are the twin's own words (`access`, `refresh`, `page` and which Page).

    `expires_at` None: it ends only when something kills it. `dead`: why it no longer counts, `because`: what befell it, in the sandbox's
    words. `redeemed`: how often it was exchanged for other tokens. `refused`: how often it was
    shown after it had died.
    """

    value: str
    kind: str
    consented: Consented
    scopes: tuple[str, ...]
    subject: str
    issued_at: datetime
    expires_at: datetime | None
    dead: Why | None = None
    died_at: datetime | None = None
    because: str = ""
    redeemed: int = 0
    refused: int = 0

    @property
    def person(self) -> str:
        return self.consented.person

    @property
    def client_id(self) -> str:
        return self.consented.client_id

    @property
    def targets(self) -> tuple[str, ...]:
        return self.consented.targets
