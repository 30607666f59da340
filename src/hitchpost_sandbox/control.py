"""The sandbox's own plane under `/_sandbox/`, for tests in any language. Reached by a loopback name only, changed by JSON only.

Both rules keep web pages out: a rebound name is not loopback, and a foreign page cannot post JSON without asking first.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict, dataclass
from datetime import timedelta
from functools import wraps

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hitchpost_sandbox import panel
from hitchpost_sandbox.account import account
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.checking import checked_app, checked_fault
from hitchpost_sandbox.faults import Fault, Script
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.playing import befall
from hitchpost_sandbox.reading import Misread, read
from hitchpost_sandbox.turns import Befallen, CannotBefall
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_OWN_NAMES = ["localhost", "127.0.0.1"]
_MOST = 1_000_000
Answer = Callable[[Request], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class Move:
    """How the clock is to move: forward by a span; `stand` stops it, `run` lets it go on with the machine."""

    days: float = 0.0
    hours: float = 0.0
    minutes: float = 0.0
    seconds: float = 0.0
    stand: bool = False
    run: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn that is to happen now, and to whom."""

    network: str
    turn: str
    person: str
    app: str = ""
    target: str = ""
    scope: str = ""
    detail: str = ""


def control_plane(world: World, twins: tuple[Twin, ...]) -> Starlette:
    """The ASGI app for everything that belongs to no network."""
    plane = Plane(world, twins)
    routes = [
        *panel.routes(world, twins),
        Route("/_sandbox/health", plane.health),
        Route("/_sandbox/ledger", plane.ledger),
        Route("/_sandbox/consents", plane.consents),
        Route("/_sandbox/networks", plane.networks),
        Route("/_sandbox/cast", plane.cast),
        Route("/_sandbox/cast/{key}", _told(plane.recast), methods=["PUT"]),
        Route("/_sandbox/apps", _told(plane.apps), methods=["GET", "POST"]),
        Route("/_sandbox/faults", _told(plane.faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/faults/{number:int}", _told(plane.fault), methods=["GET", "DELETE"]),
        Route("/_sandbox/turns", _told(plane.turns), methods=["POST"]),
        Route("/_sandbox/clock", _told(plane.clock), methods=["GET", "POST"]),
        Route("/_sandbox/snapshots", plane.snapshots),
        Route("/_sandbox/snapshots/{name}", plane.snapshot, methods=["PUT", "DELETE"]),
        Route("/_sandbox/snapshots/{name}/restore", _told(plane.restore), methods=["POST"]),
        Route("/_sandbox/reset", _told(plane.reset), methods=["POST"]),
    ]
    return Starlette(routes=routes, middleware=[Middleware(TrustedHostMiddleware, allowed_hosts=_OWN_NAMES)])


class Plane:
    """What the control plane answers, one method a path."""

    def __init__(self, world: World, twins: tuple[Twin, ...]) -> None:
        self._world = world
        self._twins = {twin.network: twin for twin in twins}

    async def health(self, _request: Request) -> Response:
        return JSONResponse({"status": "ok", "now": self._world.clock.now().isoformat(), "networks": list(self._twins)})

    async def ledger(self, request: Request) -> Response:
        """Query: `network`, `kind` (a word of ledger.What), `app`, `person`, `after` (a `seq`)."""
        query = request.query_params
        after = query.get("after", "0")
        if not after.isdecimal() or len(after) > 15:
            return _refused("'after' must be a number")
        named = {name: query.get(name, "") for name in ("network", "app", "person")}
        entries = self._world.ledger.read(what=query.get("kind", ""), after=int(after), **named)
        return JSONResponse([entry.as_json() for entry in entries])

    async def consents(self, request: Request) -> Response:
        """Query: `person`, `app`."""
        named = {name: request.query_params.get(name, "") for name in ("person", "app")}
        return JSONResponse([one.as_json() for one in account(self._world, **named)])

    async def networks(self, _request: Request) -> Response:
        """What can be asked for by name at each network: errors, turns, switches."""
        return JSONResponse(
            {
                twin.network: {
                    "hosts": sorted(twin.hosts),
                    "authority": twin.authority,
                    "errors": {name: wrong.says for name, wrong in twin.errors.items()},
                    "turns": {name: turn.says for name, turn in twin.turns.items()},
                    "switches": dict(twin.switches),
                }
                for twin in self._twins.values()
            }
        )

    async def cast(self, _request: Request) -> Response:
        return JSONResponse([asdict(person) for person in self._world.cast.people])

    async def recast(self, request: Request) -> Response:
        """One person as the cast shows them, changed or new."""
        values = await _json(request)
        key = request.path_params["key"]
        person = read(Person, values | {"key": key}, "person")
        self._world.recast(person)
        return JSONResponse(asdict(person))

    async def apps(self, request: Request) -> Response:
        """GET: all, secrets included (they open nothing but this). POST: one app as JSON, new or changed."""
        if request.method != "POST":
            return JSONResponse([_as_json(app) for app in self._world.apps])
        app = checked_app(read(App, await _json(request), "app"), self._twins.values())
        self._world.register(app)
        return JSONResponse(_as_json(app), 201)

    async def faults(self, request: Request) -> Response:
        """GET: the scripts with their counts. POST: one more. DELETE: all gone, and what they hold let go."""
        if request.method == "POST":
            fault = read(Fault, await _json(request), "fault")
            return JSONResponse(_script(self._world.faults.add(checked_fault(fault, self._twins.values()))), 201)
        if request.method == "DELETE":
            self._world.faults.clear()
            return Response(status_code=204)
        return JSONResponse([_script(script) for script in self._world.faults.scripts])

    async def fault(self, request: Request) -> Response:
        """DELETE lets go what the fault holds."""
        number: int = request.path_params["number"]
        found = next((script for script in self._world.faults.scripts if script.id == number), None)
        if found is None:
            return _refused(f"there is no fault {number}", 404)
        if request.method == "DELETE":
            self._world.faults.remove(number)
            return Response(status_code=204)
        return JSONResponse(_script(found))

    async def turns(self, request: Request) -> Response:
        """Something befalls a person now."""
        asked = read(Asked, await _json(request), "turn")
        twin = self._twins.get(asked.network)
        if twin is None:
            raise Misread(f"turn.network must be one of: {', '.join(self._twins)}")
        if asked.turn not in twin.turns:
            raise Misread(f"turn.turn must be one of: {', '.join(twin.turns)}")
        await befall(self._world, twin, asked.turn, Befallen(asked.person, asked.app, asked.target, asked.scope, asked.detail))
        return Response(status_code=204)

    async def clock(self, request: Request) -> Response:
        """POST: a Move as JSON."""
        clock = self._world.clock
        if request.method == "POST":
            move = read(Move, await _json(request), "clock")
            if move.stand and move.run:
                raise Misread("clock: 'stand' or 'run', not both")
            try:
                clock.forward(timedelta(days=move.days, hours=move.hours, minutes=move.minutes, seconds=move.seconds))
            except (ValueError, OverflowError) as error:
                raise Misread(f"clock: {error}") from None
            if move.stand:
                clock.stand()
            if move.run:
                clock.run()
        return JSONResponse({"now": clock.now().isoformat(), "stands": clock.stands})

    async def snapshots(self, _request: Request) -> Response:
        return JSONResponse(list(self._world.snapshots))

    async def snapshot(self, request: Request) -> Response:
        """PUT keeps everything as it is now, the time too. DELETE forgets it."""
        name: str = request.path_params["name"]
        if request.method == "PUT":
            self._world.keep(name)
        elif name in self._world.snapshots:
            self._world.forget(name)
        else:
            return _refused(f"there is no snapshot '{name}'", 404)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        await _json(request)
        name: str = request.path_params["name"]
        if name not in self._world.snapshots:
            return _refused(f"there is no snapshot '{name}'", 404)
        self._world.restore(name)
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        await _json(request)
        self._world.reset()
        return Response(status_code=204)


def _told(answer: Answer) -> Answer:
    """What is misread is answered with 400 and a sentence."""

    @wraps(answer)
    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except (Misread, CannotBefall) as error:
            return _refused(str(error))

    return told


def _refused(message: str, status: int = 400) -> Response:
    return JSONResponse({"message": message}, status)


def _script(script: Script) -> dict[str, object]:
    counts = {"fitted": script.fitted, "spoiled": script.spoiled, "holding": script.holding, "over": script.over}
    return {"id": script.id, **asdict(script.fault), **counts}


def _as_json(app: App) -> dict[str, object]:
    return asdict(app) | {"scopes": sorted(app.scopes)}


async def _json(request: Request) -> dict[str, object]:
    """The JSON body, an object; an empty one is an empty object. Raises Misread."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Misread("send application/json")
    try:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST:
                raise Misread("that is more than a megabyte")
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Misread("that is not JSON") from None
    if not isinstance(values, dict):
        raise Misread("that is not a JSON object")
    return values
