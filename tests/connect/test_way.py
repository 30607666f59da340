"""The way of a connection, over all networks: from the start page to attached profiles, whatever people do to their browsers."""

from datetime import timedelta

import pytest

from tests.support.house import NETWORKS
from tests.support.people import Town


@pytest.mark.parametrize("provider", NETWORKS)
async def test_ada_connects_what_she_picks_and_the_api_lists_it(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive(provider, town.lantern)
    done = await browser.attach(page)
    assert done.status == 200
    assert done.code == ""
    listed = (await town.house.api(await town.house.key(town.ada)).get(f"social-profiles?workspaceId={town.lantern}")).json()
    assert listed
    assert {one["provider"] for one in listed} == {provider}
    assert all({"id", "provider", "name", "image", "handle", "kind", "health", "healthDetails"} == set(one) for one in listed)
    assert all(one["health"] == "healthy" for one in listed)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_attaching_again_renews_in_place_with_the_same_ids(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    await browser.attach(await browser.arrive(provider, town.lantern))
    first = await town.house.rows("SELECT id, external_id FROM profiles ORDER BY id")
    page = await browser.arrive(provider, town.lantern)
    assert "renewed" in page.text.lower() or "connected" in page.text.lower()
    await browser.attach(page)
    assert await town.house.rows("SELECT id, external_id FROM profiles ORDER BY id") == first


@pytest.mark.parametrize("provider", NETWORKS)
async def test_reloading_the_callback_leads_to_the_same_page_and_redeems_the_code_once(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart(provider, town.lantern))
    first = await browser.settle(await browser.open(back))
    again = await browser.settle(await browser.open(back))
    # Facebook and Instagram leave a fragment in the address bar until the page moves on.
    assert first.url.partition("#")[0] == again.url.partition("#")[0]
    assert len(town.house.ledger.read(what="code_redeemed")) == 1
    await browser.attach(first)
    late = await browser.open(back)
    assert late.code == ""
    assert len(town.house.ledger.read(what="code_redeemed")) == 1


async def test_two_tabs_and_two_networks_at_once_all_end_well(town: Town) -> None:
    browser = await town.browser("ada")
    tabs = [(provider, await browser.depart(provider, town.lantern)) for provider in ("x", "facebook", "x")]
    backs = [(provider, await browser.consent(page)) for provider, page in tabs]
    pages = [await browser.settle(await browser.open(back)) for _, back in reversed(backs)]
    for page in pages:
        assert (await browser.attach(page)).code == ""
    rows = await town.house.rows("SELECT provider, COUNT(*) AS n FROM profiles GROUP BY provider ORDER BY provider")
    assert [(row["provider"], row["n"]) for row in rows] == [("facebook", 3), ("x", 1)]


async def test_a_second_post_even_with_another_selection_shows_what_the_first_attached(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("facebook", town.lantern)
    keys = [value for name, value in page.form("/attach").boxes if name == "pick"]
    await browser.attach(page, keys[:1])
    second = await browser.attach(page, keys[1:2])
    assert second.code == ""
    assert len(await town.house.rows("SELECT id FROM profiles")) == 1


async def test_somebody_with_nothing_gets_a_page_that_says_why_and_what_to_do(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("facebook", town.lantern, person="noor")
    assert page.status == 200
    assert "page" in page.text.lower()
    assert page.form("/again")
    assert await town.house.rows("SELECT id FROM profiles") == []


async def test_what_cannot_be_used_is_shown_with_the_reason_and_cannot_be_picked(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("facebook", town.lantern)
    assert "Lantern Archive" in page.text
    refused = await browser.attach(page, ["page:101755847768003"])
    assert refused.code == "selection_unusable"
    assert await town.house.rows("SELECT id FROM profiles") == []


async def test_sixty_pages_are_all_listed_and_can_be_searched_without_javascript(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("facebook", town.lantern, person="mona")
    assert len([1 for name, _ in page.form("/attach").boxes if name == "pick"]) == 60
    found = await browser.open(page.url.partition("#")[0] + "?q=07")
    assert 0 < len([1 for name, _ in found.form("/attach").boxes if name == "pick"]) < 60


@pytest.mark.parametrize("provider", NETWORKS)
async def test_denied_consent_has_its_page_and_a_way_on(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    page = await browser.settle(await browser.open(await browser.consent(await browser.depart(provider, town.lantern), allow=False)))
    assert page.code == "consent_denied"
    assert page.form("/again")


async def test_a_choice_that_took_too_long_says_so_and_starts_again(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("x", town.lantern)
    town.house.clock.forward(timedelta(minutes=16))
    late = await browser.attach(page)
    assert late.code == "authorization_expired"
    assert await town.house.rows("SELECT id FROM profiles") == []


async def test_cancelling_says_so_and_gives_the_access_back(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("x", town.lantern)
    left = await browser.submit(page, page.form("/cancel"), [])
    assert (left.status, left.code) == (200, "cancelled")
    town.house.clock.forward(timedelta(minutes=16))
    assert await town.house.services.tokens.sweep_abandoned() == 1
    assert town.house.ledger.read(network="x", what="token_revoked")
    assert await town.house.rows("SELECT * FROM token_sets") == []
