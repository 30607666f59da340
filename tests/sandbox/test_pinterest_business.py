"""Pinterest for businesses and apps: linked accounts, ad accounts and acting for them, app tokens, and what is not known of it."""

from dataclasses import replace
from datetime import timedelta
from urllib.parse import parse_qsl, urlsplit

import httpx2
import pytest

from hitchpost_sandbox.apps import PINTEREST_APP, Option
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.people import AdAccount, Board
from hitchpost_sandbox.world import World
from tests.support.trip import NOON
from tests.support.ways import authorize, code_of, exchange

API, TRIALS = "/api.pinterest.com/v5", "/api-sandbox.pinterest.com/v5"
WIDE = "user_accounts:read boards:read boards:write boards:read_secret boards:write_secret ads:read"
LANTERN_ADS, MONAS_ADS = "549755880101", "549755880601"
BASIC = httpx2.BasicAuth(PINTEREST_APP.client_id, PINTEREST_APP.client_secret)
FORBIDDEN = {"code": 29, "message": "You are not permitted to access that resource."}
DENY = {"person": "ada", "decision": "deny"}


def switch(world: World, **options: Option) -> None:
    world.register(replace(PINTEREST_APP, options=options))


async def ask_token(caller: httpx2.AsyncClient, at: str = API, **form: str) -> httpx2.Response:
    return await caller.post(f"{at}/oauth/token", data=form, auth=BASIC)


async def token_of(caller: httpx2.AsyncClient, person: str = "ada", scope: str = WIDE, at: str = API) -> str:
    code = await code_of(caller, "pinterest", person, scope=scope)
    answer = await ask_token(caller, at, grant_type="authorization_code", code=code, redirect_uri="http://127.0.0.1:8420/back")
    found: str = answer.json()["access_token"]
    return found


async def read(caller: httpx2.AsyncClient, path: str, token: str, at: str = API, **query: str) -> httpx2.Response:
    return await caller.get(f"{at}{path}", params=query, headers={"authorization": f"Bearer {token}"})


async def make(caller: httpx2.AsyncClient, token: str, at: str = API, **board: object) -> httpx2.Response:
    headers = {"authorization": f"Bearer {token}"}
    query = {"ad_account_id": str(board.pop("ad_account_id"))} if "ad_account_id" in board else None
    return await caller.post(f"{at}/boards", json=board, headers=headers, params=query)


def error(answer: httpx2.Response) -> tuple[int, int]:
    return answer.status_code, answer.json()["code"]


# Businesses and ad accounts.


async def test_linked_businesses_are_a_plain_array_without_ids(caller: httpx2.AsyncClient) -> None:
    linked = (await read(caller, "/user_account/businesses", await token_of(caller))).json()
    assert [one["username"] for one in linked] == ["monamany"]
    assert set(linked[0]) == {"username", "image_small_url", "image_medium_url", "image_large_url", "image_xlarge_url"}
    picture = await caller.get("/" + linked[0]["image_small_url"].removeprefix("https://"))
    assert picture.headers["content-type"].startswith("image/")
    assert (await read(caller, "/user_account/businesses", await token_of(caller, "ben"))).json() == []
    assert error(await read(caller, "/user_account/businesses", await token_of(caller, scope="boards:read"))) == (401, 3)


