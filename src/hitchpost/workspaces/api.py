"""Calls of the public API about the caller: who am I, and which workspaces are mine."""

from fastapi import APIRouter, Request, Security

from hitchpost.workspaces.auth import API_KEY, PREFIX, admission_of
from hitchpost.workspaces.schemas import RESPONSES, Me, Workspace
from hitchpost.workspaces.service import Workspaces


def router(workspaces: Workspaces) -> APIRouter:
    """`GET /me` and `GET /workspaces`, to be served behind the Door."""
    api = APIRouter(prefix=f"{PREFIX}v1", dependencies=[Security(API_KEY)], responses=RESPONSES)

    @api.get("/me", summary="The person behind the API key")
    async def me(request: Request) -> Me:
        caller = admission_of(request).caller
        return Me(id=caller.person_id, name=caller.name, email=caller.email)

    @api.get("/workspaces", summary="The workspaces of that person")
    async def list_workspaces(request: Request) -> list[Workspace]:
        found = await workspaces.of_person(admission_of(request).caller.person_id)
        return [Workspace(id=one.id, name=one.name, user_count=one.user_count, role=one.role) for one in found]

    return api
