"""What could differ between SQLite and PostgreSQL: the whole way, and many copies of a callback at once."""

import asyncio

from tests.support.house import House
from tests.support.people import settled_town


async def test_the_whole_way_on_either_database(any_house: House) -> None:
    town = await settled_town(any_house)
    browser = await town.browser("ada")
    for provider in ("facebook", "x", "linkedin"):
        assert (await browser.attach(await browser.arrive(provider, town.lantern))).code == ""
    found = await any_house.services.profiles.of_workspaces([town.lantern])
    assert {one.provider for one in found} == {"facebook", "x", "linkedin"}
    assert await any_house.services.profiles.of_workspaces([town.quill]) == ()


async def test_A15_fifty_copies_of_a_callback_redeem_the_code_once(any_house: House) -> None:
    town = await settled_town(any_house)
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    pages = await asyncio.gather(*(browser.open(back) for _ in range(50)))
    assert len({page.url for page in pages}) == 1
    assert len(any_house.ledger.read(what="code_redeemed")) == 1
    assert any_house.ledger.read(what="code_refused") == ()
    done = await browser.attach(await browser.settle(pages[0]))
    assert done.code == ""
