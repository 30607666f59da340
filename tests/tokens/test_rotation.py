"""E2: turning the ring, by several at once, on several machines, beside servers that seal: what was sealed always opens."""

import asyncio
import shutil
import threading
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import text

from hitchpost.clock import SystemClock
from hitchpost.db.engine import Database, Tx, open_database
from hitchpost.ids import new_id
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.tokens import rotation
from hitchpost.tokens.cipher import Place
from hitchpost.tokens.ring import BadRing, Ring, load_or_make
from hitchpost.tokens.vault import Vault
from tests.support.house import prepared
from tests.support.postgres import new_database
from tests.tokens.rings import new_ring, ring_text

ROUNDS, AT_ONCE = 8, 3
OURS, LANTERN = Place("-", "apps", "sealed_secret", "cone"), Place("clantern", "authorization_requests", "sealed_verifier", "cone")
Opens = Callable[[Settings], Awaitable[None]]


def at(folder: Path) -> Settings:
    return Settings(key_dir=folder)


def server(settings: Settings) -> Vault:
    """A process that starts just now, and reads the ring again when it must. Raises BadRing."""
    reload: Callable[[], Ring] = partial(load_or_make, settings, database_empty=False)
    return Vault(reload(), SystemClock(), reload=reload)


@pytest.fixture
async def opens(any_database: Database, tmp_path: Path) -> Opens:
    """The installation and Lantern have sealed something; called, a server starts with these settings and opens both. Raises BadRing."""
    ring = load_or_make(at(tmp_path), database_empty=True)

    def seal(tx: Tx) -> dict[Place, str]:
        vault = Vault(ring, SystemClock())
        return {place: vault.seal(tx, place, Secret("canary")) for place in (OURS, LANTERN)}

    sealed = await any_database.begin(seal)

    async def started(settings: Settings) -> None:
        vault = server(settings)

        def opened(tx: Tx) -> set[Secret]:
            vault.check(tx)
            return {vault.open(tx, place, text) for place, text in sealed.items()}

        assert await any_database.begin(opened) == {Secret("canary")}

    return started


@pytest.mark.parametrize("retire", [False, True])
async def test_E2_rotations_at_once_leave_a_ring_that_opens_everything(
    empty_database_url: str, any_database: Database, tmp_path: Path, opens: Opens, retire: bool
) -> None:
    together = threading.Barrier(AT_ONCE)

    def process(_number: int) -> str:
        async def turn() -> str:
            mine = open_database(empty_database_url, checkpoints=False)
            try:
                return (await rotation.rotate(at(tmp_path), mine, SystemClock(), retire=retire)).primary
            finally:
                await mine.close()

        together.wait()
        return asyncio.run(turn())

    with ThreadPoolExecutor(AT_ONCE) as processes:
        for _ in range(ROUNDS):
            turned = await asyncio.gather(*(asyncio.to_thread(processes.submit(process, number).result) for number in range(AT_ONCE)))
            await opens(at(tmp_path))
            ring = load_or_make(at(tmp_path), database_empty=False)
            assert ring.primary in turned
            assert len(ring.keys) == 1 if retire else set(turned) <= set(ring.keys)


@pytest.mark.postgres
async def test_E2_a_key_is_not_retired_under_a_workspaces_first_seal(postgres: str, tmp_path: Path) -> None:
    """On SQLite writers come one after another; on PostgreSQL a seal that is not committed yet is nothing that the rotation sees."""
    database, sealing = await prepared(await new_database(postgres, f"r{new_id()}")), asyncio.Event()
    load_or_make(at(tmp_path), database_empty=True)
    running = server(at(tmp_path))
    await database.begin(running.check)
    waiting = text("SELECT 1 FROM pg_locks JOIN pg_database d ON d.oid = database WHERE NOT granted AND d.datname = current_database()")

    async def turn() -> None:
        await sealing.wait()
        await rotation.rotate(at(tmp_path), database, SystemClock(), retire=True)

    turning = asyncio.create_task(turn())

    def departs(tx: Tx) -> str:
        sealed = running.seal(tx, LANTERN, Secret("canary"))
        sealing.set()
        while not (turning.done() or tx.execute(waiting).first()):
            pass
        return sealed

    sealed = await database.begin(departs)
    await turning
    await database.begin(lambda tx: server(at(tmp_path)).check(tx))
    assert await database.read(lambda tx: server(at(tmp_path)).open(tx, LANTERN, sealed)) == Secret("canary")
    await database.close()


