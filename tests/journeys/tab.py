"""One tab of a real browser that walks the way of a connection, keeps a picture of every step, and notes whatever a page should not do."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx2
from playwright.async_api import BrowserContext, Locator, Page, Request, Route, ViewportSize, expect

from hitchpost.demo import world
from tests.support.programs import Served

ARTEFACTS = Path(__file__).parents[2] / "artefacts" / "journeys"
DESKTOP, PHONE = "desktop", "phone"
SCREENS = {DESKTOP: ViewportSize(width=1280, height=800), PHONE: ViewportSize(width=390, height=844)}
AUTHORIZE = re.compile(r"/(dialog/oauth|oauth/authorize|oauth2/authorize|oauth/v2/authorization|oauth)/?\?")
"""The addresses at which the networks ask for consent."""


def connection_url(served: Served, provider: str) -> str:
    """What the API answers: the one call that everything begins with."""
    answer = httpx2.post(
        f"{served.url}/api/_public/v1/social-profiles/connection-url?workspaceId={served.workspace_id}",
        headers={"X-API-Key": served.key},
        json={"provider": provider},
        trust_env=False,
    )
    url: str = answer.raise_for_status().json()["url"]
    return url


def redeemed(served: Served) -> list[str]:
    """The fingerprints of the codes that the sandbox has exchanged, by its own ledger."""
    answer = httpx2.get(f"{served.sandbox_url}/_sandbox/ledger?kind=code_redeemed", trust_env=False)
    return [entry["facts"]["code"] for entry in answer.raise_for_status().json()]


def code_in(callback: str) -> str:
    """The code that a callback's address carries."""
    return parse_qs(urlsplit(callback).query)["code"][0]


