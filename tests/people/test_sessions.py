"""A browser is Ada's from her sign-in until her sign-out, a limit, or somebody's decision; then at once no longer."""

from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from hitchpost.db.engine import SqliteDatabase
from hitchpost.errors import Problem
from hitchpost.events.service import INSTALLATION, Events, list_of
from hitchpost.people.models import browser_sessions, people
from hitchpost.people.service import OPERATOR, People, Session
from hitchpost.secret import Secret
from tests.people.accounts import ABSOLUTE, IDLE, RIGHT, Accounts
from tests.support.clock import ManualClock

OTHER = "another-canary-battery"


async def present(accounts: Accounts, cookie: str) -> Session:
    session = await accounts.people.session_of(cookie)
    assert session is not None
    return session


async def test_a_session_says_whose_it_is_and_how_long_it_lasts(accounts: Accounts, clock: ManualClock) -> None:
    session = await present(accounts, await accounts.sign_in(" ADA@Example.com "))
    assert session.person == accounts.ada
    assert session.expires_at == clock.now() + IDLE
    assert session.form_token not in repr(session)


@pytest.mark.parametrize("cookie", [None, "", "g." + "a" * 43, "a" * 43])
async def test_a_guest_or_an_invented_cookie_is_nobody(accounts: Accounts, cookie: str | None) -> None:
    assert await accounts.people.session_of(cookie) is None


async def test_B1_neither_cookie_nor_form_token_can_be_read_from_the_database(accounts: Accounts) -> None:
    cookie = await accounts.sign_in()
    session = await present(accounts, cookie)
    row = await accounts.database.read(lambda tx: tx.execute(select(browser_sessions)).mappings().one())
    assert cookie not in str(dict(row))
    assert session.form_token not in str(dict(row))
    assert len(cookie) == 43


async def test_A21_a_planted_cookie_is_dead_after_sign_in(accounts: Accounts) -> None:
    planted = await accounts.sign_in()
    mine = await accounts.sign_in(cookie=planted)
    assert await accounts.people.session_of(planted) is None
    assert (await present(accounts, mine)).person == accounts.ada


async def test_A21_the_same_person_keeps_the_session_under_a_new_cookie_and_form_token(accounts: Accounts) -> None:
    first = await accounts.sign_in()
    before = await present(accounts, first)
    after = await present(accounts, await accounts.sign_in(cookie=first))
    assert after.id == before.id
    assert after.form_token != before.form_token
    assert accounts.ended == []


async def test_A21_another_person_ends_the_browsers_session_and_whatever_hangs_on_it(accounts: Accounts) -> None:
    adas = await accounts.sign_in()
    before = await present(accounts, adas)
    after = await present(accounts, await accounts.sign_in("cleo@example.com", cookie=adas))
    assert after.id != before.id
    assert after.person == accounts.cleo
    assert accounts.ended == [before.id]
    assert await accounts.people.session_of(adas) is None


async def test_A21_the_same_person_does_not_revive_a_session_that_ran_out(accounts: Accounts, clock: ManualClock) -> None:
    first = await accounts.sign_in()
    before = await present(accounts, first)
    clock.forward(IDLE)
    assert (await present(accounts, await accounts.sign_in(cookie=first))).id != before.id
    assert accounts.ended == [before.id]


async def test_F3_a_session_ends_when_nobody_asks_for_a_page(accounts: Accounts, clock: ManualClock) -> None:
    cookie = await accounts.sign_in()
    clock.forward(IDLE - timedelta(seconds=1))
    assert await accounts.people.session_of(cookie)
    clock.forward(IDLE - timedelta(seconds=1))
    assert await accounts.people.session_of(cookie)
    clock.forward(IDLE)
    assert await accounts.people.session_of(cookie) is None


async def test_F3_a_session_ends_after_its_longest_life_however_busy(accounts: Accounts, clock: ManualClock) -> None:
    cookie = await accounts.sign_in()
    for _ in range(7 * 24 - 1):
        clock.forward(timedelta(hours=1))
        assert (await present(accounts, cookie)).expires_at <= clock.now() + IDLE
    clock.forward(timedelta(hours=1))
    assert await accounts.people.session_of(cookie) is None


async def test_F3_the_idle_limit_is_written_at_most_once_in_five_minutes(accounts: Accounts, clock: ManualClock) -> None:
    async def stored() -> object:
        return await accounts.database.read(lambda tx: tx.execute(select(browser_sessions.c.idle_until)).scalar_one())

    cookie, began = await accounts.sign_in(), clock.now()
    clock.forward(timedelta(minutes=4, seconds=59))
    await present(accounts, cookie)
    assert await stored() == began + IDLE
    clock.forward(timedelta(seconds=1))
    await present(accounts, cookie)
    assert await stored() == clock.now() + IDLE


