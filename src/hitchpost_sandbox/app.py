"""The sandbox as an ASGI app: finds the twin by host, in the path (`/api.x.com/2/users/me`) or in the Host header (`api.x.com`)."""

import traceback
from asyncio import CancelledError
from collections.abc import Awaitable, Callable, Iterable
from functools import partial

from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from hitchpost_sandbox import networks, pictures
from hitchpost_sandbox.control import control_plane
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.playing import DROP, NoAnswer, answered
from hitchpost_sandbox.twin import Twin, Visit
from hitchpost_sandbox.world import World

MOST = 2000
"""Characters of a path that the ledger keeps."""


def build(world: World, twins: Iterable[Twin] | None = None) -> "Sandbox":
    """The app over `world`. `twins`: by default all that are found in `networks/`."""
    return Sandbox(world, networks.found() if twins is None else tuple(twins))


class Sandbox:
    """Routes a request to its twin, serves pictures, writes every answer into the ledger. `/` and `/_sandbox/…` are its own."""

    def __init__(self, world: World, twins: tuple[Twin, ...]) -> None:
        self.world = world
        self._twins = twins
        world.bring(app for twin in twins for app in twin.apps)
        self._hosts = frozenset(host for twin in twins for host in twin.hosts)
        self._control: ASGIApp = control_plane(world, twins)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await _lifespan(receive, send)
            return
        if scope["type"] != "http":
            return
        host, path, prefix = self._place(scope)
        if not host:
            await self._control(scope, receive, send)
            return
        # root_path tells Starlette which part of the address is the sandbox's own doing (ASGI spec, HTTP connection scope).
        request = Request({**scope, "root_path": prefix}, receive)
        try:
            response = await self._answer(request, host, path, prefix)
        except NoAnswer:
            drop = scope.get("extensions", {}).get(DROP)
            if drop is None:
                raise
            drop["close"]()
            # The server must see that its caller is gone, or it answers 500 in our place.
            while (await receive())["type"] != "http.disconnect":
                continue
            return
        await response(scope, receive, send)

    def _place(self, scope: Scope) -> tuple[str, str, str]:
        """Real host, real path, and the path form's prefix; no host for the sandbox's own pages."""
        path: str = scope["path"]
        named = next((value.decode("latin-1") for name, value in scope["headers"] if name == b"host"), "").partition(":")[0].lower()
        if named in self._hosts:
            return named, path, ""
        first, _, rest = path.lstrip("/").partition("/")
        first = first.lower()
        if first in self._hosts:
            # As it was written: cookies and redirects of the path form begin with it.
            return first, f"/{rest}", "/" + path.lstrip("/").partition("/")[0]
        return "", path, ""

    async def _answer(self, request: Request, host: str, path: str, prefix: str) -> Response:
        visit, act = self._visit(request, host, path, prefix)
        status, era = 0, self.world.era
        try:
            response = await answered(visit, act, request.receive)
            status = response.status_code
            for name, value in visit.said.items():
                response.headers[name] = value
        except (NoAnswer, CancelledError):
            raise
        except ClientDisconnect:
            raise NoAnswer("the caller left") from None
        except MultiPartException as error:
            response = PlainTextResponse(f"this form cannot be read: {error.message}", 400)
            status = 400
        except Exception as error:  # noqa: BLE001 - what breaks here is ours, never a network's word
            self.world.ledger.write(visit.twin.network, What.BROKEN, error=type(error).__name__, path=path)
            traceback.print_exception(error)
            status, response = 500, PlainTextResponse(f"the sandbox broke: {type(error).__name__}", 500, {"sandbox-broke": "yes"})
        finally:
            if self.world.era == era:
                self._write(visit, status)
        return response

    def _visit(self, request: Request, host: str, path: str, prefix: str) -> tuple[Visit, Callable[[], Awaitable[Response]]]:
        """The request at its place, and what answers it when nothing goes wrong."""
        fits = [
            (twin, route, caught)
            for twin in self._twins
            for route in twin.routes
            if host in route.hosts and (caught := route.match(path)) is not None
        ]
        for twin, route, caught in fits:
            if route.takes(request.method):
                visit = Visit(request, self.world, twin, host, path, caught, prefix)
                return visit, partial(route.handler, visit)
        owner = fits[0][0] if fits else next(twin for twin in self._twins if host in twin.hosts)
        visit = Visit(request, self.world, owner, host, path, {}, prefix)
        if fits:
            allowed = sorted({method for _, route, _ in fits for method in route.methods.split()})
            visit.said["allow"] = ", ".join(allowed)
            return visit, partial(owner.unfit, visit)
        if host in owner.picture_hosts:
            return visit, partial(_picture, visit)
        return visit, partial(owner.lost, visit)

    def _write(self, visit: Visit, status: int) -> None:
        app, person = (visit.token.client_id, visit.token.person) if visit.token is not None else ("", "")
        self.world.ledger.write(
            visit.twin.network,
            What.CALL,
            app=app,
            person=person,
            method=visit.method,
            host=visit.host,
            path=visit.path[:MOST],
            status=status,
        )


async def _picture(visit: Visit) -> Response:
    if visit.method not in ("GET", "HEAD"):
        return PlainTextResponse("Method Not Allowed", 405, {"allow": "GET, HEAD"})
    if pictures.dead(visit.request.url.query, visit.clock.now().timestamp()):
        return PlainTextResponse("URL signature expired", 403)
    kind, body = pictures.at(visit.path)
    # A picture that is SVG may hold a script, and in the path form it stands on the panel's own origin.
    guards = {"content-security-policy": "default-src 'none'; sandbox", "x-content-type-options": "nosniff"}
    return Response(body, media_type=kind, headers={"cache-control": "max-age=3600", **guards})


async def _lifespan(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return
