"""Facebook's tokens and the endpoint that gives them: a person's short and long ones, a business's, the app's own."""

from datetime import timedelta

from starlette.responses import Response

from hitchpost_sandbox import graph
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Consented, Refused, Token, Why
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.networks import facebook_logins
from hitchpost_sandbox.networks.facebook_logins import LONG, SYSTEM
from hitchpost_sandbox.twin import Visit

SHORT_LIFE = timedelta(seconds=5179)
LONG_LIFE = timedelta(seconds=5183944)
_SYSTEM_LIFE = timedelta(days=60)

# Fact sheet §3.1: code 100 for everything about the code, told apart by the subcode.
_CODE_WORDS = {
    Why.USED: (36009, "This authorization code has been used."),
    Why.EXPIRED: (36007, "This authorization code has expired."),
    Why.OTHER_REDIRECT: (36008, graph.OTHER_REDIRECT),
}


async def token(visit: Visit, version: str, given: dict[str, str]) -> Response:
    """/oauth/access_token by GET or POST: a code, a token for a longer one, or the app's own."""
    if basic := visit.basic():
        # Client libraries that know OAuth and not Facebook send the app's credentials so (RFC 6749 §2.3.1).
        given = {"client_id": basic[0], "client_secret": basic[1]} | given
    app = visit.authority.app(given.get("client_id", ""))
    if app is None:
        raise GraphError(101, "Error validating application. Invalid application ID.")
    if not app.secret_is(given.get("client_secret", "")):
        raise GraphError(1, "Error validating client secret.")
    grant = given.get("grant_type", "authorization_code")
    if grant == "client_credentials":
        return graph.answer(version, {"access_token": f"{app.client_id}|{app.client_secret}", "token_type": "bearer"})
    if grant == "fb_exchange_token":
        return _answer(visit, version, _longer(visit, app, given))
    if grant != "authorization_code":
        raise GraphError(100, f"Invalid grant_type: {grant}")
    return _answer(visit, version, _of_code(visit, app, given))


def _of_code(visit: Visit, app: App, given: dict[str, str]) -> Token:
    code = given.get("code", "")
    known = visit.authority.whose(code)
    business = facebook_logins.business(visit.authority, known) if known else None
    redirect_uri = given.get("redirect_uri", "")
    if business is not None:
        # The documented call for a system user's code has no redirect_uri.
        redirect_uri = redirect_uri or business.redirect_uri
    try:
        consented = visit.authority.redeem(code, app, redirect_uri)
    except Refused as refused:
        subcode, message = _CODE_WORDS.get(refused.why, (0, "Invalid verification code format."))
        if app.on("bare_code_errors") and refused.why is not Why.USED:
            subcode = 0
        raise GraphError(100, message, subcode=subcode, challenge="invalid_code") from None
    if business is None:
        return short(visit, app, consented)
    return visit.authority.issue(consented, SYSTEM, life=_SYSTEM_LIFE if business.dated else None, look=look)


def _longer(visit: Visit, app: App, given: dict[str, str]) -> Token:
    known = graph.living(visit, given.get("fb_exchange_token", ""))
    if known.client_id != app.client_id or known.kind == "page":
        raise graph.unreadable()
    if known.kind == SYSTEM:
        dated = given.get("set_token_expires_in_60_days", "").lower() in ("true", "1")
        return visit.authority.issue(known.consented, SYSTEM, life=_SYSTEM_LIFE if dated else None, look=look)
    if known.kind == LONG and known.expires_at is not None and app.on("exchange_keeps_end"):
        return visit.authority.issue(known.consented, LONG, life=known.expires_at - visit.clock.now(), look=look)
    return long(visit, app, known.consented)


def short(visit: Visit, app: App, given: Consented) -> Token:
    """A person's token of an hour or two."""
    return visit.authority.issue(given, "user", life=None if app.on("tokens_without_date") else SHORT_LIFE, look=look)


def long(visit: Visit, app: App, given: Consented) -> Token:
    """A person's token of sixty days."""
    return visit.authority.issue(given, LONG, life=None if app.on("tokens_without_date") else LONG_LIFE, look=look)


def left(visit: Visit, token: Token) -> int | None:
    """Seconds that are left of it; None without a date."""
    return None if token.expires_at is None else round((token.expires_at - visit.clock.now()).total_seconds())


def look(text: str) -> str:
    """A text as Facebook's tokens look."""
    return f"EAA{text * 3}"


def _answer(visit: Visit, version: str, token: Token) -> Response:
    visit.token = token
    body: dict[str, object] = {"access_token": token.value, "token_type": "bearer"}
    if (seconds := left(visit, token)) is not None:
        body["expires_in"] = seconds
    return graph.answer(version, body)
