"""Disconnecting: said beforehand, done at once, ended at the network as soon as nobody needs it, and never more than that."""

import json
from datetime import timedelta

import httpx2
import pytest
from sqlalchemy import text

from hitchpost_sandbox.faults import Fault
from tests.profiles.test_health import connected, health, listed
from tests.support.holding import holding
from tests.support.house import NETWORKS, House
from tests.support.people import Town, settled_town
from tests.tokens.test_ledger import REVOKES, living


async def disconnected(town: Town, profile_id: object, who: str = "", workspace_id: str = "") -> httpx2.Response:
    own = town.house.own(await town.house.key(who or town.ada))
    return await own.delete(f"social-profiles/{profile_id}?workspaceId={workspace_id or town.lantern}")


@pytest.mark.parametrize("provider", NETWORKS)
async def test_E8_the_last_profile_takes_its_access_with_it(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, provider)
    for one in profiles[:-1]:
        answer = (await disconnected(town, one["id"])).json()
        assert (answer["access"], answer["state"]) == ("kept", "detached")
        assert living(any_house, provider)
    answer = (await disconnected(town, profiles[-1]["id"])).json()
    assert answer["access"] == ("revoked" if provider in REVOKES else "destroyed")
    assert bool(answer["removeApp"]) is (provider not in REVOKES)
    assert bool(living(any_house, provider)) is (provider not in REVOKES)
    assert await listed(town) == []
    assert await any_house.rows("SELECT * FROM token_sets") == []
    assert await any_house.rows("SELECT * FROM reaches WHERE sealed_token <> ''") == []
    assert (await disconnected(town, profiles[-1]["id"])).json()["code"] == "profile_not_found"
    events = await any_house.rows("SELECT type FROM events WHERE type = 'profile.detached'")
    assert len(events) == len(profiles)


async def test_A20_what_another_workspace_needs_lives_on_and_is_not_named(town: Town) -> None:
    (mine,) = await connected(town, "x")
    cleo = await town.browser("cleo")
    await cleo.attach(await cleo.arrive("x", town.quill))
    answer = (await disconnected(town, mine["id"])).json()
    assert (answer["access"], answer["keptFor"]) == ("kept", [])
    assert living(town.house, "x")
    api = town.house.api(await town.house.key(town.cleo))
    (theirs,) = (await api.get(f"social-profiles?workspaceId={town.quill}")).json()
    assert theirs["health"] == "healthy"


async def test_A20_facebook_and_instagram_of_one_consent_end_together_or_not_at_all(town: Town) -> None:
    await connected(town, "facebook")
    profiles = await connected(town, "instagram")
    for one in (one for one in profiles if one["provider"] == "facebook"):
        assert (await disconnected(town, one["id"])).json()["access"] == "kept"
    assert living(town.house, "facebook")


async def test_connecting_again_brings_the_same_profile_back(town: Town) -> None:
    (first,) = await connected(town, "pinterest")
    await disconnected(town, first["id"])
    (again,) = await connected(town, "pinterest")
    assert again["id"] == first["id"]


async def test_E8_a_network_that_is_down_is_asked_again_until_it_is_done(town: Town) -> None:
    (first,) = await connected(town, "x")
    town.house.weather.trouble = lambda request: httpx2.ConnectError("down") if "revoke" in str(request.url) else None
    assert (await disconnected(town, first["id"])).json()["access"] == "revoking"
    assert living(town.house, "x")
    town.house.weather.trouble = lambda _request: None
    town.house.clock.forward(timedelta(minutes=20))
    assert await town.house.services.tokens.sweep_abandoned() == 1
    assert not living(town.house, "x")
    assert await town.house.rows("SELECT * FROM token_sets") == []


async def test_E8_R6_after_an_outage_of_days_it_is_done_and_what_cannot_be_done_at_all_is_told_to_the_workspace(any_house: House) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, "x")
    any_house.weather.trouble = lambda request: httpx2.ConnectError("down") if "revoke" in str(request.url) else None
    assert (await disconnected(town, first["id"])).json()["access"] == "revoking"
    for _ in range(12):
        any_house.forward(timedelta(hours=6))
        assert await any_house.services.tokens.sweep_abandoned() == 0
    any_house.weather.trouble = lambda _request: None
    any_house.forward(timedelta(hours=6))
    assert await any_house.services.tokens.sweep_abandoned() == 1
    assert living(any_house, "x") == ()
    assert await any_house.rows("SELECT 1 FROM events WHERE type = 'profile.access_left'") == []
    (second,) = await connected(town, "x")
    any_house.weather.trouble = lambda request: httpx2.ConnectError("down") if "revoke" in str(request.url) else None
    await disconnected(town, second["id"])
    any_house.forward(timedelta(days=184))
    assert await any_house.services.tokens.sweep_abandoned() == 1
    assert await any_house.rows("SELECT 1 FROM token_sets") == []
    (told,) = await any_house.rows("SELECT workspace_id, subject, facts FROM events WHERE type = 'profile.access_left'")
    assert (told["workspace_id"], told["subject"]) == (town.lantern, second["id"])
    assert json.loads(str(told["facts"]))["code"] == "network_down"


