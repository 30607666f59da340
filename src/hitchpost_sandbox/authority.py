"""What every authorization server does alike: codes that work once, tokens that age, families that die together.

A twin only says how its network words it. Nothing here knows a network. Randomness of the sandbox has its one home here.
"""

import base64
import hashlib
import hmac
import secrets
from collections.abc import Callable, Container, Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, NoReturn

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.grants import Code, Consented, Refused, Token, Why
from hitchpost_sandbox.ledger import Ledger, What, fingerprint

# What a twin needs beside the Authority, at one address.
__all__ = ["Authority", "Code", "Consented", "Look", "Refused", "Token", "Why", "random_text", "s256"]

Look = Callable[[str], str]
"""Makes a random url-safe text look like the network's own codes or tokens; must keep it unguessable."""


def random_text(size: int = 32) -> str:
    """`size` random bytes as url-safe text without padding."""
    return secrets.token_urlsafe(size)


def s256(verifier: str) -> str:
    """The challenge of RFC 7636 §4.2."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


class Authority:
    """One authorization server and its apps, codes and tokens.

    `memory`: what a twin must remember beside codes and tokens, under a name of its own; values must be deep-copyable.
    App options it honours: `replay_revokes` (a code used twice kills what it gave, RFC 6749 §4.1.2) and
    `reuse_kills_family` (a rotated refresh token used again kills its family, RFC 9700 §4.14.2).
    """

    def __init__(self, name: str, clock: SandboxClock, ledger: Ledger) -> None:
        self.name = name
        self._clock = clock
        self._ledger = ledger
        self._apps: dict[str, App] = {}
        self._codes: dict[str, Code] = {}
        self._tokens: dict[str, Token] = {}
        # By person and by family: with ten thousand grants a scan for each revoke would be felt.
        self._of_person: dict[str, list[Token]] = {}
        self._of_family: dict[str, list[Token]] = {}
        self.memory: dict[str, Any] = {}

    def kept(self) -> dict[str, Any]:
        """Everything that it remembers, for `back`."""
        return {"apps": self.apps, "codes": self.codes, "tokens": self.tokens, "memory": self.memory}

    def back(self, kept: dict[str, Any]) -> None:
        """Remember this and nothing else."""
        self._apps = {app.client_id: app for app in kept["apps"]}
        self._codes = {code.value: code for code in kept["codes"]}
        self._tokens, self._of_person, self._of_family = {}, {}, {}
        for token in kept["tokens"]:
            self._know(token)
        self.memory = kept["memory"]

    def _know(self, token: Token) -> None:
        self._tokens[token.value] = token
        self._of_person.setdefault(token.person, []).append(token)
        self._of_family.setdefault(token.consented.family, []).append(token)

    def register(self, app: App) -> None:
        """Add an app, or change the one with this client id (tokens stay)."""
        self._apps[app.client_id] = app

    def app(self, client_id: str) -> App | None:
        """The app with this client id, if there is one."""
        return self._apps.get(client_id)

    @property
    def apps(self) -> tuple[App, ...]:
        return tuple(self._apps.values())

    @property
    def codes(self) -> tuple[Code, ...]:
        """Every code that was ever given out, oldest first."""
        return tuple(self._codes.values())

    @property
    def tokens(self) -> tuple[Token, ...]:
        """Every token that was ever given out, dead ones too, oldest first."""
        return tuple(self._tokens.values())

    def whose(self, value: str) -> Consented | None:
        """The consent that a code or token of any age follows from; asks without a trace in the ledger."""
        code, token = self._codes.get(value), self._tokens.get(value)
        return code.consented if code is not None else token.consented if token is not None else None

    def consent(self, app: App, person: str, scopes: Iterable[str], targets: Iterable[str] = ()) -> Consented:
        """Note that `person` (a key of the cast) granted these scopes and targets."""
        given = Consented(random_text(12), app.client_id, person, tuple(scopes), tuple(targets), self._clock.now())
        self._note(What.CONSENT_GIVEN, given, scopes=list(given.scopes), targets=list(given.targets), family=given.family)
        return given

    def open_code(
        self, given: Consented, redirect_uri: str, *, life: timedelta, challenge: str = "", method: str = "S256", look: Look = str
    ) -> str:
        """A fresh code for `given`, bound to the redirect URI's very bytes and to the PKCE challenge if there is one."""
        now = self._clock.now()
        code = Code(look(random_text(34)), given, redirect_uri, challenge, method, now, now + life)
        self._codes[code.value] = code
        self._note(
            What.CODE_ISSUED,
            given,
            code=fingerprint(code.value),
            scopes=list(given.scopes),
            redirect_uri=redirect_uri,
            family=given.family,
        )
        return code.value

    def redeem(self, value: str, app: App, redirect_uri: str, verifier: str = "") -> Consented:
        """Use a code up. A refusal other than USED leaves it unused.

        Raises Refused: UNKNOWN, OTHER_APP, USED, EXPIRED, OTHER_REDIRECT, NO_VERIFIER, WRONG_VERIFIER, judged in this order.
        """
        code = self._codes.get(value)
        if code is None:
            self._refuse_code(value, app, Why.UNKNOWN)
        if code.consented.client_id != app.client_id:
            self._refuse_code(value, app, Why.OTHER_APP)
        if code.used:
            code.replays += 1
            if app.on("replay_revokes"):
                self.revoke_family(code.consented.family, because="code_replayed")
            self._refuse_code(value, app, Why.USED)
        if self._clock.now() >= code.expires_at:
            self._refuse_code(value, app, Why.EXPIRED, code.expires_at)
        if redirect_uri != code.redirect_uri:
            self._refuse_code(value, app, Why.OTHER_REDIRECT)
        if code.challenge:
            if not verifier:
                self._refuse_code(value, app, Why.NO_VERIFIER)
            made = verifier if code.method == "plain" else s256(verifier)
            if not hmac.compare_digest(made.encode(), code.challenge.encode()):
                self._refuse_code(value, app, Why.WRONG_VERIFIER)
        code.used = True
        self._note(What.CODE_REDEEMED, code.consented, code=fingerprint(value), family=code.consented.family)
        return code.consented

    def issue(
        self,
        given: Consented,
        kind: str,
        *,
        life: timedelta | None,
        scopes: Iterable[str] | None = None,
        subject: str = "",
        look: Look = str,
    ) -> Token:
        """A new token of the family. `life` None: without a date. `scopes`: a subset, by default all that was granted."""
        now = self._clock.now()
        token = Token(
            look(random_text(48)),
            kind,
            given,
            given.scopes if scopes is None else tuple(scopes),
            subject,
            now,
            None if life is None else now + life,
        )
        self._know(token)
        self._note(
            What.TOKEN_ISSUED,
            given,
            token=fingerprint(token.value),
            token_kind=kind,
            subject=subject,
            scopes=list(token.scopes),
            family=given.family,
        )
        return token

    def find(self, value: str, *kinds: str) -> Token:
        """The living token `value` of one of `kinds` (any when none is named).

        Raises Refused: UNKNOWN (also for another kind), ROTATED, REVOKED, EXPIRED, judged in this order.
        """
        token = self._tokens.get(value)
        if token is None or (kinds and token.kind not in kinds):
            self._refuse_token(value, None, Why.UNKNOWN)
        if token.dead is not None:
            self._refuse_token(value, token, token.dead, token.died_at)
        if token.expires_at is not None and self._clock.now() >= token.expires_at:
            self._refuse_token(value, token, Why.EXPIRED, token.expires_at)
        return token

    def take_refresh(self, value: str, app: App, *, kind: str = "refresh", rotate: bool = True, scopes: Iterable[str] = ()) -> Token:
        """A refresh token, for issuing its successors. `rotate`: it is used up by this call. `scopes`: what it must hold.

        Raises Refused as `find` does, OTHER_APP, and NARROWER, which leaves it unused.
        """
        known = self._tokens.get(value)
        if known is not None and known.client_id != app.client_id:
            self._refuse_token(value, known, Why.OTHER_APP)
        if known is not None and known.dead is Why.ROTATED and app.on("reuse_kills_family"):
            self.revoke_family(known.consented.family, because="refresh_reused")
        token = self.find(value, kind)
        if not set(scopes) <= set(token.scopes):
            self._refuse_token(value, token, Why.NARROWER)
        token.redeemed += 1
        if rotate:
            token.dead, token.died_at = Why.ROTATED, self._clock.now()
            self._note(What.TOKEN_ROTATED, token.consented, token=fingerprint(value), family=token.consented.family)
        return token

    def living(self, *, client_id: str = "", person: str = "", family: str = "") -> tuple[Token, ...]:
        """The tokens that count now, oldest first, filtered by what is given."""
        now = self._clock.now()
        some = self._of_family.get(family, ()) if family else self._of_person.get(person, ()) if person else self._tokens.values()
        return tuple(
            token
            for token in some
            if token.dead is None
            and (token.expires_at is None or now < token.expires_at)
            and client_id in ("", token.client_id)
            and person in ("", token.person)
            and family in ("", token.consented.family)
        )

    def revoke(self, value: str, *, because: str = "revoked") -> bool:
        """End one token. False when it was not alive."""
        token = self._tokens.get(value)
        if token is None or token.dead is not None:
            return False
        token.dead, token.died_at, token.because = Why.REVOKED, self._clock.now(), because
        self._note(
            What.TOKEN_REVOKED,
            token.consented,
            token=fingerprint(value),
            token_kind=token.kind,
            reason=because,
            family=token.consented.family,
        )
        return True

    def revoke_family(self, family: str, *, because: str = "revoked") -> int:
        """End every token that follows from one consent. Returns how many lived."""
        return sum(self.revoke(token.value, because=because) for token in self.living(family=family))

    def revoke_grants(
        self, person: str, client_id: str, *, but_family: str = "", spared: Container[str] = (), because: str = "revoked"
    ) -> int:
        """End what `person` ever granted the app, unused codes too, but for `but_family` and `spared` ones. Returns how many lived."""
        living = self.living(person=person, client_id=client_id)
        doomed = [token for token in living if token.consented.family != but_family and token.consented.family not in spared]
        for code in self._codes.values():
            given = code.consented
            kept = given.family == but_family or given.family in spared
            if (given.person, given.client_id) == (person, client_id) and not kept and not code.used:
                code.used, code.because = True, because
                self._note(What.CODE_REVOKED, given, code=fingerprint(code.value), reason=because, family=given.family)
        return sum(self.revoke(token.value, because=because) for token in doomed)

    def take_scope(self, person: str, scope: str, *, client_id: str = "") -> int:
        """Take one scope from every living token of `person` and from what may still be issued. Returns how many tokens had it."""
        had = [token for token in self.living(person=person, client_id=client_id) if scope in token.scopes]
        for token in had:
            token.scopes = tuple(one for one in token.scopes if one != scope)
            left = tuple(one for one in token.consented.scopes if one != scope)
            token.consented = replace(token.consented, scopes=left)
            self._note(What.SCOPE_TAKEN, token.consented, token=fingerprint(token.value), scope=scope, family=token.consented.family)
        for code in self._codes.values():
            given = code.consented
            if given.person == person and client_id in ("", given.client_id) and not code.used:
                code.consented = replace(given, scopes=tuple(one for one in given.scopes if one != scope))
        return len(had)

    def _note(self, what: What, given: Consented, **facts: str | int | bool | list[str]) -> None:
        self._ledger.write(self.name, what, app=given.client_id, person=given.person, **facts)

    def _refuse_code(self, value: str, app: App, why: Why, at: datetime | None = None) -> NoReturn:
        code = self._codes.get(value)
        person = code.consented.person if code is not None else ""
        self._ledger.write(self.name, What.CODE_REFUSED, app=app.client_id, person=person, code=fingerprint(value), reason=why)
        raise Refused(why, at)

    def _refuse_token(self, value: str, token: Token | None, why: Why, at: datetime | None = None) -> NoReturn:
        app, person = (token.client_id, token.person) if token is not None else ("", "")
        if token is not None:
            token.refused += 1
        self._ledger.write(self.name, What.TOKEN_REFUSED, app=app, person=person, token=fingerprint(value), reason=why)
        raise Refused(why, at, token.because if token is not None else "", app)
