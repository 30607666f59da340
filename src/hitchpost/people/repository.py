"""Reads and writes of people and browser sessions."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, func, insert, select, update

from hitchpost.db.engine import Tx
from hitchpost.people.models import browser_sessions, people


def add_person(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(people).values(row))


def person(tx: Tx, person_id: str) -> RowMapping | None:
    return tx.execute(select(people).where(people.c.id == person_id)).mappings().one_or_none()


def person_by_key(tx: Tx, email_key: str) -> RowMapping | None:
    return tx.execute(select(people).where(people.c.email_key == email_key)).mappings().one_or_none()


def held(tx: Tx, person_id: str) -> RowMapping | None:
    """The person's row, which nobody else changes until this transaction ends."""
    return tx.execute(select(people).where(people.c.id == person_id).with_for_update()).mappings().one_or_none()


def everyone(tx: Tx) -> Sequence[RowMapping]:
    return tx.execute(select(people).order_by(people.c.created_at, people.c.id)).mappings().all()


def names(tx: Tx, ids: Collection[str]) -> dict[str, str]:
    return {row.id: row.name for row in tx.execute(select(people.c.id, people.c.name).where(people.c.id.in_(ids)))}


def count(tx: Tx) -> int:
    return int(tx.execute(select(func.count()).select_from(people)).scalar_one())


def change_person(tx: Tx, person_id: str, values: dict[str, object]) -> bool:
    """Whether there was such a person."""
    return tx.execute(update(people).where(people.c.id == person_id).values(values)).rowcount == 1


def add_session(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(browser_sessions).values(row))


_with_person = select(browser_sessions, people.c.email, people.c.name, people.c.deactivated_at).join(
    people, people.c.id == browser_sessions.c.person_id
)


def session_by_token(tx: Tx, token_hash: str) -> RowMapping | None:
    """The session that this cookie names, over or not, with its person's `email`, `name` and `deactivated_at`."""
    return tx.execute(_with_person.where(browser_sessions.c.token_hash == token_hash)).mappings().one_or_none()


def sessions_of(tx: Tx, person_id: str, now: datetime) -> Sequence[RowMapping]:
    """The person's sessions that are neither ended nor past their limits, newest first; columns as above."""
    query = _with_person.where(
        browser_sessions.c.person_id == person_id, browser_sessions.c.ended_at.is_(None), browser_sessions.c.idle_until > now
    )
    return tx.execute(query.order_by(browser_sessions.c.signed_in_at.desc(), browser_sessions.c.id)).mappings().all()


def change_session(tx: Tx, session_id: str, token_hash: str, values: dict[str, object]) -> bool:
    """Whether the session still had this token and had not ended; only then it is changed."""
    mine = (browser_sessions.c.id == session_id, browser_sessions.c.token_hash == token_hash, browser_sessions.c.ended_at.is_(None))
    return tx.execute(update(browser_sessions).where(*mine).values(values)).rowcount == 1


def end_sessions(tx: Tx, which: ColumnElement[bool], now: datetime) -> tuple[str, ...]:
    """End those that have not ended; their ids."""
    ended = update(browser_sessions).where(which, browser_sessions.c.ended_at.is_(None)).values(ended_at=now)
    return tuple(tx.execute(ended.returning(browser_sessions.c.id)).scalars())


def with_id(session_id: str) -> ColumnElement[bool]:
    return browser_sessions.c.id == session_id


def of_person(person_id: str) -> ColumnElement[bool]:
    return browser_sessions.c.person_id == person_id
