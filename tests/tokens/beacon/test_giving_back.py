"""The end of what nobody needs: given back at the network, by the rule of revoking, then destroyed; never taken from who still needs it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Tx
from hitchpost.errors import Problem
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from hitchpost.tokens.giving_back import ENDED
from hitchpost.tokens.revoke import Fate
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import BEACON, Room, opened

DOWN = [FaultKind.NOT_SENT, FaultKind.FATE_UNKNOWN, FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.MISCONFIGURED]


async def abandoned(room: Room) -> str:
    """A grant that nobody attached anything with, a quarter of an hour ago."""
    grant_id = await room.consented()
    room.clock.forward(timedelta(minutes=16))
    return grant_id


async def states(room: Room) -> list[object]:
    return [row["state"] for row in await room.rows("SELECT state FROM grants ORDER BY consent_seq")]


async def test_E8_an_abandoned_grant_is_given_back_and_destroyed(room: Room) -> None:
    grant_id = await abandoned(room)
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["canary-access"]
    assert await states(room) == ["gone"]
    assert await room.rows("SELECT * FROM token_sets") == []
    with pytest.raises(Fault) as caught:
        await room.tokens(grant_id)
    assert caught.value.problem == "access_revoked"
    assert await room.keeper.sweep_abandoned() == 0


async def test_a_grant_is_left_to_who_may_still_need_it(room: Room) -> None:
    young, flowing = await room.consented(consent("young")), await room.consented(consent("flowing"))
    backed = await room.consented(consent("backed"))
    room.open_flows.add(flowing)
    await room.backed("cprofile", backed)
    assert await room.keeper.sweep_abandoned() == 0
    room.clock.forward(timedelta(minutes=16))
    await room.consented(consent("young"))
    assert await room.keeper.sweep_abandoned() == 0
    for grant_id in (young, flowing, backed):
        assert (await room.tokens(grant_id)).access == Secret("canary-access")
    room.open_flows.clear()
    assert await room.keeper.sweep_abandoned() == 1


async def test_A20_what_a_second_workspace_still_needs_is_not_revoked(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("clantern-page", grant_id)
    await room.backed("cquill-page", grant_id)
    room.clock.forward(timedelta(days=1))
    await room.database.begin(lambda tx: room.keeper.detach(tx, ["clantern-page"]))
    assert await room.keeper.sweep_abandoned() == 0
    assert room.beacon.revoked == []
    await room.database.begin(lambda tx: room.keeper.detach(tx, ["cquill-page"]))
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["canary-access"]
    assert await room.rows("SELECT sealed_token FROM reaches") == [{"sealed_token": ""}]


async def test_A20_a_login_that_another_owners_grant_stands_on_is_not_revoked(room: Room) -> None:
    await abandoned(room)
    # The same client id, brought by a workspace: to the network it is one login of one person.
    columns = "authority, client_id, slot, variant, version, scopes, state"

    def bring(tx: Tx) -> None:
        sealed = room.keeper.seal(tx, "-", "apps", "sealed_secret", "cbrought", BEACON.client_secret)
        copied = text(f"INSERT INTO apps (id, owner, sealed_secret, {columns}) SELECT 'cbrought', 'cquill', :sealed, {columns} FROM apps")
        tx.execute(copied, {"sealed": sealed})

    await room.database.begin(bring)
    await room.configure(BEACON)
    theirs = await room.consented(app_id="cbrought")
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == []
    assert await states(room) == ["gone", "live"]
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.end(theirs) in ENDED
    assert room.beacon.revoked == ["canary-access"]


async def test_A20_another_person_with_the_same_app_changes_nothing(room: Room) -> None:
    await abandoned(room)
    ben = await room.consented(consent("ben", access="canary-ben"))
    await room.backed("cprofile", ben)
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["canary-access"]
    assert (await room.tokens(ben)).access == Secret("canary-ben")


@pytest.mark.parametrize("kind", DOWN)
async def test_E8_a_network_in_trouble_is_asked_again_later_and_stops_nobody_else(room: Room, kind: FaultKind) -> None:
    await room.consented(consent("first", access="canary-first"))
    await room.consented(consent("second", access="canary-second"))
    room.clock.forward(timedelta(minutes=16))
    room.beacon.faults = [Fault(kind, "trouble")]
    assert await room.keeper.sweep_abandoned() == 1
    assert sorted(await states(room), key=str) == ["gone", "revoking"]
    assert await room.keeper.sweep_abandoned() == 0
    room.clock.forward(timedelta(minutes=10))
    assert await room.keeper.sweep_abandoned() == 1
    assert sorted(set(room.beacon.revoked)) == ["canary-first", "canary-second"]
    assert await room.rows("SELECT * FROM token_sets") == []


async def test_a_network_that_says_when_is_asked_then(room: Room) -> None:
    await abandoned(room)
    room.beacon.faults = [Fault(FaultKind.THROTTLED, "slow_down", retry_at=room.clock.now() + timedelta(hours=2))]
    assert await room.keeper.sweep_abandoned() == 0
    room.clock.forward(timedelta(minutes=119))
    assert await room.keeper.sweep_abandoned() == 0
    room.clock.forward(timedelta(minutes=1))
    assert await room.keeper.sweep_abandoned() == 1


async def test_what_is_dead_at_the_network_already_is_destroyed_here(room: Room) -> None:
    grant_id = await abandoned(room)
    room.beacon.faults = [Fault(FaultKind.REVOKED, "190")]
    assert await room.keeper.end(grant_id) is Fate.REVOKED
    assert await states(room) == ["gone"]
    assert room.left == []


async def test_processes_that_sweep_at_once_revoke_once(room: Room) -> None:
    await abandoned(room)
    async with opened(room.database, room.clock) as other:
        ended = await asyncio.gather(*(one.keeper.sweep_abandoned() for one in (room, other) for _ in range(4)))
        assert sum(ended) == len(room.beacon.revoked + other.beacon.revoked) == 1


async def test_a_sweep_that_died_is_taken_over_when_its_lease_ends(room: Room) -> None:
    await abandoned(room)
    died = asyncio.get_running_loop().create_future()

    async def power_cut() -> None:
        died.set_result(None)
        await asyncio.Event().wait()

    room.beacon.meanwhile = power_cut
    sweep = asyncio.create_task(room.keeper.sweep_abandoned())
    await died
    sweep.cancel()
    room.beacon.meanwhile = None
    assert await room.keeper.sweep_abandoned() == 0
    room.clock.forward(timedelta(seconds=120))
    assert await room.keeper.sweep_abandoned() == 1


async def test_a_consent_during_the_revoke_is_kept(room: Room) -> None:
    grant_id = await abandoned(room)

    async def ada_comes_back() -> None:
        await room.consented(consent(access="canary-new"))

    room.beacon.meanwhile = ada_comes_back
    assert await room.keeper.sweep_abandoned() == 0
    assert await states(room) == ["live"]
    assert (await room.tokens(grant_id)).access == Secret("canary-new")


async def test_a_consent_cancels_a_revoke_that_was_to_be_tried_again(room: Room) -> None:
    await abandoned(room)
    room.beacon.faults = [Fault(FaultKind.TRANSIENT, "503")]
    assert await room.keeper.sweep_abandoned() == 0
    await room.backed("cprofile", await room.consented())
    room.clock.forward(timedelta(days=1))
    assert await room.keeper.sweep_abandoned() == 0
    assert len(room.beacon.revoked) == 1


async def test_nothing_is_attached_to_a_grant_that_is_being_given_back(room: Room) -> None:
    grant_id = await abandoned(room)
    refused: list[Problem] = []

    async def late_attach() -> None:
        try:
            await room.backed("cprofile", grant_id)
        except Problem as problem:
            refused.append(problem)

    room.beacon.meanwhile = late_attach
    assert await room.keeper.sweep_abandoned() == 1
    assert [problem.code for problem in refused] == ["access_revoked"]
    assert refused[0].message.startswith("Beacon does not accept")
    assert await room.rows("SELECT * FROM backings") == []


async def test_attaching_and_giving_back_at_once_leave_no_profile_on_dead_access(room: Room) -> None:
    grants = [await room.consented(consent(f"person-{number}")) for number in range(6)]
    room.clock.forward(timedelta(minutes=16))
    attaches = [room.backed(f"cprofile-{grant_id}", grant_id, page(grant_id)) for grant_id in grants]
    outcomes = await asyncio.gather(*attaches, room.keeper.sweep_abandoned(), return_exceptions=True)
    assert all(outcome is None or isinstance(outcome, Problem) for outcome in outcomes[:-1])
    found = await room.rows(
        "SELECT g.state FROM backings b JOIN reaches r ON r.id = b.reach_id JOIN grants g ON g.id = r.grant_id WHERE b.state = 'live'"
    )
    assert all(row["state"] == "live" for row in found)
    assert len(found) + len(room.beacon.revoked) == 6


async def test_A25_a_grant_is_discarded_at_once_unless_somebody_needs_it(room: Room) -> None:
    discarded, backed, flowing = [await room.consented(consent(name)) for name in ("discarded", "backed", "flowing")]
    await room.backed("cprofile", backed)
    room.open_flows.add(flowing)
    ends = [await room.keeper.end(grant_id) for grant_id in (discarded, backed, flowing, "cunknown")]
    assert ends == [Fate.REVOKED, Fate.KEPT, Fate.PENDING, Fate.REVOKED]
    assert len(room.beacon.revoked) == 1
    assert await room.keeper.end(discarded) is Fate.REVOKED
    assert len(room.beacon.revoked) == 1


async def test_E1_tokens_that_were_tampered_with_stop_no_others(room: Room) -> None:
    broken = await room.consented(consent("first"))
    ((whole,),) = [row.values() for row in await room.rows("SELECT sealed FROM token_sets")]
    await room.run("UPDATE token_sets SET sealed = 'v1.one.AAAA'")
    await room.consented(consent("second", access="canary-second"))
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["canary-second"]
    assert await room.keeper.end(broken) is Fate.UNREADABLE
    # The cell stays as evidence, and is looked at again from time to time: somebody may put back what was there.
    assert await room.rows("SELECT grant_id FROM token_sets") == [{"grant_id": broken}]
    assert await room.keeper.sweep_abandoned() == 0
    await room.run(f"UPDATE token_sets SET sealed = '{whole}' WHERE grant_id = '{broken}'")
    room.clock.forward(timedelta(hours=6))
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["canary-second", "canary-access"]


async def test_a_grant_of_an_app_that_left_the_configuration_is_still_given_back(room: Room) -> None:
    await abandoned(room)
    async with opened(room.database, room.clock, apps=()) as restarted:
        assert await restarted.keeper.sweep_abandoned() == 1
        assert restarted.beacon.revoked == ["canary-access"]


async def test_a_grant_of_an_app_that_this_process_has_not_met_is_left_to_one_that_has(room: Room) -> None:
    newcomer = replace(BEACON, client_id="new-client")
    async with opened(room.database, room.clock, apps=[newcomer]) as newer:
        await newer.consented()
        room.clock.forward(timedelta(minutes=16))
        assert await room.keeper.sweep_abandoned() == 0
        assert await newer.keeper.sweep_abandoned() == 1


async def test_E8_what_an_earlier_consent_gave_ends_with_the_grant_and_not_before(room: Room) -> None:
    grant_id = await room.consented(consent(access="first", refresh="first-refresh"), seq=1)
    await room.consented(consent(access="third", refresh="third-refresh"), seq=3)
    # An older consent that arrives late changes nothing, but it lives at the network all the same.
    await room.consented(consent(access="second", refresh="second-refresh"), seq=2)
    assert (await room.tokens(grant_id)).access == Secret("third")
    assert room.beacon.revoked == []
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.sweep_abandoned() == 1
    assert sorted(room.beacon.revoked) == ["first", "second", "third"]
    assert room.beacon.revoked[-1] == "third"


async def test_E8_a_former_token_that_is_dead_already_keeps_nothing_alive(room: Room) -> None:
    await room.consented(consent(access="first"), seq=1)
    await room.consented(consent(access="second"), seq=2)
    room.beacon.faults.append(Fault(FaultKind.REVOKED, "dead"))
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["first", "second"]


async def test_E8_a_former_token_that_has_run_out_is_forgotten(room: Room) -> None:
    short = consent(access="first", refresh=None)
    ending = replace(short, tokens=replace(short.tokens, access_expires_at=room.clock.now() + timedelta(hours=2)))
    grant_id = await room.consented(ending, seq=1)
    room.clock.forward(timedelta(hours=3))
    await room.consented(consent(access="second"), seq=2)
    assert (await room.tokens(grant_id)).former == ()


async def test_E8_what_a_revoke_did_not_reach_before_the_next_consent_ends_with_the_grant(room: Room) -> None:
    await room.consented(consent(access="first"), seq=1)
    room.beacon.faults.append(Fault(FaultKind.TRANSIENT, "down"))
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.sweep_abandoned() == 0
    await room.consented(consent(access="second"), seq=2)
    room.beacon.revoked.clear()
    room.clock.forward(timedelta(minutes=16))
    assert await room.keeper.sweep_abandoned() == 1
    assert room.beacon.revoked == ["first", "second"]
