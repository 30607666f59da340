"""The Shell: one pure ASGI middleware around the whole app.

It names every request, answers to its own host only, refuses what other sites send, limits what comes in, puts the security headers
on every answer, and turns whatever escapes into an answer without secrets.
"""

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from structlog.typing import FilteringBoundLogger

from hitchpost.clock import Clock, SystemClock
from hitchpost.errors import Problem
from hitchpost.ids import new_token
from hitchpost.settings import Settings
from hitchpost.web.entrance import Entrance
from hitchpost.web.headers import Dress
from hitchpost.web.intake import Intake
from hitchpost.web.log import places
from hitchpost.web.pages import Pages
from hitchpost.web.problems import CLIENT_LEFT, Foreseen, nothing_foreseen, problem_of, rendered


class Shell:
    """Wraps `app`. Without `pages` every refusal is JSON. `access_log`: one line a request, its path without the query.

    Behind it `scope["state"]["request_id"]` names the request, as the answer's X-Request-Id does. `body_seconds`: how long a body may take.
    `foreseen`: what the house knows of errors that are no Problems.
    """

    def __init__(
        self,
        app: ASGIApp,
        *,
        settings: Settings,
        pages: Pages | None,
        log: FilteringBoundLogger,
        access_log: bool = True,
        clock: Clock | None = None,
        body_seconds: float = 20.0,
        foreseen: Foreseen = nothing_foreseen,
    ) -> None:
        self._app = app
        self._pages = pages
        self._log = log
        self._access_log = access_log
        self._monotonic = (clock or SystemClock()).monotonic
        self._body_seconds = body_seconds
        self._foreseen = foreseen
        self._entrance = Entrance(settings.public_url)
        self._dress = Dress(secure=settings.secure)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif scope["type"] == "http":
            await self._serve(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = self._monotonic()
        request_id = new_token(12)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0

        async def dressed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = self._dress.on(message.get("headers", []))
                headers.append((b"x-request-id", request_id.encode()))
                message["headers"] = headers
            await send(message)

        try:
            if elsewhere := self._entrance.admit(scope):
                await Response(status_code=303, headers={"Location": elsewhere})(scope, receive, dressed)
            else:
                await self._app(scope, Intake(scope, receive, seconds=self._body_seconds), dressed)
        except ClientDisconnect:
            status = status or CLIENT_LEFT
        except Exception as error:  # noqa: BLE001  the last net: an id for the caller, the places for the operator, the text for nobody
            problem = error if isinstance(error, Problem) else problem_of(error, self._foreseen, request_id)
            if status or not isinstance(error, Problem):
                event = "unforeseen" if isinstance(error, Problem) else problem.code
                self._log.error(event, request_id=request_id, path=_path(scope), **places(error))
            # With an answer already begun nothing can be added; the server drops the connection, which the client notices.
            if not status:
                await rendered(self._pages, Request(scope, receive), problem)(scope, receive, dressed)
        if self._access_log:
            self._log.info(
                "request",
                method=scope["method"],
                path=_path(scope),
                status=status,
                ms=round((self._monotonic() - began) * 1000, 1),
                request_id=request_id,
            )


def _path(scope: Scope) -> str:
    """The route's pattern where the framework left it, else the path; never the query, which may hold a code (E5)."""
    route = scope.get("route")
    return str(getattr(route, "path", "")) or scope["path"][:200]
