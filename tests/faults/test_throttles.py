"""R17: a network that says "not before …" in its own headers is not asked before, for that app and kind of call; then it goes on."""

from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from hitchpost.networks.errors import Fault as NetworkFault
from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_MEMBER_APP, META_APP, PINTEREST_APP, X_APP
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.world import World
from tests.support.clock import ManualClock
from tests.support.house import House, opened
from tests.support.people import settled_town

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
PARTNER = replace(LINKEDIN_MEMBER_APP, options={"refresh_tokens": True})
GRAPH_LIMIT = '{"error":{"message":"(#4) Application request limit reached","type":"OAuthException","code":4,"fbtrace_id":"A"}}'
REGAINED_IN_12 = (
    '{"101755847768001":[{"type":"pages","call_count":100,"total_cputime":58,"total_time":64,"estimated_time_to_regain_access":12}]}'
)


USED_UP = {"x-business-use-case-usage": REGAINED_IN_12}
DAY_SPENT = {"x-app-limit-24hour-remaining": "0", "x-app-limit-24hour-reset": "+18000"}


@dataclass(frozen=True, slots=True)
class Ban:
    """How a network bans an app from renewing. `due`: after which its tokens fall due; `end`: when the ban ends, by its own words."""

    network: str
    due: timedelta
    does: str
    until: timedelta | None = None
    body: str = ""
    headers: dict[str, str] = field(default_factory=dict)

    def ends(self, now: datetime) -> datetime:
        if self.until is not None:
            return now + self.until
        seconds = {"x": 900, "linkedin": 86400, "pinterest": 60}[self.network]
        return datetime.fromtimestamp((int(now.timestamp()) // seconds + 1) * seconds, now.tzinfo)


BANS = {
    "x by its window": Ban("x", 1.6 * HOUR, "rate_limit"),
    "x by its day": Ban("x", 1.6 * HOUR, "answer", 5 * HOUR, "{}", DAY_SPENT),
    "linkedin until midnight": Ban("linkedin", 46 * DAY, "rate_limit"),
    "pinterest by its minute": Ban("pinterest", 23 * DAY, "rate_limit"),
    "facebook by its minutes": Ban("facebook", 46 * DAY, "answer", 12 * HOUR / 60, GRAPH_LIMIT, USED_UP),
    "instagram by its minutes": Ban("instagram", 46 * DAY, "answer", 12 * HOUR / 60, GRAPH_LIMIT, USED_UP),
    "facebook without a date": Ban("facebook", 46 * DAY, "rate_limit", HOUR),
    "instagram without a date": Ban("instagram", 46 * DAY, "rate_limit", HOUR),
}  # fmt: skip
"""Meta names no moment at its app limit: an hour is what public clients wait (fact sheet of Facebook, §7)."""
TOKEN_PATHS = {"x": "*/oauth2/token", "linkedin": "*/accessToken", "pinterest": "*/oauth/token", "facebook": "*/oauth/access_token",
               "instagram": "/refresh_access_token"}  # fmt: skip
APPS = (META_APP, INSTAGRAM_APP, X_APP, PARTNER, PINTEREST_APP)
PEOPLE = ("ada", "ben", "mona")


async def grants_of(house: House, network: str) -> list[str]:
    """Three people connect; their grants."""
    town = await settled_town(house)
    for who in PEOPLE:
        browser = await town.browser("ada")
        login = "instagram" if network == "instagram" else ""
        page = await browser.arrive(network, town.lantern, who, login=login)
        await browser.attach(page)
    return [str(one["id"]) for one in await house.rows("SELECT id FROM grants WHERE state = 'live' ORDER BY due_at")]


def calls(house: House, network: str) -> int:
    return sum(
        1 for one in house.ledger.read(network=network, what="call") if str(one.facts["path"]).endswith(TOKEN_PATHS[network].lstrip("*"))
    )


@pytest.mark.parametrize("name", BANS)
async def test_R17_nothing_is_asked_while_the_network_has_banned_the_app(tmp_path: Path, clock: ManualClock, name: str) -> None:
    ban = BANS[name]
    async with opened(tmp_path, clock, world=World(clock=SandboxClock(clock.now()), apps=APPS)) as house:
        grants = await grants_of(house, ban.network)
        assert len(grants) == len(PEOPLE)
        house.forward(ban.due)
        now = clock.now()
        headers = {key: str(int(now.timestamp()) + int(value)) if value.startswith("+") else value for key, value in ban.headers.items()}
        path = TOKEN_PATHS[ban.network]
        status = 400 if ban.body == GRAPH_LIMIT else 429 if ban.does == "answer" else 0
        script = house.world.faults.add(
            Fault(ban.does, network=ban.network, path=path, times=0, status=status, headers=headers, body=ban.body)
        )
        ends = ban.ends(now)
        # Those whose calls were on their way together with the first: only one is, so that what follows is disobedience.
        await house.services.database.begin(
            lambda tx: tx.exec_driver_sql(f"UPDATE grants SET due_at = due_at + 8640000000000 WHERE id <> '{grants[0]}'")
        )
        before = calls(house, ban.network)
        await house.services.tokens.renew_due()
        assert calls(house, ban.network) == before + 1
        await house.services.database.begin(lambda tx: tx.exec_driver_sql("UPDATE grants SET due_at = 1 WHERE claim_id = ''"))
        refusals = set[bool]()
        step = max((ends - now) / 40, timedelta(seconds=1))
        while clock.now() + step < ends:
            house.forward(step)
            await house.services.tokens.renew_due()
            for one in grants:
                try:
                    await house.services.tokens.fresh(one)
                except NetworkFault as fault:
                    refusals.add(fault.retryable)
        assert calls(house, ban.network) == before + 1, "the network was asked within its ban"
        assert refusals <= {True}
        house.world.faults.remove(script.id)
        house.forward(ends - clock.now())
        for _ in range(12):
            house.forward(min(step, timedelta(minutes=1)))
            await house.services.tokens.renew_due()
        assert calls(house, ban.network) == before + 1 + len(PEOPLE)
        assert [one["state"] for one in await house.rows("SELECT state FROM grants")] == ["live"] * len(PEOPLE)
        assert {one["trouble"] for one in await house.rows("SELECT trouble FROM grants")} == {""}
