"""Instagram Login and graph.instagram.com: one professional account, app-scoped id beside the global one, its own error words.

Instagram through Facebook lives in the twin of Facebook, at its hosts. App options, errors and turns: `instagram_words`.
"""

import re
from datetime import timedelta

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import consent, graph, graph_nodes, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, Why
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_nodes import Node
from hitchpost_sandbox.networks import instagram_words
from hitchpost_sandbox.people import InstagramAccount, Person, scoped_number
from hitchpost_sandbox.twin import Route, Twin, Visit

CODE_LIFE = timedelta(hours=1)
SHORT_LIFE = timedelta(hours=1)
LONG_LIFE = timedelta(seconds=5183944)
YOUNGEST_REFRESH = timedelta(hours=24)
_PICTURE_LIFE = timedelta(days=4)
_PICTURES = "https://scontent.cdninstagram.com/v/t51.2885-19"

SCOPES = {
    "instagram_business_basic": "View profile and access media",
    "instagram_business_content_publish": "Access and publish content",
    "instagram_business_manage_comments": "Access and manage comments",
    "instagram_business_manage_insights": "Access and manage insights",
    "instagram_business_manage_messages": "Access and manage messages",
}

_CODE_WORDS = {
    Why.USED: "This authorization code has been used",
    Why.OTHER_REDIRECT: graph.OTHER_REDIRECT,
}


async def authorize(visit: Visit) -> Response:
    """The consent page and its answer; what is wrong with the request is shown here and told to nobody."""
    query = visit.query
    app = visit.authority.app(query.get("client_id", ""))
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    scopes = tuple(dict.fromkeys(scope for scope in re.split(r"[\s,]+", query.get("scope", "")) if scope))
    if app is None:
        return pages.stopped(
            visit, "Invalid platform app", "Invalid Request: Request parameters are invalid: Invalid platform app", reason="unknown_client"
        )
    if not app.accepts(redirect_uri) or (app.on("https_redirects") and not redirect_uri.startswith("https:")):
        text = "Invalid Request: Request parameters are invalid: Invalid redirect_uri"
        return pages.stopped(visit, "Invalid redirect_uri", text, reason="redirect_uri", app=app.client_id)
    if query.get("response_type") != "code":
        text = "Invalid Request: Request parameters are invalid: Invalid response_type"
        return pages.stopped(visit, "Invalid response_type", text, reason="response_type", app=app.client_id)
    if not scopes or (unknown := [scope for scope in scopes if scope not in SCOPES or not app.allows(scope)]):
        text = f"Invalid scope: {unknown[0] if scopes else ''}"
        return pages.stopped(visit, "Invalid scope", text, reason="scope", app=app.client_id)
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        people=[person for person in visit.world.cast.people if person.instagram is not None],
        handle=lambda person: f"@{person.instagram.username}" if person.instagram else "",
        may_untick=True,
        fixed=frozenset({"instagram_business_basic"}),
        remembers=True,
        afresh=query.get("force_reauth", "").lower() in ("true", "1"),
    )
    if isinstance(answer, Response):
        return answer
    denied = {"error": "access_denied", "error_reason": "user_denied", "error_description": "The user denied your request", "state": state}
    if not answer.allowed:
        return visit.send_back(redirect_uri, denied)
    if app.on("personal_refused") and answer.person.instagram is not None and not answer.person.instagram.professional:
        text = "Only professional accounts can log in here. Switch to a professional account in the Instagram app."
        return pages.stopped(visit, "Professional account needed", text, reason="personal", app=app.client_id)
    if not _may_test(app, answer.person):
        if app.on("tester_refusal"):
            return visit.send_back(redirect_uri, denied | {"error_description": "Insufficient developer role"})
        text = "The Instagram account is not listed as a tester of this app."
        return pages.stopped(visit, "Insufficient developer role", text, reason="not_a_tester", app=app.client_id)
    given = visit.authority.consent(app, answer.person.key, answer.scopes)
    code = visit.authority.open_code(given, redirect_uri, life=CODE_LIFE, look=lambda text: f"AQ{text}")
    return visit.send_back(redirect_uri, {"code": code, "state": state}, fragment="#_")


