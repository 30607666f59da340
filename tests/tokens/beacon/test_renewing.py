"""Renewal in the tokens room: one call whoever asks, nothing lost by silence, nothing ended but by the network's own no."""

import asyncio
from datetime import timedelta

import pytest

from hitchpost.networks.errors import Fault, FaultKind
from tests.tokens.beacon.network import consent, pair
from tests.tokens.beacon.room import Room, until

TWO_HOURS = timedelta(hours=2)
PASSING = (FaultKind.NOT_SENT, FaultKind.FATE_UNKNOWN, FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.UNINTELLIGIBLE)


async def test_R1_a_thousand_who_ask_at_once_cost_one_call(room: Room) -> None:
    grant = await room.renewing()
    room.clock.forward(TWO_HOURS)
    found = await asyncio.gather(*(room.keeper.fresh(grant) for _ in range(1000)))
    assert room.beacon.refreshed == ["canary-refresh"]
    assert {one.tokens.access.reveal() for one in found} == {"canary-access-1"}


async def test_a_token_that_lives_is_given_without_a_call(room: Room) -> None:
    grant = await room.renewing()
    assert (await room.keeper.fresh(grant)).tokens.access.reveal() == "canary-access"
    assert room.beacon.refreshed == []


async def test_a_token_that_the_network_has_refused_is_renewed_once_and_then_believed(room: Room) -> None:
    grant = await room.renewing()
    first = await room.keeper.fresh(grant)
    renewed = await room.keeper.fresh(grant, refused=first.version)
    assert renewed.version == first.version + 1
    assert (await room.keeper.fresh(grant, refused=first.version)).version == renewed.version
    assert len(room.beacon.refreshed) == 1


async def test_grants_are_renewed_well_before_their_end_each_at_its_own_time(room: Room) -> None:
    for number in range(20):
        await room.renewing(subject=f"person-{number}", profile_id=f"cprofile{number}")
    begin, seen = room.clock.now(), []
    for _ in range(120):
        room.clock.forward(timedelta(minutes=1))
        seen += [room.clock.now() - begin] * await room.keeper.renew_due()
        if len(seen) >= 20:
            break
    assert len(room.beacon.refreshed) == 20
    assert min(seen) >= timedelta(minutes=60)
    assert max(seen) <= timedelta(minutes=92)
    assert len(set(seen)) > 8


@pytest.mark.parametrize("kind", PASSING)
async def test_R6_trouble_ends_nothing_and_passes(room: Room, kind: FaultKind) -> None:
    grant = await room.renewing()
    room.beacon.answers = [Fault(kind, "trouble")]
    room.clock.forward(TWO_HOURS)
    with pytest.raises(Fault, match="trouble"):
        await room.keeper.fresh(grant)
    assert (await room.standing("cprofile")).state == "network_trouble"
    room.clock.forward(timedelta(minutes=15))
    await room.keeper.renew_due()
    assert (await room.standing("cprofile")).state == "healthy"
    assert (await room.tokens(grant)).access.reveal() == "canary-access-2"
    assert room.ended == []


async def test_R5_a_lost_answer_permits_one_late_further_try(room: Room) -> None:
    grant = await room.renewing()
    room.beacon.answers = [Fault(FaultKind.FATE_UNKNOWN, "timeout")]
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    for _ in range(11):
        await room.keeper.renew_due()
        room.clock.forward(timedelta(minutes=1))
    assert len(room.beacon.refreshed) == 1
    room.clock.forward(timedelta(minutes=1, seconds=5))
    await room.keeper.renew_due()
    assert len(room.beacon.refreshed) == 2
    assert (await room.keeper.fresh(grant)).tokens.access.reveal() == "canary-access-2"


async def test_R5_a_no_after_a_lost_answer_says_so_and_severs_nothing(room: Room) -> None:
    grant = await room.renewing()
    room.beacon.answers = [Fault(FaultKind.FATE_UNKNOWN, "timeout"), Fault(FaultKind.REFUSED, "invalid_request/token")]
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    room.clock.forward(timedelta(minutes=15))
    await room.keeper.renew_due()
    standing = await room.standing("cprofile")
    assert (standing.state, standing.code) == ("reconnect_required", "refresh_answer_lost")
    assert [(one.grant_id, one.cause, one.profile_ids) for one in room.ended] == [(grant, "superseded", ("cprofile",))]
    await room.consented(until(consent(), room.clock.now() + TWO_HOURS))
    assert (await room.standing("cprofile")).state == "healthy"


