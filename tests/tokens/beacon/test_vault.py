"""Data keys: one an owner, wrapped by the ring, safe when several processes need the first one at once."""

import asyncio
from dataclasses import replace

import pytest

from hitchpost.db.engine import Database, Step, Tx
from hitchpost.secret import Secret
from hitchpost.tokens.cipher import Place, SealBroken
from hitchpost.tokens.ring import BadRing
from hitchpost.tokens.vault import Vault, is_unused
from tests.support.clock import ManualClock
from tests.tokens.beacon.room import Room, opened, ring

OURS = Place("-", "apps", "sealed_secret", "cone")
LANTERN = replace(OURS, owner="clantern")


async def test_only_a_database_in_which_nothing_was_sealed_is_unused(any_database: Database, clock: ManualClock) -> None:
    assert await any_database.read(is_unused)
    await any_database.begin(Vault(ring(), clock).check)
    assert not await any_database.read(is_unused)


async def test_another_process_with_the_same_ring_opens_what_was_sealed(any_database: Database, clock: ManualClock) -> None:
    first, second = Vault(ring(), clock), Vault(ring(), clock)
    sealed = await any_database.begin(lambda tx: first.seal(tx, OURS, Secret("canary")))
    assert await any_database.read(lambda tx: second.open(tx, OURS, sealed)) == Secret("canary")


async def test_a_new_primary_key_seals_and_the_old_one_still_opens(any_database: Database, clock: ManualClock) -> None:
    old, rotated = Vault(ring(("one", 0)), clock), Vault(ring(("two", 50), ("one", 0)), clock)
    sealed = await any_database.begin(lambda tx: old.seal(tx, OURS, Secret("canary")))
    await any_database.begin(rotated.check)
    assert await any_database.read(lambda tx: rotated.open(tx, OURS, sealed)) == Secret("canary")
    await any_database.begin(lambda tx: rotated.seal(tx, LANTERN, Secret("canary")))
    keys = await any_database.read(lambda tx: tx.exec_driver_sql("SELECT owner, key_id FROM data_keys ORDER BY owner").all())
    assert [tuple(row) for row in keys] == [("-", "one"), ("clantern", "two")]


@pytest.mark.parametrize(
    "wrong", [(("two", 0),), (("one", 50),), (("two", 0), ("one", 50))], ids=["another id", "other bytes", "a new primary over other bytes"]
)
async def test_E2_a_wrong_ring_refuses_to_start_and_changes_nothing(
    any_database: Database, clock: ManualClock, wrong: tuple[tuple[str, int], ...]
) -> None:
    async with opened(any_database, clock) as room:
        grant_id = await room.consented()
        await room.backed("cprofile", grant_id)
        tables = ("apps", "grants", "token_sets", "reaches", "backings", "data_keys")
        before = [await room.rows(f"SELECT * FROM {table}") for table in tables]
        with pytest.raises(BadRing, match=r"HITCHPOST_KEY_RING .* must hold the key one "):
            await any_database.begin(Vault(ring(*wrong), clock).check)
        assert [await room.rows(f"SELECT * FROM {table}") for table in tables] == before
        assert (await room.standing("cprofile")).state == "healthy"


async def test_E1_data_keys_swapped_between_owners_refuse_to_start(any_database: Database, clock: ManualClock) -> None:
    vault = Vault(ring(), clock)

    def swap(tx: Tx) -> None:
        for place in (OURS, LANTERN):
            vault.seal(tx, place, Secret("canary"))
        tx.exec_driver_sql("UPDATE data_keys SET wrapped = (SELECT wrapped FROM data_keys WHERE owner = 'clantern') WHERE owner = '-'")

    await any_database.begin(swap)
    with pytest.raises(BadRing):
        await any_database.begin(Vault(ring(), clock).check)


