"""Commons simulated: PKCE and Basic for everybody, scopes joined by commas, codes of one minute. Everybody of the cast has an account."""

from datetime import timedelta

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.grants import Refused
from hitchpost_sandbox.twin import Route, Twin, Visit

SCOPES = {"profile": "See your name and picture", "write": "Publish notes for you"}


async def authorize(visit: Visit) -> Response:
    """The consent page and its answer."""
    query = visit.query
    app, redirect_uri = visit.authority.app(query.get("client_id", "")), query.get("redirect_uri", "")
    scopes = tuple(query.get("scope", "").split(","))
    if app is None or not app.accepts(redirect_uri) or not query.get("code_challenge") or not set(scopes) <= set(SCOPES):
        return pages.stopped(visit, "Commons stops here", "The app's request is wrong.", reason="request", app=query.get("client_id", ""))
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        people=visit.world.cast.people,
        handle=lambda person: f"@{person.key}@commons.example",
    )
    if isinstance(answer, Response):
        return answer
    if not answer.allowed:
        return visit.send_back(redirect_uri, {"error": "access_denied", "state": query.get("state", "")})
    given = visit.authority.consent(app, answer.person.key, answer.scopes)
    code = visit.authority.open_code(given, redirect_uri, life=timedelta(minutes=1), challenge=query["code_challenge"])
    return visit.send_back(redirect_uri, {"code": code, "state": query.get("state", "")})


async def token(visit: Visit) -> Response:
    """POST /token: a code for an access token."""
    form, basic = await visit.fields(), visit.basic()
    app = visit.authority.app(basic[0]) if basic else None
    if app is None or basic is None or not app.secret_is(basic[1]):
        return JSONResponse({"error": "invalid_client"}, 401)
    try:
        given = visit.authority.redeem(form.get("code", ""), app, form.get("redirect_uri", ""), form.get("code_verifier", ""))
    except Refused:
        return JSONResponse({"error": "invalid_grant"}, 400)
    visit.token = visit.authority.issue(given, "access", life=timedelta(days=90))
    return JSONResponse({"access_token": visit.token.value, "expires_in": 7_776_000, "scope": ",".join(given.scopes)})


async def account(visit: Visit) -> Response:
    """GET /account: whose token it is."""
    try:
        visit.token = visit.authority.find(visit.bearer(), "access")
    except Refused:
        return JSONResponse({"error": "invalid_token"}, 401)
    person = visit.world.cast[visit.token.person]
    picture = f"https://pictures.commons.example/{person.key}.png"
    return JSONResponse({"id": f"commons-{person.key}", "name": person.name, "handle": f"@{person.key}", "picture": picture})


async def lost(_visit: Visit) -> Response:
    """What Commons answers to a path it does not have."""
    return JSONResponse({"error": "not_found"}, 404)


TWIN = Twin(
    network="commons",
    title="Commons",
    authority="commons",
    routes=(
        Route(("www.commons.example",), "GET POST", "/authorize", authorize),
        Route(("api.commons.example",), "POST", "/token", token),
        Route(("api.commons.example",), "GET", "/account", account),
    ),
    lost=lost,
    picture_hosts=("pictures.commons.example",),
    colour="#2f6f4f",
    scope_words=SCOPES,
    apps=(App("commons", "sandbox-commons", "sandbox-commons-secret-4f1e9a70"),),
)
