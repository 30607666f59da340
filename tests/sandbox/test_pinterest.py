"""Pinterest's twin: strict where Pinterest is strict, in Pinterest's own numbers and words."""

from dataclasses import replace
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from hitchpost_sandbox.apps import PINTEREST_APP, Option
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.trip import NOON

BACK = "http://127.0.0.1:8420/api/social-connect/callback/pinterest"
API, TRIALS = "/api.pinterest.com/v5", "/api-sandbox.pinterest.com/v5"
SCOPE = "user_accounts:read,boards:read,boards:write,pins:read,pins:write"
BASIC = (PINTEREST_APP.client_id, PINTEREST_APP.client_secret)
NOT_AUTHENTICATED = {"code": 2, "message": "Authentication failed."}
DEAD_GRANT = {"code": 283, "message": "The authorization grant is invalid"}
NO_SCOPE = {
    "code": 3,
    "message": "Your token does not have sufficient permissions to perform this operation. "
    "Please ensure your token is authorized with the correct set of scopes.",
}


def switch(world: World, **options: Option) -> None:
    world.register(replace(PINTEREST_APP, options=options))


def asked(*, leave_out: str = "", **other: str) -> str:
    query = {"response_type": "code", "client_id": PINTEREST_APP.client_id, "redirect_uri": BACK, "scope": SCOPE, "state": "s-1"} | other
    query.pop(leave_out, None)
    return f"/www.pinterest.com/oauth/?{urlencode(query)}"


async def decide(browser: httpx2.AsyncClient, address: str, person: str = "ada", decision: str = "allow") -> dict[str, str]:
    """What the browser carries back to the app."""
    answer = await browser.post(address, data={"person": person, "decision": decision})
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(f"{BACK}?")
    return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["location"]).query).items()}


async def ask_token(
    browser: httpx2.AsyncClient, *, at: str = API, basic: tuple[str, str] | None = BASIC, leave_out: str = "", **form: str
) -> httpx2.Response:
    fields = {"grant_type": "authorization_code", "redirect_uri": BACK} | form
    fields.pop(leave_out, None)
    return await browser.post(f"{at}/oauth/token", data=fields, auth=httpx2.BasicAuth(*basic) if basic else httpx2.Auth())


async def granted(
    browser: httpx2.AsyncClient, person: str = "ada", scope: str = SCOPE, at: str = API, continuous: str = "true"
) -> dict[str, Any]:
    code = (await decide(browser, asked(scope=scope), person))["code"]
    answer = await ask_token(browser, at=at, code=code, continuous_refresh=continuous)
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def read(browser: httpx2.AsyncClient, path: str, token: str, at: str = API, **query: str) -> httpx2.Response:
    return await browser.get(f"{at}{path}", params=query, headers={"authorization": f"Bearer {token}"})


async def test_the_consent_page_names_who_asks_and_for_what(browser: httpx2.AsyncClient) -> None:
    page = await browser.get(asked())
    assert page.status_code == 200
    assert "Create, update, or delete your public Pins" in page.text
    assert "lanternbakery" in page.text


async def test_state_and_code_come_back_and_a_refusal_brings_no_code(browser: httpx2.AsyncClient) -> None:
    assert set(await decide(browser, asked())) == {"code", "state"}
    assert await decide(browser, asked(), decision="deny") == {"error": "access_denied", "state": "s-1"}


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        (asked(redirect_uri="https://evil.example/"), "redirect_uri"),
        (asked(leave_out="redirect_uri"), "redirect_uri"),
        (asked(client_id="999"), "unknown_client"),
        (asked(response_type="token"), "response_type"),
        (asked(scope="everything"), "scope"),
        (asked(leave_out="scope"), "scope"),
    ],
)
async def test_what_is_wrong_with_the_request_sends_nobody_back(
    world: World, browser: httpx2.AsyncClient, address: str, reason: str
) -> None:
    for answer in (await browser.get(address), await browser.post(address, data={"person": "ada", "decision": "allow"})):
        assert answer.status_code == 400
        assert "location" not in answer.headers
    assert {entry.facts["reason"] for entry in world.ledger.read(what=What.AUTHORIZE_REFUSED)} == {reason}