async def test_E1_a_disconnect_whose_tokens_do_not_open_is_done_and_says_what_is_left_to_the_person(any_house: House) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, "x")
    await any_house.services.database.begin(lambda tx: tx.execute(text("UPDATE token_sets SET sealed = 'v1.one.AAAA'")))
    answer = await disconnected(town, first["id"])
    assert (answer.status_code, answer.json()["access"], answer.json()["state"]) == (200, "unreadable", "detached")
    assert "x.com/settings" in answer.json()["removeApp"]
    assert await listed(town) == []
    # The network tells the truth: nobody here could end it.
    assert living(any_house, "x")
    # Connecting again heals it, and what is given then can be given back.
    (again,) = await connected(town, "x")
    assert (await disconnected(town, again["id"])).json()["access"] == "revoked"


async def test_E1_the_page_too_says_that_the_tokens_do_not_open(town: Town) -> None:
    (first,) = await connected(town, "x")
    await town.house.services.database.begin(lambda tx: tx.execute(text("UPDATE token_sets SET sealed = 'v1.one.AAAA'")))
    browser = await town.browser("ada")
    page = await browser.open(f"/workspaces/{town.lantern}/profiles/{first['id']}/disconnect")
    done = await browser.submit(page, page.form("/disconnect"), [])
    assert "does not open any more" in done.text
    assert "x.com/settings" in done.text


async def test_E8_an_examination_under_way_writes_nothing_back_into_what_was_disconnected(any_house: House) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, "facebook")
    (page, *_) = await any_house.rows("SELECT external_id FROM reaches ORDER BY id")
    async with holding(
        any_house, health(town, profiles[0]["id"], check=True), network="facebook", path=f"/v*/{page['external_id']}", acts=True
    ) as checking:
        for one in profiles:
            await disconnected(town, one["id"])
        assert not living(any_house, "facebook")
    assert checking.result().json()["code"] == "profile_not_found"
    assert await any_house.rows("SELECT 1 FROM reaches WHERE sealed_token <> ''") == []
    assert await any_house.rows("SELECT 1 FROM token_sets") == []


async def test_E8_a_disconnected_pages_own_token_is_destroyed_though_its_neighbours_stay(any_house: House) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, "facebook")
    assert (await disconnected(town, profiles[0]["id"])).json()["access"] == "kept"
    sealed = await any_house.rows("SELECT b.profile_id FROM backings b JOIN reaches r ON r.id = b.reach_id WHERE r.sealed_token <> ''")
    assert {row["profile_id"] for row in sealed} == {one["id"] for one in profiles[1:]}
    any_house.forward(timedelta(days=1, hours=6))
    assert await any_house.services.tokens.examine_due() == len(profiles) - 1
    assert {one["health"] for one in await listed(town)} == {"healthy"}


async def test_E8_page_tokens_that_outlive_their_consent_end_with_the_profile(any_house: House) -> None:
    """A Page's token never expires by itself; with the person's own token run out, nothing but the app itself can end it."""
    town = await settled_town(any_house)
    profiles = await connected(town, "facebook")
    any_house.forward(timedelta(days=61))
    assert {token.kind for token in living(any_house, "facebook")} == {"page"}
    answers = [(await disconnected(town, one["id"])).json() for one in profiles]
    assert [one["access"] for one in answers] == ["kept"] * (len(profiles) - 1) + ["revoked"]
    assert living(any_house, "facebook") == ()


SEVERING = {
    "x": ("/2/oauth2/token", 400, '{"error": "invalid_request", "error_description": "Value passed for the token was invalid."}'),
    "pinterest": ("/v5/oauth/token", 401, '{"code": 283, "message": "Your refresh token is invalid."}'),
}


@pytest.mark.parametrize("provider", SEVERING)
async def test_E8_what_was_severed_before_ends_at_its_network_or_says_where_it_lives_on(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, provider)
    path, status, body = SEVERING[provider]
    any_house.world.faults.add(Fault("answer", network=provider, path=path, status=status, body=body))
    any_house.forward(timedelta(days=25) if provider == "pinterest" else timedelta(minutes=100))
    assert await any_house.services.tokens.renew_due() == 1
    assert await any_house.rows("SELECT g.state, b.state AS backing FROM grants g, backings b") == [
        {"state": "reconnect", "backing": "severed"}
    ]
    page = await (await town.browser("ada")).open(f"/workspaces/{town.lantern}/profiles/{first['id']}/disconnect")
    answer = (await disconnected(town, first["id"])).json()
    if provider in REVOKES:
        assert (answer["access"], answer["removeApp"]) == ("revoked", None)
        assert living(any_house, provider) == ()
    else:
        assert answer["access"] == "destroyed"
        assert "pinterest.com" in answer["removeApp"]
        assert "does not let a server give it back" in page.text
    assert await any_house.rows("SELECT 1 FROM token_sets") == []


