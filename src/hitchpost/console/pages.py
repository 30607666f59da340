"""The home page: a person's workspaces, their profiles, and a connect button for each configured network."""

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.console import shown
from hitchpost.networks.base import Adapter
from hitchpost.people.auth import SignedIn
from hitchpost.profiles.service import Profiles
from hitchpost.web.pages import Pages, see_other
from hitchpost.workspaces.roles import Right, allows
from hitchpost.workspaces.service import Workspaces


def routes(workspaces: Workspaces, profiles: Profiles, signed_in: SignedIn, pages: Pages, networks: Sequence[Adapter]) -> list[Route]:
    """`GET /`. `networks`: the configured ones."""

    async def home(request: Request) -> Response:
        viewer = await signed_in.viewer(request)
        if viewer is None:
            return see_other("/setup" if await workspaces.setup.is_open() else "/sign-in")
        seats = await workspaces.of_person(viewer.person_id)
        found = await profiles.of_workspaces([seat.id for seat in seats])
        rows = [
            {
                "id": seat.id, "name": seat.name, "role": seat.role, "owner_name": seat.owner_name,
                "can_connect": allows(seat.role, Right.CONNECT),
                "profiles": [shown.profile(one) for one in found if one.workspace_id == seat.id],
            }
            for seat in seats
        ]  # fmt: skip
        offered = [{"provider": one.provider, "title": one.title} for one in networks]
        stopped = shown.emergency(await profiles.emergency())
        page: dict[str, Any] = {"form_token": viewer.form_token, "workspaces": rows, "networks": offered, "emergency": stopped}
        return pages.answer(request, "console/home.html", viewer=viewer, **page)

    return [Route("/", home, methods=["GET"])]
