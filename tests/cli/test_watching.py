"""`hitchpost apps`, on the database of a running installation."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import httpx2

from hitchpost.tokens.overview import apps_seen
from tests.support.people import Town


def said(town: Town, *more: str) -> str:
    """What the command prints, from a process of its own without any key."""
    settings = town.house.services.settings
    environment = {**os.environ, "HITCHPOST_DATA_DIR": str(settings.data_dir), "HITCHPOST_DATABASE_URL": settings.database}
    command = [sys.executable, "-m", "hitchpost", "apps", *more]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


async def late(town: Town) -> dict[str, int]:
    """How many grants of each app with any have missed their renewal by the test's own clock, which the command does not share."""
    now = town.house.clock.now()
    seen = await town.house.services.database.read(lambda tx: apps_seen(tx, now))
    return {one.slot: one.late for one in seen if one.alive}


async def test_the_operator_sees_which_app_is_refused_and_what_stands_on_each(town: Town) -> None:
    browser = await town.browser("ada")
    for network in ("x", "pinterest"):
        await browser.attach(await browser.arrive(network, town.lantern))
    lines = {line.split("\t")[0]: line.split("\t")[2:] for line in said(town).splitlines()}
    assert [said for said in lines["x"] if "late" not in said] == ["works", "1 alive", "0 to be connected again", "0 being given back"]
    assert lines["linkedin"][:2] == ["works", "0 alive"]
    assert await late(town) == {"x": 0, "pinterest": 0}
    town.house.forward(timedelta(hours=2))
    assert await late(town) == {"x": 1, "pinterest": 0}
    town.house.weather.trouble = lambda _request: httpx2.Response(401, json={"error": "unauthorized_client"})
    await town.house.services.tokens.renew_due()
    seen = {one["slot"]: one for one in json.loads(said(town, "--json"))}
    assert seen["x"]["state"].startswith("refused by its network")
    assert seen["x"]["alive"] == "1 alive"
    assert seen["pinterest"]["state"] == "works"
