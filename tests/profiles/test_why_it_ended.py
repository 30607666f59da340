"""A profile whose access has ended goes on saying why until somebody confirms it again; a check is offered where it can tell anything."""

from datetime import timedelta

import pytest

from hitchpost.demo.browser import FormOnPage
from hitchpost.demo.programs import DemoFailed
from hitchpost.tokens import halting
from tests.profiles.test_health import BAKERY, connected, health
from tests.support.house import House
from tests.support.people import Town, settled_town


@pytest.mark.parametrize("left", ["half way", "long ago"])
async def test_a_consent_without_a_choice_does_not_make_the_reason_forgotten(any_house: House, left: str) -> None:
    town = await settled_town(any_house)
    (first,) = await connected(town, "x")
    await any_house.befall("x", "revoked")
    before = (await health(town, first["id"], check=True)).json()
    assert (before["state"], before["code"]) == ("reconnect_required", "access_revoked")
    browser = await town.browser("ada")
    page = await browser.arrive("x", town.lantern)
    if left == "long ago":
        any_house.forward(timedelta(hours=2))
        await any_house.services.engine.run_due()
        await any_house.services.tokens.sweep_abandoned()
        assert await any_house.rows("SELECT 1 FROM token_sets") == []
    said = (await health(town, first["id"])).json()
    assert (said["state"], said["code"], said["message"]) == (before["state"], before["code"], before["message"])
    if left == "half way":
        # Also when it has been renewed meanwhile.
        any_house.forward(timedelta(minutes=10))
        await any_house.services.tokens.renew_due()
        assert (await health(town, first["id"])).json()["code"] == "access_revoked"
        assert (await browser.attach(page)).code == ""
        assert (await health(town, first["id"])).json()["state"] == "healthy"


async def offered(town: Town, profile_id: object) -> FormOnPage | None:
    page = await (await town.browser("ada")).open(f"/workspaces/{town.lantern}/profiles/{profile_id}")
    try:
        return page.form("/check")
    except DemoFailed:
        return None


async def calls(town: Town, profile_id: object) -> int:
    """How many calls to networks a check makes."""
    seen: list[str] = []
    town.house.weather.trouble = lambda request: seen.append(str(request.url))
    await health(town, profile_id, check=True)
    return len(seen)


async def test_check_now_is_offered_while_the_network_can_be_asked(town: Town) -> None:
    (first,) = await connected(town, "x")
    assert await offered(town, first["id"])
    await town.house.services.database.begin(lambda tx: halting.halt(tx, town.house.clock.now()))
    assert await offered(town, first["id"]) is None
    await town.house.services.database.begin(halting.resume)
    await town.house.befall("x", "revoked")
    assert (await health(town, first["id"], check=True)).json()["code"] == "access_revoked"
    assert await offered(town, first["id"]) is None
    assert await calls(town, first["id"]) == 0


async def test_check_now_is_offered_where_a_lost_page_may_be_seen_again(town: Town) -> None:
    profiles = await connected(town, "facebook")
    bakery = next(one for one in profiles if one["name"] == "Lantern Bakery")
    await town.house.befall("facebook", "page_removed", target=BAKERY)
    said = (await health(town, bakery["id"], check=True)).json()
    assert said["state"] == "reconnect_required"
    assert await offered(town, bakery["id"])
    assert await calls(town, bakery["id"]) > 0
