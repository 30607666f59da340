"""R16, R18: a network in trouble is left alone by looks as by renewals, and one person's block is nobody else's."""

from datetime import timedelta

import pytest

from hitchpost.db.engine import Database
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from hitchpost.tokens import gates
from tests.support.clock import ManualClock
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import BEACON, Room, opened

MINUTE, A_DAY_AND_MORE = timedelta(minutes=1), timedelta(days=1, hours=6)
OF_ONE = [FaultKind.PERMISSION, FaultKind.BLOCKED]
HOURS = 6
PAGES = AppSettings("beacon_pages", "pages-client", Secret("canary-client-secret-2"))


async def looks(room: Room, minutes: int) -> None:
    """The engine asks twice a minute; once is fine enough here."""
    for _ in range(minutes):
        room.clock.forward(MINUTE)
        await room.keeper.examine_due()


@pytest.mark.parametrize("kind", OF_ONE)
async def test_R18_people_who_are_blocked_close_no_gate_for_the_others(room: Room, kind: FaultKind) -> None:
    for number in range(12):
        await room.renewing(subject=f"person-{number}", profile_id=f"cprofile{number}")
    room.beacon.answers = [Fault(kind, "blocked")] * 6
    for _ in range(95):
        room.clock.forward(MINUTE)
        await room.keeper.renew_due()
    assert len(room.beacon.refreshed) == 12
    assert await room.rows("SELECT 1 FROM gates WHERE closed_until IS NOT NULL") == []
    assert len(await room.rows("SELECT 1 FROM grants WHERE trouble = '' AND version = 2")) == 6


@pytest.mark.parametrize("kind", [*OF_ONE, FaultKind.REFUSED])
async def test_R18_nor_do_those_whom_a_look_finds_blocked(room: Room, kind: FaultKind) -> None:
    await room.people(20)
    room.beacon.looks = [Fault(kind, "blocked")] * 7
    room.clock.forward(A_DAY_AND_MORE)
    await looks(room, 6)
    assert len(room.beacon.looked) == 20
    assert await room.rows("SELECT 1 FROM gates WHERE closed_until IS NOT NULL") == []


@pytest.mark.parametrize("kind", [FaultKind.TRANSIENT, FaultKind.NOT_SENT, FaultKind.FATE_UNKNOWN, FaultKind.UNINTELLIGIBLE])
async def test_R16_looks_leave_a_network_in_trouble_alone_and_come_back(room: Room, kind: FaultKind) -> None:
    people = 40
    await room.people(people)
    room.beacon.looks = [Fault(kind, "trouble")] * 10_000
    room.clock.forward(A_DAY_AND_MORE)
    await looks(room, HOURS * 60)
    # Each hour all of them are due again; what goes is a handful before the gate closes, and then one in ten minutes.
    assert len(room.beacon.looked) <= 12 + HOURS * 7
    with pytest.raises(Fault, match="gate"):
        await room.keeper.examine("cprofile1")
    room.beacon.looks = []
    room.beacon.looked.clear()
    await looks(room, 80)
    assert len(room.beacon.looked) == people
    assert {str((await room.standing(f"cprofile{number}")).state) for number in range(people)} == {"healthy"}


async def test_R16_the_operators_fault_at_looks_is_said_and_probed_once_in_ten_minutes(room: Room) -> None:
    await room.people(10)
    room.beacon.looks = [Fault(FaultKind.MISCONFIGURED, "app_disabled")] * 10_000
    room.clock.forward(A_DAY_AND_MORE)
    await looks(room, 60)
    assert len(room.beacon.looked) <= 8 + 6
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "operator_fault_examine"}]
    with pytest.raises(Fault, match="misconfigured"):
        await room.keeper.examine("cprofile0")
    with pytest.raises(Fault, match="app_at_fault"):
        await room.keeper.examine("cprofile1")
    assert {str((await room.standing(f"cprofile{number}")).state) for number in range(10)} == {"healthy"}
    room.beacon.looks = []
    await looks(room, 90)
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "ok"}]


async def test_R16_a_look_that_passes_says_nothing_of_an_app_whose_renewals_are_refused(room: Room) -> None:
    await room.renewing()
    room.beacon.answers = [Fault(FaultKind.MISCONFIGURED, "invalid_client")]
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    await room.keeper.examine("cprofile")
    assert len(room.beacon.looked) == 1
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "operator_fault"}]
    room.clock.forward(timedelta(minutes=10))
    await room.keeper.renew_due()
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "ok"}]


async def test_R16_what_a_renewal_meets_on_the_way_to_a_look_is_counted_once_and_at_its_own_gate(room: Room) -> None:
    await room.renewing()
    room.beacon.answers = [Fault(FaultKind.TRANSIENT, "trouble")]
    room.clock.forward(timedelta(hours=3))
    with pytest.raises(Fault, match="trouble"):
        await room.keeper.examine("cprofile")
    assert room.beacon.looked == []
    assert await room.rows("SELECT bucket, failures FROM gates WHERE failures > 0") == [{"bucket": "refresh", "failures": 1}]


async def test_R18_looks_that_one_app_has_dammed_up_keep_no_other_apps_from_their_turn(any_database: Database, clock: ManualClock) -> None:
    async with opened(any_database, clock, apps=(BEACON, PAGES)) as room:
        (other,) = await room.rows("SELECT id FROM apps WHERE slot = 'beacon_pages'")
        await room.people(205)
        await room.backed("cbob", await room.consented(consent("bob"), app_id=str(other["id"])), page("bobs"))
        await room.keeper.examine("cprofile0")
        shut = clock.now() + timedelta(days=3)
        await room.database.begin(lambda tx: gates.went_wrong(tx, room.app_id, gates.EXAMINE, clock.now(), until=shut))
        clock.forward(A_DAY_AND_MORE)
        assert await room.keeper.examination_due()
        assert await room.keeper.examine_due() == 1
        # What stands before a closed gate is nothing that anybody is called for.
        assert not await room.keeper.examination_due()
