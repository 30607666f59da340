"""X's twin: strict where X is strict, in X's own words."""

import base64
import json
from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from hitchpost_sandbox.apps import X_APP, App, Option
from hitchpost_sandbox.authority import s256
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.trip import NOON

BACK = "http://127.0.0.1:8420/api/social-connect/callback/x"
VERIFIER = "a-verifier-of-at-least-forty-three-characters"
SCOPE = "tweet.read users.read tweet.write media.write offline.access"
BASIC = (X_APP.client_id, X_APP.client_secret)


def switch(world: World, **options: Option) -> App:
    changed = replace(X_APP, options=options)
    world.register(changed)
    return changed


def asked(*, leave_out: str = "", **other: str) -> str:
    query = {
        "response_type": "code",
        "client_id": X_APP.client_id,
        "redirect_uri": BACK,
        "scope": SCOPE,
        "state": "s-1",
        "code_challenge": s256(VERIFIER),
        "code_challenge_method": "S256",
    } | other
    query.pop(leave_out, None)
    return f"/x.com/i/oauth2/authorize?{urlencode(query)}"


async def decide(browser: httpx2.AsyncClient, address: str, person: str = "ada", decision: str = "allow") -> dict[str, str]:
    """What the browser carries back to the app."""
    answer = await browser.post(address, data={"person": person, "decision": decision})
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def redeem(
    browser: httpx2.AsyncClient, code: str, basic: tuple[str, str] | None = BASIC, *, leave_out: str = "", **other: str
) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": VERIFIER,
        "client_id": X_APP.client_id,
    } | other
    form.pop(leave_out, None)
    return await browser.post("/api.x.com/2/oauth2/token", data=form, auth=httpx2.BasicAuth(*basic) if basic else httpx2.USE_CLIENT_DEFAULT)


async def connected(browser: httpx2.AsyncClient, person: str = "ada", **other: str) -> dict[str, Any]:
    answer = await redeem(browser, (await decide(browser, asked(**other), person))["code"])
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def refresh(browser: httpx2.AsyncClient, token: str, basic: tuple[str, str] = BASIC) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token, "client_id": X_APP.client_id}
    return await browser.post("/api.x.com/2/oauth2/token", data=form, auth=basic)


async def whoami(browser: httpx2.AsyncClient, token: str, fields: str = "") -> httpx2.Response:
    query = f"?user.fields={fields}" if fields else ""
    return await browser.get(f"/api.x.com/2/users/me{query}", headers={"authorization": f"Bearer {token}"})


def words(answer: httpx2.Response) -> tuple[int, str, str]:
    body = answer.json()
    return answer.status_code, body["error"], body["error_description"]


@pytest.mark.parametrize("place", ["/x.com/i", "/twitter.com/i", "/api.x.com/2", "/api.twitter.com/2"])
async def test_the_consent_page_stands_at_every_address_that_x_is_known_by(browser: httpx2.AsyncClient, place: str) -> None:
    page = await browser.get(asked().replace("/x.com/i", place))
    assert page.status_code == 200
    assert "Simulated X, not the real one" in page.text
    assert "@adalantern" in page.text
    assert "@noorempty" in page.text
    assert 'name="scope"' not in page.text  # all or nothing: nothing to untick


async def test_ada_allows_and_the_app_gets_a_pair_that_speaks_for_her(browser: httpx2.AsyncClient) -> None:
    came_back = await decide(browser, asked())
    assert came_back["state"] == "s-1"
    answer = await redeem(browser, came_back["code"])
    body = answer.json()
    assert (body["token_type"], body["expires_in"], body["scope"]) == ("bearer", 7200, SCOPE)
    assert answer.headers["cache-control"] == "no-store"
    me = await whoami(browser, body["access_token"])
    assert me.json() == {"data": {"id": "1850000000000000101", "name": "Ada Lantern", "username": "adalantern"}}