@dataclass(slots=True)
class Tab:
    """A page in a cookie jar of its own. `trouble`: script errors, dialogs and CSP reports; `asked`: every request, in order."""

    served: Served
    context: BrowserContext
    page: Page
    size: str
    trouble: list[str] = field(default_factory=list)
    asked: list[Request] = field(default_factory=list)
    _folder: Path | None = None
    _shots: int = 0

    @classmethod
    async def opened(cls, served: Served, context: BrowserContext, size: str) -> "Tab":
        tab = cls(served, context, await context.new_page(), size)
        tab.page.on("pageerror", lambda error: tab.trouble.append(f"script error: {error}"))
        tab.page.on(
            "console",
            lambda line: tab.trouble.append(line.text) if line.type == "error" and "responded with a status of" not in line.text else None,
        )
        tab.page.on("request", lambda request: tab.asked.append(request))

        async def dismiss(dialog: object) -> None:
            tab.trouble.append("a dialog opened")
            await dialog.dismiss()  # type: ignore[attr-defined]

        tab.page.on("dialog", dismiss)
        return tab

    def keep(self, name: str) -> None:
        """Keep pictures from now on, in a folder of this name and size."""
        self._folder = ARTEFACTS / f"{name}-{self.size}"
        self._folder.mkdir(parents=True, exist_ok=True)
        for old in self._folder.glob("*.png"):
            old.unlink()

    async def shot(self, name: str) -> None:
        """A picture of the whole page as it stands; nothing may stick out at its side."""
        if self._folder is None:
            return
        # From the end of the page, or the bar that keeps to the screen's foot would stand across the middle of the picture.
        await self.page.evaluate("scrollTo(0, document.body.scrollHeight)")
        await self.page.screenshot(path=self.picture(name), full_page=True)
        wide = await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wide == 0, f"{name} is {wide} px wider than the screen"

    def picture(self, name: str) -> Path:
        """The file of the next picture."""
        assert self._folder is not None, "no pictures are kept"
        self._shots += 1
        return self._folder / f"{self._shots:02d}-{name}.png"

    @property
    def title(self) -> Locator:
        return self.page.locator("h1")

    def button(self, name: str | re.Pattern[str]) -> Locator:
        return self.page.get_by_role("button", name=name)

    def callbacks(self) -> list[str]:
        """The callback addresses that this tab has opened."""
        return [request.url for request in self.asked if "/api/social-connect/callback/" in request.url]

    # The way, step by step.

    async def sign_in(self) -> None:
        """On the sign-in page, as Ada; ends where she was going."""
        await self.page.get_by_label("E-mail address").fill(world.EMAIL)
        await self.page.get_by_label("Password").fill(world.PASSWORD)
        await self.shot("sign-in")
        await self.button("Sign in").click()

    async def start(self, provider: str) -> None:
        """API call, its URL opened, signed in if need be: the start page."""
        await self.page.goto(connection_url(self.served, provider))
        if "/sign-in" in self.page.url:
            await self.sign_in()
        await expect(self.button(re.compile("^Continue"))).to_be_visible()

    async def depart(self, login: str = "") -> None:
        """From the start page to the network's consent page."""
        if login:
            await self.page.locator(f"input[name=login][value={login}]").check()
        await self.shot("start")
        if self._folder is None:
            await self.button(re.compile("^Continue")).click()
        else:
            await self._depart_slowly()
        await self.page.wait_for_url(f"{self.served.sandbox_url}/**")
        await expect(self.page.get_by_text("Who are you?")).to_be_visible()

    async def _depart_slowly(self) -> None:
        """Held back once by an empty answer, the page that moves on still stands: its picture, then its link."""

        async def nothing(route: Route) -> None:
            await route.fulfill(status=204)

        await self.page.route(AUTHORIZE, nothing, times=1)
        async with self.page.expect_request(AUTHORIZE):
            await self.button(re.compile("^Continue")).click()
        link = self.page.get_by_role("link", name=re.compile("^Go to "))
        await expect(link).to_be_visible()
        await self.shot("moving")
        await link.click()

    async def consent(self, person: str, decision: str = "allow") -> None:
        """Decide as somebody of the sandbox's cast."""
        await self.page.locator(f"input[name=person][value={person}]").check()
        await self.shot("consent")
        await self.page.locator(f"button[name=decision][value={decision}]").click()

    async def settle(self) -> None:
        """Until the connection's page stands still."""
        await self.page.wait_for_url(f"{self.served.url}/**")
        await expect(self.page.locator("meta[http-equiv=refresh]")).to_have_count(0, timeout=20_000)
        await expect(self.title).to_be_visible()

    async def arrive(self, provider: str, person: str = "ada", login: str = "", decision: str = "allow") -> None:
        """From the API call to what the connection's page says after consent."""
        await self.start(provider)
        await self.depart(login)
        await self.consent(person, decision)
        await self.settle()

    async def attach(self) -> list[str]:
        """Pick all that can be picked and connect it; the names on the done page."""
        await self.pick_all()
        await self.shot("choose")
        await self.button("Connect selected").click()
        await self.done()
        return await self.names()

    async def pick_all(self) -> None:
        for box in await self.page.locator("input[name=pick]").all():
            await box.check()

    async def done(self) -> None:
        await expect(self.title).to_contain_text(re.compile("(is|are) connected"))
        await self.settle()

    async def names(self) -> list[str]:
        """Whom the rows of this page name."""
        return await self.page.locator(".row-name").all_inner_texts()

    async def stopped(self, code: str) -> None:
        """The page that says what stopped, with its code for whoever helps."""
        await self.settle()
        await expect(self.page.locator(".stopped .fine code").first).to_have_text(code)


async def headers_of(requests: list[Request], chosen: Callable[[Request], bool]) -> list[dict[str, str]]:
    """What the browser really sent, cookies and Referer included, with the chosen requests."""
    return [await request.all_headers() for request in requests if chosen(request)]


def goes_to(origin: str) -> Callable[[Request], bool]:
    return lambda request: "{0.scheme}://{0.netloc}".format(urlsplit(request.url)) == origin
