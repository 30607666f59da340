"""R19: SIGTERM under load, to the server and to a worker: within 30 seconds, no lease left, what was under way is answered."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2
import pytest

from hitchpost.bootstrap import build
from hitchpost.db.engine import open_database
from hitchpost.demo.programs import free_port
from hitchpost.settings import read_settings
from hitchpost_sandbox.faults import Fault
from tests.conftest import Scale
from tests.faults.held import until
from tests.faults.stage import ENGINES, ROOT, Child, Stage, place, staged
from tests.support.postgres import new_database

WITHIN = 30.0
DUE = "UPDATE grants SET due_at = 1 WHERE state = 'live'"


def program(stage: Stage, module: str, **more: str) -> Child:
    """One of our programs, as an operator starts it, with all that it may log."""
    environment = {**os.environ, **stage.environment, **more, "HITCHPOST_LOG_LEVEL": "debug", "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", module], cwd=ROOT, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )  # fmt: skip
    child = Child(process)
    stage.children.append(child)
    return child


async def ended(child: Child) -> float:
    """Tell it to stop; the seconds that it took. Its exit code is 0."""
    begun = time.monotonic()
    child.process.send_signal(signal.SIGTERM)
    await asyncio.to_thread(child.collected)
    assert child.process.returncode == 0, child.err[-2000:]
    return time.monotonic() - begun


async def settled(stage: Stage, grants: int) -> None:
    """Nobody holds a lease, and nothing is half done: the stored versions are what the network's ledger has given."""
    assert await stage.rows("SELECT id FROM grants WHERE claim_id <> ''") == []
    rows = await stage.rows(
        "SELECT grants.version, sealed.version AS sealed FROM grants JOIN token_sets sealed ON sealed.grant_id = grants.id"
    )
    assert len(rows) == grants
    assert [row for row in rows if row["version"] != row["sealed"]] == []
    assert sum(row["version"] - 1 for row in rows) == stage.world.ledger.count("token_rotated")


async def reopened(stage: Stage) -> None:
    configuration = read_settings(stage.environment)
    stage.services = await build(configuration, clock=stage.clock, database=open_database(configuration.settings.database))


@pytest.mark.parametrize("engine", ENGINES)
async def test_R19_a_server_under_load_stops_in_time_and_answers_what_it_has_begun(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale
) -> None:
    # The network's silence lasts 20 seconds: `make faults` waits for it.
    for fate in ("answered", "hanging") if scale.is_full else ("answered",):
        (folder := tmp_path / fate).mkdir()
        await stopped_under_load(folder, await place(request, engine), engine, fate, scale)


async def stopped_under_load(tmp_path: Path, address: str, engine: str, fate: str, scale: Scale) -> None:
    due, looks = scale(short=40, full=80), 6
    async with staged(tmp_path, address) as stage:
        people = await stage.people(due)
        where, port = f"?workspaceId={stage.workspace_id}", free_port()
        _, key = await stage.services.database.begin(lambda tx: stage.services.workspaces.issue_key(tx, stage.person_id, "trial"))
        url = f"http://127.0.0.1:{port}"
        await stage.services.database.begin(lambda tx: tx.exec_driver_sql(DUE))
        # One server at a time on SQLite, and one that moves its log.
        await stage.services.close()
        renewals = stage.world.faults.add(Fault("hold" if fate == "answered" else "hang", network="x", path="*/oauth2/token", times=0))
        lookups = stage.world.faults.add(Fault("hold" if fate == "answered" else "hang", network="x", path="*/users/me", times=0))
        server = program(stage, "hitchpost.asgi", HITCHPOST_BIND=f"127.0.0.1:{port}", HITCHPOST_PUBLIC_URL=url)
        said: list[int] = []
        async with httpx2.AsyncClient(base_url=url, headers={"X-API-Key": key.reveal()}, timeout=60.0, trust_env=False) as client:
            await until(lambda: stage.world.ledger.count("fault") >= 32)
            listed = (await client.get(f"/api/_public/v1/social-profiles{where}")).json()
            asked = [
                asyncio.create_task(client.post(f"/api/v1/social-profiles/{one['id']}/check{where}", headers={"Connection": "close"}))
                for one in listed[:looks]
            ]
            await until(lambda: lookups.spoiled == looks)

            async def hammer() -> None:
                async with httpx2.AsyncClient(base_url=url, headers={"X-API-Key": key.reveal()}, trust_env=False) as busy:
                    while True:
                        try:
                            answer = await busy.post(f"/api/_public/v1/social-profiles/connection-url{where}", json={"provider": "x"})
                        except httpx2.HTTPError:
                            return
                        assert answer.json()["url"].startswith(url)
                        said.append(answer.status_code)

            hammering = [asyncio.create_task(hammer()) for _ in range(4)]
            await until(lambda: len(said) >= 20)
            ending = asyncio.create_task(ended(server))
            await asyncio.gather(*hammering)
            if fate == "answered":
                stage.world.faults.remove(lookups.id)
                stage.world.faults.remove(renewals.id)
            took = await ending
            answers = await asyncio.gather(*asked)
        # Who asked for a look while the network keeps silent is told so, and is answered all the same.
        assert {one.status_code for one in answers} == {200 if fate == "answered" else 502}
        assert set(said) == {200}
        assert took <= WITHIN
        await reopened(stage)
        await settled(stage, len(people))
        if fate == "answered":
            assert stage.world.ledger.count("token_rotated") >= 32
        print(f"\n{engine}, {fate}: the server stopped in {took:.1f} s; {len(said)} calls answered, {looks} that hung at the network too")


@pytest.mark.postgres
async def test_R19_a_worker_whose_renewals_hang_stops_in_time_and_leaves_no_lease(tmp_path: Path, postgres: str, scale: Scale) -> None:
    async with staged(tmp_path, await new_database(postgres, f"w{os.getpid()}x{free_port()}")) as stage:
        people = await stage.people(80)
        await stage.services.database.begin(lambda tx: tx.exec_driver_sql(DUE))
        does = "hang" if scale.is_full else "hold"
        script = stage.world.faults.add(Fault(does, network="x", path="*/oauth2/token", times=0))
        worker = program(stage, "hitchpost.worker")
        await until(lambda: script.spoiled >= 32)
        ending = asyncio.create_task(ended(worker))
        if not scale.is_full:
            stage.world.faults.remove(script.id)
        took = await ending
        assert took <= WITHIN
        await settled(stage, len(people))
        assert '"the worker stops"' in worker.err
        # What it had begun was finished or given up, and what it had not begun was left to others.
        assert script.spoiled <= 64
        print(f"\nthe worker stopped in {took:.1f} s with {script.spoiled} renewals under way")
