"""Guessing is slowed, tells nothing, and keeps nobody out of their own account."""

import asyncio
from datetime import timedelta

import pytest

from hitchpost.errors import Problem
from hitchpost.people.budgets import Budgets
from tests.people.accounts import CAFE, HOME, RIGHT, WRONG, Accounts, CountingHasher
from tests.support.clock import ManualClock


async def guess(accounts: Accounts, email: str = "ada@example.com", *, address: str, password: str = WRONG) -> Problem:
    with pytest.raises(Problem) as refused:
        await accounts.sign_in(email, password, address=address)
    return refused.value


async def test_F1_200_wrong_tries_from_one_address_are_slowed_and_ada_still_signs_in_elsewhere(
    accounts: Accounts, hasher: CountingHasher
) -> None:
    codes = [(await guess(accounts, address=CAFE)).code for _ in range(200)]
    assert codes[:5] == ["sign_in_refused"] * 5
    assert set(codes[5:]) == {"sign_in_slowed"}
    assert hasher.verified == 5
    assert await accounts.sign_in(address=HOME)


async def test_F1_tries_at_the_same_time_do_not_share_one_permit(accounts: Accounts, hasher: CountingHasher) -> None:
    await asyncio.gather(*(guess(accounts, address=CAFE) for _ in range(200)))
    assert hasher.verified == 5


async def test_F1_guessing_one_password_for_many_names_is_slowed_too(accounts: Accounts, hasher: CountingHasher) -> None:
    codes = [(await guess(accounts, f"person{count}@example.com", address=CAFE)).code for count in range(200)]
    assert codes.count("sign_in_refused") == hasher.verified == 30


async def test_F1_an_own_account_buys_no_guesses_at_others(accounts: Accounts, hasher: CountingHasher) -> None:
    for count in range(29):
        await guess(accounts, f"person{count}@example.com", address=CAFE)
    await accounts.sign_in("cleo@example.com", address=CAFE)
    assert (await guess(accounts, "person30@example.com", address=CAFE)).code == "sign_in_refused"
    assert (await guess(accounts, "person31@example.com", address=CAFE)).code == "sign_in_slowed"


async def test_F1_guesses_from_everywhere_slow_strangers_for_two_minutes_and_ada_at_home_not_at_all(
    accounts: Accounts, clock: ManualClock
) -> None:
    await accounts.sign_in(address=HOME)
    for count in range(200):
        await guess(accounts, address=f"203.0.113.{count}")
    assert await accounts.sign_in(address=HOME)
    slowed = await guess(accounts, address=CAFE, password=RIGHT)
    assert slowed.code == "sign_in_slowed"
    assert 1 <= int(slowed.facts["minutes"]) <= 2
    clock.forward(timedelta(minutes=2))
    assert await accounts.sign_in(address=CAFE)


async def test_F1_waits_grow_but_end_within_five_minutes_and_asking_makes_them_no_longer(accounts: Accounts, clock: ManualClock) -> None:
    waits = []
    for _ in range(12):
        while (problem := await guess(accounts, address=CAFE)).code == "sign_in_refused":
            pass
        waits.append(int(problem.facts["minutes"]))
        clock.forward(timedelta(minutes=waits[-1]))
    assert waits == sorted(waits)
    assert waits[0] == 1
    assert waits[-1] == 5
    assert await accounts.sign_in(address=CAFE)


async def test_F1_wrong_tries_are_forgotten_after_an_hour(accounts: Accounts, clock: ManualClock) -> None:
    for _ in range(5):
        await guess(accounts, address=CAFE)
    clock.forward(timedelta(hours=1))
    assert [(await guess(accounts, address=CAFE)).code for _ in range(5)] == ["sign_in_refused"] * 5


async def test_F1_a_whole_ipv6_neighbourhood_is_one_guesser(accounts: Accounts, hasher: CountingHasher) -> None:
    for count in range(50):
        await guess(accounts, address=f"2001:db8:1:2::{count:x}")
    assert hasher.verified == 5
    assert (await guess(accounts, address="2001:db8:1:3::1")).code == "sign_in_refused"


def test_F1_the_memory_of_guesses_is_bounded(clock: ManualClock) -> None:
    budgets = Budgets(clock, remembered=3)
    for _ in range(5):
        budgets.take("ada", CAFE)
    with pytest.raises(Problem):
        budgets.take("ada", CAFE)
    for count in range(3):
        budgets.take(f"other{count}", f"203.0.113.{count}")
    budgets.take("ada", CAFE)


async def test_F2_an_unknown_name_costs_the_same_hash_and_gets_the_same_answer(accounts: Accounts, hasher: CountingHasher) -> None:
    known = await guess(accounts, "ada@example.com", address=HOME)
    assert hasher.verified == 1
    unknown = await guess(accounts, "nobody@example.com", address=CAFE)
    assert hasher.verified == 2
    assert (unknown.code, unknown.message, unknown.status, unknown.facts) == (known.code, known.message, known.status, known.facts)


async def test_F2_slowing_does_not_tell_known_names_from_unknown_ones(accounts: Accounts) -> None:
    for email, address in (("ada@example.com", HOME), ("nobody@example.com", CAFE)):
        codes = [(await guess(accounts, email, address=address)).code for _ in range(7)]
        assert codes == ["sign_in_refused"] * 5 + ["sign_in_slowed"] * 2


async def test_F2_a_deactivated_person_is_refused_like_a_stranger(accounts: Accounts, hasher: CountingHasher) -> None:
    await accounts.database.begin(lambda tx: accounts.people.deactivate(tx, accounts.ada.id))
    assert (await guess(accounts, address=HOME, password=RIGHT)).code == "sign_in_refused"
    assert hasher.verified == 1
