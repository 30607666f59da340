"""The public API's calls about profiles: list, health, check now, disconnect."""

from fastapi import APIRouter, Request, Security

from hitchpost.profiles.schemas import DisconnectedBody, HealthBody, ProfileBody
from hitchpost.profiles.service import Profile, Profiles
from hitchpost.workspaces.auth import API_KEY, OWN_PREFIX, PREFIX, admission_of, seat
from hitchpost.workspaces.roles import Right
from hitchpost.workspaces.schemas import RESPONSES, ErrorBody

_WORKSPACE = {
    "in": "query", "name": "workspaceId", "required": True, "description": "The workspace. Get one from `GET /workspaces`.",
    "schema": {"type": "string", "minLength": 1},
}  # fmt: skip
_REFUSALS: dict[int | str, dict[str, object]] = {
    400: {"model": ErrorBody, "description": "workspaceId missing or repeated"},
    404: {"model": ErrorBody, "description": "No such workspace, or profile in it, for the caller"},
}
_EXTRA = {"parameters": [_WORKSPACE]}


def router(profiles: Profiles, public_url: str) -> APIRouter:
    """All of them, to be served behind the Door."""
    api = APIRouter(dependencies=[Security(API_KEY)], responses=RESPONSES)
    one = f"{OWN_PREFIX}social-profiles/{{profileId}}"

    @api.get(f"{PREFIX}v1/social-profiles", summary="The profiles attached to a workspace", responses=_REFUSALS, openapi_extra=_EXTRA)
    async def social_profiles(request: Request) -> list[ProfileBody]:
        place = seat(admission_of(request), request.scope["query_string"], Right.LIST)
        return [_profile(one, public_url) for one in await profiles.of_workspaces([place.workspace_id])]

    @api.get(f"{one}/health", summary="How a profile stands", responses=_REFUSALS, openapi_extra=_EXTRA)
    async def health(request: Request, profileId: str) -> HealthBody:  # noqa: N803  (the name in the path)
        place = seat(admission_of(request), request.scope["query_string"], Right.LIST)
        return _health(await profiles.one(place.workspace_id, profileId), public_url)

    @api.post(f"{one}/check", summary="Ask the network now how a profile stands", responses=_REFUSALS, openapi_extra=_EXTRA)
    async def check(request: Request, profileId: str) -> HealthBody:  # noqa: N803
        place = seat(admission_of(request), request.scope["query_string"], Right.CONNECT)
        return _health(await profiles.check(place.workspace_id, profileId), public_url)

    @api.delete(one, summary="Disconnect a profile", responses=_REFUSALS, openapi_extra=_EXTRA)
    async def disconnect(request: Request, profileId: str) -> DisconnectedBody:  # noqa: N803
        place = seat(admission_of(request), request.scope["query_string"], Right.DISCONNECT)
        done = await profiles.disconnect(place.workspace_id, profileId, place.person_id)
        return DisconnectedBody(
            id=done.profile.id,
            provider=done.profile.provider,
            access=done.fate,
            kept_for=list(done.kept_for),
            remove_app=done.remove_app or None,
        )

    return api


def _profile(one: Profile, public_url: str) -> ProfileBody:
    return ProfileBody(
        id=one.id, provider=one.provider, name=one.name, handle=one.handle or None, kind=one.kind, health=one.health.state,
        image=f"{public_url}/pictures/{one.picture}" if one.picture else None, health_details=_health(one, public_url),
    )  # fmt: skip


def _health(one: Profile, public_url: str) -> HealthBody:
    of = one.health
    return HealthBody(
        state=of.state, code=of.code or None, message=of.message or None, how=of.how or None, fix_by=of.fix_by, until=of.until,
        renews=of.renews, missing=list(of.missing), since=of.since, checked_at=of.checked_at, can=list(of.can),
        emergency=of.emergency or None,
        reconnect_url=public_url + one.reconnect_path if of.reconnect else None,
    )  # fmt: skip
