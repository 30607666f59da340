"""Signs people in and out, and knows whose browser it is: sessions are rows, so that they can be listed and ended at once."""

import hashlib
import hmac
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, RowMapping
from sqlalchemy.exc import IntegrityError

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.events import service as events
from hitchpost.ids import digest, new_id, new_token
from hitchpost.people import repository
from hitchpost.people.budgets import Budgets
from hitchpost.people.names import checked_email, checked_name, email_key
from hitchpost.people.passwords import Passwords
from hitchpost.secret import Secret

OPERATOR = "-"
"""The actor of what is done on the server's console."""

_RENEWED_EVERY = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with an account. `active`: may sign in and act."""

    id: str
    email: str
    name: str
    active: bool = True


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. `id` stays while the same person stays. `form_token` goes into every form that changes something.

    `expires_at`: when it ends unless another page is asked for; never later than its longest life.
    """

    id: str
    person: Person
    form_token: str = field(repr=False)
    signed_in_at: datetime
    expires_at: datetime


class People:
    """The room's service. `on_session_ended` is called, in the same transaction, with the ids of sessions that end."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        *,
        idle: timedelta,
        absolute: timedelta,
        on_session_ended: Callable[[Tx, tuple[str, ...]], None],
        passwords: Passwords | None = None,
    ) -> None:
        self._database, self._clock = database, clock
        self._idle, self.longest_life = idle, absolute
        self._on_session_ended = on_session_ended
        self._passwords, self._budgets = passwords or Passwords(), Budgets(clock)

    # Signing in and out.

    async def sign_in(self, email: str, password: Secret, *, address: str, cookie: str | None) -> tuple[Secret, Session]:
        """The new cookie's value and the session. `cookie`: what the browser holds; it is dead afterwards (threat A21).

        Raises Problem sign_in_refused, the same whether the name or the password is wrong or the person deactivated, or sign_in_slowed.
        """
        key = email_key(email)
        one = self._budgets.take(key, address)
        person = await self._database.read(lambda tx: repository.person_by_key(tx, key))
        matched = await self._passwords.match(password, person["password_hash"] if person else None)
        if person is None or not matched or person["deactivated_at"] is not None:
            raise Problem("sign_in_refused")
        self._budgets.forgive(one)
        person_id, proven = str(person["id"]), str(person["password_hash"])
        rehashed = await self._passwords.renewed(password, proven)
        return await self._database.begin(lambda tx: self._enter(tx, person_id, proven, rehashed, cookie))

    def _enter(self, tx: Tx, person_id: str, proven: str, rehashed: str | None, cookie: str | None) -> tuple[Secret, Session]:
        # Held until the commit: a password changed meanwhile either refuses this here, or ends the session that is made here.
        person = repository.held(tx, person_id)
        if person is None or person["deactivated_at"] is not None or person["password_hash"] != proven:
            raise Problem("sign_in_refused")
        if rehashed:
            repository.change_person(tx, person_id, {"password_hash": rehashed})
        token, now = Secret(new_token()), self._clock.now()
        # The form token is new too: who knew the old session knows nothing of this one.
        values: dict[str, object] = {
            "token_hash": digest(token.reveal()), "csrf_secret": new_token(), "signed_in_at": now,
            "idle_until": now + min(self._idle, self.longest_life), "absolute_until": now + self.longest_life,
        }  # fmt: skip
        session_id = self._same_person_still(tx, person_id, cookie, values, now)
        if session_id is None:
            session_id = new_id()
            repository.add_session(tx, {"id": session_id, "person_id": person_id, "ended_at": None, **values})
        events.record(tx, workspace_id=events.INSTALLATION, type="session.started", subject=session_id, actor=person_id, facts={}, now=now)
        row = repository.session_by_token(tx, str(values["token_hash"]))
        assert row is not None
        return token, _session_of(row)

    def _same_person_still(self, tx: Tx, person_id: str, cookie: str | None, values: dict[str, object], now: datetime) -> str | None:
        """The id of the browser's session if it goes on under `values`; another person's, or one past its limits, ends."""
        old = repository.session_by_token(tx, digest(cookie)) if cookie else None
        if old is None:
            return None
        session_id = str(old["id"])
        if old["person_id"] == person_id and _lives(old, now):
            return session_id if repository.change_session(tx, session_id, old["token_hash"], values) else None
        self._end(tx, repository.with_id(session_id), actor=person_id, cause="replaced")
        return None

    async def sign_out(self, session: Session) -> None:
        """End this session; its cookie is dead everywhere at once."""
        await self._database.begin(lambda tx: self._end(tx, repository.with_id(session.id), actor=session.person.id, cause="signed_out"))

    # Whose browser it is.

    async def session_of(self, cookie: str | None) -> Session | None:
        """The session that the browser's cookie names; None for a guest, and for one that ended, ran out, or is a deactivated person's.

        Read from its row each time, so that an end holds on every process at once. It renews the idle limit, in a write at most once in
        5 minutes: the one change that showing a page may make.
        """
        if cookie is None:
            return None
        token_hash, now = digest(cookie), self._clock.now()
        row = await self._database.read(lambda tx: repository.session_by_token(tx, token_hash))
        if row is None or not _lives(row, now):
            return None
        session = _session_of(row)
        until = min(now + self._idle, row["absolute_until"])
        if until - session.expires_at >= _RENEWED_EVERY:
            await self._database.begin(lambda tx: repository.change_session(tx, session.id, token_hash, {"idle_until": until}))
        return session

    async def sessions_of(self, person_id: str) -> tuple[Session, ...]:
        """Where the person is signed in, newest first."""
        rows = await self._database.read(lambda tx: repository.sessions_of(tx, person_id, self._clock.now()))
        return tuple(_session_of(row) for row in rows)

    def end_all(self, tx: Tx, person_id: str, *, actor: str = OPERATOR, cause: str = "ended") -> None:
        """Step: end every session of the person."""
        self._end(tx, repository.of_person(person_id), actor=actor, cause=cause)

    def _end(self, tx: Tx, which: ColumnElement[bool], *, actor: str, cause: str) -> None:
        now = self._clock.now()
        ended = repository.end_sessions(tx, which, now)
        for session_id in ended:
            facts: dict[str, events.Fact] = {"cause": cause}
            events.record(tx, workspace_id=events.INSTALLATION, type="session.ended", subject=session_id, actor=actor, facts=facts, now=now)
        if ended:
            self._on_session_ended(tx, ended)

    # Who people are.

    async def hash_password(self, password: Secret) -> str:
        """The hash for `create_person` and `set_password`. Raises Problem form_incomplete for a weak password."""
        return await self._passwords.hash(password)

    def create_person(self, tx: Tx, *, email: str, name: str, password_hash: str, now: datetime, actor: str = OPERATOR) -> Person:
        """Step: add somebody. Raises Problem form_incomplete for what is no address or no name, and for an address that has an account."""
        person = Person(new_id(), checked_email(email), checked_name(name))
        row = {"id": person.id, "email": person.email, "email_key": email_key(email), "name": person.name}
        try:
            repository.add_person(tx, {**row, "password_hash": password_hash, "created_at": now, "deactivated_at": None})
        except IntegrityError:
            raise Problem("form_incomplete", detail="There is an account with this e-mail address already.") from None
        self._note(tx, "person.added", person.id, actor, now)
        return person

    def set_password(self, tx: Tx, person_id: str, password_hash: str, *, actor: str = OPERATOR) -> None:
        """Step: give the person another password and end all their sessions (threat F3). Raises Problem not_found."""
        if not repository.change_person(tx, person_id, {"password_hash": password_hash}):
            raise Problem("not_found")
        self._note(tx, "person.password_set", person_id, actor, self._clock.now())
        self.end_all(tx, person_id, actor=actor, cause="password_set")

    def deactivate(self, tx: Tx, person_id: str, *, actor: str = OPERATOR) -> None:
        """Step: the person may no longer sign in, and is signed out everywhere (threat C12). Raises Problem not_found."""
        row = repository.held(tx, person_id)
        if row is None:
            raise Problem("not_found")
        if row["deactivated_at"] is None:
            repository.change_person(tx, person_id, {"deactivated_at": self._clock.now()})
            self._note(tx, "person.deactivated", person_id, actor, self._clock.now())
        self.end_all(tx, person_id, actor=actor, cause="deactivated")

    def activate(self, tx: Tx, person_id: str, *, actor: str = OPERATOR) -> None:
        """Step: a deactivated person may sign in and act again; sessions that ended stay ended. Raises Problem not_found."""
        row = repository.held(tx, person_id)
        if row is None:
            raise Problem("not_found")
        if row["deactivated_at"] is not None:
            repository.change_person(tx, person_id, {"deactivated_at": None})
            self._note(tx, "person.activated", person_id, actor, self._clock.now())

    def person(self, tx: Tx, person_id: str) -> Person | None:
        """Step: the active person with this id; None for a deactivated one, who acts no more."""
        row = repository.person(tx, person_id)
        return _person_of(row) if row and row["deactivated_at"] is None else None

    def anybody(self, tx: Tx, person_id: str) -> Person | None:
        """Step: who has this id, deactivated or not."""
        row = repository.person(tx, person_id)
        return _person_of(row) if row else None

    def person_by_email(self, tx: Tx, email: str) -> Person | None:
        """Step: who signs in with this address, deactivated or not."""
        row = repository.person_by_key(tx, email_key(email))
        return _person_of(row) if row else None

    def names(self, tx: Tx, ids: Collection[str]) -> dict[str, str]:
        """Step: people's names by id, also of those who left; unknown ids are absent."""
        return repository.names(tx, ids)

    def everyone(self, tx: Tx) -> tuple[Person, ...]:
        """Step: all accounts, oldest first, deactivated ones included."""
        return tuple(_person_of(row) for row in repository.everyone(tx))

    def count(self, tx: Tx) -> int:
        """Step: how many accounts there are, deactivated ones included."""
        return repository.count(tx)

    def _note(self, tx: Tx, type_: str, person_id: str, actor: str, now: datetime) -> None:
        events.record(tx, workspace_id=events.INSTALLATION, type=type_, subject=person_id, actor=actor, facts={}, now=now)


def _lives(row: RowMapping, now: datetime) -> bool:
    return row["ended_at"] is None and row["deactivated_at"] is None and now < row["idle_until"] and now < row["absolute_until"]


def _person_of(row: RowMapping) -> Person:
    return Person(row["id"], row["email"], row["name"], row["deactivated_at"] is None)


def _session_of(row: RowMapping) -> Session:
    form_token = hmac.new(row["csrf_secret"].encode(), b"form", hashlib.sha256).hexdigest()
    person = Person(row["person_id"], row["email"], row["name"], row["deactivated_at"] is None)
    return Session(row["id"], person, form_token, row["signed_in_at"], row["idle_until"])
