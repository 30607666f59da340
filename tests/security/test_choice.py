"""The choice and what follows: only what this flow offered, by who may still decide, with nothing of another workspace's touched."""

from collections.abc import Sequence
from datetime import timedelta

import pytest

from hitchpost.demo.browser import Page
from hitchpost.ids import new_id
from hitchpost.networks.base import Candidate, Derived, Kind
from hitchpost.profiles.profile import Attached
from hitchpost.workspaces.roles import Role
from tests.security.outside import CALLBACK, asked, attached, back_from, leave, logins_of, lose_rights, path_of, picks, statuses
from tests.support.house import NETWORKS, Browser
from tests.support.people import Town

ENDS_AFTER = timedelta(minutes=16)
UNTICKED = {"facebook": "pages_manage_posts", "instagram": "instagram_content_publish"}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A18_only_what_this_flow_offered_can_be_picked(town: Town, provider: str) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    page = await ada.arrive(provider, town.lantern)
    foreign = picks(await cleo.arrive(provider, town.quill, "cleo"))
    own = picks(page)
    invented = ["page:1", "page:", ":", "", "person:../../etc", f"{own[0]} ", own[0].swapcase(), own[0] + "\u200b", "organization:urn:li:1"]
    for key in [*foreign, *invented]:
        for keys in ([key], [own[0], key]):
            refused = await _pick(ada, page, keys)
            assert (refused.status, refused.code) == (400, "selection_foreign")
    assert (await _pick(ada, page, [])).code == "selection_empty"
    assert await attached(town.house, town.lantern) == []
    assert (await _pick(ada, page, own)).code == ""


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A18_nobody_else_can_choose_in_this_flow_nor_learn_that_it_exists(town: Town, provider: str) -> None:
    ada = await town.browser("ada")
    page = await ada.arrive(provider, town.lantern)
    connection, unknown = path_of(page.url), f"/connect/{new_id()}"
    for who in ("ada", "ben", "cleo"):
        other = await town.browser(who)
        token = next(value for name, value in (await other.open("/")).form("/sign-out").fields if name == "form_token")
        for place in (connection, unknown):
            seen = await other.open(place)
            posted = [
                await other.post(f"{place}/{act}", {"form_token": token, "pick": picks(page)})
                for act in ("attach", "again", "look", "cancel")
            ]
            assert [(one.status, one.code) for one in (seen, *posted)] == [(404, "not_found")] * 5
    assert await attached(town.house, town.lantern) == []
    assert await statuses(town.house) == ["choosing"]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A18_the_choice_needs_the_forms_token_and_ends_after_fifteen_minutes(town: Town, provider: str) -> None:
    ada = await town.browser("ada")
    page = await ada.arrive(provider, town.lantern)
    forged = await ada.post(f"{path_of(page.url)}/attach", {"pick": picks(page)})
    assert (forged.status, forged.code) == (403, "form_expired")
    town.house.clock.forward(timedelta(minutes=15))
    late = await _pick(ada, page, picks(page))
    assert (late.status, late.code) == (400, "authorization_expired")
    assert await attached(town.house, town.lantern) == []


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A18_A21_the_page_shows_whose_account_it_is_which_workspace_and_who_is_signed_in(town: Town, provider: str) -> None:
    ben = await town.browser("ben")
    page = await ben.arrive(provider, town.lantern, "ben")
    assert "Signed in as Ben" in page.text
    assert "to workspace Lantern" in page.text
    assert "Approved at" in page.text
    assert "harbour" in page.text.lower()
    assert 'src="/pictures/' in ben.seen[-1]


