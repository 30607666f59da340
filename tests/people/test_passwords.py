"""Passwords are stored as argon2id hashes of a price that we chose, and weak ones are refused with a sentence."""

import asyncio
import threading
from typing import Literal

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.low_level import Type

from hitchpost.errors import Problem
from hitchpost.people.passwords import HASHER, Passwords, hash_now
from hitchpost.secret import Secret
from tests.people.accounts import RIGHT, WRONG, CountingHasher


def test_a_hash_costs_what_was_decided() -> None:
    stored = hash_now(Secret(RIGHT))
    parameters = extract_parameters(stored)
    assert (parameters.type, parameters.memory_cost, parameters.time_cost, parameters.parallelism) == (Type.ID, 19 * 1024, 2, 1)
    assert HASHER.verify(stored, RIGHT)


@pytest.mark.parametrize("weak", ["", "elevenchars", "password1234", "Passwordpassword", "aaaaaaaaaaaaaaaa", "x" * 1025, "ab" * 10])
def test_a_weak_or_endless_password_is_refused(weak: str) -> None:
    with pytest.raises(Problem) as refused:
        hash_now(Secret(weak))
    assert refused.value.code == "form_incomplete"
    assert "password" in refused.value.message
    assert not weak or weak not in str(refused.value)


@pytest.mark.parametrize("fine", ["zwölf Zeichen", "パスワードは長いほうがよい", "l" * 1020 + "ong!"])
async def test_every_script_and_a_long_sentence_are_fine(fine: str, hasher: CountingHasher) -> None:
    passwords = Passwords(hasher)
    assert await passwords.match(Secret(fine), await passwords.hash(Secret(fine)))


async def test_a_letter_typed_in_two_ways_is_one_password(hasher: CountingHasher) -> None:
    passwords = Passwords(hasher)
    stored = await passwords.hash(Secret("caf\u00e9-au-lait-please"))
    assert await passwords.match(Secret("cafe\u0301-au-lait-please"), stored)
    assert not await passwords.match(Secret(WRONG), stored)


async def test_a_hash_of_another_price_is_made_anew(hasher: CountingHasher) -> None:
    cheap = PasswordHasher(time_cost=1, memory_cost=16, parallelism=1).hash(RIGHT)
    renewed = await Passwords(hasher).renewed(Secret(RIGHT), cheap)
    assert renewed is not None
    assert extract_parameters(renewed).memory_cost == 8
    assert await Passwords(hasher).renewed(Secret(RIGHT), renewed) is None


async def test_at_most_two_passwords_are_hashed_at_once() -> None:
    """The third waits: the pair at work can only meet each other."""
    both, most, running = threading.Barrier(2), 0, 0
    lock = threading.Lock()

    class Meeting(CountingHasher):
        def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  (argon2 names it so)
            nonlocal most, running
            with lock:
                running += 1
                most = max(most, running)
            both.wait(timeout=30)
            with lock:
                running -= 1
            return True

    passwords = Passwords(Meeting())
    assert all(await asyncio.gather(*(passwords.match(Secret(RIGHT), "stored") for _ in range(6))))
    assert most == 2
