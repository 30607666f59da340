"""E8, R6, R16–R18: giving back through an outage: tried while anything of the access can live, and no network is hammered meanwhile."""

from collections import Counter
from datetime import timedelta

import pytest

from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens.giving_back import REVOKES_AT_A_TIME
from hitchpost.tokens.revoke import Fate
from tests.tokens.beacon.network import consent
from tests.tokens.beacon.room import Room, opened, until
from tests.tokens.beacon.test_emergency import PAGES, unheard, wide
from tests.tokens.beacon.test_giving_back import abandoned, states

__all__ = ["wide"]

DAY, HOUR, MINUTE = timedelta(days=1), timedelta(hours=1), timedelta(minutes=1)
DOWN = Fault(FaultKind.NOT_SENT, "connecterror")


def down(room: Room, fault: Fault = DOWN) -> None:
    room.beacon.faults = [fault] * 10_000


def up(room: Room) -> None:
    room.beacon.faults.clear()


async def swept(room: Room, span: timedelta, every: timedelta = 10 * MINUTE) -> int:
    """How many ended in so much time of sweeps."""
    ended, over = 0, room.clock.now() + span
    while room.clock.now() < over:
        room.clock.forward(every)
        ended += await room.keeper.sweep_abandoned()
    return ended


async def many(room: Room, count: int, name: str = "person", app_id: str = "") -> list[str]:
    """So many abandoned grants."""
    made = [await room.consented(consent(f"{name}-{number}", access=f"{name}-{number}"), app_id=app_id) for number in range(count)]
    room.clock.forward(16 * MINUTE)
    return made


async def test_E8_R6_what_is_disconnected_in_an_outage_of_days_ends_at_the_network_when_it_is_back(room: Room) -> None:
    grant_id = await abandoned(room)
    down(room)
    assert await room.keeper.end(grant_id) is Fate.REVOKING
    assert await swept(room, 3 * DAY) == 0
    assert await states(room) == ["revoking"]
    asked = len(room.beacon.revoked)
    # Ever later at first, then every six hours.
    assert 6 + 3 * 4 - 2 <= asked <= 6 + 3 * 4
    up(room)
    assert await swept(room, 6 * HOUR) == 1
    assert (len(room.beacon.revoked), room.left) == (asked + 1, [])
    assert await room.rows("SELECT * FROM token_sets") == []


@pytest.mark.parametrize(("life", "days"), [(None, 183), (timedelta(days=30), 183), (timedelta(days=365), 365)])
async def test_E8_it_is_given_up_when_nothing_of_it_can_live_any_more_and_then_said(room: Room, life: timedelta | None, days: int) -> None:
    end = None if life is None else room.clock.now() + life
    grant_id = await room.consented(until(consent(), room.clock.now() + 2 * HOUR, end))
    await room.backed("cprofile", grant_id)
    await room.database.begin(lambda tx: room.keeper.detach(tx, ["cprofile"]))
    down(room)
    assert await room.keeper.end(grant_id) is Fate.REVOKING
    assert await swept(room, (days - 1) * DAY, every=DAY) == 0
    assert (await states(room), room.left) == (["revoking"], [])
    assert await swept(room, 2 * DAY, every=DAY) == 1
    assert await states(room) == ["gone"]
    assert await room.rows("SELECT * FROM token_sets") == []
    (left,) = room.left
    assert (left.grant_id, left.code, left.profile_ids) == (grant_id, "network_down", ("cprofile",))


@pytest.mark.parametrize("kind", [FaultKind.REFUSED, FaultKind.PERMISSION])
@pytest.mark.parametrize("former", [False, True])
async def test_E8_an_app_that_may_not_end_an_access_asks_once_and_says_so(room: Room, kind: FaultKind, former: bool) -> None:
    if former:
        await room.consented(consent(access="first"))
    grant_id = await abandoned(room)
    room.beacon.faults = [Fault(kind, "200")]
    assert await room.keeper.end(grant_id) is Fate.DESTROYED
    assert await room.rows("SELECT * FROM token_sets") == []
    assert len(room.beacon.revoked) == 1 + former
    assert [left.grant_id for left in room.left] == [grant_id]


async def test_R17_a_time_that_the_network_names_holds_for_all_revokes_of_the_app_in_every_process(wide: Room) -> None:
    pages = next(app.id for _, app in wide.keeper.logins("beacon") if app.client_id == PAGES.client_id)
    first, second, third = await many(wide, 3)
    (other,) = await many(wide, 1, "other", pages)
    wide.beacon.faults = [Fault(FaultKind.THROTTLED, "429", retry_at=wide.clock.now() + 2 * HOUR)]
    assert await wide.keeper.end(first) is Fate.REVOKING
    assert await wide.keeper.end(second) is Fate.REVOKING
    async with opened(wide.database, wide.clock) as elsewhere:
        assert await elsewhere.keeper.end(third) is Fate.REVOKING
        assert await swept(elsewhere, 119 * MINUTE, every=MINUTE) == 1
        # The other app's was given back meanwhile, the first one's were not asked about.
        assert (wide.beacon.revoked, elsewhere.beacon.revoked) == (["person-0"], ["other-0"])
        assert await wide.keeper.end(other) is Fate.REVOKED
    assert await swept(wide, MINUTE, every=MINUTE) == 3
    assert sorted(wide.beacon.revoked[1:]) == ["person-0", "person-1", "person-2"]


