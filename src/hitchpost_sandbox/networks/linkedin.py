"""LinkedIn as its own documents and public clients know it: all-or-nothing consent, silent when it was given before; tokens of 60 days.

App options, errors and turns: `linkedin_words`.
"""

from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import LINKEDIN_ALL_IN_ONE, LINKEDIN_PAGES, App
from hitchpost_sandbox.authority import Consented, Refused, Token, Why
from hitchpost_sandbox.networks import linkedin_oidc, linkedin_rest, linkedin_words
from hitchpost_sandbox.networks.linkedin_api import lost, me, userinfo
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.twin import Route, Twin, Visit

CODE_LIFE = timedelta(minutes=30)
ACCESS_LIFE = timedelta(days=60)
REFRESH_LIFE = timedelta(days=365)
SIGNED_IN = "li_sandbox_member"
"""The cookie that remembers who is signed in at the simulated LinkedIn: a key of the cast."""

SCOPES = {
    "openid": "Use your name and photo",
    "profile": "Use your name and photo",
    "email": "Use the primary e-mail address associated with your account",
    "r_basicprofile": "Use your basic profile, including your name, photo and headline",
    "w_member_social": "Create, modify and delete posts, comments and reactions on your behalf",
    "rw_organization_admin": "Manage your organizations' pages and retrieve reporting data",
    "r_organization_social": "Retrieve your organizations' posts, comments and reactions",
    "w_organization_social": "Create, modify and delete posts, comments and reactions on your organizations' behalf",
}
_EXISTING = LINKEDIN_ALL_IN_ONE | LINKEDIN_PAGES | {"r_liteprofile", "r_emailaddress", "r_member_social"}
"""Every scope that means something, those that no app is granted any more included."""

_NO_CODE = "Unable to retrieve access token: authorization code not found"
_OTHER_CODE = (
    "Unable to retrieve access token: appid/redirect uri/code verifier does not match authorization code. "
    "Or authorization code expired. Or external member binding exists"
)
_BAD_REFRESH = "The provided authorization grant or refresh token is invalid, expired or revoked"


async def authorize(visit: Visit) -> Response:
    """The consent page and its answer; no page when the member who is signed in here has granted the same scopes before."""
    query = visit.query
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    app = visit.authority.app(query.get("client_id", ""))
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    if app is None:
        return _bummer(visit, "Client_id doesn't match", "unknown_client")
    # Query parameters are ignored at matching.
    if not app.accepts(redirect_uri.partition("?")[0]) or "#" in redirect_uri:
        return _bummer(visit, "Redirect_uri doesn't match", "redirect_uri")
    if query.get("response_type") != "code":
        return _bummer(visit, "Invalid response_type", "response_type")
    if not scopes or not _EXISTING.issuperset(scopes):
        return _bummer(visit, "Invalid scope", "scope")
    if refused := [scope for scope in scopes if not app.allows(scope)]:
        if app.on("ungranted_scope_page"):
            return _bummer(visit, "Invalid scope", "scope_not_granted")
        description = f"Scope &quot;{refused[0]}&quot; is not authorized for your application"
        return visit.send_back(redirect_uri, {"error": "unauthorized_scope_error", "error_description": description, "state": state})
    if visit.method == "GET" and (member := _known(visit, app, scopes)):
        return _allowed(visit, app, member, scopes, redirect_uri)
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        people=[person for person in visit.world.cast.people if person.linkedin is not None],
        handle=lambda person: f"linkedin.com/in/{person.linkedin.vanity}" if person.linkedin else "",
    )
    if isinstance(answer, Response):
        return answer
    if not answer.allowed:
        error, what = ("login", "LinkedIn login") if app.on("cancels_at_sign_in") else ("authorize", "the authorization")
        denied = {"error": f"user_cancelled_{error}", "error_description": f"The user cancelled {what}", "state": state}
        return visit.send_back(redirect_uri, denied)
    return _allowed(visit, app, answer.person, answer.scopes, redirect_uri)


def _bummer(visit: Visit, text: str, reason: str) -> Response:
    return pages.stopped(visit, "Bummer, something went wrong.", text, reason=reason, status=401, app=visit.query.get("client_id", ""))


def _known(visit: Visit, app: App, scopes: tuple[str, ...]) -> Person | None:
    """Who is signed in in this browser, if that member has a living grant of these very scopes."""
    key = visit.request.cookies.get(SIGNED_IN, "")
    person = next((one for one in visit.world.cast.people if one.key == key and one.linkedin is not None), None)
    if person is None:
        return None
    living = visit.authority.living(client_id=app.client_id, person=person.key)
    return person if any(set(token.scopes) == set(scopes) for token in living) else None


def _allowed(visit: Visit, app: App, member: Person, scopes: tuple[str, ...], redirect_uri: str) -> Response:
    """A code for a new consent. Another scope set than before kills the earlier tokens of this member and app."""
    earlier = visit.authority.living(client_id=app.client_id, person=member.key)
    given = visit.authority.consent(app, member.key, scopes)
    if any(set(token.scopes) != set(scopes) for token in earlier):
        visit.authority.revoke_grants(member.key, app.client_id, but_family=given.family, because="other_scopes")
    code = visit.authority.open_code(given, redirect_uri, life=CODE_LIFE, look=lambda text: f"AQ{text * 3}")
    answer = visit.send_back(redirect_uri, {"code": code, "state": visit.query.get("state", "")})
    answer.set_cookie(SIGNED_IN, member.key, path=visit.prefix or "/", httponly=True, samesite="lax")
    return answer


