"""E2, E9, R28: the key ring turns while everything runs, a workspace can be shredded, an emergency stops all, an old backup harms once."""

import asyncio
import shutil
import sqlite3
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest

from hitchpost.bootstrap import build
from hitchpost.db.engine import open_database
from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault
from hitchpost.secret import Secret
from hitchpost.settings import read_settings
from hitchpost.tokens.cipher import SealBroken
from hitchpost.tokens.ring import BadRing
from tests.conftest import Scale
from tests.faults.stage import ROOT, TWO_HOURS, Stage, staged
from tests.support.postgres import new_database

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]


async def address(request: pytest.FixtureRequest, engine: str) -> str:
    return await new_database(request.getfixturevalue("postgres"), f"k{new_id()}") if engine == "postgres" else ""


async def command(stage: Stage, *arguments: str) -> tuple[int, str]:
    """What `hitchpost …` said, run beside everything else."""

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-m", "hitchpost", *arguments], cwd=ROOT, env=stage.environment, capture_output=True, text=True, check=False
        )

    done = await asyncio.to_thread(run)
    return done.returncode, done.stdout + done.stderr


@pytest.mark.parametrize("engine", ENGINES)
async def test_E2_the_ring_turns_under_load_and_no_request_fails(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale
) -> None:
    async with staged(tmp_path, await address(request, engine)) as stage:
        grants, asked, over = await stage.people(scale(short=10, full=50)), 0, asyncio.Event()

        async def load() -> None:
            nonlocal asked
            while not over.is_set():
                stage.forward(TWO_HOURS / 4)
                for grant_id in grants:
                    await stage.services.tokens.fresh(grant_id)
                    asked += 1
                await asyncio.sleep(0)

        loading = asyncio.create_task(load())
        kept = (tmp_path / "keys" / "ring").read_text()
        for turn in range(scale(short=2, full=6)):
            code, said = await command(stage, "keys", "rotate", *(["--retire"] if turn else []))
            assert code == 0, said
            assert "wrapped by the key" in said
        over.set()
        await loading
        assert asked >= 30
        ring = (tmp_path / "keys" / "ring").read_text()
        assert ring != kept
        assert ring.count(":") == 1
        wrapped = {row["key_id"] for row in await stage.rows("SELECT key_id FROM data_keys")}
        assert wrapped == {ring.partition(":")[0]}
        # A fresh process opens everything with the new ring, and nothing with the old one.
        child = stage.child(act="each", grants=grants)
        child.ready()
        assert len([one for one in child.ended()[1] if "version" in one]) == len(grants)
        (tmp_path / "keys" / "ring").write_text(kept)
        with pytest.raises(BadRing, match="does not open this database"):
            await build(
                read_settings(stage.environment),
                clock=stage.clock,
                database=open_database(read_settings(stage.environment).settings.database),
            )
        (tmp_path / "keys" / "ring").write_text(ring)
        assert await stage.rows("SELECT 1 FROM grants WHERE state <> 'live'") == []
        print(f"\n{engine}: {asked} requests for tokens while the ring turned, none failed")


async def test_E2_commands_that_rotate_at_once_leave_a_ring_that_opens_everything(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (grant_id,) = await stage.people(1)
        kept = await stage.tokens_of(grant_id)
        said = await asyncio.gather(command(stage, "keys", "rotate"), command(stage, "keys", "rotate", "--retire"))
        assert [code for code, _ in said] == [0, 0], said
        # A server that starts now opens what is stored, and so does the one that has run all the while.
        started = await stage.another(httpx2.AsyncHTTPTransport())
        assert await started.database.read(lambda tx: started.tokens.tokens_of(tx, grant_id)) == kept
        await started.close()
        assert await stage.tokens_of(grant_id) == kept


@pytest.mark.parametrize("engine", ENGINES)
async def test_a_workspace_is_shredded_with_its_key_and_what_nobody_else_needs(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str
) -> None:
    async with staged(tmp_path, await address(request, engine)) as stage:
        await stage.people(3)
        keeper, database, place = stage.services.tokens, stage.services.database, ("authorization_requests", "sealed_verifier", "r")
        sealed = await database.begin(lambda tx: keeper.seal(tx, stage.workspace_id, *place, Secret("canary")))
        code, said = await command(stage, "workspaces", "shred", stage.workspace_id, "--yes")
        assert code == 0, said
        assert said.startswith("3 disconnected, 3 given back")
        assert stage.x.living() == ()
        assert await stage.rows("SELECT 1 FROM token_sets") == []
        with pytest.raises(SealBroken):
            await database.read(lambda tx: keeper.unseal(tx, stage.workspace_id, *place, sealed))
        assert (await command(stage, "workspaces", "shred", "cnobody", "--yes"))[0] == 1


async def test_E9_a_stop_stops_every_process_and_revoke_all_leaves_nothing_alive(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path) as stage:
        grants = await stage.people(scale(short=20, full=300))
        assert (await command(stage, "emergency", "stop"))[0] == 0
        stage.forward(TWO_HOURS)
        with pytest.raises(Fault, match="stopped"):
            await stage.services.tokens.fresh(grants[0])
        assert await stage.services.tokens.renew_due() == 0
        assert stage.world.ledger.count("token_rotated") == 0
        assert (await command(stage, "emergency", "resume"))[0] == 0
        await stage.services.tokens.fresh(grants[0])
        code, said = await command(stage, "emergency", "revoke-all", "--yes")
        assert code == 0, said
        assert f"{len(grants)} ended at their networks, 0 destroyed here" in said
        assert [token for token in stage.x.living() if token.kind == "refresh"] == []
        assert await stage.rows("SELECT 1 FROM token_sets") == []
        with pytest.raises(Fault, match="withdrawn"):
            await stage.services.tokens.fresh(grants[0])


async def test_R28_a_backup_older_than_the_last_renewal_flags_each_stale_grant_once_and_loops_on_none(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path) as stage:
        people = scale(short=8, full=100)
        grants = await stage.people(people)
        file, backup = tmp_path / "data" / "hitchpost.db", tmp_path / "backup.db"
        source, target = sqlite3.connect(file), sqlite3.connect(backup)
        source.backup(target)
        source.close()
        target.close()
        stage.forward(TWO_HOURS)
        renewed = grants[: people // 2]
        for grant_id in renewed:
            await stage.services.tokens.fresh(grant_id)
        await stage.services.close()
        for journal in ("-wal", "-shm"):
            file.with_name(file.name + journal).unlink(missing_ok=True)
        shutil.copy(backup, file)
        configuration = read_settings(stage.environment)
        stage.services = await build(configuration, clock=stage.clock, database=open_database(configuration.settings.database))
        before = stage.world.ledger.count("token_refused")
        for _ in range(12):
            stage.forward(timedelta(minutes=20))
            await stage.services.tokens.renew_due()
        states = {row["id"]: row["state"] for row in await stage.rows("SELECT id, state FROM grants")}
        assert {states[one] for one in renewed} == {"reconnect"}
        assert {states[one] for one in grants[people // 2 :]} == {"live"}
        assert stage.world.ledger.count("token_refused") - before == len(renewed)
        flags = await stage.rows("SELECT subject, COUNT(*) AS times FROM events WHERE type = 'profile.reconnect_required' GROUP BY subject")
        assert [row["times"] for row in flags] == [1] * len(renewed)
