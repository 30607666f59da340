"""LinkedIn's pages as far as connecting needs them: who has which role, what a page is called, its pictures, how many follow it.

Each answers under /rest/ and, in the older form with projections, under /v2/. Facts: docs/networks/linkedin.md.
"""

import re
from typing import Any

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.networks.linkedin_answers import Row, batch, batched, paged, refused, shaped, version, wrong
from hitchpost_sandbox.networks.linkedin_api import Stop, answer, denied, member_of, person_id, picture, picture_ends
from hitchpost_sandbox.networks.linkedin_decorations import Decorations, admin_only, administered, organizations, pictures_of, seen
from hitchpost_sandbox.people import OrganizationRole
from hitchpost_sandbox.twin import Visit

_ADMIN = frozenset({"rw_organization_admin", "r_organization_admin"})
_READS_IMAGES = _ADMIN | {"r_organization_social", "w_organization_social", "r_member_social"}
_READS_SIZES = _ADMIN | {"r_organization_social", "r_organization_followers"}
_ROLES = frozenset(
    {
        "ADMINISTRATOR", "DIRECT_SPONSORED_CONTENT_POSTER", "RECRUITING_POSTER", "LEAD_CAPTURE_ADMINISTRATOR", "LEAD_GEN_FORMS_MANAGER",
        "ANALYST", "CURATOR", "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN",
    }
)  # fmt: skip
_STATES = frozenset({"APPROVED", "REQUESTED", "REJECTED", "REVOKED"})
_ORGANIZATION = re.compile(r"urn:li:organization(?:Brand)?:(\d+)")
_TARGET = re.compile(r"organization(?:al)?(?:Target)?")
_IMAGE = re.compile(r"urn:li:image:(.+)")


async def acls(visit: Visit, app: App, token: Token) -> Response:
    """GET …/organizationAcls: one row a role, neither names nor logos. `q=roleAssignee`: the member's; `q=organization`: a page's."""
    resource, finder = visit.path.rpartition("/")[2], visit.query.get("q", "")
    if finder != "roleAssignee" and _TARGET.fullmatch(finder) is None:
        raise wrong("q", "ILLEGAL_ARGUMENT", "Query parameter 'q' must name a finder")
    old = visit.path.startswith("/v2/")
    if unknown := [name for name in ("projection", "fields") if name in visit.query and not old]:
        raise refused(unknown)
    for name, words in (("role", _ROLES), ("state", _STATES)):
        if name in visit.query and visit.query[name] not in words:
            raise wrong(name, "INVALID_VALUE_FOR_FIELD", f"Invalid value for parameter '{name}'")
    if _ADMIN.isdisjoint(token.scopes):
        raise denied(f"{resource}.FINDER-{finder}", version(visit))
    held = _own(visit, app, token, resource) if finder == "roleAssignee" else _of_page(visit, token, resource, finder)
    key = _target_key(visit, app, resource)
    rows = [_row(visit, app, person, one, key) for person, one in held if _wanted(visit, one)]
    return answer(shaped(visit, paged(visit, app, rows), Decorations(visit, app, token)))


def _wanted(visit: Visit, one: OrganizationRole) -> bool:
    role, state = visit.query.get("role"), visit.query.get("state")
    return role in (None, one.role, _long(one.role)) and state in (None, one.state)


def _long(role: str) -> str:
    """The role's other spelling, where it has one."""
    return {"CONTENT_ADMINISTRATOR": "CONTENT_ADMIN", "CONTENT_ADMIN": "CONTENT_ADMINISTRATOR"}.get(role, role)


def _own(visit: Visit, app: App, token: Token, resource: str) -> list[tuple[str, OrganizationRole]]:
    held = member_of(visit, token.person).roles
    if app.on("revoked_row_forbids") and any(one.state == "REVOKED" and _wanted(visit, one) for one in held):
        raise denied(f"{resource}.FINDER-roleAssignee", version(visit))
    return [(token.person, one) for one in held]


