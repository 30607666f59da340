"""The panel: what happened and what waits to happen, as pages; everything they do goes through the plane's JSON, as it would by hand."""

from pathlib import Path
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from hitchpost_sandbox import pages
from hitchpost_sandbox.account import account
from hitchpost_sandbox.checking import words
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

AT_ONCE = 100
_SCRIPT = (Path(__file__).parent / "templates" / "panel.js").read_bytes()
_PAGES = (("/", "Overview"), ("/consents", "Consents"), ("/ledger", "Ledger"), ("/networks", "Networks"))


def routes(world: World, twins: tuple[Twin, ...]) -> list[Route]:
    """Four pages and their one script."""

    def shown(template: str, request: Request, **values: object) -> HTMLResponse:
        frame = {"nav": _PAGES, "here": request.url.path, "clock": world.clock, "base": str(request.base_url).rstrip("/")}
        return pages.panel(template, **frame, **values)

    async def overview(request: Request) -> Response:
        turns = {twin.network: list(twin.turns) for twin in twins}
        last = world.ledger.read(limit=8)[::-1]
        return shown(
            "panel.html", request, twins=twins, people=world.cast.people, apps=world.apps, scripts=world.faults.scripts, words=words(twins),
            turns=turns, last=last, snapshots=world.snapshots,
        )  # fmt: skip

    async def consents(request: Request) -> Response:
        asked = _asked(request, "person", "app")
        found = tuple(reversed(account(world, **asked)))
        return shown("consents.html", request, consents=found[:AT_ONCE], more=len(found) > AT_ONCE, asked=asked, people=world.cast.people)

    async def ledger(request: Request) -> Response:
        asked = _asked(request, "network", "person", "app")
        kind, before = request.query_params.get("kind", ""), request.query_params.get("before", "")
        end = int(before) if before.isdecimal() and len(before) <= 15 else None
        network, person, app = (asked.get(name, "") for name in ("network", "person", "app"))
        found = world.ledger.read(what=kind, network=network, person=person, app=app, before=end, limit=AT_ONCE + 1)[::-1]
        entries = found[:AT_ONCE]
        filters = asked | ({"kind": kind} if kind else {})
        older = f"/ledger?{urlencode({**filters, 'before': str(entries[-1].seq)})}" if len(found) > AT_ONCE else ""
        return shown(
            "ledger.html", request, entries=entries, older=older, asked=filters, kinds=list(What), people=world.cast.people,
            networks=[twin.network for twin in twins], json=f"/_sandbox/ledger?{urlencode({**filters, 'limit': AT_ONCE})}",
        )  # fmt: skip

    async def networks(request: Request) -> Response:
        return shown("networks.html", request, twins=twins)

    async def script(_request: Request) -> Response:
        return Response(_SCRIPT, media_type="text/javascript", headers={"cache-control": "no-store", "x-content-type-options": "nosniff"})

    return [
        Route("/", overview),
        Route("/consents", consents),
        Route("/ledger", ledger),
        Route("/networks", networks),
        Route("/_sandbox/panel.js", script),
    ]


def _asked(request: Request, *names: str) -> dict[str, str]:
    return {name: value for name in names if (value := request.query_params.get(name, ""))}