def prepared_on_one_of_two(tmp_path: Path) -> tuple[Settings, Settings, Vault, str]:
    """Two machines with one ring, a process that runs on the second, and a key that the first has prepared since."""
    here, there = at(tmp_path), at(tmp_path / "there")
    there.key_dir.mkdir()
    shutil.copy(tmp_path / "ring", there.key_dir)
    running = server(there)
    return here, there, running, rotation.prepare(here)


async def test_E2_a_key_is_prepared_on_every_machine_before_it_is_made_the_first(
    any_database: Database, tmp_path: Path, opens: Opens
) -> None:
    here, there, running, key_id = prepared_on_one_of_two(tmp_path)
    # The ring has not been copied yet, and nothing has changed for the other machine.
    await opens(there)
    await any_database.begin(lambda tx: running.seal(tx, replace(LANTERN, owner="cquill"), Secret("canary")))
    await opens(here)
    shutil.copy(tmp_path / "ring", there.key_dir)
    turned = await rotation.rotate(here, any_database, SystemClock(), to=key_id)
    assert (turned.primary, turned.changed) == (key_id, 3)
    for machine in (here, there):
        await opens(machine)
    # The process there that read the older ring goes on as well.
    await any_database.begin(running.check)
    with pytest.raises(BadRing, match="holds no key other"):
        await rotation.rotate(here, any_database, SystemClock(), to="other")


async def test_E2_older_keys_are_retired_on_every_machine_in_the_documented_steps(
    any_database: Database, tmp_path: Path, opens: Opens
) -> None:
    here, there, running, key_id = prepared_on_one_of_two(tmp_path)
    for number, turn in enumerate((None, False, True)):
        if turn is not None:
            await rotation.rotate(here, any_database, SystemClock(), to=key_id, retire=turn)
        shutil.copy(tmp_path / "ring", there.key_dir)
        # Between the steps a workspace there seals for the first time, in a process that has run all the while.
        await any_database.begin(partial(running.seal, place=replace(LANTERN, owner=f"cquill{number}"), secret=Secret("canary")))
        for machine in (here, there):
            await opens(machine)
    assert [*load_or_make(there, database_empty=False).keys] == [key_id]


async def test_E2_a_ring_of_the_settings_turns_as_they_say_and_no_file_is_made(
    any_database: Database, tmp_path: Path, opens: Opens
) -> None:
    old = load_or_make(at(tmp_path), database_empty=False)
    both = Ring("new", {**new_ring("new").keys, **old.keys})
    setting, elsewhere = (
        Settings(key_dir=tmp_path / "none", key_ring=Secret(ring_text(both))),
        Secret(ring_text(Ring("new", {"new": both.keys["new"]}))),
    )
    turned = await rotation.rotate(setting, any_database, SystemClock())
    assert (turned.primary, turned.changed) == ("new", 2)
    await opens(setting)
    await opens(Settings(key_ring=elsewhere))
    assert (await rotation.rotate(setting, any_database, SystemClock())).changed == 0
    with pytest.raises(BadRing, match="the ring comes from HITCHPOST_KEY_RING"):
        await rotation.rotate(setting, any_database, SystemClock(), retire=True)
    with pytest.raises(BadRing, match="the ring comes from HITCHPOST_KEY_RING"):
        await rotation.rotate(setting, any_database, SystemClock(), to="new")
    with pytest.raises(BadRing, match="the ring comes from HITCHPOST_KEY_RING"):
        rotation.prepare(setting)
    await opens(setting)
    assert not (tmp_path / "none").exists()
