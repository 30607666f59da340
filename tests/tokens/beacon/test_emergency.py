"""E9: everything given back at once: nothing stops it, no network makes another one wait, and what comes meanwhile ends with it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import halting
from hitchpost.tokens.giving_back import REVOKES_AT_A_TIME
from hitchpost.tokens.revoke import Fate
from tests.faults.held import until
from tests.support.clock import ManualClock
from tests.support.house import prepared
from tests.support.postgres import new_database
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import BEACON, Room, opened

PAGES = replace(BEACON, slot="beacon_pages", client_id="beacon-pages-client")
HANGING, OTHERS = 120, 3
"""More than are given back side by side, and more than are read at a time."""


@pytest.fixture
async def wide(any_database: Database, clock: ManualClock) -> AsyncIterator[Room]:
    """The room with two apps, as of two networks."""
    async with opened(any_database, clock, apps=(BEACON, PAGES)) as room:
        yield room


def unheard(_done: int, _of: int) -> None:
    """Nobody watches."""


async def states(room: Room) -> dict[object, int]:
    return {row["state"]: int(str(row["many"])) for row in await room.rows("SELECT state, COUNT(*) AS many FROM grants GROUP BY state")}


async def hung(room: Room, many: int = HANGING) -> asyncio.Event:
    """Many grants of the first app, whose network hangs until told to go on, and few of the second, consented last."""
    second = next(app.id for _, app in room.keeper.logins("beacon") if app.client_id == PAGES.client_id)
    for number in range(many):
        await room.consented(consent(f"person-{number}", access=f"hangs-{number}"))
    room.clock.forward(timedelta(minutes=1))
    for number in range(OTHERS):
        await room.consented(consent(f"other-{number}", access=f"other-{number}"), app_id=second)
    goes_on = asyncio.Event()

    async def hang() -> None:
        if room.beacon.revoked[-1].startswith("hangs"):
            await goes_on.wait()

    room.beacon.meanwhile = hang
    return goes_on


async def test_E9_one_network_that_hangs_makes_no_other_wait(wide: Room) -> None:
    goes_on, heard = await hung(wide), list[tuple[int, int]]()
    revoking = asyncio.create_task(wide.keeper.emergency.revoke_all(lambda done, of: heard.append((done, of))))
    await until(lambda: len(heard) == OTHERS)
    assert await states(wide) == {"revoking": HANGING, "gone": OTHERS}
    goes_on.set()
    assert await revoking == {Fate.REVOKED: HANGING + OTHERS}
    assert await states(wide) == {"gone": HANGING + OTHERS}
    assert heard == [(done, HANGING + OTHERS) for done in range(1, HANGING + OTHERS + 1)]


async def test_R18_in_a_sweep_one_network_that_hangs_makes_no_other_wait(wide: Room) -> None:
    goes_on = await hung(wide, REVOKES_AT_A_TIME - OTHERS)
    wide.clock.forward(timedelta(minutes=16))
    sweeping = asyncio.create_task(wide.keeper.sweep_abandoned())
    await until(lambda: len([one for one in wide.beacon.revoked if one.startswith("other")]) == OTHERS)
    assert not goes_on.is_set()
    goes_on.set()
    assert await sweeping == REVOKES_AT_A_TIME


async def test_E9_cells_that_do_not_open_and_networks_that_fail_stop_no_other(room: Room) -> None:
    broken, _, _ = [await room.consented(consent(name, access=f"canary-{name}")) for name in ("broken", "first", "second")]
    await room.run(f"UPDATE token_sets SET sealed = 'v1.one.AAAA' WHERE grant_id = '{broken}'")
    room.beacon.faults = [Fault(FaultKind.TRANSIENT, "503")]
    assert await room.keeper.emergency.revoke_all(unheard) == {Fate.REVOKED: 1, Fate.REVOKING: 1, Fate.UNREADABLE: 1}
    assert sorted(room.beacon.revoked) == ["canary-first", "canary-second"]
    room.clock.forward(timedelta(minutes=10))
    assert await room.keeper.sweep_abandoned() == 1
    # What does not open stays as evidence.
    assert await room.rows("SELECT grant_id FROM token_sets") == [{"grant_id": broken}]


async def test_E9_a_consent_during_it_is_given_back_and_one_after_it_lives(room: Room) -> None:
    known = await room.consented(consent("known", access="canary-known"))
    await room.backed("cprofile", known)
    await room.keeper.emergency.revoke_all(unheard)
    for name in ("known", "new"):
        await room.consented(consent(name, access=f"canary-{name}-late"))
    assert await states(room) == {"revoking": 2}
    assert await room.keeper.sweep_abandoned() == 2
    assert sorted(room.beacon.revoked) == ["canary-known", "canary-known-late", "canary-new-late"]
    await room.database.begin(halting.resume)
    await room.consented(consent("known", access="canary-after"))
    assert await states(room) == {"gone": 1, "live": 1}


async def test_E9_a_plain_stop_takes_nothing_from_a_consent_that_arrives(room: Room) -> None:
    await room.database.begin(lambda tx: halting.halt(tx, room.clock.now()))
    grant_id = await room.consented()
    assert await states(room) == {"live": 1}
    await room.database.begin(halting.resume)
    await room.backed("cprofile", grant_id)
    assert (await room.standing("cprofile")).state == "healthy"
    assert room.beacon.revoked == []


@pytest.mark.postgres
async def test_E9_an_attach_under_way_and_everything_given_back_do_not_wait_for_each_other(postgres: str, clock: ManualClock) -> None:
    database, attaching = await prepared(await new_database(postgres, f"e{new_id()}")), asyncio.Event()
    waiting = text("SELECT 1 FROM pg_locks JOIN pg_stat_activity USING (pid) WHERE NOT granted AND datname = current_database()")
    async with opened(database, clock) as room:
        grant_id = await room.consented()
        await room.backed("cprofile", grant_id)

        async def revoke() -> Counter[Fate]:
            await attaching.wait()
            return await room.keeper.emergency.revoke_all(unheard)

        revoking = asyncio.create_task(revoke())

        def attach(tx: Tx) -> None:
            back = partial(room.keeper.back, tx, grant_id=grant_id, provider="beacon", confirmed_by="ada")
            back(profile_id="cnew", derived=page("page-2"))
            attaching.set()
            while not (revoking.done() or tx.execute(waiting).first()):
                pass
            back(profile_id="cprofile", derived=page())

        await database.begin(attach)
        assert await revoking == {Fate.REVOKED: 1}
        assert await room.rows("SELECT DISTINCT state FROM backings") == [{"state": "severed"}]
    await database.close()
