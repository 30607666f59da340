"""LinkedIn's API in its twin: who a member is, and what is asked at its door."""

from datetime import timedelta

import httpx2

from hitchpost_sandbox.apps import LINKEDIN_ALL_APP, LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, App
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.sandbox.at_linkedin import API, MEMBER, PAGES, WWW, about, call, granted, switch

# Members.


async def test_userinfo_has_a_locale_object_an_expiring_picture_and_perhaps_an_address(browser: httpx2.AsyncClient, world: World) -> None:
    ada = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"])).json()
    assert (ada["name"], ada["locale"]) == ("Ada Lantern", {"country": "US", "language": "en"})
    assert ada["email"] == "ada@lantern.example"
    at = ada["picture"].removeprefix("https:/")
    assert (await browser.get(at)).headers["content-type"] == "image/png"
    cleo = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER, "cleo"))["access_token"])).json()
    assert "email" not in cleo
    app = switch(world, LINKEDIN_MEMBER_APP, locale_text=True)
    text = (await call(browser, "/v2/userinfo", (await granted(browser, app, MEMBER))["access_token"])).json()
    assert text["locale"] == "en-US"
    world.clock.forward(timedelta(days=30))
    assert (await browser.get(at)).status_code == 403


async def test_a_person_has_another_id_under_every_app(browser: httpx2.AsyncClient) -> None:
    info = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"])).json()
    me = (await call(browser, "/v2/me", (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"])).json()
    assert (me["localizedFirstName"], me["vanityName"]) == ("Ada", "ada-lantern")
    assert info["sub"] != me["id"]
    assert "picture" not in me


async def test_each_shape_of_app_has_its_own_way_to_say_who_it_is(browser: httpx2.AsyncClient) -> None:
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    answer = await call(browser, "/v2/me", member)
    said = {"status": 403, "serviceErrorCode": 100, "message": "Not enough permissions to access: me.GET.NO_VERSION"}
    assert (answer.status_code, answer.json()) == (403, said)
    pages = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await call(browser, "/v2/userinfo", pages)).status_code == 403
    both = (await granted(browser, LINKEDIN_ALL_APP, f"openid profile {PAGES}"))["access_token"]
    assert (await call(browser, "/v2/me", both)).json()["id"] == (await call(browser, "/v2/userinfo", both)).json()["sub"]


# The API's door.


async def test_tokens_are_refused_by_number(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await browser.get(f"{API}/v2/me")).json()["serviceErrorCode"] == 65604
    assert (await call(browser, "/v2/me", "AQXnothing")).json()["code"] == "INVALID_ACCESS_TOKEN"
    assert (await browser.get(f"{API}/v2/me?oauth2_access_token={token}")).status_code == 200, "older clients send it so"
    world.clock.forward(timedelta(days=60))
    assert (await call(browser, "/v2/me", token)).json()["serviceErrorCode"] == 65602


async def test_a_fresh_token_may_be_called_revoked_for_some_seconds(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, settles_after=8)
    token = (await granted(browser, app, MEMBER))["access_token"]
    assert (await call(browser, "/v2/userinfo", token)).json()["serviceErrorCode"] == 65601
    assert (await about(browser, app, "introspectToken", token)).json()["active"] is True
    world.clock.forward(timedelta(seconds=8))
    assert (await call(browser, "/v2/userinfo", token)).status_code == 200


async def test_versions_are_demanded_and_end_by_the_sandboxs_clock(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, refresh_tokens=True, closed_versions="202605,202606")
    token = (await granted(browser, app, PAGES))["access_token"]
    acls = "/rest/organizationAcls?q=roleAssignee"
    missing = await browser.get(API + acls, headers={"authorization": f"Bearer {token}"})
    assert (missing.status_code, missing.json()["code"]) == (400, "VERSION_MISSING")
    for version, status in {"202601": 200, "202609": 200, "202511": 426, "202512": 426, "203001": 426, "202605": 426}.items():
        assert (await call(browser, acls, token, version)).status_code == status, version
    closed = (await call(browser, acls, token, "202511")).json()
    assert closed == {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 20251101 is not active"}
    world.clock.forward(timedelta(days=53))
    assert (await call(browser, acls, token, "202601")).status_code == 426
    assert (await call(browser, "/v2/me", token, "202601")).status_code == 200, "the old API ignores versions"


async def test_the_development_tier_has_quotas_until_midnight_and_no_batches(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, development_tier=True, member_calls=2)
    token = (await granted(browser, app, PAGES))["access_token"]
    batch = await call(browser, "/rest/organizationsLookup?ids=List(7700101)", token)
    assert (batch.status_code, batch.json()["message"]) == (403, "Not enough permissions to access: organizationsLookup.BATCH_GET.20260901")
    assert (await call(browser, "/rest/me", token)).status_code == 200
    spent = await call(browser, "/rest/me", token)
    assert (spent.status_code, spent.json()["serviceErrorCode"], spent.json()["code"]) == (429, 101, "TOO_MANY_REQUESTS")
    assert "MEMBER DAY" in spent.json()["message"]
    assert "retry-after" not in spent.headers
    world.clock.forward(timedelta(hours=15))
    assert (await call(browser, "/rest/me", token)).status_code == 200


async def test_an_unknown_path_is_json_at_the_api_and_a_page_elsewhere(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get(f"{API}/v2/nothing")).json()["code"] == "RESOURCE_NOT_FOUND"
    page = await browser.get(f"{WWW}/in/nobody")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


async def test_a_post_is_taken_for_the_get_that_it_carries(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    headers = {"authorization": f"Bearer {token}", "linkedin-version": "202609", "content-type": "application/x-www-form-urlencoded"}
    tunnel = headers | {"x-http-method-override": "GET"}
    asked = f"ids=List(7700103,{','.join(str(10**9 + number) for number in range(500))})"
    long = await browser.get(f"{API}/rest/organizationsLookup?{asked}", headers=headers)
    assert (long.status_code, long.json()["status"]) == (414, 414)
    body = (await browser.post(f"{API}/rest/organizationsLookup", content=asked, headers=tunnel)).json()
    assert list(body["results"]) == ["7700103"]
    assert len(body["errors"]) == 500
    # A fault script looks into the body before, and the body is still read as it was written.
    world.faults.add(Fault("403", where={"q": "roleAssignee"}))
    assert (await browser.post(f"{API}/rest/organizationsLookup", content="ids=List(7700103)", headers=tunnel)).status_code == 200
    wrong = await browser.post(f"{API}/rest/organizationsLookup", content="ids=List%287700103%29", headers=tunnel)
    assert wrong.status_code == 400
    both = await browser.post(f"{API}/rest/organizationAcls?q=roleAssignee", content="count=1", headers=tunnel)
    assert both.status_code == 403, "the fault meets it"
    both = await browser.post(f"{API}/rest/organizationAcls?q=roleAssignee", content="count=1", headers=tunnel)
    assert len(both.json()["elements"]) == 1
    assert world.ledger.read(network="linkedin", what=What.CALL)[-1].person == "ada"
    assert (await browser.post(f"{API}/rest/me", content="", headers=headers)).status_code == 405
    json = tunnel | {"content-type": "application/json"}
    assert (await browser.post(f"{API}/rest/me", content="{}", headers=json)).status_code == 415


async def test_the_protocols_headers_are_judged(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]

    async def asked(path: str, **headers: str) -> int:
        said = {"authorization": f"Bearer {token}", "linkedin-version": "202609"} | {k.replace("_", "-"): v for k, v in headers.items()}
        return (await browser.get(f"{API}/rest/{path}", headers=said)).status_code

    lookup = "organizationsLookup?ids="
    for version, new, old in ((None, 200, 200), ("2.0.0", 200, 400), ("1.0.0", 400, 200), ("3.0.0", 400, 400)):
        said = {} if version is None else {"x_restli_protocol_version": version}
        assert await asked(f"{lookup}List(7700101,7700103)", **said) == new, version
        assert await asked(f"{lookup}7700101&ids=7700103", **said) == old, version
    assert await asked(f"{lookup}List(7700101)", x_restli_method="BATCH_GET") == 200
    assert await asked(f"{lookup}List(7700101)", x_restli_method="FINDER") == 400
    assert await asked("organizationAcls?q=roleAssignee", x_restli_method="finder") == 200
    assert await asked("organizations/7700101", x_restli_method="GET") == 200
    switch(world, LINKEDIN_PAGES_APP, strict_protocol=True)
    assert await asked(f"{lookup}List(7700101)") == 400
    assert await asked(f"{lookup}7700101") == 200
    assert await asked(f"{lookup}List(7700101)", x_restli_protocol_version="2.0.0") == 200


async def test_every_answer_carries_what_support_asks_for(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    answers = [await call(browser, "/rest/me", token), await call(browser, "/rest/me", "AQXnothing"), await call(browser, "/v2/no", token)]
    names = ("x-li-uuid", "x-li-request-id", "x-li-fabric", "x-restli-protocol-version")
    assert all(answer.headers[name] for answer in answers for name in names)
    assert len({answer.headers["x-li-uuid"] for answer in answers}) == 3


async def test_another_method_is_refused_as_json(browser: httpx2.AsyncClient) -> None:
    answer = await browser.delete(f"{API}/rest/organizations/7700101")
    assert (answer.status_code, answer.json()["status"], answer.headers["allow"]) == (405, 405, "GET")
    assert (await browser.post(f"{API}/v2/userinfo")).status_code == 405
    assert (await browser.put(f"{API}/v2/nothing")).status_code == 404


async def test_me_is_shown_as_far_as_is_asked(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert set((await call(browser, "/v2/me?fields=id,vanityName", token)).json()) == {"id", "vanityName"}
    asked = "(id,firstName,profilePicture(displayImage~:playableStreams))"
    body = (await call(browser, f"/v2/me?projection={asked}", token)).json()
    assert body["firstName"]["localized"] == {"en_US": "Ada"}
    assert "lastName" not in body
    image = body["profilePicture"]["displayImage~"]["elements"][-1]
    assert image["data"]["com.linkedin.digitalmedia.mediaartifact.StillImage"]["displaySize"]["width"] == 400
    assert body["profilePicture"]["displayImage"].startswith("urn:li:digitalmediaAsset:")
    assert (await call(browser, "/rest/me?projection=(id)", token)).json()["code"] == "QUERY_PARAM_NOT_ALLOWED"


async def test_an_app_from_before_openid_connect_reads_less_of_me_and_the_address(browser: httpx2.AsyncClient, world: World) -> None:
    app = App("linkedin", "75fromlongago", "secret", scopes=frozenset({"r_liteprofile", "r_emailaddress"}))
    world.register(app)
    finder = "/v2/emailAddress?q=members&projection=(elements*(handle~))"
    token = (await granted(browser, app, "r_liteprofile r_emailaddress"))["access_token"]
    (row,) = (await call(browser, finder, token)).json()["elements"]
    assert row["handle~"] == {"emailAddress": "ada@lantern.example"}
    assert "vanityName" not in (await call(browser, "/v2/me", token)).json()
    today = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    refused = (await call(browser, finder, today)).json()
    assert refused["message"] == "Not enough permissions to access: emailAddress.FINDER-members.NO_VERSION"
    cleo = (await granted(browser, app, "r_liteprofile r_emailaddress", "cleo"))["access_token"]
    assert (await call(browser, finder, cleo)).json()["elements"] == []


async def test_versions_that_nobody_knew_of_may_be_opened(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, open_versions="202610, 202611")
    token = (await granted(browser, app, PAGES))["access_token"]
    assert [(await call(browser, "/rest/me", token, version)).status_code for version in ("202610", "202611", "202612")] == [200, 200, 426]