async def test_a_code_gives_a_pair_in_pinterests_shape(browser: httpx2.AsyncClient) -> None:
    body = await granted(browser)
    assert body.pop("access_token").startswith("pina_")
    assert body.pop("refresh_token").startswith("pinr.")
    assert body == {
        "response_type": "authorization_code",
        "token_type": "bearer",
        "expires_in": 2592000,
        "refresh_token_expires_in": 5184000,
        "scope": "boards:read boards:write pins:read pins:write user_accounts:read",
    }


async def test_a_code_works_once_and_for_ten_minutes(world: World, browser: httpx2.AsyncClient) -> None:
    code = (await decide(browser, asked()))["code"]
    assert (await ask_token(browser, code=code)).status_code == 200
    again = await ask_token(browser, code=code)
    assert (again.status_code, again.json()) == (401, DEAD_GRANT)
    late = (await decide(browser, asked()))["code"]
    world.clock.forward(timedelta(minutes=10))
    assert (await ask_token(browser, code=late)).json() == DEAD_GRANT
    assert (await ask_token(browser, code="invented")).json() == DEAD_GRANT


async def test_another_redirect_uri_than_before_makes_the_code_worthless(browser: httpx2.AsyncClient) -> None:
    code = (await decide(browser, asked()))["code"]
    assert (await ask_token(browser, code=code, redirect_uri=f"{BACK}/")).json() == DEAD_GRANT


@pytest.mark.parametrize("basic", [None, (PINTEREST_APP.client_id, "wrong"), ("999", PINTEREST_APP.client_secret)])
async def test_only_basic_tells_who_calls(browser: httpx2.AsyncClient, basic: tuple[str, str] | None) -> None:
    code = (await decide(browser, asked()))["code"]
    answer = await ask_token(browser, basic=basic, code=code, client_id=PINTEREST_APP.client_id, client_secret=PINTEREST_APP.client_secret)
    assert (answer.status_code, answer.json()) == (401, NOT_AUTHENTICATED)


@pytest.mark.parametrize("missing", ["grant_type", "code", "redirect_uri"])
async def test_a_missing_field_is_an_invalid_request(browser: httpx2.AsyncClient, missing: str) -> None:
    answer = await ask_token(browser, leave_out=missing, code="some")
    assert answer.status_code == 400
    assert answer.json()["code"] == 1
    assert answer.json()["message"].startswith("Invalid request: ")


async def test_an_old_app_that_does_not_ask_gets_a_year(world: World, browser: httpx2.AsyncClient) -> None:
    switch(world, before_september_2025=True)
    assert (await granted(browser, continuous="false"))["refresh_token_expires_in"] == 31536000
    assert (await granted(browser, continuous="true"))["refresh_token_expires_in"] == 5184000


async def test_a_refresh_gives_a_new_pair_and_sixty_new_days(world: World, browser: httpx2.AsyncClient) -> None:
    first = await granted(browser)
    world.clock.forward(timedelta(days=59))
    answer = await ask_token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"])
    body = answer.json()
    assert body["response_type"] == "refresh_token"
    assert body["refresh_token_expires_at"] == int((NOON + timedelta(days=119)).timestamp())
    assert body["access_token"] != first["access_token"]
    assert (await read(browser, "/user_account", body["access_token"])).status_code == 200
    used = await ask_token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"])
    assert (used.status_code, used.json()) == (401, DEAD_GRANT)


