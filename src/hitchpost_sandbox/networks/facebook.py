"""Facebook Login (classic) and its Graph: permissions that can be unticked, Pages that can be, tokens exchanged for longer ones.

App options, errors and turns: `facebook_words`.
"""

import re
from datetime import timedelta

from starlette.responses import Response

from hitchpost_sandbox import consent, graph, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, Why
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.networks import facebook_graph, facebook_logins, facebook_words
from hitchpost_sandbox.twin import Route, Twin, Visit

CODE_LIFE = timedelta(minutes=10)
SHORT_LIFE = timedelta(seconds=5179)
LONG_LIFE = timedelta(seconds=5183944)

SCOPES = {
    "public_profile": "Your name and profile picture",
    "email": "Your e-mail address",
    "pages_show_list": "See the list of Pages you manage",
    "business_management": "Manage your business",
    "pages_manage_posts": "Create and manage content on your Page",
    "pages_read_engagement": "Read content posted on the Page",
    "pages_manage_engagement": "Manage comments on the Page",
    "pages_manage_metadata": "Manage accounts, settings and webhooks for a Page",
    "pages_read_user_content": "Read user content on your Page",
    "read_insights": "Access your Page and app insights",
    "publish_video": "Publish videos to your timeline",
    "instagram_basic": "See the profile and posts of your Instagram account",
    "instagram_content_publish": "Upload media and create posts for your Instagram account",
    "instagram_manage_comments": "Manage comments for your Instagram account",
    "instagram_manage_insights": "Access insights for your Instagram account",
    "instagram_manage_contents": "Delete posts of your Instagram account",
    "instagram_manage_engagement": "Like for your Instagram account",
    "instagram_manage_messages": "Manage messages of your Instagram account",
    "ads_management": "Manage ads for ad accounts that you have access to",
    "ads_read": "Access your Facebook ads and related stats",
}

# Fact sheet §3.1: code 100 for everything about the code, told apart by the subcode.
_CODE_WORDS = {
    Why.USED: (36009, "This authorization code has been used."),
    Why.EXPIRED: (36007, "This authorization code has expired."),
    Why.OTHER_REDIRECT: (36008, graph.OTHER_REDIRECT),
}


async def dialog(visit: Visit) -> Response:
    """The consent dialog and its answer. A wrong app, address or scope is shown here and told to nobody."""
    query = visit.query
    app = visit.authority.app(query.get("client_id", ""))
    redirect_uri, state = query.get("redirect_uri", ""), query.get("state", "")
    asked = tuple(dict.fromkeys(scope for scope in re.split(r"[\s,]+", query.get("scope", "")) if scope))
    if app is None:
        return pages.stopped(visit, "Invalid App ID", "The provided app ID does not look like a valid app ID.", reason="unknown_client")
    if not app.accepts(redirect_uri):
        text = (
            "This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings. Make sure Client and Web "
            "OAuth Login are on and add all your app domains as Valid OAuth Redirect URIs."
        )
        return pages.stopped(visit, "URL blocked", text, reason="redirect_uri", app=app.client_id)
    if query.get("response_type", "code") != "code":
        return pages.stopped(
            visit, "Invalid parameter", "Only response_type=code is known here.", reason="response_type", app=app.client_id
        )
    if query.get("config_id"):
        text = "Logins by configuration (config_id) are not simulated: ask with scope."
        return pages.stopped(visit, "Invalid parameter", text, reason="config_id", app=app.client_id)
    if unknown := [scope for scope in asked if scope not in SCOPES or not app.allows(scope)]:
        text = f"Invalid Scopes: {', '.join(unknown)}. This message is only shown to developers."
        return pages.stopped(visit, "It looks like this app isn't available", text, reason="scope", app=app.client_id)
    offered = tuple(dict.fromkeys((facebook_logins.AUTOMATIC, *asked)))
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=offered,
        people=[person for person in visit.world.cast.people if person.facebook is not None],
        handle=lambda person: person.email,
        targets=facebook_logins.targets,
        may_untick=True,
        fixed=frozenset({facebook_logins.AUTOMATIC}),
    )
    if isinstance(answer, Response):
        return answer
    if not answer.allowed or app.on("development_mode"):
        return _refused(visit, app, redirect_uri, state)
    login = facebook_logins.login(visit.authority, app.client_id, answer.person.key)
    granted = login.decide(offered, answer.scopes, again=query.get("auth_type") == "rerequest")
    login.targets = answer.targets
    given = visit.authority.consent(app, answer.person.key, granted, answer.targets)
    code = visit.authority.open_code(given, redirect_uri, life=CODE_LIFE, look=lambda text: f"AQ{text * 6}")
    return visit.send_back(redirect_uri, {"code": code, "state": state}, fragment="#_=_")


