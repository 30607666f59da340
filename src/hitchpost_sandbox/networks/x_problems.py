"""How X says that something went wrong: problem objects, the legacy shape with a number, and the headers around both (§4.1, §4.3)."""

import json

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import random_text
from hitchpost_sandbox.ledger import fingerprint
from hitchpost_sandbox.twin import Visit

OLD_HOST, NEW_HOST = "api.twitter.com", "api.x.com"
NOT_ENROLLED = (
    "When authenticating requests to the X API v2 endpoints, you must use keys and tokens from a developer App that is attached to a "
    "Project. You can create a project via the developer portal."
)
LOCKED = (
    "To protect our users from spam and other malicious activity, this account is temporarily locked. "
    "Please log in to https://x.com to unlock your account."
)
SUSPENDED = "Your account is suspended and is not permitted to access this feature."
NO_PLAN = (
    "You currently have access to a subset of X API V2 endpoints and limited v1.1 endpoints (e.g. media post, oauth) only. "
    "If you need access to this endpoint, you may need a different access level."
)
OTHER_KIND = (
    "Authenticating with OAuth 2.0 Application-Only is forbidden for this endpoint. "
    "Supported authentication types are [OAuth 1.0a User Context, OAuth 2.0 User Context]."
)


def app_of(visit: Visit) -> App | None:
    """The app that a call speaks for, if its token says so."""
    if visit.token is not None:
        return visit.authority.app(visit.token.client_id)
    given = visit.authority.whose(visit.bearer())
    return visit.authority.app(given.client_id) if given is not None else None


def type_of(visit: Visit, slug: str) -> str:
    """The address of a kind of problem: on the older host unless the app has `new_problem_host`."""
    app = app_of(visit)
    host = NEW_HOST if app is not None and app.on("new_problem_host") else OLD_HOST
    return f"https://{host}/2/problems/{slug}"


def problem(visit: Visit, status: int, title: str, detail: str, *, slug: str = "", whole_type: str = "", **extras: object) -> Response:
    """A problem object: `type` is about:blank unless a slug or a whole address is given."""
    kind = whole_type or (type_of(visit, slug) if slug else "about:blank")
    body = {"title": title, "detail": detail, "type": kind, "status": status} | extras
    return said(visit, status, body, kind="application/problem+json")


def legacy(visit: Visit, status: int, code: int, message: str) -> Response:
    """The shape from before v2, which X still uses for some."""
    return said(visit, status, {"errors": [{"code": code, "message": message}]})


def not_enrolled(visit: Visit) -> Response:
    app = app_of(visit)
    return problem(
        visit,
        403,
        "Client Forbidden",
        NOT_ENROLLED,
        slug="client-forbidden",
        reason="client-not-enrolled",
        client_id=app.client_id if app is not None else "",
        required_enrollment="Appropriate Level of API Access",
        registration_url="https://developer.x.com/en/docs/projects/overview",
    )


def no_plan(visit: Visit) -> Response:
    """What self-serve apps get where only Enterprise may go: the number 453 and the problem client-forbidden in one (§4.2)."""
    more = {"title": "Client Forbidden", "type": type_of(visit, "client-forbidden"), "detail": NO_PLAN}
    return said(visit, 403, {"errors": [{"code": 453, "message": NO_PLAN}]} | more)


def no_credits(visit: Visit, account_id: str, *, old: bool) -> Response:
    """402 as X words it, or as it did until mid-2026, without `status` and under another type (§4.2)."""
    if not old:
        kind = f"https://{NEW_HOST}/2/problems/credits-depleted"
        return problem(visit, 402, "Payment Required", "credits depleted", whole_type=kind)
    body = {
        "account_id": int(account_id) if account_id.isdecimal() else account_id,
        "title": "CreditsDepleted",
        "detail": f"Your enrolled account [{account_id}] does not have any credits to fulfill this request.",
        "type": f"https://{OLD_HOST}/2/problems/credits",
    }
    return said(visit, 402, body)


def capped(visit: Visit, period: str = "Monthly", scope: str = "Account") -> Response:
    """The spending limit or the plan's cap is reached."""
    detail = f"Usage cap exceeded: {period} {scope.lower()} cap"
    return problem(visit, 429, "UsageCapExceeded", detail, slug="usage-capped", period=period, scope=scope)


def unauthorized(visit: Visit) -> Response:
    return problem(visit, 401, "Unauthorized", "Unauthorized")


def invalid(visit: Visit, *errors: tuple[str, list[str], str]) -> Response:
    """A validation problem: each error names a parameter, its values and what is wrong with them."""
    return problem(
        visit,
        400,
        "Invalid Request",
        "One or more parameters to your request was invalid.",
        slug="invalid-request",
        errors=[{"parameters": {name: values}, "message": message} for name, values, message in errors],
    )


def said(visit: Visit, status: int, body: object, *, kind: str = "application/json") -> Response:
    """An answer of the REST API with the headers that each of them carries; those of limits are added where calls are counted."""
    app = app_of(visit)
    headers = {
        "api-version": "2.167" if app is not None and app.on("new_field_names") else "2.166",
        "x-transaction-id": fingerprint(random_text(12)),
    }
    if visit.token is not None:
        headers["x-access-level"] = _level(app, visit.token.scopes)
    return Response(json.dumps(body, ensure_ascii=False).encode(), status, headers, f"{kind}; charset=utf-8")


def _level(app: App | None, scopes: tuple[str, ...]) -> str:
    if (app is not None and app.on("read_only")) or not any(scope.endswith(".write") for scope in scopes):
        return "read"
    return "read-write-directmessages" if "dm.write" in scopes else "read-write"
