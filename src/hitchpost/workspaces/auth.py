"""Who calls: the Door before the public API finds the person behind a key and counts the calls; `seat` finds their place in a workspace.

Order of refusal: 429 for the person, or for the address where there is no live key, then 401 or 403; whatever is behind the Door may
count on an Admission.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl

from fastapi.security import APIKeyHeader
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from hitchpost.clock import Clock
from hitchpost.errors import Problem
from hitchpost.settings import Settings
from hitchpost.web.address import address_of, neighbourhood
from hitchpost.web.problems import json_answer
from hitchpost.workspaces.limits import Windows
from hitchpost.workspaces.roles import Right
from hitchpost.workspaces.seats import Caller, Membership
from hitchpost.workspaces.service import Workspaces

PREFIX = "/api/_public/"
OWN_PREFIX = "/api/v1/"
"""Calls of ours beside the contract."""

API_KEY = APIKeyHeader(name="X-API-Key", scheme_name="ApiKeyAuth", auto_error=False, description="a person's API key")
"""Documents the header in the served OpenAPI; it decides nothing, the Door does."""

_HEADER = b"x-api-key"
_NOT_THERE = "Send your key in the header X-API-Key; in Authorization it is not looked at."


@dataclass(frozen=True, slots=True)
class Admission:
    """Stands at `scope["state"]["admission"]` behind the Door."""

    caller: Caller


class Door:
    """Pure ASGI middleware: lets calls below PREFIX and OWN_PREFIX in with a live key, within its person's budget;
    everything else goes through untouched.

    The key comes in the header only, once; cookies and the query are not looked at (threats B2, C5). The limit of the settings is for a
    person, whichever key they use, and for an address that brings no live key (threat C9). Every answer carries the X-RateLimit headers.
    """

    def __init__(self, app: ASGIApp, workspaces: Workspaces, clock: Clock, settings: Settings) -> None:
        self._app, self._workspaces, self._trusted = app, workspaces, settings.trusted_proxies
        self._persons, self._addresses = Windows(clock, settings.rate_limit), Windows(clock, settings.rate_limit)
        self._limit = (b"x-ratelimit-limit", b"%d" % settings.rate_limit)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not scope["path"].startswith((PREFIX, OWN_PREFIX)):
            await self._app(scope, receive, send)
            return
        keys = [value for name, value in scope["headers"] if name == _HEADER]
        caller = await self._workspaces.caller(keys[0].decode("latin-1")) if len(keys) == 1 else None
        windows = self._addresses if caller is None else self._persons
        window = windows.take(neighbourhood(address_of(scope, self._trusted)) if caller is None else caller.person_id)
        counted = [
            self._limit,
            (b"x-ratelimit-remaining", b"%d" % max(window.left, 0)),
            (b"x-ratelimit-reset", window.reset),
        ]

        async def send_counted(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *counted]
            await send(message)

        if window.left < 0:
            wait = {"Retry-After": str(windows.seconds_left(window))}
            await json_answer(Problem("rate_limited"), headers=wait)(scope, receive, send_counted)
        elif caller is None:
            await _refusal(keys, scope)(scope, receive, send_counted)
        else:
            scope.setdefault("state", {})["admission"] = Admission(caller)
            await self._app(scope, receive, send_counted)


def _refusal(keys: Sequence[bytes], scope: Scope) -> ASGIApp:
    if any(keys):
        return json_answer(Problem("invalid_api_token"))
    # The message is the contract's; what stands in Authorization is not looked at, only that something does.
    elsewhere = any(name == b"authorization" for name, _ in scope["headers"])
    missing = Problem("missing_api_token", way=_NOT_THERE) if elsewhere else Problem("missing_api_token")
    # RFC 9110 §15.5.2 wants the challenge; the scheme's name is that of the served OpenAPI.
    return json_answer(missing, headers={"WWW-Authenticate": "ApiKeyAuth"})


def admission_of(request: Request) -> Admission:
    """The Admission of a call behind the Door."""
    admission = request.scope["state"]["admission"]
    assert isinstance(admission, Admission)
    return admission


def workspace_id_of(query_string: bytes) -> str:
    """The query's one `workspaceId`, whatever it names. Raises Problem workspace_id_missing or workspace_id_repeated (C3)."""
    pairs = parse_qsl(query_string.decode("latin-1"), keep_blank_values=True)
    given = [value for name, value in pairs if name == "workspaceId"]
    if len(given) > 1:
        raise Problem("workspace_id_repeated")
    if not given or not given[0]:
        raise Problem("workspace_id_missing")
    return given[0]


def seat_in(admission: Admission, workspace_id: str, right: Right) -> Membership:
    """The caller's seat. Raises Problem workspace_not_found, alike for unknown, foreign and malformed ids (C1), or role_insufficient."""
    seat = admission.caller.seats.get(workspace_id)
    if seat is None:
        raise Problem("workspace_not_found")
    return seat.demand(right)


def seat(admission: Admission, query_string: bytes, right: Right) -> Membership:
    """The caller's seat in the workspace that the query names. Raises what `workspace_id_of` and `seat_in` raise."""
    return seat_in(admission, workspace_id_of(query_string), right)
