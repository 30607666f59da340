"""The door of LinkedIn's versioned API: an active version, something left of the day's quota, and the protocol's headers.

Facts: docs/networks/linkedin.md.
"""

from collections.abc import Awaitable, Callable
from datetime import date, timedelta

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.networks.linkedin_answers import judge_protocol
from hitchpost_sandbox.networks.linkedin_api import Stop, guarded
from hitchpost_sandbox.twin import Handler, Visit

VERSIONS = {
    "202508": date(2026, 8, 17), "202509": date(2026, 9, 15), "202510": date(2026, 10, 15), "202511": date(2026, 11, 16),
    "202601": date(2027, 1, 15), "202602": date(2027, 2, 15), "202603": date(2027, 3, 16), "202604": date(2027, 4, 15),
    "202605": date(2027, 5, 15), "202606": date(2027, 6, 15), "202607": date(2027, 7, 15), "202608": date(2027, 8, 17),
    "202609": date(2027, 9, 15),
}  # fmt: skip
"""Each published version and the day it ends (documented)."""

NO_VERSION = "A version must be present. Please specify a version by adding the Linkedin-Version header."
Act = Callable[[Visit, App, Token], Awaitable[Response]]


def versioned(act: Act) -> Handler:
    """`act` under /rest/."""

    async def inner(visit: Visit, app: App, token: Token) -> Response:
        version = visit.header("linkedin-version")
        if not version:
            raise Stop(400, NO_VERSION, code="VERSION_MISSING")
        closed = {one.strip() for one in str(app.options.get("closed_versions", "")).split(",")}
        opened = {one.strip() for one in str(app.options.get("open_versions", "")).split(",")}
        ends = date.max if version in opened else VERSIONS.get(version, date.min)
        if version in closed or visit.clock.now().date() >= ends:
            raise Stop(426, f"Requested version {version}01 is not active", code="NONEXISTENT_VERSION")
        _spend(visit, "APPLICATION", app, "", int(app.options.get("app_calls", 500 if app.on("development_tier") else 0)))
        _spend(visit, "MEMBER", app, token.person, int(app.options.get("member_calls", 100 if app.on("development_tier") else 0)))
        judge_protocol(visit)
        return await act(visit, app, token)

    return guarded(inner)


def unversioned(act: Act) -> Handler:
    """`act` under /v2/, which ignores versions."""

    async def inner(visit: Visit, app: App, token: Token) -> Response:
        judge_protocol(visit)
        return await act(visit, app, token)

    return guarded(inner)


def _spend(visit: Visit, whose: str, app: App, person: str, limit: int) -> None:
    """Count one call of the day, which ends at midnight UTC; 0 is no limit. Raises Stop, without any header that says when."""
    if limit and visit.world.limits.spend(f"linkedin {app.client_id} {person}", limit=limit, window=timedelta(days=1)).left < 0:
        said = f"Resource level throttle {whose} DAY limit for calls to this resource is reached."
        raise Stop(429, said, code="TOO_MANY_REQUESTS", service=101)
