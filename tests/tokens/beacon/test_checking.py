"""R1: however many want to know at once, and in however many processes, a profile is looked at once, and all are told what was seen."""

import asyncio
from collections.abc import AsyncIterator, Awaitable
from datetime import timedelta

import pytest

from hitchpost.db.engine import Database, Tx
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import reaches
from hitchpost.tokens.checking import PATIENCE
from hitchpost.tokens.timing import LEASE
from tests.support.clock import ManualClock
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import Room, opened

MANY = 20
MOMENT = 0.4
"""Seconds in which who does not wait would have looked."""


@pytest.fixture
async def elsewhere(any_database: Database, clock: ManualClock, room: Room) -> AsyncIterator[Room]:
    """Another process."""
    async with opened(any_database, clock) as other:
        yield other


class Slow:
    """A network that answers when it is told to."""

    def __init__(self, room: Room) -> None:
        self._begun, self._answers = asyncio.Event(), asyncio.Event()
        room.beacon.meanwhile = self._meanwhile

    async def _meanwhile(self) -> None:
        self._begun.set()
        await self._answers.wait()

    async def begun(self) -> None:
        await asyncio.wait_for(self._begun.wait(), 30)

    def answer(self) -> None:
        self._answers.set()


async def waits(task: "asyncio.Task[None]") -> None:
    """That it does, for a moment."""
    done, _ = await asyncio.wait({task}, timeout=MOMENT)
    assert not done


async def said(act: Awaitable[object]) -> str:
    """The Fault's code, or nothing."""
    try:
        await act
    except Fault as fault:
        return fault.code
    return ""


async def profile(room: Room) -> str:
    grant_id = await room.consented()
    await room.backed("cprofile", grant_id)
    return grant_id


async def claims(room: Room) -> set[object]:
    return {row["claim_id"] for row in await room.rows("SELECT claim_id FROM reaches")}


@pytest.mark.parametrize("trouble", ["", "down"])
async def test_R1_many_checks_in_one_process_are_one_look(room: Room, trouble: str) -> None:
    await profile(room)
    room.beacon.looks = [Fault(FaultKind.TRANSIENT, trouble)] if trouble else []
    slow = Slow(room)
    asked = [asyncio.create_task(said(room.keeper.examine("cprofile"))) for _ in range(MANY)]
    await slow.begun()
    slow.answer()
    assert await asyncio.gather(*asked) == [trouble] * MANY
    assert len(room.beacon.looked) == 1
    assert await claims(room) == {""}


@pytest.mark.parametrize("kind", [None, FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.MISCONFIGURED])
async def test_R1_checks_in_two_processes_are_one_look_and_both_are_told_its_outcome(
    room: Room, elsewhere: Room, kind: FaultKind | None
) -> None:
    await profile(room)
    back = room.clock.now() + timedelta(minutes=30)
    room.beacon.looks = [Fault(kind, "trouble", "so it is", retry_at=back)] if kind else []
    slow = Slow(room)
    first = asyncio.create_task(room.keeper.examine("cprofile"))
    await slow.begun()
    second = asyncio.create_task(elsewhere.keeper.examine("cprofile"))
    await waits(second)
    slow.answer()
    told = await asyncio.gather(first, second, return_exceptions=True)
    assert (len(room.beacon.looked), len(elsewhere.beacon.looked)) == (1, 0)
    outcomes = [(one.kind, one.code, one.detail, one.retry_at) if isinstance(one, Fault) else one for one in told]
    assert outcomes == [(kind, "trouble", "so it is", back) if kind else None] * 2


async def test_R1_a_check_waits_for_the_scheduled_look_and_looks_itself_at_what_that_left_out(room: Room, elsewhere: Room) -> None:
    grant_id = await profile(room)
    await room.backed("cother", grant_id, page("page-2"))
    room.clock.forward(timedelta(days=1, hours=6))
    await room.run("UPDATE reaches SET check_due_at = NULL WHERE external_id = 'page-2'")
    slow = Slow(room)
    scheduled = asyncio.create_task(room.keeper.examine_due())
    await slow.begun()
    asked = asyncio.create_task(elsewhere.keeper.examine("cother"))
    await waits(asked)
    slow.answer()
    assert await scheduled == 1
    await asked
    assert (len(room.beacon.looked), len(elsewhere.beacon.looked)) == (1, 1)
    assert {row["checked_at"] for row in await room.rows("SELECT checked_at FROM reaches")} == {int(room.clock.now().timestamp() * 1e6)}


async def test_a_killed_processs_claim_holds_checks_up_until_its_lease_ends_and_no_longer(room: Room) -> None:
    await profile(room)
    ends = room.clock.now() + LEASE
    await room.run(f"UPDATE reaches SET claim_id = 'dead', check_due_at = {int(ends.timestamp() * 1e6)}")
    asked = asyncio.create_task(room.keeper.examine("cprofile"))
    await waits(asked)
    room.clock.forward(timedelta(seconds=PATIENCE))
    with pytest.raises(Fault, match="looked_at_elsewhere") as told:
        await asked
    assert (told.value.retryable, told.value.retry_at) == (True, ends)
    assert room.beacon.looked == []
    room.clock.forward(LEASE)
    await room.keeper.examine("cprofile")
    assert len(room.beacon.looked) == 1
    assert await claims(room) == {""}


