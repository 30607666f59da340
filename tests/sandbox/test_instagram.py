"""The simulated Instagram Login keeps Instagram's own words and odd ways, whoever calls."""

import json
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from hitchpost_sandbox.apps import INSTAGRAM_APP
from hitchpost_sandbox.ledger import What
from tests.support.instagram import BACK, SCOPES, Outside

LONG = 5183944


async def test_the_way_back_carries_code_state_and_instagram_s_odd_fragment() -> None:
    location = (await Outside().authorize()).headers["location"]
    assert location.startswith(f"{BACK}?code=")
    assert location.endswith("&state=s#_")


@pytest.mark.parametrize(
    ("query", "words", "reason"),
    [
        ({"client_id": "902177000000001"}, "Invalid platform app", "unknown_client"),
        ({"redirect_uri": "https://elsewhere.example/"}, "Invalid redirect_uri", "redirect_uri"),
        ({"scope": "instagram_basic"}, "Invalid scope: instagram_basic", "scope"),
        ({"response_type": ""}, "Invalid response_type", "response_type"),
    ],
)
async def test_a_wrong_request_is_told_to_the_person_and_sent_nowhere(query: dict[str, str], words: str, reason: str) -> None:
    outside = Outside()
    answer = await outside.authorize(**query)
    assert answer.status_code == 400
    assert words in answer.text
    assert outside.world.ledger.count(What.AUTHORIZE_REFUSED, reason=reason) == 1


async def test_who_is_not_a_tester_never_comes_back() -> None:
    outside = Outside(testers="harbour.cafe")
    assert "Insufficient developer role" in (await outside.authorize()).text
    assert (await outside.authorize(person="ben")).status_code == 302


async def test_only_people_with_an_account_are_offered() -> None:
    asked = urlencode({"client_id": INSTAGRAM_APP.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES})
    page = (await Outside().http.get(f"/www.instagram.com/oauth/authorize?{asked}")).text
    assert "@lantern.bakery" in page
    assert "Noor" not in page


async def test_a_code_gives_a_token_of_an_hour_a_big_number_and_a_list() -> None:
    outside = Outside()
    body = (await outside.redeem(await outside.code())).json()
    assert set(body) == {"access_token", "user_id", "permissions"}
    assert isinstance(body["user_id"], int)
    assert body["user_id"] > 2**53
    assert body["permissions"] == SCOPES.split(",")
    outside.world.clock.forward(timedelta(hours=1))
    assert (await outside.me(body["access_token"])).json()["error"]["error_subcode"] == 463


async def test_the_documented_shape_is_a_switch() -> None:
    outside = Outside(wrapped_answers=True)
    (body,) = (await outside.redeem(await outside.code())).json()["data"]
    assert (isinstance(body["user_id"], str), body["permissions"]) == (True, SCOPES)
    assert (await outside.me(body["access_token"])).json()["data"][0]["username"] == "lantern.bakery"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"client_id": "902177000000001"}, "Invalid platform app"),
        ({"code": "AQgarbage"}, "Matching code was not found or was already used"),
        ({"redirect_uri": BACK + "/"}, "Error validating verification code."),
        ({"client_secret": "wrong"}, "Error validating client secret."),
    ],
)
async def test_each_wrong_field_has_its_words_in_a_shape_of_its_own(given: dict[str, str], words: str) -> None:
    outside = Outside()
    answer = await outside.redeem(**{"code": await outside.code(), **given})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error_type", "code", "error_message"}
    assert answer.json()["error_message"].startswith(words)


async def test_a_code_works_once_and_for_an_hour() -> None:
    outside = Outside()
    used, old = await outside.code(), await outside.code()
    await outside.redeem(used)
    assert (await outside.redeem(used)).json()["error_message"] == "This authorization code has been used"
    outside.world.clock.forward(timedelta(hours=1))
    assert (await outside.redeem(old)).json()["error_message"] == "Matching code was not found or was already used"


async def test_a_short_token_is_exchanged_for_sixty_days_with_the_secret() -> None:
    outside = Outside()
    short = await outside.short()
    assert (await outside.longer(short, client_secret="wrong")).json()["error"]["code"] == 1
    assert (await outside.longer(short, grant_type="other")).json()["error"]["type"] == "IGApiException"
    body = (await outside.longer(short)).json()
    assert (body["token_type"], body["expires_in"]) == ("bearer", LONG)
    assert body["access_token"].startswith("IGAA")


async def test_a_long_token_is_renewed_from_its_second_day_to_its_last() -> None:
    outside = Outside()
    long = (await outside.longer(await outside.short())).json()["access_token"]
    assert (await outside.renew(long)).status_code == 400
    outside.world.clock.forward(timedelta(hours=25))
    assert (await outside.renew(long)).json()["expires_in"] == LONG
    outside.world.clock.forward(timedelta(days=60))
    assert (await outside.renew(long)).json()["error"]["error_subcode"] == 463


async def test_the_profile_has_an_id_for_the_app_and_one_for_the_world() -> None:
    outside = Outside()
    token = await outside.short()
    body = (await outside.me(token)).json()
    assert (body["user_id"], body["account_type"]) == ("17841400000000101", "BUSINESS")
    assert body["id"] != body["user_id"]
    assert set((await outside.me(token, fields="")).json()) == {"id"}
    by_id = await outside.http.get("/graph.instagram.com/v25.0/17841400000000101", headers={"authorization": f"Bearer {token}"})
    assert by_id.json() == {"id": body["id"]}


