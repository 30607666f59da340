"""The simulated Graph answers what clients of every make ask: fields of all kinds, edges as fields, versions, tokens and usage."""

import json
from datetime import timedelta

import pytest

from hitchpost_sandbox.apps import META_APP, App
from hitchpost_sandbox.ledger import What
from tests.support.facebook import APP_TOKEN, ARCHIVE, BAKERY, BOOKS, EVENTS, Outside, error

GROUP = "201990000000011"
ELSEWHERE = App("meta", "902177000000077", "other")
# What the logins of well-known libraries ask of /me.
LIBRARIES = {
    "django-allauth": "id,email,name,first_name,last_name,verified,locale,timezone,link,gender,updated_time",
    "passport-facebook": "id,name,last_name,first_name,middle_name,gender,email,link,picture.type(large)",
    "social-core": "id,name,email,first_name,last_name,username",
    "socialite": "name,email,gender,verified,link",
}


@pytest.mark.parametrize("library", LIBRARIES)
async def test_people_have_every_field_that_logins_ask_for(library: str) -> None:
    outside = Outside()
    body = (await outside.get("/v25.0/me", await outside.token(scope="email"), fields=LIBRARIES[library])).json()
    assert (body["name"], body["email"]) == ("Ada Lantern", "ada@lantern.example")
    assert body.get("first_name", "Ada") == "Ada"
    assert "username" not in body


async def test_edges_can_be_asked_for_as_fields() -> None:
    outside = Outside()
    token = await outside.token()
    fields = "id,accounts.limit(2){id,name,access_token,instagram_business_account{username}},permissions,businesses{owned_pages{id,tasks}}"
    body = (await outside.get("/v25.0/me", token, fields=fields)).json()
    assert [page["id"] for page in body["accounts"]["data"]] == [BAKERY, BOOKS]
    assert body["accounts"]["data"][0]["instagram_business_account"]["username"] == "lantern.bakery"
    assert {"permission": "pages_show_list", "status": "granted"} in body["permissions"]["data"]
    assert [page["id"] for page in body["businesses"]["data"][0]["owned_pages"]["data"]] == [BAKERY, EVENTS]
    rest = (await outside.http.get(body["accounts"]["paging"]["next"])).json()
    assert [set(page) for page in rest["data"]] == [{"id", "name", "access_token"}]
    assert "next" not in rest["paging"]


async def test_an_edge_without_its_permission_or_without_anything_is_left_out_of_the_fields() -> None:
    outside = Outside()
    bare = (await outside.get("/v25.0/me", await outside.token(scope="email"), fields="id,accounts,businesses")).json()
    assert set(bare) == {"id"}
    empty = (await outside.get("/v25.0/me", await outside.token(person="noor"), fields="id,accounts")).json()
    assert set(empty) == {"id"}


async def test_pictures_come_in_the_size_and_shape_that_was_asked_for() -> None:
    outside = Outside()
    token = await outside.token()
    shapes = {
        "picture": (50, 50),
        "picture.type(large)": (200, 200),
        "picture.width(320)": (320, 320),
        "picture.width(9).height(7)": (9, 7),
    }
    for asked, size in shapes.items():
        data = (await outside.get("/v25.0/me", token, fields=asked)).json()["picture"]["data"]
        assert (data["width"], data["height"]) == size
    assert set((await outside.get("/v25.0/me", token, fields="picture{url}")).json()["picture"]["data"]) == {"url"}
    described = (await outside.get("/v25.0/me/picture", token, redirect="0", type="large")).json()["data"]
    assert described["width"] == 200
    shown = await outside.http.get("/graph.facebook.com/v25.0/me/picture", params={"access_token": token}, follow_redirects=True)
    assert shown.headers["content-type"] == "image/png"


async def test_a_page_read_alone_shows_name_and_id_and_any_field_by_name() -> None:
    outside = Outside()
    token = await outside.token()
    assert (await outside.get(f"/v25.0/{BAKERY}", token)).json() == {"name": "Lantern Bakery", "id": BAKERY}
    fields = "fan_count,followers_count,link,is_published,verification_status,business{name},category_list{name},about,temporary_status"
    page = (await outside.get(f"/v25.0/{BAKERY}", token, fields=fields)).json()
    assert page["business"] == {"name": "Lantern Group", "id": GROUP}
    assert page["category_list"] == [{"id": "2500", "name": "Bakery"}]
    assert (page["fan_count"], page["verification_status"], "about" in page) == (120, "not_verified", False)


@pytest.mark.parametrize("edge", ["assigned_pages", f"{GROUP}/pending_owned_pages", f"{GROUP}/pending_client_pages"])
async def test_lists_that_nobody_needs_are_there(edge: str) -> None:
    outside = Outside()
    address = f"/v25.0/{edge}" if "/" in edge else f"/v25.0/me/{edge}"
    ids = [page["id"] for page in (await outside.get(address, await outside.token(), fields="id")).json()["data"]]
    assert ids == ([BAKERY, BOOKS, ARCHIVE, EVENTS] if edge == "assigned_pages" else [])


async def test_an_edge_that_the_kind_of_object_does_not_have_is_named_with_the_kind() -> None:
    outside = Outside()
    user = await outside.token()
    page = (await outside.get(f"/v25.0/{BAKERY}", user, fields="access_token")).json()["access_token"]
    for address, token, words in (
        ("/v25.0/me/owned_pages", user, "(owned_pages) on node type (User)"),
        ("/v25.0/me/accounts", page, "(accounts) on node type (Page)"),
        (f"/v25.0/{GROUP}/accounts", user, "(accounts) on node type (Business)"),
    ):
        said = error(await outside.get(address, token))
        assert (said["code"], said["message"]) == (100, f"(#100) Tried accessing nonexisting field {words}")
    assert (await outside.get(f"/v25.0/{BAKERY}/instagram_accounts", user)).json() == {"data": []}


