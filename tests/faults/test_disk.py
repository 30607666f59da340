"""R23-R25: SQLite on a disk that is full, broken or busy: nothing is acknowledged that is not committed, and nothing needs a restart."""

import asyncio
import sqlite3
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.exc import OperationalError

from hitchpost.asgi import create_app
from hitchpost.db.engine import SqliteDatabase, Tx
from hitchpost_sandbox.faults import Fault
from tests.conftest import Scale
from tests.faults.held import until
from tests.faults.stage import TWO_HOURS, staged
from tests.faults.test_kills import judged


def pragma(tx: Tx, name: str) -> int:
    return int(tx.exec_driver_sql(f"PRAGMA {name}").scalar() or 0)


@pytest.mark.parametrize("checkpoints", [True, False])
async def test_R23_tokens_are_written_with_full_synchronisation_and_one_process_moves_the_log(tmp_path: Path, checkpoints: bool) -> None:
    database = SqliteDatabase(f"sqlite:///{tmp_path / 'it.db'}", checkpoints=checkpoints)
    writer = await database.begin(lambda tx: {name: pragma(tx, name) for name in ("synchronous", "foreign_keys", "wal_autocheckpoint")})
    assert writer == {"synchronous": 2, "foreign_keys": 1, "wal_autocheckpoint": 1000 if checkpoints else 0}
    reader = await database.read(lambda tx: {name: pragma(tx, name) for name in ("synchronous", "query_only", "wal_autocheckpoint")})
    assert reader == {"synchronous": 2, "query_only": 1, "wal_autocheckpoint": 0}
    assert await database.read(lambda tx: tx.exec_driver_sql("PRAGMA journal_mode").scalar()) == "wal"

    def another_cannot_begin(_tx: Tx) -> None:
        # Before our step has written a byte the lock is ours: two writers can never both go on from one old moment.
        beside = sqlite3.connect(tmp_path / "it.db", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            beside.execute("BEGIN IMMEDIATE")
        beside.close()

    await database.begin(another_cannot_begin)
    await database.close()


async def test_R24_on_a_full_disk_nothing_is_acknowledged_and_with_room_it_goes_on(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path) as stage:
        services, made = stage.services, set[str]()
        _, key = await services.database.begin(lambda tx: services.workspaces.issue_key(tx, stage.person_id, "trial"))

        def full(tx: Tx) -> None:
            tx.exec_driver_sql(f"PRAGMA max_page_count = {pragma(tx, 'page_count')}")

        async def workspace(number: int) -> None:
            name = f"{number:05}" + "x" * 100
            made.add(await services.database.begin(lambda tx: services.workspaces.create(tx, name=name, owner_id=stage.person_id)))

        for turn in range(scale(short=2, full=20)):
            await services.database.begin(full)
            refused = 0
            for number in range(500):
                try:
                    await workspace(turn * 1000 + number)
                except OperationalError as error:
                    assert "full" in str(error)  # noqa: PT017  (each of many)
                    refused += 1
                if refused == 5:
                    break
            assert refused == 5
            transport = httpx2.ASGITransport(app=create_app(services, background=False), raise_app_exceptions=False)
            async with httpx2.AsyncClient(
                transport=transport, base_url=services.settings.public_url, headers={"X-API-Key": key.reveal()}
            ) as own:
                # Reading goes on.
                assert (await own.get("/api/_public/v1/workspaces")).status_code == 200
            await services.database.begin(lambda tx: tx.exec_driver_sql("PRAGMA max_page_count = 1073741823"))
            await workspace(turn * 1000 + 999)
            beside = sqlite3.connect(tmp_path / "data" / "hitchpost.db")
            kept = {row[0] for row in beside.execute("SELECT id FROM workspaces")} - {stage.workspace_id}
            beside.close()
            assert kept == made


async def test_R24_an_answer_that_a_broken_disk_refuses_is_kept_and_recorded_when_it_is_back(tmp_path: Path, scale: Scale) -> None:
    people = scale(short=8, full=32)
    async with staged(tmp_path) as stage:
        grants = await stage.people(people)
        for turn in range(scale(short=1, full=10)):
            stage.forward(TWO_HOURS)
            before = stage.world.ledger.count("token_rotated")
            child = stage.child(act="each", grants=grants, breaks=True, checkpoints=False, at_once=people)
            child.ready()
            # The system itself refuses every byte from the first answer on, and every call has one.
            await until(lambda before=before: stage.world.ledger.count("token_rotated") - before == people)  # type: ignore[misc]
            told = await asyncio.to_thread(child.line)
            assert told == {"broken": True}
            assert {row["version"] for row in await stage.rows("SELECT version FROM grants")} == {turn + 1}
            child.go()
            code, said = await asyncio.to_thread(child.ended)
            assert code == 0
            assert "an outcome could not be recorded and is kept" in child.err
            assert sorted(one["grant"] for one in said if one.get("version") == turn + 2) == sorted(grants)
            assert stage.world.ledger.count("token_rotated") - before == people
            assert await judged(stage, dict.fromkeys(grants, turn + 2)) == (people, 0)


async def test_R25_a_busy_database_delays_the_record_and_loses_nothing(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path) as stage:
        grants = await stage.people(4)
        stage.forward(TWO_HOURS)
        script = stage.world.faults.add(Fault("hold", network="x", path="*/oauth2/token", times=0, acts=True))
        child = stage.child(act="each", grants=grants, checkpoints=False)
        child.ready()
        await until(lambda: script.holding == len(grants))
        other = sqlite3.connect(tmp_path / "data" / "hitchpost.db", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        stage.world.faults.remove(script.id)
        # In full for longer than SQLite's own patience of 15 seconds; readers never wait.
        for _ in range(scale(short=1, full=18)):
            assert len(await stage.rows("SELECT 1 FROM grants WHERE claim_id <> ''")) == len(grants)
            await asyncio.sleep(1)
        other.execute("COMMIT")
        other.close()
        code, said = await asyncio.to_thread(child.ended)
        assert code == 0
        assert {one.get("version") for one in said} == {2}
        assert stage.world.ledger.count("token_rotated") == len(grants)
        assert ("could not be recorded" in child.err) == scale.is_full
        assert await judged(stage, dict.fromkeys(grants, 2)) == (len(grants), 0)
