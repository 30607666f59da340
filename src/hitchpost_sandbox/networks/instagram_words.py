"""What can be asked for by name at the simulated Instagram Login: failures in its own words, what befalls accounts, its apps' switches."""

from dataclasses import replace

from starlette.responses import JSONResponse

from hitchpost_sandbox import graph, turns
from hitchpost_sandbox.apps import INSTAGRAM_APP
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_words import DEATHS
from hitchpost_sandbox.people import InstagramAccount, scoped_number
from hitchpost_sandbox.signed_request import DEAUTHORIZE, DELETION, tell
from hitchpost_sandbox.turns import Befallen, Turn, account_of
from hitchpost_sandbox.twin import Wrong
from hitchpost_sandbox.world import World


def _wrong(says: str, error: GraphError) -> Wrong:
    return Wrong(says, lambda visit: graph.refusal(graph.serving(visit), error))


def _dead(because: str, says: str) -> Wrong:
    subcode, message = DEATHS[because]
    return _wrong(says, GraphError(190, message.format(app=INSTAGRAM_APP.client_id), subcode=subcode, challenge="invalid_token"))


def _of_exchange(says: str, message: str) -> Wrong:
    return Wrong(says, lambda _visit: JSONResponse({"error_type": "OAuthException", "code": 400, "error_message": message}, 400))


ERRORS = {
    "rate_limit": _wrong("the app's calls are used up (4)", GraphError(4, "(#4) Application request limit reached")),
    "server_error": _wrong("Instagram's own trouble (2)", GraphError(2, "Service temporarily unavailable", status=500, transient=True)),
    "190": Wrong("the token cannot be read", lambda visit: graph.refusal(graph.serving(visit), graph.unreadable())),
    "190/458": _dead("app_removed", "the person removed the app"),
    "190/459": _dead("checkpoint", "the person must sign in and mend something"),
    "190/460": _dead("password_changed", "the person changed their password"),
    "190/463": _wrong(
        "the token expired",
        GraphError(190, "Error validating access token: Session has expired.", subcode=463, challenge="invalid_token"),
    ),
    "190/467": _dead("logged_out", "the session was ended"),
    "190/464": _dead("unconfirmed", "the account is not confirmed"),
    "190/492": _dead("role_lost", "the person lost the role on the Page"),
    "17": _wrong("the person's calls are used up", GraphError(17, "(#17) User request limit reached")),
    "32": _wrong("calls to Pages are used up", GraphError(32, "(#32) Page request limit reached")),
    "613": _wrong("a limit of its own", GraphError(613, "(#613) Calls to this api have exceeded the rate limit.", subcode=1996)),
    "80002": _wrong(
        "calls to the account are used up",
        GraphError(
            80002,
            "(#80002) There have been too many calls to this Instagram account. Wait a bit and try again.",
            headers={
                "x-business-use-case-usage": '{"17841400000000101":[{"type":"instagram","call_count":100,"total_cputime":58,'
                '"total_time":64,"estimated_time_to_regain_access":12}]}'
            },
        ),
    ),
    "1": _wrong("an unknown error of Instagram's", GraphError(1, "An unknown error occurred", status=500, transient=True)),
    "-1/2207001": _wrong("an error of Instagram's servers", GraphError(-1, "Instagram server error", subcode=2207001, transient=True)),
    "25/2207050": _wrong(
        "the account is restricted, inactive or checkpointed",
        GraphError(
            25,
            "The Instagram account is restricted.",
            subcode=2207050,
            people=("Instagram account restricted", "Log in to the Instagram app and follow its instructions."),
        ),
    ),
    "not_business": _wrong("the account is personal now", GraphError(10, "(#10) The user is not an Instagram Business", status=403)),
    "100/33": Wrong(
        "the object is gone or not visible", lambda visit: graph.refusal(graph.serving(visit), graph.no_such(visit.path.rpartition("/")[2]))
    ),
    "10": _wrong("a permission is missing", GraphError(10, "(#10) Application does not have permission for this action", status=403)),
    "100": _wrong("the account is not eligible", GraphError(100, "Unsupported request - method type: get", type_of="IGApiException")),
    "code_used": _of_exchange("the code was used", "This authorization code has been used"),
    "invalid_platform_app": _of_exchange("the app is unknown, or its secret wrong", "Invalid platform app"),
}


async def _removed(world: World, whom: Befallen, kind: str = DEAUTHORIZE) -> None:
    """The app goes, then its server is told; whose secret signs that is not established."""
    account_of(world, whom, "instagram", InstagramAccount)
    authority = world.authority("instagram")
    for app in authority.apps:
        met = any(token.person == whom.person and token.client_id == app.client_id for token in authority.tokens)
        if whom.app in ("", app.client_id) and met:
            authority.revoke_grants(whom.person, app.client_id, because="app_removed")
            user_id = scoped_number("instagram", whom.person, app.client_id, first="2764")
            secret = str(app.options.get("meta_secret", "")) or app.client_secret
            await tell(world, "instagram", app, whom, kind, user_id, secret)


async def _deletion(world: World, whom: Befallen) -> None:
    await _removed(world, whom, DELETION)


def _becomes(account_type: str, says: str) -> Turn:
    async def play(world: World, whom: Befallen) -> None:
        world.change(whom.person, instagram=replace(account_of(world, whom, "instagram", InstagramAccount), account_type=account_type))

    return Turn(says, play)


TURNS = {
    turns.REVOKED: Turn("the person removes the app: all tokens die (190/458), and the app's deauthorize_url is called, signed", _removed),
    "data_deletion": Turn("the same, and the person wants their data deleted: the app's deletion_url is called, signed", _deletion),
    turns.PASSWORD_CHANGED: turns.tokens_die("instagram", "password_changed", says="the password changes: all tokens die (190/460)"),
    "checkpoint": turns.tokens_die("instagram", "checkpoint", says="the person must sign in and mend something (190/459)"),
    "logged_out": turns.tokens_die("instagram", "logged_out", says="the session is ended: all tokens die (190/467)"),
    turns.PERMISSION_GONE: turns.scope_goes("instagram", says="the person takes back the permission `scope`"),
    "turned_personal": _becomes("PERSONAL", "the account becomes personal: this API is not for it any more (IGApiException 100)"),
    "turned_creator": _becomes("MEDIA_CREATOR", "the account becomes a creator's"),
    "restored": _becomes("BUSINESS", "the account is a business again"),
}

SWITCHES = {
    **graph.SWITCHES,
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "wrapped_answers": '`{"data": [{…}]}` and permissions as text, as documented (live ones are flat; else not established)',
    "documented_types": "`account_type` is `Business` or `Media_Creator`, as documented (live ones are upper case)",
    "errors_of_instagram": "every error of graph.instagram.com says `IGApiException` (it may; default: only the one that is seen so)",
    "refresh_permissions": "renewing a token answers `permissions` too (inferred; default: not)",
    "https_redirects": "http redirect URIs are refused, as real apps meet it (default: loopback ones are taken)",
    "testers": "usernames, comma-separated: anybody else meets “Insufficient developer role”",
    "tester_refusal": "they are sent back with `access_denied` and these words, in place of Instagram's own page (both are seen)",
    "personal_refused": "personal accounts meet a page of Instagram's own and never come back (not established; default: they do)",
    "personal_as_type": "calls of a personal account succeed and say PERSONAL (not established; default: IGApiException 100)",
    "deauthorize_url": "where the app wants to be told that a person removed it",
    "deletion_url": "where the app wants to be told that a person wants their data deleted",
    "meta_secret": "signs those calls in place of the Instagram app's own secret (which of the two signs is not established)",
}
