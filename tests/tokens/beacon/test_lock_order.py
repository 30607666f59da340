"""Whoever writes beneath a grant waits for it with nothing in hand: of two who wait for each other PostgreSQL ends one."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from tests.support.clock import ManualClock
from tests.support.house import prepared
from tests.support.postgres import new_database
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import BEACON, Room, opened

pytestmark = pytest.mark.postgres

PAGES = AppSettings("beacon_pages", "pages-client", Secret("canary-client-secret-2"))
WAITING = text("SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")
MANY = 4


@pytest.fixture
async def database(postgres: str) -> AsyncIterator[Database]:
    database = await prepared(await new_database(postgres, f"l{new_id()}"))
    yield database
    await database.close()


@pytest.fixture
async def room(database: Database, clock: ManualClock) -> AsyncIterator[Room]:
    async with opened(database, clock, apps=(BEACON, PAGES)) as room:
        yield room


def waits(tx: Tx, act: "asyncio.Task[object]") -> None:
    while not (act.done() or tx.execute(WAITING).first()):
        pass
    assert not act.done(), "it did not wait"


async def _look(room: Room, _: str) -> object:
    await room.keeper.examine("cprofile0")
    return None


async def _scheduled(room: Room, _: str) -> object:
    room.clock.forward(timedelta(days=1, hours=6))
    return await room.keeper.examine_due()


async def _renewal(room: Room, grant_id: str) -> object:
    return await room.keeper.fresh(grant_id, refused=1)


async def _detach(room: Room, _: str) -> object:
    assert room.beacon.meanwhile is not None
    await room.beacon.meanwhile()
    return await room.database.begin(lambda tx: room.keeper.detach(tx, ["cprofile1", "cprofile2"]))


async def _consented(room: Room, grant_id: str) -> object:
    assert room.beacon.meanwhile is not None
    await room.beacon.meanwhile()
    return await room.keeper.after_consent(grant_id)


async def _end(room: Room, grant_id: str) -> object:
    await room.database.begin(lambda tx: room.keeper.detach(tx, [f"cprofile{number}" for number in range(MANY)]))
    return await room.keeper.end(grant_id)


ACTS: dict[str, tuple[Callable[[Room, str], Awaitable[object]], FaultKind | None]] = {
    "a look": (_look, None), "a scheduled look": (_scheduled, None), "a look that is refused": (_look, FaultKind.PERMISSION),
    "a look that sees nothing": (_look, FaultKind.TRANSIENT), "the look after a consent": (_consented, None), "a detach": (_detach, None),
    "a renewal": (_renewal, None), "a renewal that fails": (_renewal, FaultKind.TRANSIENT), "a last renewal": (_renewal, FaultKind.REFUSED),
    "a give-back": (_end, None), "a give-back that fails": (_end, FaultKind.TRANSIENT),
}  # fmt: skip


@pytest.mark.parametrize("name", ACTS)
async def test_who_waits_for_a_grant_holds_nothing_that_its_holder_may_want(room: Room, name: str) -> None:
    grant_id, (act, trouble) = await room.consented(), ACTS[name]
    for number in range(MANY):
        await room.backed(f"cprofile{number}", grant_id, page(f"page-{number}"))
    # Gates that are to be told of: they have failures behind them.
    fault, ready, held = Fault(trouble or FaultKind.TRANSIENT, "trouble"), asyncio.Event(), asyncio.Event()
    if trouble:
        room.beacon.looks, room.beacon.answers, room.beacon.faults = [fault], [fault], [fault]

    async def meanwhile() -> None:
        await room.run("UPDATE gates SET failures = 1")
        ready.set()
        await held.wait()

    room.beacon.meanwhile = meanwhile
    acting: asyncio.Task[object] = asyncio.create_task(_ended(act(room, grant_id)))
    await asyncio.wait_for(ready.wait(), 30)

    def attach(tx: Tx) -> None:
        tx.execute(text("SELECT 1 FROM grants FOR UPDATE"))
        held.set()
        waits(tx, acting)
        for table in ("gates", "reaches", "backings"):
            assert tx.execute(text(f"SELECT 1 FROM {table} FOR UPDATE NOWAIT")).all() or table == "gates"

    await room.database.begin(attach)
    await asyncio.wait_for(acting, 30)


async def _ended(act: Awaitable[object]) -> object:
    try:
        return await act
    except Fault as fault:
        return fault


@pytest.mark.parametrize("slot", ["beacon", "beacon_pages"])
async def test_R18_a_worker_that_waits_at_one_apps_gate_holds_no_others(room: Room, slot: str) -> None:
    apps = {str(row["slot"]): str(row["id"]) for row in await room.rows("SELECT slot, id FROM apps")}
    for person, app_id in apps.items():
        await room.backed(f"c{person}", await room.consented(consent(person), app_id=app_id), page(person))
    room.clock.forward(timedelta(days=1, hours=6))
    await room.keeper.examine_due()
    room.clock.forward(timedelta(days=1, hours=6))
    held = asyncio.Event()

    async def work() -> object:
        await held.wait()
        return await room.keeper.examine_due()

    working: asyncio.Task[object] = asyncio.create_task(work())

    def hold(tx: Tx) -> None:
        tx.execute(text("SELECT 1 FROM gates WHERE app_id = :app FOR UPDATE"), {"app": apps[slot]})
        held.set()
        waits(tx, working)
        assert tx.execute(text("SELECT 1 FROM gates FOR UPDATE NOWAIT")).all()

    await room.database.begin(hold)
    assert await working == 2


async def test_the_scheduled_look_passes_over_what_somebody_is_writing(room: Room) -> None:
    grant_id = await room.consented()
    for number in range(MANY):
        await room.backed(f"cprofile{number}", grant_id, page(f"page-{number}"))
    room.clock.forward(timedelta(days=1, hours=6))
    held = asyncio.Event()

    async def look() -> int:
        await held.wait()
        return await room.keeper.examine_due()

    looking = asyncio.create_task(look())

    def attach(tx: Tx) -> None:
        tx.execute(text("SELECT 1 FROM reaches WHERE external_id = 'page-1' FOR UPDATE"))
        held.set()
        while not room.beacon.looked and not tx.execute(WAITING).first():
            pass

    await room.database.begin(attach)
    assert await looking == MANY - 1


async def test_R2_an_answer_that_comes_while_a_newer_consent_is_being_recorded_overwrites_nothing_of_it(room: Room) -> None:
    grant_id = await room.renewing()
    ready, held = asyncio.Event(), asyncio.Event()

    async def meanwhile() -> None:
        ready.set()
        await held.wait()

    room.beacon.meanwhile = meanwhile
    room.clock.forward(timedelta(minutes=100))
    renewing = asyncio.create_task(_ended(room.keeper.renew_due()))
    await asyncio.wait_for(ready.wait(), 30)
    newer = consent(access="canary-newer")

    def consented(tx: Tx) -> None:
        room.keeper.record_consent(tx, app_id=room.app_id, consent=newer, consent_seq=room.keeper.take_consent_seq(tx))
        held.set()
        waits(tx, renewing)

    await room.database.begin(consented)
    await renewing
    kept = await room.database.read(lambda tx: room.keeper.tokens_of(tx, grant_id))
    assert kept.access == newer.tokens.access
    # What came late ends with the grant.
    assert len(kept.former) == 2
