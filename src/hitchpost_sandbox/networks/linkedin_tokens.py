"""LinkedIn's token endpoints: tokens of 60 days for codes and refresh tokens, introspection, revocation.

A client authenticates by its parameters only. Parameters count in the query as in the body. Facts: docs/networks/linkedin.md.
"""

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Consented, Refused, Token, Why
from hitchpost_sandbox.networks import linkedin_oidc
from hitchpost_sandbox.twin import Visit

ACCESS_LIFE = timedelta(days=60)
REFRESH_LIFE = timedelta(days=365)
_NO_CODE = "Unable to retrieve access token: authorization code not found"
_OTHER_CODE = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired. Or external member binding exists"
)
_BAD_REFRESH = "The provided authorization grant or refresh token is invalid, expired or revoked"


async def token(visit: Visit) -> Response:
    """POST /oauth/v2/accessToken: a code or a refresh token for an access token."""
    form = await visit.fields()
    if not form.get("grant_type"):
        return _missing("grant_type")
    app = _client(visit, form, native=_native(visit, form))
    if isinstance(app, Response):
        return app
    if form["grant_type"] == "authorization_code":
        return _code_grant(visit, app, form)
    if form["grant_type"] == "refresh_token":
        return _refresh_grant(visit, app, form)
    if form["grant_type"] == "client_credentials":
        return _refusal(401, "access_denied", "This application is not allowed to create application tokens")
    return _refusal(400, "unsupported_grant_type", "The requested grant type is not supported")


def _native(visit: Visit, form: dict[str, str]) -> bool:
    """Whether a verifier stands for the secret: only for a code of the native flow, never for another one."""
    if not form.get("code_verifier") or form["grant_type"] != "authorization_code":
        return False
    return any(code.value == form.get("code") and code.challenge for code in visit.authority.codes)


def _client(visit: Visit, form: dict[str, str], *, native: bool = False, unknown: int = 401) -> App | Response:
    """The app, by its credentials in the body; a Basic header is not even looked at.

    `native`: without a secret. `unknown`: the status for a client id of nobody.
    """
    for name in ("client_id",) if native else ("client_id", "client_secret"):
        if not form.get(name):
            return _missing(name)
    app = visit.authority.app(form["client_id"])
    if app is None:
        return _refusal(unknown, "invalid_client", "Client authentication failed")
    secret = form.get("client_secret", "")
    if (secret or not native) and not app.secret_is(secret):
        return _not_it(app)
    if form.get("code_verifier") and not native and app.on("verifier_breaks"):
        return _not_it(app)
    return app


def _not_it(app: App) -> Response:
    return _refusal(401, "invalid_client", "" if app.on("wordless_client_error") else "Client authentication failed")


def _code_grant(visit: Visit, app: App, form: dict[str, str]) -> Response:
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            return _missing(name)
    try:
        given = visit.authority.redeem(form["code"], app, form["redirect_uri"], form.get("code_verifier", ""))
    except Refused as refused:
        if refused.why in (Why.UNKNOWN, Why.USED):
            return _refusal(401, "invalid_request", _NO_CODE)
        return _refusal(400, "invalid_request" if app.on("old_code_words") else "invalid_redirect_uri", _OTHER_CODE)
    refresh = None
    if app.on("refresh_tokens"):
        refresh = visit.authority.issue(given, "refresh", life=REFRESH_LIFE, look=lambda text: f"AQW{text * 3}")
    return _answer(visit, app, given, refresh)


def _refresh_grant(visit: Visit, app: App, form: dict[str, str]) -> Response:
    if not form.get("refresh_token"):
        return _missing("refresh_token")
    try:
        refresh = visit.authority.take_refresh(form["refresh_token"], app, rotate=False)
    except Refused:
        return _refusal(400, "invalid_request", _BAD_REFRESH)
    return _answer(visit, app, refresh.consented, refresh)


def _answer(visit: Visit, app: App, given: Consented, refresh: Token | None) -> Response:
    """The token answer. A refresh token stays the same and never lives longer; the access token ends with it."""
    left = refresh.expires_at - visit.clock.now() if refresh and refresh.expires_at else REFRESH_LIFE
    life = min(ACCESS_LIFE, left)
    access = visit.authority.issue(given, "access", life=life, look=lambda text: f"AQX{text * 8}")
    visit.token = access
    # Live answers say a second less than the documented 60 days.
    less = 0 if app.on("whole_sixty_days") else 1
    body: dict[str, Any] = {
        "access_token": access.value,
        "expires_in": max(0, int(life.total_seconds()) - less),
        "scope": (" " if app.on("space_scopes") else ",").join(sorted(given.scopes)),
    } | ({} if app.on("no_token_type") else {"token_type": "Bearer"})
    if refresh:
        body |= {"refresh_token": refresh.value, "refresh_token_expires_in": int(left.total_seconds())}
    if "openid" in given.scopes:
        body["id_token"] = linkedin_oidc.id_token(visit, app, visit.world.cast[given.person], given.scopes)
    return JSONResponse(body, headers={"cache-control": "no-store"})


async def introspect(visit: Visit) -> Response:
    """POST /oauth/v2/introspectToken: 200 also for a dead token; another client's is just not active."""
    form = await visit.fields()
    app = _client(visit, form, unknown=400)
    if isinstance(app, Response):
        return app
    if not form.get("token"):
        return _missing("token")
    if not form["token"].startswith("AQ") or not form["token"].isascii():
        return _refusal(400, "invalid_request", "The token is malformed")
    try:
        found = visit.authority.find(form["token"])
    except Refused as refused:
        told = {"status": str(refused.why)} if refused.app == app.client_id and refused.why in (Why.EXPIRED, Why.REVOKED) else {}
        return JSONResponse({"active": False} | ({} if app.on("bare_introspection") else told))
    if found.client_id != app.client_id:
        return JSONResponse({"active": False})
    visit.token = found
    if app.on("bare_introspection"):
        return JSONResponse({"active": True})
    return JSONResponse(
        {
            "active": True,
            "client_id": app.client_id,
            "authorized_at": int(found.consented.at.timestamp()),
            "created_at": int(found.issued_at.timestamp()),
            "status": "active",
            "expires_at": int(found.expires_at.timestamp()) if found.expires_at else 0,
            "scope": ",".join(sorted(found.scopes)),
            "auth_type": "3L",
        }
    )


async def revoke(visit: Visit) -> Response:
    """POST /oauth/v2/revoke: undocumented; that it answers 200 is all that is known."""
    form = await visit.fields()
    app = _client(visit, form)
    if isinstance(app, Response):
        return app
    if not form.get("token"):
        return _missing("token")
    done = Response(str(app.options.get("revoke_says", "")), media_type="application/json")
    try:
        found = visit.authority.find(form["token"])
    except Refused:
        return done
    if found.client_id == app.client_id:
        visit.token = found
        if app.on("revoke_ends_all"):
            visit.authority.revoke_grants(found.person, app.client_id)
        else:
            visit.authority.revoke(found.value)
    return done


def _missing(name: str) -> Response:
    return _refusal(400, "invalid_request", f'A required parameter "{name}" is missing')


def _refusal(status: int, error: str, description: str) -> Response:
    body = {"error": error} | ({"error_description": description} if description else {})
    return JSONResponse(body, status, {"cache-control": "no-store"})
