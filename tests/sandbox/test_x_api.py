"""X's API for whoever asks more than who the token speaks for: lookups, fields, limits, and what an app or its owner has in the way."""

from dataclasses import replace
from datetime import timedelta

import httpx2
import pytest

from hitchpost_sandbox.apps import X_APP, Option
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.ways import authorize, code_of, connected, exchange, read

ME = "/api.x.com/2/users/me"
ADA_ID, BEN_ID, PIET_ID = "1850000000000000101", "1850000000000000201", "1850000000000000501"
BASIC = httpx2.BasicAuth(X_APP.client_id, X_APP.client_secret)


def switch(world: World, **options: Option) -> None:
    world.register(replace(X_APP, options=options))


async def token_of(caller: httpx2.AsyncClient, scope: str = "tweet.read users.read") -> str:
    found: str = (await exchange(caller, "x", code=await code_of(caller, "x", scope=scope))).json()["access_token"]
    return found


async def app_token(caller: httpx2.AsyncClient) -> str:
    answer = await caller.post("/api.twitter.com/oauth2/token", data={"grant_type": "client_credentials"}, auth=BASIC)
    assert answer.json()["token_type"] == "bearer"
    found: str = answer.json()["access_token"]
    return found


def slug(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].rpartition("/")[2]


# Who is asked for.