async def test_a_refresh_token_dies_after_sixty_idle_days(world: World, browser: httpx2.AsyncClient) -> None:
    first = await granted(browser)
    world.clock.forward(timedelta(days=60))
    assert (await ask_token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"])).json() == DEAD_GRANT


async def test_the_old_refresh_token_lives_on_where_that_is_switched_on(world: World, browser: httpx2.AsyncClient) -> None:
    switch(world, old_refresh_lives=True)
    first = await granted(browser)
    for _ in range(2):
        assert (await ask_token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"])).status_code == 200


async def test_a_refresh_may_narrow_the_scopes_and_never_widen_them(browser: httpx2.AsyncClient) -> None:
    first = await granted(browser, scope="user_accounts:read,boards:read")
    wider = await ask_token(browser, grant_type="refresh_token", refresh_token=first["refresh_token"], scope="pins:write")
    assert wider.status_code == 400
    second = await granted(browser)
    narrow = await ask_token(browser, grant_type="refresh_token", refresh_token=second["refresh_token"], scope="boards:read")
    assert narrow.json()["scope"] == "boards:read"


async def test_a_persons_token_cannot_be_revoked(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser))["access_token"]
    form = {"token": token, "token_type_hint": "access_token"}
    answer = await browser.post(f"{API}/oauth/token/revoke", data=form, auth=httpx2.BasicAuth(*BASIC))
    assert (answer.status_code, answer.json()["code"]) == (403, 29)
    assert (await browser.post(f"{API}/oauth/token/revoke", data=form)).json() == NOT_AUTHENTICATED
    assert (await read(browser, "/user_account", token)).status_code == 200


async def test_a_business_and_a_pinner_show_themselves(browser: httpx2.AsyncClient) -> None:
    business = (await read(browser, "/user_account", (await granted(browser))["access_token"])).json()
    assert (business["account_type"], business["business_name"], business["board_count"]) == ("BUSINESS", "Lantern Bakery", 4)
    pinner = (await read(browser, "/user_account", (await granted(browser, "noor"))["access_token"])).json()
    assert (pinner["account_type"], pinner["business_name"], pinner["board_count"]) == ("PINNER", None, 0)


async def test_the_picture_is_where_the_account_says(browser: httpx2.AsyncClient) -> None:
    account = (await read(browser, "/user_account", (await granted(browser))["access_token"])).json()
    picture = await browser.get("/" + account["profile_image"].removeprefix("https://"))
    assert picture.headers["content-type"] == "image/png"


async def test_boards_are_paged_by_bookmark(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, "mona"))["access_token"]
    names, bookmark, sizes = [], "", []
    while True:
        page = (await read(browser, "/boards", token, **({"bookmark": bookmark} if bookmark else {}))).json()
        names += [board["name"] for board in page["items"]]
        sizes.append(len(page["items"]))
        if page["bookmark"] is None:
            break
        bookmark = page["bookmark"]
    assert sizes == [25, 25, 10]
    assert len(set(names)) == 60
    assert (await read(browser, "/boards", token, page_size="250")).json()["bookmark"] is None


async def test_a_group_board_is_known_by_its_owner_and_a_secret_one_needs_its_own_scope(browser: httpx2.AsyncClient) -> None:
    plain = (await read(browser, "/boards", (await granted(browser))["access_token"])).json()["items"]
    assert {board["owner"]["username"] for board in plain} == {"lanternbakery", "benharbour"}
    assert {board["privacy"] for board in plain} == {"PUBLIC"}
    wide = await granted(browser, scope=f"{SCOPE},boards:read_secret")
    everything = (await read(browser, "/boards", wide["access_token"])).json()["items"]
    secret = (await read(browser, "/boards", wide["access_token"], privacy="SECRET")).json()["items"]
    assert len(everything) == len(plain) + 1
    assert [board["name"] for board in secret] == ["Next season"]


