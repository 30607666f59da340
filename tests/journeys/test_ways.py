"""What people do on the way besides going straight on: no JavaScript, no mouse, sixty Pages, refusals, tabs, reloads, other browsers."""

import re

import pytest
from playwright.async_api import Locator, Route, expect

from hitchpost.demo import world
from hitchpost_sandbox.ledger import fingerprint
from tests.journeys.conftest import OpenTab
from tests.journeys.tab import AUTHORIZE, DESKTOP, PHONE, Tab, code_in, connection_url, redeemed
from tests.support.programs import Served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


async def test_the_whole_way_works_without_javascript(open_tab: OpenTab) -> None:
    tab = await open_tab(javascript=False)
    await tab.arrive("facebook")
    assert set(await tab.attach()) == {"Lantern Bakery", "Lantern Books", "Lantern Events"}


async def test_the_whole_way_works_by_keyboard(open_tab: OpenTab, served: Served) -> None:
    tab = await open_tab()
    tab.keep("keyboard")
    await tab.page.goto(connection_url(served, "facebook"))
    await expect(tab.page.get_by_label("E-mail address")).to_be_focused()
    await tab.page.keyboard.type(world.EMAIL)
    await reach(tab, tab.page.get_by_label("Password"))
    await tab.page.keyboard.type(world.PASSWORD)
    await tab.page.keyboard.press("Enter")
    await reach(tab, tab.button(re.compile("^Continue")))
    await tab.shot("start")
    await tab.page.keyboard.press("Enter")
    await tab.page.wait_for_url(f"{served.sandbox_url}/**")
    await reach(tab, tab.page.locator("input[name=person]:checked"))
    await tab.page.keyboard.press("ArrowDown")
    await expect(tab.page.locator("input[name=person][value=ben]")).to_be_checked()
    await reach(tab, tab.page.locator("button[value=allow]"))
    await tab.page.keyboard.press("Enter")
    await tab.settle()
    box = tab.page.locator("input[name=pick]")
    await reach(tab, box)
    if not await box.is_checked():
        await tab.page.keyboard.press("Space")
    await expect(box).to_be_checked()
    await tab.shot("choose")
    await reach(tab, tab.button("Connect selected"))
    await tab.page.keyboard.press("Enter")
    await tab.done()
    assert await tab.names() == ["Harbour Café"]


async def reach(tab: Tab, wanted: Locator) -> None:
    """Press Tab until it has the focus, and see that it shows."""
    for _ in range(40):
        if await wanted.evaluate("one => one === document.activeElement"):
            seen = "one => [one, one.closest('label')].some(it => it && getComputedStyle(it).outlineStyle !== 'none')"
            assert await wanted.evaluate(seen), "the focus is invisible"
            return
        await tab.page.keyboard.press("Tab")
    raise AssertionError(f"no Tab leads to {wanted}")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_sixty_pages_are_searched_while_typing_and_picked_together(open_tab: OpenTab, size: str) -> None:
    tab = await open_tab(size)
    await tab.arrive("facebook", "mona")
    tab.keep("sixty")
    rows = tab.page.locator("li[data-text]:visible")
    await expect(rows).to_have_count(60)
    await tab.page.get_by_label("Search by name").fill("nobody has this name")
    await expect(tab.page.get_by_text("Nothing here has that name.")).to_be_visible()
    await tab.shot("no-match")
    await tab.page.get_by_label("Search by name").fill("branch 1")
    await expect(rows).to_have_count(15)
    await tab.page.get_by_label("Select all shown").check()
    await expect(tab.page.get_by_text("15 selected")).to_be_visible()
    await tab.shot("search")
    await tab.page.get_by_label("Search by name").fill("")
    await expect(rows).to_have_count(60)
    await tab.page.screenshot(path=tab.picture("bar-over-a-long-list"))
    await tab.button("Connect selected").click()
    await tab.done()
    await tab.shot("done")
    assert await tab.names() == [f"Mona's Branch {number:02d}" for number in range(1, 61) if "1" in str(number)]
    assert tab.trouble == []


