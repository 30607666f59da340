"""X as its own documents and public clients know it: PKCE for everybody, codes of 30 seconds, refresh tokens that work once.

The older OAuth 1.0a and tokens for the app alone: `x_oauth1`. Problems of the API: `x_problems`. App options, errors and turns: `x_words`.
"""

import base64
import re
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Consented, Refused, Token, Why
from hitchpost_sandbox.networks import x_api, x_oauth1, x_words
from hitchpost_sandbox.twin import Route, Twin, Visit

CODE_LIFE = timedelta(seconds=30)
ACCESS_LIFE = timedelta(hours=2)
REFRESH_LIFE = timedelta(days=182)
MAX_STATE = 500
_VERIFIER = re.compile(r"[A-Za-z0-9._~-]{1,128}")
"""Shorter ones than the 43 characters of RFC 7636 are taken too: clients in use send 32."""

SCOPES = {
    "tweet.read": "See all the posts you can see",
    "users.read": "See any account you can see",
    "users.email": "See your confirmed e-mail address",
    "tweet.write": "Post and repost for you",
    "tweet.moderate.write": "Hide and unhide replies to your posts",
    "media.write": "Upload media for you",
    "offline.access": "Stay connected to your account until you revoke access",
} | dict.fromkeys(
    (
        *("follows.read", "follows.write", "like.read", "like.write", "list.read", "list.write", "block.read", "block.write", "mute.read"),
        *("mute.write", "bookmark.read", "bookmark.write", "dm.read", "dm.write", "space.read", "timeline.read"),
        *("broadcast.read", "broadcast.write"),
    ),
    "Use further parts of your account",
)

# Seen in public code (postiz, mixpost, xurl issues), fact sheet §1.6.
_CODE_WORDS = {
    Why.OTHER_REDIRECT: "Value passed for the redirect uri did not match the uri of the authorization code.",
    Why.WRONG_VERIFIER: "Value passed for the code verifier did not match the code challenge.",
    Why.NO_VERIFIER: "Missing required parameter [code_verifier].",
}
_STOPPED = ("Something went wrong", "You weren't able to give access to the App. Go back and try logging in again.")
_BAD_CODE = "Value passed for the authorization code was invalid."
_BAD_TOKEN = "Value passed for the token was invalid."  # noqa: S105 - words of an error


async def authorize(visit: Visit) -> Response:
    """The consent page and its answer. What is wrong with the request is never told to the app (§1.3)."""
    query = visit.query
    app = visit.authority.app(query.get("client_id", ""))
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    scopes = tuple(dict.fromkeys(query.get("scope", "").split()))
    fault = _fault_of_request(visit, app, redirect_uri, state, scopes)
    if app is None or fault:
        return pages.stopped(visit, *_STOPPED, reason=fault, app=query.get("client_id", ""))
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        people=[person for person in visit.world.cast.people if person.x is not None],
        handle=lambda person: f"@{person.x.username}" if person.x else "",
    )
    if isinstance(answer, Response):
        return answer
    if not answer.allowed:
        described = {"error_description": x_words.REFUSED} if app.on("refusal_is_described") else {}
        return visit.send_back(redirect_uri, {"error": "access_denied", **described, "state": state})
    testers = str(app.options.get("testers", "")).split()
    if testers and answer.person.key not in testers:
        return pages.stopped(visit, *_STOPPED, reason="no_tester", app=app.client_id)
    withheld = str(app.options.get("withholds", "")).split()
    given = visit.authority.consent(app, answer.person.key, [scope for scope in answer.scopes if scope not in withheld])
    if app.on("reauthorization_kills"):
        visit.authority.revoke_grants(answer.person.key, app.client_id, but_family=given.family, because="authorized_again")
    code = visit.authority.open_code(
        given,
        redirect_uri,
        life=CODE_LIFE,
        challenge=query["code_challenge"],
        method=_method(query.get("code_challenge_method", "plain")),
        look=lambda text: _dressed(visit, text, "ac"),
    )
    return visit.send_back(redirect_uri, {"state": state, "code": code})


