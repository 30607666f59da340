"""The OAuth 2.0 dance, steered by facts: authorize URL, code exchange, PKCE (RFC 6749, RFC 7636)."""

import base64
import hashlib
import re
from collections.abc import Mapping
from urllib.parse import quote, urlencode

from hitchpost.networks.base import Call, TokenSet, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

_CENTURY = 100 * 365 * 24 * 60 * 60


def challenge_of(verifier: str) -> str:
    """S256 of RFC 7636 §4.2: base64url without padding of the verifier's SHA-256."""
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def authorize_url(call: Call, *, state: str, redirect_uri: str, challenge: str, extra: Mapping[str, str] | None = None) -> str:
    """The consent page's address. Holds only facts, the app's client id and the stored transaction's values."""
    facts = call.login.oauth
    query = {
        facts.client_id_param: call.app.client_id,
        "redirect_uri": redirect_uri,
        "response_type": "code",
        "scope": facts.scopes_joined_by.join(call.login.asked(call.app)),
        "state": state,
        **facts.extra_authorize,
        **(extra or {}),
    }
    if facts.pkce:
        query |= {"code_challenge": challenge, "code_challenge_method": "S256"}
    return call.http.address(facts.authorize_url.format(version=call.version)) + "?" + urlencode(query, quote_via=quote)


async def token_call(call: Call, fields: Mapping[str, str]) -> Answer:
    """One call to the token endpoint with the app's credentials where the facts want them. Raises Fault; judges no answer."""
    facts, app = call.login.oauth, call.app
    url = facts.token_url.format(version=call.version)
    form = {**fields, **facts.extra_token}
    if facts.client_auth == "basic":
        return await call.http.post(
            url, form={**form, facts.client_id_param: app.client_id}, basic=(app.client_id, app.client_secret.reveal())
        )
    form |= {facts.client_id_param: app.client_id, "client_secret": app.client_secret.reveal()}
    if facts.exchange_method == "GET":
        return await call.http.get(url, query=form)
    return await call.http.post(url, form=form)


async def redeem(call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Answer:
    """Send the code to the token endpoint, once."""
    fields = {"grant_type": "authorization_code", "code": code.reveal(), "redirect_uri": redirect_uri}
    if call.login.oauth.pkce and verifier is not None:
        fields["code_verifier"] = verifier.reveal()
    return await token_call(call, fields)


async def renew(call: Call, tokens: TokenSet) -> Answer:
    """Send the refresh token to the token endpoint, once (RFC 6749 §6). Raises Fault REFUSED when there is none; judges no answer."""
    if tokens.refresh is None:
        raise Fault(FaultKind.REFUSED, "no_refresh_token", "the network gave no refresh token")
    return await token_call(call, {"grant_type": "refresh_token", "refresh_token": tokens.refresh.reveal()})


def split_scopes(text: object) -> frozenset[str] | None:
    """Scopes of an answer, whether joined by spaces or commas or given as a list; None when the answer names none."""
    if isinstance(text, list):
        return frozenset(str(one) for one in text)
    if not isinstance(text, str):
        return None
    return frozenset(part for part in re.split(r"[\s,]+", text) if part)


def ungranted(call: Call, granted: frozenset[str] | None) -> tuple[str, ...]:
    """What was asked but not granted, in the order of asking; an answer that names no scopes granted all (RFC 6749 §5.1)."""
    return () if granted is None else tuple(scope for scope in call.login.asked(call.app) if scope not in granted)


def unpermitted(call: Call, granted: frozenset[str] | None, needed: tuple[str, ...]) -> Verdict | None:
    """The verdict when a scope that a connection cannot do without was not granted, or is not even asked; None when all are there."""
    asked = call.login.asked(call.app)
    had = frozenset(asked) if granted is None else granted
    lacking = [scope for scope in needed if scope not in had]
    if not lacking:
        return None
    named = ", ".join(lacking)
    if set(lacking).isdisjoint(asked):
        return Verdict.of("permission_not_asked", f"This server does not ask for: {named}.", missing=tuple(lacking))
    return Verdict.of("permission_missing", f"You did not grant a permission that is needed: {named}.", missing=tuple(lacking))


def seconds(body: Json, name: str) -> int | None:
    """A positive number of seconds in an answer, also when sent as text; None when absent or unusable, which a century is too."""
    try:
        value = int(body[name])
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return value if 0 < value < _CENTURY else None


def text(body: Json, name: str) -> str:
    """A non-empty string (or number, as text) that the network promises. Raises Fault UNINTELLIGIBLE when it is missing."""
    value = body.get(name)
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    if not isinstance(value, str) or not value:
        raise Fault(FaultKind.UNINTELLIGIBLE, f"no_{name}", f"the answer lacks {name}")
    return value


def sendable(token: str) -> Secret:
    """A token is of printable ASCII (RFC 6749 appendix A.12): another one could be in no header. Raises Fault UNINTELLIGIBLE."""
    if not token.isascii() or not token.isprintable():
        raise Fault(FaultKind.UNINTELLIGIBLE, "odd_token", "it gave a token that cannot be sent")
    return Secret(token)


def token_set(call: Call, body: Json) -> TokenSet:
    """The standard token answer (RFC 6749 §5.1), read tolerantly. Raises Fault UNINTELLIGIBLE without tokens that can be sent."""
    refresh = body.get("refresh_token")
    return TokenSet(
        access=sendable(text(body, "access_token")),
        access_expires_at=call.expires(seconds(body, "expires_in")),
        refresh=sendable(refresh) if isinstance(refresh, str) and refresh else None,
        refresh_expires_at=call.expires(seconds(body, "refresh_token_expires_in")),
        scopes=split_scopes(body.get("scope")),
    )
