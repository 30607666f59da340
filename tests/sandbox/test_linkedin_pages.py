"""LinkedIn's pages in its twin: who has which role, what they are called, their logos and followers."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from hitchpost_sandbox.apps import LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP
from hitchpost_sandbox.people import OrganizationRole
from hitchpost_sandbox.world import World
from tests.sandbox.at_linkedin import MEMBER, PAGES, call, granted, switch
from tests.support.trip import NOON


async def test_roles_are_rows_without_names_in_pages_of_ten(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "mona"))["access_token"]
    first = (await call(browser, "/rest/organizationAcls?q=roleAssignee", token)).json()
    assert len(first["elements"]) == 10
    (onward,) = first["paging"].pop("links")
    assert first["paging"] == {"start": 0, "count": 10, "total": 14}
    assert (onward["rel"], onward["type"]) == ("next", "application/json")
    following = (await call(browser, onward["href"], token)).json()
    assert len(following["elements"]) == 4
    assert [link["rel"] for link in following["paging"]["links"]] == ["prev"]
    assert set(first["elements"][0]) == {"roleAssignee", "role", "state", "organization"}
    rest = (await call(browser, "/rest/organizationAcls?q=roleAssignee&start=10&count=100", token)).json()
    assert len(rest["elements"]) == 4
    noor = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "noor"))["access_token"]
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee", noor)).json()["elements"] == []


async def test_several_roles_on_one_page_are_several_rows_and_can_be_filtered(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "cleo"))["access_token"]
    rows = (await call(browser, "/rest/organizationAcls?q=roleAssignee", token)).json()["elements"]
    assert [(row["role"], row["state"]) for row in rows] == [
        ("ADMINISTRATOR", "APPROVED"),
        ("CONTENT_ADMINISTRATOR", "APPROVED"),
        ("ADMINISTRATOR", "REVOKED"),
    ]
    approved = (await call(browser, "/rest/organizationAcls?q=roleAssignee&state=APPROVED&role=ADMINISTRATOR", token)).json()
    assert len(approved["elements"]) == 1


async def test_the_finder_refuses_projections_and_tokens_without_its_scope(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee&projection=(elements)", token)).status_code == 400
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    answer = await call(browser, "/rest/organizationAcls?q=roleAssignee", member)
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCESS_DENIED")


async def test_a_page_is_read_by_its_administrators_only(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    ltd = (await call(browser, "/rest/organizations/7700101", token)).json()
    assert (ltd["id"], ltd["localizedName"], ltd["vanityName"]) == (7700101, "Lantern Ltd", "lantern-ltd")
    trust = await call(browser, "/rest/organizations/7700103", token)
    assert trust.status_code == 403
    assert "ADMIN_ONLY VisibilityReduction for urn:li:organization:7700103" in trust.json()["message"]
    assert (await call(browser, "/rest/organizations/1", token)).status_code == 404


async def test_a_lookup_answers_each_by_itself_and_wants_its_brackets_raw(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    body = (await call(browser, "/rest/organizationsLookup?ids=List(7700103,1)", token)).json()
    assert body["results"]["7700103"]["localizedName"] == "Harbour Trust"
    assert body["statuses"] == {"7700103": 200}
    assert body["errors"]["1"]["status"] == 404
    assert (await call(browser, "/rest/organizationsLookup?ids=List%287700103%29", token)).status_code == 400


async def test_a_logo_is_read_by_its_image_urn_and_served_for_a_while(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    ltd = (await call(browser, "/rest/organizations/7700101", token)).json()
    urn = ltd["logoV2"]["original"].replace("digitalmediaAsset", "image").replace(":", "%3A")
    image = (await call(browser, f"/rest/images/{urn}", token)).json()
    assert (image["status"], image["downloadUrlExpiresAt"]) == ("AVAILABLE", (NOON + timedelta(days=30)).timestamp() * 1000)
    assert (await browser.get(image["downloadUrl"].removeprefix("https:/"))).status_code == 200
    assert set((await call(browser, f"/rest/images/{urn}?fields=downloadUrl", token)).json()) == {"downloadUrl"}
    stranger = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "ben"))["access_token"]
    assert (await call(browser, f"/rest/images/{urn}", stranger)).status_code == 403
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    assert (await call(browser, f"/rest/images/{urn}", member)).status_code == 403
    assert (await call(browser, "/rest/images/urn%3Ali%3Ashare%3A1", token)).status_code == 400


async def test_rows_may_be_written_otherwise_by_switches(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, target_key="organizationTarget", stamped_rows=True, short_content_admin=True, no_total=True)
    cleo = (await granted(browser, app, PAGES, "cleo"))["access_token"]
    body = (await call(browser, "/rest/organizationAcls?q=roleAssignee&role=CONTENT_ADMIN", cleo)).json()
    (row,) = body["elements"]
    assert (row["organizationTarget"], row["role"]) == ("urn:li:organization:7700301", "CONTENT_ADMIN")
    assert set(row["created"]) == set(row["lastModified"]) == {"actor", "time"}
    assert "total" not in body["paging"]
    app = switch(world, LINKEDIN_PAGES_APP, brand_urns=True)
    hedda = (await granted(browser, app, PAGES, "hedda"))["access_token"]
    rows = (await call(browser, "/rest/organizationAcls?q=roleAssignee", hedda)).json()["elements"]
    assert [row["organization"] for row in rows] == ["urn:li:organization:7700701", "urn:li:organizationBrand:7700702"]
    brand = (await call(browser, "/rest/organizations/7700702", hedda)).json()
    assert (brand["primaryOrganizationType"], brand["parentRelationship"]) == ("BRAND", {"parent": "urn:li:organization:7700701"})
    assert "logoV2" not in brand, "this page has no logo"


async def test_one_revoked_row_may_spoil_a_list_that_would_hold_it(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, revoked_row_forbids=True)
    cleo = (await granted(browser, app, PAGES, "cleo"))["access_token"]
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee", cleo)).status_code == 403
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee&state=APPROVED", cleo)).status_code == 200


async def test_a_pages_roles_are_told_to_its_administrators(browser: httpx2.AsyncClient, world: World) -> None:
    ada, ben = world.cast["ada"], world.cast["ben"]
    assert ada.linkedin is not None
    assert ben.linkedin is not None
    ltd = ada.linkedin.roles[0].organization
    world.change("ben", linkedin=replace(ben.linkedin, roles=(OrganizationRole(ltd, "ANALYST"), OrganizationRole(ltd, state="REQUESTED"))))
    adas = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    finder = "/rest/organizationAcls?q=organization&organization=urn%3Ali%3Aorganization%3A"
    rows = (await call(browser, f"{finder}7700101", adas)).json()["elements"]
    assert [(row["role"], row["state"]) for row in rows] == [
        ("ADMINISTRATOR", "APPROVED"),
        ("ANALYST", "APPROVED"),
        ("ADMINISTRATOR", "REQUESTED"),
    ]
    assert len({row["roleAssignee"] for row in rows}) == 2
    assert len((await call(browser, f"{finder}7700101&state=REQUESTED", adas)).json()["elements"]) == 1
    assert (await call(browser, f"{finder}7700103", adas)).status_code == 403, "an analyst is no administrator"
    bens = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "ben"))["access_token"]
    assert (await call(browser, f"{finder}7700101", bens)).json()["code"] == "ACCESS_DENIED"
    assert (await call(browser, "/rest/organizationAcls?q=organization", adas)).json()["code"] == "MISSING_FIELD"
    wrong = (await call(browser, "/rest/organizationAcls?q=organization&organization=7700101", adas)).json()
    assert (wrong["status"], wrong["code"]) == (400, "INVALID_URN_TYPE")
    assert wrong["errorDetails"]["inputErrors"][0]["code"] == "INVALID_URN_TYPE"


async def test_the_older_lists_bring_names_and_logos_with_them(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "cleo"))["access_token"]
    asked = "(elements*(role,organizationalTarget~(localizedName,vanityName,logoV2(original~:playableStreams))))"
    body = (await call(browser, f"/v2/organizationalEntityAcls?q=roleAssignee&projection={asked}", token)).json()
    quill, _, old = body["elements"]
    assert set(quill) == {"role", "organizationalTarget", "organizationalTarget~"}
    assert quill["organizationalTarget~"]["localizedName"] == "Quill & Ink"
    streams = quill["organizationalTarget~"]["logoV2"]["original~"]["elements"]
    picture = streams[-1]["identifiers"][0]["identifier"]
    assert (await browser.get(picture.removeprefix("https:/"))).headers["content-type"] == "image/png"
    assert old["organizationalTarget!"]["status"] == 403, "what is not readable stands there as an error"
    assert "organizationalTarget~" not in old
    plain = (await call(browser, "/v2/organizationalEntityAcls?q=roleAssignee", token)).json()["elements"][0]
    assert plain["organizationalTarget"] == "urn:li:organization:7700301"
    newer = "/v2/organizationAcls?q=roleAssignee&state=APPROVED&projection=(elements*(*,organization~(id,localizedName)))"
    row = (await call(browser, newer, token)).json()["elements"][0]
    assert (row["organization~"], row["role"]) == ({"id": 7700301, "localizedName": "Quill & Ink"}, "ADMINISTRATOR")
    one = (await call(browser, "/v2/organizations/7700301?projection=(id,logoV2(original~:playableStreams))", token)).json()
    assert set(one) == {"id", "logoV2"}
    assert one["logoV2"]["original~"]["elements"][0]["identifiers"][0]["identifierType"] == "EXTERNAL_URL"
    assert (await call(browser, "/rest/organizations/7700301?projection=(id)", token)).json()["code"] == "QUERY_PARAM_NOT_ALLOWED"


@pytest.mark.parametrize("text", ["", "id", "(id", "(id,)", "(id)x", "(id,id)", "(a" * 900 + ")" * 900, "(a~:)", "(a(b)"])
async def test_what_is_no_projection_is_refused(browser: httpx2.AsyncClient, text: str) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    answer = await call(browser, f"/v2/me?projection={text}", token)
    assert (answer.status_code, answer.json()["code"]) == (400, "PARAM_INVALID")


async def test_a_page_is_found_by_its_vanity_name(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    finder = "/rest/organizations?q=vanityName&vanityName="
    (mine,) = (await call(browser, f"{finder}Lantern-Ltd", token)).json()["elements"]
    assert (mine["id"], mine["localizedWebsite"], mine["organizationType"]) == (7700101, "https://lantern.example", "PUBLIC_COMPANY")
    (other,) = (await call(browser, f"{finder}harbour-cafe", token)).json()["elements"]
    assert other["localizedName"] == "Harbour Café"
    assert "organizationType" not in other, "only administrators see all of it"
    assert (await call(browser, f"{finder}nobody", token)).json()["elements"] == []
    assert (await call(browser, "/rest/organizations?q=vanityName", token)).json()["code"] == "MISSING_FIELD"
    assert (await call(browser, "/rest/organizations?q=emailDomain", token)).status_code == 400
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    assert (await call(browser, f"{finder}lantern-ltd", member)).status_code == 403


async def test_several_pages_are_read_by_the_administrators_of_each(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    body = (await call(browser, "/rest/organizations?ids=List(7700101,7700103)&fields=id,localizedName", token)).json()
    assert body["results"] == {"7700101": {"id": 7700101, "localizedName": "Lantern Ltd"}}
    assert body["errors"]["7700103"]["code"] == "ACCESS_DENIED"
    assert (await call(browser, "/rest/organizations?ids=List(one)", token)).status_code == 400
    switch(world, LINKEDIN_PAGES_APP, development_tier=True)
    assert (await call(browser, "/rest/organizations?ids=List(7700101)", token)).status_code == 403


async def test_a_pages_followers_are_a_number(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    urn, edge = "/rest/networkSizes/urn%3Ali%3Aorganization%3A7700101", "?edgeType=COMPANY_FOLLOWED_BY_MEMBER"
    assert (await call(browser, urn + edge, token)).json() == {"firstDegreeSize": 1234}
    assert (await call(browser, urn, token)).json()["code"] == "MISSING_FIELD"
    assert (await call(browser, f"/rest/networkSizes/7700101{edge}", token)).json()["code"] == "INVALID_URN_TYPE"
    assert (await call(browser, f"/rest/networkSizes/urn%3Ali%3Aorganization%3A1{edge}", token)).status_code == 404
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    assert (await call(browser, urn + edge, member)).status_code == 403


async def test_several_logos_are_read_at_once(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    page = (await call(browser, "/rest/organizations/7700101", token)).json()
    logo, cover = (page[name]["original"].replace("digitalmediaAsset", "image") for name in ("logoV2", "coverPhotoV2"))
    asked = ",".join(urn.replace(":", "%3A") for urn in (logo, cover, "urn:li:image:nothing"))
    body = (await call(browser, f"/rest/images?ids=List({asked})", token)).json()
    assert {urn: image["status"] for urn, image in body["results"].items()} == {logo: "AVAILABLE", cover: "AVAILABLE"}
    assert body["errors"]["urn:li:image:nothing"]["status"] == 403
    assert (await call(browser, f"/rest/images?ids=List({logo})", token)).status_code == 400, "colons of a list must be encoded"
    switch(world, LINKEDIN_PAGES_APP, development_tier=True)
    assert (await call(browser, f"/rest/images?ids=List({asked})", token)).status_code == 403
