"""The network's answer: only the browser and person of the departure can use it, once, in time, for the network that was asked."""

import asyncio
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hitchpost.connect.states import MAX_OPEN
from hitchpost.demo.browser import refresh_target
from hitchpost.ids import new_token
from hitchpost.networks.oauth2 import challenge_of
from hitchpost.secret import Secret
from tests.security.outside import (
    CALLBACK,
    START,
    asked,
    assert_no_code_was_sent,
    attached,
    back_from,
    codes_sent,
    cookie_of,
    counts,
    leave,
    logins_of,
    lose_rights,
    picks,
    statuses,
    token_calls,
    visitor,
)
from tests.support.house import NETWORKS, PUBLIC_URL, Browser
from tests.support.people import Town

MARKUP = "<script>alert('x')</script><img src=x onerror=alert(1)>"
BY_PKCE, WITHOUT_PKCE = ("x",), ("facebook", "instagram", "linkedin", "pinterest")


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A3_a_forwarded_network_url_gives_the_attacker_nothing(town: Town, provider: str) -> None:
    cleo, ada = await town.browser("cleo"), await town.browser("ada")
    forwarded = await leave(cleo, provider, town.quill)
    back = await ada.consent(await ada.open(forwarded), "ada")
    for browser in (ada, town.house.browser()):
        page = await browser.open(back)
        assert (page.status, page.code) == (400, "other_browser")
    assert_no_code_was_sent(town.house)
    assert await attached(town.house, town.quill) == []
    assert await town.house.rows("SELECT id FROM grants") == []
    # The state was not used up by the wrong browser: whose it is can still finish.
    page = await cleo.settle(await cleo.open(await cleo.consent(await cleo.open(forwarded), "cleo")))
    assert picks(page)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A4_a_forged_callback_brings_nothing_into_the_victims_workspace(town: Town, provider: str) -> None:
    cleo, ada = await town.browser("cleo"), await town.browser("ada")
    forged = await back_from(cleo, provider, town.quill, "cleo")
    own = await back_from(ada, provider, town.lantern, "ada")
    page = await ada.open(forged)
    assert (page.status, page.code) == (400, "other_browser")
    invented = await ada.open(f"{CALLBACK}/{provider}?{urlencode({'code': asked(forged)['code'], 'state': new_token()})}")
    assert (invented.status, invented.code) == (400, "state_invalid")
    assert_no_code_was_sent(town.house)
    assert await attached(town.house, town.lantern) == []
    # Ada's own open flow went through all of it unharmed.
    assert (await ada.attach(await ada.settle(await ada.open(own)))).code == ""
    assert await attached(town.house, town.lantern)
    assert await attached(town.house, town.quill) == []


def _wrong_states(state: str) -> st.SearchStrategy[list[tuple[str, str]]]:
    """Queries in which `state` is anything but one exact value, and queries with that value but without exactly one code."""
    other = st.one_of(
        st.sampled_from(
            ["", " ", "null", "undefined", "true", "*", "%", "[]", "{}", "0", "\x00", state + " ", " " + state, state + "\x00"]
        ),
        st.sampled_from([state[:-1], state + "A", state.swapcase(), state * 4, state + "," + state, f'["{state}"]', f'"{state}"']),
        st.text(max_size=200).filter(lambda text: text != state),
    )
    names = st.sampled_from(["state[]", "state[0]", "State", "STATE", " state", "state ", "state.x", "_state", "session_state"])
    code = st.just([("code", "the-code")])
    wrong_state = st.one_of(
        st.just(list[tuple[str, str]]()),
        other.map(lambda value: [("state", value)]),
        st.tuples(names, st.just(state)).map(lambda pair: [pair]),
        st.lists(st.one_of(st.just(state), other), min_size=2, max_size=4).map(lambda values: [("state", value) for value in values]),
    )
    wrong_code = st.sampled_from(
        [[], [("code", "")], [("code", "the-code"), ("code", "the-code")], [("code", "the-code"), ("code", "")], [("code[]", "the-code")],
         [("Code", "the-code")], [("access_token", "the-code")], [("code", "the-code"), ("error", "access_denied")]]
    )  # fmt: skip
    return st.one_of(
        st.tuples(code, wrong_state).map(lambda parts: parts[0] + parts[1]), wrong_code.map(lambda parts: [*parts, ("state", state)])
    )


