"""LinkedIn's consent: all or nothing, silent when it was given before, and several mistakes of which the app never hears.

Facts: docs/networks/linkedin.md.
"""

from datetime import timedelta
from urllib.parse import urlsplit

from starlette.responses import Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import LINKEDIN_ALL_IN_ONE, LINKEDIN_PAGES, App
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.twin import Visit

CODE_LIFE = timedelta(minutes=30)
SIGNED_IN = "li_sandbox_member"
"""The cookie that remembers who is signed in at the simulated LinkedIn: a key of the cast."""

SCOPES = {
    "openid": "Use your name and photo",
    "profile": "Use your name and photo",
    "email": "Use the primary e-mail address associated with your account",
    "r_basicprofile": "Use your basic profile, including your name, photo and headline",
    "r_1st_connections_size": "Use the number of your 1st-degree connections",
    "w_member_social": "Create, modify and delete posts, comments and reactions on your behalf",
    "w_member_social_feed": "Create, modify and delete comments and reactions on posts on your behalf",
    "rw_organization_admin": "Manage your organizations' pages and retrieve reporting data",
    "r_organization_admin": "Retrieve your organizations' pages and their reporting data",
    "r_organization_followers": "Use your organizations' followers' data",
    "r_organization_social": "Retrieve your organizations' posts, comments and reactions",
    "r_organization_social_feed": "Retrieve comments and reactions on your organizations' posts",
    "w_organization_social": "Create, modify and delete posts, comments and reactions on your organizations' behalf",
    "w_organization_social_feed": "Create, modify and delete comments and reactions on posts on your organizations' behalf",
}
_EXISTING = LINKEDIN_ALL_IN_ONE | LINKEDIN_PAGES | {"r_liteprofile", "r_emailaddress", "r_member_social"}
"""Every scope that means something, those that no app is granted any more included."""


async def authorize(visit: Visit) -> Response:
    """/oauth/v2/authorization: the consent page and its answer; no page when the member signed in here has granted the same scopes before.

    `enable_extended_login` and whatever else is sent change nothing: the page asks who somebody is in any case. PKCE is not looked at.
    """
    app = visit.authority.app(visit.query.get("client_id", ""))
    redirect_uri = visit.query.get("redirect_uri", "")
    if app is None:
        return _bummer(visit, "Client_id doesn't match", "unknown_client")
    if "#" in redirect_uri or not _registered(app, redirect_uri):
        return _bummer(visit, "Redirect_uri doesn't match", "redirect_uri")
    return await _asked(visit, app, redirect_uri, "")


async def authorize_native(visit: Visit) -> Response:
    """/oauth/native-pkce/authorization: for programs on the member's own machine, of apps for which LinkedIn has enabled it."""
    app = visit.authority.app(visit.query.get("client_id", ""))
    redirect_uri, challenge = visit.query.get("redirect_uri", ""), visit.query.get("code_challenge", "")
    if app is None:
        return _bummer(visit, "Client_id doesn't match", "unknown_client")
    if not app.on("native_pkce"):
        return _bummer(visit, "Native PKCE is not enabled for this application", "native_pkce")
    if not _on_this_machine(redirect_uri):
        return _bummer(visit, "Redirect_uri doesn't match", "redirect_uri")
    if not challenge or visit.query.get("code_challenge_method") != "S256":
        return _bummer(visit, "Invalid code_challenge", "code_challenge")
    return await _asked(visit, app, redirect_uri, challenge)


def _registered(app: App, redirect_uri: str) -> bool:
    """Byte for byte, but for query parameters, which are ignored at matching."""
    bare = redirect_uri.partition("?")[0]
    return app.accepts(bare) or bare in {one.partition("?")[0] for one in app.redirect_uris}


def _on_this_machine(redirect_uri: str) -> bool:
    """Whether it is `http://127.0.0.1`, with any port and path."""
    try:
        parts = urlsplit(redirect_uri)
        return (parts.scheme, parts.hostname) == ("http", "127.0.0.1") and "#" not in redirect_uri
    except ValueError:
        return False


