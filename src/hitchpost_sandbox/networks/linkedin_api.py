"""LinkedIn's API at its door and without versions: whose token, which words for a refusal, who the member is.

Facts: docs/networks/linkedin.md.
"""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox import pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, Why
from hitchpost_sandbox.people import LinkedInMember, Person, scoped_word
from hitchpost_sandbox.twin import Handler, Visit

PICTURE_LIFE = timedelta(days=30)
_HEADERS = {"x-li-fabric": "prod-lva1", "x-restli-protocol-version": "2.0.0"}

TOKEN_WORDS = {
    Why.REVOKED: (65601, "REVOKED_ACCESS_TOKEN", "The token used in the request has been revoked by the user"),
    Why.EXPIRED: (65602, "EXPIRED_ACCESS_TOKEN", "The token used in the request has expired"),
}
INVALID = (65600, "INVALID_ACCESS_TOKEN", "Invalid access token")
EMPTY = (65604, "EMPTY_ACCESS_TOKEN", "Empty oauth2 access token")


class Stop(Exception):
    """The call is answered with this error and nothing else."""

    def __init__(self, status: int, message: str, *, code: str = "", service: int | None = None) -> None:
        super().__init__(message)
        self.response = answer(
            {"status": status}
            | ({} if service is None else {"serviceErrorCode": service})
            | ({"code": code} if code else {})
            | {"message": message},
            status,
        )


def answer(body: object, status: int = 200) -> Response:
    return JSONResponse(body, status, _HEADERS)


def denied(resource: str, version: str = "NO_VERSION") -> Stop:
    """403 in LinkedIn's pattern `{resource}.{METHOD}[-finder].{version}`; it does not say whether scope or role is missing."""
    return Stop(403, f"Not enough permissions to access: {resource}.{version}", code="ACCESS_DENIED", service=100)


def guarded(act: Callable[[Visit, App, Token], Awaitable[Response]]) -> Handler:
    """A handler that lets in living access tokens only, and turns Stop into its answer."""

    async def handler(visit: Visit) -> Response:
        try:
            token = _living(visit)
            app = visit.authority.app(token.client_id)
            if app is None:
                raise Stop(401, INVALID[2], code=INVALID[1], service=INVALID[0])
            visit.token = token
            return await act(visit, app, token)
        except Stop as stop:
            return stop.response

    return handler


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


def picture(visit: Visit, stem: str) -> str:
    """A signed address that ends by the sandbox's clock."""
    ends = int((visit.clock.now() + PICTURE_LIFE).timestamp())
    return f"https://media.licdn.com/dms/image/v2/D4E03AQ/{stem}.png?e={ends}&v=beta&t=s4ndb0x"


def asset(stem: str) -> str:
    """The id under which a picture is an asset or image."""
    return f"D4E0BAQ{scoped_word('linkedin picture', stem, '', size=14)}"


def claims(visit: Visit, app: App, person: Person, scopes: tuple[str, ...]) -> dict[str, Any]:
    """What OpenID Connect says of a member to this app. `locale` is an object in live answers and text in the documentation."""
    member = member_of(visit, person.key)
    said: dict[str, Any] = {"sub": person_id(person.key, app)}
    if "profile" in scopes:
        said |= {
            "name": f"{member.given_name} {member.family_name}",
            "given_name": member.given_name,
            "family_name": member.family_name,
            "locale": "en-US" if app.on("locale_text") else {"country": "US", "language": "en"},
        }
        if member.picture:
            said["picture"] = picture(visit, member.picture)
    if "email" in scopes and member.email_shared:
        said |= {"email": person.email, "email_verified": True}
    return said


async def _userinfo(visit: Visit, app: App, token: Token) -> Response:
    """GET /v2/userinfo (OpenID Connect Core §5.3)."""
    if not {"openid", "profile"} <= set(token.scopes):
        raise denied("userinfo.GET")
    return answer(claims(visit, app, visit.world.cast[token.person], token.scopes))


async def _me(visit: Visit, app: App, token: Token) -> Response:
    """GET /v2/me: the member in the older style, its picture only by URN."""
    return answer(basic_profile(visit, app, token))


def basic_profile(visit: Visit, app: App, token: Token) -> dict[str, Any]:
    """The lite form of a member. Raises Stop without `r_basicprofile`."""
    if "r_basicprofile" not in token.scopes:
        raise Stop(403, "Not enough permissions to access: me.GET.NO_VERSION", service=100)
    member = member_of(visit, token.person)
    body: dict[str, Any] = {
        "id": person_id(token.person, app),
        "localizedFirstName": member.given_name,
        "localizedLastName": member.family_name,
        "localizedHeadline": member.headline,
        "vanityName": member.vanity,
        "firstName": localized(member.given_name),
        "lastName": localized(member.family_name),
    }
    if member.picture:
        body["profilePicture"] = {"displayImage": f"urn:li:digitalmediaAsset:{asset(member.picture)}"}
    return body


def localized(text: str) -> dict[str, Any]:
    return {"localized": {"en_US": text}, "preferredLocale": {"country": "US", "language": "en"}}


async def lost(visit: Visit) -> Response:
    """A path that LinkedIn does not have: JSON at the API, a page elsewhere."""
    if visit.host == "api.linkedin.com":
        return Stop(404, f"No virtual resource found for: {visit.path}", code="RESOURCE_NOT_FOUND", service=0).response
    return pages.show(visit.twin, "stopped.html", 404, heading="Page not found", text="Uh oh, we can't seem to find the page.")


userinfo = guarded(_userinfo)
me = guarded(_me)
