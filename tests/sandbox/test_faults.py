"""Fault scripts: the calls they mean and no others, in the way they say, as often as they say, and the same for the same seed."""

import asyncio
from datetime import UTC, datetime
from urllib.parse import parse_qs, urlsplit

import httpx2
import pytest

from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import META_APP, X_APP
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.faults import Does, Fault, Faults, Spoilt
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.playing import NoAnswer
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World

BACK = "http://127.0.0.1:8420/back"
X_CONSENT = (
    f"/x.com/i/oauth2/authorize?response_type=code&client_id={X_APP.client_id}&redirect_uri={BACK}&state=s"
    "&scope=tweet.read+users.read+offline.access&code_challenge=challenge&code_challenge_method=plain"
)
X_AUTH = httpx2.BasicAuth(X_APP.client_id, X_APP.client_secret)
ME = "/api.x.com/2/users/me"


@pytest.fixture
def world() -> World:
    return World(clock=SandboxClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)), seed=7)


async def code_of(caller: httpx2.AsyncClient, person: str = "ada", page: str = X_CONSENT) -> str:
    sent = await caller.post(page, data={"person": person, "decision": "allow"})
    return parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]


async def redeemed(caller: httpx2.AsyncClient, code: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "code_verifier": "challenge",
        "client_id": X_APP.client_id,
    }
    return await caller.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH)


async def signed_in(caller: httpx2.AsyncClient, person: str = "ada") -> dict[str, str]:
    found: dict[str, str] = (await redeemed(caller, await code_of(caller, person))).json()
    return found


def bearer(pair: dict[str, str]) -> dict[str, str]:
    return {"authorization": f"Bearer {pair['access_token']}"}


async def test_the_next_call_that_fits_is_spoilt_and_the_one_after_is_not(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("server_error", path="/2/users/*"))
    pair = await signed_in(caller)
    statuses = [(await caller.get(ME, headers=bearer(pair))).status_code for _ in range(2)]
    assert statuses == [503, 200]
    assert world.ledger.count(What.FAULT) == 1


