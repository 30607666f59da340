"""A shredded workspace's access ends as far as each network allows, and what is said of it is what happened there."""

import httpx2
import pytest
from sqlalchemy import text

from hitchpost.cli.safety import told
from tests.faults.held import until
from tests.profiles.test_health import connected, listed
from tests.support.holding import holding
from tests.support.house import NETWORKS, House
from tests.support.people import Town, settled_town
from tests.tokens.test_ledger import REVOKES, living

TITLES = {"pinterest": "Pinterest"}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_E8_only_what_ended_at_its_network_is_said_to_be_given_back(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    profiles = await connected(town, provider)
    line = told(await any_house.services.shredding.shred(town.lantern))
    assert bool(living(any_house, provider)) is (provider not in REVOKES)
    if provider in REVOKES:
        assert line == f"{len(profiles)} disconnected, 1 given back."
    else:
        there = f"no way to take access back at {TITLES[provider]}: people remove the app there"
        assert line == f"{len(profiles)} disconnected, 0 given back, 1 destroyed here only ({there})."
    assert await any_house.rows("SELECT * FROM token_sets") == []
    assert told(await any_house.services.shredding.shred(town.lantern)) == "0 disconnected, 0 given back."


@pytest.mark.parametrize("provider", ["facebook", "x"])
async def test_E8_what_is_being_connected_is_given_back_as_well(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    page = await (await town.browser("ada")).arrive(provider, town.lantern)
    assert page.form("/attach")
    assert told(await any_house.services.shredding.shred(town.lantern)) == "0 disconnected, 1 given back."
    assert not living(any_house, provider)
    assert await any_house.rows("SELECT * FROM token_sets") == []


async def test_A20_what_another_workspace_needs_is_not_said_to_be_given_back(town: Town) -> None:
    await connected(town, "x")
    cleo = await town.browser("cleo")
    await cleo.attach(await cleo.arrive("x", town.quill))
    assert told(await town.house.services.shredding.shred(town.lantern)) == "1 disconnected, 0 given back."
    assert living(town.house, "x")


async def test_E8_a_shredded_workspace_stays_is_marked_and_may_be_connected_anew(town: Town) -> None:
    await connected(town, "x")
    before = await town.house.services.workspaces.every_workspace()
    await town.house.services.shredding.shred(town.lantern)
    marked = {one: at for one, _, at in await town.house.services.workspaces.every_workspace() if at}
    assert marked == {town.lantern: town.house.clock.now()}
    assert [one for one, _, at in before if at] == []
    assert len(await connected(town, "x")) == 1


async def test_E8_what_its_network_does_not_answer_is_said_to_be_tried_again(town: Town) -> None:
    await connected(town, "x")
    town.house.weather.trouble = lambda _request: httpx2.ConnectError("nobody there")
    line = told(await town.house.services.shredding.shred(town.lantern))
    assert line == "1 disconnected, 0 given back, 1 to be given back as soon as their network answers."


async def test_E1_a_cell_that_does_not_open_stops_no_shredding_and_is_told(any_house: House) -> None:
    town = await settled_town(any_house)
    await connected(town, "x")
    await any_house.services.database.begin(lambda tx: tx.execute(text("UPDATE token_sets SET sealed = 'v1.one.AAAA'")))
    await connected(town, "linkedin")
    of = len(await listed(town))
    line = told(await any_house.services.shredding.shred(town.lantern))
    there = "what is stored of them does not open (see the log): people must remove the app at the network"
    assert line == f"{of} disconnected, 1 given back, 1 not given back, for {there}."
    assert living(any_house, "linkedin") == ()
    assert await any_house.rows(f"SELECT 1 FROM data_keys WHERE owner = '{town.lantern}'") == []


async def test_R18_a_network_that_hangs_makes_no_other_wait_when_a_workspace_is_shredded(any_house: House) -> None:
    town = await settled_town(any_house)
    for provider in ("x", "linkedin"):
        await connected(town, provider)
    shredding = any_house.services.shredding.shred(town.lantern)
    async with holding(any_house, shredding, network="x", path="/2/oauth2/revoke"):
        await until(lambda: not living(any_house, "linkedin"))
    assert living(any_house, "x") == ()
