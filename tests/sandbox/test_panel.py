"""The panel shows what happened, does what its forms say, and neither runs nor leaks anything of what it shows."""

import re
from collections.abc import Iterator
from typing import Literal

import httpx2
import pytest
from playwright.async_api import async_playwright
from playwright.sync_api import sync_playwright

from hitchpost_sandbox.app import build
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World
from tests import bring
from tests.support.ways import connected

PAGES = ("/", "/consents", "/ledger", "/networks")


@pytest.mark.parametrize("path", PAGES)
async def test_every_page_stands_before_anything_has_happened(caller: httpx2.AsyncClient, path: str) -> None:
    page = await caller.get(path)
    assert page.status_code == 200
    assert "none of them real" in page.text
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert (await caller.get(path, headers={"host": "evil.example"})).status_code == 400


async def test_what_happened_is_told_and_no_secret_with_it(world: World, caller: httpx2.AsyncClient) -> None:
    pairs = [await connected(caller, network) for network in ("x", "linkedin", "pinterest", "facebook", "instagram")]
    world.faults.add(Fault("html", network="x", path="/2/*", person="ada", skip=2, times=0))
    texts = [(await caller.get(path)).text for path in PAGES]
    secrets = [str(value) for pair in pairs for name, value in pair.items() if name.endswith("_token")]
    assert len(secrets) >= 7
    assert not [secret for secret in secrets for text in texts if secret in text]
    assert "code_redeemed" in texts[2]
    assert texts[1].count("<h2>ada at") == 5
    assert "<code>html</code>" in texts[0]
    assert "not established" in texts[3]


async def test_the_ledger_is_filtered_and_paged(world: World, caller: httpx2.AsyncClient) -> None:
    for _ in range(120):
        await caller.get("/api.x.com/2/users/me")
    await connected(caller, "pinterest", "ben")
    assert "pinterest" in (await caller.get("/ledger")).text
    of_x = (await caller.get("/ledger", params={"network": "x"})).text
    assert of_x.count("<td>call") + of_x.count("<code>call</code>") == 60 or "Older ones" in of_x
    older = of_x.partition('href="/ledger?')[2].partition('"')[0].replace("&amp;", "&")
    assert "before=" in older
    assert (await caller.get(f"/ledger?{older}")).status_code == 200
    only = (await caller.get("/ledger", params={"person": "ben", "kind": "consent_given"})).text
    assert only.count("<code>consent_given</code>") == 1


async def test_names_that_want_to_be_markup_are_text(caller: httpx2.AsyncClient) -> None:
    page = (await caller.get("/")).text
    assert '<script>alert("sandbox")</script>' not in page
    assert "<img src=x" not in page


@pytest.fixture
def address(world: World) -> Iterator[str]:
    with in_thread(build(world)) as url:
        yield url


@pytest.mark.browser
def test_its_forms_do_what_they_say_and_say_what_is_wrong(address: str, world: World) -> None:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=bring.chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page()
        page.goto(address)
        before = world.clock.now()
        page.get_by_label("Hours").fill("3")
        page.get_by_role("button", name="Move it forward").click()
        page.wait_for_load_state("networkidle")
        assert (world.clock.now() - before).total_seconds() == 3 * 3600
        page.get_by_label("What happens").fill("nonsense")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_text("fault.does: 'nonsense' is not known; nearest: ").wait_for()
        page.get_by_label("What happens").fill("html")
        page.get_by_role("button", name="Add", exact=True).click()
        page.get_by_role("button", name="Remove fault 1").click()
        page.get_by_text("None: every call is answered").wait_for()
        assert world.faults.scripts == ()
        browser.close()


BROKEN_WORDS = """() => {
    const broken = [];
    const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        for (const word of texts.currentNode.data.matchAll(/\\w+/g)) {
            const range = document.createRange();
            range.setStart(texts.currentNode, word.index);
            range.setEnd(texts.currentNode, word.index + word[0].length);
            const lines = new Set([...range.getClientRects()].map((one) => Math.round(one.top)));
            if (lines.size > 1 && word[0].length <= 30) broken.push(word[0]);
        }
    }
    return broken;
}"""
OUTSIDE = """() => [...document.querySelectorAll("td, th, button")].filter((one) => {
    const box = one.getBoundingClientRect();
    return box.width && (box.left < 0 || box.right > innerWidth);
}).map((one) => one.innerText)"""
MEDIAN = """() => {
    const heights = [...document.querySelectorAll("tr")].map((one) => one.getBoundingClientRect().height).filter(Boolean);
    return heights.sort((one, other) => one - other)[heights.length >> 1];
}"""


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height", "row"), [(390, 844, 110), (1280, 800, 60)])
async def test_its_tables_are_read_on_a_phone_and_on_a_desk(
    address: str, world: World, scheme: Literal["light", "dark"], width: int, height: int, row: int
) -> None:
    async with httpx2.AsyncClient(base_url=address, trust_env=False) as client:
        for network in ("x", "linkedin", "pinterest", "facebook", "instagram"):
            await connected(client, network)
    world.faults.add(Fault("rate_limit", network="facebook", path="/v*/me/accounts", person="ada", skip=2, times=3))
    world.ledger.write("x", What.TURN, person="ada", turn="password_changed")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=bring.chromium(), args=["--no-sandbox", "--disable-gpu"])
        page = await browser.new_page(viewport={"width": width, "height": height}, color_scheme=scheme)
        for path in PAGES:
            await page.goto(address + path)
            await page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
            assert await page.evaluate(BROKEN_WORDS) == [], path
            assert await page.evaluate(OUTSIDE) == [], path
            assert 0 < await page.evaluate(MEDIAN) <= row, path
        await browser.close()


async def test_a_page_of_a_long_ledger_holds_the_newest_and_leads_to_older_ones(world: World, caller: httpx2.AsyncClient) -> None:
    for number in range(250):
        world.ledger.write("x", What.CALL, path=f"/call-{number}")
    seen: list[str] = []
    address = "/ledger"
    while address:
        page = (await caller.get(address)).text
        seen += re.findall(r"<code>/call-(\d+)</code>", page)
        address = page.partition('href="/ledger?')[2].partition('"')[0].replace("&amp;", "&")
        address = f"/ledger?{address}" if address else ""
    assert seen == [str(number) for number in reversed(range(250))]
    assert 'href="/_sandbox/ledger?limit=100"' in (await caller.get("/ledger")).text
