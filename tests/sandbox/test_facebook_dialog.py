"""Every way that Facebook's dialog can be asked and can send people back: tokens, scopes, configurations, onboarding, odd refusals."""

import json
from datetime import timedelta
from urllib.parse import urlencode

import httpx2
import pytest

from hitchpost_sandbox.apps import META_APP
from hitchpost_sandbox.ledger import What
from tests.support.facebook import APP_TOKEN, BACK, BAKERY, BOOKS, SCOPES, Outside, error

SYSTEM, SIXTY_DAYS, PERSON = "33", "34", "35"
CONFIGURED = (
    f"{SYSTEM}=system_user: pages_show_list business_management; {SIXTY_DAYS}=system_user_60_days: pages_show_list; "
    f"{PERSON} = user : pages_show_list, email"
)
ONBOARDING = json.dumps({"setup": {"channel": "IG_API_ONBOARDING"}})


async def test_a_token_comes_in_the_fragment_and_never_in_the_query() -> None:
    outside = Outside()
    query, fragment = await outside.sent_back(response_type="token")
    assert query == {}
    assert set(fragment) == {"access_token", "data_access_expiration_time", "expires_in", "state"}
    assert (await outside.get("/v25.0/me", fragment["access_token"])).status_code == 200


@pytest.mark.parametrize("asked", ["code token", "code,token", "token code"])
async def test_code_and_token_come_together_in_the_fragment(asked: str) -> None:
    outside = Outside()
    query, fragment = await outside.sent_back(response_type=asked)
    assert query == {}
    assert (await outside.redeem(fragment["code"])).status_code == 200
    assert (await outside.get("/v25.0/me", fragment["access_token"])).status_code == 200


@pytest.mark.parametrize(
    ("asked", "place"),
    [
        ({"return_scopes": "true"}, 0),
        ({"response_type": "code granted_scopes"}, 0),
        ({"response_type": "token,granted_scopes"}, 1),
    ],
)
async def test_what_was_granted_and_declined_comes_back_when_it_is_asked_for(asked: dict[str, str], place: int) -> None:
    said = (await Outside().sent_back(ticked="pages_show_list,instagram_basic", **asked))[place]
    assert said["granted_scopes"] == "public_profile,pages_show_list,instagram_basic"
    assert said["denied_scopes"] == "business_management,pages_manage_posts"
    assert "granted_scopes" not in (await Outside().sent_back())[0]


async def test_a_configuration_stands_for_scopes_and_is_granted_whole_or_not_at_all() -> None:
    outside = Outside(configurations=CONFIGURED)
    query, _ = await outside.sent_back(scope="", config_id=PERSON)
    token = (await outside.redeem(query["code"])).json()
    assert token["expires_in"] == 5179
    granted = {one["permission"] for one in (await outside.get("/v25.0/me/permissions", token["access_token"])).json()["data"]}
    assert granted == {"public_profile", "pages_show_list", "email"}
    query, _ = await outside.sent_back(scope="", config_id=PERSON, ticked="email")
    assert (query["error"], query["error_reason"]) == ("access_denied", "user_denied")
    whole, _ = await Outside(business_login=True).sent_back(ticked="pages_show_list")
    assert whole["error"] == "access_denied"


@pytest.mark.parametrize("config_id", ["1", "", "36"])
async def test_a_configuration_of_nobody_is_an_error_page(config_id: str) -> None:
    outside = Outside(configurations=CONFIGURED)
    answer = await outside.dialog(config_id=config_id, scope="email")
    assert (answer.status_code, outside.world.ledger.count(What.AUTHORIZE_REFUSED, reason="config_id")) == (
        (302, 0) if not config_id else (400, 1)
    )


async def business_token(outside: Outside, config_id: str = SYSTEM, **more: str) -> httpx2.Response:
    """The documented exchange of a system user's code: without redirect_uri."""
    query, _ = await outside.sent_back(scope="", config_id=config_id, response_type="code", override_default_response_type="true")
    given = {"client_id": outside.app.client_id, "client_secret": outside.app.client_secret, "code": query["code"]}
    return await outside.http.get("/graph.facebook.com/v25.0/oauth/access_token", params=given | more)