@pytest.mark.parametrize("query", [{"page_size": "0"}, {"page_size": "251"}, {"page_size": "x"}, {"bookmark": "!"}, {"privacy": "MINE"}])
async def test_a_query_that_makes_no_sense_is_an_invalid_request(browser: httpx2.AsyncClient, query: dict[str, str]) -> None:
    answer = await read(browser, "/boards", (await granted(browser))["access_token"], **query)
    assert (answer.status_code, answer.json()["code"]) == (400, 1)


async def test_sections_belong_to_a_board_that_can_be_seen(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser))["access_token"]
    sections = (await read(browser, "/boards/549755810101/sections", token)).json()
    assert [section["name"] for section in sections["items"]] == ["Section 1", "Section 2"]
    gone = await read(browser, "/boards/1/sections", token)
    assert (gone.status_code, gone.json()) == (404, {"code": 40, "message": "Board not found."})
    odd = await read(browser, "/boards/bread/sections", token)
    assert (odd.status_code, odd.json()["code"]) == (400, 1)


async def test_a_missing_scope_is_another_401_than_a_dead_token(world: World, browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, scope="boards:read"))["access_token"]
    refused = await read(browser, "/user_account", token)
    assert (refused.status_code, refused.json()) == (401, NO_SCOPE)
    # What a new password or username does.
    world.authority("pinterest").revoke_grants("ada", PINTEREST_APP.client_id)
    dead = await read(browser, "/user_account", token)
    assert (dead.status_code, dead.json()) == (401, NOT_AUTHENTICATED)


async def test_an_access_token_lives_for_thirty_days(world: World, browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser))["access_token"]
    world.clock.forward(timedelta(days=30))
    assert (await read(browser, "/user_account", token)).json() == NOT_AUTHENTICATED


async def test_tokens_of_one_host_are_nothing_at_the_other(browser: httpx2.AsyncClient) -> None:
    production, trials = await granted(browser), await granted(browser, at=TRIALS)
    assert (await read(browser, "/user_account", trials["access_token"], at=TRIALS)).status_code == 200
    assert (await read(browser, "/user_account", production["access_token"], at=TRIALS)).json() == NOT_AUTHENTICATED
    assert (await read(browser, "/user_account", trials["access_token"])).json() == NOT_AUTHENTICATED
    assert (await read(browser, "/boards", trials["access_token"], at=TRIALS)).json()["items"] == []


async def test_every_answer_carries_its_id_and_its_limits(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser))["access_token"]
    answers = [
        await read(browser, "/user_account", token),
        await read(browser, "/user_account", "wrong"),
        await read(browser, "/nothing", token),
        await ask_token(browser, basic=None),
        await browser.delete(f"{API}/boards"),
    ]
    assert answers[-1].json()["code"] == 405
    assert len({answer.headers["x-pinterest-rid"] for answer in answers}) == len(answers)
    assert answers[0].headers["x-ratelimit-limit"] == "1000"
    assert answers[0].headers["x-ratelimit-remaining"] == "999"
    assert 0 <= int(answers[0].headers["x-ratelimit-reset"]) <= 60


async def test_an_app_on_trial_has_a_thousand_calls_a_day_for_everybody(world: World, browser: httpx2.AsyncClient) -> None:
    switch(world, trial=True)
    token = (await granted(browser))["access_token"]
    for _ in range(999):
        world.limits.spend(f"pinterest {PINTEREST_APP.client_id}", limit=1000, window=timedelta(days=1))
    answer = await read(browser, "/user_account", token)
    assert (answer.status_code, answer.json()["code"]) == (429, 8)
    assert answer.json()["message"].count("\n") == 2
    assert answer.headers["x-ratelimit-remaining"] == "0"
    world.clock.forward(timedelta(days=1))
    assert (await read(browser, "/user_account", token)).status_code == 200


async def test_scopes_may_be_withheld(world: World, browser: httpx2.AsyncClient) -> None:
    switch(world, withholds="pins:write boards:write")
    assert (await granted(browser))["scope"] == "boards:read pins:read user_accounts:read"