async def test_others_are_found_by_id_and_by_name_alone_or_many(caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    ben = {"id": BEN_ID, "name": "Ben Harbour", "username": "benharbour"}
    for path in (f"/2/users/{BEN_ID}", "/2/users/by/username/BenHarbour"):
        assert (await read(caller, f"/api.x.com{path}", token)).json() == {"data": ben}
    many = (await read(caller, f"/api.x.com/2/users?ids={BEN_ID},{ADA_ID}", token)).json()["data"]
    assert [one["username"] for one in many] == ["benharbour", "adalantern"]
    some = (await read(caller, "/api.twitter.com/2/users/by?usernames=benharbour,nobody", token)).json()
    assert some["data"] == [ben]
    assert some["errors"][0]["value"] == "nobody"


@pytest.mark.parametrize(("wanted", "title"), [("1", "Not Found Error"), (PIET_ID, "Forbidden")])
async def test_who_is_not_there_or_suspended_is_200_with_nothing_but_errors(caller: httpx2.AsyncClient, wanted: str, title: str) -> None:
    answer = await read(caller, f"/api.x.com/2/users/{wanted}", await token_of(caller))
    assert (answer.status_code, set(answer.json())) == (200, {"errors"})
    error = answer.json()["errors"][0]
    assert (error["title"], error["resource_id"], error["type"].rpartition("/")[2]) == (title, wanted, "resource-not-found")


@pytest.mark.parametrize(
    ("path", "parameter"),
    [
        ("/2/users/ada", "id"),
        ("/2/users/by/username/too-long-for-a-name", "username"),
        ("/2/users", "ids"),
        (f"/2/users?ids={','.join(['1'] * 101)}", "ids"),
        ("/2/users/by", "usernames"),
        ("/2/users/me?shoe.fields=size", "shoe.fields"),
        ("/2/users/me?expansions=shoes", "expansions"),
    ],
)
async def test_what_makes_no_sense_names_the_parameter(caller: httpx2.AsyncClient, path: str, parameter: str) -> None:
    answer = await read(caller, f"/api.x.com{path}", await token_of(caller))
    assert slug(answer) == (400, "invalid-request")
    assert list(answer.json()["errors"][0]["parameters"]) == [parameter]


async def test_a_pinned_post_comes_along_when_it_is_expanded(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    shown = (await read(caller, ME, token, expansions="pinned_tweet_id")).json()
    assert shown["includes"]["tweets"][0]["id"] == shown["data"]["pinned_tweet_id"]
    assert "includes" not in (await read(caller, f"/api.x.com/2/users/{BEN_ID}", token, expansions="pinned_tweet_id")).json()
    assert (await read(caller, ME, token, expansions="pinned_post_id")).status_code == 200, "either name may be asked for"
    switch(world, new_field_names=True)
    answer = await read(caller, ME, token, expansions="pinned_post_id")
    assert answer.json()["includes"]["posts"][0]["id"] == answer.json()["data"]["pinned_post_id"]
    assert answer.headers["api-version"] == "2.167"


async def test_the_confirmed_address_needs_its_own_scope_and_is_nobody_elses_business(caller: httpx2.AsyncClient) -> None:
    query = {"user.fields": "confirmed_email"}
    token = await token_of(caller, "tweet.read users.read users.email")
    assert (await read(caller, ME, token, **query)).json()["data"]["confirmed_email"] == "ada@lantern.example"
    for path, value in ((ME, await token_of(caller)), (f"/api.x.com/2/users/{BEN_ID}", token)):
        shown = (await read(caller, path, value, **query)).json()
        assert "confirmed_email" not in shown["data"]
        assert shown["errors"][0]["type"].endswith("/not-authorized-for-field")


async def test_what_a_subscription_is_is_told_of_oneself_alone(caller: httpx2.AsyncClient) -> None:
    ask = {"user.fields": "subscription_type"}
    ben = (await exchange(caller, "x", code=await code_of(caller, "x", "ben"))).json()["access_token"]
    assert (await read(caller, ME, await token_of(caller), **ask)).json()["data"]["subscription_type"] == "Premium"
    assert "subscription_type" not in (await read(caller, f"/api.x.com/2/users/{ADA_ID}", ben, **ask)).json()["data"]


# Tokens of the app alone.


async def test_a_token_of_the_app_alone_looks_others_up_and_has_no_me(world: World, caller: httpx2.AsyncClient) -> None:
    token = await app_token(caller)
    assert token == await app_token(caller), "the same one until it is invalidated"
    assert (await read(caller, f"/api.x.com/2/users/{BEN_ID}", token)).json()["data"]["username"] == "benharbour"
    refused = await read(caller, ME, token)
    assert slug(refused) == (403, "unsupported-authentication")
    assert refused.json()["title"] == "Unsupported Authentication"
    assert world.ledger.count(What.CALL, app=X_APP.client_id, path="/2/users/me", status=403) == 1
    assert (await caller.get("/_sandbox/consents")).status_code == (await caller.get("/")).status_code == 200


async def test_a_token_of_the_app_alone_needs_its_keys_and_the_word(caller: httpx2.AsyncClient) -> None:
    form = {"grant_type": "client_credentials"}
    stranger = await caller.post("/api.x.com/oauth2/token", data=form, auth=httpx2.BasicAuth(X_APP.client_id, "wrong"))
    assert (stranger.status_code, stranger.json()["errors"][0]["code"]) == (403, 99)
    silent = await caller.post("/api.x.com/oauth2/token", data={}, auth=BASIC)
    assert (silent.status_code, silent.json()["errors"][0]["code"]) == (403, 170)


# Headers.


async def test_every_answer_says_what_is_left_who_may_what_and_its_own_number(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    answers = [
        await read(caller, ME, token),
        await read(caller, ME, "nothing"),
        await read(caller, ME, token, **{"user.fields": "shoe_size"}),
        await read(caller, f"/api.x.com/2/users/{BEN_ID}", token),
    ]
    assert [one.headers["x-rate-limit-limit"] for one in answers] == ["75", "75", "75", "900"]
    assert all(int(one.headers["x-rate-limit-reset"]) > world.clock.now().timestamp() for one in answers)
    assert [one.headers["x-rate-limit-remaining"] for one in answers] == ["74", "74", "73", "899"]
    assert len({one.headers["x-transaction-id"] for one in answers}) == len(answers)
    assert not any(name.startswith(("x-user-limit", "x-app-limit")) for one in answers for name in one.headers)


@pytest.mark.parametrize(
    ("scope", "level"),
    [
        ("tweet.read users.read", "read"),
        ("tweet.read users.read tweet.write", "read-write"),
        ("tweet.read users.read dm.read dm.write", "read-write-directmessages"),
    ],
)
async def test_the_access_level_stands_in_a_header(world: World, caller: httpx2.AsyncClient, scope: str, level: str) -> None:
    token = await token_of(caller, scope)
    assert (await read(caller, ME, token)).headers["x-access-level"] == level
    switch(world, read_only=True)
    assert (await read(caller, ME, token)).headers["x-access-level"] == "read"


async def test_a_daily_limit_outlasts_the_window_and_is_told_in_headers_of_its_own(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, daily_limit=2)
    token = await token_of(caller)
    answers = [await read(caller, ME, token) for _ in range(3)]
    assert [one.status_code for one in answers] == [200, 200, 429]
    assert [one.headers["x-user-limit-24hour-remaining"] for one in answers] == ["1", "0", "0"]
    assert answers[0].headers["x-app-limit-24hour-limit"] == "20"
    assert int(answers[2].headers["x-rate-limit-remaining"]) > 0
    assert int(answers[2].headers["x-user-limit-24hour-reset"]) > int(answers[2].headers["x-rate-limit-reset"])
    world.clock.forward(timedelta(minutes=15))
    token = await token_of(caller)
    assert (await read(caller, ME, token)).status_code == 429
    world.clock.forward(timedelta(days=1))
    assert (await read(caller, ME, await token_of(caller))).status_code == 200


# What the app's console or contract decides.


async def test_problems_are_of_the_older_host_or_of_the_newer_one(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    for host, options in (("api.twitter.com", {}), ("api.x.com", {"new_problem_host": True})):
        switch(world, **options)
        answer = await read(caller, ME, token, **{"user.fields": "shoe_size"})
        assert answer.json()["type"] == f"https://{host}/2/problems/invalid-request"
        world.faults.add(Fault("user-suspended"))
        assert (await read(caller, ME, token)).json()["type"] == f"https://{host}/2/problems/user-suspended"


async def test_only_enterprise_may_follow_and_its_credits_do_not_run_out(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller, "tweet.read users.read follows.write")
    follow, headers = f"/api.x.com/2/users/{ADA_ID}/following", {"authorization": f"Bearer {token}"}
    refused = await caller.post(follow, json={"target_user_id": BEN_ID}, headers=headers)
    assert slug(refused) == (403, "client-forbidden")
    assert refused.json()["errors"][0]["code"] == 453
    switch(world, enterprise=True, no_credits=True)
    assert (await caller.post(follow, json={"target_user_id": BEN_ID}, headers=headers)).json()["data"]["following"] is True
    other = await caller.post(f"/api.x.com/2/users/{BEN_ID}/following", json={"target_user_id": ADA_ID}, headers=headers)
    assert slug(other) == (400, "invalid-request")


@pytest.mark.parametrize(("options", "scope"), [({}, "Account"), ({"enterprise": True}, "Product")])
async def test_a_reached_spending_limit_says_whose_and_for_how_long(
    world: World, caller: httpx2.AsyncClient, options: dict[str, Option], scope: str
) -> None:
    switch(world, spending_limit=True, **options)
    answer = await read(caller, ME, await token_of(caller))
    assert slug(answer) == (429, "usage-capped")
    assert (answer.json()["period"], answer.json()["scope"]) == ("Monthly", scope)


async def test_an_app_in_development_is_for_its_testers_alone(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, testers="ada cleo")
    assert await code_of(caller, "x", "ada")
    stopped = await caller.post(authorize("x"), data={"person": "ben", "decision": "allow"})
    assert (stopped.status_code, "Something went wrong" in stopped.text) == (400, True)
    assert world.ledger.count(What.AUTHORIZE_REFUSED, reason="no_tester") == 1


async def test_scopes_may_be_withheld_and_the_answer_says_which_are_left(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, withholds="offline.access")
    pair = await connected(caller, "x")
    assert pair["scope"] == "tweet.read users.read"
    assert "refresh_token" not in pair


# What is not known of X, both ways.


async def test_a_dead_refresh_token_may_be_an_invalid_grant(world: World, caller: httpx2.AsyncClient) -> None:
    for options, error in (({}, "invalid_request"), ({"dead_token_is_invalid_grant": True}, "invalid_grant")):
        switch(world, **options)
        answer = await exchange(caller, "x", grant_type="refresh_token", refresh_token="nothing")
        assert (answer.status_code, answer.json()["error"]) == (400, error)


async def test_the_client_id_may_be_missed_in_the_body_though_basic_names_it(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, client_id_in_body=True)
    code = await code_of(caller, "x")
    answer = await exchange(caller, "x", code=code)
    assert answer.json()["error_description"] == "Missing required parameter [client_id]."
    assert (await exchange(caller, "x", code=code, client_id=X_APP.client_id)).status_code == 200


async def test_a_missing_scope_may_be_named(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller, "users.read")
    assert slug(await read(caller, ME, token)) == (403, "about:blank")
    switch(world, missing_scope_is_named=True)
    assert slug(await read(caller, ME, token)) == (403, "not-authorized-for-resource")


async def test_a_refusal_may_be_described(world: World, caller: httpx2.AsyncClient) -> None:
    deny = {"person": "ada", "decision": "deny"}
    assert "error_description" not in (await caller.post(authorize("x"), data=deny)).headers["location"]
    switch(world, refusal_is_described=True)
    assert "error=access_denied&error_description=" in (await caller.post(authorize("x"), data=deny)).headers["location"]


@pytest.mark.parametrize(
    ("word", "status", "code"),
    [("32", 401, 32), ("89", 401, 89), ("64", 403, 64), ("326", 403, 326), ("453", 403, 453), ("88", 429, 88)],
)
async def test_the_legacy_numbers_can_be_met_too(world: World, caller: httpx2.AsyncClient, word: str, status: int, code: int) -> None:
    token = await token_of(caller)
    world.faults.add(Fault(word, network="x"))
    answer = await read(caller, ME, token)
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (status, code)


async def test_an_unknown_client_may_be_400_as_some_report(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("invalid_client/400", path="/2/oauth2/token"))
    answer = await exchange(caller, "x", code="any")
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_client")


async def test_client_not_enrolled_names_the_client_and_where_to_enrol(world: World, caller: httpx2.AsyncClient) -> None:
    token = await token_of(caller)
    world.faults.add(Fault("client-not-enrolled"))
    scripted = (await read(caller, ME, token)).json()
    switch(world, not_enrolled=True)
    assert scripted == (await read(caller, ME, token)).json()
    assert (scripted["reason"], scripted["client_id"]) == ("client-not-enrolled", X_APP.client_id)
    assert scripted["registration_url"].startswith("https://")


async def test_a_method_that_a_path_does_not_take_is_a_problem_too(caller: httpx2.AsyncClient) -> None:
    answer = await caller.delete(ME)
    assert (answer.status_code, answer.json()["title"], answer.headers["allow"]) == (405, "Method Not Allowed", "GET")
    assert answer.headers["content-type"].startswith("application/problem+json")
