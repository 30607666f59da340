"""Problems as answers: JSON where programs call, a page where people look; 404, 405 and the unforeseen in both worlds."""

import json
from collections.abc import Callable, Mapping

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import ExceptionHandler

from hitchpost.errors import Problem
from hitchpost.web.pages import Pages, Way

_JSON_WORLD, _JSON_PLACES = ("/api/_public/", "/api/v1/", "/api/networks/"), ("/health", "/openapi.json")

Foreseen = Callable[[Exception], str]
"""The catalogue's code of an error that did not come as a Problem, such as that of a database that is away; empty for any other."""

CLIENT_LEFT = 499
"""The status in the log when nobody is there any more to be answered."""


def for_programs(path: str) -> bool:
    """Whether programs call this path, with a key, signed by a network, or as a probe: no cookie counts there, every answer is JSON."""
    return path.startswith(_JSON_WORLD) or path in _JSON_PLACES


def nothing_foreseen(_error: Exception) -> str:
    """For an app whose rooms raise Problems only."""
    return ""


def problem_of(error: Exception, foreseen: Foreseen, request_id: str) -> Problem:
    """What is said of an error that no room has explained: what the house knows of it, else that it is unforeseen."""
    code = foreseen(error)
    return Problem(code, request_id=request_id) if code else Problem("unforeseen", request_id=request_id)


def json_answer(problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """The API's error body with the problem's status."""
    body = json.dumps(problem.as_json(), ensure_ascii=False, separators=(",", ":"))
    return Response(body, problem.status, headers, media_type="application/json")


def rendered(pages: Pages | None, request: Request, problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """The problem in the world that the request's path belongs to; without `pages` always JSON."""
    if problem.status == 408:
        # A body that comes too slowly is not waited for.
        headers = {**(headers or {}), "Connection": "close"}
    if pages is None or for_programs(request.scope["path"]):
        return json_answer(problem, headers=headers)
    if problem.code == "host_unknown":
        # Every path of our own would be refused again under this name.
        there = problem.facts["public_url"]
        return pages.problem(request, problem, headers=headers, ways=[Way(f"Open {there}", there)], home=there)
    return pages.problem(request, problem, headers=headers)


def exception_handlers(pages: Pages | None, foreseen: Foreseen = nothing_foreseen) -> dict[type[Exception] | int, ExceptionHandler]:
    """What the app does with an exception that leaves a route: FastAPI's `exception_handlers`.

    An unforeseen one is answered here and raised on by the framework to the Shell, which logs it.
    """

    async def problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return rendered(pages, request, error)

    async def framework(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        # FastAPI wraps whatever stops it from reading a body, our own limits included, into a bare 400.
        if isinstance(error.__cause__, Problem):
            return rendered(pages, request, error.__cause__)
        return rendered(pages, request, _of_status(request, error), headers=error.headers)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        places = sorted({".".join(str(part) for part in one["loc"]) for one in error.errors()})
        return rendered(pages, request, Problem("bad_request", detail=", ".join(places)))

    async def left(_request: Request, _error: Exception) -> Response:
        return Response(status_code=CLIENT_LEFT)

    async def unforeseen(request: Request, error: Exception) -> Response:
        return rendered(pages, request, problem_of(error, foreseen, getattr(request.state, "request_id", "")))

    return {Problem: problem, HTTPException: framework, RequestValidationError: invalid, ClientDisconnect: left, Exception: unforeseen}


def _of_status(request: Request, error: HTTPException) -> Problem:
    if error.status_code == 404:
        return Problem("not_found")
    if error.status_code == 405:
        return Problem("method_not_allowed", method=request.method)
    if error.status_code < 500:
        return Problem("bad_request", detail="the framework refused it")
    return Problem("unforeseen", request_id=getattr(request.state, "request_id", ""))
