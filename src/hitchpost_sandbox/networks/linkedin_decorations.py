"""What stands behind the URNs of LinkedIn's older answers: pages with their names, people, pictures in several sizes.

Facts: docs/networks/linkedin.md.
"""

from typing import Any

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.networks.linkedin_api import Stop, asset, localized, member_of, person_id, picture, picture_ends
from hitchpost_sandbox.people import Organization
from hitchpost_sandbox.twin import Visit

Row = dict[str, Any]
_SIZES = (200, 400)


def admin_only(urn: str) -> Stop:
    return Stop(403, f"Viewer don't have permission to the ADMIN_ONLY VisibilityReduction for {urn}", code="ACCESS_DENIED")


def organizations(visit: Visit) -> dict[str, Organization]:
    """Every page that somebody of the cast has a role on, by its number."""
    members = (person.linkedin for person in visit.world.cast.people if person.linkedin)
    return {str(role.organization.id): role.organization for member in members for role in member.roles}


def seen(one: Organization) -> Row:
    """What everybody may see of a page."""
    body: Row = {
        "id": one.id,
        "$URN": f"urn:li:organization:{one.id}",
        "localizedName": one.name,
        "vanityName": one.vanity,
        "name": localized(one.name),
        "primaryOrganizationType": one.primary_type,
        "versionTag": "1234567890",
    }
    if one.parent:
        body["parentRelationship"] = {"parent": f"urn:li:organization:{one.parent}"}
    if one.website:
        body["localizedWebsite"] = one.website
    if one.picture:
        urn = f"urn:li:digitalmediaAsset:{asset(one.picture)}"
        body["logoV2"] = {"original": urn, "cropped": urn, "cropInfo": {"x": 0, "y": 0, "width": 0, "height": 0}}
    return body


def administered(one: Organization) -> Row:
    """What its administrators see of a page."""
    body = seen(one) | {
        "organizationType": "PUBLIC_COMPANY",
        "localizedDescription": one.description,
        "description": localized(one.description),
        "defaultLocale": {"country": "US", "language": "en"},
    }
    if one.picture:
        body["coverPhotoV2"] = {"original": f"urn:li:digitalmediaAsset:{asset(cover(one))}"}
    return body


def cover(one: Organization) -> str:
    """The stem of a page's cover."""
    return f"{one.picture}-cover"


def pictures_of(visit: Visit, token: Token) -> dict[str, str]:
    """The pictures that this token may see by their ids: the member's own, and those of the pages with a role."""
    member = member_of(visit, token.person)
    pages = [role.organization for role in member.roles if role.organization.picture]
    stems = [member.picture] if member.picture else []
    return {asset(stem): stem for stem in (*stems, *(page.picture for page in pages), *(cover(page) for page in pages))}


class Decorations:
    """What stands behind the URNs that this token meets: pages, people, pictures. Raises Stop for what it may not see."""

    def __init__(self, visit: Visit, app: App, token: Token) -> None:
        self._visit, self._app = visit, app
        self._roles = member_of(visit, token.person).roles
        self._stems = pictures_of(visit, token)

    def __call__(self, urn: str, form: str) -> Row:
        kind, _, key = urn.removeprefix("urn:li:").partition(":")
        if kind == "digitalmediaAsset" and form == "playableStreams" and key in self._stems:
            return self._streams(key, self._stems[key])
        if kind in ("organization", "organizationBrand"):
            return self._page(key, urn)
        if kind == "person":
            return self._person(key)
        raise Stop(404, f"Could not find entity {urn}")

    def _page(self, key: str, urn: str) -> Row:
        if all(str(one.organization.id) != key or one.state != "APPROVED" for one in self._roles):
            raise admin_only(urn)
        return seen(organizations(self._visit)[key])

    def _person(self, key: str) -> Row:
        for person in self._visit.world.cast.people:
            if person.linkedin and person_id(person.key, self._app) == key:
                return {"id": key, "localizedFirstName": person.linkedin.given_name, "localizedLastName": person.linkedin.family_name}
        raise Stop(404, f"Could not find entity urn:li:person:{key}")

    def _streams(self, key: str, stem: str) -> Row:
        return {"paging": {"count": 10, "start": 0, "links": []}, "elements": [self._stream(key, stem, size) for size in _SIZES]}

    def _stream(self, key: str, stem: str, size: int) -> Row:
        urn = f"urn:li:digitalmediaMediaArtifactClass:shrink_{size}_{size}"
        still = {
            "mediaType": "image/png",
            "rawCodecSpec": {"name": "png", "type": "image"},
            "displaySize": {"width": float(size), "uom": "PX", "height": float(size)},
            "storageSize": {"width": size, "height": size},
            "displayAspectRatio": {"widthAspect": 1.0, "heightAspect": 1.0, "formatted": "1.00:1.00"},
        }
        identifier = {
            "identifier": picture(self._visit, f"{stem}_{size}x{size}"),
            "index": 0,
            "mediaType": "image/png",
            "identifierType": "EXTERNAL_URL",
            "identifierExpiresInSeconds": picture_ends(self._visit),
        }
        return {
            "artifact": f"urn:li:digitalmediaMediaArtifact:(urn:li:digitalmediaAsset:{key},{urn})",
            "authorizationMethod": "PUBLIC",
            "data": {"com.linkedin.digitalmedia.mediaartifact.StillImage": still},
            "identifiers": [identifier],
        }
