"""Who a member is to LinkedIn's unversioned API: OpenID Connect's userinfo, the older `me`, the oldest e-mail finder.

Facts: docs/networks/linkedin.md.
"""

from typing import Any

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.networks.linkedin_answers import shaped
from hitchpost_sandbox.networks.linkedin_api import Stop, answer, asset, denied, guarded, localized, member_of, person_id, picture
from hitchpost_sandbox.networks.linkedin_decorations import Decorations
from hitchpost_sandbox.people import Person, scoped_number
from hitchpost_sandbox.twin import Visit


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


def basic_profile(visit: Visit, app: App, token: Token) -> dict[str, Any]:
    """The member in the older style, the picture only by URN; less with `r_liteprofile`, which is granted no more.

    Raises Stop without either scope.
    """
    if {"r_basicprofile", "r_liteprofile"}.isdisjoint(token.scopes):
        raise Stop(403, "Not enough permissions to access: me.GET.NO_VERSION", service=100)
    member = member_of(visit, token.person)
    body: dict[str, Any] = {
        "id": person_id(token.person, app),
        "localizedFirstName": member.given_name,
        "localizedLastName": member.family_name,
        "firstName": localized(member.given_name),
        "lastName": localized(member.family_name),
    }
    if "r_basicprofile" in token.scopes:
        body |= {"localizedHeadline": member.headline, "headline": localized(member.headline), "vanityName": member.vanity}
    if member.picture:
        body["profilePicture"] = {"displayImage": f"urn:li:digitalmediaAsset:{asset(member.picture)}"}
    return body


async def read_me(visit: Visit, app: App, token: Token) -> Response:
    """GET /v2/me and /rest/me."""
    return answer(shaped(visit, basic_profile(visit, app, token), Decorations(visit, app, token)))


async def _email_address(visit: Visit, app: App, token: Token) -> Response:
    """GET /v2/emailAddress?q=members: from before OpenID Connect; `r_emailaddress` is granted no more."""
    if "r_emailaddress" not in token.scopes:
        raise denied("emailAddress.FINDER-members")
    person = visit.world.cast[token.person]
    rows = [{"handle": f"urn:li:emailAddress:{scoped_number('email', person.key, app.client_id, first='3', digits=10)}"}]
    shown = rows if member_of(visit, person.key).email_shared else []
    return answer(shaped(visit, {"elements": shown}, lambda _urn, _form: {"emailAddress": person.email}))


userinfo = guarded(_userinfo)
email_address = guarded(_email_address)
