"""An account has one address, compared as people read it, and a name that can be shown."""

import pytest

from hitchpost.errors import Problem
from hitchpost.people.names import email_key
from hitchpost.people.service import Person
from tests.people.accounts import Accounts
from tests.support.clock import ManualClock


async def add(accounts: Accounts, clock: ManualClock, email: str, name: str = "Ben") -> Person:
    return await accounts.database.begin(
        lambda tx: accounts.people.create_person(tx, email=email, name=name, password_hash="hash", now=clock.now())
    )


@pytest.mark.parametrize(
    "email", ["", "ben", "ben@", "@example.com", "b en@example.com", "ben@@example.com", "ben\n@example.com", "b" * 250 + "@x.io"]
)
async def test_what_is_no_address_is_refused_with_a_sentence(accounts: Accounts, clock: ManualClock, email: str) -> None:
    with pytest.raises(Problem) as refused:
        await add(accounts, clock, email)
    assert refused.value.code == "form_incomplete"
    assert "e-mail" in refused.value.message


@pytest.mark.parametrize("name", ["", "  ", "B\x00n", "x" * 121])
async def test_what_is_no_name_is_refused(accounts: Accounts, clock: ManualClock, name: str) -> None:
    with pytest.raises(Problem, match="form_incomplete"):
        await add(accounts, clock, "ben@example.com", name)


@pytest.mark.parametrize("same", ["ada@example.com", "ADA@EXAMPLE.COM", " ada@example.com ", "ａｄａ@example.com"])
async def test_one_address_is_one_account_however_it_is_spelt(accounts: Accounts, clock: ManualClock, same: str) -> None:
    with pytest.raises(Problem, match="already"):
        await add(accounts, clock, same)
    assert await accounts.database.read(accounts.people.count) == 2
    assert await accounts.database.read(lambda tx: accounts.people.person_by_email(tx, same)) == accounts.ada


def test_folding_is_final() -> None:
    for text in ("STRASSE@x.io", "straße@x.io", "İstanbul@x.io", "ǰ@x.io", "\u1e9e\u0345@x.io"):
        assert email_key(email_key(text)) == email_key(text)


async def test_an_address_stays_taken_after_its_person_left_and_their_name_is_still_known(accounts: Accounts, clock: ManualClock) -> None:
    await accounts.database.begin(lambda tx: accounts.people.deactivate(tx, accounts.ada.id))
    with pytest.raises(Problem, match="already"):
        await add(accounts, clock, "ada@example.com")
    assert await accounts.database.read(lambda tx: accounts.people.names(tx, [accounts.ada.id, "nobody"])) == {accounts.ada.id: "Ada"}
    everyone = await accounts.database.read(accounts.people.everyone)
    assert sorted((one.name, one.active) for one in everyone) == [("Ada", False), ("Cleo", True)]
    assert await accounts.database.read(accounts.people.count) == 2
