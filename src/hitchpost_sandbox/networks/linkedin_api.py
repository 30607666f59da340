"""LinkedIn's API at its door: whose token, tunnelled queries, which words for a refusal.

Facts: docs/networks/linkedin.md.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, Why, random_text
from hitchpost_sandbox.people import LinkedInMember, scoped_word
from hitchpost_sandbox.twin import Handler, Visit

PICTURE_LIFE = timedelta(days=30)
LONGEST_URL, LONGEST_QUERY = 8192, 4096
"""Bytes; beyond that the query has to travel as a body."""

TOKEN_WORDS = {
    Why.REVOKED: (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    Why.EXPIRED: (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
}
INVALID = (65600, "INVALID_ACCESS_TOKEN", "Invalid access token")
EMPTY = (65604, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token")


@dataclass(frozen=True, slots=True)
class Input:
    """One thing that is wrong with what was sent, as `errorDetails.inputErrors` tells it."""

    code: str
    description: str
    field: str


class Stop(Exception):
    """The call is answered with this error and nothing else. `inputs`: what exactly is wrong with a 400."""

    def __init__(
        self, status: int, message: str, *, code: str = "", service: int | None = None, inputs: Iterable[Input] = (), allow: str = ""
    ) -> None:
        super().__init__(message)
        wrong = [{"code": one.code, "description": one.description, "input": {"inputPath": {"fieldPath": one.field}}} for one in inputs]
        details = {"errorDetailType": "com.linkedin.common.error.BadRequest", "errorDetails": {"inputErrors": wrong}} if wrong else {}
        self.body: dict[str, Any] = (
            {"status": status}
            | ({} if service is None else {"serviceErrorCode": service})
            | ({"code": code} if code else {})
            | {"message": message}
            | details
        )
        self.status = status
        self.headers = {"allow": allow} if allow else {}

    @property
    def response(self) -> Response:
        return answer(self.body, self.status, self.headers)


def answer(body: object, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """JSON with the headers that every answer carries; two of them are what LinkedIn's support asks for."""
    said = {
        "x-li-fabric": "prod-lva1",
        "x-li-uuid": f"AAY{random_text(10)}==",
        "x-li-request-id": random_text(12),
        "x-restli-protocol-version": "2.0.0",
    }
    return JSONResponse(body, status, said | (headers or {}))


def denied(resource: str, version: str = "NO_VERSION") -> Stop:
    """403 in LinkedIn's pattern `{resource}.{METHOD}[-finder].{version}`; it does not say whether scope or role is missing."""
    return Stop(403, f"Not enough permissions to access: {resource}.{version}", code="ACCESS_DENIED", service=100)


def guarded(act: Callable[[Visit, App, Token], Awaitable[Response]]) -> Handler:
    """A handler that lets in living access tokens only, and turns Stop into its answer."""

    async def handler(outer: Visit) -> Response:
        try:
            visit = await _untunnelled(outer)
            token = _living(visit)
            app = visit.authority.app(token.client_id)
            if app is None:
                raise Stop(401, INVALID[2], code=INVALID[1], service=INVALID[0])
            outer.token = token
            return await act(visit, app, token)
        except Stop as stop:
            return stop.response

    return handler


async def _untunnelled(visit: Visit) -> Visit:
    """The same visit as the GET that a POST with `X-HTTP-Method-Override: GET` carries in its body. Raises Stop for any other POST.

    The query is kept as it was sent: what is percent-encoded in a list and what is not, counts.
    """
    query: bytes = visit.request.scope["query_string"]
    if len(query) > LONGEST_QUERY or len(visit.host) + len(visit.path) + len(query) > LONGEST_URL:
        raise Stop(414, "Request-URI Too Long")
    if visit.method != "POST":
        return visit
    if visit.header("x-http-method-override").upper() != "GET":
        raise not_allowed("GET")
    if visit.header("content-type").partition(";")[0].strip() != "application/x-www-form-urlencoded":
        raise Stop(415, "Unsupported Media Type")
    carried = (await visit.request.body()).strip()
    scope = {**visit.request.scope, "method": "GET", "query_string": b"&".join(part for part in (query, carried) if part)}
    return replace(visit, request=Request(scope))


def not_allowed(methods: str) -> Stop:
    return Stop(405, "Method Not Allowed", allow=methods)


def _living(visit: Visit) -> Token:
    value = visit.bearer() or visit.query.get("oauth2_access_token", "")
    number, code, message = EMPTY
    if value:
        try:
            token = visit.authority.find(value, "access")
        except Refused as refused:
            number, code, message = TOKEN_WORDS.get(refused.why, INVALID)
        else:
            app = visit.authority.app(token.client_id)
            settles = int(app.options.get("settles_after", 0)) if app else 0
            if visit.clock.now() >= token.issued_at + timedelta(seconds=settles):
                return token
            number, code, message = TOKEN_WORDS[Why.REVOKED]
    raise Stop(401, message, code=code, service=number)


def member_of(visit: Visit, person: str) -> LinkedInMember:
    """The account behind a key of the cast. Raises Stop when that person has none."""
    member = visit.world.cast[person].linkedin
    if member is None:
        raise Stop(401, INVALID[2], code=INVALID[1], service=INVALID[0])
    return member


def person_id(person: str, app: App) -> str:
    """The member's id, another under every app."""
    return scoped_word("linkedin", person, app.client_id)


def localized(text: str) -> dict[str, Any]:
    return {"localized": {"en_US": text}, "preferredLocale": {"country": "US", "language": "en"}}


def picture_ends(visit: Visit) -> int:
    """When an address of a picture that is given out now goes dead, in Unix seconds."""
    return int((visit.clock.now() + PICTURE_LIFE).timestamp())


def picture(visit: Visit, stem: str) -> str:
    """A signed address that ends by the sandbox's clock."""
    ends = picture_ends(visit)
    return f"https://media.licdn.com/dms/image/v2/D4E03AQ/{stem}.png?e={ends}&v=beta&t=s4ndb0x"


def asset(stem: str) -> str:
    """The id under which a picture is an asset or image."""
    return f"D4E0BAQ{scoped_word('linkedin picture', stem, '', size=14)}"


async def lost(visit: Visit) -> Response:
    """A path that LinkedIn does not have, or has for other methods: JSON at the API, a page elsewhere."""
    if visit.host != "api.linkedin.com":
        return pages.show(visit.twin, "stopped.html", 404, heading="Page not found", text="Uh oh, we can't seem to find the page.")
    routes = [route for route in visit.twin.routes if visit.host in route.hosts and route.handler is not lost]
    if any(route.match(visit.path) is not None for route in routes):
        return not_allowed("GET").response
    return Stop(404, f"No virtual resource found for: {visit.path}", code="RESOURCE_NOT_FOUND", service=0).response
