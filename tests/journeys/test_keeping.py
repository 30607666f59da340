"""A connected profile's own life in a real browser: why it stands as it does, connecting again, disconnecting."""

import httpx2
import pytest
from playwright.async_api import expect

from tests.journeys.conftest import OpenTab
from tests.journeys.tab import DESKTOP, PHONE, Tab

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]


def befall(tab: Tab, network: str, turn: str, person: str, **more: str) -> None:
    told = {"network": network, "turn": turn, "person": person, **more}
    httpx2.post(f"{tab.served.sandbox_url}/_sandbox/turns", json=told, trust_env=False).raise_for_status()


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_what_happened_what_to_do_another_account_and_the_end(open_tab: OpenTab, size: str) -> None:
    tab = await open_tab(size)
    tab.keep("keeping")
    await tab.arrive("pinterest", "noor")
    (name,) = await tab.attach()
    await tab.page.get_by_role("link", name="Home", exact=True).click()
    await tab.page.get_by_role("link", name=name, exact=True).click()
    await expect(tab.title).to_have_text(name)
    await tab.shot("healthy")
    befall(tab, "pinterest", "revoked", "noor")
    await tab.button("Check now").click()
    await expect(tab.page.locator(".pill")).to_have_text("Connect again")
    await tab.shot("revoked")
    await tab.page.get_by_role("link", name="Home", exact=True).click()
    await tab.shot("home")
    # Through the home page's own link, but as Piet.
    await tab.page.locator("li.row", has_text=name).get_by_role("link", name="Connect again").click()
    await expect(tab.title).to_have_text(f"Connect {name} again")
    await tab.depart()
    await tab.consent("piet")
    await tab.settle()
    await expect(tab.title).to_have_text("That was another account")
    await tab.shot("another")
    await tab.button("I have switched").click()
    await tab.page.wait_for_url(f"{tab.served.sandbox_url}/**")
    await tab.consent("noor")
    await tab.settle()
    await expect(tab.page.locator("input[name=pick]")).to_be_checked()
    await tab.shot("again")
    await tab.button("Connect selected").click()
    await tab.done()
    await tab.page.get_by_role("link", name="Home", exact=True).click()
    await tab.page.get_by_role("link", name=name, exact=True).click()
    await expect(tab.page.locator(".pill")).to_have_text("Connected")
    await tab.page.get_by_role("link", name="Disconnect").click()
    await tab.shot("disconnect")
    await tab.button("Disconnect").click()
    await expect(tab.title).to_have_text("Disconnected")
    await tab.shot("disconnected")
    assert tab.trouble == []
