"""The people of the stories: Ada owns *Lantern*, Ben is a client in it, Cleo's *Harbour* must never see any of it."""

from dataclasses import dataclass
from datetime import timedelta

import pytest
from argon2 import PasswordHasher

from hitchpost.db.engine import SqliteDatabase
from hitchpost.people.passwords import Passwords
from hitchpost.people.service import People
from hitchpost.secret import Secret
from hitchpost.workspaces.roles import Role
from hitchpost.workspaces.service import Workspaces
from tests.support.clock import ManualClock

QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass
class World:
    """A small installation. `changed`: what higher rooms were told about members."""

    database: SqliteDatabase
    clock: ManualClock
    people: People
    workspaces: Workspaces
    changed: list[tuple[str, str]]
    ada: str
    ben: str
    cleo: str
    lantern: str
    harbour: str

    async def person(self, name: str) -> str:
        """Somebody new, by first name."""
        return await _person(self.database, self.people, self.clock, name)

    async def member(self, role: Role, workspace_id: str | None = None) -> str:
        """Somebody new with this role."""
        person_id = await self.person(f"{role.value}-{self.clock.now().timestamp()}")
        self.clock.forward(timedelta(seconds=1))
        await self.workspaces.add_member(workspace_id or self.lantern, person_id, role)
        return person_id

    async def key(self, person_id: str) -> Secret:
        """A fresh key of theirs."""
        return (await self.database.begin(lambda tx: self.workspaces.issue_key(tx, person_id, "test")))[1]

    def another_process(self) -> Workspaces:
        """The same database seen by a second server."""
        return Workspaces(self.database, self.clock, self.people)


async def _person(database: SqliteDatabase, people: People, clock: ManualClock, name: str) -> str:
    email = f"{name.lower()}@example.com"
    made = await database.begin(lambda tx: people.create_person(tx, email=email, name=name, password_hash="-", now=clock.now()))
    return made.id


@pytest.fixture
def people(database: SqliteDatabase, clock: ManualClock) -> People:
    return People(
        database,
        clock,
        idle=timedelta(hours=24),
        absolute=timedelta(days=7),
        on_session_ended=lambda tx, ids: None,
        passwords=Passwords(QUICK),
    )


@pytest.fixture
async def world(database: SqliteDatabase, clock: ManualClock, people: People) -> World:
    changed: list[tuple[str, str]] = []
    workspaces = Workspaces(
        database, clock, people, on_member_changed=lambda tx, workspace_id, person_id: changed.append((workspace_id, person_id))
    )
    ada, ben, cleo = [await _person(database, people, clock, name) for name in ("Ada", "Ben", "Cleo")]
    lantern = await database.begin(lambda tx: workspaces.create(tx, name="Lantern", owner_id=ada))
    harbour = await database.begin(lambda tx: workspaces.create(tx, name="Harbour", owner_id=cleo))
    clock.forward(timedelta(seconds=1))
    await workspaces.add_member(lantern, ben, Role.VIEWER)
    return World(database, clock, people, workspaces, changed, ada, ben, cleo, lantern, harbour)
