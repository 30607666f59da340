"""The pages of the flow. No GET but the callback changes anything; only the POSTs of start and 'again' leave for a network."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.clock import Clock
from hitchpost.connect import shown
from hitchpost.connect.flow import Departure, Scene, Visitor
from hitchpost.connect.looks import Looks
from hitchpost.connect.service import ConnectFlow
from hitchpost.connect.states import TRIP_LIFE, Status
from hitchpost.errors import Problem
from hitchpost.ids import is_id
from hitchpost.networks.base import Adapter
from hitchpost.networks.catalog import Catalog
from hitchpost.people.auth import SignedIn
from hitchpost.web.back import Back
from hitchpost.web.forms import Form, check_form_token, read_form
from hitchpost.web.pages import Pages, Viewer, Way, see_other

START = "/api/social-connect/start"
NOTHING_CONNECTED = "Nothing was connected."
_SILENT = (
    "network_down", "network_trouble", "network_throttled", "network_unintelligible", "app_misconfigured", "permission_missing",
    "access_revoked", "account_blocked", "access_unreadable", "all_withdrawn",
)  # fmt: skip
"""Codes whose sentence leaves it open, because health and checks say it too, where nothing was to be connected."""
_LEAVING = {"Referrer-Policy": "no-referrer", "Cache-Control": "no-store"}


class ConnectPages:
    """Routes of the flow; each handler reads the request, asks the flow, and shows what it says."""

    def __init__(self, flow: ConnectFlow, looks: Looks, signed_in: SignedIn, pages: Pages, catalog: Catalog, clock: Clock) -> None:
        self._flow, self._looks, self._signed_in, self._pages, self._catalog, self._clock = flow, looks, signed_in, pages, catalog, clock

    def routes(self) -> list[Route]:
        """Start, callback, and everything below `/connect/<id>`."""
        return [
            Route(START, self.either, methods=["GET", "POST"]),
            Route("/api/social-connect/callback/{provider}", self.callback, methods=["GET"]),
            Route("/connect/{id}", self.connection, methods=["GET"]),
            Route("/connect/{id}/attach", self._form(self.attach), methods=["POST"]),
            Route("/connect/{id}/again", self._form(self.again), methods=["POST"]),
            Route("/connect/{id}/look", self._form(self.look), methods=["POST"]),
            Route("/connect/{id}/cancel", self._form(self.cancel), methods=["POST"]),
        ]

    def _form(self, act: Callable[[Request, Form, Viewer], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """A POST of a signed-in person: without a session it leads to sign-in and back, without this session's token it is refused."""

        async def posted(request: Request) -> Response:
            form = await read_form(request)
            viewer = await self._signed_in.viewer(request)
            if viewer is None:
                return self._to_sign_in(_back(request, form.get("provider"), form.get("workspaceId"), form.get("profileId")))
            try:
                check_form_token(form, viewer.form_token)
                return await act(request, form, viewer)
            except Problem as problem:
                return self._stopped(request, problem, viewer)

        return posted

    async def either(self, request: Request) -> Response:
        """One route for both methods, so that a 405 names both: GET shows, POST leaves."""
        return await (self._form(self.depart)(request) if request.method == "POST" else self.start(request))

    async def start(self, request: Request) -> Response:
        """The start page. Signed out it always leads to sign-in, whether the workspace exists or not."""
        provider, workspace_id, profile_id = (request.query_params.get(name, "") for name in ("provider", "workspaceId", "profileId"))
        viewer = await self._signed_in.viewer(request)
        try:
            self._check_link(provider, workspace_id)
        except Problem as problem:
            # Said at once, for signing in would not mend it and would lose the link; it tells nothing of what there is here.
            return self._stopped(request, problem, viewer)
        if viewer is None:
            return self._to_sign_in(_back(request, provider, workspace_id, profile_id))
        try:
            if any(len(request.query_params.getlist(name)) > 1 for name in ("provider", "workspaceId", "profileId")):
                raise Problem("bad_request", detail="provider and workspaceId belong into the address once each")
            start = await self._flow.start(provider, workspace_id, viewer.person_id, profile_id=profile_id)
        except Problem as problem:
            return self._stopped(request, problem, viewer)
        context = shown.started(start, self._catalog[provider])
        return self._pages.answer(request, "connect/start.html", viewer=viewer, form_token=viewer.form_token, **context)

    def _check_link(self, provider: str, workspace_id: str) -> None:
        """In a person's words, who cannot mend a link. Raises Problem link_incomplete or link_network_unknown."""
        if not provider or not workspace_id:
            raise Problem("link_incomplete", missing="workspace" if provider else "network")
        if provider not in self._catalog:
            raise Problem("link_network_unknown")

    async def depart(self, request: Request, form: Form, viewer: Viewer) -> Response:
        """Leave for the network, unless the session would end on the way."""
        provider, workspace_id, profile_id = form.get("provider"), form.get("workspaceId"), form.get("profileId")
        if not await self._lasts(request):
            return self._to_sign_in(_back(request, provider, workspace_id, profile_id))
        departure = await self._flow.depart(provider, workspace_id, form.get("login"), _visitor(viewer), profile_id=profile_id)
        return self._moving(request, departure, self._catalog[provider], viewer)

    def _moving(self, request: Request, departure: Departure, adapter: Adapter, viewer: Viewer) -> Response:
        # A page that moves on, not a redirect: Chromium holds form-action against the whole chain of a redirected POST.
        page = partial(self._pages.answer, request, "connect/moving.html", viewer=viewer, headers=_LEAVING)
        return page(url=departure.url, network=shown.network_of(adapter, departure.opens), workspace={"name": departure.workspace_name})

    async def callback(self, request: Request) -> Response:
        """The network's answer, by GET only. A HEAD or a prefetch is not the person: nothing happens."""
        if request.method == "HEAD" or "prefetch" in (request.headers.get("sec-purpose", "") + request.headers.get("purpose", "")):
            return Response(status_code=204, headers=_LEAVING)
        provider, viewer = request.path_params["provider"], await self._signed_in.viewer(request)
        answers = {name: request.query_params.getlist(name) for name in request.query_params}
        try:
            if provider not in self._catalog:
                raise Problem("not_found")
            trip = await self._flow.arrive(provider, answers, _visitor(viewer) if viewer else None)
        except Problem as problem:
            return self._stopped(request, problem, viewer, headers=_LEAVING)
        if trip.status is Status.LOOKING and not trip.claimed(self._clock.now()):
            self._looks.begin(trip.id)
        answer = see_other(f"/connect/{trip.connection_id}")
        answer.headers.update(_LEAVING)
        return answer

    async def connection(self, request: Request) -> Response:
        """Progress, choice, outcome: whatever the connection's newest trip stands at."""
        viewer = await self._signed_in.viewer(request)
        if viewer is None:
            return self._to_sign_in(_back(request))
        try:
            scene = await self._flow.scene(_id(request), _visitor(viewer))
            return await self._shown(request, scene, viewer)
        except Problem as problem:
            return self._stopped(request, problem, viewer)

    async def _shown(self, request: Request, scene: Scene, viewer: Viewer, problem: Problem | None = None) -> Response:
        trip, adapter, shows = scene.trip, self._catalog[scene.trip.provider], scene.page(self._clock.now())
        context = shown.scene(scene, adapter) | {"form_token": viewer.form_token}
        page = partial(self._pages.answer, request, viewer=viewer)
        if shows == "expired":
            return self._stopped(request, Problem("authorization_expired", **_facts(scene, adapter)), viewer)
        if shows == "stopped":
            # What a plain stop held up may have ended since.
            code = scene.emergency if trip.code == "halted" and scene.emergency else trip.code
            return self._stopped(request, Problem(code, **{**trip.facts, **_facts(scene, adapter), "status": trip.status}), viewer)
        if shows == "done":
            profiles = {one.id: one for one in await self._flow.attached(trip)}
            rows = [shown.attached(profiles[profile_id], renewed) for profile_id, renewed in trip.attached if profile_id in profiles]
            return page("connect/done.html", attached=rows, **context)
        if shows == "progress":
            return page("connect/progress.html", **context | _progress(trip.status, context["network"]["opens"]))
        if shows == "other_account":
            return page("connect/other_account.html", **context)
        if shows == "nothing":
            assert trip.empty is not None, "an adapter that lists nothing says why"
            return page("connect/nothing.html", why=trip.empty.why, how=trip.empty.how, **context)
        wanted = request.query_params.get("q", "")
        rows = [shown.offered(offer) for offer in shown.matching(scene.offers, wanted)]
        also = NOTHING_CONNECTED if problem and problem.code in _SILENT else ""
        searchable = len(scene.offers) >= shown.SEARCHABLE_FROM
        extra = {"also": also, "candidates": rows, "remarks": trip.remarks, "searchable": searchable, "q": wanted}
        return page("connect/choose.html", status=problem.status if problem else 200, problem=problem, **context | extra)

    async def attach(self, request: Request, form: Form, viewer: Viewer) -> Response:
        """Attach the selection; what is wrong with it is said on the choose page itself, with nothing lost."""
        try:
            trip = await self._flow.attach(_id(request), form.all("pick"), _visitor(viewer))
        except Problem as problem:
            if problem.code == "not_found":
                raise
            scene = await self._flow.scene(_id(request), _visitor(viewer))
            return await self._shown(request, scene, viewer, problem)
        return see_other(f"/connect/{trip.connection_id}")

    async def again(self, request: Request, form: Form, viewer: Viewer) -> Response:
        """A further trip of the same connection: the network asks once more."""
        scene = await self._flow.scene(_id(request), _visitor(viewer))
        trip = scene.trip
        if not await self._lasts(request):
            return self._to_sign_in(Back("start", provider=trip.provider, workspace_id=trip.workspace_id, profile=trip.expected))
        departure = await self._flow.depart(trip.provider, trip.workspace_id, trip.login, _visitor(viewer), after=trip)
        return self._moving(request, departure, self._catalog[trip.provider], viewer)

    async def look(self, request: Request, form: Form, viewer: Viewer) -> Response:
        """List once more with the consent that we have."""
        trip = await self._flow.look_again(_id(request), _visitor(viewer))
        self._looks.begin(trip.id)
        return see_other(f"/connect/{trip.connection_id}")

    async def cancel(self, request: Request, form: Form, viewer: Viewer) -> Response:
        """Leave it; the connection's page then says so."""
        await self._flow.cancel(_id(request), _visitor(viewer))
        return see_other(f"/connect/{_id(request)}")

    async def _lasts(self, request: Request) -> bool:
        """Whether the session outlives a trip to a network and the choice after it."""
        session = await self._signed_in.session(request)
        return session is not None and session.expires_at - self._clock.now() >= TRIP_LIFE

    def _to_sign_in(self, back: Back) -> Response:
        return see_other(f"/sign-in?{back.query()}")

    def _stopped(self, request: Request, problem: Problem, viewer: Viewer | None, headers: dict[str, str] | None = None) -> Response:
        """The page of a problem with its ways on: look again, ask again, start in this browser, sign in as somebody else, home."""
        facts, ways = problem.facts, []
        connection, provider, workspace_id = (facts.get(name, "") for name in ("connection_id", "provider", "workspace_id"))
        if connection and facts.get("status") == Status.LOOKING:
            ways.append(Way("Try again", f"/connect/{connection}/look", post=True))
        if connection and problem.code not in ("rights_lost", "app_misconfigured"):
            ways.append(Way("Start again", f"/connect/{connection}/again", post=True))
        elif problem.code == "other_browser" and workspace_id:
            ways.append(Way("Start in this browser", Back("start", provider=provider, workspace_id=workspace_id).path()))
        if problem.code in ("workspace_not_found", "role_insufficient", "not_found"):
            ways.append(Way("Sign in with another account", f"/sign-in?{_back(request).query()}"))
        ways.append(Way("Home", "/"))
        place = {"provider": provider, "workspace_name": facts.get("workspace_name", "")}
        also = NOTHING_CONNECTED if connection and problem.code in _SILENT else ""
        return self._pages.problem(request, problem, viewer=viewer, headers=headers, ways=ways, also=also, **place)


