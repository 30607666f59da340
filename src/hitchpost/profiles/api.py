"""The public API's list of profiles."""

from fastapi import APIRouter, Request, Security

from hitchpost.profiles.schemas import ProfileBody
from hitchpost.profiles.service import Profiles
from hitchpost.workspaces.auth import API_KEY, PREFIX, admission_of, seat
from hitchpost.workspaces.roles import Right
from hitchpost.workspaces.schemas import RESPONSES, ErrorBody

_WORKSPACE = {
    "in": "query", "name": "workspaceId", "required": True, "description": "The workspace. Get one from `GET /workspaces`.",
    "schema": {"type": "string", "minLength": 1},
}  # fmt: skip


def router(profiles: Profiles, public_url: str) -> APIRouter:
    """`GET /social-profiles`, to be served behind the Door."""
    api = APIRouter(prefix=f"{PREFIX}v1", dependencies=[Security(API_KEY)], responses=RESPONSES)
    refusals: dict[int | str, dict[str, object]] = {
        400: {"model": ErrorBody, "description": "workspaceId missing or repeated"},
        404: {"model": ErrorBody, "description": "No such workspace for the caller"},
    }

    @api.get(
        "/social-profiles", summary="The profiles attached to a workspace", responses=refusals, openapi_extra={"parameters": [_WORKSPACE]}
    )
    async def social_profiles(request: Request) -> list[ProfileBody]:
        place = seat(admission_of(request), request.scope["query_string"], Right.LIST)
        return [
            ProfileBody(
                id=one.id, provider=one.provider, name=one.name, handle=one.handle or None, kind=one.kind, health=one.health,
                image=f"{public_url}/pictures/{one.picture}" if one.picture else None,
            )
            for one in await profiles.of_workspaces([place.workspace_id])
        ]  # fmt: skip

    return api