async def test_ad_accounts_are_listed_with_the_persons_roles(caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    listed = (await read(caller, "/ad_accounts", token)).json()
    assert [(one["id"], one["owner"]["username"], one["permissions"]) for one in listed["items"]] == [
        (LANTERN_ADS, "lanternbakery", ["OWNER"]),
        (MONAS_ADS, "monamany", ["ANALYST"]),
    ]
    assert listed["bookmark"] is None
    own = (await read(caller, "/ad_accounts", token, include_shared_accounts="false")).json()["items"]
    assert [one["id"] for one in own] == [LANTERN_ADS]
    first = (await read(caller, "/ad_accounts", token, page_size="1")).json()
    second = (await read(caller, "/ad_accounts", token, page_size="1", bookmark=first["bookmark"])).json()
    assert (first["items"][0]["id"], second["items"][0]["id"]) == (LANTERN_ADS, MONAS_ADS)
    assert (await read(caller, f"/ad_accounts/{MONAS_ADS}", token)).json() == listed["items"][1]
    assert (await read(caller, "/ad_accounts/1", token)).json() == FORBIDDEN


async def test_ad_accounts_need_their_scope_and_are_not_on_the_host_for_trials(caller: httpx2.AsyncClient) -> None:
    assert error(await read(caller, "/ad_accounts", await token_of(caller, scope="user_accounts:read"))) == (401, 3)
    trial = await token_of(caller, at=TRIALS)
    assert error(await read(caller, "/ad_accounts", trial, at=TRIALS)) == (403, 29)
    assert (await read(caller, "/user_account/businesses", trial, at=TRIALS)).status_code == 200


async def test_a_role_on_an_ad_account_acts_for_its_owner(caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    account = (await read(caller, "/user_account", token, ad_account_id=MONAS_ADS)).json()
    assert (account["username"], account["board_count"]) == ("monamany", 60)
    boards = (await read(caller, "/boards", token, ad_account_id=MONAS_ADS, page_size="250")).json()["items"]
    assert {one["owner"]["username"] for one in boards} == {"monamany"}
    refused = await read(caller, "/user_account", token, ad_account_id="1")
    assert (refused.status_code, refused.json()) == (403, {"code": 403, "message": "Not authorized to access the user account."})
    assert (await read(caller, "/boards", token, ad_account_id="1")).json() == FORBIDDEN


@pytest.mark.parametrize(
    ("role", "acts", "sees_secrets"),
    [
        ("OWNER", True, True),
        ("ADMIN", True, True),
        ("ANALYST", True, False),
        ("CAMPAIGN_MANAGER", True, False),
        ("FINANCE_MANAGER", False, False),
    ],
)
async def test_secret_boards_of_another_are_for_owners_and_admins(
    world: World, caller: httpx2.AsyncClient, role: str, acts: bool, sees_secrets: bool
) -> None:
    ada, mona = world.cast["ada"].pinterest, world.cast["mona"].pinterest
    assert ada is not None
    assert mona is not None
    world.change("mona", pinterest=replace(mona, boards=(Board("1", "Plans", "monamany", "SECRET"),)))
    world.change("ada", pinterest=replace(ada, ad_accounts=(AdAccount("9", "Shared", "monamany", (role,)),)))
    token = await token_of(caller)
    answer = await read(caller, "/boards", token, ad_account_id="9")
    assert answer.status_code == (200 if acts else 403)
    assert bool(answer.json().get("items")) is sees_secrets
    made = await make(caller, token, name="Hidden", privacy="SECRET", ad_account_id="9")
    assert made.status_code == (201 if sees_secrets else 403)


# Boards.


async def test_a_new_board_is_empty_and_of_today(world: World, caller: httpx2.AsyncClient) -> None:
    made = (await make(caller, await token_of(caller), name="Today", privacy="PROTECTED")).json()
    assert (made["pin_count"], made["privacy"], made["created_at"]) == (0, "PROTECTED", NOON.strftime("%Y-%m-%dT%H:%M:%S"))
    assert made["media"] == {"image_cover_url": None, "pin_thumbnail_urls": []}


async def test_making_a_board_needs_both_scopes_and_a_secret_one_its_own(caller: httpx2.AsyncClient) -> None:
    assert error(await make(caller, await token_of(caller, scope="boards:write"), name="A")) == (401, 3)
    plain = await token_of(caller, scope="boards:read boards:write")
    assert error(await make(caller, plain, name="A", privacy="SECRET")) == (401, 3)
    assert (await make(caller, plain, name="A")).status_code == 201
    assert error(await make(caller, plain, name="B", privacy="HIDDEN")) == (400, 1)


async def test_a_board_of_the_host_for_trials_is_on_that_host_alone(world: World, caller: httpx2.AsyncClient) -> None:
    trial, real = await token_of(caller, at=TRIALS), await token_of(caller)
    made = await make(caller, trial, at=TRIALS, name="Trial")
    assert made.status_code == 201
    assert error(await make(caller, trial, at=TRIALS, name="Trial")) == (400, 1)
    assert [one["name"] for one in (await read(caller, "/boards", trial, at=TRIALS)).json()["items"]] == ["Trial"]
    assert (await read(caller, f"/boards/{made.json()['id']}", trial, at=TRIALS)).status_code == 200
    assert "Trial" not in {one["name"] for one in (await read(caller, "/boards", real)).json()["items"]}
    assert error(await read(caller, f"/boards/{made.json()['id']}", real)) == (404, 40)


async def test_somebody_elses_board_is_another_refusal_than_none(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    assert error(await read(caller, "/boards/549755810301", token)) == (403, 29)
    assert error(await read(caller, "/boards/549755810301/sections", token)) == (403, 29)
    switch(world, foreign_board_is_401=True)
    assert error(await read(caller, "/boards/549755810301", token)) == (401, 7)
    assert error(await read(caller, "/boards/1", token)) == (404, 40)


# Tokens without a person, and of a system user.


async def test_an_app_may_ask_a_token_for_its_owners_account(world: World, caller: httpx2.AsyncClient) -> None:
    answer = await ask_token(caller, grant_type="client_credentials", scope="user_accounts:read,boards:read")
    body = answer.json()
    assert body.pop("access_token").startswith("pinc_")
    scope = "boards:read user_accounts:read"
    assert body == {"response_type": "client_credentials", "token_type": "bearer", "expires_in": 2592000, "scope": scope}
    assert world.ledger.count(What.CONSENT_GIVEN) == 0
    switch(world, owner="mona")
    mine = (await ask_token(caller, grant_type="client_credentials")).json()["access_token"]
    assert (await read(caller, "/user_account", mine)).json()["username"] == "monamany"
    assert error(await ask_token(caller, grant_type="client_credentials", scope="everything")) == (400, 1)
    switch(world, owner="nobody")
    assert error(await ask_token(caller, grant_type="client_credentials")) == (403, 29)


async def test_a_system_users_token_may_be_revoked_and_then_is_dead(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    form = {"token": token, "token_type_hint": "access_token"}
    assert error(await caller.post(f"{API}/oauth/token/revoke", data=form, auth=BASIC)) == (403, 29)
    switch(world, system_user=True)
    ended = await caller.post(f"{API}/oauth/token/revoke", data=form, auth=BASIC)
    assert (ended.status_code, ended.content) == (200, b"")
    assert "x-pinterest-rid" in ended.headers
    assert error(await read(caller, "/user_account", token)) == (401, 2)
    assert world.ledger.count(What.TOKEN_REVOKED, person="ada") == 1
    unknown = await caller.post(f"{API}/oauth/token/revoke", data={"token": "nothing"}, auth=BASIC)
    assert error(unknown) == (403, 29)


async def test_a_refresh_that_asks_for_too_much_spends_nothing(caller: httpx2.AsyncClient) -> None:
    code = await code_of(caller, "pinterest", scope="boards:read")
    pair = (await exchange(caller, "pinterest", code=code)).json()
    renew = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    assert error(await ask_token(caller, **renew, scope="boards:read,pins:write")) == (400, 1)
    assert (await ask_token(caller, **renew)).status_code == 200
    assert error(await ask_token(caller, **renew)) == (401, 283)


# Limits.


async def test_writes_have_a_smaller_limit_of_their_own(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    assert (await make(caller, token, name="A")).headers["x-ratelimit-limit"] == "100"
    assert (await read(caller, "/boards", token)).headers["x-ratelimit-limit"] == "1000"
    switch(world, trial=True)
    for _ in range(300):
        world.limits.spend(f"pinterest write {PINTEREST_APP.client_id}", limit=300, window=timedelta(days=1))
    assert error(await make(caller, token, name="B")) == (429, 8)
    assert (await read(caller, "/boards", token)).status_code == 200


# What is not known of Pinterest, both ways.


async def test_the_limits_may_be_written_in_other_ways(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    switch(world, ratelimit_form="unix")
    assert int((await read(caller, "/boards", token)).headers["x-ratelimit-reset"]) > world.clock.now().timestamp()
    switch(world, ratelimit_form="windows")
    assert (await read(caller, "/boards", token)).headers["x-ratelimit-limit"].startswith("1000, 1000;w=")


async def test_errors_may_say_failure_too(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    switch(world, says_failure=True)
    assert (await read(caller, "/boards/1", token)).json() == {"status": "failure", "code": 40, "message": "Board not found."}
    assert (await ask_token(caller, grant_type="refresh_token", refresh_token="dead")).json()["status"] == "failure"
    assert "status" not in (await read(caller, "/boards", token)).json()


async def test_a_code_may_live_shorter_and_another_redirect_uri_be_400(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, code_minutes=1, redirect_mismatch_is_400=True)
    code = await code_of(caller, "pinterest")
    assert error(await exchange(caller, "pinterest", code=code, redirect_uri="http://127.0.0.1/other")) == (400, 1)
    world.clock.forward(timedelta(minutes=1))
    assert error(await exchange(caller, "pinterest", code=code)) == (401, 283)


async def test_a_refusal_may_be_described(world: World, caller: httpx2.AsyncClient) -> None:
    plain = await caller.post(authorize("pinterest"), data=DENY)
    assert dict(parse_qsl(urlsplit(plain.headers["location"]).query)) == {"error": "access_denied", "state": "s"}
    switch(world, refusal_is_described=True)
    assert "error_description=" in (await caller.post(authorize("pinterest"), data=DENY)).headers["location"]


async def test_the_spam_block_may_have_another_status_or_be_known_by_its_detail(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    world.faults.add(Fault("429/8/spam"))
    told = await read(caller, "/boards", token)
    assert (error(told), "spam" in told.json()["message_detail"]) == ((429, 8), True)
    blocked = {"network": "pinterest", "turn": "spam_blocked", "person": "ada"}
    assert (await caller.post("/_sandbox/turns", json=blocked)).status_code == 204
    assert error(await read(caller, "/boards", token)) == (429, 9)
    switch(world, spam_is_403=True)
    assert error(await read(caller, "/boards", token)) == (403, 9)


async def test_a_token_of_the_host_for_trials_may_live_a_day(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, sandbox_tokens_live_a_day=True)
    trial, real = await token_of(caller, at=TRIALS), await token_of(caller)
    world.clock.forward(timedelta(days=1))
    assert error(await read(caller, "/user_account", trial, at=TRIALS)) == (401, 2)
    assert (await read(caller, "/user_account", real)).status_code == 200


async def test_a_leaked_token_ends(caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    assert (await caller.post("/_sandbox/turns", json={"network": "pinterest", "turn": "leaked", "person": "ada"})).status_code == 204
    assert error(await read(caller, "/user_account", token)) == (401, 2)