@pytest.fixture
async def ada(town: Town) -> Browser:
    """Ada's browser, one for all examples of a property: signing in costs a password's hash."""
    return await town.browser("ada")


@pytest.mark.parametrize("provider", NETWORKS)
@settings(max_examples=60, deadline=None, database=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
async def test_A5_a_callback_without_exactly_one_true_state_and_code_never_reaches_a_token_endpoint(
    town: Town, ada: Browser, provider: str, data: st.DataObject
) -> None:
    back = asked(await back_from(ada, provider, town.lantern))
    query = data.draw(_wrong_states(back["state"]))
    true = [(name, back["code"] if value == "the-code" else value) for name, value in query]
    page = await ada.settle(await ada.open(f"{CALLBACK}/{provider}?{urlencode(true)}"))
    assert page.status >= 400
    assert page.code
    assert_no_code_was_sent(town.house)
    assert await town.house.rows("SELECT id FROM grants") == []


def test_A6_states_are_256_random_bits_and_never_the_same() -> None:
    states = {new_token() for _ in range(100_000)}
    assert len(states) == 100_000
    assert {len(state) for state in states} == {43}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A6_what_leaves_for_the_network_is_such_a_state_and_only_its_hash_is_stored(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    states = [asked(await leave(browser, provider, town.lantern))["state"] for _ in range(3)]
    assert len(set(states)) == 3
    assert all(len(state) == 43 for state in states)
    stored = str(await town.house.rows("SELECT * FROM authorization_requests"))
    assert not [state for state in states if state in stored]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A6_a_state_is_dead_after_ten_minutes_and_alive_a_second_before(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    early, late = await back_from(browser, provider, town.lantern), await back_from(browser, provider, town.lantern)
    town.house.clock.forward(timedelta(minutes=9, seconds=59))
    assert (await browser.settle(await browser.open(early))).code == ""
    sent = codes_sent(town.house)
    assert sent == 1
    town.house.clock.forward(timedelta(seconds=1))
    page = await browser.settle(await browser.open(late))
    assert (page.status, page.code) == (400, "authorization_expired")
    assert codes_sent(town.house) == sent


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A6_a_state_is_used_once_and_an_overlong_one_is_not_looked_at(town: Town, provider: str) -> None:
    browser, other = await town.browser("ada"), await town.browser("ada")
    back = await back_from(browser, provider, town.lantern)
    await browser.attach(await browser.settle(await browser.open(back)))
    calls = token_calls(town.house)
    # The same browser is shown its own result; everybody else gets nothing; a code that follows is not sent.
    again = f"{CALLBACK}/{provider}?{urlencode({'code': 'another-code', 'state': asked(back)['state']})}"
    assert (await browser.settle(await browser.open(again))).code == ""
    assert (await other.open(back)).code == "other_browser"
    assert (await browser.open(f"{CALLBACK}/{provider}?code=c&state={'s' * 129}")).code == "state_invalid"
    assert token_calls(town.house) == calls


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A7_the_same_person_in_another_browser_and_another_person_in_the_same_browser_are_refused(town: Town, provider: str) -> None:
    first, second = await town.browser("ada"), await town.browser("ada")
    back = await back_from(first, provider, town.lantern)
    page = await second.open(back)
    assert (page.status, page.code) == (400, "other_browser")
    # Ben takes over Ada's browser without her signing out: her session and what it had open end.
    hers = cookie_of(first)
    await first.sign_in("ben@example.com")
    assert await statuses(town.house) == ["expired"]
    kept = await town.house.browser().client.get(f"{PUBLIC_URL}/", headers={"Cookie": f"hitchpost_session={hers}"}, follow_redirects=False)
    assert kept.headers["location"] == "/sign-in"
    page = await first.open(back)
    assert (page.status, page.code) == (400, "other_browser")
    # Nor does she get it back: with her session the flow ended.
    await first.sign_in("ada@example.com")
    page = await first.settle(await first.open(back))
    assert page.status == 400
    assert_no_code_was_sent(town.house)
    assert await attached(town.house, town.lantern) == []


async def test_A7_signing_out_ends_open_flows_and_signing_in_again_over_the_session_does_not(town: Town) -> None:
    browser = await town.browser("ada")
    back, old = await back_from(browser, "x", town.lantern), cookie_of(browser)
    await browser.sign_in("ada@example.com")
    assert cookie_of(browser) != old
    page = await browser.settle(await browser.open(back))
    assert picks(page)
    lost = await back_from(browser, "x", town.lantern)
    home = await browser.open("/")
    await browser.submit(home, home.form("/sign-out"), [])
    assert (await browser.open(lost)).code == "other_browser"
    assert await statuses(town.house) == ["expired", "expired"]
    assert codes_sent(town.house) == 1


@pytest.mark.parametrize("provider", BY_PKCE)
async def test_A8_a_stolen_code_in_the_thiefs_own_flow_fails_at_the_strict_network(town: Town, provider: str) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    stolen = asked(await back_from(ada, provider, town.lantern, "ada"))["code"]
    state = asked(await back_from(cleo, provider, town.quill, "cleo"))["state"]
    page = await cleo.settle(await cleo.open(f"{CALLBACK}/{provider}?{urlencode({'code': stolen, 'state': state})}"))
    assert page.code == "code_refused"
    assert [entry.facts["reason"] for entry in town.house.ledger.read(what="code_refused")] == ["wrong_verifier"]
    assert town.house.ledger.count("code_redeemed") == 0
    assert await attached(town.house, town.quill) == []


@pytest.mark.parametrize("provider", WITHOUT_PKCE)
async def test_A8_where_a_network_binds_no_code_nothing_is_attached_by_it_and_the_page_names_whose_it_is(town: Town, provider: str) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    stolen = asked(await back_from(ada, provider, town.lantern, "ada"))["code"]
    state = asked(await back_from(cleo, provider, town.quill, "cleo"))["state"]
    page = await cleo.settle(await cleo.open(f"{CALLBACK}/{provider}?{urlencode({'code': stolen, 'state': state})}"))
    assert "Approved at" in page.text
    assert "Ada" in page.text or "lantern" in page.text.lower()
    assert await attached(town.house, town.quill) == []


@pytest.mark.parametrize("provider", BY_PKCE)
async def test_A9_a_thousand_starts_have_a_thousand_challenges_all_s256(town: Town, provider: str) -> None:
    await town.browser("ada")
    who = await visitor(town.house, town.ada)
    queries = [asked((await town.house.services.flow.depart(provider, town.lantern, "", who)).url) for _ in range(1000)]
    assert len({query["code_challenge"] for query in queries}) == 1000
    assert {query["code_challenge_method"] for query in queries} == {"S256"}
    assert all(len(query["code_challenge"]) == 43 for query in queries)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A9_verifiers_are_long_fresh_and_sealed_and_sent_only_where_the_network_takes_them(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    queries = [asked(await leave(browser, provider, town.lantern)) for _ in range(2)]
    verifiers = [secret.reveal() for secret in await _verifiers(town)]
    assert len(set(verifiers)) == 2
    assert all(43 <= len(verifier) <= 128 for verifier in verifiers)
    offered = logins_of(town.house, provider)[0].oauth.pkce
    assert offered is (provider in BY_PKCE)
    assert {query.get("code_challenge", "") for query in queries} == ({challenge_of(one) for one in verifiers} if offered else {""})


async def _verifiers(town: Town) -> list[Secret]:
    rows = await town.house.rows("SELECT id, workspace_id, sealed_verifier FROM authorization_requests WHERE sealed_verifier <> ''")
    place = ("authorization_requests", "sealed_verifier")
    unseal = town.house.services.tokens.unseal
    return await town.house.services.database.read(
        lambda tx: [unseal(tx, str(one["workspace_id"]), *place, str(one["id"]), str(one["sealed_verifier"])) for one in rows]
    )


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A10_an_answer_delivered_to_another_networks_callback_is_refused(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    back = await back_from(browser, provider, town.lantern)
    for other in (one for one in NETWORKS if one != provider):
        page = await browser.open(back.replace(f"/callback/{provider}", f"/callback/{other}"))
        assert (page.status, page.code) == (400, "network_mismatch")
    assert_no_code_was_sent(town.house)
    assert picks(await browser.settle(await browser.open(back)))


@pytest.mark.parametrize("provider", NETWORKS)
@pytest.mark.parametrize("issuer", ["iss=https%3A%2F%2Fevil.example", "iss=a&iss=b"])
async def test_A10_an_issuer_that_is_not_the_networks_ends_the_flow_before_any_exchange(town: Town, provider: str, issuer: str) -> None:
    browser = await town.browser("ada")
    back = (await back_from(browser, provider, town.lantern)).partition("#")[0]
    page = await browser.settle(await browser.open(f"{back}&{issuer}"))
    assert (page.status, page.code) == (400, "network_mismatch")
    assert_no_code_was_sent(town.house)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A10_every_network_has_a_redirect_uri_of_its_own(town: Town, provider: str) -> None:
    left = await leave(await town.browser("ada"), provider, town.lantern)
    assert asked(left)["redirect_uri"].endswith(f"/api/social-connect/callback/{provider}")


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A11_head_and_prefetch_of_the_callback_change_nothing(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    back, before = await back_from(browser, provider, town.lantern), await counts(town.house)
    assert (await browser.client.head(back, follow_redirects=False)).status_code == 204
    for header in ("Sec-Purpose", "Purpose"):
        answer = await browser.client.get(back, headers={header: "prefetch"}, follow_redirects=False)
        assert "location" not in answer.headers
    assert await counts(town.house) == before
    assert await statuses(town.house) == ["departed"]
    assert_no_code_was_sent(town.house)
    assert picks(await browser.settle(await browser.open(back)))


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A14_an_error_without_a_known_state_changes_nothing_and_is_never_markup(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    await leave(browser, provider, town.lantern)
    said = {"error": f"access_denied{MARKUP}", "error_description": MARKUP, "error_uri": f"javascript:{MARKUP}", "error_reason": MARKUP}
    for state in ({}, {"state": MARKUP}, {"state": new_token()}):
        page = await browser.open(f"{CALLBACK}/{provider}?{urlencode(said | state)}")
        assert (page.status, page.code) == (400, "state_invalid")
        assert "<script>alert" not in browser.seen[-1]
        assert "onerror" not in browser.seen[-1]
    assert await statuses(town.house) == ["departed"]
    assert_no_code_was_sent(town.house)


@pytest.mark.parametrize("provider", NETWORKS)
@pytest.mark.parametrize("error", ["access_denied", MARKUP, "server_error"])
async def test_A14_an_error_with_the_true_state_ends_on_a_friendly_page_without_the_networks_markup(
    town: Town, provider: str, error: str
) -> None:
    browser = await town.browser("ada")
    state = asked(await leave(browser, provider, town.lantern))["state"]
    said = {"error": error, "error_description": MARKUP, "error_message": MARKUP, "error_reason": MARKUP, "state": state}
    page = await browser.settle(await browser.open(f"{CALLBACK}/{provider}?{urlencode(said)}"))
    assert page.code
    assert page.form("/again")
    assert "<script>alert" not in "".join(browser.seen)
    assert "onerror" not in "".join(browser.seen)
    assert await statuses(town.house) in (["cancelled"], ["failed"])
    assert_no_code_was_sent(town.house)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A15_fifty_copies_of_the_callback_redeem_the_code_once_and_all_see_the_same_result(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    back = await back_from(browser, provider, town.lantern)
    answers = await asyncio.gather(*(browser.client.get(back, follow_redirects=False) for _ in range(50)))
    assert {answer.status_code for answer in answers} == {303}
    assert len({answer.headers["location"] for answer in answers}) == 1
    assert town.house.ledger.count("code_redeemed") == 1
    assert town.house.ledger.count("code_refused") == 0
    page = await browser.settle(await browser.open(answers[0].headers["location"]))
    assert (await browser.attach(page)).code == ""
    api = town.house.api(await town.house.key(town.ada))
    listed = (await api.get(f"social-profiles?workspaceId={town.lantern}")).json()
    assert {one["health"] for one in listed} == {"healthy"}


async def test_A16_of_two_hundred_opened_flows_the_newest_live_and_the_cookie_stays_small(town: Town) -> None:
    browser = await town.browser("ada")
    who, first = await visitor(town.house, town.ada), await back_from(browser, "x", town.lantern)
    for number in range(198):
        town.house.clock.forward(timedelta(milliseconds=1))
        await town.house.services.flow.depart(NETWORKS[number % 5], town.lantern, "", who)
    newest = await back_from(browser, "x", town.lantern)
    assert (await statuses(town.house)).count("departed") == MAX_OPEN
    assert len(cookie_of(browser)) < 100
    assert len(list(browser.client.cookies.jar)) < 5
    page = await browser.settle(await browser.open(first))
    assert page.code == "authorization_superseded"
    assert codes_sent(town.house) == 0
    assert (await browser.attach(await browser.settle(await browser.open(newest)))).code == ""
    # Nobody else's flows are pushed out by Ada's.
    ben = await town.browser("ben")
    assert (await ben.open(await back_from(ben, "facebook", town.lantern, "ben"))).code == ""


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A23_tokens_that_the_browser_brings_are_not_looked_at(town: Town, provider: str) -> None:
    cleo, ada = await town.browser("cleo"), await town.browser("ada")
    await cleo.attach(await cleo.arrive(provider, town.quill, "cleo"))
    authority = town.house.world.authority(logins_of(town.house, provider)[0].authority)
    foreign = authority.living(person="cleo")[0].value
    brought = urlencode({"access_token": foreign, "id_token": foreign, "token": foreign, "refresh_token": foreign, "expires_in": "9"})
    state = asked(await leave(ada, provider, town.lantern))["state"]
    sent = codes_sent(town.house)
    page = await ada.settle(await ada.open(f"{CALLBACK}/{provider}?{urlencode({'state': state})}&{brought}"))
    assert page.status >= 400
    assert codes_sent(town.house) == sent
    # Beside a true code they change nothing either: whose profiles it lists is decided by our own call.
    back = (await back_from(ada, provider, town.lantern, "ada")).partition("#")[0]
    page = await ada.settle(await ada.open(f"{back}&{brought}"))
    chosen = [("pick", key) for key in picks(page)]
    assert (await ada.submit(page, page.form("/attach"), [*chosen, ("access_token", foreign)])).code == ""
    assert not set(await attached(town.house, town.lantern)) & set(await attached(town.house, town.quill))


@pytest.mark.parametrize("provider", NETWORKS)
@pytest.mark.parametrize("change", ["demoted", "removed", "struck", "deactivated"])
async def test_A25_C12_who_loses_the_right_on_the_way_brings_nothing_back(town: Town, provider: str, change: str) -> None:
    browser = await town.browser("ben")
    back = await back_from(browser, provider, town.lantern, "ben")
    await lose_rights(town, change)
    page = await browser.settle(await browser.open(f"{back.partition('#')[0]}&workspaceId={town.quill}"))
    assert (page.status, page.code) == ((400, "other_browser") if change == "deactivated" else (403, "rights_lost"))
    assert_no_code_was_sent(town.house)
    assert await counts(town.house) == await counts(town.house) | {"grants": 0, "profiles": 0}


async def test_A1_A25_the_start_form_acts_on_its_own_workspace_whatever_the_address_says(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.start("x", town.lantern)
    moving = await browser.post(f"{START}?workspaceId={town.quill}&provider=facebook", dict(page.form(START).fields))
    assert asked(refresh_target(moving))["redirect_uri"].endswith("/x")
    assert [row["workspace_id"] for row in await town.house.rows("SELECT workspace_id FROM authorization_requests")] == [town.lantern]
