"""E9: connections under way in an emergency: nothing comes of them when everything is given back, nothing is lost by a plain stop."""

import pytest

from hitchpost.errors import CATALOGUE
from hitchpost.tokens import halting
from hitchpost.tokens.revoke import Fate
from tests.profiles.test_health import connected, listed
from tests.support.holding import holding
from tests.support.house import House
from tests.support.people import settled_town
from tests.tokens.test_ledger import living


def unheard(_done: int, _of: int) -> None:
    """Nobody watches."""


@pytest.mark.parametrize("known", [False, True], ids=["first", "again"])
async def test_E9_a_consent_that_arrives_while_everything_is_given_back_is_given_back_too(any_house: House, known: bool) -> None:
    town = await settled_town(any_house)
    if known:
        await connected(town, "x")
    emergency, browser = any_house.services.tokens.emergency, await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    async with holding(any_house, browser.open(back), network="x", path="/2/oauth2/token", acts=True) as arriving:
        assert await emergency.revoke_all(unheard) == ({Fate.REVOKED: 1} if known else {})
    page = await browser.settle(arriving.result())
    assert page.code == "all_withdrawn"
    assert "Nothing is lost" not in page.text
    trips = await any_house.rows("SELECT status, code, sealed_verifier FROM authorization_requests WHERE status <> 'attached'")
    assert trips == [{"status": "failed", "code": "all_withdrawn", "sealed_verifier": ""}]
    assert await any_house.services.tokens.sweep_abandoned() == 1
    assert living(any_house, "x") == ()
    assert await any_house.rows("SELECT 1 FROM token_sets") == []
    assert {one["health"] for one in await listed(town)} <= {"reconnect_required"}
    # It has ended for good: going on later begins anew, and connects.
    await any_house.services.database.begin(halting.resume)
    assert (await browser.open(page.url.partition("#")[0])).code == "all_withdrawn"
    assert {one["health"] for one in await connected(town, "x")} == {"healthy"}


async def test_E9_a_consent_that_arrives_under_a_plain_stop_goes_on_when_somebody_resumes(any_house: House) -> None:
    town = await settled_town(any_house)
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    async with holding(any_house, browser.open(back), network="x", path="/2/oauth2/token", acts=True) as arriving:
        await any_house.services.database.begin(lambda tx: halting.halt(tx, any_house.clock.now()))
    page = await browser.settle(arriving.result())
    assert living(any_house, "x")
    (grant,) = await any_house.rows("SELECT state FROM grants")
    assert grant["state"] == "live"
    await any_house.services.database.begin(halting.resume)
    await any_house.services.engine.run_due()
    page = await browser.settle(await browser.open(page.url.partition("#")[0]))
    # The look was refused, and nothing but the look: no new consent is needed.
    assert page.code == "halted"
    page = await browser.settle(await browser.submit(page, page.form("/look"), []))
    assert (await browser.attach(page)).code == ""
    assert {one["health"] for one in await listed(town)} == {"healthy"}
    assert any_house.ledger.count("consent_given") == 1


async def test_E9_everything_given_back_says_who_has_ended_it(any_house: House) -> None:
    town = await settled_town(any_house)
    await connected(town, "x")
    await any_house.services.tokens.emergency.revoke_all(unheard)
    (profile,) = await listed(town)
    assert profile["healthDetails"]["code"] == "access_withdrawn"  # type: ignore[index]
    assert CATALOGUE["access_withdrawn"].way.startswith("Ask whoever runs this server")
