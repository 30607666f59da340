"""A Grant is (app, subject), once: every consent renews it at once, an older one never undoes a newer one."""

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import text

from hitchpost.db.base import metadata
from hitchpost.db.engine import SqliteDatabase, Tx
from hitchpost.networks.base import TokenSet
from hitchpost.secret import Secret
from hitchpost.tokens.cipher import SealBroken
from tests.support.clock import ManualClock
from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import Room, opened, until

CANARIES = ("canary-access", "canary-refresh", "canary-page", "canary-client-secret", "canary-extra")


async def test_a_token_set_comes_back_as_it_was_given(room: Room) -> None:
    now = room.clock.now()
    given = TokenSet(Secret("canary-access"), now, Secret("canary-refresh"), now, frozenset({"b", "a"}), {"kind": "canary-extra"})
    grant_id = await room.consented(replace(consent(), tokens=given))
    assert await room.tokens(grant_id) == given


async def test_a_second_consent_renews_the_grant_at_once(room: Room) -> None:
    first = await room.consented()
    assert await room.consented(consent(access="canary-second", name="Ada L.")) == first
    assert (await room.tokens(first)).access == Secret("canary-second")
    [row] = await room.rows("SELECT * FROM grants")
    assert (row["name"], row["state"], row["version"], row["due_at"]) == ("Ada L.", "live", 2, None)


async def test_a_consent_that_was_claimed_earlier_never_overwrites_a_later_one(room: Room) -> None:
    grant_id = await room.consented(consent(access="canary-later"), seq=7)
    assert await room.consented(consent(access="canary-earlier"), seq=6) == grant_id
    assert (await room.tokens(grant_id)).access == Secret("canary-later")


async def test_first_consents_of_one_person_at_once_make_one_grant_and_the_last_claimed_stands(room: Room) -> None:
    seqs = [3, 1, 8, 5, 2, 7, 4, 6]
    grants = await asyncio.gather(*(room.consented(consent(access=f"canary-{seq}"), seq=seq) for seq in seqs))
    assert len(set(grants)) == 1
    assert (await room.tokens(grants[0])).access == Secret("canary-8")


async def test_no_two_consents_take_the_same_place_in_the_order(room: Room) -> None:
    taken = await asyncio.gather(*(room.database.begin(room.keeper.take_consent_seq) for _ in range(12)))
    assert sorted(taken) == list(range(1, 13))


async def test_E7_an_absent_refresh_token_keeps_the_stored_one(room: Room) -> None:
    ends = room.clock.now() + timedelta(days=30)
    grant_id = await room.consented(until(consent(), None, ends))
    await room.consented(consent(access="canary-second", refresh=None))
    kept = await room.tokens(grant_id)
    assert (kept.access, kept.refresh, kept.refresh_expires_at) == (Secret("canary-second"), Secret("canary-refresh"), ends)
    [row] = await room.rows("SELECT renews_itself FROM grants")
    assert row["renews_itself"]


async def test_E7_a_refresh_token_that_has_run_out_is_not_kept(room: Room) -> None:
    grant_id = await room.consented(until(consent(), None, room.clock.now() + timedelta(days=1)))
    room.clock.forward(timedelta(days=1))
    await room.consented(consent(access="canary-second", refresh=None))
    assert (await room.tokens(grant_id)).refresh is None


async def test_E7_a_new_refresh_token_replaces_the_old_one(room: Room) -> None:
    grant_id = await room.consented()
    await room.consented(consent(refresh="canary-new-refresh"))
    assert (await room.tokens(grant_id)).refresh == Secret("canary-new-refresh")


async def test_a_consent_heals_a_dead_grant_but_not_what_was_severed(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("clive", grant_id, page("page-1"))
    await room.backed("csevered", grant_id, page("page-2"))
    await room.run("UPDATE grants SET state = 'reconnect', cause = 'revoked', code = 'user_revoked'")
    await room.run("UPDATE backings SET state = 'severed' WHERE profile_id = 'csevered'")
    await room.consented()
    assert (await room.standing("clive")).state == "healthy"
    assert (await room.standing("csevered")).state == "reconnect_required"
    await room.backed("csevered", grant_id, page("page-2"))
    assert (await room.standing("csevered")).state == "healthy"


async def test_A24_ids_that_differ_only_in_case_are_two_people(room: Room) -> None:
    upper, lower = await room.consented(consent("AbC", access="canary-upper")), await room.consented(consent("abc", access="canary-lower"))
    assert upper != lower
    assert (await room.tokens(upper)).access == Secret("canary-upper")
    await room.backed("cone", upper, page("Page"))
    await room.backed("ctwo", upper, page("page"))
    assert len(await room.rows("SELECT id FROM reaches")) == 2


async def test_A24_nobody_is_linked_by_name(room: Room) -> None:
    assert await room.consented(consent("one", name="Ada")) != await room.consented(consent("two", name="Ada"))


def everything(tx: Tx) -> str:
    """Every cell of every table, as text."""
    return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in tx.execute(table.select()))


async def test_E1_no_cell_holds_a_token_or_secret(room: Room) -> None:
    given = consent()
    grant_id = await room.consented(replace(given, tokens=replace(given.tokens, extras={"kind": "canary-extra"})))
    await room.backed("cprofile", grant_id)
    found = await room.database.read(everything)
    assert "ada-at-beacon" in found
    assert not [one for one in CANARIES if one in found]


async def test_E1_the_stolen_files_of_the_database_hold_none_either(database: SqliteDatabase, clock: ManualClock, tmp_path: Path) -> None:
    async with opened(database, clock) as room:
        grant_id = await room.consented()
        await room.backed("cprofile", grant_id)
        await room.consented(consent(access="canary-second"))
        files = {path.name: path.read_bytes() for path in tmp_path.glob("hitchpost.db*")}
        await database.read(lambda tx: tx.execute(text("SELECT 1")))
    assert any(name.endswith("-wal") for name in files)
    assert any(b"ada-at-beacon" in content for content in files.values())
    assert not [name for name, content in files.items() if b"canary" in content]


async def test_E1_token_sets_swapped_between_grants_do_not_open(room: Room) -> None:
    ada, ben = await room.consented(consent("ada")), await room.consented(consent("ben"))
    await room.run(f"UPDATE token_sets SET sealed = (SELECT sealed FROM token_sets WHERE grant_id = '{ada}') WHERE grant_id = '{ben}'")
    with pytest.raises(SealBroken):
        await room.tokens(ben)
    assert (await room.tokens(ada)).access == Secret("canary-access")


async def test_E1_a_pages_token_put_in_a_grants_place_does_not_open(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("cprofile", grant_id)
    await room.run("UPDATE token_sets SET sealed = (SELECT sealed_token FROM reaches)")
    with pytest.raises(SealBroken):
        await room.tokens(grant_id)


async def test_E5_tokens_hide_themselves(room: Room) -> None:
    tokens = await room.tokens(await room.consented())
    assert "canary" not in repr(tokens) + str(room.keeper.app(room.app_id))


async def test_E1_a_consent_heals_tokens_that_were_tampered_with(room: Room) -> None:
    grant_id = await room.consented(consent(access="first"), seq=1)
    await room.run("UPDATE token_sets SET sealed = 'v1.tests.AAAA'")
    await room.consented(consent(access="second"), seq=2)
    assert (await room.tokens(grant_id)).access == Secret("second")
