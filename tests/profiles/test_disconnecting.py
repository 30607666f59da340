"""Disconnecting: said beforehand, done at once, ended at the network as soon as nobody needs it, and never more than that."""

from datetime import timedelta

import httpx2
import pytest

from tests.profiles.test_health import connected, listed
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
async def test_the_page_says_what_it_means_before_and_what_was_done_after(town: Town, provider: str) -> None:
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
