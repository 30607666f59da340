"""LinkedIn's token endpoints in its twin: exchange, renewal, introspection, revocation, also where LinkedIn is odd, strict or silent."""

from datetime import timedelta
from urllib.parse import urlencode

import httpx2

from hitchpost_sandbox.apps import LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP
from hitchpost_sandbox.networks.linkedin import TWIN
from hitchpost_sandbox.turns import Befallen
from hitchpost_sandbox.world import World
from tests.sandbox.at_linkedin import (
    BACK,
    MEMBER,
    PAGES,
    WWW,
    about,
    call,
    consent,
    granted,
    redeem,
    switch,
)


async def test_the_token_answer_has_commas_and_a_second_less_than_sixty_days(browser: httpx2.AsyncClient, world: World) -> None:
    body = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert body["expires_in"] == 5183999
    assert len(body["access_token"]) > 300
    assert "refresh_token" not in body
    app = switch(world, LINKEDIN_MEMBER_APP, space_scopes=True)
    assert (await granted(browser, app, MEMBER))["scope"] == "email openid profile w_member_social"


async def test_a_code_works_once_for_thirty_minutes_at_one_address(browser: httpx2.AsyncClient, world: World) -> None:
    code = await consent(browser, LINKEDIN_MEMBER_APP, MEMBER)
    other = await redeem(browser, LINKEDIN_MEMBER_APP, code, redirect_uri=BACK + "/")
    assert (other.status_code, other.json()["error"]) == (400, "invalid_redirect_uri")
    assert (await redeem(browser, LINKEDIN_MEMBER_APP, code)).status_code == 200
    again = await redeem(browser, LINKEDIN_MEMBER_APP, code)
    said = "Unable to retrieve access token: authorization code not found"
    assert (again.status_code, again.json()) == (401, {"error": "invalid_request", "error_description": said})
    late = await consent(browser, LINKEDIN_MEMBER_APP, MEMBER)
    world.clock.forward(timedelta(minutes=30))
    assert (await redeem(browser, LINKEDIN_MEMBER_APP, late)).json()["error"] == "invalid_redirect_uri"
    app = switch(world, LINKEDIN_MEMBER_APP, old_code_words=True)
    assert (await redeem(browser, app, late)).json()["error"] == "invalid_request"


async def test_the_client_authenticates_in_the_body_only(browser: httpx2.AsyncClient, world: World) -> None:
    app = LINKEDIN_MEMBER_APP
    code = await consent(browser, app, MEMBER)
    wrong = await redeem(browser, app, code, client_secret="wrong")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client", "error_description": "Client authentication failed"})
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    basic = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form, auth=(app.client_id, app.client_secret))
    assert basic.status_code == 400
    assert basic.json()["error_description"] == 'A required parameter "client_id" is missing'
    assert (await redeem(browser, switch(world, app, verifier_breaks=True), code, code_verifier="v" * 43)).status_code == 401
    for name in ("grant_type", "code", "redirect_uri"):
        answer = await redeem(browser, app, code, **{name: ""})
        assert (answer.status_code, answer.json()["error_description"]) == (400, f'A required parameter "{name}" is missing')


async def test_another_scope_set_kills_the_earlier_tokens_of_the_pair_and_the_same_set_does_not(browser: httpx2.AsyncClient) -> None:
    first = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    bens = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER, "ben")
    await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert (await call(browser, "/v2/userinfo", first["access_token"])).status_code == 200
    await consent(browser, LINKEDIN_MEMBER_APP, "openid profile")
    answer = await call(browser, "/v2/userinfo", first["access_token"])
    assert (answer.status_code, answer.json()["serviceErrorCode"], answer.json()["code"]) == (401, 65601, "REVOKED_ACCESS_TOKEN")
    assert (await call(browser, "/v2/userinfo", bens["access_token"])).status_code == 200


async def test_a_refresh_token_stays_the_same_and_never_lives_beyond_its_year(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, refresh_tokens=True)
    first = await granted(browser, app, PAGES)
    world.clock.forward(timedelta(days=350))
    form = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    body = (await browser.post(f"{WWW}/oauth/v2/accessToken", data=form)).json()
    assert body["refresh_token"] == first["refresh_token"]
    assert body["refresh_token_expires_in"] == timedelta(days=15).total_seconds()
    assert body["expires_in"] == timedelta(days=15).total_seconds() - 1
    world.clock.forward(timedelta(days=15))
    late = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form)
    assert (late.status_code, late.json()["error"]) == (400, "invalid_request")
    missing = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form | {"refresh_token": ""})
    assert missing.json()["error_description"] == 'A required parameter "refresh_token" is missing'


