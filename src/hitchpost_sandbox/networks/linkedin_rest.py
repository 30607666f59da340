"""LinkedIn's versioned API as far as connecting needs it: roles on pages, pages, pictures.

Facts: docs/networks/linkedin.md.
"""

import re
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from typing import Any
from urllib.parse import unquote

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.networks.linkedin_api import (
    Stop,
    answer,
    asset,
    basic_profile,
    denied,
    guarded,
    localized,
    member_of,
    person_id,
    picture,
)
from hitchpost_sandbox.people import Organization
from hitchpost_sandbox.twin import Handler, Visit

VERSIONS = {
    "202508": date(2026, 8, 17), "202509": date(2026, 9, 15), "202510": date(2026, 10, 15), "202511": date(2026, 11, 16),
    "202601": date(2027, 1, 15), "202602": date(2027, 2, 15), "202603": date(2027, 3, 16), "202604": date(2027, 4, 15),
    "202605": date(2027, 5, 15), "202606": date(2027, 6, 15), "202607": date(2027, 7, 15), "202608": date(2027, 8, 17),
    "202609": date(2027, 9, 15),
}  # fmt: skip
"""Each published version and the day it ends (documented)."""

_ADMIN = frozenset({"rw_organization_admin", "r_organization_admin"})
_ASSET = re.compile(r"urn:li:image:(.+)")
_NO_VERSION = "A version must be present. Please specify a version by adding the Linkedin-Version header."


def _versioned(act: Callable[[Visit, App, Token], Awaitable[Response]]) -> Handler:
    """Behind the door of every API: an active version, and something left of the day's quota."""

    async def inner(visit: Visit, app: App, token: Token) -> Response:
        version = visit.header("linkedin-version")
        if not version:
            raise Stop(400, _NO_VERSION, code="VERSION_MISSING")
        closed = str(app.options.get("closed_versions", "")).split(",")
        if version in closed or visit.clock.now().date() >= VERSIONS.get(version, date.min):
            raise Stop(426, f"Requested version {version}01 is not active", code="NONEXISTENT_VERSION")
        _spend(visit, "APPLICATION", app, "", int(app.options.get("app_calls", 500 if app.on("development_tier") else 0)))
        _spend(visit, "MEMBER", app, token.person, int(app.options.get("member_calls", 100 if app.on("development_tier") else 0)))
        return await act(visit, app, token)

    return guarded(inner)


def _spend(visit: Visit, whose: str, app: App, person: str, limit: int) -> None:
    """Count one call of the day, which ends at midnight UTC; 0 is no limit. Raises Stop, without any header that says when."""
    if limit and visit.world.limits.spend(f"linkedin {app.client_id} {person}", limit=limit, window=timedelta(days=1)).left < 0:
        said = f"Resource level throttle {whose} DAY limit for calls to this resource is reached."
        raise Stop(429, said, code="TOO_MANY_REQUESTS", service=101)


def _version(visit: Visit) -> str:
    return f"{visit.header('linkedin-version')}01"


async def _me(visit: Visit, app: App, token: Token) -> Response:
    return answer(basic_profile(visit, app, token))


async def _organization_acls(visit: Visit, app: App, token: Token) -> Response:
    """GET /rest/organizationAcls?q=roleAssignee: one row a role, neither names nor logos, start and count."""
    query = visit.query
    if query.get("q") != "roleAssignee":
        raise Stop(400, "Query parameter 'q' must name a finder", code="ILLEGAL_ARGUMENT")
    if unknown := [name for name in ("projection", "fields") if name in query]:
        raise Stop(400, f"Query parameter '{unknown[0]}' is not allowed", code="QUERY_PARAM_NOT_ALLOWED")
    if _ADMIN.isdisjoint(token.scopes):
        raise denied("organizationAcls.FINDER-roleAssignee", _version(visit))
    held = [
        one for one in member_of(visit, token.person).roles
        if query.get("role") in (None, one.role) and query.get("state") in (None, one.state)
    ]  # fmt: skip
    if app.on("revoked_row_forbids") and any(one.state == "REVOKED" for one in held):
        raise denied("organizationAcls.FINDER-roleAssignee", _version(visit))
    start, count = _number(visit, "start", 0), min(_number(visit, "count", 10), int(app.options.get("max_count", 100)))
    rows = [
        {
            "roleAssignee": f"urn:li:person:{person_id(token.person, app)}",
            "role": one.role,
            "state": one.state,
            str(app.options.get("target_key", "organization")): f"urn:li:organization:{one.organization.id}",
        }
        for one in held
    ]
    paging = {"start": start, "count": count, "total": len(rows), "links": []}
    return answer({"elements": rows[start : start + count], "paging": paging})