def _fault_of_request(visit: Visit, app: App | None, redirect_uri: str, state: str, scopes: tuple[str, ...]) -> str:
    """Why X would show its error page, in the ledger's words; empty when nothing is wrong."""
    query = visit.query
    if app is None:
        return "unknown_client"
    if app.on("no_website"):
        return "no_website"
    if query.get("response_type") != "code":
        return "response_type"
    if not app.accepts(redirect_uri):
        return "redirect_uri"
    if not query.get("code_challenge"):
        return "no_pkce"
    if _method(query.get("code_challenge_method", "plain")) not in ("S256", "plain"):
        return "code_challenge_method"
    if not state or len(state) > MAX_STATE:
        return "state"
    if not scopes or not all(scope in SCOPES and app.allows(scope) for scope in scopes):
        return "scope"
    return ""


def _method(text: str) -> str:
    """The challenge's method; clients in use also write it in small letters."""
    return text.upper() if text.lower() == "s256" else text


async def token(visit: Visit) -> Response:
    """POST /2/oauth2/token: a code or a refresh token for a new pair (§1.4, §1.5)."""
    form = {name: values[-1] for name, values in (await visit.form()).items()}
    app = _client(visit, form)
    if isinstance(app, Response):
        return app
    grant = form.get("grant_type", "")
    if grant == "authorization_code":
        return _code_grant(visit, app, form)
    if grant == "refresh_token":
        return _refresh_grant(visit, app, form)
    if not grant:
        return _missing("grant_type")
    return _refusal(400, "unsupported_grant_type", "Value passed for the grant type was invalid.")


def _client(visit: Visit, form: dict[str, str]) -> App | Response:
    """Who calls: a confidential app by Basic, whatever else of itself it repeats in the body; a public one by client_id alone (§1.4)."""
    pairs = visit.basics()
    named = [name for name, _ in pairs] or [form.get("client_id", "")]
    if not named[0]:
        return _missing("client_id")
    app = next((found for name in named if (found := visit.authority.app(name)) is not None), None)
    if app is None:
        return _refusal(401, "invalid_client", x_words.BAD_CLIENT)
    if app.on("client_id_in_body") and not form.get("client_id"):
        return _missing("client_id")
    known = not pairs if app.on("public_client") else any(app.secret_is(secret) for _, secret in pairs)
    return app if known else _refusal(401, "unauthorized_client", "Missing valid authorization header")


def _code_grant(visit: Visit, app: App, form: dict[str, str]) -> Response:
    for name in ("code", "redirect_uri", "code_verifier"):
        if not form.get(name):
            return _missing(name)
    if not _VERIFIER.fullmatch(form["code_verifier"]):
        return _refusal(400, "invalid_request", _CODE_WORDS[Why.WRONG_VERIFIER])
    try:
        given = visit.authority.redeem(form["code"], app, form["redirect_uri"], form["code_verifier"])
    except Refused as refused:
        return _refusal(400, "invalid_request", _CODE_WORDS.get(refused.why, _BAD_CODE))
    return _pair(visit, given)


def _refresh_grant(visit: Visit, app: App, form: dict[str, str]) -> Response:
    if not form.get("refresh_token"):
        return _missing("refresh_token")
    try:
        spent = visit.authority.take_refresh(form["refresh_token"], app)
    except Refused:
        return _refusal(400, "invalid_grant" if app.on("dead_token_is_invalid_grant") else "invalid_request", _BAD_TOKEN)
    return _pair(visit, spent.consented, spent)


