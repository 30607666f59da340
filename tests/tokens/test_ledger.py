"""Giving back, asked of the networks themselves: what nobody needs is dead there, and what somebody needs lives on."""

from datetime import timedelta

import pytest

from hitchpost.db.base import metadata
from hitchpost.db.engine import Tx
from hitchpost_sandbox.grants import Token
from tests.support.house import NETWORKS, House
from tests.support.people import Town, settled_town

AUTHORITY = {"facebook": "meta", "instagram": "meta", "x": "x", "linkedin": "linkedin", "pinterest": "pinterest"}
REVOKES = ("facebook", "instagram", "x", "linkedin")


def living(house: House, provider: str, person: str = "ada") -> tuple[Token, ...]:
    return house.world.authority(AUTHORITY[provider]).living(person=person)


async def left(town: Town, provider: str, *, who: str = "ada", person: str = "ada", workspace_id: str = "") -> None:
    """Somebody consents, looks at the choice, and never comes back."""
    browser = await town.browser(who)
    page = await browser.arrive(provider, workspace_id or town.lantern, person=person)
    assert page.code == ""


async def swept(house: House) -> int:
    house.clock.forward(timedelta(minutes=40))
    return await house.services.tokens.sweep_abandoned()


@pytest.mark.parametrize("provider", NETWORKS)
async def test_E8_what_a_flow_left_behind_is_dead_at_the_network_and_destroyed_here(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    await left(town, provider)
    assert living(any_house, provider)
    assert await any_house.services.tokens.sweep_abandoned() == 0
    assert await swept(any_house) == 1
    assert await any_house.rows("SELECT * FROM token_sets") == []
    assert [row["state"] for row in await any_house.rows("SELECT state FROM grants")] == ["gone"]
    assert bool(living(any_house, provider)) is (provider not in REVOKES)
    assert bool(any_house.ledger.count("token_revoked")) is (provider in REVOKES)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A20_a_flow_left_behind_elsewhere_revokes_nothing_that_lantern_uses(town: Town, provider: str) -> None:
    browser, house = await town.browser("ada"), town.house
    assert (await browser.attach(await browser.arrive(provider, town.lantern))).code == ""
    await left(town, provider, who="cleo", workspace_id=town.quill)
    assert await swept(house) == 0
    assert house.ledger.count("token_revoked", reason="revoked") == 0
    assert house.ledger.count("token_revoked", reason="app_removed") == 0
    assert living(house, provider)
    (grant,) = await house.rows("SELECT state FROM grants")
    assert grant["state"] == "live"


async def test_A20_a_flow_left_behind_at_facebook_keeps_the_instagram_of_the_same_app_alive(town: Town) -> None:
    browser, house = await town.browser("ada"), town.house
    page = await browser.arrive("instagram", town.lantern, login="facebook")
    assert (await browser.attach(page)).code == ""
    await left(town, "facebook", who="cleo", workspace_id=town.quill)
    assert await swept(house) == 0
    assert house.ledger.count("token_revoked") == 0


@pytest.mark.parametrize(("state", "revoked"), [("live", False), ("gone", True)])
async def test_A20_the_same_app_in_another_owners_hands_counts_while_it_lives(any_house: House, state: str, revoked: bool) -> None:
    """Cleo brings the very app of the installation: for the network it is one login, which one revoke would end for both."""
    town = await settled_town(any_house)
    await left(town, "x")

    def bring(tx: Tx) -> None:
        apps, grants = metadata.tables["apps"], metadata.tables["grants"]
        app = tx.execute(apps.select().where(apps.c.slot == "x")).mappings().one()
        tx.execute(apps.insert().values({**app, "id": "ccleos-app", "owner": town.quill}))
        ours = tx.execute(grants.select()).mappings().one()
        later = any_house.clock.now() + timedelta(hours=1)
        theirs = {"id": "ccleos-grant", "app_id": "ccleos-app", "state": state, "consented_at": later}
        tx.execute(grants.insert().values({**ours, **theirs}))

    await any_house.services.database.begin(bring)
    assert await swept(any_house) == 1
    assert bool(any_house.ledger.count("token_revoked")) is revoked
    assert bool(living(any_house, "x")) is not revoked


async def test_E7_a_second_consent_leaves_one_grant_with_the_networks_newest_tokens(any_house: House) -> None:
    town = await settled_town(any_house)
    browser = await town.browser("ada")
    for _ in range(2):
        assert (await browser.attach(await browser.arrive("x", town.lantern))).code == ""
    (grant,) = await any_house.rows("SELECT id FROM grants")
    kept = await any_house.services.database.read(lambda tx: any_house.services.tokens.tokens_of(tx, str(grant["id"])))
    newest = {token.kind: token.value for token in living(any_house, "x")}
    assert kept.refresh is not None
    assert {kept.access.reveal(), kept.refresh.reveal()} <= set(newest.values())
