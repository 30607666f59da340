"""Ada owns Lantern; Ben is a connector there; Vic only views; Cleo owns Quill and must never see any of Lantern."""

from dataclasses import dataclass

from hitchpost.workspaces.roles import Role
from tests.support.house import Browser, House


@dataclass(slots=True)
class Town:
    """A house with its people."""

    house: House
    ada: str
    ben: str
    vic: str
    cleo: str
    lantern: str
    quill: str

    async def browser(self, who: str) -> Browser:
        """A fresh browser in which `who` (ada, ben, vic, cleo) is signed in."""
        browser = self.house.browser()
        await browser.sign_in(f"{who}@example.com")
        return browser


async def settled_town(house: House) -> Town:
    """Make the people and their workspaces."""
    ada, ben, vic, cleo = [await house.person(f"{name.lower()}@example.com", name) for name in ("Ada", "Ben", "Vic", "Cleo")]
    lantern, quill = await house.workspace("Lantern", ada), await house.workspace("Quill", cleo)
    await house.member(lantern, ben, Role.CONNECTOR)
    await house.member(lantern, vic, Role.VIEWER)
    return Town(house, ada, ben, vic, cleo, lantern, quill)
