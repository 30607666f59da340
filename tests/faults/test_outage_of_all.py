"""R6, E8: all five networks are down for a day while the whole engine runs, somebody disconnects, somebody asks and somebody connects."""

from collections import Counter
from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.world import World
from tests.conftest import Scale
from tests.faults.mortal import STRICT
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, House, opened
from tests.support.people import Town, settled_town

MINUTE = timedelta(minutes=1)
ANSWERS = {
    "5xx": httpx2.Response(503, json={"title": "Service Unavailable"}), "html": httpx2.Response(502, text="<html>Bad gateway</html>"),
    "429": httpx2.Response(429, headers={"retry-after": "60"}, json={}), "torn": httpx2.Response(200, content=b'{"access_tok'),
}  # fmt: skip
KINDS_OF_CALL = 3
"""That fall due by themselves: renewing, examining, giving back; each with a gate of its own."""


async def minutes(house: House, count: int, step: int) -> None:
    """What the engine does, every few minutes."""
    services = house.services
    for _ in range(0, count, step):
        house.forward(step * MINUTE)
        await services.tokens.renew_due()
        await services.tokens.examine_due()
        await services.tokens.sweep_abandoned()
        await services.looks.settled()


async def connected(town: Town) -> None:
    """Three people of the networks connect all that they have, on all five."""
    browser = await town.browser("ada")
    for network in NETWORKS:
        for person in ("ada", "ben", "cleo"):
            page = await browser.arrive(network, town.lantern, person)
            if any(one.action.endswith("/attach") for one in page.forms):
                await browser.attach(page)


async def healths(town: Town) -> dict[str, dict[str, str]]:
    listed = await town.house.services.profiles.of_workspaces([town.lantern])
    return {one.id: {"network": one.provider, "state": str(one.health.state), "code": one.health.code} for one in listed}


@pytest.mark.parametrize("kind", ["unreachable", "5xx", "html", "429", "torn"])
async def test_R6_a_day_without_all_five_networks_ends_no_connection(tmp_path: Path, clock: ManualClock, scale: Scale, kind: str) -> None:
    step, hours = scale(short=15, full=1), scale(short=3, full=24)
    async with opened(tmp_path, clock, world=World(clock=SandboxClock(clock.now()), apps=STRICT)) as house:
        town = await settled_town(house)
        await connected(town)
        # Old enough for every network to renew; then every access falls due, and is looked at, within the outage.
        house.forward(timedelta(days=2))
        await minutes(house, 60, step)
        before = await healths(town)
        assert {one["network"] for one in before.values()} == set(NETWORKS)
        assert {one["state"] for one in before.values()} <= {"healthy", "missing_permissions"}
        fell = house.clock.now()
        asked: Counter[str] = Counter()

        def down(request: httpx2.Request) -> httpx2.Response | Exception:
            asked[request.url.path.split("/")[1] + request.url.host] += 1
            # An answer 200 to a revocation says that it is done, whatever its body (RFC 7009 §2.2): here nobody has done anything.
            torn_revocation = kind == "torn" and "revoke" in request.url.path
            return httpx2.ConnectError("down") if torn_revocation else ANSWERS.get(kind) or httpx2.ConnectError("down")

        house.weather.trouble = down
        await spread(house, fell, timedelta(hours=hours))
        left = await somebody_leaves_asks_and_connects(town)
        during = asked.total()
        await minutes(house, hours * 60, step)
        assert await house.rows("SELECT id FROM grants WHERE state NOT IN ('live', 'revoking')") == []
        seen = await healths(town)
        assert {(one["network"], one["state"]) for one in seen.values()} <= {
            (network, state) for network in NETWORKS for state in ("healthy", "missing_permissions", "network_trouble")
        }
        # A closed gate lets one call try in ten minutes, for each app and kind of call; it closes after five failures in a row.
        apps = len(await house.rows("SELECT id FROM apps"))
        assert asked.total() - during <= apps * KINDS_OF_CALL * (hours * 6 + 10), asked
        house.weather.trouble = lambda _request: None
        await minutes(house, scale(short=6, full=24) * 60, step)
        assert await healths(town) == {key: one for key, one in before.items() if key != left}
        assert await house.rows("SELECT id FROM grants WHERE state NOT IN ('live', 'gone')") == []
        assert await house.rows("SELECT id FROM events WHERE type = 'profile.reconnect_required'") == []
        assert house.world.authority("x").living(person="ben") == ()
        print(f"\n{kind}: {len(before)} profiles of five networks, {hours} h down, {asked.total()} calls meanwhile, none ended")


async def spread(house: House, since: datetime, over: timedelta) -> None:
    """Everything falls due within this time, at even distances."""
    for table, column in (("grants", "due_at"), ("reaches", "check_due_at")):
        ids = [row["id"] for row in await house.rows(f"SELECT id FROM {table} WHERE {column} IS NOT NULL")]
        for number, one in enumerate(ids):
            at = int((since + over * (number / len(ids))).timestamp() * 1_000_000)
            sql = f"UPDATE {table} SET {column} = {at} WHERE id = '{one}'"
            await house.services.database.begin(lambda tx, sql=sql: tx.exec_driver_sql(sql))  # type: ignore[misc]


async def somebody_leaves_asks_and_connects(town: Town) -> str:
    """Ben's X account is disconnected, Ada's is looked at on demand, and a new consent is tried; the id of what was disconnected."""
    house, key = town.house, await town.house.key(town.ada)
    rows = await house.rows("SELECT id, name FROM profiles WHERE provider = 'x' ORDER BY name")
    leaver = next(str(row["id"]) for row in rows if "ben" in str(row["name"]).lower())
    async with house.own(key) as own:
        answer = await own.delete(f"social-profiles/{leaver}?workspaceId={town.lantern}")
        assert answer.status_code == 200, answer.text
        assert answer.json()["access"] == "revoking", answer.text
        other = next(str(row["id"]) for row in rows if str(row["id"]) != leaver)
        said = await own.post(f"social-profiles/{other}/check?workspaceId={town.lantern}")
        assert said.status_code in (200, 502), said.text
    return leaver
