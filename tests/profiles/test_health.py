"""How a profile stands, said by API and page: why, until when, what to do, and never more than the network has said."""

import json
from datetime import timedelta

import httpx2
import pytest

from hitchpost.tokens.service import State
from tests.support.house import NETWORKS, PUBLIC_URL, House
from tests.support.people import Town, settled_town

BAKERY = "101755847768001"
TWINS = {"facebook": "facebook", "instagram": "facebook", "x": "x", "linkedin": "linkedin", "pinterest": "pinterest"}


async def connected(town: Town, provider: str, *, picks: list[str] | None = None, login: str = "") -> list[dict[str, object]]:
    """Ada connects; her profiles as the API lists them."""
    browser = await town.browser("ada")
    await browser.attach(await browser.arrive(provider, town.lantern, login=login), picks)
    return await listed(town)


async def listed(town: Town) -> list[dict[str, object]]:
    api = town.house.api(await town.house.key(town.ada))
    found: list[dict[str, object]] = (await api.get(f"social-profiles?workspaceId={town.lantern}")).json()
    return found


async def health(town: Town, profile_id: object, *, check: bool = False, who: str = "") -> httpx2.Response:
    own = town.house.own(await town.house.key(who or town.ada))
    path, query = f"social-profiles/{profile_id}", f"?workspaceId={town.lantern}"
    return await (own.post(f"{path}/check{query}") if check else own.get(f"{path}/health{query}"))


@pytest.mark.parametrize("provider", NETWORKS)
async def test_a_healthy_profile_says_what_it_can_and_when_it_was_confirmed(town: Town, provider: str) -> None:
    (first, *_) = await connected(town, provider)
    said = (await health(town, first["id"])).json()
    assert said == first["healthDetails"]
    assert (said["state"], said["code"], said["message"], said["reconnectUrl"]) == ("healthy", None, None, None)
    assert said["can"] == ["read", "publish"]
    assert said["checkedAt"].startswith("2026-11-24T09:00")


@pytest.mark.parametrize(("provider", "ends_in"), [("facebook", 60), ("linkedin", 60)])
async def test_an_access_that_cannot_renew_itself_says_when_it_ends_and_how_to_keep_it(town: Town, provider: str, ends_in: int) -> None:
    (first, *_) = await connected(town, provider)
    town.house.forward(timedelta(days=ends_in - 5))
    said = (await health(town, first["id"])).json()
    assert (said["state"], said["code"], said["renews"], said["fixBy"]) == ("expiring", "access_expiring", False, "person")
    assert "2027" in said["message"]
    assert said["reconnectUrl"].startswith(
        f"{PUBLIC_URL}/api/social-connect/start?provider={provider}&workspaceId={town.lantern}&profileId="
    )
    page = await (await town.browser("ada")).open(f"/workspaces/{town.lantern}/profiles/{first['id']}")
    assert said["message"] in page.text
    town.house.forward(timedelta(days=6))
    assert (await health(town, first["id"])).json()["code"] == "access_expired"


async def test_facebook_longer_tokens_are_tried_by_themselves_and_keep_the_profile_healthy(town: Town) -> None:
    (first, *_) = await connected(town, "facebook")
    for _ in range(12):
        town.house.forward(timedelta(days=10))
        await town.house.services.tokens.renew_due()
    said = (await health(town, first["id"])).json()
    assert said["state"] in (State.HEALTHY, State.EXPIRING)
    assert "publish" in said["can"]


SAID = {"facebook": "190/458", "instagram": "190/458", "x": "invalid_request/token", "linkedin": "", "pinterest": "283"}
"""What each network itself calls it; LinkedIn is asked by introspection, whose answer has no code."""


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A22_what_a_person_took_back_is_found_by_asking_and_told_to_the_workspace(town: Town, provider: str) -> None:
    (first, *_) = await connected(town, provider)
    await town.house.befall(TWINS[provider], "revoked")
    said = (await health(town, first["id"], check=True)).json()
    assert (said["state"], said["code"], said["can"]) == ("reconnect_required", "access_revoked", [])
    assert said["message"]
    assert said["how"]
    events = await town.house.rows("SELECT subject, facts FROM events WHERE type = 'profile.reconnect_required'")
    told = {row["subject"]: json.loads(str(row["facts"])) for row in events}[str(first["id"])]
    assert (told["code"], told["network_code"]) == ("access_revoked", SAID[provider])


BLOCKS = [
    (
        "facebook",
        "checkpoint",
        "Facebook has blocked this account: it asks the person to sign in there and finish a security check.",
        "190/459",
    ),
    ("pinterest", "spam_blocked", "Pinterest has blocked this account: too many pins at once; it lifts this after some hours.", "9"),
]


