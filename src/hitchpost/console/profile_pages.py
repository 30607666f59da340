"""A profile's own page: how it stands, why, what to do; asking the network now; and disconnecting, after saying what that means."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.console import shown
from hitchpost.db.engine import Database
from hitchpost.errors import Problem
from hitchpost.ids import is_id
from hitchpost.people.auth import SignedIn
from hitchpost.profiles.service import Profiles
from hitchpost.web.back import Back
from hitchpost.web.forms import check_form_token, read_form
from hitchpost.web.pages import Pages, Viewer, Way, see_other
from hitchpost.workspaces.roles import Right, allows
from hitchpost.workspaces.service import Membership, Workspaces

PATH = "/workspaces/{workspace}/profiles/{profile}"
Act = Callable[[Request, Viewer, str, str], Awaitable[Response]]


class ProfilePages:
    """Everything below PATH. Foreign and unknown ones are the same 404."""

    def __init__(self, database: Database, workspaces: Workspaces, profiles: Profiles, signed_in: SignedIn, pages: Pages) -> None:
        self._database, self._workspaces, self._profiles = database, workspaces, profiles
        self._signed_in, self._pages = signed_in, pages

    def routes(self) -> list[Route]:
        """The page, the check, and disconnecting."""
        return [
            Route(PATH, self._for_member(self.profile), methods=["GET"]),
            Route(f"{PATH}/check", self._for_member(self.check), methods=["POST"]),
            Route(f"{PATH}/disconnect", self._for_member(self.disconnect), methods=["GET", "POST"]),
        ]

    def _for_member(self, act: Act) -> Callable[[Request], Awaitable[Response]]:
        async def served(request: Request) -> Response:
            workspace_id, profile_id = request.path_params["workspace"], request.path_params["profile"]
            viewer = await self._signed_in.viewer(request)
            back = Back("profile", workspace_id=workspace_id, profile=profile_id) if is_id(workspace_id) and is_id(profile_id) else Back()
            if viewer is None:
                return see_other(f"/sign-in?{back.query()}")
            try:
                if request.method == "POST":
                    check_form_token(await read_form(request), viewer.form_token)
                return await act(request, viewer, workspace_id, profile_id)
            except Problem as problem:
                ways = [Way("Home", "/")]
                if problem.code in ("workspace_not_found", "profile_not_found"):
                    ways.append(Way("Sign in with another account", f"/sign-in?{back.query()}"))
                return self._pages.problem(request, problem, viewer=viewer, ways=ways)

        return served

    async def _seat(self, workspace_id: str, viewer: Viewer, right: Right) -> Membership:
        return await self._database.read(lambda tx: self._workspaces.require(tx, workspace_id, viewer.person_id, right))

    async def profile(self, request: Request, viewer: Viewer, workspace_id: str, profile_id: str) -> Response:
        """How it stands."""
        seat = await self._seat(workspace_id, viewer, Right.LIST)
        profile = await self._profiles.one(workspace_id, profile_id)
        context: dict[str, Any] = {
            "workspace": {"id": workspace_id, "name": seat.workspace_name}, "one": shown.profile(profile), "health": shown.health(profile),
            "emergency": shown.emergency(profile.health.emergency),
            "can_connect": allows(seat.role, Right.CONNECT), "can_disconnect": allows(seat.role, Right.DISCONNECT),
            "can_check": shown.may_check(profile),
        }  # fmt: skip
        return self._pages.answer(request, "console/profile.html", viewer=viewer, form_token=viewer.form_token, **context)

    async def check(self, request: Request, viewer: Viewer, workspace_id: str, profile_id: str) -> Response:
        """Ask the network now, then show the page again."""
        await self._seat(workspace_id, viewer, Right.CONNECT)
        await self._profiles.check(workspace_id, profile_id)
        return see_other(Back("profile", workspace_id=workspace_id, profile=profile_id).path())

    async def disconnect(self, request: Request, viewer: Viewer, workspace_id: str, profile_id: str) -> Response:
        """GET says what it means, POST does it and says what was done."""
        if request.method == "POST":
            done = await self._profiles.disconnect(workspace_id, profile_id, viewer.person_id)
            context: dict[str, Any] = {
                "one": shown.profile(done.profile),
                "fate": done.fate,
                "kept_for": done.kept_for,
                "remove_app": done.remove_app,
            }
            return self._pages.answer(request, "console/disconnected.html", viewer=viewer, **context)
        prospect = await self._profiles.prospect(workspace_id, profile_id, viewer.person_id)
        page: dict[str, Any] = {
            "prospect": prospect,
            "one": shown.profile(prospect.profile),
            "workspace": {"id": workspace_id, "name": prospect.workspace_name},
        }
        return self._pages.answer(request, "console/disconnect.html", viewer=viewer, form_token=viewer.form_token, **page)
