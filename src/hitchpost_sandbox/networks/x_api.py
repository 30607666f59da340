"""X's REST API as far as connecting needs it: who the token speaks for, problem objects, rate headers (fact sheet §3, §4)."""

import json
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from hitchpost_sandbox.authority import Refused, Token
from hitchpost_sandbox.people import XAccount
from hitchpost_sandbox.twin import Visit

WINDOW = timedelta(minutes=15)
ME_LIMIT = 75
_PROBLEMS = "https://api.twitter.com/2/problems/"
_FIELDS = (
    *("affiliation", "confirmed_email", "connection_status", "created_at", "description", "entities", "id", "is_identity_verified"),
    *("location", "most_recent_tweet_id", "name", "parody", "pinned_tweet_id", "profile_banner_url", "profile_image_url", "protected"),
    *("public_metrics", "receives_your_dm", "subscription", "subscription_type", "url", "username", "verified"),
    *("verified_followers_count", "verified_type", "withheld"),
)
LOCKED = (
    "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://x.com to unlock your account."
)
NOT_ENROLLED = (
    "When authenticating requests to the X API v2 endpoints, you must use keys and tokens from a developer App that is attached to a "
    "Project. You can create a project via the developer portal."
)


async def me(visit: Visit) -> Response:
    """GET /2/users/me: id, name, username, and of the rest only what `user.fields` asks for; empty values are left out."""
    try:
        token = visit.authority.find(visit.bearer(), "access")
    except Refused:
        return problem(401, "Unauthorized", "Unauthorized")
    visit.token = token
    account = visit.world.cast[token.person].x
    app = visit.authority.app(token.client_id)
    if account is None or app is None:
        return problem(401, "Unauthorized", "Unauthorized")
    left, headers = _window(visit, token)
    if left < 0:
        return problem(429, "Too Many Requests", "Too Many Requests", headers=headers)
    if app.on("not_enrolled"):
        return problem(
            403,
            "Client Forbidden",
            NOT_ENROLLED,
            slug="client-forbidden",
            headers=headers,
            reason="client-not-enrolled",
            client_id=app.client_id,
            required_enrollment="Appropriate Level of API Access",
            registration_url="https://developer.x.com/en/docs/projects/overview",
        )
    if app.on("no_credits"):
        return _no_credits(account.id, headers, old=app.options["no_credits"] == "old")
    if app.on("spending_limit"):
        return problem(429, "UsageCapExceeded", "Usage cap exceeded: Monthly product cap", slug="usage-capped", headers=headers)
    if token.person in visit.authority.memory.get("locked", ()):
        return locked()
    if account.suspended:
        return problem(403, "Forbidden", "The user used for authentication is suspended", slug="user-suspended", headers=headers)
    if not {"tweet.read", "users.read"} <= set(token.scopes):
        return problem(403, "Forbidden", "Forbidden", headers=headers)
    asked = [name for name in visit.query.get("user.fields", "").split(",") if name]
    if unknown := [name for name in asked if name not in _FIELDS]:
        return _bad_fields(unknown, headers)
    return _json(200, {"data": _user(account, asked, new_names=app.on("new_field_names"))}, headers)


def locked() -> Response:
    """The legacy shape, which X still uses for this one."""
    return _json(403, {"errors": [{"code": 326, "message": LOCKED}]}, {})


def _user(account: XAccount, asked: list[str], *, new_names: bool) -> dict[str, Any]:
    pictured = f"https://pbs.twimg.com/profile_images/{account.id}/{account.picture}_normal.png"
    everything: dict[str, Any] = {
        "created_at": account.created_at,
        "description": account.description,
        "profile_image_url": pictured,
        "protected": account.protected,
        "public_metrics": {
            "followers_count": account.followers,
            "following_count": 48,
            "post_count" if new_names else "tweet_count": 1405,
            "listed_count": 2,
        },
        "subscription_type": account.subscription_type,
        "url": account.url,
        "verified": account.verified_type != "none",
        "verified_type": account.verified_type,
    }
    always = {"id": account.id, "name": account.name, "username": account.username}
    return always | {name: everything[name] for name in asked if everything.get(name) not in (None, "")}


def _window(visit: Visit, token: Token) -> tuple[int, dict[str, str]]:
    """Calls left after this one (-1: none was left for it) in the person's window, and the headers that say so."""
    spent = visit.world.limits.spend(f"x me {token.client_id} {token.person}", limit=ME_LIMIT, window=WINDOW)
    return spent.left, {
        "x-rate-limit-limit": str(spent.limit),
        "x-rate-limit-remaining": str(max(spent.left, 0)),
        "x-rate-limit-reset": str(spent.resets_at),
    }


def problem(
    status: int, title: str, detail: str, *, slug: str = "", type_of: str = "", headers: dict[str, str] | None = None, **extras: object
) -> Response:
    """A problem object (§4.1): `type` is about:blank unless a slug or a whole address is given."""
    kind = type_of or (_PROBLEMS + slug if slug else "about:blank")
    body = {"title": title, "detail": detail, "type": kind, "status": status} | extras
    return _json(status, body, headers or {}, "application/problem+json")


def _no_credits(account_id: str, headers: dict[str, str], *, old: bool) -> Response:
    """402 as X words it, or as it did until mid-2026, without `status` and under another type (§4.2)."""
    if not old:
        return problem(
            402, "Payment Required", "credits depleted", type_of="https://api.x.com/2/problems/credits-depleted", headers=headers
        )
    detail = f"Your enrolled account [{account_id}] does not have any credits to fulfill this request."
    body = {
        "account_id": int(account_id) if account_id.isdecimal() else account_id,
        "title": "CreditsDepleted",
        "detail": detail,
        "type": _PROBLEMS + "credits",
    }
    return _json(402, body, headers)


def _bad_fields(unknown: list[str], headers: dict[str, str]) -> Response:
    message = f"The `user.fields` query parameter value [{unknown[0]}] is not one of [{','.join(_FIELDS)}]"
    return problem(
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        slug="invalid-request",
        headers=headers,
        errors=[{"parameters": {"user.fields": unknown}, "message": message}],
    )


def _json(status: int, body: object, headers: dict[str, str], kind: str = "application/json") -> Response:
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers | {"api-version": "2.166"}, f"{kind}; charset=utf-8")


async def lost(_visit: Visit) -> Response:
    """What X answers to a path it does not have."""
    return problem(404, "Not Found", "Not Found")