def _may_test(app: App, person: Person) -> bool:
    testers = app.options.get("testers")
    return testers is None or (person.instagram is not None and person.instagram.username in str(testers).split(","))


async def redeem(visit: Visit) -> Response:
    """api.instagram.com/oauth/access_token: a code for a token of an hour. Its errors have their own shape."""
    form = {name: values[-1] for name, values in (await visit.form()).items()}
    app = visit.authority.app(form.get("client_id", ""))
    if app is None:
        return _refusal("Invalid platform app")
    if not app.secret_is(form.get("client_secret", "")):
        return _refusal("Error validating client secret.")
    if form.get("grant_type") != "authorization_code":
        return _refusal("Invalid grant_type")
    try:
        given = visit.authority.redeem(form.get("code", ""), app, form.get("redirect_uri", ""))
    except Refused as refused:
        return _refusal(_CODE_WORDS.get(refused.why, "Matching code was not found or was already used"))
    token = visit.authority.issue(given, "short", life=SHORT_LIFE, look=_token_look)
    visit.token = token
    scoped = _scoped_id(token)
    if app.on("wrapped_answers"):
        wrapped = {"access_token": token.value, "user_id": scoped, "permissions": ",".join(given.scopes)}
        return JSONResponse({"data": [wrapped]})
    return JSONResponse({"access_token": token.value, "user_id": int(scoped), "permissions": list(given.scopes)})


def _refusal(message: str) -> Response:
    return JSONResponse({"error_type": "OAuthException", "code": 400, "error_message": message}, 400)


_PATHS = graph.paths("/debug_token", "/{id}", "/{id}/content_publishing_limit", alone=("/access_token", "/refresh_access_token"))


async def call(visit: Visit) -> Response:
    """Everything at graph.instagram.com. The two token endpoints have no version."""
    version = graph.VERSIONS[-1]
    given = await graph.parameters(visit)
    try:
        if visit.path.rstrip("/") == "/access_token":
            return graph.answer(version, _longer(visit, given))
        if visit.path.rstrip("/") == "/refresh_access_token":
            return graph.answer(version, _renewed(visit, given))
        version, parts = graph.route(visit, given)
        if parts == ["debug_token"]:
            raise GraphError(2, "(#2) Service temporarily unavailable", status=500, transient=True)
        return graph.answer(version, _node(visit, given, parts))
    except GraphError as error:
        return graph.refused(visit, version, given, error)


def _longer(visit: Visit, given: dict[str, str]) -> dict[str, object]:
    if given.get("grant_type") != "ig_exchange_token":
        raise _ineligible()
    token = graph.living(visit, graph.token_text(visit, given))
    app = visit.authority.app(token.client_id)
    if app is None or not app.secret_is(given.get("client_secret", "")):
        raise GraphError(1, "Error validating client secret.")
    _account(visit, token)
    return _long_lived(visit, token)


def _renewed(visit: Visit, given: dict[str, str]) -> dict[str, object]:
    token = graph.living(visit, graph.token_text(visit, given))
    _account(visit, token)
    young = visit.clock.now() - token.issued_at < YOUNGEST_REFRESH
    if given.get("grant_type") != "ig_refresh_token" or token.kind != "long" or young:
        raise _ineligible()
    if "instagram_business_basic" not in token.scopes:
        raise GraphError(10, "(#10) Application does not have permission for this action", status=403)
    app = visit.authority.app(token.client_id)
    permissions = {"permissions": ",".join(token.scopes)} if app is not None and app.on("refresh_permissions") else {}
    return _long_lived(visit, token) | permissions