async def test_F3_signing_out_ends_one_session_and_the_list_shows_the_rest(accounts: Accounts, clock: ManualClock) -> None:
    phone = await accounts.sign_in()
    clock.forward(timedelta(minutes=1))
    laptop = await accounts.sign_in()
    await accounts.sign_in("cleo@example.com")
    assert [one.signed_in_at for one in await accounts.people.sessions_of(accounts.ada.id)] == [
        clock.now(),
        clock.now() - timedelta(minutes=1),
    ]
    gone = await present(accounts, phone)
    await accounts.people.sign_out(gone)
    assert await accounts.people.session_of(phone) is None
    assert [one.id for one in await accounts.people.sessions_of(accounts.ada.id)] == [(await present(accounts, laptop)).id]
    assert accounts.ended == [gone.id]
    clock.forward(IDLE)
    assert await accounts.people.sessions_of(accounts.ada.id) == ()


async def test_F3_all_sessions_can_be_ended_and_only_that_persons(accounts: Accounts) -> None:
    adas = [await accounts.sign_in(), await accounts.sign_in()]
    cleos = await accounts.sign_in("cleo@example.com")
    await accounts.database.begin(lambda tx: accounts.people.end_all(tx, accounts.ada.id))
    assert [await accounts.people.session_of(cookie) for cookie in adas] == [None, None]
    assert len(accounts.ended) == 2
    assert await accounts.people.session_of(cleos)


async def test_F3_a_new_password_ends_all_sessions_and_the_old_one_works_no_more(accounts: Accounts) -> None:
    cookie = await accounts.sign_in()
    hashed = await accounts.people.hash_password(Secret(OTHER))
    await accounts.database.begin(lambda tx: accounts.people.set_password(tx, accounts.ada.id, hashed))
    assert await accounts.people.session_of(cookie) is None
    with pytest.raises(Problem, match="sign_in_refused"):
        await accounts.sign_in(password=RIGHT)
    assert await accounts.sign_in(password=OTHER)


async def test_C12_a_deactivated_person_is_out_at_once_on_every_process(accounts: Accounts, clock: ManualClock, tmp_path: Path) -> None:
    elsewhere = SqliteDatabase(f"sqlite:///{tmp_path / 'hitchpost.db'}", checkpoints=False)
    other = People(elsewhere, clock, idle=IDLE, absolute=ABSOLUTE, on_session_ended=lambda tx, ids: None)
    cookie = await accounts.sign_in()
    session = await other.session_of(cookie)
    assert session is not None
    await accounts.database.begin(lambda tx: accounts.people.deactivate(tx, accounts.ada.id))
    assert await other.session_of(cookie) is None
    assert accounts.ended == [session.id]
    assert await accounts.database.read(lambda tx: accounts.people.person(tx, accounts.ada.id)) is None
    with pytest.raises(Problem, match="sign_in_refused"):
        await accounts.sign_in()
    await elsewhere.close()


async def test_C12_even_a_session_that_was_overlooked_is_nobodys_once_the_person_is_deactivated(
    accounts: Accounts, clock: ManualClock
) -> None:
    cookie = await accounts.sign_in()
    await accounts.database.begin(lambda tx: tx.execute(people.update().values(deactivated_at=clock.now())))
    assert await accounts.people.session_of(cookie) is None


async def test_an_undone_change_of_password_ends_nothing(accounts: Accounts) -> None:
    cookie = await accounts.sign_in()
    with pytest.raises(Problem, match="not_found"):
        await accounts.database.begin(lambda tx: accounts.people.set_password(tx, "c" + "0" * 24, "hash"))
    assert await accounts.people.session_of(cookie)


async def test_what_happened_is_on_record_without_passwords_or_cookies(accounts: Accounts) -> None:
    cookie = await accounts.sign_in()
    session = await present(accounts, cookie)
    await accounts.database.begin(lambda tx: accounts.people.deactivate(tx, accounts.ada.id))
    await Events(accounts.database).seal()
    found = await accounts.database.read(lambda tx: list_of(tx, INSTALLATION, 0, 100))
    said = {(one.type, one.subject, one.actor, str(one.facts.get("cause", ""))) for one in found}
    assert said == {
        ("person.added", accounts.ada.id, OPERATOR, ""),
        ("person.added", accounts.cleo.id, OPERATOR, ""),
        ("session.started", session.id, accounts.ada.id, ""),
        ("person.deactivated", accounts.ada.id, OPERATOR, ""),
        ("session.ended", session.id, OPERATOR, "deactivated"),
    }
    assert cookie not in str(found)
