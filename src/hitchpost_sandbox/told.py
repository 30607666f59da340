"""How the plane hears and answers: JSON that ends with a newline, and a refusal that is always a sentence."""

import json
from collections.abc import Awaitable, Callable, Iterable
from functools import wraps

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hitchpost_sandbox.reading import Misread, unknown
from hitchpost_sandbox.turns import CannotBefall

_MOST = 1_000_000
Answer = Callable[[Request], Awaitable[Response]]


class Told(JSONResponse):
    """JSON for programs and for terminals."""

    def render(self, content: object) -> bytes:
        return super().render(content) + b"\n"


def refused(message: str, status: int = 400, headers: dict[str, str] | None = None) -> Response:
    return Told({"message": message}, status, headers)


def told(answer: Answer) -> Answer:
    """What is misread is answered with 400 and a sentence."""

    @wraps(answer)
    async def told(request: Request) -> Response:
        try:
            return await answer(request)
        except (Misread, CannotBefall) as error:
            return refused(str(error))

    return told


async def json_of(request: Request) -> dict[str, object]:
    """The JSON body, an object; an empty one is an empty object. Raises Misread."""
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        raise Misread("send application/json")
    try:
        body = b""
        async for piece in request.stream():
            body += piece
            if len(body) > _MOST:
                raise Misread("that is more than a megabyte")
        values = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise Misread("that is not JSON") from None
    if not isinstance(values, dict):
        raise Misread("that is not a JSON object")
    return values


def lost(paths: Iterable[str], hosts: Iterable[str]) -> Callable[[Request, Exception], Awaitable[Response]]:
    """Answers a path that the plane does not have, or not for this method, with those there are; before it stands no known host."""
    known, networks = tuple(paths), tuple(hosts)

    async def answer(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        path = request.url.path
        if error.status_code == 405:
            # Starlette keeps the methods of a route in a set.
            allowed = ", ".join(sorted((error.headers or {}).get("Allow", "").split(", ")))
            return refused(f"{path} takes {allowed}, not {request.method}", 405, {"allow": allowed})
        first = path.strip("/").partition("/")[0]
        if first == "_sandbox":
            return refused(unknown("the path", path, known), 404)
        return refused(
            f"{unknown('the host', first, networks)} (a network is at /<its host>/<path>, the sandbox's own at /_sandbox/…)", 404
        )

    return answer
