"""The sandbox's own plane under `/_sandbox/`: health, ledger, cast, apps, reset. Reached by a loopback name only, changed by JSON only.

Both rules keep web pages out: a rebound name is not loopback, and a foreign page cannot post JSON without asking first.
"""

import json
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from hitchpost_sandbox import pages
from hitchpost_sandbox.apps import App, Option
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_OWN_NAMES = ["localhost", "127.0.0.1"]


class Misread(Exception):
    """What was posted is not what the plane understands; the message says what is wrong."""


def app_from(values: object) -> App:
    """An app from JSON: `authority`, `client_id`, `client_secret`, and optionally the rest of App's fields. Raises Misread."""
    if not isinstance(values, dict):
        raise Misread("an app is a JSON object")
    known = {"authority", "client_id", "client_secret", "title", "redirect_uris", "scopes", "variant", "options"}
    if unknown := set(values) - known:
        raise Misread(f"unknown: {', '.join(sorted(unknown))}")

    def text(name: str, default: str | None = None) -> str:
        value = values.get(name, default)
        if not isinstance(value, str) or (default is None and not value):
            raise Misread(f"'{name}' must be text")
        return value

    def texts(name: str) -> list[str]:
        value = values.get(name, [])
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise Misread(f"'{name}' must be a list of texts")
        return value

    options: object = values.get("options", {})
    if not isinstance(options, dict) or not all(isinstance(one, Option) for one in options.values()):
        raise Misread("'options' must map names to true, false, numbers or texts")
    return App(
        text("authority"),
        text("client_id"),
        text("client_secret"),
        text("title", "Hitchpost"),
        tuple(texts("redirect_uris")),
        frozenset(texts("scopes")),
        text("variant", ""),
        options,
    )


def _app_as_json(app: App) -> dict[str, object]:
    return asdict(app) | {"scopes": sorted(app.scopes)}


def control_plane(world: World, twins: tuple[Twin, ...]) -> Starlette:
    """The ASGI app for everything that belongs to no network."""

    async def health(_request: Request) -> Response:
        return JSONResponse({"status": "ok", "now": world.clock.now().isoformat(), "networks": [twin.network for twin in twins]})

    async def ledger(request: Request) -> Response:
        """Query: `network`, `kind` (a word of ledger.What), `app`, `person`, `after` (a `seq`)."""
        query = request.query_params
        after = query.get("after", "0")
        if not after.isdecimal():
            return JSONResponse({"message": "'after' must be a number"}, 400)
        entries = world.ledger.read(
            network=query.get("network", ""),
            what=query.get("kind", ""),
            app=query.get("app", ""),
            person=query.get("person", ""),
            after=int(after),
        )
        return JSONResponse([entry.as_json() for entry in entries])

    async def cast(_request: Request) -> Response:
        return JSONResponse([asdict(person) for person in world.cast.people])

    async def apps(request: Request) -> Response:
        """GET: all, secrets included (they open nothing but this). POST: one app as JSON, new or changed."""
        if request.method == "GET":
            return JSONResponse([_app_as_json(app) for app in world.apps])
        try:
            app = app_from(await _json(request))
        except Misread as error:
            return JSONResponse({"message": str(error)}, 400)
        world.register(app)
        return JSONResponse(_app_as_json(app), 201)

    async def reset(request: Request) -> Response:
        try:
            await _json(request)
        except Misread as error:
            return JSONResponse({"message": str(error)}, 400)
        world.reset()
        return Response(status_code=204)

    async def front(_request: Request) -> HTMLResponse:
        return pages.front(twins, world.cast.people, world.apps)

    return Starlette(
        routes=[
            Route("/", front),
            Route("/_sandbox/health", health),
            Route("/_sandbox/ledger", ledger),
            Route("/_sandbox/cast", cast),
            Route("/_sandbox/apps", apps, methods=["GET", "POST"]),
            Route("/_sandbox/reset", reset, methods=["POST"]),
        ],
        middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_OWN_NAMES)],
    )


async def _json(request: Request) -> object:
    """The JSON body; an empty one is an empty object. Raises Misread."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Misread("send application/json")
    try:
        return json.loads(await request.body() or b"{}")
    except ValueError:
        raise Misread("that is not JSON") from None