async def test_fields_that_are_no_fields_are_told_so_however_deep() -> None:
    outside = Outside()
    token = await outside.token()
    for broken in ("id,{name}", "accounts{id", "id}", "{id}", "id;name"):
        assert error(await outside.get("/v25.0/me", token, fields=broken))["code"] == 2500
    deep = "businesses{owned_pages{business{" * 9 + "id" + "}}}" * 9
    assert error(await outside.get("/v25.0/me", token, fields=deep))["code"] == 100
    assert outside.world.ledger.count(What.BROKEN) == 0


@pytest.mark.parametrize("carried", ["query", "form", "json", "post query"])
async def test_parameters_are_taken_from_wherever_they_come(carried: str) -> None:
    outside = Outside()
    given = {"client_id": META_APP.client_id, "client_secret": META_APP.client_secret, "grant_type": "client_credentials"}
    address = "/graph.facebook.com/v25.0/oauth/access_token"
    match carried:
        case "query":
            answer = await outside.http.get(address, params=given)
        case "form":
            answer = await outside.http.post(address, data=given)
        case "json":
            answer = await outside.http.post(address, json=given)
        case _:
            answer = await outside.http.post(address, params=given)
    assert answer.json() == {"access_token": APP_TOKEN, "token_type": "bearer"}


async def test_a_call_without_a_version_is_served_by_the_one_that_was_newest_when_the_app_was_made() -> None:
    fresh, old, gone = Outside(), Outside(made_with="v23.0"), Outside(made_with="v12.0")
    for outside, version in ((fresh, "v26.0"), (old, "v23.0"), (gone, "v21.0")):
        assert (await outside.get("/me", await outside.token())).headers["facebook-api-version"] == version


async def test_the_version_after_the_newest_is_a_switch() -> None:
    outside = Outside()
    assert error(await outside.get("/v27.0/me", await outside.token()))["code"] == 2500
    later = Outside(next_version=True)
    assert (await later.get("/v27.0/me", await later.token())).headers["facebook-api-version"] == "v27.0"


async def test_a_long_token_exchanged_again_may_keep_its_end() -> None:
    for keeps, left in ((False, 5183944), (True, 5183944 - 86400)):
        outside = Outside(exchange_keeps_end=keeps)
        long = await outside.token()
        outside.world.clock.forward(timedelta(days=1))
        assert (await outside.redeem("", grant_type="fb_exchange_token", fb_exchange_token=long)).json()["expires_in"] == left


async def test_a_permission_can_be_read_and_taken_back_by_post() -> None:
    outside = Outside()
    token = await outside.token()
    one = (await outside.get("/v25.0/me/permissions/pages_show_list", token)).json()["data"]
    assert one == [{"permission": "pages_show_list", "status": "granted"}]
    address = "/graph.facebook.com/v25.0/me/permissions/pages_show_list"
    answer = await outside.http.post(address, params={"access_token": token}, data={"method": "delete"})
    assert answer.json() == {"success": True}
    assert (await outside.get("/v25.0/me/permissions", token, status="declined")).json()["data"] == []
    assert (await outside.get("/v25.0/me/permissions/pages_show_list", token)).json()["data"] == []


async def test_a_page_s_calls_are_counted_for_the_page_and_a_person_s_for_the_app() -> None:
    outside = Outside(calls_an_hour=2)
    user = await outside.token()
    page = (await outside.get(f"/v25.0/{BAKERY}", user, fields="access_token")).json()["access_token"]
    answers = [await outside.get("/v25.0/me", page) for _ in range(3)]
    usage = [json.loads(one.headers["x-business-use-case-usage"])[BAKERY][0] for one in answers]
    assert [(one["type"], one["call_count"]) for one in usage] == [("pages", 50), ("pages", 100), ("pages", 100)]
    assert [one["estimated_time_to_regain_access"] for one in usage] == [0, 0, 12]
    assert error(answers[-1])["code"] == 80001
    assert json.loads((await outside.get("/v25.0/me", user)).headers["x-app-usage"])["call_count"] == 100


async def test_debug_token_of_another_app_and_in_its_other_spellings() -> None:
    outside = Outside(numeric_app_id=True, debug_error_subcode=True, plain_debug_token=True)
    token = await outside.token(long=False)
    said = await outside.debug(token)
    assert (said["app_id"], "issued_at" in said) == (int(META_APP.client_id), True)
    outside.world.register(ELSEWHERE)
    foreign = await outside.debug(token, asking=f"{ELSEWHERE.client_id}|other")
    assert (foreign["is_valid"], foreign["app_id"], foreign["error"]["code"]) == (False, int(META_APP.client_id), 100)
    outside.world.clock.forward(timedelta(hours=2))
    assert (await outside.debug(token))["error"]["error_subcode"] == 463
    assert error(await outside.get("/v25.0/debug_token", access_token=APP_TOKEN))["code"] == 100


async def test_statuses_may_all_be_400_and_transient_and_blocked_calls_say_so() -> None:
    outside = Outside(errors_400=True)
    token = await outside.token(scope="email")
    assert (await outside.get("/v25.0/me/accounts", token)).status_code == 400
    plain = Outside()
    assert (await plain.get("/v25.0/me/accounts", await plain.token(scope="email"))).status_code == 403
    for word, key in (("server_error", "is_transient"), ("368", "error_user_title")):
        await plain.http.post("/_sandbox/faults", json={"does": word, "network": "facebook"})
        assert error(await plain.get("/v25.0/me"))[key]