async def sign_out(visit: Visit) -> Response:
    """GET /m/logout/: the only way to be another member next time; the authorize page itself offers none."""
    answer = pages.show(visit.twin, "stopped.html", heading="You are signed out", text="Go back to the app to connect another account.")
    answer.delete_cookie(SIGNED_IN, path=visit.prefix or "/")
    return answer


async def token(visit: Visit) -> Response:
    """POST /oauth/v2/accessToken: a code or a refresh token for an access token."""
    form = await visit.fields()
    if not form.get("grant_type"):
        return _missing("grant_type")
    app = _client(visit, form)
    if isinstance(app, Response):
        return app
    if form["grant_type"] == "authorization_code":
        return _code_grant(visit, app, form)
    if form["grant_type"] == "refresh_token":
        return _refresh_grant(visit, app, form)
    return _refusal(400, "unsupported_grant_type", "The requested grant type is not supported")


def _client(visit: Visit, form: dict[str, str], *, unknown: int = 401) -> App | Response:
    """The app, by its credentials in the body; a Basic header is not even looked at. `unknown`: the status for a client id of nobody."""
    for name in ("client_id", "client_secret"):
        if not form.get(name):
            return _missing(name)
    app = visit.authority.app(form["client_id"])
    if app is None:
        return _refusal(unknown, "invalid_client", "Client authentication failed")
    if not app.secret_is(form["client_secret"]) or ("code_verifier" in form and app.on("verifier_breaks")):
        return _refusal(401, "invalid_client", "Client authentication failed")
    return app


def _code_grant(visit: Visit, app: App, form: dict[str, str]) -> Response:
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            return _missing(name)
    try:
        given = visit.authority.redeem(form["code"], app, form["redirect_uri"])
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
    access = visit.authority.issue(given, "access", life=life, look=lambda text: f"AQX{text * 6}")
    visit.token = access
    body: dict[str, Any] = {
        "access_token": access.value,
        # A second less than the documented 60 days, as live answers say.
        "expires_in": int(life.total_seconds()) - 1,
        "scope": (" " if app.on("space_scopes") else ",").join(sorted(given.scopes)),
        "token_type": "Bearer",
    }
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
        return JSONResponse({"error": "invalid_request", "error_description": "The token is malformed"}, 400)
    try:
        found = visit.authority.find(form["token"])
    except Refused as refused:
        told = {"status": str(refused.why)} if refused.why in (Why.EXPIRED, Why.REVOKED) and not app.on("bare_introspection") else {}
        return JSONResponse({"active": False} | told)
    if found.client_id != app.client_id:
        return JSONResponse({"active": False})
    if app.on("bare_introspection"):
        return JSONResponse({"active": True})
    visit.token = found
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
    """POST /oauth/v2/revoke: undocumented; 200 with nothing in it is all that is known."""
    form = await visit.fields()
    app = _client(visit, form)
    if isinstance(app, Response):
        return app
    if not form.get("token"):
        return _missing("token")
    try:
        found = visit.authority.find(form["token"])
    except Refused:
        return Response()
    if found.client_id == app.client_id:
        visit.token = found
        visit.authority.revoke(found.value)
    return Response()


def _missing(name: str) -> Response:
    return _refusal(400, "invalid_request", f'A required parameter "{name}" is missing')


def _refusal(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, {"cache-control": "no-store"})


_WWW = ("www.linkedin.com",)
_API = ("api.linkedin.com",)

TWIN = Twin(
    network="linkedin",
    title="LinkedIn",
    authority="linkedin",
    routes=(
        Route(_WWW, "GET POST", "/oauth/v2/authorization", authorize),
        Route(_WWW, "GET", "/m/logout/", sign_out),
        Route(_WWW, "POST", "/oauth/v2/accessToken", token),
        Route(_WWW, "POST", "/oauth/v2/introspectToken", introspect),
        Route(_WWW, "POST", "/oauth/v2/revoke", revoke),
        Route(_WWW, "GET", "/oauth/.well-known/openid-configuration", linkedin_oidc.discovery),
        Route(_WWW, "GET", "/oauth/openid/jwks", linkedin_oidc.jwks),
        Route(_API, "GET", "/v2/userinfo", userinfo),
        Route(_API, "GET", "/v2/me", me),
        Route(_API, "GET", "/rest/me", linkedin_rest.me),
        Route(_API, "GET", "/rest/organizationAcls", linkedin_rest.organization_acls),
        Route(_API, "GET", "/rest/organizations/{id}", linkedin_rest.organization),
        Route(_API, "GET", "/rest/organizationsLookup", linkedin_rest.organizations_lookup),
        Route(_API, "GET", "/rest/images/{urn}", linkedin_rest.image),
    ),
    lost=lost,
    picture_hosts=("media.licdn.com",),
    colour="#0a66c2",
    scope_words=SCOPES,
    errors=linkedin_words.ERRORS,
    turns=linkedin_words.TURNS,
    switches=linkedin_words.SWITCHES,
)
