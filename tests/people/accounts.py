"""Ada's and Cleo's accounts; hashings are counted by the hasher that is passed in; forms are read as a browser reads them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from html.parser import HTMLParser
from typing import Literal

import httpx2
from argon2 import PasswordHasher

from hitchpost.db.engine import Database, Tx
from hitchpost.people.passwords import Passwords
from hitchpost.people.service import People, Person
from hitchpost.secret import Secret
from tests.support.clock import ManualClock

RIGHT, WRONG = "lantern-canary-battery", "lantern-canary-battlement"
IDLE, ABSOLUTE = timedelta(hours=24), timedelta(days=7)
HOME, CAFE = "192.0.2.10", "198.51.100.20"


class CountingHasher(PasswordHasher):
    """argon2 with the least work it takes, which counts what it was asked to verify."""

    def __init__(self) -> None:
        super().__init__(time_cost=1, memory_cost=8, parallelism=1)
        self.verified = 0

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:  # noqa: A002  (argon2 names it so)
        self.verified += 1
        return super().verify(hash, password)


@dataclass(slots=True)
class Accounts:
    """The room's service and who lives in it. `ended`: what `on_session_ended` was told, in order."""

    database: Database
    people: People
    ada: Person
    cleo: Person
    ended: list[str] = field(default_factory=list)

    async def sign_in(
        self, email: str = "ada@example.com", password: str = RIGHT, *, address: str = HOME, cookie: str | None = None
    ) -> str:
        """The cookie that the browser then holds."""
        token, _ = await self.people.sign_in(email, Secret(password), address=address, cookie=cookie)
        return token.reveal()


async def settled(database: Database, clock: ManualClock, hasher: CountingHasher) -> Accounts:
    """The accounts, made; RIGHT is the password of both."""
    ended: list[str] = []

    def told(_tx: Tx, ids: tuple[str, ...]) -> None:
        ended.extend(ids)

    people = People(database, clock, idle=IDLE, absolute=ABSOLUTE, on_session_ended=told, passwords=Passwords(hasher))
    hashed = await people.hash_password(Secret(RIGHT))

    async def add(email: str, name: str) -> Person:
        return await database.begin(lambda tx: people.create_person(tx, email=email, name=name, password_hash=hashed, now=clock.now()))

    return Accounts(database, people, await add("ada@example.com", "Ada"), await add("cleo@example.com", "Cleo"), ended)


class _Inputs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.action, self.forms = "", dict[str, dict[str, str]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = given.get("action", "")
            self.forms[self.action] = {}
        elif tag == "input" and self.action:
            self.forms[self.action][given["name"]] = given.get("value", "")


def form_on(answer: httpx2.Response, action: str) -> dict[str, str]:
    """The fields of the page's form to `action`, as a browser would send them untouched."""
    reader = _Inputs()
    reader.feed(answer.text)
    return reader.forms[action]


NewBrowser = Callable[..., httpx2.AsyncClient]
