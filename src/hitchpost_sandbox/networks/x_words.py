"""What can be asked for by name at the simulated X: its failures in its own words, what befalls accounts, its apps' switches."""

from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import turns
from hitchpost_sandbox.networks import x_api
from hitchpost_sandbox.people import XAccount
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn
from hitchpost_sandbox.twin import Visit, Wrong
from hitchpost_sandbox.world import World


def _problem(says: str, status: int, title: str, detail: str, **more: Any) -> Wrong:
    return Wrong(says, lambda _visit: x_api.problem(status, title, detail, **more))


def _of_token_endpoint(says: str, status: int, error: str, description: str) -> Wrong:
    return Wrong(
        says, lambda _visit: JSONResponse({"error": error, "error_description": description}, status, {"cache-control": "no-store"})
    )


def _limited(visit: Visit) -> Response:
    """429 with the window's end, at the next quarter of an hour."""
    resets = (int(visit.clock.now().timestamp()) // 900 + 1) * 900
    headers = {"x-rate-limit-limit": "75", "x-rate-limit-remaining": "0", "x-rate-limit-reset": str(resets)}
    return x_api.problem(429, "Too Many Requests", "Too Many Requests", headers=headers)


def _spent_for_the_day(visit: Visit) -> Response:
    resets = (int(visit.clock.now().timestamp()) // 86400 + 1) * 86400
    headers = {"x-user-limit-24hour-limit": "25", "x-user-limit-24hour-remaining": "0", "x-user-limit-24hour-reset": str(resets)}
    return x_api.problem(429, "Too Many Requests", "Too Many Requests", headers=headers)


ERRORS = {
    "rate_limit": Wrong("the window's calls are used up", _limited),
    "daily_limit": Wrong("the day's calls are used up", _spent_for_the_day),
    "server_error": _problem("X's own trouble", 503, "Service Unavailable", "Service Unavailable"),
    "unauthorized": _problem("the token expired or was taken back", 401, "Unauthorized", "Unauthorized"),
    "forbidden": _problem("a permission is missing", 403, "Forbidden", "Forbidden"),
    "client-not-enrolled": _problem(
        "the app is in no package, or not in Production", 403, "Client Forbidden", x_api.NOT_ENROLLED, slug="client-forbidden",
        reason="client-not-enrolled", required_enrollment="Appropriate Level of API Access",
        registration_url="https://developer.x.com/en/docs/projects/overview",
    ),
    "oauth1-permissions": _problem(
        "the app may only read", 403, "Forbidden", "Your client app is not configured with the appropriate oauth1 app permissions"
        " for this endpoint.",
        slug="oauth1-permissions",
    ),
    "unsupported-authentication": _problem(
        "the app is not set up for user access", 403, "Unsupported Authentication",
        "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. "
        "Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context].",
        slug="unsupported-authentication",
    ),
    "user-suspended": _problem(
        "the account is suspended", 403, "Forbidden", "The user used for authentication is suspended", slug="user-suspended"
    ),
    "326": Wrong("the account is locked until its owner unlocks it", lambda _visit: x_api.locked()),
    "credits-depleted": _problem(
        "the app's credits are used up", 402, "Payment Required", "credits depleted", type_of="https://api.x.com/2/problems/credits-depleted"
    ),
    "usage-capped": _problem(
        "the app's spending limit is reached", 429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", slug="usage-capped",
        period="Monthly", scope="Product",
    ),
    "invalid_token": _of_token_endpoint(
        "token endpoint: the refresh token is used, revoked or expired", 400, "invalid_request", "Value passed for the token was invalid."
    ),
    "invalid_code": _of_token_endpoint(
        "token endpoint: the code is wrong, used or too old", 400, "invalid_request", "Value passed for the authorization code was invalid."
    ),
    "unauthorized_client": _of_token_endpoint(
        "token endpoint: the app's secret is wrong or missing", 401, "unauthorized_client", "Missing valid authorization header"
    ),
}  # fmt: skip


def _account(world: World, whom: Befallen) -> XAccount:
    account = world.cast[whom.person].x
    if account is None:
        raise CannotBefall(f"'{whom.person}' has no account on X")
    return account


def _becomes(says: str, **changed: Any) -> Turn:
    async def play(world: World, whom: Befallen) -> None:
        world.change(whom.person, x=replace(_account(world, whom), **changed))

    return Turn(says, play)


async def _locked(world: World, whom: Befallen) -> None:
    _account(world, whom)
    world.authority("x").memory.setdefault("locked", set()).add(whom.person)


async def _restored(world: World, whom: Befallen) -> None:
    world.change(whom.person, x=replace(_account(world, whom), suspended=False))
    world.authority("x").memory.get("locked", set()).discard(whom.person)


TURNS = {
    turns.REVOKED: turns.tokens_die("x", "revoked", says="the person takes the app's access back in X's settings: every token dies (401)"),
    turns.PASSWORD_CHANGED: turns.tokens_die(
        "x", "password_changed", says="the password changes: every token dies (that X ends app tokens by this is not established)"
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
    "new_field_names": "post_count for tweet_count and the like",
    "not_enrolled": "the app is in no package: every call answers client-not-enrolled",
    "no_credits": "the app's credits are used up; `old`: in the words until mid-2026",
    "no_website": "the app's settings lack a website: the consent page shows X's error",
    "public_client": "the app has no secret and sends its client_id alone",
    "spending_limit": "the app's spending limit is reached: every call answers usage-capped",
}