@pytest.mark.parametrize("provider", ["x", "pinterest"])
async def test_E8_what_had_ended_before_is_told_as_its_network_lets_it_end(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, provider)
    await any_house.services.tokens.emergency.revoke_all(lambda _done, _of: None)
    assert await any_house.rows("SELECT state FROM grants") == [{"state": "gone"}]
    answer = (await disconnected(town, first["id"])).json()
    assert (answer["access"], bool(answer["removeApp"])) == (("revoked", False) if provider in REVOKES else ("destroyed", True))


@pytest.mark.parametrize("provider", ["facebook", "instagram"])
async def test_A20_a_late_revoke_that_ends_a_newer_consent_as_well_is_told_to_all_at_once(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    house, cleo, (*others, last) = any_house, await town.browser("cleo"), await connected(town, provider)
    for one in others:
        await disconnected(town, one["id"])
    leaving = disconnected(town, last["id"])
    async with holding(house, leaving, network="facebook", path="/v*/permissions", method="DELETE") as left:
        again = await connected(town, provider)
        await cleo.attach(await cleo.arrive(provider, town.quill, person="ada"))
        assert living(house, provider)
    assert left.result().json()["access"] == "revoking"
    assert living(house, provider) == ()
    # Our call ended them all at the network; nobody is told that they live any longer than the next round takes.
    reaches, due = await house.rows("SELECT check_due_at FROM reaches"), await house.services.tokens.examine_due()
    assert due == len(reaches) == len(others) + 1
    assert {one["health"] for one in await listed(town)} == {"reconnect_required"}
    assert len(again) == len(reaches)
    told = await house.rows("SELECT DISTINCT workspace_id FROM events WHERE type = 'profile.reconnect_required'")
    assert {row["workspace_id"] for row in told} == {town.lantern, town.quill}


async def test_A20_disconnecting_waits_for_an_open_connection_and_the_access_ends_with_that(any_house: House) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, "x")
    ben = await town.browser("ben")
    choosing = await ben.arrive("x", town.lantern, person="ada")
    answer = (await disconnected(town, first["id"])).json()
    assert (answer["access"], answer["removeApp"]) == ("pending", None)
    assert living(any_house, "x")
    assert await any_house.services.tokens.sweep_abandoned() == 0
    await ben.submit(choosing, choosing.form("/cancel"), [])
    any_house.forward(timedelta(minutes=16))
    await any_house.services.tokens.sweep_abandoned()
    assert living(any_house, "x") == ()
    assert await any_house.rows("SELECT 1 FROM token_sets") == []


async def test_what_the_access_is_kept_for_is_named_with_its_network(town: Town) -> None:
    await connected(town, "facebook")
    profiles = await connected(town, "instagram", login="facebook")
    (gone, *stay) = sorted(profiles, key=lambda one: one["provider"] == "instagram")
    titles = {"facebook": "Facebook", "instagram": "Instagram"}
    answer = (await disconnected(town, gone["id"])).json()
    assert answer["access"] == "kept"
    assert sorted(answer["keptFor"]) == sorted(f"{one['name']} ({titles[str(one['provider'])]})" for one in stay)
    assert {one["provider"] for one in stay} == set(titles)


async def test_C7_only_admins_and_owners_disconnect(town: Town) -> None:
    (first,) = await connected(town, "x")
    for who in (town.ben, town.vic):
        assert (await disconnected(town, first["id"], who)).json()["code"] == "role_insufficient"
    assert (await disconnected(town, first["id"], town.cleo)).json()["code"] == "workspace_not_found"
    assert (await disconnected(town, first["id"], town.cleo, town.quill)).json()["code"] == "profile_not_found"
    assert living(town.house, "x")
    page = f"/workspaces/{town.lantern}/profiles/{first['id']}/disconnect"
    assert (await (await town.browser("ben")).open(page)).code == "role_insufficient"


@pytest.mark.parametrize("provider", NETWORKS)
async def test_the_page_says_what_it_means_before_and_what_was_done_after(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, provider)
    ada = await town.browser("ada")
    for left, one in reversed(list(enumerate(profiles))):
        home = await ada.open("/")
        assert f"/workspaces/{town.lantern}/profiles/{one['id']}" in ada.seen[-1]
        assert home.status == 200
        page = await ada.open(f"/workspaces/{town.lantern}/profiles/{one['id']}/disconnect")
        expected = "other profiles" if left else "revoked there" if provider in REVOKES else "does not let a server give it back"
        assert expected in page.text
        done = await ada.submit(page, page.form("/disconnect"), [])
        assert "Disconnected" in done.text
    assert await listed(town) == []
