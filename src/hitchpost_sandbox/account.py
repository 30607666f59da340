"""The ledger's other side: every consent with its codes and tokens, what became of each, and how often it was redeemed."""

from dataclasses import asdict, dataclass
from datetime import datetime

from hitchpost_sandbox.grants import Code, Token
from hitchpost_sandbox.ledger import fingerprint
from hitchpost_sandbox.world import World


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one code or token. `value`: its fingerprint. `fate`: `unused`, `used`, `alive`, `expired`, `rotated` or `revoked`.

    `because`: what ended it, in the sandbox's words. `redeemed`: how often it was exchanged for tokens. `refused`: attempts after that.
    """

    value: str
    kind: str
    subject: str
    scopes: tuple[str, ...]
    fate: str
    because: str
    redeemed: int
    refused: int
    issued_at: str
    expires_at: str


@dataclass(frozen=True, slots=True)
class ConsentAccount:
    """One consent and all that followed from it."""

    authority: str
    family: str
    app: str
    person: str
    at: str
    scopes: tuple[str, ...]
    targets: tuple[str, ...]
    codes: tuple[Fate, ...]
    tokens: tuple[Fate, ...]

    def as_json(self) -> dict[str, object]:
        return asdict(self)


def account(world: World, *, person: str = "", app: str = "") -> tuple[ConsentAccount, ...]:
    """Every consent that led to a code, oldest first, of this person and app where they are given."""
    now = world.clock.now()
    made: list[ConsentAccount] = []
    for name, authority in world.authorities.items():
        codes: dict[str, list[Code]] = {}
        tokens: dict[str, list[Token]] = {}
        for code in authority.codes:
            codes.setdefault(code.consented.family, []).append(code)
        for token in authority.tokens:
            tokens.setdefault(token.consented.family, []).append(token)
        for family in dict.fromkeys((*codes, *tokens)):
            given = (codes[family][0] if family in codes else tokens[family][0]).consented
            if person in ("", given.person) and app in ("", given.client_id):
                made.append(
                    ConsentAccount(
                        name,
                        family,
                        given.client_id,
                        given.person,
                        _said(given.at),
                        given.scopes,
                        given.targets,
                        tuple(_of_code(code, now) for code in codes.get(family, ())),
                        tuple(_of_token(token, now) for token in tokens.get(family, ())),
                    )
                )
    return tuple(sorted(made, key=lambda one: one.at))


def _of_code(code: Code, now: datetime) -> Fate:
    fate = "revoked" if code.because else "used" if code.used else "expired" if now >= code.expires_at else "unused"
    scopes, value, redeemed = code.consented.scopes, fingerprint(code.value), int(code.used and not code.because)
    return Fate(value, "code", "", scopes, fate, code.because, redeemed, code.replays, _said(code.issued_at), _said(code.expires_at))


def _of_token(token: Token, now: datetime) -> Fate:
    expired = token.expires_at is not None and now >= token.expires_at
    fate = str(token.dead) if token.dead is not None else "expired" if expired else "alive"
    return Fate(
        fingerprint(token.value),
        token.kind,
        token.subject,
        token.scopes,
        fate,
        token.because,
        token.redeemed,
        0,
        _said(token.issued_at),
        _said(token.expires_at),
    )


def _said(moment: datetime | None) -> str:
    return "" if moment is None else moment.isoformat(timespec="milliseconds")
