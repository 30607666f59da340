"""The panel shows what happened, does what its forms say, and neither runs nor leaks anything of what it shows."""

from collections.abc import Iterator

import httpx2
import pytest
from playwright.sync_api import sync_playwright

from hitchpost_sandbox.app import build
from hitchpost_sandbox.faults import Fault
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
