"""API keys belong to a person, are shown once, stored hashed, and die at once."""

import logging
import math
from datetime import timedelta
from pathlib import Path

import pytest

from hitchpost.errors import Problem
from hitchpost.workspaces.roles import Role
from tests.workspaces.conftest import World


async def test_a_key_calls_for_its_person_with_their_present_seats(world: World) -> None:
    key = await world.key(world.ben)
    caller = await world.workspaces.caller(key.reveal())
    assert caller is not None
    assert (caller.person_id, caller.name, caller.email) == (world.ben, "Ben", "ben@example.com")
    assert {place: seat.role for place, seat in caller.seats.items()} == {world.lantern: "viewer"}
    await world.workspaces.set_role(world.lantern, world.ben, Role.ADMIN)
    caller = await world.workspaces.caller(key.reveal())
    assert caller is not None
    assert caller.seats[world.lantern].role == "admin"


async def test_C4_a_dump_of_the_database_shows_no_key(world: World, tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    made, key = await world.database.begin(lambda tx: world.workspaces.issue_key(tx, world.ada, "ci"))
    await world.workspaces.caller(key.reveal())
    dump = b"".join(file.read_bytes() for file in tmp_path.rglob("*") if file.is_file())
    assert made.prefix.encode() in dump
    for canary in (key.reveal(), key.reveal().removeprefix(made.prefix)):
        assert canary.encode() not in dump
        assert canary not in caplog.text
    assert key.reveal() not in repr((made, key))


async def test_C4_E4_keys_have_more_than_160_random_bits_and_a_short_public_prefix(world: World) -> None:
    keys = [(await world.key(world.ada)).reveal() for _ in range(20)]
    hidden = {key.rpartition("_")[2] for key in keys}
    assert len(hidden) == 20
    assert all(len(one) * math.log2(36) > 160 for one in hidden)
    assert {one.prefix for one in await world.workspaces.keys_of(world.ada)} == {key[:11] for key in keys}


async def test_C4_a_revoked_key_is_dead_in_this_process_at_once_and_elsewhere_within_a_second(world: World) -> None:
    key, elsewhere = (await world.key(world.ada)).reveal(), world.another_process()
    assert await world.workspaces.caller(key)
    assert await elsewhere.caller(key)
    await world.workspaces.revoke_key((await world.workspaces.keys_of(world.ada))[0].id)
    assert await world.workspaces.caller(key) is None
    world.clock.forward(timedelta(seconds=1))
    assert await elsewhere.caller(key) is None


async def test_C12_keys_of_a_removed_member_or_a_deactivated_person_end_within_a_second_everywhere(world: World) -> None:
    key, elsewhere = (await world.key(world.ben)).reveal(), world.another_process()
    assert await elsewhere.caller(key)
    await world.workspaces.remove_member(world.lantern, world.ben)
    here = await world.workspaces.caller(key)
    assert here is not None
    assert here.seats == {}
    world.clock.forward(timedelta(seconds=1))
    there = await elsewhere.caller(key)
    assert there is not None
    assert there.seats == {}
    await world.database.begin(lambda tx: world.people.deactivate(tx, world.ben))
    world.workspaces.forget_callers()
    assert await world.workspaces.caller(key) is None
    world.clock.forward(timedelta(seconds=1))
    assert await elsewhere.caller(key) is None


async def test_C12_a_deactivated_person_gets_no_new_key(world: World) -> None:
    await world.database.begin(lambda tx: world.people.deactivate(tx, world.ben))
    with pytest.raises(Problem, match="gets no keys"):
        await world.key(world.ben)


@pytest.mark.parametrize("key", ["", "x", "hp_", "hp_12345678_" + "a" * 40, "hp_" + "é" * 50, "hp_12345678_" + "a" * 5000, "\x00", "a\nb"])
async def test_C4_what_is_no_key_is_nobodys(world: World, key: str) -> None:
    assert await world.workspaces.caller(key) is None


async def test_C1_a_foreign_key_cannot_be_revoked_and_its_existence_is_not_told(world: World) -> None:
    key = await world.key(world.ada)
    (listed,) = await world.workspaces.keys_of(world.ada)
    for key_id in (listed.id, "c" + "0" * 24, "\x00"):
        with pytest.raises(Problem) as refusal:
            await world.workspaces.revoke_key(key_id, actor=world.cleo)
        assert refusal.value.code == "key_not_found"
    assert await world.workspaces.caller(key.reveal())
    await world.workspaces.revoke_key(listed.id, actor=world.ada)
    assert (await world.workspaces.keys_of(world.ada))[0].revoked_at == world.clock.now()