def _of_page(visit: Visit, token: Token, resource: str, finder: str) -> list[tuple[str, OrganizationRole]]:
    """Everybody with a role on one page, for its administrators. Raises Stop."""
    urn = visit.query.get(finder, "")
    if not urn:
        raise wrong(finder, "MISSING_FIELD", f"Parameter '{finder}' is required")
    named = _ORGANIZATION.fullmatch(urn)
    if named is None:
        raise wrong(finder, "INVALID_URN_TYPE", f"Invalid URN for parameter '{finder}'")
    if not _administers(visit, token, named[1]):
        raise denied(f"{resource}.FINDER-{finder}", version(visit))
    people = [(person.key, person.linkedin) for person in visit.world.cast.people if person.linkedin]
    return [(key, one) for key, member in people for one in member.roles if str(one.organization.id) == named[1]]


def _administers(visit: Visit, token: Token, number: str) -> bool:
    roles = member_of(visit, token.person).roles
    return any(str(one.organization.id) == number and (one.role, one.state) == ("ADMINISTRATOR", "APPROVED") for one in roles)


def _target_key(visit: Visit, app: App, resource: str) -> str:
    """What rows call their page: as the projection asks, else as the app's switch says, else by the resource."""
    asked = _TARGET.search(visit.query.get("projection", ""))
    if asked is not None:
        return asked[0]
    default = "organizationalTarget" if resource == "organizationalEntityAcls" else "organization"
    return str(app.options.get("target_key", default))


def _row(visit: Visit, app: App, person: str, one: OrganizationRole, key: str) -> Row:
    kind = "organizationBrand" if one.organization.primary_type == "BRAND" and app.on("brand_urns") else "organization"
    member = f"urn:li:person:{person_id(person, app)}"
    row: Row = {
        "roleAssignee": member,
        "role": "CONTENT_ADMIN" if app.on("short_content_admin") and one.role == "CONTENT_ADMINISTRATOR" else one.role,
        "state": one.state,
        key: f"urn:li:{kind}:{one.organization.id}",
    }
    if app.on("stamped_rows"):
        stamp = {"actor": member, "time": int(visit.clock.now().timestamp()) * 1000}
        row |= {"created": stamp, "lastModified": stamp}
    return row


async def organization(visit: Visit, app: App, token: Token) -> Response:
    """GET …/organizations/{id}: for its administrators only."""
    if _ADMIN.isdisjoint(token.scopes):
        raise denied("organizations.GET", version(visit))
    return answer(shaped(visit, _full(visit, token, visit.params["id"]), Decorations(visit, app, token)))


def _full(visit: Visit, token: Token, number: str) -> Row:
    found = organizations(visit).get(number)
    if found is None:
        raise Stop(404, "Not Found", code="NOT_FOUND")
    if not _administers(visit, token, number):
        raise admin_only(f"urn:li:organization:{number}")
    return administered(found)


async def organizations_found(visit: Visit, app: App, token: Token) -> Response:
    """GET …/organizations: by vanity name, for everybody, or several by number, for the administrators of each."""
    body: Row
    if visit.query.get("q") == "vanityName":
        if _ADMIN.isdisjoint(token.scopes):
            raise denied("organizations.FINDER-vanityName", version(visit))
        name = visit.query.get("vanityName", "")
        if not name:
            raise wrong("vanityName", "MISSING_FIELD", "Parameter 'vanityName' is required")
        found = [one for one in organizations(visit).values() if one.vanity.lower() == name.lower()]
        body = paged(visit, app, [administered(one) if _administers(visit, token, str(one.id)) else seen(one) for one in found])
    elif "ids" in visit.query:
        body = batched(_numbers(visit, app, token, "organizations"), lambda number: _full(visit, token, number))
    else:
        raise wrong("q", "ILLEGAL_ARGUMENT", "Query parameter 'q' must name a finder")
    return answer(shaped(visit, body, Decorations(visit, app, token)))


