"""Looking now, asked by people: a ban holds for them too, trouble is told and changes nothing, and access that stays refused has ended."""

import asyncio
from collections.abc import Mapping
from datetime import timedelta

import httpx2
import pytest

from hitchpost.tokens import halting
from hitchpost_sandbox.faults import Fault
from tests.profiles.test_health import connected, health, listed
from tests.support.house import House
from tests.support.people import Town, settled_town


@pytest.mark.parametrize("provider", ["x", "facebook"])
async def test_R17_checks_by_people_keep_to_a_ban(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    (first, *_) = await connected(town, provider)
    ban = any_house.world.faults.add(Fault("rate_limit", network=provider, times=0))
    before = any_house.ledger.count("call", network=provider)
    answers = [await health(town, first["id"], check=True, who=town.ben) for _ in range(10)]
    assert {(one.status_code, one.json()["code"]) for one in answers} == {(502, "network_throttled")}
    assert any_house.ledger.count("call", network=provider) - before == 1
    any_house.world.faults.remove(ban.id)
    # The sandbox's clock is a day ahead of ours, and X names the end of its ban by the clock.
    any_house.forward(timedelta(days=2))
    assert (await health(town, first["id"], check=True, who=town.ben)).json()["state"] == "healthy"


async def test_R17_bans_that_are_over_are_not_held_against_the_scheduled_looks(town: Town) -> None:
    """What once failed five times in a row is asked by one call alone, until one has gone well; then all go again."""
    house, profiles = town.house, await connected(town, "facebook")
    for _ in range(6):
        house.world.faults.add(Fault("rate_limit", network="facebook"))
        assert (await health(town, profiles[0]["id"], check=True)).status_code == 502
        house.forward(timedelta(hours=2))
    assert (await health(town, profiles[0]["id"], check=True)).json()["state"] == "healthy"
    house.forward(timedelta(days=1, hours=6))
    assert await house.services.tokens.examine_due() == len(profiles) > 1


TROUBLE: Mapping[str, tuple[httpx2.Response | Exception, str]] = {
    "down": (httpx2.ConnectError("down"), "network_down"),
    "503": (httpx2.Response(503, content=b"<html>Service Unavailable</html>"), "network_trouble"),
    "429": (httpx2.Response(429), "network_throttled"),
    "no answer": (httpx2.Response(200, content=b"<html>Hello</html>"), "network_unintelligible"),
    "190 as 500": (httpx2.Response(500, json={"error": {"code": 190, "error_subcode": 460, "message": "x"}}), "network_trouble"),
}


@pytest.mark.parametrize("met", TROUBLE)
async def test_H2_a_check_answers_the_networks_trouble_and_the_profile_stands_as_before(town: Town, met: str) -> None:
    profiles, (trouble, code) = await connected(town, "facebook"), TROUBLE[met]
    events = await town.house.rows("SELECT id FROM events WHERE type LIKE 'profile.%'")
    town.house.weather.trouble = lambda _request: trouble
    answer = await health(town, profiles[0]["id"], check=True)
    assert (answer.status_code, answer.json()["code"], answer.json()["provider"]) == (502, code, "facebook")
    assert await listed(town) == profiles
    assert await town.house.rows("SELECT id FROM events WHERE type LIKE 'profile.%'") == events


async def test_H2_a_check_under_a_stop_answers_503(town: Town) -> None:
    (first,) = await connected(town, "x")
    await town.house.services.database.begin(lambda tx: halting.halt(tx, town.house.clock.now()))
    answer = await health(town, first["id"], check=True)
    assert (answer.status_code, answer.json()["code"]) == (503, "halted")
    await town.house.services.database.begin(halting.resume)
    assert await listed(town) == [first]


REFUSED = {
    "pinterest": ("/v5/user_account", 401, '{"code": 2, "message": "Authentication failed."}'),
    "facebook": ("/v*/me/permissions", 400, '{"error": {"code": 190, "error_subcode": 460, "message": "x"}}'),
}


@pytest.mark.parametrize("provider", REFUSED)
async def test_R6_new_tokens_that_are_refused_too_end_the_grant_after_one_renewal(any_house: House, provider: str) -> None:
    town, (path, status, body) = await settled_town(any_house), REFUSED[provider]
    await connected(town, provider)
    any_house.world.faults.add(Fault("answer", network=provider, path=path, status=status, body=body, times=0))
    before = any_house.ledger.count("call", network=provider)
    for _ in range(10):
        any_house.forward(timedelta(hours=12))
        await any_house.services.tokens.renew_due()
        await any_house.services.tokens.examine_due()
    # A look, the renewal that it asks for, a second look; then nobody asks any more.
    assert any_house.ledger.count("call", network=provider) - before == 3
    assert await any_house.rows("SELECT state, version FROM grants") == [{"state": "reconnect", "version": 2}]
    assert {one["health"] for one in await listed(town)} == {"reconnect_required"}


@pytest.mark.parametrize("met", ["", "facebook is down"])
async def test_R1_ten_checks_of_one_profile_at_once_cost_what_one_costs(any_house: House, met: str) -> None:
    town = await settled_town(any_house)
    (first, *_) = await connected(town, "facebook")
    key = await any_house.key(town.ada)
    if met:
        any_house.world.faults.add(Fault("server_error", network="facebook", times=0))
    own, path = any_house.own(key), f"social-profiles/{first['id']}/check?workspaceId={town.lantern}"

    async def cost(checks: int) -> tuple[int, set[tuple[int, str | None]]]:
        before = any_house.ledger.count("call", network="facebook")
        answers = await asyncio.gather(*(own.post(path) for _ in range(checks)))
        return any_house.ledger.count("call", network="facebook") - before, {(one.status_code, one.json()["code"]) for one in answers}

    one = await cost(1)
    # A look that the network has failed answers for a while who asks again.
    any_house.forward(timedelta(minutes=2))
    assert one[0] >= 1
    assert await cost(10) == one
    assert one[1] == ({(502, "network_trouble")} if met else {(200, None)})
