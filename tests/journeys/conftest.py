"""Both programs once, one Chromium once, and a cookie jar of its own for whoever opens a tab."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests import bring
from tests.journeys.tab import DESKTOP, PHONE, SCREENS, Tab
from tests.support.programs import Served, serving

ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
)  # fmt: skip
OpenTab = Callable[..., Awaitable[Tab]]
"""`await open_tab(size, javascript=True, served=…)`."""


@pytest.fixture(scope="session")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """Ada's world, with more calls a minute than people make."""
    with serving(tmp_path_factory.mktemp("journeys"), {"HITCHPOST_RATE_LIMIT": "100000"}) as served:
        yield served


@pytest_asyncio.fixture(loop_scope="session", scope="session")
async def chromium() -> AsyncIterator[Browser]:
    """The browser, headless; its contexts are the browsers of people."""
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=bring.chromium(), args=list(ARGUMENTS))
        yield browser
        await browser.close()


@pytest_asyncio.fixture(loop_scope="session")
async def open_tab(chromium: Browser, served: Served) -> AsyncIterator[OpenTab]:
    """Opens tabs, each as another browser: nobody is signed in. The phone prefers dark, the desktop light."""
    async with AsyncExitStack() as stack:

        async def opened(size: str = DESKTOP, *, javascript: bool = True, at: Served = served) -> Tab:
            phone = size == PHONE
            context = await chromium.new_context(
                viewport=SCREENS[size],
                is_mobile=phone,
                has_touch=phone,
                color_scheme="dark" if phone else "light",
                java_script_enabled=javascript,
                reduced_motion="reduce",
            )
            stack.push_async_callback(context.close)
            context.set_default_timeout(20_000)
            return await Tab.opened(at, context, size)

        yield opened
