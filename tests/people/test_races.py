"""What holds also when things happen at the same moment, on both databases."""

import asyncio

from hitchpost.db.engine import Database
from hitchpost.secret import Secret
from tests.people.accounts import RIGHT, CountingHasher, settled
from tests.support.clock import ManualClock


async def test_A21_one_cookie_is_carried_on_by_one_sign_in_only(any_database: Database, clock: ManualClock, hasher: CountingHasher) -> None:
    accounts = await settled(any_database, clock, hasher)
    cookie = await accounts.sign_in()
    first = await accounts.people.session_of(cookie)
    assert first is not None
    cookies = await asyncio.gather(*(accounts.sign_in(address=f"192.0.2.{count}", cookie=cookie) for count in range(6)))
    sessions = [await accounts.people.session_of(one) for one in cookies]
    assert [one.id for one in sessions if one].count(first.id) == 1
    assert len({one.id for one in sessions if one}) == 6
    assert await accounts.people.session_of(cookie) is None


async def test_F3_no_session_of_the_old_password_outlives_its_change(
    any_database: Database, clock: ManualClock, hasher: CountingHasher
) -> None:
    accounts = await settled(any_database, clock, hasher)
    hashed = await accounts.people.hash_password(Secret("another-canary-battery"))
    tries = [accounts.sign_in(password=RIGHT, address=f"192.0.2.{count}") for count in range(12)]
    change = any_database.begin(lambda tx: accounts.people.set_password(tx, accounts.ada.id, hashed))
    await asyncio.gather(*tries[:6], change, *tries[6:], return_exceptions=True)
    assert await accounts.people.sessions_of(accounts.ada.id) == ()


async def test_C12_no_sign_in_slips_past_a_deactivation(any_database: Database, clock: ManualClock, hasher: CountingHasher) -> None:
    accounts = await settled(any_database, clock, hasher)
    tries = [accounts.sign_in(address=f"192.0.2.{count}") for count in range(12)]
    leave = any_database.begin(lambda tx: accounts.people.deactivate(tx, accounts.ada.id))
    cookies = await asyncio.gather(*tries[:6], leave, *tries[6:], return_exceptions=True)
    assert not any([await accounts.people.session_of(one) for one in cookies if isinstance(one, str)])
    assert await accounts.people.sessions_of(accounts.ada.id) == ()