def _number(visit: Visit, name: str, default: int) -> int:
    text = visit.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise Stop(400, f"Invalid value for parameter '{name}'", code="ILLEGAL_ARGUMENT")
    return int(text)


async def _organization(visit: Visit, _app: App, token: Token) -> Response:
    """GET /rest/organizations/{id}: for its administrators only."""
    if _ADMIN.isdisjoint(token.scopes):
        raise denied("organizations.GET", _version(visit))
    found = _organizations(visit).get(visit.params["id"])
    if found is None:
        raise Stop(404, "Not Found", code="NOT_FOUND")
    roles = member_of(visit, token.person).roles
    if not any(one.organization.id == found.id and one.role == "ADMINISTRATOR" and one.state == "APPROVED" for one in roles):
        said = f"Viewer don't have permission to the ADMIN_ONLY VisibilityReduction for urn:li:organization:{found.id}"
        raise Stop(403, said, code="ACCESS_DENIED")
    admin = {"organizationType": "PUBLIC_COMPANY", "localizedDescription": "", "defaultLocale": {"country": "US", "language": "en"}}
    return answer(_shown(found) | admin)


async def _organizations_lookup(visit: Visit, app: App, token: Token) -> Response:
    """GET /rest/organizationsLookup?ids=List(1,2): what everybody may see of several; 200 although single ones fail."""
    if app.on("development_tier") or _ADMIN.isdisjoint(token.scopes):
        raise denied("organizationsLookup.BATCH_GET", _version(visit))
    # Judged as sent: brackets and commas of the list must not be percent-encoded.
    ids = re.search(r"(?:^|&)ids=List\(([^()&]*)\)(?:&|$)", visit.request.url.query)
    if ids is None:
        raise Stop(400, "Invalid query parameters passed to request", code="PARAM_INVALID")
    known, asked = _organizations(visit), [unquote(one) for one in ids[1].split(",") if one]
    results = {one: _shown(known[one]) for one in asked if one in known}
    errors = {one: {"status": 404, "message": f"Organization {one} not found"} for one in asked if one not in known}
    return answer({"results": results, "statuses": dict.fromkeys(results, 200), "errors": errors})


def _organizations(visit: Visit) -> dict[str, Organization]:
    members = (person.linkedin for person in visit.world.cast.people if person.linkedin)
    return {str(role.organization.id): role.organization for member in members for role in member.roles}


def _shown(one: Organization) -> dict[str, Any]:
    body: dict[str, Any] = {
        "id": one.id,
        "$URN": f"urn:li:organization:{one.id}",
        "localizedName": one.name,
        "vanityName": one.vanity,
        "name": localized(one.name),
        "primaryOrganizationType": one.primary_type,
        "versionTag": "1234567890",
    }
    if one.picture:
        urn = f"urn:li:digitalmediaAsset:{asset(one.picture)}"
        body["logoV2"] = {"original": urn, "cropped": urn, "cropInfo": {"x": 0, "y": 0, "width": 0, "height": 0}}
    return body


async def _image(visit: Visit, app: App, token: Token) -> Response:
    """GET /rest/images/{urn}: where a picture of one's own, or of a page with a role, can be had for a while."""
    named = _ASSET.fullmatch(visit.params["urn"])
    if named is None:
        raise Stop(400, "Invalid image urn", code="INVALID_IMAGE_ID")
    member = member_of(visit, token.person)
    stems = {asset(stem): stem for stem in (member.picture, *(role.organization.picture for role in member.roles)) if stem}
    if named[1] not in stems or _ADMIN.isdisjoint(token.scopes):
        raise Stop(403, "Accessing this image resource is forbidden. Please check your permissions for this resource", code="ACCESS_DENIED")
    looks = int(app.options.get("images_processing", 0))
    seen: dict[str, int] = visit.authority.memory.setdefault("looks", {})
    seen[named[1]] = seen.get(named[1], 0) + 1
    if looks < 0 or seen[named[1]] <= looks:
        return answer({"id": visit.params["urn"], "status": "PROCESSING_FAILED" if looks < 0 else "PROCESSING"})
    url = picture(visit, stems[named[1]])
    body = {"id": visit.params["urn"], "status": "AVAILABLE", "downloadUrl": url, "downloadUrlExpiresAt": _expiry(url)}
    wanted = visit.query.get("fields", "")
    return answer({name: value for name, value in body.items() if not wanted or name in wanted.split(",")})


def _expiry(url: str) -> int:
    """The end of a picture's address, in milliseconds since 1970."""
    return int(url.partition("?e=")[2].partition("&")[0]) * 1000


me = _versioned(_me)
organization_acls = _versioned(_organization_acls)
organization = _versioned(_organization)
organizations_lookup = _versioned(_organizations_lookup)
image = _versioned(_image)
