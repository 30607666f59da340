"""What stands behind a profile, and how the profile therefore stands."""

from datetime import timedelta

from tests.tokens.beacon.network import consent, page
from tests.tokens.beacon.room import Room, until


async def test_a_profile_that_nothing_stands_behind_needs_a_reconnect(room: Room) -> None:
    assert (await room.standing("cnobody")).state == "reconnect_required"


async def test_one_grant_stands_behind_profiles_of_many_workspaces(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("clantern-page", grant_id)
    await room.backed("cquill-page", grant_id)
    assert len(await room.rows("SELECT id FROM reaches")) == 1
    assert (await room.standing("clantern-page")).state == (await room.standing("cquill-page")).state == "healthy"


async def test_the_same_grant_again_renews_its_backing_in_place(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("cprofile", grant_id, by="ada")
    before = await room.rows("SELECT sealed_token FROM reaches")
    room.clock.forward(timedelta(hours=1))
    await room.backed("cprofile", grant_id, page(token="canary-page-2"), by="ben")
    [row] = await room.rows("SELECT * FROM backings")
    assert (row["rank"], row["state"], row["confirmed_by"]) == (1, "live", "ben")
    assert await room.rows("SELECT sealed_token FROM reaches") != before


async def test_a_page_that_acts_with_the_grants_token_keeps_none_of_its_own(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("cprofile", grant_id)
    await room.backed("cprofile", grant_id, page(token=None))
    assert await room.rows("SELECT sealed_token FROM reaches") == [{"sealed_token": ""}]


async def test_a_second_admin_stands_behind_the_first_and_takes_over(room: Room) -> None:
    ada, ben = await room.consented(consent("ada")), await room.consented(consent("ben"))
    await room.backed("cprofile", ada)
    await room.backed("cprofile", ben, by="ben")
    assert [row["rank"] for row in await room.rows("SELECT rank FROM backings ORDER BY rank")] == [1, 2]
    await room.run(f"UPDATE grants SET state = 'reconnect', code = 'password_changed' WHERE id = '{ada}'")
    assert (await room.standing("cprofile")).state == "healthy"
    await room.run("UPDATE grants SET state = 'reconnect', code = 'user_revoked'")
    assert (await room.standing("cprofile")).state == "reconnect_required"


async def test_an_access_that_cannot_renew_itself_is_expiring_in_its_last_fortnight(room: Room) -> None:
    ends = room.clock.now() + timedelta(days=60)
    await room.backed("cprofile", await room.consented(until(consent(refresh=None), ends)))
    assert (await room.standing("cprofile")).state == "healthy"
    room.clock.forward(timedelta(days=46))
    expiring = await room.standing("cprofile")
    assert (expiring.state, expiring.until) == ("expiring", ends)
    room.clock.forward(timedelta(days=14))
    over = await room.standing("cprofile")
    assert (over.state, over.code) == ("reconnect_required", "access_expired")


async def test_an_access_that_renews_itself_is_expiring_only_when_its_renewal_is(room: Room) -> None:
    now = room.clock.now()
    await room.backed("cprofile", await room.consented(until(consent(), now + timedelta(hours=2), now + timedelta(days=365))))
    room.clock.forward(timedelta(days=1))
    assert (await room.standing("cprofile")).state == "healthy"
    room.clock.forward(timedelta(days=355))
    assert (await room.standing("cprofile")).state == "expiring"


async def test_a_detached_profile_has_nothing_behind_it_and_others_keep_theirs(room: Room) -> None:
    grant_id = await room.consented()
    await room.backed("clantern-page", grant_id)
    await room.backed("cquill-page", grant_id)
    await room.database.begin(lambda tx: room.keeper.detach(tx, ["clantern-page"]))
    assert (await room.standing("clantern-page")).state == "reconnect_required"
    assert (await room.standing("cquill-page")).state == "healthy"
