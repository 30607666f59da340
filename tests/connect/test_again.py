"""Connecting again: in place, by whoever has the profile, and nothing by whoever has not; who lost access by it is told."""

import pytest

from hitchpost.demo.browser import Fields, Page, refresh_target
from tests.profiles.test_health import connected, health, listed
from tests.support.holding import holding
from tests.support.house import NETWORKS, SANDBOX_URL, Browser, House
from tests.support.people import Town, settled_town

BAKERY, BOOKS = "101755847768001", "101755847768002"


async def again(browser: Browser, profile: dict[str, object], town: Town, person: str = "ada", ticks: Fields | None = None) -> Page:
    """From the profile's own page through the network to the settled page."""
    await browser.open(f"/workspaces/{town.lantern}/profiles/{profile['id']}")
    start = f"/api/social-connect/start?provider={profile['provider']}&workspaceId={town.lantern}&profileId={profile['id']}"
    assert start.replace("&", "&amp;") in browser.seen[-1]
    page = await browser.open(start)
    moving = await browser.submit(page, page.form("/api/social-connect/start"), [])
    page = await browser.open(refresh_target(moving))
    if page.url.startswith(SANDBOX_URL):
        page = await browser.open(await browser.consent(page, person, ticks=ticks))
    return await browser.settle(page)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_connecting_again_mends_in_place_and_ticks_what_it_is_about(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    before = await connected(town, provider)
    await any_house.befall("facebook" if provider == "instagram" else provider, "revoked")
    assert (await health(town, before[0]["id"], check=True)).json()["state"] == "reconnect_required"
    browser = await town.browser("ada")
    page = await again(browser, before[0], town)
    assert str(before[0]["name"]) in page.text
    form = page.form("/attach")
    assert {value for name, value in form.fields if name == "pick"}
    done = await browser.settle(await browser.submit(page, form, []))
    assert "connected" in done.text
    after = await listed(town)
    assert {one["id"] for one in after} == {one["id"] for one in before}
    assert next(one for one in after if one["id"] == before[0]["id"])["health"] == "healthy"


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A19_another_account_moves_nothing_and_both_are_named(any_house: House, provider: str) -> None:
    town = await settled_town(any_house)
    before = await connected(town, provider)
    stored = await any_house.rows("SELECT grant_id, sealed FROM token_sets")
    browser = await town.browser("ada")
    page = await again(browser, before[0], town, person="ben")
    assert "That was another account" in page.text
    assert str(before[0]["name"]) in page.text
    assert "Nothing was changed" in page.text
    assert any_house.services.catalog[provider].switch_account.split(".")[0] in page.text
    assert await listed(town) == before
    now = {row["grant_id"]: row["sealed"] for row in await any_house.rows("SELECT grant_id, sealed FROM token_sets")}
    assert all(now[row["grant_id"]] == row["sealed"] for row in stored)
    # Having switched, the person goes on from that very page.
    moving = await browser.submit(page, page.form("/again"), [])
    page = await browser.open(refresh_target(moving))
    page = await browser.settle(await browser.open(await browser.consent(page, "ada"))) if page.url.startswith(SANDBOX_URL) else page
    if provider != "linkedin":
        assert page.form("/attach").fields


async def test_a_consent_that_cuts_off_a_page_says_so_to_those_who_may_know(any_house: House) -> None:
    town = await settled_town(any_house)
    before = {str(one["name"]): one for one in await connected(town, "facebook")}
    ben = await town.browser("ben")
    cleo = await town.browser("cleo")
    await cleo.attach(await cleo.arrive("facebook", town.quill, person="ada"), [f"page:{BOOKS}"])
    # Ada ticks the bakery alone this time: the bookshop loses its access, in Lantern and in Quill.
    scopes = [("scope", one) for one in ("pages_show_list", "business_management", "pages_manage_posts", "pages_read_engagement")]
    ticks: Fields = [*scopes, ("target", f"page:{BAKERY}")]
    page = await again(ben, before["Lantern Bakery"], town, ticks=ticks)
    assert "has lost access" in page.text or "have lost access" in page.text
    assert "Lantern Books" in page.text
    assert "Quill" not in page.text
    said = (await health(town, before["Lantern Books"]["id"])).json()
    assert (said["state"], said["code"]) == ("reconnect_required", "not_visible")
    api = any_house.api(await any_house.key(town.cleo))
    (theirs,) = (await api.get(f"social-profiles?workspaceId={town.quill}")).json()
    assert theirs["health"] == "reconnect_required"
    hers = await any_house.rows(f"SELECT type FROM events WHERE workspace_id = '{town.quill}' AND type = 'profile.impaired'")
    assert len(hers) == 1
    stays = (await health(town, before["Lantern Bakery"]["id"])).json()
    assert stays["state"] == "healthy"


async def under_another_app(browser: Browser, profile: dict[str, object], town: Town, person: str = "ada") -> Page:
    """Ada's LinkedIn profile was connected by the one app; she begins with the other, where a person has another id."""
    page = await browser.open(f"/api/social-connect/start?provider=linkedin&workspaceId={town.lantern}&profileId={profile['id']}")
    moving = await browser.submit(page, page.form("/api/social-connect/start"), [("login", "pages")])
    page = await browser.open(refresh_target(moving))
    return await browser.settle(await browser.open(await browser.consent(page, person)) if page.url.startswith(SANDBOX_URL) else page)


async def test_under_another_app_a_person_is_confirmed_by_an_admin_and_keeps_their_place(town: Town) -> None:
    (first, *_) = [one for one in await connected(town, "linkedin", login="member") if one["kind"] == "person"]
    browser = await town.browser("ada")
    page = await under_another_app(browser, first, town)
    assert "cannot prove it" in page.text
    form = page.form("/attach")
    (person,) = [value for name, value in form.boxes if value.startswith("person:")]
    assert ("pick", person) not in form.fields
    await browser.settle(await browser.submit(page, form, [("pick", person)], drop=("pick",)))
    (kept,) = [one for one in await listed(town) if one["kind"] == "person"]
    assert kept["id"] == first["id"]
    assert await town.house.rows("SELECT 1 FROM events WHERE type = 'profile.identity_confirmed'")


async def test_A19_a_choice_that_is_cancelled_while_it_is_attached_gives_no_profile_another_identity(any_house: House) -> None:
    town = await settled_town(any_house)
    (first, *_) = [one for one in await connected(town, "linkedin", login="member") if one["kind"] == "person"]
    browser = await town.browser("ada")
    page = await under_another_app(browser, first, town, person="ben")
    form = page.form("/attach")
    (person,) = [value for name, value in form.boxes if value.startswith("person:")]
    before = await any_house.rows("SELECT id, id_scope, external_id, name, state FROM profiles")
    attaching = browser.submit(page, form, [("pick", person)], drop=("pick",))
    async with holding(any_house, attaching, network="linkedin", acts=True):
        await browser.submit(page, page.form("/cancel"), [])
    assert await any_house.rows("SELECT id, id_scope, external_id, name, state FROM profiles") == before
    assert await any_house.rows("SELECT 1 FROM events WHERE type = 'profile.identity_confirmed'") == []
    assert sorted(str(row["status"]) for row in await any_house.rows("SELECT status FROM authorization_requests")) == [
        "attached",
        "cancelled",
    ]


async def test_C1_a_start_names_only_profiles_of_its_own_workspace_and_network(town: Town) -> None:
    (mine,) = await connected(town, "x")
    cleo, ada = await town.browser("cleo"), await town.browser("ada")
    for browser, workspace, provider in ((cleo, town.quill, "x"), (ada, town.lantern, "pinterest")):
        page = await browser.open(f"/api/social-connect/start?provider={provider}&workspaceId={workspace}&profileId={mine['id']}")
        assert (page.status, page.code) == (404, "profile_not_found")