async def test_who_waits_for_a_process_that_dies_looks_when_its_lease_ends(room: Room) -> None:
    await profile(room)
    ends = room.clock.now() + timedelta(seconds=PATIENCE / 2)
    await room.run(f"UPDATE reaches SET claim_id = 'dead', check_due_at = {int(ends.timestamp() * 1e6)}")
    asked = asyncio.create_task(room.keeper.examine("cprofile"))
    await waits(asked)
    room.clock.forward(timedelta(seconds=PATIENCE / 2))
    await asked
    assert len(room.beacon.looked) == 1


async def test_R15_a_look_after_the_clock_was_put_back_is_recorded_like_any_other(room: Room) -> None:
    await profile(room)
    room.clock.forward(-timedelta(hours=1))
    room.beacon.looks = [Fault(FaultKind.PERMISSION, "role")]
    await room.keeper.examine("cprofile")
    assert len(room.beacon.looked) == 1
    assert (await room.standing("cprofile")).state == "missing_permissions"
    assert await claims(room) == {""}


async def test_a_profile_that_is_attached_anew_takes_a_look_over_too(room: Room) -> None:
    grant_id = await profile(room)
    slow = Slow(room)
    old = asyncio.create_task(room.keeper.examine("cprofile"))
    await slow.begun()
    await room.backed("cprofile", grant_id)
    room.beacon.looks = [Fault(FaultKind.PERMISSION, "role")]
    slow.answer()
    await old
    assert (await room.standing("cprofile")).state == "healthy"
    assert len(room.beacon.looked) == 1


async def test_a_new_consent_takes_a_look_over_and_what_the_old_tokens_saw_is_not_recorded(room: Room, elsewhere: Room) -> None:
    grant_id = await profile(room)
    slow = Slow(room)
    old = asyncio.create_task(room.keeper.examine("cprofile"))
    await slow.begun()
    await elsewhere.consented(consent(access="newer"))
    assert await elsewhere.keeper.after_consent(grant_id) == ()
    assert elsewhere.beacon.looked == ["newer"]
    room.beacon.looks = [Fault(FaultKind.PERMISSION, "role")]
    slow.answer()
    await old
    assert room.changed == []
    assert (await room.standing("cprofile")).state == "healthy"


async def test_each_network_of_one_app_says_itself_how_often_it_is_looked_at(room: Room) -> None:
    grant_id = await profile(room)
    await room.backed("charbour", grant_id, page("harbour-page"), provider="harbour")
    due = {row["provider"]: row["check_due_at"] for row in await room.rows("SELECT provider, check_due_at FROM reaches")}
    assert due["harbour"] is None
    assert due["beacon"] is not None
    await room.keeper.examine("charbour")
    due = {row["provider"]: row["check_due_at"] for row in await room.rows("SELECT provider, check_due_at FROM reaches")}
    assert due["harbour"] is None
    assert due["beacon"] is not None


async def test_what_one_consent_reaches_is_looked_at_each_at_its_own_time_from_the_first_day_on(room: Room) -> None:
    grant_id = await room.consented()
    for number in range(10):
        await room.backed(f"cprofile{number}", grant_id, page(f"page-{number}"))
    first = {row["id"]: row["check_due_at"] for row in await room.rows("SELECT id, check_due_at FROM reaches")}
    assert len(set(first.values())) == 10
    await room.keeper.examine("cprofile0")
    assert {row["id"]: row["check_due_at"] for row in await room.rows("SELECT id, check_due_at FROM reaches")} == first


async def test_a_notice_that_asks_for_a_look_takes_the_claim_of_an_older_one_and_who_waits_looks_again(room: Room) -> None:
    await profile(room)
    slow = Slow(room)
    asked = asyncio.create_task(room.keeper.examine("cprofile"))
    await slow.begun()
    before_the_consent = room.clock.now() - timedelta(minutes=1)
    await room.database.begin(lambda tx: room.keeper.taken_back(tx, room.app_id, "ada-at-beacon", before_the_consent))
    assert await claims(room) == {""}
    slow.answer()
    await asked
    assert len(room.beacon.looked) == 2


async def test_a_scheduled_look_that_a_notice_overtakes_records_nothing_and_is_done_again(room: Room) -> None:
    await profile(room)
    room.clock.forward(timedelta(days=1, hours=6))
    slow = Slow(room)
    scheduled = asyncio.create_task(room.keeper.examine_due())
    await slow.begun()
    (grant,) = await room.rows("SELECT id FROM grants")
    await room.database.begin(lambda tx: reaches.due_at(tx, str(grant["id"]), room.clock.now()))
    slow.answer()
    await scheduled
    assert await room.keeper.examination_due()
    assert await room.keeper.examine_due() == 1


async def test_a_check_looks_at_the_profile_however_many_stand_on_its_access(room: Room) -> None:
    grant_id, many = await room.consented(), 1005

    def attach(tx: Tx) -> None:
        for number in range(many):
            derived = page(f"page-{number}")
            room.keeper.back(tx, profile_id=f"c{number}", grant_id=grant_id, provider="beacon", derived=derived, confirmed_by="ada")

    await room.database.begin(attach)
    room.clock.forward(timedelta(minutes=1))
    await room.keeper.examine("c0")
    assert len(await room.rows(f"SELECT 1 FROM reaches WHERE checked_at = {int(room.clock.now().timestamp() * 1e6)}")) == many


@pytest.mark.parametrize("cell", ["no JSON", "[]", "{}", '{"claim": ""}'])
async def test_a_cell_that_somebody_changed_keeps_no_check_from_looking(room: Room, cell: str) -> None:
    await profile(room)
    await room.run(f"UPDATE reaches SET unseen = '{cell}'".replace(":", "\\:"))
    await room.keeper.examine("cprofile")
    assert len(room.beacon.looked) == 1