async def test_a_definitive_no_ends_the_grant_and_only_a_member_can_put_it_back(room: Room) -> None:
    await room.renewing()
    room.beacon.answers = [Fault(FaultKind.REFUSED, "invalid_request/token")]
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    standing = await room.standing("cprofile")
    assert (standing.state, standing.code) == ("reconnect_required", "access_revoked")
    assert [one.cause for one in room.ended] == ["unknown"]
    again = await room.consented(until(consent(), room.clock.now() + TWO_HOURS))
    assert (await room.standing("cprofile")).state == "reconnect_required"
    await room.backed("cprofile", again)
    assert (await room.standing("cprofile")).state == "healthy"


async def test_the_operators_fault_leaves_every_health_alone_and_is_probed_once_in_ten_minutes(room: Room) -> None:
    for number in range(5):
        await room.renewing(subject=f"person-{number}", profile_id=f"cprofile{number}")
    room.beacon.answers = [Fault(FaultKind.MISCONFIGURED, "invalid_client")] * 99
    room.clock.forward(timedelta(minutes=100))
    for _ in range(20):
        await room.keeper.renew_due()
        room.clock.forward(timedelta(minutes=1))
    assert len(room.beacon.refreshed) <= 5 + 2
    assert {str((await room.standing(f"cprofile{number}")).state) for number in range(5)} <= {"healthy"}
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "operator_fault"}]
    room.beacon.answers = []
    room.clock.forward(timedelta(minutes=30))
    for _ in range(3):
        await room.keeper.renew_due()
        room.clock.forward(timedelta(minutes=11))
    assert await room.rows("SELECT state FROM apps WHERE slot = 'beacon'") == [{"state": "ok"}]
    assert room.ended == []


async def test_E7_an_answer_without_refresh_token_or_scopes_takes_nothing_away(room: Room) -> None:
    grant = await room.renewing()
    new = pair(room.clock.now() + timedelta(minutes=100), 1)
    room.beacon.answers = [type(new)(new.access, new.access_expires_at)]
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    kept = await room.tokens(grant)
    assert kept.refresh is not None
    assert (kept.access.reveal(), kept.refresh.reveal(), kept.scopes) == ("canary-access-1", "canary-refresh", frozenset({"post"}))


async def test_R2_a_consent_during_a_renewal_is_not_overwritten_by_it(room: Room) -> None:
    grant = await room.renewing()

    async def meanwhile() -> None:
        room.beacon.meanwhile = None
        await room.consented(until(consent(access="canary-newest"), room.clock.now() + TWO_HOURS))

    room.beacon.meanwhile = meanwhile
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    assert (await room.tokens(grant)).access.reveal() == "canary-newest"


async def test_an_access_that_cannot_renew_itself_ends_at_its_end_and_heals_with_the_next_consent(room: Room) -> None:
    now = room.clock.now()
    grant = await room.consented(until(consent(refresh=None), now + timedelta(days=60)))
    await room.backed("cprofile", grant)
    room.clock.forward(timedelta(days=60))
    await room.keeper.renew_due()
    assert [(one.code, one.cause) for one in room.ended] == [("access_expired", "expired")]
    await room.consented(until(consent(refresh=None), room.clock.now() + timedelta(days=60)))
    assert (await room.standing("cprofile")).state == "healthy"


async def test_E1_one_cell_that_does_not_open_keeps_no_other_grant_from_living(room: Room) -> None:
    broken, sound = [await room.renewing(subject=one, profile_id=f"c{one}") for one in ("broken", "sound")]
    await room.run(f"UPDATE token_sets SET sealed = sealed || 'A' WHERE grant_id = '{broken}'")
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    assert (await room.tokens(sound)).access.reveal() == "canary-access-1"
    assert room.ended == []


async def test_R17_nothing_is_asked_before_the_moment_that_the_network_named(room: Room) -> None:
    await room.renewing()
    room.clock.forward(timedelta(minutes=100))
    room.beacon.answers = [Fault(FaultKind.THROTTLED, "429", retry_at=room.clock.now() + timedelta(minutes=20))]
    for _ in range(20):
        await room.keeper.renew_due()
        room.clock.forward(timedelta(minutes=1))
    assert len(room.beacon.refreshed) == 1
    room.clock.forward(timedelta(minutes=2))
    await room.keeper.renew_due()
    assert len(room.beacon.refreshed) == 2


async def test_E1_tokens_that_somebody_changes_while_the_network_is_asked_are_replaced_by_its_answer(room: Room) -> None:
    grant = await room.renewing()

    async def tampered() -> None:
        await room.database.begin(lambda tx: tx.exec_driver_sql("UPDATE token_sets SET sealed = 'v1.tests.AAAA'"))

    room.beacon.meanwhile = tampered
    room.clock.forward(timedelta(minutes=100))
    await room.keeper.renew_due()
    assert (await room.standing("cprofile")).state == "healthy"
    fresh = await room.keeper.fresh(grant)
    assert fresh.version == 2
    assert len(room.beacon.refreshed) == 1