async def test_R16_in_an_outage_one_call_tries_for_all_and_afterwards_all_end(room: Room) -> None:
    grants = await many(room, 12)
    down(room)
    assert await swept(room, DAY, every=10 * MINUTE) == 0
    asked = len(room.beacon.revoked)
    # Those under way when it fell, then one each time that the gate opens: every ten minutes.
    assert asked <= 17 + DAY / (10 * MINUTE)
    assert {await room.keeper.end(grant_id) for grant_id in grants} == {Fate.REVOKING}
    assert len(room.beacon.revoked) <= asked + 1
    up(room)
    assert await swept(room, 6 * HOUR + 10 * MINUTE) == 12
    assert Counter(room.beacon.revoked[-12:]) == Counter(f"person-{number}" for number in range(12))


async def test_R18_one_apps_closed_gate_keeps_no_other_apps_from_their_turn(wide: Room) -> None:
    pages = next(app.id for _, app in wide.keeper.logins("beacon") if app.client_id == PAGES.client_id)
    shut, *_ = await many(wide, REVOKES_AT_A_TIME + 8)
    await many(wide, 1, "other", pages)
    wide.beacon.faults = [Fault(FaultKind.THROTTLED, "429", retry_at=wide.clock.now() + 2 * HOUR)]
    assert await wide.keeper.end(shut) is Fate.REVOKING
    assert await wide.keeper.sweep_abandoned() == 1
    assert wide.beacon.revoked == ["person-0", "other-0"]


async def test_R18_people_who_disconnect_now_go_before_the_sweep(room: Room) -> None:
    await many(room, REVOKES_AT_A_TIME + 21)
    ended = [await room.keeper.sweep_abandoned() for _ in range(3)]
    assert ended[0] == REVOKES_AT_A_TIME
    assert sum(ended) < REVOKES_AT_A_TIME + 21
    left = await room.rows("SELECT id FROM grants WHERE state <> 'gone' ORDER BY id")
    assert await room.keeper.end(str(left[0]["id"])) is Fate.REVOKED
    # What the gate held back flows on by itself.
    assert await swept(room, 2 * MINUTE, every=MINUTE) == len(left) - 1


async def test_E9_an_emergency_waits_at_no_gate(room: Room) -> None:
    first, second = await many(room, 2)
    room.beacon.faults = [Fault(FaultKind.THROTTLED, "429", retry_at=room.clock.now() + DAY)]
    assert {await room.keeper.end(first), await room.keeper.end(second)} == {Fate.REVOKING}
    assert await room.keeper.emergency.revoke_all(unheard) == {Fate.REVOKED: 2}


async def test_E8_a_long_list_of_former_tokens_is_worked_off_over_several_tries(room: Room) -> None:
    for number in range(30):
        await room.consented(consent(access=f"former-{number}", refresh=f"refresh-{number}"))
    grant_id = await abandoned(room)

    async def slow() -> None:
        if len(room.beacon.revoked) % 11 == 0:
            room.beacon.faults = [Fault(FaultKind.FATE_UNKNOWN, "deadline")]

    room.beacon.meanwhile = slow
    assert await room.keeper.end(grant_id) is Fate.REVOKING
    assert len((await room.tokens(grant_id)).former) == 2
    assert await swept(room, 2 * HOUR) == 1
    asked = Counter(room.beacon.revoked)
    assert set(asked) == {*(f"former-{number}" for number in range(30)), "canary-access"}
    # Only what failed was asked about again, one of them twice; and with it each time the one by which some networks end the whole login.
    assert asked.pop("canary-access") == 3
    assert sorted(asked.values()) == [1] * 28 + [2, 3]


async def test_E8_what_an_older_consent_gave_during_the_revoke_ends_too(room: Room) -> None:
    grant_id = await room.consented(consent(access="newer"), seq=5)
    room.clock.forward(16 * MINUTE)

    async def an_older_one_arrives() -> None:
        room.beacon.meanwhile = None
        await room.consented(consent(access="older"), seq=4)

    room.beacon.meanwhile = an_older_one_arrives
    assert await room.keeper.end(grant_id) is Fate.REVOKING
    assert await room.keeper.sweep_abandoned() == 1
    assert set(room.beacon.revoked) == {"newer", "older"}
    assert await room.rows("SELECT * FROM token_sets") == []