async def organizations_lookup(visit: Visit, app: App, token: Token) -> Response:
    """GET …/organizationsLookup?ids=List(1,2): what everybody may see of several."""
    known, asked = organizations(visit), _numbers(visit, app, token, "organizationsLookup")

    def read(number: str) -> Row:
        if number not in known:
            raise Stop(404, f"Organization {number} not found")
        return seen(known[number])

    return answer(shaped(visit, batched(asked, read), Decorations(visit, app, token)))


def _numbers(visit: Visit, app: App, token: Token, resource: str) -> list[str]:
    """The keys of a batch of pages; batches are closed in the development tier. Raises Stop."""
    if app.on("development_tier") or _ADMIN.isdisjoint(token.scopes):
        raise denied(f"{resource}.BATCH_GET", version(visit))
    keys = batch(visit, app)
    if not all(key.isdecimal() for key in keys):
        raise wrong("ids", "PARAM_INVALID", "Invalid query parameters passed to request")
    return keys


async def network_size(visit: Visit, _app: App, token: Token) -> Response:
    """GET …/networkSizes/{urn}?edgeType=COMPANY_FOLLOWED_BY_MEMBER: how many follow a page."""
    if _READS_SIZES.isdisjoint(token.scopes):
        raise denied("networkSizes.GET", version(visit))
    named = _ORGANIZATION.fullmatch(visit.params["urn"])
    if named is None:
        raise wrong("id", "INVALID_URN_TYPE", "Invalid URN")
    edge = visit.query.get("edgeType", "")
    if edge not in ("COMPANY_FOLLOWED_BY_MEMBER", "CompanyFollowedByMember"):
        raise wrong("edgeType", "INVALID_VALUE_FOR_FIELD" if edge else "MISSING_FIELD", "Invalid value for parameter 'edgeType'")
    found = organizations(visit).get(named[1])
    if found is None:
        raise Stop(404, "Not Found", code="NOT_FOUND")
    return answer({"firstDegreeSize": found.followers})


async def image(visit: Visit, app: App, token: Token) -> Response:
    """GET /rest/images/{urn}: where a picture of one's own, or of a page with a role, can be had for a while."""
    return answer(_only_fields(visit, _image(visit, app, token, visit.params["urn"])))


async def images(visit: Visit, app: App, token: Token) -> Response:
    """GET /rest/images?ids=List(urn%3Ali%3Aimage%3A…,…): several of them."""
    if app.on("development_tier"):
        raise denied("images.BATCH_GET", version(visit))
    return answer(_only_fields(visit, batched(batch(visit, app), lambda urn: _image(visit, app, token, urn))))


def _only_fields(visit: Visit, body: Row) -> Row:
    return shaped(visit, body, lambda _urn, _form: {})


def _image(visit: Visit, app: App, token: Token, urn: str) -> dict[str, Any]:
    named = _IMAGE.fullmatch(urn)
    if named is None:
        raise Stop(400, "Invalid image urn", code="INVALID_IMAGE_ID")
    stem = pictures_of(visit, token).get(named[1])
    if stem is None or _READS_IMAGES.isdisjoint(token.scopes):
        raise Stop(403, "Accessing this image resource is forbidden. Please check your permissions for this resource", code="ACCESS_DENIED")
    looks = int(app.options.get("images_processing", 0))
    seen_so_far: dict[str, int] = visit.authority.memory.setdefault("looks", {})
    seen_so_far[named[1]] = seen_so_far.get(named[1], 0) + 1
    if app.on("images_fail") or seen_so_far[named[1]] <= looks:
        return {"id": urn, "status": "PROCESSING_FAILED" if app.on("images_fail") else "PROCESSING"}
    url, ends = picture(visit, stem), picture_ends(visit)
    return {"id": urn, "status": "AVAILABLE", "downloadUrl": url, "downloadUrlExpiresAt": ends * 1000}