async def test_a_system_user_s_token_has_no_date_and_acts_for_the_business() -> None:
    outside = Outside(configurations=CONFIGURED)
    body = (await business_token(outside, redirect_uri=BACK)).json()
    assert set(body) == {"access_token", "token_type"}
    token = (await business_token(outside)).json()["access_token"]
    said = await outside.debug(token)
    assert (said["type"], said["expires_at"], said["app_id"]) == ("SYSTEM_USER", 0, META_APP.client_id)
    me = (await outside.get("/v25.0/me", token, fields="id,name,client_business_id")).json()
    assert me["id"] == said["user_id"] != (await outside.get("/v25.0/me", await outside.token())).json()["id"]
    assert me["client_business_id"] == "201990000000011"
    (page, *_) = (await outside.get("/v25.0/me/assigned_pages", token)).json()["data"]
    assert (await outside.debug(page["access_token"]))["expires_at"] == 0
    outside.world.clock.forward(timedelta(days=400))
    assert (await outside.get("/v25.0/me", page["access_token"])).json()["id"] == BAKERY


async def test_a_system_user_s_token_of_sixty_days_is_exchanged_for_another_one() -> None:
    outside = Outside(configurations=CONFIGURED)
    body = (await business_token(outside, SIXTY_DAYS)).json()
    assert body["expires_in"] == 60 * 86400
    asked = {"grant_type": "fb_exchange_token", "fb_exchange_token": body["access_token"]}
    assert (await outside.redeem("", **asked, set_token_expires_in_60_days="true")).json()["expires_in"] == 60 * 86400
    assert "expires_in" not in (await outside.redeem("", **asked)).json()


async def test_what_befalls_a_person_does_not_end_the_business_s_token() -> None:
    outside = Outside(configurations=CONFIGURED)
    person, business = await outside.token(), (await business_token(outside)).json()["access_token"]
    turn = {"network": "facebook", "turn": "password_changed", "person": "ada"}
    assert (await outside.http.post("/_sandbox/turns", json=turn)).status_code == 204
    assert error(await outside.get("/v25.0/me", person))["error_subcode"] == 460
    assert (await outside.get("/v25.0/me", business)).status_code == 200
    own = {"authorization": f"Bearer {business}"}
    assert (await outside.http.delete("/graph.facebook.com/v25.0/me/permissions", headers=own)).json() == {"success": True}
    assert error(await outside.get("/v25.0/me", business))["error_subcode"] == 458
    assert (await outside.get("/v25.0/me", await outside.token())).status_code == 200


async def test_who_unticks_everything_has_no_targets_and_not_all_of_them() -> None:
    outside = Outside()
    query = urlencode({"client_id": META_APP.client_id, "redirect_uri": BACK, "state": "s", "scope": SCOPES})
    form = {"person": "ada", "decision": "allow", "shown": "target", "target": [f"page:{BOOKS}"]}
    answer = await outside.http.post(f"/www.facebook.com/dialog/oauth?{query}", data=form)
    token = (await outside.redeem(answer.headers["location"].partition("code=")[2].partition("&")[0])).json()["access_token"]
    scopes = {one["scope"]: one.get("target_ids") for one in (await outside.debug(token))["granular_scopes"]}
    assert scopes == {"pages_show_list": [BOOKS], "business_management": [], "pages_manage_posts": [BOOKS], "instagram_basic": []}


@pytest.mark.parametrize("short_only", [False, True])
async def test_onboarding_makes_the_account_professional_and_gives_the_long_token_too(*, short_only: bool) -> None:
    outside = Outside(onboarding_short_only=short_only)
    asked = {
        "person": "piet",
        "response_type": "token",
        "display": "page",
        "extras": ONBOARDING,
        "scope": "pages_show_list,instagram_basic",
    }
    _, fragment = await outside.sent_back(**asked)
    token = fragment["access_token" if short_only else "long_lived_token"]
    assert ("long_lived_token" in fragment) is not short_only
    fields = "instagram_business_account{username}"
    (page,) = (await outside.get("/v25.0/me/accounts", token, fields=fields)).json()["data"]
    assert page["instagram_business_account"]["username"] == "pietfietst"


async def test_onboarding_wants_all_its_parameters() -> None:
    outside = Outside()
    assert (await outside.dialog(extras=ONBOARDING)).status_code == 400
    assert (await outside.dialog(extras="{not json")).status_code == 302
    assert outside.world.ledger.count(What.AUTHORIZE_REFUSED, reason="extras") == 1