async def test_tokens_look_like_x_made_them(browser: httpx2.AsyncClient) -> None:
    body = await connected(browser)
    access, refreshing = (base64.urlsafe_b64decode(body[name] + "==").decode() for name in ("access_token", "refresh_token"))
    assert access.split(":")[1:] == [f"{NOON.timestamp() * 1000:.0f}", "1", "1", "at", "1"]
    assert refreshing.split(":")[1:] == [f"{NOON.timestamp() * 1000:.0f}", "1", "1", "rt", "1"]


async def test_a_refusal_comes_back_as_access_denied_and_without_a_code(browser: httpx2.AsyncClient, world: World) -> None:
    assert await decide(browser, asked(), decision="deny") == {"error": "access_denied", "state": "s-1"}
    assert world.ledger.count(What.CONSENT_DENIED, person="ada") == 1
    assert world.ledger.count(What.CODE_ISSUED) == 0


@pytest.mark.parametrize(
    ("other", "leave_out", "reason"),
    [
        ({"client_id": "nobody"}, "", "unknown_client"),
        ({"redirect_uri": "https://elsewhere.example/back"}, "", "redirect_uri"),
        ({}, "redirect_uri", "redirect_uri"),
        ({}, "code_challenge", "no_pkce"),
        ({"code_challenge_method": "S512"}, "", "code_challenge_method"),
        ({"state": "s" * 501}, "", "state"),
        ({"response_type": "token"}, "", "response_type"),
        ({"scope": "tweet.read tweet.everything"}, "", "scope"),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_faulty_request_ends_on_xs_own_page_and_sends_nobody_back(
    browser: httpx2.AsyncClient, world: World, method: str, other: dict[str, str], leave_out: str, reason: str
) -> None:
    data = {"person": "ada", "decision": "allow"} if method == "POST" else None
    answer = await browser.request(method, asked(leave_out=leave_out, **other), data=data)
    assert answer.status_code == 400
    assert "Something went wrong" in answer.text
    assert "give access to the App" in answer.text
    assert "location" not in answer.headers
    assert [entry.facts["reason"] for entry in world.ledger.read(what=What.AUTHORIZE_REFUSED)] == [reason]


async def test_an_app_without_a_website_ends_on_the_same_page(browser: httpx2.AsyncClient, world: World) -> None:
    switch(world, no_website=True)
    assert "Something went wrong" in (await browser.get(asked())).text


BAD_CODE = (400, "invalid_request", "Value passed for the authorization code was invalid.")


async def test_a_code_works_once(browser: httpx2.AsyncClient) -> None:
    code = (await decide(browser, asked()))["code"]
    assert (await redeem(browser, code)).status_code == 200
    assert words(await redeem(browser, code)) == BAD_CODE


async def test_a_code_lives_thirty_seconds(browser: httpx2.AsyncClient, world: World) -> None:
    early, late = (await decide(browser, asked()))["code"], (await decide(browser, asked()))["code"]
    world.clock.forward(timedelta(seconds=29))
    assert (await redeem(browser, early)).status_code == 200
    world.clock.forward(timedelta(seconds=1))
    assert words(await redeem(browser, late)) == BAD_CODE


async def test_a_made_up_code_is_refused(browser: httpx2.AsyncClient) -> None:
    assert words(await redeem(browser, "made-up")) == BAD_CODE


async def test_the_redirect_uri_must_be_the_same_bytes(browser: httpx2.AsyncClient) -> None:
    code = (await decide(browser, asked()))["code"]
    answer = await redeem(browser, code, redirect_uri=BACK + "/")
    assert words(answer) == (400, "invalid_request", "Value passed for the redirect uri did not match the uri of the authorization code.")


@pytest.mark.parametrize("verifier", ["another-verifier-of-forty-three-characters-too", "short"])
async def test_the_verifier_must_match_the_challenge(browser: httpx2.AsyncClient, verifier: str) -> None:
    code = (await decide(browser, asked()))["code"]
    answer = await redeem(browser, code, code_verifier=verifier)
    assert words(answer) == (400, "invalid_request", "Value passed for the code verifier did not match the code challenge.")


async def test_a_plain_challenge_is_the_verifier_itself(browser: httpx2.AsyncClient) -> None:
    code = (await decide(browser, asked(code_challenge=VERIFIER, code_challenge_method="plain")))["code"]
    assert (await redeem(browser, code)).status_code == 200


@pytest.mark.parametrize("name", ["grant_type", "code", "redirect_uri", "code_verifier"])
async def test_a_missing_parameter_is_named(browser: httpx2.AsyncClient, name: str) -> None:
    code = (await decide(browser, asked()))["code"]
    assert words(await redeem(browser, code, leave_out=name)) == (400, "invalid_request", f"Missing required parameter [{name}].")


async def test_without_any_client_id_the_client_id_is_missing(browser: httpx2.AsyncClient) -> None:
    answer = await redeem(browser, "any", None, leave_out="client_id")
    assert words(answer) == (400, "invalid_request", "Missing required parameter [client_id].")


async def test_an_unknown_grant_type_is_refused(browser: httpx2.AsyncClient) -> None:
    assert words(await redeem(browser, "any", grant_type="password"))[:2] == (400, "unsupported_grant_type")


@pytest.mark.parametrize("basic", [None, (X_APP.client_id, "wrong")])
async def test_a_confidential_app_without_its_secret_is_unauthorized(browser: httpx2.AsyncClient, basic: tuple[str, str] | None) -> None:
    code = (await decide(browser, asked()))["code"]
    assert words(await redeem(browser, code, basic)) == (401, "unauthorized_client", "Missing valid authorization header")
    assert (await redeem(browser, code)).status_code == 200, "a refused client does not use the code up"


async def test_an_unknown_client_is_invalid(browser: httpx2.AsyncClient) -> None:
    assert words(await redeem(browser, "any", ("nobody", "x")))[:2] == (401, "invalid_client")


async def test_basic_counts_whether_or_not_the_body_repeats_it(browser: httpx2.AsyncClient) -> None:
    without = (await decide(browser, asked()))["code"]
    assert (await redeem(browser, without, leave_out="client_id")).status_code == 200
    repeated = (await decide(browser, asked()))["code"]
    assert (await redeem(browser, repeated, client_secret=X_APP.client_secret)).status_code == 200


async def test_a_public_app_names_itself_and_sends_no_basic(browser: httpx2.AsyncClient, world: World) -> None:
    switch(world, public_client=True)
    code = (await decide(browser, asked()))["code"]
    assert words(await redeem(browser, code))[:2] == (401, "unauthorized_client")
    assert (await redeem(browser, code, None)).status_code == 200


async def test_another_apps_code_is_no_code(browser: httpx2.AsyncClient, world: World) -> None:
    other = replace(X_APP, client_id="another", client_secret="secret")
    world.register(other)
    code = (await decide(browser, asked()))["code"]
    assert words(await redeem(browser, code, ("another", "secret"))) == BAD_CODE


async def test_scopes_come_back_as_granted_and_only_offline_access_gives_a_refresh_token(browser: httpx2.AsyncClient) -> None:
    body = await connected(browser, scope="tweet.read users.read")
    assert body["scope"] == "tweet.read users.read"
    assert "refresh_token" not in body


BAD_TOKEN = (400, "invalid_request", "Value passed for the token was invalid.")


async def test_refreshing_gives_a_new_pair_and_uses_the_old_refresh_token_up(browser: httpx2.AsyncClient) -> None:
    first = await connected(browser)
    answer = await refresh(browser, first["refresh_token"])
    second = answer.json()
    assert second["scope"] == SCOPE
    assert second["access_token"] != first["access_token"]
    assert second["refresh_token"] != first["refresh_token"]
    assert words(await refresh(browser, first["refresh_token"])) == BAD_TOKEN
    assert (await refresh(browser, second["refresh_token"])).status_code == 200, "by default the winner's tokens live on"


async def test_where_reuse_kills_the_family_the_winner_dies_too(browser: httpx2.AsyncClient, world: World) -> None:
    switch(world, reuse_kills_family=True)
    first = await connected(browser)
    second = (await refresh(browser, first["refresh_token"])).json()
    assert words(await refresh(browser, first["refresh_token"])) == BAD_TOKEN
    assert words(await refresh(browser, second["refresh_token"])) == BAD_TOKEN
    assert (await whoami(browser, second["access_token"])).status_code == 401


async def test_a_refresh_token_ends_after_half_a_year(browser: httpx2.AsyncClient, world: World) -> None:
    body = await connected(browser)
    world.clock.forward(timedelta(days=183))
    assert words(await refresh(browser, body["refresh_token"])) == BAD_TOKEN


async def test_an_access_token_refreshes_nothing(browser: httpx2.AsyncClient) -> None:
    assert words(await refresh(browser, (await connected(browser))["access_token"])) == BAD_TOKEN


async def test_where_authorizing_again_kills_only_the_last_consent_counts(browser: httpx2.AsyncClient, world: World) -> None:
    switch(world, reauthorization_kills=True)
    first, bens = await connected(browser), await connected(browser, "ben")
    second = await connected(browser)
    assert (await whoami(browser, first["access_token"])).status_code == 401
    assert (await whoami(browser, second["access_token"])).status_code == 200
    assert (await whoami(browser, bens["access_token"])).status_code == 200


async def test_a_revoked_token_is_dead_and_revoking_again_is_no_fault(browser: httpx2.AsyncClient, world: World) -> None:
    body = await connected(browser)
    for _ in range(2):
        answer = await browser.post("/api.twitter.com/2/oauth2/revoke", data={"token": body["access_token"]}, auth=BASIC)
        assert (answer.status_code, answer.json()) == (200, {"revoked": True})
    assert (await whoami(browser, body["access_token"])).status_code == 401
    assert world.ledger.count(What.TOKEN_REVOKED, person="ada") == 1


async def test_revoking_needs_credentials_and_a_token(browser: httpx2.AsyncClient) -> None:
    bare = await browser.post("/api.x.com/2/oauth2/revoke", data={"token": "any", "client_id": X_APP.client_id})
    assert words(bare)[:2] == (401, "unauthorized_client")
    empty = await browser.post("/api.x.com/2/oauth2/revoke", data={}, auth=BASIC)
    assert words(empty) == (400, "invalid_request", "Missing required parameter [token].")


async def test_another_app_cannot_revoke_adas_token(browser: httpx2.AsyncClient, world: World) -> None:
    world.register(replace(X_APP, client_id="another", client_secret="secret"))
    body = await connected(browser)
    await browser.post("/api.x.com/2/oauth2/revoke", data={"token": body["access_token"]}, auth=("another", "secret"))
    assert (await whoami(browser, body["access_token"])).status_code == 200


async def test_only_the_fields_asked_for_are_told_and_empty_ones_are_left_out(browser: httpx2.AsyncClient) -> None:
    body = await connected(browser, "ben")
    data = (await whoami(browser, body["access_token"], "profile_image_url,description,verified,public_metrics")).json()["data"]
    assert data["profile_image_url"] == "https://pbs.twimg.com/profile_images/1850000000000000201/ben-x_normal.png"
    assert data["verified"] is False
    assert "description" not in data
    assert "created_at" not in data
    assert data["public_metrics"]["tweet_count"] == 1405


async def test_the_new_field_names_are_a_switch(browser: httpx2.AsyncClient, world: World) -> None:
    body = await connected(browser)
    switch(world, new_field_names=True)
    data = (await whoami(browser, body["access_token"], "public_metrics")).json()["data"]
    assert "post_count" in data["public_metrics"]
    assert "tweet_count" not in data["public_metrics"]


async def test_a_field_that_x_does_not_have_is_a_validation_problem(browser: httpx2.AsyncClient) -> None:
    answer = await whoami(browser, (await connected(browser))["access_token"], "shoe_size")
    assert answer.status_code == 400
    body = answer.json()
    assert body["type"].endswith("/invalid-request")
    assert body["errors"][0]["parameters"] == {"user.fields": ["shoe_size"]}


@pytest.mark.parametrize("authorization", ["", "Bearer made-up", "Basic bWFkZTp1cA=="])
async def test_without_a_living_token_the_answer_is_unauthorized(browser: httpx2.AsyncClient, authorization: str) -> None:
    answer = await browser.get("/api.x.com/2/users/me", headers={"authorization": authorization})
    assert answer.headers["content-type"].startswith("application/problem+json")
    assert answer.json() == {"title": "Unauthorized", "detail": "Unauthorized", "type": "about:blank", "status": 401}


async def test_an_access_token_ends_after_two_hours(browser: httpx2.AsyncClient, world: World) -> None:
    body = await connected(browser)
    world.clock.forward(timedelta(hours=2))
    assert (await whoami(browser, body["access_token"])).status_code == 401


async def test_without_both_read_scopes_the_profile_is_forbidden(browser: httpx2.AsyncClient) -> None:
    answer = await whoami(browser, (await connected(browser, scope="users.read offline.access"))["access_token"])
    assert (answer.status_code, answer.json()["detail"]) == (403, "Forbidden")


@pytest.mark.parametrize(("option", "status", "slug"), [("not_enrolled", 403, "client-forbidden"), ("no_credits", 402, "credits-depleted")])
async def test_faults_of_the_app_are_told_apart(browser: httpx2.AsyncClient, world: World, option: str, status: int, slug: str) -> None:
    body = await connected(browser)
    switch(world, **{option: True})
    answer = await whoami(browser, body["access_token"])
    assert answer.status_code == status
    assert answer.json()["type"].rsplit("/", 1)[-1] == slug


async def test_credits_ran_out_in_other_words_before_mid_2026(browser: httpx2.AsyncClient, world: World) -> None:
    body = await connected(browser)
    switch(world, no_credits="old")
    answer = await whoami(browser, body["access_token"])
    assert (answer.status_code, answer.json()["title"]) == (402, "CreditsDepleted")
    assert "status" not in answer.json()


async def test_a_suspended_account_signs_in_but_may_do_nothing(browser: httpx2.AsyncClient) -> None:
    answer = await whoami(browser, (await connected(browser, "piet"))["access_token"])
    assert answer.status_code == 403
    assert answer.json()["type"].endswith("/user-suspended")


async def test_the_seventy_sixth_call_of_a_quarter_hour_waits_for_the_next(browser: httpx2.AsyncClient, world: World) -> None:
    body, bens = await connected(browser), await connected(browser, "ben")
    for left in range(74, -1, -1):
        answer = await whoami(browser, body["access_token"])
        assert (answer.status_code, answer.headers["x-rate-limit-remaining"]) == (200, str(left))
    refused = await whoami(browser, body["access_token"])
    assert refused.status_code == 429
    assert refused.headers["x-rate-limit-limit"] == "75"
    assert int(refused.headers["x-rate-limit-reset"]) == world.clock.now().timestamp() + 900
    assert (await whoami(browser, bens["access_token"])).status_code == 200
    world.clock.forward(timedelta(minutes=15))
    assert (await whoami(browser, body["access_token"])).status_code == 200


async def test_the_ledger_tells_the_whole_story_and_no_secret(browser: httpx2.AsyncClient, world: World) -> None:
    code = (await decide(browser, asked()))["code"]
    body = (await redeem(browser, code)).json()
    await whoami(browser, body["access_token"])
    told = [entry.what for entry in world.ledger.read(network="x") if entry.what is not What.CALL]
    assert told == [What.CONSENT_GIVEN, What.CODE_ISSUED, What.CODE_REDEEMED, What.TOKEN_ISSUED, What.TOKEN_ISSUED]
    assert world.ledger.count(What.CALL, person="ada", path="/2/users/me", status=200) == 1
    whole = json.dumps([entry.as_json() for entry in world.ledger.read()])
    for secret in (code, body["access_token"], body["refresh_token"], VERIFIER, X_APP.client_secret):
        assert secret not in whole


async def test_a_path_that_x_does_not_have_is_a_problem_object(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/api.x.com/2/nowhere")
    assert (answer.status_code, answer.json()["title"]) == (404, "Not Found")
