"""What the pages of a connection say is true for whoever reads it, and names what they can do about it."""

from pathlib import Path

import httpx2
import pytest

from hitchpost.demo.browser import refresh_target
from tests.connect.test_trouble import is_token_call
from tests.profiles.test_health import connected, health
from tests.security.outside import START
from tests.support.clock import ManualClock
from tests.support.house import PUBLIC_URL, House, opened
from tests.support.people import Town, settled_town

LINKS = [
    ("provider=x", "link_incomplete", "does not say which workspace"),
    ("provider=x&workspaceId=", "link_incomplete", "does not say which workspace"),
    ("workspaceId={lantern}", "link_incomplete", "does not say which network"),
    ("", "link_incomplete", "does not say which network"),
    ("provider=Pinterest&workspaceId={lantern}", "link_network_unknown", "a network that this server does not know"),
    ("provider=myspace&workspaceId={quill}", "link_network_unknown", "a network that this server does not know"),
]


@pytest.mark.parametrize(("query", "code", "says"), LINKS)
@pytest.mark.parametrize("signed_in", [True, False])
async def test_a_broken_link_sends_the_person_to_whoever_gave_it(town: Town, query: str, code: str, says: str, signed_in: bool) -> None:
    browser = await town.browser("ada") if signed_in else town.house.browser()
    page = await browser.open(f"{START}?{query.format(lantern=town.lantern, quill=town.quill)}")
    assert (page.status, page.code) == (400, code)
    assert says in page.text
    assert "Ask whoever gave it to you" in page.text
    assert "lower case" not in page.text


async def test_who_was_signed_out_on_the_way_reads_that_it_may_have_been_that(town: Town) -> None:
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    home = await browser.open("/")
    await browser.submit(home, home.form("/sign-out"), [])
    for again in (False, True):
        if again:
            await browser.sign_in("ada@example.com")
        answer = await browser.client.get(back, follow_redirects=False)
        assert (answer.status_code, answer.headers["hitchpost-error"]) == (400, "other_browser")
        # Its address holds the unused code: it goes no further, and nothing is kept.
        assert (answer.headers["referrer-policy"], answer.headers["cache-control"]) == ("no-referrer", "no-store")
        page = await browser.open(back)
        assert "or here before you were signed out" in page.text
        assert "If you were signed out meanwhile" in page.text
    # A browser that had no part in it reads the very same: nothing in it is known of this one.
    stranger = await town.house.browser().open(back)
    assert "or here before you were signed out" in stranger.text
    assert town.house.ledger.read(what="code_redeemed") == ()


ANSWERS: dict[str, httpx2.Response | Exception] = {
    "network_down": httpx2.ConnectError("down"),
    "network_trouble": httpx2.Response(503, content=b"<html>Service Unavailable</html>"),
    "network_throttled": httpx2.Response(429, json={}),
}


@pytest.mark.parametrize("code", ANSWERS)
async def test_a_networks_trouble_within_a_connection_says_that_nothing_was_connected(town: Town, code: str) -> None:
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart("x", town.lantern))
    town.house.weather.trouble = lambda request: ANSWERS[code] if is_token_call(request) else None
    page = await browser.settle(await browser.open(back))
    assert page.code == code
    assert "Nothing was connected." in page.text


async def test_a_networks_trouble_at_the_choice_says_it_above_the_choice_and_a_check_does_not(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("facebook", town.lantern)
    town.house.weather.trouble = lambda _request: httpx2.ConnectError("down")
    again = await browser.attach(page)
    assert (again.code, "Nothing was connected." in again.text) == ("network_down", True)
    assert again.form("/attach")
    town.house.weather.trouble = lambda _request: None
    (first, *_) = await connected(town, "facebook")
    town.house.weather.trouble = lambda _request: httpx2.ConnectError("down")
    checked = await health(town, first["id"], check=True)
    assert checked.json()["code"] == "network_down"
    assert "connected" not in checked.json()["message"]


async def test_who_cancels_the_choice_reads_that_it_is_cancelled(town: Town) -> None:
    browser = await town.browser("ada")
    page = await browser.arrive("x", town.lantern)
    left = await browser.submit(page, page.form("/cancel"), [])
    assert (left.status, left.code) == (200, "cancelled")
    assert "You cancelled this connection. Nothing was connected." in left.text
    assert left.form("/again")


WAYS = [("facebook", "Facebook"), ("instagram", "Instagram")]


@pytest.mark.parametrize(("login", "opens"), WAYS)
async def test_the_network_that_opens_is_the_one_that_is_named(town: Town, login: str, opens: str) -> None:
    browser = await town.browser("ada")
    start = await browser.start("instagram", town.lantern)
    assert "Continue Not now" in start.text
    assert "Approve at" not in start.text
    moving = await browser.submit(start, start.form(START), [("login", login)])
    assert f"On to {opens}" in moving.text
    assert f"Approve at {opens}" in moving.text
    page = await browser.settle(await browser.open(await browser.consent(await browser.open(refresh_target(moving)))))
    assert f"Approved at {opens} by" in page.text


@pytest.mark.parametrize(("slot", "opens"), [("INSTAGRAM", "Facebook"), ("META", "Instagram")])
async def test_with_one_way_the_start_page_names_what_opens(tmp_path: Path, clock: ManualClock, slot: str, opens: str) -> None:
    without = {f"HITCHPOST_APP_{slot}_CLIENT_ID": "", f"HITCHPOST_APP_{slot}_CLIENT_SECRET": ""}
    async with opened(tmp_path, clock, extra=without) as house:
        town = await settled_town(house)
        start = await (await town.browser("ada")).start("instagram", town.lantern)
        assert f"Continue to {opens}" in start.text
        assert f"Approve at {opens}" in start.text


async def test_an_account_without_a_name_is_not_called_by_its_number(house: House) -> None:
    town = await settled_town(house)
    browser = await town.browser("ada")
    page = await browser.arrive("instagram", town.lantern, person="piet", login="instagram")
    assert "Approved at Instagram by your Instagram account" in page.text


async def test_after_the_set_up_the_sign_in_page_says_that_it_worked(house: House) -> None:
    browser = house.browser()
    page = await browser.open("/setup")
    code = await house.services.workspaces.setup_code()
    assert code is not None
    fields = {"code": code.reveal(), "name": "Ada", "email": "ada@example.com", "password": "correct-horse-battery", "workspace": "Lantern"}
    page = await browser.submit(page, page.form("/setup"), list(fields.items()))
    assert page.url.startswith(f"{PUBLIC_URL}/sign-in")
    assert "This installation is set up." in page.text
    assert "This installation is set up." not in (await browser.open("/sign-in")).text