def _refused(visit: Visit, app: App, redirect_uri: str, state: str) -> Response:
    if app.on("legacy_dialog_errors"):
        return visit.send_back(redirect_uri, {"error_code": "200", "error_message": "Permissions error", "state": state}, fragment="#_=_")
    said = {"error": "access_denied", "error_code": "200", "error_description": "Permissions error", "error_reason": "user_denied"}
    return visit.send_back(redirect_uri, said | {"state": state}, fragment="#_=_")


async def token(visit: Visit, version: str) -> Response:
    """/oauth/access_token by GET or POST: a code, a token for a longer one, or the app's own."""
    given = await graph.parameters(visit)
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
        return _answer(visit, version, _longer(visit, app, given.get("fb_exchange_token", "")))
    if grant != "authorization_code":
        raise GraphError(100, f"Invalid grant_type: {grant}")
    try:
        consented = visit.authority.redeem(given.get("code", ""), app, given.get("redirect_uri", ""))
    except Refused as refused:
        subcode, message = _CODE_WORDS.get(refused.why, (0, "Invalid verification code format."))
        raise GraphError(100, message, subcode=subcode, challenge="invalid_code") from None
    life = None if app.on("tokens_without_date") else SHORT_LIFE
    return _answer(visit, version, visit.authority.issue(consented, "user", life=life, look=_token_look))


def _longer(visit: Visit, app: App, text: str) -> Token:
    known = graph.living(visit, text)
    if known.client_id != app.client_id or known.kind == "page":
        raise graph.unreadable()
    life = None if app.on("tokens_without_date") else LONG_LIFE
    return visit.authority.issue(known.consented, facebook_graph.LONG, life=life, look=_token_look)


def _answer(visit: Visit, version: str, token: Token) -> Response:
    visit.token = token
    body: dict[str, object] = {"access_token": token.value, "token_type": "bearer"}
    if token.expires_at is not None:
        body["expires_in"] = round((token.expires_at - visit.clock.now()).total_seconds())
    return graph.answer(version, body)


def _token_look(text: str) -> str:
    return f"EAA{text * 3}"


async def call(visit: Visit) -> Response:
    """Everything at graph.facebook.com."""
    version = graph.VERSIONS[-1]
    try:
        version, parts = graph.route(visit)
        if parts == ["oauth", "access_token"]:
            return await token(visit, version)
        return await facebook_graph.answer(visit, version, parts)
    except GraphError as error:
        return graph.refusal(version, error)


async def lost(visit: Visit) -> Response:
    """www.facebook.com has no other page here."""
    return pages.show(visit.twin, "stopped.html", 404, heading="This page isn't available", text="The link you followed may be broken.")


_WEB = ("www.facebook.com", "m.facebook.com", "web.facebook.com")

TWIN = Twin(
    network="facebook",
    title="Facebook",
    authority="meta",
    routes=(
        Route(_WEB, "GET POST", "/dialog/oauth", dialog),
        Route(_WEB, "GET POST", "/{version}/dialog/oauth", dialog),
        Route(("graph.facebook.com",), "GET POST DELETE", "/{path:path}", call),
    ),
    lost=lost,
    picture_hosts=("scontent.xx.fbcdn.net",),
    colour="#0866ff",
    allow="Continue",
    cancel="Cancel",
    scope_words=SCOPES,
    errors=facebook_words.ERRORS,
    turns=facebook_words.TURNS,
    switches=facebook_words.SWITCHES,
)