async def test_who_is_signed_in_comes_first_unless_the_app_wants_the_password_again() -> None:
    outside = Outside()
    await outside.dialog(person="ben")
    asked = {"client_id": META_APP.client_id, "redirect_uri": BACK, "state": "s", "scope": "email"}
    address = f"/www.facebook.com/v25.0/dialog/oauth?{urlencode(asked)}"
    page = (await outside.http.get(address)).text
    assert "You are signed in as <bdi>Ben Harbour</bdi>" in page
    assert page.count(" required checked") == page.count('value="ben" required checked') == 1
    assert page.index('value="ben" required') < page.index('value="ada" required')
    assert (await outside.http.post(address, data={"decision": "allow"})).status_code == 302
    assert outside.world.ledger.count(What.CODE_ISSUED, person="ben") == 2
    again = await outside.http.get(f"{address}&auth_type=reauthenticate&auth_nonce=n1")
    assert "Sign in again" in again.text
    assert " checked>" not in again.text.partition("</fieldset>")[0]
    assert (await outside.http.post(f"{address}&auth_type=reauthenticate", data={"decision": "allow"})).status_code == 400


async def test_how_the_app_asked_stands_in_debug_token() -> None:
    outside = Outside()
    token = await outside.token(auth_type="reauthenticate", auth_nonce="n1")
    assert (await outside.debug(token))["metadata"] == {"auth_type": "reauthenticate", "auth_nonce": "n1"}
    assert "metadata" not in await outside.debug(await outside.token())


async def test_people_with_a_role_pass_an_app_in_development_and_others_may_meet_a_page() -> None:
    outside = Outside(development_mode=True, app_roles="ada, cleo")
    assert "code" in (await outside.sent_back())[0]
    assert (await outside.sent_back(person="ben"))[0]["error_code"] == "200"
    strict = Outside(development_mode=True, development_page=True)
    assert (await strict.dialog()).status_code == 400
    assert strict.world.ledger.count(What.AUTHORIZE_REFUSED, reason="no_role") == 1


async def test_a_refusal_may_hold_the_documented_fields_alone() -> None:
    query, fragment = await Outside(documented_refusal=True).sent_back(decision="deny")
    assert query == {"error": "access_denied", "error_reason": "user_denied", "error_description": "Permissions error.", "state": "s"}
    assert fragment == {"_": "_"}


async def test_the_way_back_may_lose_its_query_or_bring_another_state() -> None:
    lost = Outside(empty_answers=True)
    assert (await lost.dialog()).headers["location"] == BACK
    assert lost.world.ledger.count(What.CODE_ISSUED) == 0
    altered = Outside(altered_state=True)
    assert (await altered.sent_back())[0]["state"] == "s-altered"
    assert (await altered.sent_back(response_type="token"))[1]["state"] == "s-altered"


@pytest.mark.parametrize("path", ["/dialog/oauth", "/dialog/oauth/", "/v26.0/dialog/oauth/", "/v3.1/dialog/oauth"])
@pytest.mark.parametrize("host", ["www.facebook.com", "m.facebook.com"])
async def test_the_dialog_stands_at_every_address_that_clients_use(host: str, path: str) -> None:
    query = urlencode({"client_id": META_APP.client_id, "redirect_uri": BACK, "display": "popup"})
    page = await Outside().http.get(f"/{host}{path}?{query}")
    assert (page.status_code, 'name="decision"' in page.text) == (200, True)


async def test_a_code_lives_as_long_as_the_app_s_switch_says() -> None:
    outside = Outside(code_minutes=1)
    code = await outside.code()
    outside.world.clock.forward(timedelta(seconds=61))
    assert error(await outside.redeem(code))["error_subcode"] == 36007
    bare = Outside(bare_code_errors=True)
    assert "error_subcode" not in error(await bare.redeem(await bare.code(), redirect_uri=BACK + "/"))


async def test_debug_token_takes_the_token_of_somebody_with_a_role() -> None:
    outside = Outside(app_roles="ada")
    ada, ben = await outside.token(), await outside.token(person="ben")
    assert (await outside.debug(ben, asking=ada))["is_valid"] is True
    assert error(await outside.get("/v25.0/debug_token", input_token=ada, access_token=ben))["code"] == 100
    assert (await outside.debug(APP_TOKEN))["type"] == "APP"
