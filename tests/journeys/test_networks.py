"""One journey a network and login, on a desktop and on a phone: from the API call to the home page, with a picture of each step."""

import pytest
from playwright.async_api import expect

from tests.journeys.conftest import OpenTab
from tests.journeys.tab import DESKTOP, PHONE

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

ADA, BEN = "ada", "ben"
JOURNEYS = [
    ("facebook", "", {ADA: {"Lantern Bakery", "Lantern Books", "Lantern Events"}, BEN: {"Harbour Café"}}),
    ("instagram", "facebook", {ADA: {"Lantern Bakery", "Lantern Events"}, BEN: {"Harbour Café"}}),
    ("instagram", "instagram", {ADA: {"Lantern Bakery"}, BEN: {"Harbour Café"}}),
    ("x", "", {ADA: {"Ada Lantern"}, BEN: {"Ben Harbour"}}),
    ("linkedin", "member", {ADA: {"Ada Lantern"}, BEN: {"Ben Harbour"}}),
    ("linkedin", "pages", {ADA: {"Ada Lantern", "Lantern Ltd", "Lantern Labs"}, BEN: {"Ben Harbour", "Harbour Café"}}),
    ("pinterest", "", {ADA: {"Lantern Bakery"}, BEN: {"benharbour"}}),
]


@pytest.mark.parametrize(("size", "person"), [(DESKTOP, BEN), (PHONE, ADA)])
@pytest.mark.parametrize(("provider", "login", "expected"), JOURNEYS, ids=[f"{one[0]}-{one[1]}".rstrip("-") for one in JOURNEYS])
async def test_from_the_api_call_to_the_home_page(
    open_tab: OpenTab, provider: str, login: str, expected: dict[str, set[str]], size: str, person: str
) -> None:
    tab = await open_tab(size)
    tab.keep("-".join(filter(None, (provider, login))))
    await tab.arrive(provider, person, login)
    assert set(await tab.attach()) == expected[person]
    await tab.shot("done")
    await tab.page.get_by_role("link", name="Home", exact=True).click()
    await expect(tab.title).to_have_text("Your workspaces")
    await tab.shot("home")
    assert expected[person] <= set(await tab.names())
    assert tab.trouble == []