@pytest.mark.parametrize("provider", NETWORKS)
@pytest.mark.parametrize("change", ["demoted", "removed", "struck", "deactivated"])
async def test_A25_A18_C12_rights_are_read_again_at_the_choice_and_the_access_is_given_back(town: Town, provider: str, change: str) -> None:
    ben = await town.browser("ben")
    page = await ben.arrive(provider, town.lantern, "ben")
    await lose_rights(town, change)
    refused = await _pick(ben, page, picks(page))
    if change == "deactivated":
        assert path_of(refused.url) == "/sign-in"
    else:
        assert (refused.status, refused.code) == (403, "rights_lost")
    assert await attached(town.house, town.lantern) == []
    if change == "deactivated":
        # Nobody came to the choice any more: the sweep gives back what the one who came gives back at once.
        assert len(await town.house.rows("SELECT * FROM token_sets")) == 1
        town.house.clock.forward(ENDS_AFTER)
        assert await town.house.services.tokens.sweep_abandoned() == 1
    assert await town.house.rows("SELECT * FROM token_sets") == []


async def test_A25_whose_right_comes_back_starts_anew(town: Town) -> None:
    ben = await town.browser("ben")
    page = await ben.arrive("x", town.lantern, "ben")
    await lose_rights(town, "demoted")
    await _pick(ben, page, picks(page))
    await town.house.services.workspaces.set_role(town.lantern, town.ben, Role.CONNECTOR)
    assert (await _pick(ben, page, picks(page))).code == "rights_lost"
    assert await attached(town.house, town.lantern) == []


@pytest.mark.parametrize("provider", NETWORKS)
@pytest.mark.parametrize("ending", ["cancelled", "left alone", "denied"])
async def test_A20_a_flow_abandoned_in_quill_takes_nothing_from_lantern(town: Town, provider: str, ending: str) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    await ada.attach(await ada.arrive(provider, town.lantern))
    before = await attached(town.house, town.lantern)
    if ending == "denied":
        await cleo.open(await cleo.consent(await cleo.depart(provider, town.quill), allow=False))
    else:
        page = await cleo.arrive(provider, town.quill, "ada")
        if ending == "cancelled":
            await cleo.submit(page, page.form("/cancel"), [])
    town.house.clock.forward(ENDS_AFTER)
    await town.house.services.tokens.sweep_abandoned()
    assert town.house.ledger.read(what="token_revoked") == ()
    assert await attached(town.house, town.lantern) == before
    assert await attached(town.house, town.quill) == []
    assert await _held(town, provider) <= _living(town, provider)
    listed = (await town.house.api(await town.house.key(town.ada)).get(f"social-profiles?workspaceId={town.lantern}")).json()
    assert {one["health"] for one in listed} == {"healthy"}


async def test_A20_an_instagram_flow_abandoned_takes_nothing_from_facebook_which_shares_its_app(town: Town) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    await ada.attach(await ada.arrive("facebook", town.lantern))
    page = await cleo.arrive("instagram", town.quill, "ada")
    await cleo.submit(page, page.form("/cancel"), [])
    town.house.clock.forward(ENDS_AFTER)
    await town.house.services.tokens.sweep_abandoned()
    assert town.house.ledger.read(what="token_revoked") == ()
    assert await _held(town, "facebook") <= _living(town, "facebook")


async def _held(town: Town, provider: str) -> set[str]:
    """The access tokens that we keep, in clear."""
    keeper = town.house.services.tokens
    ids = [str(row["id"]) for row in await town.house.rows("SELECT id FROM grants WHERE state = 'live'")]
    found = await town.house.services.database.read(lambda tx: {keeper.tokens_of(tx, one).access.reveal() for one in ids})
    assert found
    return found


def _living(town: Town, provider: str) -> set[str]:
    """The tokens that count at the network."""
    return {token.value for token in town.house.world.authority(logins_of(town.house, provider)[0].authority).living()}


@pytest.mark.parametrize("provider", sorted(UNTICKED))
async def test_A22_a_permission_that_was_unticked_is_named_and_nothing_that_lacks_it_is_connected(town: Town, provider: str) -> None:
    ada, scope = await town.browser("ada"), UNTICKED[provider]
    consent = await ada.depart(provider, town.lantern)
    form = next(form for form in consent.forms if any(name == "scope" for name, _ in form.boxes))
    ticks = [(name, value) for name, value in form.boxes if name in ("scope", "target") and value != scope]
    page = await ada.settle(await ada.open(await ada.consent(consent, "ada", ticks=ticks)))
    assert scope in page.text
    assert not [key for form in page.forms for name, key in form.boxes if name == "pick"]
    asked_again = await ada.submit(page, page.form("/again"), [])
    assert asked_again.refresh
    assert await attached(town.house, town.lantern) == []