def _visitor(viewer: Viewer) -> Visitor:
    return Visitor(viewer.person_id, viewer.session_id)


def _id(request: Request) -> str:
    connection_id: str = request.path_params["id"]
    if not is_id(connection_id):
        raise Problem("not_found")
    return connection_id


def _back(request: Request, provider: str = "", workspace_id: str = "", profile_id: str = "") -> Back:
    """Where the person was, as a name and ids."""
    if "id" in request.path_params:
        return Back.read({"to": "connection", "connection": request.path_params["id"]})
    asked = request.query_params
    given = {"provider": provider, "workspaceId": workspace_id, "profileId": profile_id}
    return Back.read({"to": "start"} | {name: value or asked.get(name, "") for name, value in given.items()})


def _facts(scene: Scene, adapter: Adapter) -> dict[str, str]:
    place = {"network": adapter.title, "provider": adapter.provider, "workspace_name": scene.workspace_name}
    return place | {"workspace_id": scene.trip.workspace_id, "connection_id": scene.trip.connection_id}


def _progress(status: Status, title: str) -> dict[str, object]:
    what = {
        Status.DEPARTED: f"Waiting for {title}: finish there, in the tab that opened.",
        Status.EXCHANGING: f"Confirming with {title} …",
        Status.LOOKING: f"Reading your profiles at {title} …",
    }.get(status, "Connecting what you picked …")
    return {"what": what, "seconds": 1}