async def test_sixty_pages_are_searched_by_the_address_without_javascript(open_tab: OpenTab) -> None:
    tab = await open_tab(PHONE, javascript=False)
    await tab.arrive("facebook", "mona")
    await tab.page.get_by_label("Search by name").fill("branch 07")
    await tab.button("Search").click()
    await expect(tab.page).to_have_url(re.compile(r"\?q=branch(\+|%20)07$"))
    await expect(tab.page.locator("li[data-text]")).to_have_count(1)
    assert await tab.attach() == ["Mona's Branch 07"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_who_denies_is_told_so_and_may_start_again(open_tab: OpenTab, size: str) -> None:
    tab = await open_tab(size)
    await tab.arrive("x", decision="deny")
    tab.keep("denied")
    await tab.stopped("consent_denied")
    await tab.shot("denied")
    await tab.button("Start again").click()
    await tab.page.wait_for_url(f"{tab.served.sandbox_url}/**")
    await tab.consent("ada")
    await tab.settle()
    assert await tab.attach() == ["Ada Lantern"]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
@pytest.mark.parametrize(("provider", "login"), [("facebook", ""), ("instagram", "facebook")])
async def test_who_has_nothing_to_connect_reads_why_and_what_to_do(open_tab: OpenTab, size: str, provider: str, login: str) -> None:
    tab = await open_tab(size)
    await tab.arrive(provider, "noor", login)
    tab.keep(f"nothing-{provider}")
    await expect(tab.title).to_have_text("There is nothing to connect here")
    await expect(tab.button(re.compile("^Ask .* again$"))).to_be_visible()
    await tab.shot("nothing")


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_A3_A7_a_callback_in_another_browser_ends_there_and_its_code_is_never_redeemed(
    open_tab: OpenTab, served: Served, size: str
) -> None:
    first, second = await open_tab(size), await open_tab(size)
    callback = await held_callback(first)
    await second.start("x")
    second.keep("other-browser")
    await second.page.goto(callback)
    await second.stopped("other_browser")
    await second.shot("other-browser")
    assert fingerprint(code_in(callback)) not in redeemed(served)
    await second.page.get_by_role("link", name="Start in this browser").click()
    await expect(second.button("Continue to X")).to_be_visible()
    # The browser where it began is none the worse for it.
    await first.page.goto(callback)
    await first.settle()
    assert await first.attach() == ["Ada Lantern"]


async def held_callback(tab: Tab) -> str:
    """The callback's address after consent at X; the browser has not opened it."""
    held: list[str] = []

    async def hold(route: Route) -> None:
        sent_back = await route.fetch(max_redirects=0)
        held.append(sent_back.headers["location"])
        await route.fulfill(status=204)

    await tab.start("x")
    await tab.depart()
    await tab.page.route(AUTHORIZE, hold, times=1)
    async with tab.page.expect_response(AUTHORIZE):
        await tab.consent("ada")
    return held[0]


async def test_two_tabs_of_one_browser_both_end_well(open_tab: OpenTab) -> None:
    one = await open_tab()
    await one.start("x")
    other = await Tab.opened(one.served, one.context, DESKTOP)
    await other.start("pinterest")
    await one.depart()
    await other.depart()
    await other.consent("ben")
    await one.consent("ben")
    await one.settle()
    await other.settle()
    assert await one.attach() == ["Ben Harbour"]
    assert await other.attach() == ["benharbour"]


async def test_A15_back_reload_and_the_callback_once_more_show_what_was_attached(open_tab: OpenTab, served: Served) -> None:
    tab = await open_tab()
    await tab.arrive("x")
    (callback,) = tab.callbacks()
    await tab.page.goto(callback)
    await tab.settle()
    assert await tab.attach() == ["Ada Lantern"]
    done = tab.page.url
    await tab.page.reload()
    await tab.done()
    await tab.page.goto(callback)
    await tab.done()
    assert tab.page.url == done
    # Back to the consent page, and allowed once more: the state is used up, so the new code is worth nothing.
    while served.sandbox_url not in tab.page.url:
        await tab.page.go_back()
    await tab.consent("ada")
    await tab.done()
    assert tab.page.url == done
    codes = [fingerprint(code_in(one)) for one in tab.callbacks()]
    assert [codes[0] in redeemed(served), codes[-1] in redeemed(served)] == [True, False]