def _pair(visit: Visit, given: Consented, spent: Token | None = None) -> Response:
    """A new pair; the access tokens of the family before it live on until their own end."""
    access = visit.authority.issue(given, "access", life=ACCESS_LIFE, look=lambda text: _dressed(visit, text, "at"))
    body: dict[str, Any] = {
        "token_type": "bearer",
        "expires_in": int(ACCESS_LIFE.total_seconds()),
        "access_token": access.value,
        "scope": " ".join(given.scopes),
    }
    if "offline.access" in given.scopes:
        refresh = visit.authority.issue(given, "refresh", life=REFRESH_LIFE, look=lambda text: _dressed(visit, text, "rt"))
        body["refresh_token"] = refresh.value
    visit.token = spent or access
    return JSONResponse(body, headers={"cache-control": "no-store"})


async def revoke(visit: Visit) -> Response:
    """POST /2/oauth2/revoke: ends one token; an unknown one counts as done (RFC 7009 §2.2)."""
    form = {name: values[-1] for name, values in (await visit.form()).items()}
    if visit.basic() is None and not form.get("client_id"):
        return _refusal(401, "unauthorized_client", "Missing valid authorization header")
    app = _client(visit, form)
    if isinstance(app, Response):
        return app
    if not form.get("token"):
        return _missing("token")
    try:
        found = visit.authority.find(form["token"])
        if found.client_id == app.client_id:
            visit.token = found
            visit.authority.revoke(found.value)
    except Refused:
        pass
    return JSONResponse({"revoked": True})


def _dressed(visit: Visit, text: str, kind: str) -> str:
    """The look of X's codes and tokens: base64url of `<45 random characters>:<unix ms>:1:1:<kind>:1` (§1.4)."""
    made = f"{text[:45]}:{int(visit.clock.now().timestamp() * 1000)}:1:1:{kind}:1"
    return base64.urlsafe_b64encode(made.encode()).rstrip(b"=").decode()


def _missing(name: str) -> Response:
    return _refusal(400, "invalid_request", f"Missing required parameter [{name}].")


def _refusal(status: int, error: str, description: str) -> Response:
    return JSONResponse({"error": error, "error_description": description}, status, {"cache-control": "no-store"})


_API = ("api.x.com", "api.twitter.com")

TWIN = Twin(
    network="x",
    title="X",
    authority="x",
    routes=(
        Route(("x.com", "twitter.com"), "GET POST", "/i/oauth2/authorize", authorize),
        Route(_API, "GET POST", "/2/oauth2/authorize", authorize),
        Route(_API, "POST", "/2/oauth2/token", token),
        Route(_API, "POST", "/2/oauth2/revoke", revoke),
        Route(_API, "GET", "/2/users/me", x_api.me),
        Route(_API, "GET", "/2/users", x_api.by_ids),
        Route(_API, "GET", "/2/users/by", x_api.by_usernames),
        Route(_API, "GET", "/2/users/by/username/{username}", x_api.by_username),
        Route(_API, "GET", "/2/users/{id}", x_api.by_id),
        Route(_API, "POST", "/2/users/{id}/following", x_api.follow),
        Route(_API, "GET", "/1.1/account/verify_credentials.json", x_api.verify_credentials),
        Route(_API, "POST", "/oauth/request_token", x_oauth1.request_token),
        Route((*_API, "x.com", "twitter.com"), "GET POST", "/oauth/authorize", x_oauth1.authorize),
        Route((*_API, "x.com", "twitter.com"), "GET POST", "/oauth/authenticate", x_oauth1.authorize),
        Route(_API, "POST", "/oauth/access_token", x_oauth1.access_token),
        Route(_API, "POST", "/oauth2/token", x_oauth1.app_only),
    ),
    lost=x_api.lost,
    unfit=x_api.unfit,
    picture_hosts=("pbs.twimg.com",),
    picture_path="/profile_images/{rest:path}.png",
    colour="#0f1419",
    allow="Authorize app",
    cancel="Cancel",
    scope_words=SCOPES,
    errors=x_words.ERRORS,
    turns=x_words.TURNS,
    switches=x_words.SWITCHES,
)
