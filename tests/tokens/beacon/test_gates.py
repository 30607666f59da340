"""R15, R16, R18: what closes a gate, for whom, and until when; and what is said of an app meanwhile."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Sequence
from datetime import timedelta

import pytest

from hitchpost.db.engine import Tx
from hitchpost.networks.base import Call, Derived, Picked, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import closures, gates
from hitchpost.tokens.gates import EXAMINE, REFRESH, Rate
from hitchpost.tokens.overview import AppSeen, apps_seen
from tests.tokens.beacon.network import Beacon, consent, page
from tests.tokens.beacon.room import Room, opened

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
WAITING = 12
IN_A_ROW = 5


class BrokenFor(Beacon):
    """A network whose looks fail for all tokens but these."""

    def __init__(self, *served: str) -> None:
        super().__init__()
        self.served, self.failed = served, 0

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        if tokens.access.reveal() not in self.served:
            self.failed += 1
            raise Fault(FaultKind.TRANSIENT, "http_500")
        return await super().examine(call, tokens, picked)


class Silent(Beacon):
    """A network that never answers a renewal while it is `silent`."""

    def __init__(self) -> None:
        super().__init__()
        self.asked, self.silent, self.heard = 0, True, asyncio.Event()

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        self.asked += 1
        if self.silent:
            await self.heard.wait()
            raise Fault(FaultKind.FATE_UNKNOWN, "timeout")
        return await super().refresh(call, tokens)


async def said(act: Awaitable[object]) -> str:
    try:
        await act
    except Fault as fault:
        return fault.code
    return "ok"


async def passed(room: Room, bucket: str) -> int:
    now = room.clock.now()
    return (await room.database.begin(lambda tx: gates.take(tx, room.app_id, bucket, 1, Rate(60.0), now, waiting=True))).permits


async def failed(room: Room, bucket: str, times: int) -> None:
    for _ in range(times):
        await passed(room, bucket)
        await room.database.begin(lambda tx: gates.went_wrong(tx, room.app_id, bucket, room.clock.now()))


async def heard(room: Room, bucket: str, fault: Fault | None) -> None:
    def step(tx: Tx) -> None:
        if fault is None:
            gates.worked(tx, room.app_id, bucket)
        else:
            gates.heard(tx, room.app_id, bucket, fault, room.clock.now())

    await room.database.begin(step)


async def state(room: Room) -> object:
    return (await room.rows("SELECT state FROM apps WHERE slot = 'beacon'"))[0]["state"]


async def seen(room: Room) -> Sequence[AppSeen]:
    return await room.database.read(lambda tx: apps_seen(tx, room.clock.now()))


async def test_R18_one_persons_broken_page_closes_nobody_elses_checks_however_often_it_is_asked_for(room: Room) -> None:
    network = BrokenFor("bens")
    await room.backed("cmallory", await room.consented())
    await room.backed("cben", await room.consented(consent("ben", access="bens")), page("bens-page"))
    ben: Counter[str] = Counter()
    async with opened(room.database, room.clock, network=network) as asked:
        for second in range(600):
            room.clock.forward(SECOND)
            assert await said(asked.keeper.examine("cmallory")) == "http_500"
            if second % 10 == 5:
                ben[await said(asked.keeper.examine("cben"))] += 1
    assert ben == {"ok": 60}
    # Each answer that fails is given for longer: after one, two, four and eight minutes the network is asked again.
    assert network.failed == 4


async def test_R18_nor_does_it_when_nobody_elses_look_comes_between(room: Room) -> None:
    await room.backed("cmallory", await room.consented())
    room.beacon.looks = [Fault(FaultKind.TRANSIENT, "http_500")] * 100
    for _ in range(60):
        room.clock.forward(MINUTE)
        await said(room.keeper.examine("cmallory"))
    assert 4 < len(room.beacon.looked) < 12
    assert await room.rows("SELECT failures, closed_until FROM gates WHERE bucket = 'examine'") == [{"failures": 1, "closed_until": None}]


async def test_R18_who_asks_again_at_once_is_told_the_same_and_when_to_come_back(room: Room) -> None:
    await room.backed("cprofile", await room.consented())
    room.beacon.looks = [Fault(FaultKind.UNINTELLIGIBLE, "torn", "so it is")]
    assert await said(room.keeper.examine("cprofile")) == "torn"
    with pytest.raises(Fault, match="so it is") as told:
        await room.keeper.examine("cprofile")
    assert (told.value.kind, told.value.retry_at) == (FaultKind.UNINTELLIGIBLE, room.clock.now() + MINUTE)
    assert len(room.beacon.looked) == 1
    room.clock.forward(MINUTE)
    assert await said(room.keeper.examine("cprofile")) == "ok"
    assert len(room.beacon.looked) == 2


async def test_R15_an_answer_of_a_time_to_come_holds_nobody_up(room: Room) -> None:
    await room.backed("cprofile", await room.consented())
    room.clock.forward(HOUR)
    room.beacon.looks = [Fault(FaultKind.TRANSIENT, "down")]
    assert await said(room.keeper.examine("cprofile")) == "down"
    room.clock.forward(-HOUR)
    assert await said(room.keeper.examine("cprofile")) == "ok"


async def test_R16_each_kind_of_call_sets_and_clears_its_own_word_of_the_apps_state(room: Room) -> None:
    await room.renewing()
    refused = Fault(FaultKind.MISCONFIGURED, "invalid_client")
    await heard(room, REFRESH, refused)
    await heard(room, EXAMINE, refused)
    assert await state(room) == "operator_fault operator_fault_examine"
    await heard(room, EXAMINE, None)
    assert await state(room) == "operator_fault"
    assert await room.database.read(lambda tx: gates.is_app_at_fault(tx, room.app_id, REFRESH))
    assert not await room.database.read(lambda tx: gates.is_app_at_fault(tx, room.app_id, EXAMINE))
    assert [one.refused for one in await seen(room)] == [True]
    await heard(room, REFRESH, None)
    assert await state(room) == "ok"


@pytest.mark.parametrize("bucket", [EXAMINE, REFRESH])
async def test_R15_a_closure_that_a_wrong_clock_made_is_not_believed_when_it_is_right_again(room: Room, bucket: str) -> None:
    await room.renewing()
    room.clock.forward(HOUR)
    await failed(room, bucket, IN_A_ROW)
    assert await passed(room, bucket) == 0
    assert [one.left_alone_until is not None for one in await seen(room)] == [bucket == REFRESH]
    room.clock.forward(-HOUR)
    assert [one.left_alone_until for one in await seen(room)] == [None]
    assert await passed(room, bucket) == 1


async def test_R15_a_closure_of_a_time_to_come_takes_nobodys_lease_away(room: Room) -> None:
    grant_id = await room.renewing()
    await room.renewing(subject="ben-at-beacon", profile_id="cprofile2")
    room.clock.forward(HOUR)
    await passed(room, REFRESH)
    await heard(room, REFRESH, Fault(FaultKind.THROTTLED, "429", retry_at=room.clock.now() + 8 * MINUTE))
    await heard(room, REFRESH, None)
    room.clock.forward(-HOUR)
    lease = int((room.clock.now() + 2 * MINUTE).timestamp() * 1_000_000)
    await room.run("UPDATE grants SET due_at = 1")
    await room.run(f"UPDATE grants SET claim_id = 'another', due_at = {lease} WHERE id = '{grant_id}'")
    await room.keeper.renew_due()
    assert await room.rows(f"SELECT claim_id FROM grants WHERE id = '{grant_id}'") == [{"claim_id": "another"}]


async def test_R15_nor_does_it_hold_up_what_is_to_be_looked_at(room: Room) -> None:
    await room.backed("cprofile", await room.consented())
    await room.run("UPDATE reaches SET check_due_at = 1")
    room.clock.forward(HOUR)
    await failed(room, EXAMINE, IN_A_ROW)
    assert not await room.keeper.examination_due()
    room.clock.forward(-HOUR)
    assert await room.keeper.examination_due()


async def test_R15_nor_does_it_hold_up_what_falls_due(room: Room) -> None:
    await room.renewing()
    room.clock.forward(100 * MINUTE)
    room.clock.forward(HOUR)
    await failed(room, REFRESH, IN_A_ROW)
    room.clock.forward(-HOUR)
    await room.keeper.renew_due()
    assert len(room.beacon.refreshed) == 1


@pytest.mark.parametrize("minutes", [11, 12, 60])
async def test_R17_what_a_network_has_named_is_believed_for_as_long_as_it_said(room: Room, minutes: int) -> None:
    await room.renewing()
    await passed(room, EXAMINE)
    named = room.clock.now() + minutes * MINUTE
    await room.database.begin(lambda tx: gates.went_wrong(tx, room.app_id, EXAMINE, room.clock.now(), until=named))
    room.clock.forward(minutes * MINUTE - SECOND)
    assert await passed(room, EXAMINE) == 0
    room.clock.forward(SECOND)
    assert await passed(room, EXAMINE) == 1


async def test_R17_even_if_the_clock_is_put_back_meanwhile(room: Room) -> None:
    await room.renewing()
    room.clock.forward(HOUR)
    await passed(room, EXAMINE)
    named = room.clock.now() + HOUR
    await room.database.begin(lambda tx: gates.went_wrong(tx, room.app_id, EXAMINE, room.clock.now(), until=named))
    room.clock.forward(-HOUR)
    assert await passed(room, EXAMINE) == 0


async def test_R16_one_tries_for_all_who_wait_and_its_success_opens_the_gate_at_once(room: Room) -> None:
    network = Silent()
    people = [await room.renewing(subject=f"person-{number}", profile_id=f"cprofile{number}") for number in range(WAITING)]
    room.clock.forward(3 * HOUR)
    await failed(room, REFRESH, IN_A_ROW)
    room.clock.forward(MINUTE)
    async with opened(room.database, room.clock, network=network) as process:
        waiting = {asyncio.create_task(said(process.keeper.fresh(one))) for one in people}
        while len(waiting) > 1:
            done, waiting = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED, timeout=30)
            assert {task.result() for task in done} == {"gate"}
        await process.keeper.renew_due()
        assert network.asked == 1
        network.heard.set()
        assert {await task for task in waiting} == {"timeout"}
        network.silent = False
        room.clock.forward(MINUTE)
        # The first of them finds it well again, and nobody waits any more.
        assert [await said(process.keeper.fresh(one)) for one in people[-3:]].count("ok") >= 2
        assert network.asked >= 3


async def test_R16_when_the_try_comes_to_nothing_another_may_try_after_the_networks_deadline(room: Room) -> None:
    await room.renewing()
    await failed(room, REFRESH, IN_A_ROW)
    room.clock.forward(MINUTE)
    assert (await passed(room, REFRESH), await passed(room, REFRESH)) == (1, 0)
    room.clock.forward(closures.TRY)
    assert (await passed(room, REFRESH), await passed(room, REFRESH)) == (1, 0)
    await room.database.begin(lambda tx: gates.give_back(tx, room.app_id, REFRESH, 1))
    assert (await passed(room, REFRESH), await passed(room, REFRESH)) == (1, 0)