async def test_a_personal_account_is_not_eligible() -> None:
    outside = Outside()
    token = await outside.short("piet")
    for answer in (await outside.me(token), await outside.longer(token)):
        said = answer.json()["error"]
        assert (answer.status_code, said["code"], said["type"]) == (400, 100, "IGApiException")
        assert said["message"] == "Unsupported request - method type: get"


async def test_a_token_of_facebook_cannot_be_parsed_and_debug_token_is_out_of_service() -> None:
    outside = Outside()
    answer = await outside.me("EAAxyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)
    answer = await outside.http.get("/graph.instagram.com/v25.0/debug_token")
    assert answer.json()["error"]["message"] == "(#2) Service temporarily unavailable"


async def test_who_is_signed_in_comes_first_unless_force_reauth_asks_again() -> None:
    outside = Outside()
    await outside.authorize(person="ben")
    asked = {"client_id": outside.app.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES}
    address = f"/www.instagram.com/oauth/authorize?{urlencode(asked)}"
    assert "You are signed in as <bdi>Ben Harbour</bdi>" in (await outside.http.get(address)).text
    assert (await outside.http.post(address, data={"decision": "allow"})).status_code == 302
    assert outside.world.ledger.count(What.CODE_ISSUED, person="ben") == 2
    assert "Sign in again" in (await outside.http.get(f"{address}&force_reauth=true")).text
    assert (await outside.http.post(f"{address}&force_reauth=true", data={"decision": "allow"})).status_code == 400
    assert (await outside.http.post(f"{address}&force_reauth=true", data={"person": "ada", "decision": "allow"})).status_code == 302


@pytest.mark.parametrize("host", ["www.instagram.com", "api.instagram.com"])
@pytest.mark.parametrize("slash", ["", "/"])
async def test_the_login_stands_at_every_address_that_clients_use(host: str, slash: str) -> None:
    asked = {"client_id": INSTAGRAM_APP.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES, "enable_fb_login": "0"}
    outside = Outside()
    assert (await outside.http.get(f"/{host}/oauth/authorize{slash}?{urlencode(asked)}")).status_code == 200
    form = {"client_id": INSTAGRAM_APP.client_id, "client_secret": "wrong", "grant_type": "authorization_code"}
    assert (await outside.http.post(f"/api.instagram.com/oauth/access_token{slash}", data=form)).json()["code"] == 400


async def test_a_login_without_a_scope_stops() -> None:
    assert "Invalid scope" in (await Outside().authorize(scope="")).text


async def test_http_can_be_refused_as_real_apps_meet_it() -> None:
    assert "Invalid redirect_uri" in (await Outside(https_redirects=True).authorize()).text


async def test_who_is_not_a_tester_may_also_be_sent_back() -> None:
    address = urlsplit((await Outside(testers="harbour.cafe", tester_refusal=True).authorize()).headers["location"])
    said = dict(parse_qsl(address.query))
    assert (said["error"], said["error_description"], said["state"]) == ("access_denied", "Insufficient developer role", "s")


async def test_a_personal_account_may_never_come_back() -> None:
    outside = Outside(personal_refused=True)
    assert (await outside.authorize(person="piet")).status_code == 400
    assert (await outside.authorize(person="ada")).status_code == 302


async def test_tokens_are_read_from_the_header_at_the_token_endpoints_too() -> None:
    outside = Outside(refresh_permissions=True)
    query = {"grant_type": "ig_exchange_token", "client_secret": outside.app.client_secret, "client_id": outside.app.client_id}
    headers = {"authorization": f"Bearer {await outside.short()}"}
    long = (await outside.http.get("/graph.instagram.com/access_token", params=query, headers=headers)).json()["access_token"]
    outside.world.clock.forward(timedelta(days=2))
    headers = {"authorization": f"Bearer {long}"}
    answer = await outside.http.get("/graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token", headers=headers)
    assert (answer.json()["expires_in"], answer.json()["permissions"]) == (LONG, SCOPES)


async def test_the_kind_of_account_may_be_spelled_as_documented() -> None:
    outside = Outside(documented_types=True)
    kinds = {person: (await outside.me(await outside.short(person))).json()["account_type"] for person in ("ada", "cleo")}
    assert kinds == {"ada": "Business", "cleo": "Media_Creator"}


async def test_every_field_of_the_account_can_be_asked_for() -> None:
    outside = Outside()
    fields = "id,user_id,username,name,account_type,profile_picture_url,followers_count,follows_count,media_count,biography,website"
    body = (await outside.me(await outside.short(), fields)).json()
    assert set(fields.split(",")) - set(body) == {"biography", "website"}


async def test_the_account_s_calls_are_counted_and_then_refused() -> None:
    outside = Outside(calls_an_hour=2, errors_of_instagram=True)
    token = await outside.short()
    answers = [await outside.me(token) for _ in range(3)]
    usage = [json.loads(one.headers["x-business-use-case-usage"])["17841400000000101"][0] for one in answers]
    assert [(one["type"], one["call_count"]) for one in usage] == [("instagram", 50), ("instagram", 100), ("instagram", 100)]
    said = answers[-1].json()["error"]
    assert (said["code"], said["type"]) == (80002, "IGApiException")
