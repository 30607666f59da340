"""Serves stored pictures from our own origin: pages load nothing foreign, and networks' links expire."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.ids import is_token
from hitchpost.profiles.service import Profiles

_HEADERS = {
    "cache-control": "private, max-age=86400, immutable",
    "content-security-policy": "default-src 'none'; sandbox",
    "content-disposition": "inline; filename=picture",
    # Callers of the API show these pictures on pages of their own.
    "cross-origin-resource-policy": "cross-origin",
}


def routes(profiles: Profiles) -> list[Route]:
    """`GET /pictures/<name>`: the name is unguessable and is all that is needed."""

    async def picture(request: Request) -> Response:
        name = request.path_params["name"]
        # What is not shaped like a name may hold what a database refuses to compare, a NUL for one.
        found = await profiles.gallery.picture(name) if is_token(name) else None
        if found is None:
            raise Problem("not_found")
        return Response(found.content, media_type=found.content_type, headers=_HEADERS)

    return [Route("/pictures/{name}", picture, methods=["GET"])]