@pytest.mark.parametrize(("provider", "turn", "message", "said"), BLOCKS)
async def test_what_a_network_blocks_is_told_in_the_catalogues_words_with_the_rows_way_on(
    town: Town, provider: str, turn: str, message: str, said: str
) -> None:
    (first, *_) = await connected(town, provider)
    await town.house.befall(TWINS[provider], turn)
    health_now = (await health(town, first["id"], check=True)).json()
    assert (health_now["code"], health_now["message"], health_now["fixBy"]) == ("account_blocked", message, "person")
    assert health_now["how"].startswith({"facebook": "Sign in at Facebook", "pinterest": "It passes by itself"}[provider])
    (event,) = await town.house.rows(f"SELECT facts FROM events WHERE type = 'profile.impaired' AND subject = '{first['id']}'")
    assert json.loads(str(event["facts"]))["network_code"] == said


TAKEN = [("facebook", "pages_manage_posts"), ("instagram", "instagram_content_publish"), ("linkedin", "w_member_social")]


@pytest.mark.parametrize(("provider", "scope"), TAKEN)
async def test_A22_a_permission_that_went_is_named(town: Town, provider: str, scope: str) -> None:
    (first, *_) = await connected(town, provider)
    await town.house.befall(TWINS[provider], "permission_gone", scope=scope)
    said = (await health(town, first["id"], check=True)).json()
    assert (said["state"], said["code"]) == ("missing_permissions", "permission_missing")
    assert said["missing"] == [scope]
    assert scope in said["message"]
    assert said["can"] == ["read"]


@pytest.mark.parametrize(("turn", "state"), [("page_removed", "reconnect_required"), ("role_lost", "missing_permissions")])
async def test_a_page_that_went_or_a_role_that_was_lost_is_found_on_schedule(any_house: House, turn: str, state: str) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, "facebook")
    bakery = next(one for one in profiles if one["name"] == "Lantern Bakery")
    await any_house.befall("facebook", turn, target=BAKERY)
    assert await any_house.services.tokens.examine_due() == 0
    any_house.forward(timedelta(days=1, hours=6))
    assert await any_house.services.tokens.examine_due() == len(profiles)
    stands = {one["name"]: one["health"] for one in await listed(town)}
    assert stands.pop("Lantern Bakery") == state
    assert set(stands.values()) <= {"healthy"}
    types = {row["type"] for row in await any_house.rows(f"SELECT type FROM events WHERE subject = '{bakery['id']}'")}
    assert "profile.impaired" in types


async def test_R6_a_network_that_is_down_changes_no_verdict(town: Town) -> None:
    profiles = await connected(town, "facebook")
    town.house.weather.trouble = lambda request: httpx2.ConnectError("down") if "graph.facebook.com" in str(request.url) else None
    town.house.forward(timedelta(days=1, hours=6))
    assert await town.house.services.tokens.examine_due() == len(profiles)
    assert {one["health"] for one in await listed(town)} == {"healthy"}
    town.house.weather.trouble = lambda _request: None
    town.house.forward(timedelta(hours=2))
    assert await town.house.services.tokens.examine_due() == len(profiles)


async def test_x_is_not_asked_on_schedule_for_each_look_is_billed(town: Town) -> None:
    (first,) = await connected(town, "x")
    seen: list[str] = []
    town.house.weather.trouble = lambda request: seen.append(str(request.url))
    town.house.clock.forward(timedelta(days=3))
    assert await town.house.services.tokens.examine_due() == 0
    assert seen == []
    assert first["health"] == "healthy"


async def test_a_suspended_account_is_said_to_be_so_and_recovers(town: Town) -> None:
    (first,) = await connected(town, "pinterest")
    await town.house.befall("pinterest", "disapproved")
    said = (await health(town, first["id"], check=True)).json()
    assert (said["state"], said["code"]) == ("missing_permissions", "account_blocked")
    await town.house.befall("pinterest", "restored")
    assert (await health(town, first["id"], check=True)).json()["state"] == "healthy"
    types = [row["type"] for row in await town.house.rows("SELECT type FROM events ORDER BY at, type")]
    assert {"profile.impaired", "profile.recovered"} <= set(types)


async def test_C1_C7_the_health_of_a_profile_is_for_its_workspace_alone(town: Town) -> None:
    (first,) = await connected(town, "x")
    for who in (town.cleo,):
        assert (await health(town, first["id"], who=who)).json()["code"] == "workspace_not_found"
    quills = town.house.own(await town.house.key(town.cleo))
    assert (await quills.get(f"social-profiles/{first['id']}/health?workspaceId={town.quill}")).json()["code"] == "profile_not_found"
    assert (await health(town, first["id"], who=town.vic)).status_code == 200
    assert (await health(town, first["id"], who=town.vic, check=True)).json()["code"] == "role_insufficient"
    for odd in ("x", "%00", "c" * 25, town.lantern):
        assert (await health(town, odd)).json()["code"] == "profile_not_found"
    page = f"/workspaces/{town.lantern}/profiles/{first['id']}"
    assert (await (await town.browser("cleo")).open(page)).code == "workspace_not_found"
    guest = await town.house.browser().open(page)
    assert guest.url.startswith(f"{PUBLIC_URL}/sign-in?to=profile")
