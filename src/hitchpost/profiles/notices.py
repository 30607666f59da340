"""What networks tell us of people: the app was removed, or their data is to be deleted. Signed, believed once, acted on at once (G1)."""

import json

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.signed_request import Notice, NotSigned, read
from hitchpost.profiles.leaving import Leaving
from hitchpost.web.forms import read_form
from hitchpost.web.pages import Pages, Way

PREFIX = "/api/networks/{authority}/{app}"


def routes(leaving: Leaving, pages: Pages, public_url: str, catalog: Catalog) -> list[Route]:
    """`POST …/deauthorize`, `POST …/data-deletion`, and the page that says what became of a deletion.

    `app` is the client id, for these addresses stand in the network's portal for ever.
    """
    # One authority may serve two networks: the first of them in the catalog has the page about its app.
    pages_of = {login.authority: one.provider for one in reversed([*catalog]) for login in one.logins if login.notices}

    async def noticed(request: Request) -> tuple[str, Notice]:
        form = await read_form(request)
        authority, client_id = request.path_params["authority"], request.path_params["app"]
        known = leaving.app(authority, client_id)
        if known is None:
            raise Problem("not_found")
        app_id, secrets = known
        try:
            return app_id, read(form.get("signed_request"), secrets)
        except NotSigned:
            raise Problem("signed_request_invalid", provider=pages_of[authority]) from None

    async def deauthorize(request: Request) -> Response:
        app_id, notice = await noticed(request)
        await leaving.removed(app_id, notice)
        return Response('{"success":true}', media_type="application/json")

    async def data_deletion(request: Request) -> Response:
        app_id, notice = await noticed(request)
        code = await leaving.delete(app_id, notice)
        body = json.dumps({"url": f"{public_url}/data-deletion/{code}", "confirmation_code": code})
        return Response(body, media_type="application/json")

    async def status(request: Request) -> Response:
        done = await leaving.deletion(request.path_params["code"])
        if done is None:
            return pages.problem(request, Problem("not_found"), ways=[Way("Home", "/")])
        return pages.answer(request, "profiles/deletion.html", viewer=None, code=request.path_params["code"], on=f"{done:%-d %B %Y}")

    return [
        Route(f"{PREFIX}/deauthorize", deauthorize, methods=["POST"]),
        Route(f"{PREFIX}/data-deletion", data_deletion, methods=["POST"]),
        Route("/data-deletion/{code}", status, methods=["GET"]),
    ]
