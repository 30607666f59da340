"""What can be asked for by name at the simulated Facebook: failures in its own words, what befalls people and Pages, its apps' switches."""

from dataclasses import replace
from datetime import timedelta

from hitchpost_sandbox import graph, turns
from hitchpost_sandbox.apps import META_APP
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_words import DEATHS
from hitchpost_sandbox.networks import facebook_logins
from hitchpost_sandbox.people import FacebookLogin
from hitchpost_sandbox.signed_request import DEAUTHORIZE, DELETION, tell
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn
from hitchpost_sandbox.twin import Wrong
from hitchpost_sandbox.world import World

_TRY_LATER = "Wait a bit and try again."
_FULL = '{"call_count":100,"total_time":64,"total_cputime":58}'
_PAGES_FULL = (
    '{"101755847768001":[{"type":"pages","call_count":100,"total_cputime":58,"total_time":64,"estimated_time_to_regain_access":12}]}'
)


def _wrong(says: str, error: GraphError) -> Wrong:
    return Wrong(says, lambda visit: graph.refusal(graph.serving(visit), error))


def _limit(says: str, code: int, message: str, *, business: str = "") -> Wrong:
    headers = {"x-business-use-case-usage": business} if business else {"x-app-usage": _FULL}
    return _wrong(says, GraphError(code, f"(#{code}) {message}", headers=headers))


def _dead(subcode: int, message: str, says: str) -> Wrong:
    return _wrong(says, GraphError(190, message.format(app=META_APP.client_id), subcode=subcode, challenge="invalid_token"))


ERRORS = {
    "rate_limit": _limit("the app's calls are used up (4)", 4, "Application request limit reached"),
    "server_error": _wrong("Facebook's own trouble (2)", GraphError(2, "Service temporarily unavailable", status=500)),
    "1": _wrong("an unknown error of Facebook's", GraphError(1, "An unknown error occurred", status=500)),
    "17": _limit("the person's calls are used up", 17, "User request limit reached"),
    "32": _limit("calls to Pages with a user token are used up", 32, "Page request limit reached"),
    "613": _wrong("a limit of its own", GraphError(613, "(#613) Calls to this api have exceeded the rate limit.", subcode=1996)),
    "80001": _limit(
        "calls with the Page's token are used up",
        80001,
        f"There have been too many calls to this Page account. {_TRY_LATER}",
        business=_PAGES_FULL,
    ),
    "80002": _limit(
        "calls to the Instagram account are used up",
        80002,
        f"There have been too many calls to this Instagram account. {_TRY_LATER}",
        business=_PAGES_FULL.replace("101755847768001", "17841400000000101").replace('"pages"', '"instagram"'),
    ),
    "368": _wrong(
        "blocked for a while for policy", GraphError(368, "The action attempted has been deemed abusive or is otherwise disallowed")
    ),
    "190": Wrong("the token cannot be read", lambda visit: graph.refusal(graph.serving(visit), graph.unreadable())),
    "190/458": _dead(*DEATHS["app_removed"], "the person removed the app"),
    "190/459": _dead(*DEATHS["checkpoint"], "the person must sign in at Facebook and mend something"),
    "190/460": _dead(*DEATHS["password_changed"], "the person changed their password"),
    "190/463": _dead(463, "Error validating access token: Session has expired.", "the token expired"),
    "190/464": _dead(*DEATHS["unconfirmed"], "the account is not confirmed"),
    "190/467": _dead(*DEATHS["logged_out"], "the person logged out"),
    "190/492": _dead(*DEATHS["role_lost"], "the person lost the role on the Page"),
    "190/2069032": _wrong(
        "a Page's token is wanted", GraphError(190, "A Page access token is required for this call.", subcode=2069032, status=403)
    ),
    "102": _wrong("the session is over", GraphError(102, "Session key invalid or no longer valid", challenge="invalid_token")),
    "10": _wrong("a permission is missing", GraphError(10, "(#10) Application does not have permission for this action", status=403)),
    "200": _wrong("a permission is missing", GraphError(200, "(#200) Requires a permission that was not granted", status=403)),
    "3": _wrong("the app lacks the capability", GraphError(3, "(#3) Application does not have the capability to make this API call.")),
    "100/33": Wrong(
        "the object is gone or not visible", lambda visit: graph.refusal(graph.serving(visit), graph.no_such(visit.path.rpartition("/")[2]))
    ),
    "2500": _wrong("no token", GraphError(2500, "An active access token must be used to query information about the current user.")),
}


def _login_of(world: World, whom: Befallen) -> FacebookLogin:
    login = world.cast[whom.person].facebook
    if login is None:
        raise CannotBefall(f"'{whom.person}' has no login at Facebook")
    return login


def _dies(because: str, says: str) -> Turn:
    return turns.tokens_die("meta", because, says=says)


