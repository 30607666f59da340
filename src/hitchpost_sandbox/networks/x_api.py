"""X's REST API as far as connecting needs it: who calls, what stands in the way, and who the token speaks for (fact sheet §3, §4)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token
from hitchpost_sandbox.limits import Spent
from hitchpost_sandbox.networks import x_oauth1, x_problems, x_users
from hitchpost_sandbox.people import XAccount
from hitchpost_sandbox.twin import Handler, Visit

WINDOW, DAY = timedelta(minutes=15), timedelta(days=1)
ME_LIMIT = 75
LOOKUP_LIMIT = 900
"""Calls in a window; X's table of limits names /2/users/me only, 900 is what its reference has long said of lookups."""
APP_ONLY = "app_only"
_APP_FACTOR = 10


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One call of the API. `name`: what its calls are counted as. `app_only`: a token without a person will do.

    `self_serve` False: only apps with an Enterprise contract may call it.
    """

    name: str
    limit: int
    answer: Callable[[Visit, XAccount | None, App], Response]
    scopes: frozenset[str] = frozenset({"tweet.read", "users.read"})
    app_only: bool = False
    self_serve: bool = True


def serves(endpoint: Endpoint) -> Handler:
    """The handler of an endpoint: who is not known, has no calls left, or may not is refused, in this order."""

    async def handler(visit: Visit) -> Response:
        token = await _token(visit)
        if isinstance(token, Response):
            return token
        if token is None:
            _count(visit, endpoint, "-", "-")
            return x_problems.unauthorized(visit)
        visit.token = token
        app = visit.authority.app(token.client_id)
        account = visit.world.cast[token.person].x if token.person else None
        if app is None or (account is None and token.kind != APP_ONLY):
            return x_problems.unauthorized(visit)
        left = _count(visit, endpoint, token.client_id, token.person)
        if left < 0:
            return x_problems.problem(visit, 429, "Too Many Requests", "Too Many Requests")
        return _hindered(visit, endpoint, token, app, account) or endpoint.answer(visit, account, app)

    return handler


async def _token(visit: Visit) -> Token | Response | None:
    """The living token that a call shows, as a bearer or by an OAuth 1.0a signature; None when there is none."""
    if x_oauth1.signs(visit):
        return await x_oauth1.caller(visit)
    try:
        return visit.authority.find(visit.bearer(), "access", APP_ONLY)
    except Refused:
        return None


def _hindered(visit: Visit, endpoint: Endpoint, token: Token, app: App, account: XAccount | None) -> Response | None:
    """What app, account or scopes have against the call."""
    if app.on("not_enrolled"):
        return x_problems.not_enrolled(visit)
    if app.on("no_credits") and not app.on("enterprise"):
        return x_problems.no_credits(visit, account.id if account else "0", old=app.options["no_credits"] == "old")
    if app.on("spending_limit"):
        return x_problems.capped(visit, "Monthly", "Product" if app.on("enterprise") else "Account")
    if not endpoint.self_serve and not app.on("enterprise"):
        return x_problems.no_plan(visit)
    if account is None:
        if endpoint.app_only:
            return None
        return x_problems.problem(visit, 403, "Unsupported Authentication", x_problems.OTHER_KIND, slug="unsupported-authentication")
    if token.person in visit.authority.memory.get("locked", ()):
        return x_problems.legacy(visit, 403, 326, x_problems.LOCKED)
    if account.suspended:
        detail = "The user used for authentication is suspended"
        return x_problems.problem(visit, 403, "Forbidden", detail, slug="user-suspended")
    if not endpoint.scopes <= set(token.scopes):
        slug = "not-authorized-for-resource" if app.on("missing_scope_is_named") else ""
        return x_problems.problem(visit, 403, "Forbidden", "Forbidden", slug=slug)
    return None


def _count(visit: Visit, endpoint: Endpoint, client_id: str, person: str) -> int:
    """Calls left after this one (-1: none was left for it); the answer carries the headers that say so."""
    app = visit.authority.app(client_id)
    spend = visit.world.limits.spend
    spent = [("x-rate-limit", spend(f"x {endpoint.name} {client_id} {person}", limit=endpoint.limit, window=WINDOW))]
    if app is not None and app.on("daily_limit"):
        daily = int(app.options["daily_limit"])
        spent += [
            ("x-user-limit-24hour", spend(f"x day {client_id} {person}", limit=daily, window=DAY)),
            ("x-app-limit-24hour", spend(f"x day {client_id}", limit=daily * _APP_FACTOR, window=DAY)),
        ]
    for name, one in spent:
        visit.said |= _headers(name, one)
    return min(one.left for _, one in spent)


def _headers(name: str, spent: Spent) -> dict[str, str]:
    return {
        f"{name}-limit": str(spent.limit),
        f"{name}-remaining": str(max(spent.left, 0)),
        f"{name}-reset": str(spent.resets_at),
    }


async def lost(visit: Visit) -> Response:
    """What X answers to a path it does not have."""
    return x_problems.problem(visit, 404, "Not Found", "Not Found")


async def unfit(visit: Visit) -> Response:
    return x_problems.problem(visit, 405, "Method Not Allowed", "Method Not Allowed")


me = serves(Endpoint("me", ME_LIMIT, x_users.me))
"""GET /2/users/me: id, name, username, and of the rest only what `user.fields` asks for; empty values are left out."""

by_id = serves(Endpoint("lookup", LOOKUP_LIMIT, x_users.by_id, app_only=True))
by_ids = serves(Endpoint("lookup", LOOKUP_LIMIT, x_users.by_ids, app_only=True))
by_username = serves(Endpoint("lookup", LOOKUP_LIMIT, x_users.by_username, app_only=True))
by_usernames = serves(Endpoint("lookup", LOOKUP_LIMIT, x_users.by_usernames, app_only=True))

follow = serves(Endpoint("follow", 50, x_users.follow, scopes=frozenset({"tweet.read", "users.read", "follows.write"}), self_serve=False))
"""POST /2/users/{id}/following: taken from self-serve apps on 20 April 2026 (§6)."""

verify_credentials = serves(Endpoint("verify", ME_LIMIT, x_users.verify_credentials))
"""GET /1.1/account/verify_credentials.json, which clients with OAuth 1.0a ask instead of /2/users/me."""
