"""What can be asked for by name at the simulated Instagram Login: failures in its own words, what befalls accounts, its apps' switches."""

from dataclasses import replace

from starlette.responses import JSONResponse

from hitchpost_sandbox import graph, turns
from hitchpost_sandbox.apps import INSTAGRAM_APP
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_words import DEATHS
from hitchpost_sandbox.people import InstagramAccount, scoped_number
from hitchpost_sandbox.signed_request import DEAUTHORIZE, DELETION, tell
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn
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
    "server_error": _wrong("Instagram's own trouble (2)", GraphError(2, "Service temporarily unavailable", status=500)),
    "190": Wrong("the token cannot be read", lambda visit: graph.refusal(graph.serving(visit), graph.unreadable())),
    "190/458": _dead("app_removed", "the person removed the app"),
    "190/459": _dead("checkpoint", "the person must sign in and mend something"),
    "190/460": _dead("password_changed", "the person changed their password"),
    "190/463": _wrong(
        "the token expired",
        GraphError(190, "Error validating access token: Session has expired.", subcode=463, challenge="invalid_token"),
    ),
    "190/467": _dead("logged_out", "the session was ended"),
    "10": _wrong("a permission is missing", GraphError(10, "(#10) Application does not have permission for this action", status=403)),
    "100": _wrong("the account is not eligible", GraphError(100, "Unsupported request - method type: get", type_of="IGApiException")),
    "code_used": _of_exchange("the code was used", "This authorization code has been used"),
    "invalid_platform_app": _of_exchange("the app is unknown, or its secret wrong", "Invalid platform app"),
}


def _account(world: World, whom: Befallen) -> InstagramAccount:
    account = world.cast[whom.person].instagram
    if account is None:
        raise CannotBefall(f"'{whom.person}' has no account on Instagram")
    return account


async def _removed(world: World, whom: Befallen, kind: str = DEAUTHORIZE) -> None:
    """The app goes, then its server is told; whose secret signs that is not established."""
    _account(world, whom)
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
        world.change(whom.person, instagram=replace(_account(world, whom), account_type=account_type))

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
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "require_appsecret_proof": "every call must carry appsecret_proof",
    "wrapped_answers": '`{"data": [{…}]}` and permissions as text, as documented (live ones are flat; else not established)',
    "page_limit": "objects in one answer of a list, at most (not established; public clients ask for 100; default: 25)",
    "quota_total": "how many posts a day `content_publishing_limit` allows (50 and 100 are both reported; default: 100)",
    "quota_usage": "how many of them are used up (default: 0)",
    "testers": "usernames, comma-separated: anybody else meets “Insufficient developer role”",
    "personal_as_type": "calls of a personal account succeed and say PERSONAL (not established; default: IGApiException 100)",
    "deauthorize_url": "where the app wants to be told that a person removed it",
    "deletion_url": "where the app wants to be told that a person wants their data deleted",
    "meta_secret": "signs those calls in place of the Instagram app's own secret (which of the two signs is not established)",
}