async def test_E2_a_data_key_that_is_no_sealed_text_refuses_to_start(any_database: Database, clock: ManualClock) -> None:
    await any_database.begin(Vault(ring(), clock).check)
    await any_database.begin(lambda tx: tx.exec_driver_sql("UPDATE data_keys SET wrapped = 'torn'"))
    with pytest.raises(BadRing):
        await any_database.begin(Vault(ring(), clock).check)


async def test_E2_a_database_that_lost_its_data_key_gets_no_other(room: Room, clock: ManualClock) -> None:
    await room.run("DELETE FROM data_keys")
    with pytest.raises(BadRing, match="data_keys"):
        await room.database.begin(Vault(ring(), clock).check)
    assert await room.rows("SELECT * FROM data_keys") == []


async def test_opening_never_makes_a_data_key(any_database: Database, clock: ManualClock) -> None:
    sealed = await any_database.begin(lambda tx: Vault(ring(), clock).seal(tx, OURS, Secret("canary")))
    await any_database.begin(lambda tx: tx.exec_driver_sql("DELETE FROM data_keys"))
    with pytest.raises(SealBroken):
        await any_database.begin(lambda tx: Vault(ring(), clock).open(tx, OURS, sealed))
    assert await any_database.read(is_unused)


async def test_E1_one_owner_never_opens_what_another_sealed(any_database: Database, clock: ManualClock) -> None:
    vault = Vault(ring(), clock)
    sealed = await any_database.begin(lambda tx: vault.seal(tx, LANTERN, Secret("canary")))
    with pytest.raises(SealBroken):
        await any_database.begin(lambda tx: vault.open(tx, OURS, sealed))


async def test_processes_that_need_an_owners_first_key_at_once_share_one(any_database: Database, clock: ManualClock) -> None:
    vaults = [Vault(ring(), clock) for _ in range(8)]

    async def sealed_by(vault: Vault) -> str:
        return await any_database.begin(lambda tx: vault.seal(tx, LANTERN, Secret("canary")))

    texts = await asyncio.gather(*(sealed_by(vault) for vault in vaults))
    keys = await any_database.read(lambda tx: tx.exec_driver_sql("SELECT owner FROM data_keys").all())
    assert len(keys) == 1

    def opened_by(vault: Vault, text: str) -> Step[Secret]:
        return lambda tx: vault.open(tx, LANTERN, text)

    for vault, text in zip(vaults, reversed(texts), strict=True):
        assert await any_database.read(opened_by(vault, text)) == Secret("canary")


async def test_a_key_whose_transaction_was_rolled_back_is_never_used_again(any_database: Database, clock: ManualClock) -> None:
    vault = Vault(ring(), clock)

    def fail(tx: Tx) -> None:
        vault.seal(tx, LANTERN, Secret("canary"))
        raise TimeoutError

    with pytest.raises(TimeoutError):
        await any_database.begin(fail)
    sealed = await any_database.begin(lambda tx: vault.seal(tx, LANTERN, Secret("canary")))
    assert await any_database.read(lambda tx: Vault(ring(), clock).open(tx, LANTERN, sealed)) == Secret("canary")


async def test_E3_what_was_sealed_for_one_purpose_is_refused_for_every_other(room: Room) -> None:
    def seal(tx: Tx) -> str:
        return room.keeper.seal(tx, "-", "authorization_requests", "sealed_verifier", "crequest", Secret("canary-verifier"))

    sealed = await room.database.begin(seal)

    def unsealed(table: str, column: str, row: str) -> Step[Secret]:
        return lambda tx: room.keeper.unseal(tx, "-", table, column, row, sealed)

    for table, column, row in [
        ("apps", "sealed_secret", "crequest"),
        ("authorization_requests", "other", "crequest"),
        ("authorization_requests", "sealed_verifier", "cother"),
    ]:
        with pytest.raises(SealBroken):
            await room.database.read(unsealed(table, column, row))
    assert await room.database.read(unsealed("authorization_requests", "sealed_verifier", "crequest")) == Secret("canary-verifier")
