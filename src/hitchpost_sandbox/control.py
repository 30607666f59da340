"""The sandbox's own plane under `/_sandbox/`, for tests in any language. Reached by a loopback name only, changed by JSON only.

Both rules keep web pages out: a rebound name is not loopback, and a foreign page cannot post JSON without asking first.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.trustedhost import TrustedHostMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost_sandbox import panel
from hitchpost_sandbox.account import account
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.checking import checked_app, checked_fault, checked_filters, checked_people, checked_turn, demand
from hitchpost_sandbox.faults import Fault, Script
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.playing import befall
from hitchpost_sandbox.reading import Misread, read
from hitchpost_sandbox.told import Told, json_of, lost, refused, told
from hitchpost_sandbox.turns import Befallen
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_OWN_NAMES = ["localhost", "127.0.0.1"]


@dataclass(frozen=True, slots=True)
class Move:
    """How the clock is to move: forward by the sum of its spans; `stand` stops it, `run` lets it go on with the machine."""

    days: float = 0.0
    hours: float = 0.0
    minutes: float = 0.0
    seconds: float = 0.0
    stand: bool = False
    run: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """A turn that is to happen now, and to whom. `person`: a key of the cast. `app`: a client id; empty means every app.

    `target`, `scope`: what it is about, for turns that need it. `detail`: how the call to the app's own server is made wrong.
    """

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
        Route("/_sandbox/ledger", told(plane.ledger)),
        Route("/_sandbox/consents", told(plane.consents)),
        Route("/_sandbox/networks", plane.networks),
        Route("/_sandbox/cast", plane.cast),
        Route("/_sandbox/cast/{key}", told(plane.recast), methods=["PUT"]),
        Route("/_sandbox/apps", told(plane.apps), methods=["GET", "POST"]),
        Route("/_sandbox/faults", told(plane.faults), methods=["GET", "POST", "DELETE"]),
        Route("/_sandbox/faults/{number:int}", told(plane.fault), methods=["GET", "DELETE"]),
        Route("/_sandbox/turns", told(plane.turns), methods=["POST"]),
        Route("/_sandbox/clock", told(plane.clock), methods=["GET", "POST"]),
        Route("/_sandbox/snapshots", plane.snapshots),
        Route("/_sandbox/snapshots/{name}", plane.snapshot, methods=["PUT", "DELETE"]),
        Route("/_sandbox/snapshots/{name}/restore", told(plane.restore), methods=["POST"]),
        Route("/_sandbox/reset", told(plane.reset), methods=["POST"]),
    ]
    no_such = lost([route.path for route in routes], [host for twin in twins for host in twin.hosts])
    guards = [Middleware(TrustedHostMiddleware, allowed_hosts=_OWN_NAMES)]
    return Starlette(routes=routes, middleware=guards, exception_handlers={404: no_such, 405: no_such})


class Plane:
    """What the control plane answers, one method a path; docs/sandbox-reference.md has what a docstring says after each HTTP method."""

    def __init__(self, world: World, twins: tuple[Twin, ...]) -> None:
        self._world = world
        self._twins = {twin.network: twin for twin in twins}

    async def health(self, _request: Request) -> Response:
        """GET: `status` (`ok`), `now`, `networks`."""
        return Told({"status": "ok", "now": self._world.clock.now().isoformat(), "networks": list(self._twins)})

    async def ledger(self, request: Request) -> Response:
        """GET: every entry, oldest first: `seq`, `at`, `network`, `what`, `app`, `person`, `facts`; of the query's `network`, `kind`,
        `app`, `person` where they are given, and with a greater `seq` than `after`. `limit`: at most so many, the newest ones; with
        `after` (0: from the beginning) the first ones behind it, so that the last `seq` of one answer is the `after` of the next.
        """
        query = request.query_params
        checked_filters(query, ("network", "kind", "app", "person", "after", "limit"), self._twins.values(), self._world)
        after, limit = _number(query, "after", "the 'seq' of an entry"), _number(query, "limit", "of entries")
        network, kind, app, person = (query.get(name, "") for name in ("network", "kind", "app", "person"))
        entries = self._world.ledger.read(network=network, what=kind, app=app, person=person, after=after, limit=limit)
        return Told([entry.as_json() for entry in entries])

    async def consents(self, request: Request) -> Response:
        """GET: every consent, oldest first: `authority`, `family`, `app`, `person`, `at`, `scopes`, `targets`, and `codes` and `tokens`,
        each with `value` (a fingerprint), `kind`, `subject`, `scopes`, `fate`, `because`, `redeemed`, `refused`, `issued_at`, `expires_at`;
        of the query's `person` and `app` where they are given.
        """
        checked_filters(request.query_params, ("person", "app"), self._twins.values(), self._world)
        named = {name: request.query_params.get(name, "") for name in ("person", "app")}
        return Told([one.as_json() for one in account(self._world, **named)])

    async def networks(self, _request: Request) -> Response:
        """GET: for each network its `hosts` and `authority`, and what can be asked for by name: `errors`, `turns`, `switches`, `scopes`."""
        return Told(
            {
                twin.network: {
                    "hosts": sorted(twin.hosts),
                    "authority": twin.authority,
                    "errors": {name: wrong.says for name, wrong in twin.errors.items()},
                    "turns": {name: turn.says for name, turn in twin.turns.items()},
                    "switches": dict(twin.switches),
                    "scopes": dict(twin.scope_words),
                }
                for twin in self._twins.values()
            }
        )

    async def cast(self, _request: Request) -> Response:
        """GET: everybody, with the fields of a [person](#people)."""
        return Told([asdict(person) for person in self._world.cast.people])

    async def recast(self, request: Request) -> Response:
        """PUT: a [person](#people) without `key`, who moves in or takes the place of the one of this key; the person."""
        values = await json_of(request)
        key = request.path_params["key"]
        person = read(Person, values | {"key": key}, "person")
        checked_people(self._world.cast.having(person).people, {key: "person"})
        self._world.recast(person)
        return Told(asdict(person))

    async def apps(self, request: Request) -> Response:
        """GET: every [app](#apps), its secret included (it opens nothing but this).
        POST: an [app](#apps), new or in the place of the one of its authority and client id; 201 and the app.
        """
        if request.method != "POST":
            return Told([_as_json(app) for app in self._world.apps])
        app = checked_app(read(App, await json_of(request), "app"), self._twins.values())
        self._world.register(app)
        return Told(_as_json(app), 201)

    async def faults(self, request: Request) -> Response:
        """GET: every [fault](#faults) with its `id`, and how many calls it `fitted`, `spoiled` and is `holding`; whether it is `over`.
        POST: one more [fault](#faults); 201 and the same fields.
        DELETE: all are gone, and what they hold is let go; 204.
        """
        if request.method == "POST":
            fault = read(Fault, await json_of(request), "fault")
            return Told(_script(self._world.faults.add(checked_fault(fault, tuple(self._twins.values()), self._world))), 201)
        if request.method == "DELETE":
            self._world.faults.clear()
            return Response(status_code=204)
        return Told([_script(script) for script in self._world.faults.scripts])

    async def fault(self, request: Request) -> Response:
        """GET: that fault.
        DELETE: it is gone, and what it holds is let go; 204.
        """
        number: int = request.path_params["number"]
        found = next((script for script in self._world.faults.scripts if script.id == number), None)
        if found is None:
            return refused(f"there is no fault {number}", 404)
        if request.method == "DELETE":
            self._world.faults.remove(number)
            return Response(status_code=204)
        return Told(_script(found))

    async def turns(self, request: Request) -> Response:
        """POST: something befalls a person now: `network`, `turn`, `person`, and `app` (one app's access alone; every app's when it is
        left out), `target`, `scope`, `detail`; 204. `detail` makes the call to the app's own server wrong: `bad_signature`, `stale` or
        `unknown_person`.
        """
        asked = read(Asked, await json_of(request), "turn")
        demand("turn.network", asked.network or "-", self._twins)
        twin = self._twins[asked.network]
        whom = Befallen(asked.person, asked.app, asked.target, asked.scope, asked.detail)
        checked_turn(asked.turn, whom, twin, self._twins.values(), self._world)
        await befall(self._world, twin, asked.turn, whom)
        return Response(status_code=204)

    async def clock(self, request: Request) -> Response:
        """GET: `now`, and whether the clock `stands`.
        POST: forward by `days` + `hours` + `minutes` + `seconds`; then `"stand": true` stops it or `"run": true` lets it go on; as GET.
        """
        clock = self._world.clock
        if request.method == "POST":
            move = read(Move, await json_of(request), "clock")
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
        return Told({"now": clock.now().isoformat(), "stands": clock.stands})

    async def snapshots(self, _request: Request) -> Response:
        """GET: the names of all that are kept."""
        return Told(list(self._world.snapshots))

    async def snapshot(self, request: Request) -> Response:
        """PUT: everything is kept as it is now, the time too, under this name, in the place of what it named before; 204.
        DELETE: it is forgotten; 204.
        """
        name: str = request.path_params["name"]
        if request.method == "PUT":
            self._world.keep(name)
        elif name in self._world.snapshots:
            self._world.forget(name)
        else:
            return refused(f"there is no snapshot '{name}'", 404)
        return Response(status_code=204)

    async def restore(self, request: Request) -> Response:
        """POST: everything is as when this snapshot was kept, the time too; 204. The body is `{}` or nothing."""
        await json_of(request)
        name: str = request.path_params["name"]
        if name not in self._world.snapshots:
            return refused(f"there is no snapshot '{name}'", 404)
        self._world.restore(name)
        return Response(status_code=204)

    async def reset(self, request: Request) -> Response:
        """POST: everything is as at the start but the time and the snapshots; 204. The body is `{}` or nothing."""
        await json_of(request)
        self._world.reset()
        return Response(status_code=204)


def _number(query: Mapping[str, str], name: str, of: str) -> int | None:
    """A number of the query; None where it is not there. Raises Misread."""
    value = query.get(name)
    if value is not None and not (value.isdecimal() and len(value) <= 15):
        raise Misread(f"{name}: it must be a number, {of}")
    return None if value is None else int(value)


def _script(script: Script) -> dict[str, object]:
    counts = {"fitted": script.fitted, "spoiled": script.spoiled, "holding": script.holding, "over": script.over}
    return {"id": script.id, **asdict(script.fault), **counts}


def _as_json(app: App) -> dict[str, object]:
    return asdict(app) | {"scopes": sorted(app.scopes)}