async def _asked(visit: Visit, app: App, redirect_uri: str, challenge: str) -> Response:
    """What is judged once it is known where to send the member back to."""
    scopes = tuple(dict.fromkeys(visit.query.get("scope", "").split()))
    if visit.query.get("response_type") != "code":
        return _bummer(visit, "Invalid response_type", "response_type")
    if not scopes or not _EXISTING.issuperset(scopes):
        return _bummer(visit, "Invalid scope", "scope")
    if refused := [scope for scope in scopes if not app.allows(scope)]:
        return _ungranted(visit, app, redirect_uri, refused[0])
    if visit.method == "GET" and (member := _known(visit, app, scopes)):
        return _allowed(visit, app, member, scopes, redirect_uri, challenge)
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
        return _back(visit, app, redirect_uri, {"error": f"user_cancelled_{error}", "error_description": f"The user cancelled {what}"})
    return _allowed(visit, app, answer.person, answer.scopes, redirect_uri, challenge)


def _ungranted(visit: Visit, app: App, redirect_uri: str, scope: str) -> Response:
    """The scope exists, and the app's products do not carry it."""
    if app.on("ungranted_scope_page"):
        return _bummer(visit, "Invalid scope", "scope_not_granted")
    word = "invalid_scope_error" if app.on("invalid_scope_word") else "unauthorized_scope_error"
    # The quotes are LinkedIn's: escaped for HTML inside a value of a query.
    description = f"Scope &quot;{scope}&quot; is not authorized for your application"
    return _back(visit, app, redirect_uri, {"error": word, "error_description": description})


def _bummer(visit: Visit, text: str, reason: str) -> Response:
    return pages.stopped(visit, "Bummer, something went wrong.", text, reason=reason, status=401, app=visit.query.get("client_id", ""))


def _back(visit: Visit, app: App, redirect_uri: str, parameters: dict[str, str]) -> Response:
    state = visit.query.get("state", "")
    if state and app.on("alters_state"):
        state = state[:-1] + ("A" if state[-1] != "A" else "B")
    return visit.send_back(redirect_uri, parameters | {"state": state})


def _known(visit: Visit, app: App, scopes: tuple[str, ...]) -> Person | None:
    """Who is signed in in this browser, if that member has a living grant of these very scopes."""
    key = visit.request.cookies.get(SIGNED_IN, "")
    person = next((one for one in visit.world.cast.people if one.key == key and one.linkedin is not None), None)
    if person is None:
        return None
    living = visit.authority.living(client_id=app.client_id, person=person.key)
    return person if any(set(token.scopes) == set(scopes) for token in living) else None


def _allowed(visit: Visit, app: App, member: Person, scopes: tuple[str, ...], redirect_uri: str, challenge: str) -> Response:
    """A code for a new consent. Another scope set than before kills the earlier tokens of this member and app."""
    earlier = visit.authority.living(client_id=app.client_id, person=member.key)
    given = visit.authority.consent(app, member.key, scopes)
    if any(set(token.scopes) != set(scopes) for token in earlier):
        visit.authority.revoke_grants(member.key, app.client_id, but_family=given.family, because="other_scopes")
    code = visit.authority.open_code(given, redirect_uri, life=CODE_LIFE, challenge=challenge, look=lambda text: f"AQ{text * 3}")
    answer = _back(visit, app, redirect_uri, {"code": code})
    answer.set_cookie(SIGNED_IN, member.key, path=visit.prefix or "/", httponly=True, samesite="lax")
    return answer


async def sign_out(visit: Visit) -> Response:
    """GET /m/logout/: the only way to be another member next time; the authorize page itself offers none."""
    answer = pages.show(visit.twin, "stopped.html", heading="You are signed out", text="Go back to the app to connect another account.")
    answer.delete_cookie(SIGNED_IN, path=visit.prefix or "/")
    return answer