async def _removed(world: World, whom: Befallen, kind: str = DEAUTHORIZE) -> None:
    """The app goes, then Facebook tells its server."""
    _login_of(world, whom)
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.forget(authority, app.client_id, whom.person)
            user_id = facebook_logins.user_id(world.cast[whom.person], app.client_id)
            await tell(world, "facebook", app, whom, kind, user_id, app.client_secret)


async def _deletion(world: World, whom: Befallen) -> None:
    await _removed(world, whom, DELETION)


async def _permission_gone(world: World, whom: Befallen) -> None:
    if not whom.scope:
        raise CannotBefall("'scope' must name the permission that goes")
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.login(authority, app.client_id, whom.person).permissions[whom.scope] = facebook_logins.DECLINED
    authority.take_scope(whom.person, whom.scope, client_id=whom.app)


async def _permission_expires(world: World, whom: Befallen) -> None:
    await _permission_gone(world, whom)
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.login(authority, app.client_id, whom.person).permissions[whom.scope] = facebook_logins.EXPIRED


async def _page_removed(world: World, whom: Befallen) -> None:
    """The Page is deleted: it is gone for everybody who had a part in it."""
    _demand_page(world, whom)
    for person in world.cast.people:
        if person.facebook and any(page.id == whom.target for page in person.facebook.pages):
            left = tuple(page for page in person.facebook.pages if page.id != whom.target)
            world.change(person.key, facebook=replace(person.facebook, pages=left))
    _end_page_tokens(world, whom.target, "", "page_removed")


async def _role_lost(world: World, whom: Befallen) -> None:
    login = _demand_page(world, whom)
    pages = tuple(replace(page, tasks=()) if page.id == whom.target else page for page in login.pages)
    world.change(whom.person, facebook=replace(login, pages=pages))
    _end_page_tokens(world, whom.target, whom.person, "role_lost")


def _demand_page(world: World, whom: Befallen) -> FacebookLogin:
    login = _login_of(world, whom)
    if all(page.id != whom.target for page in login.pages):
        raise CannotBefall(f"'{whom.person}' has no Page '{whom.target}': name its id as 'target'")
    return login


def _end_page_tokens(world: World, page_id: str, person: str, because: str) -> None:
    authority = world.authority("meta")
    for token in authority.living(person=person):
        if token.kind == "page" and token.subject == page_id:
            authority.revoke(token.value, because=because)


async def _throttled(world: World, whom: Befallen) -> None:
    """The person's calls are used up for an hour."""
    _login_of(world, whom)
    world.authority("meta").memory.setdefault("throttled", {})[whom.person] = world.clock.now() + timedelta(hours=1)


async def _restored(world: World, whom: Befallen) -> None:
    world.authority("meta").memory.get("throttled", {}).pop(whom.person, None)


TURNS = {
    turns.REVOKED: Turn("the person removes the app: all tokens die (190/458), and the app's deauthorize_url is called, signed", _removed),
    "data_deletion": Turn("the same, and the person wants their data deleted: the app's deletion_url is called, signed", _deletion),
    turns.PASSWORD_CHANGED: _dies("password_changed", "the person changes the password: all tokens die (190/460)"),
    "checkpoint": _dies("checkpoint", "the person must sign in and mend something: all tokens die (190/459)"),
    "unconfirmed": _dies("unconfirmed", "the account is not confirmed any more: all tokens die (190/464)"),
    "logged_out": _dies("logged_out", "the person's session is ended: all tokens die (190/467)"),
    turns.PERMISSION_GONE: Turn("the person takes back the permission `scope`", _permission_gone),
    "permission_expired": Turn("the permission `scope` was not used for 90 days and expires", _permission_expires),
    turns.PAGE_REMOVED: Turn("the Page `target` is deleted (100/33)", _page_removed),
    turns.ROLE_LOST: Turn("the person loses every task on the Page `target` (190/492 for its token)", _role_lost),
    "throttled": Turn("the person's calls are used up for an hour (17)", _throttled),
    "restored": Turn("the throttle is lifted", _restored),
}

SWITCHES = {
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "require_appsecret_proof": "every call must carry appsecret_proof",
    "development_mode": "an app that is not live: a full consent comes back as a refusal",
    "legacy_dialog_errors": "a refusal in the dialog's older style: error_code and error_message (which of them comes is not established)",
    "tokens_without_date": "token answers without expires_in",
    "calls_an_hour": "so many calls an hour, with X-App-Usage climbing to 100 and then error 4 (default: no limit)",
    "page_limit": "objects in one answer of a list, at most (not established; public clients ask for 100; default: 25)",
    "quota_total": "how many posts a day `content_publishing_limit` allows (25, 50 and 100 are all reported; default: 100)",
    "quota_usage": "how many of them are used up (default: 0)",
    "bare_true": "DELETE permissions answers `true` and not an object (both are known)",
    "deauthorize_url": "where the app wants to be told that a person removed it",
    "deletion_url": "where the app wants to be told that a person wants their data deleted",
}
