"""What can be asked for by name at the simulated X: its failures in its own words, what befalls accounts, its apps' switches."""

from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import turns
from hitchpost_sandbox.networks import x_problems
from hitchpost_sandbox.people import XAccount
from hitchpost_sandbox.turns import Befallen, Turn, account_of
from hitchpost_sandbox.twin import Visit, Wrong
from hitchpost_sandbox.world import World

REFUSED = "The person refused."
"""What a described refusal says: X's own words for it are not known."""
BAD_CLIENT = "Value passed for the client id was invalid."


def _problem(says: str, status: int, title: str, detail: str, **more: Any) -> Wrong:
    return Wrong(says, lambda visit: x_problems.problem(visit, status, title, detail, **more))


def _legacy(says: str, status: int, code: int, message: str) -> Wrong:
    return Wrong(says, lambda visit: x_problems.legacy(visit, status, code, message))


def _of_token_endpoint(says: str, status: int, error: str, description: str) -> Wrong:
    return Wrong(
        says, lambda _visit: JSONResponse({"error": error, "error_description": description}, status, {"cache-control": "no-store"})
    )


def _over(visit: Visit, name: str, limit: int, seconds: int, answer: Response) -> Response:
    """An answer with the headers of a limit that is used up until the next multiple of `seconds`."""
    resets = (int(visit.clock.now().timestamp()) // seconds + 1) * seconds
    answer.headers.update({f"{name}-limit": str(limit), f"{name}-remaining": "0", f"{name}-reset": str(resets)})
    return answer


def _many(visit: Visit) -> Response:
    return x_problems.problem(visit, 429, "Too Many Requests", "Too Many Requests")


def _as_the_emulator(visit: Visit) -> Response:
    errors = [{"code": 88, "message": "Rate limit exceeded"}]
    return x_problems.problem(visit, 429, "Rate Limit Exceeded", "Rate limit exceeded", slug="rate-limit-exceeded", errors=errors)


_DEAD = "token endpoint: the refresh token is used, revoked or expired"
_LOST = ("Value passed for the token was invalid.", "Value passed for the authorization code was invalid.")

ERRORS = {
    "rate_limit": Wrong("the window's calls are used up", lambda visit: _over(visit, "x-rate-limit", 75, 900, _many(visit))),
    "88": Wrong(
        "the same in the legacy shape, which the documentation prints",
        lambda visit: _over(visit, "x-rate-limit", 75, 900, x_problems.legacy(visit, 429, 88, "Rate limit exceeded")),
    ),
    "rate-limit-exceeded": Wrong(
        "the same in the words of X's own emulator", lambda visit: _over(visit, "x-rate-limit", 75, 900, _as_the_emulator(visit))
    ),
    "daily_limit": Wrong(
        "the person's calls of the day are used up", lambda visit: _over(visit, "x-user-limit-24hour", 25, 86400, _many(visit))
    ),
    "daily_app_limit": Wrong(
        "the app's calls of the day are used up", lambda visit: _over(visit, "x-app-limit-24hour", 10000, 86400, _many(visit))
    ),
    "server_error": _problem("X's own trouble", 503, "Service Unavailable", "Service Unavailable"),
    "internal-error": _problem("X's own trouble, as a problem of a kind", 500, "Internal Error", "Internal Error", slug="internal-error"),
    "unauthorized": _problem("the token expired or was taken back", 401, "Unauthorized", "Unauthorized"),
    "32": _legacy("the same in the legacy shape", 401, 32, "Could not authenticate you."),
    "89": _legacy("the same in the legacy shape", 401, 89, "Invalid or expired token."),
    "forbidden": _problem("a permission is missing", 403, "Forbidden", "Forbidden"),
    "not-authorized-for-resource": _problem(
        "the account may not see this", 403, "Authorization Error", "Sorry, you are not authorized to see this.",
        slug="not-authorized-for-resource",
    ),
    "client-not-enrolled": Wrong("the app is in no package, or not in Production", x_problems.not_enrolled),
    "453": Wrong("the app's plan does not include the call", x_problems.no_plan),
    "app-suspended": _problem(
        "the app is suspended", 403, "Forbidden", "The app used for authentication is suspended", slug="app-suspended"
    ),
    "oauth1-permissions": _problem(
        "the app may only read", 403, "Forbidden", "Your client app is not configured with the appropriate oauth1 app permissions"
        " for this endpoint.",
        slug="oauth1-permissions",
    ),
    "unsupported-authentication": _problem(
        "the app is not set up for user access", 403, "Unsupported Authentication", x_problems.OTHER_KIND, slug="unsupported-authentication"
    ),
    "user-suspended": _problem(
        "the account is suspended", 403, "Forbidden", "The user used for authentication is suspended", slug="user-suspended"
    ),
    "64": _legacy("the same in the legacy shape", 403, 64, x_problems.SUSPENDED),
    "326": _legacy("the account is locked until its owner unlocks it", 403, 326, x_problems.LOCKED),
    "credits-depleted": Wrong("the app's credits are used up", lambda visit: x_problems.no_credits(visit, "0", old=False)),
    "credits": Wrong("the same in the words until mid-2026", lambda visit: x_problems.no_credits(visit, "1850000000000000001", old=True)),
    "usage-capped": Wrong("the app's spending limit is reached", lambda visit: x_problems.capped(visit, "Monthly", "Product")),
    "usage-capped/daily": Wrong("the account's cap of the day is reached", lambda visit: x_problems.capped(visit, "Daily", "Account")),
    "invalid_token": _of_token_endpoint(_DEAD, 400, "invalid_request", _LOST[0]),
    "invalid_grant": _of_token_endpoint(f"{_DEAD}, in the words that some clients record", 400, "invalid_grant", _LOST[0]),
    "invalid_code": _of_token_endpoint("token endpoint: the code is wrong, used or too old", 400, "invalid_request", _LOST[1]),
    "unauthorized_client": _of_token_endpoint(
        "token endpoint: the app's secret is wrong or missing", 401, "unauthorized_client", "Missing valid authorization header"
    ),
    "invalid_client": _of_token_endpoint("token endpoint: no app has this client id", 401, "invalid_client", BAD_CLIENT),
    "invalid_client/400": _of_token_endpoint(
        "the same with the status of some reports (which one X sends is not established; by itself the sandbox sends 401)", 400,
        "invalid_client", BAD_CLIENT,
    ),
}  # fmt: skip


def _becomes(says: str, **changed: Any) -> Turn:
    async def play(world: World, whom: Befallen) -> None:
        world.change(whom.person, x=replace(account_of(world, whom, "x", XAccount), **changed))

    return Turn(says, play)


async def _locked(world: World, whom: Befallen) -> None:
    account_of(world, whom, "x", XAccount)
    world.authority("x").memory.setdefault("locked", set()).add(whom.person)


async def _restored(world: World, whom: Befallen) -> None:
    world.change(whom.person, x=replace(account_of(world, whom, "x", XAccount), suspended=False))
    world.authority("x").memory.get("locked", set()).discard(whom.person)


TURNS = {
    turns.REVOKED: turns.tokens_die("x", "revoked", says="the person takes the app's access back in X's settings: every token dies (401)"),
    turns.PASSWORD_CHANGED: turns.tokens_die(
        "x", "password_changed", says="the password changes: every token dies (that X ends app tokens by this is not established)"
    ),
    turns.SIGNED_IN_AS: turns.signed_in_as(
        "x", says="the person's browser is signed in to X as `target`: whatever they allow is that account's (the own key: no longer)"
    ),
    turns.PERMISSION_GONE: turns.scope_goes("x", says="the permission `scope` is gone (an app whose permissions were narrowed)"),
    "suspended": _becomes("X suspends the account: 403 user-suspended", suspended=True),
    "locked": Turn("X locks the account until its owner unlocks it: 403 with code 326", _locked),
    "protected": _becomes("the account protects its posts", protected=True),
    "premium": _becomes("the account gets Premium", subscription_type="Premium", verified_type="blue"),
    "premium_ended": _becomes("Premium ends", subscription_type="None", verified_type="none"),
    "restored": Turn("suspension or lock is lifted", _restored),
}

SWITCHES = {
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "reuse_kills_family": "a refresh token used twice ends its whole family (reported, not confirmed by X; default: it is only refused)",
    "reauthorization_kills": "a new consent ends the earlier grants of the account and app (X's CLI warns of it; default: they live on)",
    "missing_scope_is_named": "a missing scope answers not-authorized-for-resource (the body is not established; default: plain Forbidden)",
    "dead_token_is_invalid_grant": "a dead refresh token is refused as invalid_grant (some clients record it; default: invalid_request)",
    "client_id_in_body": "the token endpoint misses client_id in the body though Basic names it (one report; default: Basic is enough)",
    "refusal_is_described": "a refusal brings error_description too (not established; default: error and state alone)",
    "withholds": "scopes, joined by blanks, that are never granted, though asked for (X is all or nothing as far as is known)",
    "testers": "keys of people, joined by blanks: the app is in Development, and whoever else allows ends on X's error page (one report)",
    "new_field_names": "post_count for tweet_count and the like; api-version 2.167",
    "new_problem_host": "problems are of api.x.com (default: api.twitter.com, as until 2.166)",
    "read_only": "the app's permission is Read: x-access-level says read, and OAuth 1.0a gives tokens that only read",
    "enterprise": "the app has an Enterprise contract: follows are allowed (others: 403 with 453), credits do not run out, caps are of the"
    " product",
    "daily_limit": "so many calls a person and day, ten times as many for the app, told in x-user-limit-24hour-* and x-app-limit-24hour-*"
    " (X lately sends the window's headers alone; default: none)",
    "not_enrolled": "the app is in no package: every call answers client-not-enrolled",
    "no_credits": "the app's credits are used up; `old`: in the words until mid-2026",
    "no_website": "the app's settings lack a website: the consent page shows X's error",
    "public_client": "the app has no secret and sends its client_id alone",
    "spending_limit": "the app's spending limit is reached: every call answers usage-capped",
}