async def test_introspection_tells_active_revoked_expired_and_nothing_about_another_clients_token(
    browser: httpx2.AsyncClient, world: World
) -> None:
    app, token = LINKEDIN_MEMBER_APP, (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    body = (await about(browser, app, "introspectToken", token)).json()
    assert (body["active"], body["status"], body["auth_type"]) == (True, "active", "3L")
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert (await about(browser, LINKEDIN_PAGES_APP, "introspectToken", token)).json() == {"active": False}
    assert (await about(browser, app, "introspectToken", token, client_secret="wrong")).status_code == 401
    assert (await about(browser, app, "introspectToken", token, client_id="77nobody")).status_code == 400
    assert (await about(browser, app, "introspectToken", "")).status_code == 400
    assert (await about(browser, app, "revoke", token)).status_code == 200
    assert (await about(browser, app, "introspectToken", token)).json() == {"active": False, "status": "revoked"}
    later = (await granted(browser, app, MEMBER))["access_token"]
    world.clock.forward(timedelta(days=60))
    assert (await about(browser, app, "introspectToken", later)).json() == {"active": False, "status": "expired"}
    bare = switch(world, app, bare_introspection=True)
    assert (await about(browser, bare, "introspectToken", later)).json() == {"active": False}


async def test_parameters_count_in_the_query_as_in_the_body(browser: httpx2.AsyncClient) -> None:
    app = LINKEDIN_MEMBER_APP
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "client_id": app.client_id, "client_secret": app.client_secret}
    in_query = urlencode(form | {"code": await consent(browser, app, MEMBER)})
    assert (await browser.post(f"{WWW}/oauth/v2/accessToken?{in_query}")).status_code == 200
    form["code"] = await consent(browser, app, MEMBER)
    assert (await browser.post(f"{WWW}/oauth/v2/accessToken?{urlencode(form)}", data=form)).status_code == 200


async def test_what_documents_and_live_answers_disagree_on_can_be_had_both_ways(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, whole_sixty_days=True, no_token_type=True, wordless_client_error=True)
    body = await granted(browser, app, MEMBER)
    assert body["expires_in"] == 5184000
    assert "token_type" not in body
    wrong = await redeem(browser, app, "AQnothing", client_secret="wrong")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client"})


async def test_an_app_has_no_tokens_of_its_own(browser: httpx2.AsyncClient) -> None:
    answer = await redeem(browser, LINKEDIN_MEMBER_APP, "", grant_type="client_credentials")
    assert (answer.status_code, answer.json()["error"]) == (401, "access_denied")


async def test_revoking_answers_200_and_what_else_it_does_is_a_switch(browser: httpx2.AsyncClient, world: World) -> None:
    app, first = LINKEDIN_MEMBER_APP, (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    second = (await granted(browser, app, MEMBER))["access_token"]
    done = await about(browser, app, "revoke", first)
    assert (done.status_code, done.text) == (200, "")
    assert (await call(browser, "/v2/userinfo", first)).json()["serviceErrorCode"] == 65601
    assert (await call(browser, "/v2/userinfo", second)).status_code == 200
    assert (await about(browser, app, "revoke", "")).status_code == 400
    app = switch(world, app, revoke_says="{}", revoke_ends_all=True)
    third = (await granted(browser, app, MEMBER))["access_token"]
    assert (await about(browser, app, "revoke", second)).text == "{}"
    assert (await call(browser, "/v2/userinfo", third)).json()["serviceErrorCode"] == 65601


async def test_introspection_says_nothing_of_another_clients_dead_token_either(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    await about(browser, LINKEDIN_MEMBER_APP, "revoke", token)
    assert (await about(browser, LINKEDIN_PAGES_APP, "introspectToken", token)).json() == {"active": False}


async def test_an_apps_changed_products_end_what_the_member_granted_it(browser: httpx2.AsyncClient, world: World) -> None:
    tokens = [(await granted(browser, app, "w_member_social"))["access_token"] for app in (LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP)]
    await TWIN.turns["products_changed"].play(world, Befallen("ada", LINKEDIN_PAGES_APP.client_id))
    active = [
        (await about(browser, app, "introspectToken", token)).json()["active"]
        for app, token in zip((LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP), tokens, strict=True)
    ]
    assert active == [True, False]
