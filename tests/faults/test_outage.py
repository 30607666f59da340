"""R6, R16: all five networks are down for a day. Nobody healthy is called revoked, and what was dammed up flows out without a flood."""

from datetime import datetime, timedelta
from pathlib import Path

import httpx2
import pytest

from tests.conftest import Scale
from tests.faults.stage import STRICT, Stage, staged

MINUTE = timedelta(minutes=1)


class Traffic:
    """How many token calls left in each minute of the stage's time."""

    def __init__(self, stage: Stage) -> None:
        self._stage = stage
        self.minutes: dict[datetime, int] = {}

    def note(self, request: httpx2.Request) -> None:
        if request.url.path.endswith("/oauth2/token"):
            minute = self._stage.clock.now().replace(second=0, microsecond=0)
            self.minutes[minute] = self.minutes.get(minute, 0) + 1

    def peak(self, begin: datetime, over: timedelta, window: int = 5) -> float:
        """The most calls a minute, in the mean of any few minutes in a row, since `begin`."""
        counts = [self.minutes.get((begin + step * MINUTE).replace(second=0, microsecond=0), 0) for step in range(int(over / MINUTE))]
        return max(sum(counts[at : at + window]) / window for at in range(len(counts) - window + 1))


async def minutes(stage: Stage, count: int, a_minute: int) -> None:
    """The engine asks every second; ten of them, or thirty, are fine enough here."""
    for _ in range(count * a_minute):
        stage.forward(MINUTE / a_minute)
        await stage.services.tokens.renew_due()


async def healths(stage: Stage) -> dict[str, int]:
    found: dict[str, int] = {}
    for one in await stage.services.profiles.of_workspaces([stage.workspace_id]):
        found[one.health.state] = found.get(one.health.state, 0) + 1
    return found


@pytest.mark.parametrize("kind", ["unreachable", "5xx", "html", "429", "torn"])
async def test_R6_a_day_without_networks_ends_no_connection(tmp_path: Path, scale: Scale, kind: str) -> None:
    people, hours = scale(short=40, full=2500 if kind == "5xx" else 200), scale(short=3, full=24)
    a_minute = scale(short=2, full=6)
    answers = {
        "5xx": httpx2.Response(503, json={"title": "Service Unavailable"}), "html": httpx2.Response(502, text="<html>Bad gateway</html>"),
        "429": httpx2.Response(429, headers={"x-rate-limit-reset": "60"}, json={}), "torn": httpx2.Response(200, content=b'{"access_tok'),
    }  # fmt: skip
    # The pace is each app's own: what the operator could set is left alone.
    async with staged(tmp_path, apps=(STRICT,), extra={"HITCHPOST_RENEWALS_A_MINUTE": "0"}) as stage:
        weather, traffic = stage.weather, Traffic(stage)

        def fair(request: httpx2.Request) -> None:
            traffic.note(request)

        def down(request: httpx2.Request) -> httpx2.Response | Exception:
            traffic.note(request)
            return answers.get(kind) or httpx2.ConnectError("down")

        weather.trouble = fair
        for _ in range(20):
            # People come over an hour and a half, as they do: their renewals are spread.
            await stage.people(people // 20)
            await minutes(stage, 5, a_minute)
        began = stage.clock.now()
        await minutes(stage, scale(short=100, full=180), a_minute)
        normal = traffic.peak(began, stage.clock.now() - began)
        fell = stage.clock.now()
        weather.trouble = down
        await minutes(stage, hours * 60, a_minute)
        asked = sum(count for minute, count in traffic.minutes.items() if minute >= fell)
        seen = await healths(stage)
        assert set(seen) <= {"healthy", "network_trouble"}, seen
        assert await stage.rows("SELECT 1 FROM grants WHERE state <> 'live'") == []
        # A breaker stands before the network: it is not hammered while it is down.
        assert asked <= people + hours * 30
        rose = stage.clock.now()
        weather.trouble = fair
        await minutes(stage, scale(short=90, full=180), a_minute)
        assert await healths(stage) == {"healthy": people}
        peak = traffic.peak(rose, stage.clock.now() - rose)
        assert peak <= 2 * normal, (peak, normal)
        print(f"\n{kind}: {people} grants, {hours} h down, {asked} calls meanwhile, normal {normal:.1f}/min, recovery peak {peak:.1f}/min")