async def test_A24_ids_that_differ_in_case_or_form_only_are_different_profiles(town: Town) -> None:
    ids = ("abcDEF0123", "ABCdef0123", "abcdef0123", "caf\u00e9", "cafe\u0301", "abcDEF0123 ")
    made = [await _attach(town, one) for one in ids]
    again = [await _attach(town, one) for one in ids]
    assert len({one.profile_id for one in made}) == len(ids)
    assert [one.profile_id for one in again] == [one.profile_id for one in made]
    assert {one.renewed for one in again} == {True}
    assert sorted(await attached(town.house, town.lantern)) == sorted(ids)


async def _attach(town: Town, external_id: str) -> Attached:
    """Attach a LinkedIn person with this id, with Ada's own grant behind it."""
    services = town.house.services
    if not await town.house.rows("SELECT id FROM grants"):
        ada = await town.browser("ada")
        await ada.arrive("linkedin", town.lantern)
    grant_id = str((await town.house.rows("SELECT id FROM grants"))[0]["id"])
    app = services.tokens.logins("linkedin")[0][1]
    # The same name, handle and e-mail address join nothing.
    derived = Derived(Candidate(Kind.PERSON, external_id, "Ada Lantern", "ada@lantern.example", id_scope="app"))
    return await services.database.begin(
        lambda tx: services.profiles.attach(
            tx, workspace_id=town.lantern, provider="linkedin", app=app, grant_id=grant_id, derived=derived, picture="", person_id=town.ada
        )
    )


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A24_an_account_at_a_network_signs_nobody_in_and_joins_nobody(town: Town, provider: str) -> None:
    # The network's person bears Ada's name and address; whose workspace it lands in is decided by who is signed in here.
    cleo = await town.browser("cleo")
    await cleo.attach(await cleo.arrive(provider, town.quill, "ada"))
    assert await attached(town.house, town.lantern) == []
    assert await attached(town.house, town.quill)
    home = await (await town.browser("ada")).open("/")
    assert "Quill" not in home.text


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A25_the_workspace_comes_from_the_departure_whatever_the_form_says(town: Town, provider: str) -> None:
    ada = await town.browser("ada")
    page = await ada.arrive(provider, town.lantern)
    fields = [("workspaceId", town.quill), ("workspace_id", town.quill), ("person_id", town.cleo), ("status", "attached")]
    done = await ada.submit(page, page.form("/attach"), [*(("pick", key) for key in picks(page)), *fields])
    assert done.code == ""
    assert await attached(town.house, town.quill) == []
    assert await attached(town.house, town.lantern)


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A15_a_flow_that_ended_is_not_revived_by_its_callback(town: Town, provider: str) -> None:
    ada = await town.browser("ada")
    back = await back_from(ada, provider, town.lantern)
    page = await ada.settle(await ada.open(back))
    await ada.submit(page, page.form("/cancel"), [])
    late = await ada.settle(await ada.open(f"{CALLBACK}/{provider}?code=new&state={asked(back)['state']}"))
    assert late.code == "cancelled"
    assert town.house.ledger.count("code_redeemed") == 1
    assert town.house.ledger.count("code_refused") == 0
    assert await statuses(town.house) == ["cancelled"]
    # Leaving again is a new trip with a new state.
    assert asked(await leave(ada, provider, town.lantern))["state"] != asked(back)["state"]


async def _pick(browser: Browser, page: Page, keys: Sequence[str]) -> Page:
    return await browser.submit(page, page.form("/attach"), [("pick", key) for key in keys], drop=("pick",))
