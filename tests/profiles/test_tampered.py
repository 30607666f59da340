"""E1: tokens whose stored row was tampered with are told by check, lists and health, and called neither healthy nor revoked."""

from datetime import timedelta

import httpx2
import pytest

from tests.profiles.test_health import connected, health, listed
from tests.support.house import House
from tests.support.people import Town, settled_town

BROKEN = "v1.tests.AAAA"


async def sealed(house: House) -> str:
    (row,) = await house.rows("SELECT sealed FROM token_sets")
    return str(row["sealed"])


async def put(house: House, text: str) -> None:
    """Somebody changes the row past us: an attacker, a broken disk, or the operator with a backup."""
    await house.services.database.begin(lambda tx: tx.exec_driver_sql(f"UPDATE token_sets SET sealed = '{text}'"))


async def tampered(house: House, provider: str) -> tuple[Town, str, str]:
    """Ada's profile, and what was stored of its access before somebody changed it."""
    town = await settled_town(house)
    (first, *_) = await connected(town, provider)
    kept = await sealed(house)
    await put(house, BROKEN)
    return town, str(first["id"]), kept


async def told(town: Town, profile_id: str) -> tuple[object, object, object, object]:
    """What health and list say, which must be the same."""
    said = (await health(town, profile_id)).json()
    (row,) = [one for one in await listed(town) if one["id"] == profile_id]
    assert (row["health"], row["healthDetails"]) == (said["state"], said)
    return said["state"], said["code"], said["fixBy"], said["can"]


UNREADABLE: tuple[object, ...] = ("reconnect_required", "access_unreadable", "operator", [])
WELL: tuple[object, ...] = ("healthy", None, None, ["read", "publish"])


@pytest.mark.parametrize("provider", ["facebook", "x"])
async def test_E1_a_check_of_what_does_not_open_says_so_and_nothing_is_called_revoked(any_house: House, provider: str) -> None:
    town, profile_id, kept = await tampered(any_house, provider)
    asked = any_house.ledger.count("call")
    answer = await health(town, profile_id, check=True)
    body = answer.json()
    assert (answer.status_code, body["code"], body["fixBy"], body["retryable"], body["provider"]) == (
        500, "access_unreadable", "operator", False, provider,
    )  # fmt: skip
    assert BROKEN not in answer.text
    assert kept not in answer.text
    assert any_house.ledger.count("call") == asked
    assert await told(town, profile_id) == UNREADABLE
    assert await any_house.rows("SELECT state, cause, code FROM grants") == [{"state": "live", "cause": "", "code": ""}]
    assert await any_house.rows("SELECT 1 FROM backings WHERE state <> 'live'") == []
    assert await sealed(any_house) == BROKEN
    page = await (await town.browser("ada")).open(f"/workspaces/{town.lantern}/profiles/{profile_id}")
    assert "does not open" in page.text
    # The second answer is the first one.
    assert (await health(town, profile_id, check=True)).json()["code"] == "access_unreadable"


async def test_E1_a_restored_row_heals_at_the_next_check(any_house: House) -> None:
    town, profile_id, kept = await tampered(any_house, "facebook")
    await health(town, profile_id, check=True)
    await put(any_house, kept)
    assert (await health(town, profile_id, check=True)).json()["state"] == "healthy"
    assert await told(town, profile_id) == WELL


async def test_E1_a_restored_row_opens_whatever_the_network_says_then(any_house: House) -> None:
    town, profile_id, kept = await tampered(any_house, "facebook")
    await health(town, profile_id, check=True)
    await put(any_house, kept)
    any_house.weather.trouble = lambda _request: httpx2.ConnectError("down")
    assert (await health(town, profile_id, check=True)).status_code == 502
    assert await told(town, profile_id) == WELL


async def test_E1_a_new_consent_heals_it(any_house: House) -> None:
    town, profile_id, _ = await tampered(any_house, "x")
    await health(town, profile_id, check=True)
    await connected(town, "x")
    assert await told(town, profile_id) == WELL
    assert (await health(town, profile_id, check=True)).json()["state"] == "healthy"


async def test_E1_the_scheduled_look_finds_it_and_looks_at_the_others(town: Town) -> None:
    house = town.house
    (first,) = await connected(town, "pinterest")
    await put(house, BROKEN)
    others = [one for one in await connected(town, "facebook") if one["provider"] == "facebook"]
    house.forward(timedelta(days=1, hours=6))
    asked = house.ledger.count("call", network="facebook")
    assert await house.services.tokens.examine_due() == 1 + len(others)
    assert house.ledger.count("call", network="facebook") > asked
    assert await told(town, str(first["id"])) == UNREADABLE
    assert {str((await told(town, str(one["id"])))[0]) for one in others} == {"healthy"}


async def test_E1_a_renewal_that_falls_due_finds_it_and_doubts_nothing(any_house: House) -> None:
    town, profile_id, kept = await tampered(any_house, "x")
    any_house.forward(timedelta(minutes=100))
    assert await any_house.services.tokens.renew_due() == 0
    assert await told(town, profile_id) == UNREADABLE
    await put(any_house, kept)
    any_house.forward(timedelta(hours=6, minutes=1))
    # Nothing had been sent, so nothing is in doubt, and it is renewed like any other.
    assert await any_house.rows("SELECT doubts, claims FROM grants") == [{"doubts": 0, "claims": 0}]
    assert await any_house.services.tokens.renew_due() == 1
    assert await told(town, profile_id) == WELL
