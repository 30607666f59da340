"""E9: an emergency stop is told where people and programs look, in words that are true: a stop loses nothing, an end of all access does."""

from collections.abc import Callable
from datetime import datetime

import httpx2
import pytest

from hitchpost.db.engine import Tx
from hitchpost.tokens import halting
from tests.profiles.test_health import connected, health, listed
from tests.security.outside import START
from tests.support.house import PUBLIC_URL
from tests.support.people import Town

SAID = {
    "halted": (halting.halt, "Nothing is lost. Ask whoever runs this server; it goes on when they say so."),
    "all_withdrawn": (halting.give_everything_back, "every profile has to be connected again"),
}
Stop = Callable[[Tx, datetime], object]


async def stop(town: Town, act: Stop) -> None:
    await town.house.services.database.begin(lambda tx: act(tx, town.house.clock.now()))


async def probe(town: Town) -> httpx2.Response:
    async with httpx2.AsyncClient(transport=town.house.wire, base_url=PUBLIC_URL) as client:
        return await client.get("/health")


@pytest.mark.parametrize("code", SAID)
async def test_E9_home_start_and_profile_pages_tell_what_is_stopped_and_what_becomes_of_it(town: Town, code: str) -> None:
    (first,) = await connected(town, "x")
    browser, (act, sentence) = await town.browser("ada"), SAID[code]
    pages = ["/", f"{START}?provider=x&workspaceId={town.lantern}", f"/workspaces/{town.lantern}/profiles/{first['id']}"]
    for path in pages:
        assert sentence not in (await browser.open(path)).text
    form = (await browser.open(pages[1])).form(START)
    await stop(town, act)
    for path in pages:
        page = await browser.open(path)
        assert (page.status, page.code) == (200, "")
        assert sentence in page.text
        assert ("Nothing is lost" in page.text) == (code == "halted")
    assert "Continue" not in (await browser.open(pages[1])).text
    refused = await browser.submit(await browser.open(pages[1]), form, [])
    assert (refused.status, refused.code) == (503, code)
    assert sentence in refused.text
    await town.house.services.database.begin(halting.resume)
    for path in pages:
        assert sentence not in (await browser.open(path)).text


@pytest.mark.parametrize("code", SAID)
async def test_E9_health_names_the_emergency_and_leaves_the_connections_own_state_alone(town: Town, code: str) -> None:
    (first,) = await connected(town, "x")
    before = (await health(town, first["id"])).json()
    assert (before["state"], before["can"], before["emergency"]) == ("healthy", ["read", "publish"], None)
    assert (await probe(town)).json().keys() == {"status", "providers"}
    await stop(town, SAID[code][0])
    assert (await health(town, first["id"])).json() == {**before, "can": [], "emergency": code}
    assert (await listed(town))[0]["healthDetails"] == {**before, "can": [], "emergency": code}
    answer = await probe(town)
    assert (answer.status_code, answer.json()["status"], answer.json()["emergency"]) == (200, "ok", code)
    checked = await health(town, first["id"], check=True)
    assert (checked.status_code, checked.json()["code"]) == (503, code)
    await town.house.services.database.begin(halting.resume)
    assert (await health(town, first["id"])).json() == before


async def test_E9_the_call_for_a_connection_url_keeps_its_shape_under_a_stop(town: Town) -> None:
    api = town.house.api(await town.house.key(town.ada))
    await stop(town, halting.halt)
    answer = await api.post(f"social-profiles/connection-url?workspaceId={town.lantern}", json={"provider": "x"})
    assert (answer.status_code, answer.json().keys()) == (200, {"url"})


async def test_E9_who_was_held_up_by_a_stop_is_told_when_all_access_is_ended_after_it(town: Town) -> None:
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    arrived = await browser.open(back)
    page = await browser.settle(arrived)
    await stop(town, halting.halt)
    again = await browser.attach(page)
    assert (again.code, "Nothing is lost" in again.text) == ("halted", True)
    await stop(town, halting.give_everything_back)
    again = await browser.attach(page)
    assert (again.code, "Nothing is lost" in again.text) == ("all_withdrawn", False)