def _long_lived(visit: Visit, token: Token) -> dict[str, object]:
    longer = visit.authority.issue(token.consented, "long", life=LONG_LIFE, look=_token_look)
    visit.token = longer
    return {"access_token": longer.value, "token_type": "bearer", "expires_in": int(LONG_LIFE.total_seconds())}


def _node(visit: Visit, given: dict[str, str], parts: list[str]) -> dict[str, object]:
    who = graph.caller(visit, given)
    if who.token is None:
        raise graph.unreadable()
    account = _account(visit, who.token)
    visit.said |= graph.metered(visit, who, account.id, "instagram")
    scoped = _scoped_id(who.token)
    if parts[1:] == ["content_publishing_limit"] and parts[0] in ("me", scoped, account.id):
        if "instagram_business_content_publish" not in who.token.scopes:
            raise GraphError(10, "(#10) Application does not have permission for this action", status=403)
        return graph_nodes.publishing_limit(who.app, given)
    if visit.method not in ("GET", "HEAD") or len(parts) != 1 or parts[0] not in ("me", scoped, account.id):
        raise graph.no_such("/".join(parts), visit.method.lower())
    shown = _account_node(visit, who.app, account, scoped).shown(graph_nodes.fields(given.get("fields", "")))
    return {"data": [shown]} if who.app.on("wrapped_answers") else shown


def _account(visit: Visit, token: Token) -> InstagramAccount:
    """The account behind the token. Raises GraphError for a personal one: this API is not for it."""
    account, app = visit.world.cast[token.person].instagram, visit.authority.app(token.client_id)
    if account is None or app is None:
        raise graph.unreadable()
    if not account.professional and not app.on("personal_as_type"):
        visit.token = token
        raise _ineligible()
    return account


def _ineligible() -> GraphError:
    return GraphError(100, "Unsupported request - method type: get", type_of="IGApiException")


def _account_node(visit: Visit, app: App, account: InstagramAccount, scoped: str) -> Node:
    ends = int((visit.clock.now() + _PICTURE_LIFE).timestamp())
    values = {
        # Known to this host, and without a value in this cast.
        "biography": None,
        "website": None,
        "id": scoped,
        "user_id": account.id,
        "username": account.username,
        "name": account.name or None,
        "account_type": account.account_type.title() if app.on("documented_types") else account.account_type,
        "profile_picture_url": f"{_PICTURES}/{account.picture}.png?oe={ends:X}" if account.picture else None,
        "followers_count": account.followers,
        "follows_count": account.follows,
        "media_count": account.media,
    }
    return Node("IGUser", values, ("id",))


def _scoped_id(token: Token) -> str:
    """17 digits beyond 2^53, another one for another app."""
    return scoped_number("instagram", token.person, token.client_id, first="2764")


def _token_look(text: str) -> str:
    return f"IGAA{text}"


async def lost(visit: Visit) -> Response:
    """What Instagram shows at an address that it does not have."""
    return pages.show(
        visit.twin, "stopped.html", 404, heading="Sorry, this page isn't available.", text="The link you followed may be broken."
    )


TWIN = Twin(
    network="instagram",
    title="Instagram",
    authority="instagram",
    routes=(
        Route(("www.instagram.com", "api.instagram.com"), "GET POST", "/oauth/authorize", authorize),
        Route(("www.instagram.com", "api.instagram.com"), "GET POST", "/oauth/authorize/", authorize),
        Route(("api.instagram.com",), "POST", "/oauth/access_token", redeem),
        Route(("api.instagram.com",), "POST", "/oauth/access_token/", redeem),
        Route(("graph.instagram.com",), "GET POST DELETE", "/{path:path}", call, _PATHS),
    ),
    lost=lost,
    picture_hosts=("scontent.cdninstagram.com",),
    picture_path="/v/{rest:path}.png",
    colour="#d62976",
    allow="Allow",
    cancel="Cancel",
    scope_words=SCOPES,
    errors=instagram_words.ERRORS,
    turns=instagram_words.TURNS,
    switches=instagram_words.SWITCHES,
)
