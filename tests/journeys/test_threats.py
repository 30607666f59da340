"""Threats that only a real browser can answer for: cookies, frames, referrers, history, scripts, redirects after forms."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Route, expect

from hitchpost.demo import programs, world
from tests.journeys.conftest import OpenTab
from tests.journeys.tab import AUTHORIZE, DESKTOP, PHONE, goes_to, headers_of
from tests.support.hopper import Hopper, hopping
from tests.support.house import NETWORKS
from tests.support.programs import Served

pytestmark = [pytest.mark.browser, pytest.mark.asyncio(loop_scope="session")]

MARKUP = "%3Cscript%3Ealert(1)%3C%2Fscript%3E%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E"


async def test_B1_the_session_cookie_is_lax_out_of_reach_of_scripts_and_never_sent_to_the_network(
    open_tab: OpenTab, served: Served
) -> None:
    tab = await open_tab()
    await tab.arrive("x")
    ours = [cookie for cookie in await tab.context.cookies() if cookie["name"] == "hitchpost_session"]
    assert [(cookie["httpOnly"], cookie["sameSite"], cookie["path"], cookie["domain"]) for cookie in ours] == [
        (True, "Lax", "/", "127.0.0.1")
    ]
    assert "hitchpost" not in await tab.page.evaluate("document.cookie")
    sent = await headers_of(tab.asked, goes_to(served.sandbox_url))
    assert sent
    assert all("hitchpost" not in headers.get("cookie", "") for headers in sent)


@pytest.mark.parametrize("framer", ["foreign", "own"])
async def test_B3_no_page_of_the_flow_shows_in_a_frame(open_tab: OpenTab, served: Served, framer: str) -> None:
    tab = await open_tab()
    await tab.arrive("x")
    origin = served.url if framer == "own" else served.sandbox_url
    inside = [tab.page.url, f"{served.url}/", f"{served.url}/sign-in"]

    async def frames(route: Route) -> None:
        body = "".join(f"<iframe src='{url}'></iframe>" for url in inside)
        await route.fulfill(content_type="text/html", body=body)

    await tab.page.route(f"{origin}/framing", frames)
    await tab.page.goto(f"{origin}/framing")
    shown = [frame for frame in tab.page.frames if frame != tab.page.main_frame]
    assert len(shown) == len(inside)
    for frame in shown:
        assert "Hitchpost" not in await frame.content()
        assert frame.url == "chrome-error://chromewebdata/"


async def test_B4_neither_code_nor_state_reaches_anybody_as_referrer(open_tab: OpenTab, served: Served) -> None:
    tab = await open_tab()
    await tab.arrive("facebook")
    await tab.attach()
    # The one page that stands at an address with code and state is a refused answer: leaving it for a foreign site says nothing.
    await tab.page.goto(f"{served.url}/api/social-connect/callback/x?code=canary&state=canary")
    await expect(tab.page.locator(".stopped")).to_be_visible()
    await tab.page.evaluate(f"location.href = '{served.sandbox_url}/_sandbox/health'")
    await tab.page.wait_for_url(f"{served.sandbox_url}/_sandbox/health")
    for headers in await headers_of(tab.asked, lambda request: not request.url.startswith("data:")):
        assert not re.search(r"[?&](code|state)=", headers.get("referer", ""))
    from_us = [headers.get("referer", "") for headers in await headers_of(tab.asked, goes_to(served.sandbox_url))]
    assert not [referer for referer in from_us if referer.startswith(served.url)]
    loaded = {
        urlsplit(request.url).netloc for request in tab.asked if not request.is_navigation_request() and request.url.startswith("http")
    }
    assert loaded == {urlsplit(served.url).netloc}


async def test_B5_no_code_stays_in_the_history(open_tab: OpenTab) -> None:
    tab = await open_tab()
    await tab.arrive("x")
    await tab.attach()
    devtools = await tab.context.new_cdp_session(tab.page)
    history = [entry["url"] for entry in (await devtools.send("Page.getNavigationHistory"))["entries"]]
    assert any("/connect/" in url for url in history)
    assert not [url for url in history if "code=" in url]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_B6_names_and_pictures_of_a_hostile_person_run_nothing(open_tab: OpenTab, provider: str) -> None:
    tab = await open_tab(PHONE if provider == "facebook" else DESKTOP)
    await tab.arrive(provider, "hedda", {"linkedin": "pages"}.get(provider, ""))
    if provider in ("facebook", "linkedin"):
        tab.keep(f"hostile-{provider}")
    assert await tab.attach()
    await tab.shot("done")
    await tab.page.get_by_role("link", name="Home", exact=True).click()
    await expect(tab.title).to_have_text("Your workspaces")
    await tab.shot("home")
    assert tab.trouble == []


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A14_markup_in_the_networks_error_runs_nothing(open_tab: OpenTab, served: Served, provider: str) -> None:
    tab = await open_tab()
    await tab.start(provider)
    await tab.page.route(AUTHORIZE, lambda route: route.fulfill(status=204))
    async with tab.page.expect_request(AUTHORIZE) as leaving:
        await tab.button(re.compile("^Continue")).click()
    state = re.search(r"[?&]state=([^&]+)", (await leaving.value).url)
    assert state
    for known in (f"&state={state[1]}", "&state=unknown", ""):
        await tab.page.goto(f"{served.url}/api/social-connect/callback/{provider}?error={MARKUP}&error_description={MARKUP}{known}")
        await expect(tab.page.locator(".stopped")).to_be_visible()
    assert tab.trouble == []


@pytest.fixture(scope="module")
def hopper(served: Served) -> Iterator[Hopper]:
    with hopping(served.sandbox_url) as hopper:
        yield hopper


@pytest.fixture(scope="module")
def behind(served: Served, hopper: Hopper, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A second server, whose networks send browsers on from one origin to another before they ask for consent."""
    folder, port = tmp_path_factory.mktemp("behind"), programs.free_port()
    environment = {**served.environment} | {
        "HITCHPOST_PUBLIC_URL": f"http://127.0.0.1:{port}", "HITCHPOST_BIND": f"127.0.0.1:{port}",
        "HITCHPOST_DATA_DIR": str(folder / "data"), "HITCHPOST_KEY_DIR": str(folder / "keys"), "HITCHPOST_NETWORKS_AT": hopper.address,
    }  # fmt: skip
    key = world.make(environment)
    with programs.server(environment) as server:
        workspace_id = world.workspace_of(server.address, key)
        yield Served(server.address, served.sandbox_url, key.reveal(), workspace_id, folder, environment)


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
async def test_leaving_works_through_a_network_that_redirects_although_forms_may_only_post_to_us(
    open_tab: OpenTab, behind: Served, hopper: Hopper, size: str
) -> None:
    tab = await open_tab(size, at=behind)
    hopper.hopped.clear()
    await tab.start("pinterest")
    async with tab.page.expect_response("**/api/social-connect/start") as left:
        await tab.depart()
    assert "form-action 'self'" in (await left.value).headers["content-security-policy"]
    assert hopper.hopped == ["/www.pinterest.com/oauth/"]
    # While the network keeps us waiting, the page says what happens and goes on by itself.
    tab.keep("slow-network")
    hopper.gate.clear()
    await tab.consent("ben")
    await expect(tab.title).to_have_text("Reading your profiles at Pinterest …")
    await tab.shot("progress")
    hopper.gate.set()
    await tab.settle()
    assert await tab.attach() == ["benharbour"]
    assert tab.trouble == []