async def test_the_third_call_and_the_fourth(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    world.faults.add(Fault("rate_limit", path="/2/users/me", skip=2, times=2))
    answers = [await caller.get(ME, headers=bearer(pair)) for _ in range(5)]
    assert [one.status_code for one in answers] == [200, 200, 429, 429, 200]
    assert int(answers[2].headers["x-rate-limit-reset"]) > world.clock.now().timestamp()


async def test_every_call_until_the_fault_is_taken_away(world: World, caller: httpx2.AsyncClient) -> None:
    script = world.faults.add(Fault("html", network="x", times=0))
    answers = [await caller.get(ME) for _ in range(3)]
    assert {(one.status_code, one.headers["content-type"].partition(";")[0]) for one in answers} == {(502, "text/html")}
    assert world.faults.remove(script.id)
    assert (await caller.get(ME)).status_code == 401
    assert not world.faults.remove(script.id)


async def test_only_the_named_person_meets_it(world: World, caller: httpx2.AsyncClient) -> None:
    ada, ben = await signed_in(caller, "ada"), await signed_in(caller, "ben")
    world.faults.add(Fault("user-suspended", person="ben", times=0))
    assert (await caller.get(ME, headers=bearer(ada))).status_code == 200
    assert (await caller.get(ME, headers=bearer(ben))).status_code == 403


async def test_only_the_named_app_meets_it_by_basic_by_body_and_by_token(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("server_error", app=X_APP.client_id, times=0))
    assert (await caller.post("/api.x.com/2/oauth2/token", auth=X_AUTH)).status_code == 503
    assert (await caller.post("/api.x.com/2/oauth2/token", data={"client_id": X_APP.client_id})).status_code == 503
    assert (await caller.post("/api.x.com/2/oauth2/token", data={"client_id": "another"})).status_code == 401
    world.faults.add(Fault("server_error", app=META_APP.client_id))
    own = f"{META_APP.client_id}|{META_APP.client_secret}"
    answer = await caller.get("/graph.facebook.com/debug_token", params={"client_id": META_APP.client_id, "access_token": own})
    assert answer.status_code == 500


async def test_only_calls_with_these_fields_meet_it(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    world.faults.add(Fault("server_error", where={"grant_type": "refresh_token"}))
    assert (await redeemed(caller, await code_of(caller))).status_code == 200
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"], "client_id": X_APP.client_id}
    assert (await caller.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH)).status_code == 503


async def test_what_acts_first_has_acted_although_its_answer_says_otherwise(world: World, caller: httpx2.AsyncClient) -> None:
    code = await code_of(caller)
    world.faults.add(Fault("server_error", path="/2/oauth2/token", acts=True))
    assert (await redeemed(caller, code)).status_code == 503
    assert world.ledger.count(What.CODE_REDEEMED) == 1
    assert (await redeemed(caller, code)).json()["error_description"] == "Value passed for the authorization code was invalid."


async def test_a_truncated_answer_is_half_of_the_true_one(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    whole = await caller.get(ME, headers=bearer(pair))
    world.faults.add(Fault("truncated"))
    half = await caller.get(ME, headers=bearer(pair))
    assert (half.status_code, half.headers["content-type"]) == (200, whole.headers["content-type"])
    assert whole.content.startswith(half.content)
    assert len(half.content) == len(whole.content) // 2


async def test_an_answer_may_be_written_out(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("answer", status=418, headers={"x-odd": "yes"}, body='{"teapot":true}'))
    odd = await caller.get(ME)
    assert (odd.status_code, odd.headers["x-odd"], odd.json()) == (418, "yes", {"teapot": True})


async def test_within_one_process_an_answer_that_never_comes_is_an_error_of_its_own(world: World, caller: httpx2.AsyncClient) -> None:
    for does in (Does.DROP, Does.HANG):
        world.faults.add(Fault(does))
        with pytest.raises(NoAnswer, match=does):
            await caller.get(ME)
    assert [entry.facts["status"] for entry in world.ledger.read(what=What.CALL)] == [0, 0]


async def test_a_password_that_changes_at_the_next_call_kills_the_tokens_before_it_is_answered(
    world: World, caller: httpx2.AsyncClient
) -> None:
    pair = await signed_in(caller)
    world.faults.add(Fault("password_changed", path="/2/users/me", skip=1))
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 200
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401
    assert [entry.facts["turn"] for entry in world.ledger.read(what=What.TURN)] == ["password_changed"]


async def test_a_turn_and_an_answer_meet_the_same_call(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    world.faults.add(Fault("revoked"))
    world.faults.add(Fault("html"))
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 502
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401


async def test_a_turn_at_a_call_of_nobody_changes_nothing(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    world.faults.add(Fault("revoked"))
    assert (await caller.get(ME)).status_code == 401
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 200


def test_the_same_seed_spoils_the_same_calls_and_another_seed_others() -> None:
    def spoilt(seed: int) -> list[bool]:
        faults = Faults(seed)
        faults.add(Fault("html", chance=0.5, times=0))
        call = Spoilt("x", "api.x.com", "GET", "/2/users/me", {}, lambda: ("", ""))
        return [faults.meeting(call, turns=frozenset(), errors=frozenset())[1] is not None for _ in range(64)]

    assert spoilt(1) == spoilt(1)
    assert spoilt(1) != spoilt(2)
    assert 10 < sum(spoilt(1)) < 54


@pytest.mark.parametrize(
    "wrong",
    [{"does": ""}, {"does": "slow", "seconds": -1}, {"does": "html", "chance": 2}, {"does": "html", "status": 99}, {"does": "answer"}],
)
def test_a_fault_that_makes_no_sense_is_refused(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="'"):
        Fault(**wrong)  # type: ignore[arg-type]


# Over a real connection.


def test_a_connection_that_is_dropped_before_acting_leaves_the_code_as_it_was(world: World) -> None:
    with in_thread(build(world)) as url, httpx2.Client(base_url=url) as client:
        sent = client.post(X_CONSENT, data={"person": "ada", "decision": "allow"})
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": "challenge"}
        world.faults.add(Fault("drop", path="/2/oauth2/token"))
        with pytest.raises(httpx2.TransportError):
            client.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH)
        assert world.ledger.count(What.CODE_REDEEMED) == 0
        assert client.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH).status_code == 200


def test_an_answer_that_is_lost_was_given_all_the_same(world: World) -> None:
    with in_thread(build(world)) as url, httpx2.Client(base_url=url) as client:
        sent = client.post(X_CONSENT, data={"person": "ada", "decision": "allow"})
        code = parse_qs(urlsplit(sent.headers["location"]).query)["code"][0]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": "challenge"}
        world.faults.add(Fault("drop", path="/2/oauth2/token", acts=True))
        with pytest.raises(httpx2.TransportError):
            client.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH)
        assert world.ledger.count(What.CODE_REDEEMED) == 1
        assert client.post("/api.x.com/2/oauth2/token", data=form, auth=X_AUTH).status_code == 400


def test_a_caller_gives_up_on_a_network_that_hangs_and_the_sandbox_lives_on(world: World) -> None:
    with in_thread(build(world)) as url, httpx2.Client(base_url=url) as client:
        world.faults.add(Fault("hang"))
        with pytest.raises(httpx2.ReadTimeout):
            client.get(ME, timeout=0.2)
        world.faults.add(Fault("hang", seconds=0.05))
        with pytest.raises(httpx2.TransportError):
            client.get(ME, timeout=10)
        assert client.get(ME).status_code == 401


async def test_a_held_call_is_answered_when_it_is_let_go(world: World) -> None:
    with in_thread(build(world)) as url:
        async with httpx2.AsyncClient(base_url=url) as client:
            number = (await client.post("/_sandbox/faults", json={"does": "hold", "network": "x"})).json()["id"]

            waiting = asyncio.create_task(client.get(ME))
            while not (await client.get(f"/_sandbox/faults/{number}")).json()["holding"]:
                continue
            assert not waiting.done()
            assert (await client.delete(f"/_sandbox/faults/{number}")).status_code == 204
            assert (await waiting).status_code == 401


def test_a_slow_network_answers_in_the_end(world: World) -> None:
    with in_thread(build(world)) as url, httpx2.Client(base_url=url) as client:
        world.faults.add(Fault("slow", seconds=0.05))
        assert client.get(ME).status_code == 401
        assert world.ledger.count(What.FAULT, does="slow") == 1


async def test_a_proxys_page_says_its_own_status(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("html", network="x", status=504))
    answer = await caller.get(ME)
    assert answer.status_code == 504
    assert "<h1>504 Gateway Timeout</h1>" in answer.text
    assert "502" not in answer.text
    world.faults.add(Fault("html", network="x", status=599, headers={"retry-after": "7"}))
    answer = await caller.get(ME)
    assert (answer.status_code, answer.headers["retry-after"]) == (599, "7")
    assert "<h1>599</h1>" in answer.text


@pytest.mark.parametrize(("network", "path"), [("x", ME), ("linkedin", "/api.linkedin.com/v2/userinfo")])
async def test_a_body_that_says_its_status_says_the_one_that_was_asked_for(
    world: World, caller: httpx2.AsyncClient, network: str, path: str
) -> None:
    world.faults.add(Fault("server_error", network=network))
    usual = (await caller.get(path)).json()
    world.faults.add(Fault("server_error", network=network, status=502))
    answer = await caller.get(path)
    assert (answer.status_code, answer.json()["status"]) == (502, 502)
    assert usual["status"] != 502
    assert int(answer.headers["content-length"]) == len(answer.content)
    assert set(answer.json()) == set(usual)


async def test_a_word_that_only_one_network_has_becomes_that_networks(caller: httpx2.AsyncClient) -> None:
    made = (await caller.post("/_sandbox/faults", json={"does": "user-suspended"})).json()
    assert made["network"] == "x"
    assert (await caller.post("/_sandbox/faults", json={"does": "server_error"})).json()["network"] == ""


@pytest.mark.parametrize(
    ("ticked", "words"),
    [
        ({"shown": "target", "target": "page:1"}, "field 'target': 'page:1' is not known; nearest: page:"),
        ({"shown": "scope", "scope": "pages_show_lst"}, "field 'scope': 'pages_show_lst' is not known; nearest: pages_show_list"),
        ({"shown": "scopes"}, "field 'shown': 'scopes' is not known; nearest: scope"),
    ],
)
async def test_nobody_ticks_what_the_page_does_not_offer(
    world: World, caller: httpx2.AsyncClient, ticked: dict[str, str], words: str
) -> None:
    query = f"client_id={META_APP.client_id}&redirect_uri={BACK}&state=s&scope=public_profile,pages_show_list"
    page = f"/www.facebook.com/v25.0/dialog/oauth?{query}"
    answer = await caller.post(page, data={"person": "ada", "decision": "allow", **ticked})
    assert answer.status_code == 400
    assert words in answer.text
    assert "set-cookie" not in answer.headers
    assert world.ledger.count(What.CONSENT_GIVEN) == 0
    x = await caller.post(X_CONSENT, data={"person": "ada", "decision": "allow", "shown": "scope", "scope": "users.read"})
    assert (x.status_code, "nobody can untick a single permission" in x.text) == (400, True)
