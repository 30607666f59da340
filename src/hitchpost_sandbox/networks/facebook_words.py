"""What can be asked for by name at the simulated Facebook: permissions, failures in its own words, its apps' switches."""

from hitchpost_sandbox import graph
from hitchpost_sandbox.apps import META_APP
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_words import DEATHS
from hitchpost_sandbox.twin import Wrong

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
    "server_error": _wrong("Facebook's own trouble (2)", GraphError(2, "Service temporarily unavailable", status=500, transient=True)),
    "1": _wrong("an unknown error of Facebook's", GraphError(1, "An unknown error occurred", status=500, transient=True)),
    "17": _limit("the person's calls are used up", 17, "User request limit reached"),
    "32": _limit("calls to Pages with a user token are used up", 32, "Page request limit reached"),
    "341": _limit("a temporary limit of the application", 341, "Application limit reached"),
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
        "blocked for a while for policy, with words for people",
        GraphError(
            368,
            "The action attempted has been deemed abusive or is otherwise disallowed",
            people=("You're Temporarily Blocked", "It looks like you were misusing this feature by going too fast."),
        ),
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
    "1/2853006": _wrong("the viewer may not do this", GraphError(1, "The viewer is not allowed to perform this action", subcode=2853006)),
    **{
        f"200/{subcode}": _wrong(
            f"Pages in the new experience have no such {what}",
            GraphError(200, f"(#200) This {what} is not supported", subcode=subcode, status=403),
        )
        for subcode, what in ((2069030, "endpoint"), (2069031, "field"), (2069033, "feature"))
    },
    **{
        f"190/{subcode}": _dead(subcode, f"Error validating access token: {why}.", f"an older way of saying that a token is dead: {why}")
        for subcode, why in (
            (456, "the session is malformed"),
            (457, "the session has a wrong origin"),
            (461, "the app was installed again"),
            (462, "the session's version is stale"),
            (465, "the user is invalid"),
            (466, "the session was invalidated through the API"),
            (468, "the session was not used for long"),
        )
    },
    **{
        str(code): _limit("calls of another use case are used up", code, f"There have been too many calls. {_TRY_LATER}")
        for code in (80000, 80003, 80004, 80005, 80006, 80008, 80009, 80014)
    },
    "2500": _wrong("no token", GraphError(2500, "An active access token must be used to query information about the current user.")),
}


SWITCHES = {
    **graph.SWITCHES,
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "configurations": "logins by `config_id`, as `id=user: scope scope; id=system_user: scope; id=system_user_60_days: scope`",
    "business_login": "Facebook Login for Business: who unticks one permission is sent back as by a cancel, with nothing granted",
    "app_roles": "keys of people with a role in the app, comma-separated: `development_mode` lets them in, debug_token takes their tokens",
    "development_mode": "an app that is not live: a full consent comes back as a refusal, but for people with a role",
    "development_page": "with `development_mode`: an error page in place of that refusal (both are seen)",
    "legacy_dialog_errors": "a refusal in the dialog's older style: error_code and error_message (which of them comes is not established)",
    "documented_refusal": "a refusal with the three documented fields alone, without error_code (its presence is not established)",
    "empty_answers": "the dialog's answer is lost on the way: the person comes back with an empty query",
    "altered_state": "the person comes back with another state than the app gave",
    "onboarding_short_only": "IG_API_ONBOARDING answers without `long_lived_token` (the names of its answer's keys are inferred)",
    "code_minutes": "how many minutes a code lives (not established; default: 10)",
    "bare_code_errors": "a refused code says 100 without 36007 or 36008 (those subcodes are inferred; 36009, used, is seen)",
    "tokens_without_date": "token answers without expires_in",
    "exchange_keeps_end": "a long-lived token that is exchanged again keeps its end (not established; default: sixty new days)",
    "numeric_app_id": "debug_token shows app_id as a number, as documented (public code compares it with text; default: text)",
    "plain_debug_token": "debug_token leaves out what is inferred: `profile_id`, `SYSTEM_USER` (says USER), a missing `issued_at`",
    "debug_error_subcode": "debug_token names a dead token's subcode `error_subcode` (inferred; default: `subcode`)",
    "bare_true": "DELETE permissions answers `true` and not an object (both are known)",
    "deauthorize_url": "where the app wants to be told that a person removed it",
    "deletion_url": "where the app wants to be told that a person wants their data deleted",
}
