"""Workspaces: who is a member where and with which role, and whose API key it is.

What decides is always the present row; only `caller`, for calls that change nothing, may be one second old.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Final

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Step, T, Tx
from hitchpost.errors import Problem
from hitchpost.events import service as events
from hitchpost.ids import api_key_prefix, digest, is_id, new_api_key, new_id
from hitchpost.people.service import OPERATOR, People
from hitchpost.secret import Secret
from hitchpost.workspaces import repository
from hitchpost.workspaces.cache import Cache
from hitchpost.workspaces.roles import Right, Role, right_to_change
from hitchpost.workspaces.seats import ApiKey, Caller, Member, Membership, WorkspaceSummary
from hitchpost.workspaces.setup import SetUp

__all__ = ["ApiKey", "Caller", "Member", "Membership", "WorkspaceSummary", "Workspaces"]

_SHREDDED: Final = "workspace.shredded"
_NOBODY: Final = Caller("", "", "", {})
"""Remembered for keys that do not exist, so that guessing costs a read a second."""
_UNREAD: Final = Caller("", "", "", {})


class Workspaces:
    """The room's service. `on_member_changed(tx, workspace_id, person_id)` joins the transaction that changes or takes away a role.

    `setup`: how a fresh installation gets its first person and workspace.
    """

    def __init__(
        self,
        database: Database,
        clock: Clock,
        people: People,
        *,
        on_member_changed: Callable[[Tx, str, str], None] | None = None,
    ) -> None:
        self._database, self._clock, self._people = database, clock, people
        self._on_member_changed = on_member_changed
        self._callers: Cache[Caller] = Cache(clock)
        self.setup = SetUp(
            database, clock, people, lambda tx, name, owner_id: self.create(tx, name=name, owner_id=owner_id, actor=owner_id)
        )

    async def setup_code(self) -> Secret | None:
        """A fresh code for the console; None when the installation is set up. Called at each start of the server (threat F5)."""
        return await self.setup.new_code()

    # Seats.

    def membership(self, tx: Tx, workspace_id: str, person_id: str) -> Membership | None:
        """Step: the person's seat as it is now; None for an unknown workspace as for a foreign one."""
        # What is not shaped like an id may hold what a database refuses to compare, a NUL for one.
        return self._seats(tx, person_id, workspace_id).get(workspace_id) if is_id(workspace_id) else None

    def require(self, tx: Tx, workspace_id: str, person_id: str, right: Right) -> Membership:
        """Step: the seat, if it carries the right. Raises Problem workspace_not_found or role_insufficient (threats A1, C7)."""
        seat = self.membership(tx, workspace_id, person_id)
        if seat is None:
            raise Problem("workspace_not_found")
        return seat.demand(right)

    async def of_person(self, person_id: str) -> tuple[WorkspaceSummary, ...]:
        """The person's workspaces, by name."""

        def read(tx: Tx) -> tuple[WorkspaceSummary, ...]:
            counts = repository.member_counts(tx, person_id)
            return tuple(
                WorkspaceSummary(one.workspace_id, one.workspace_name, one.role, one.owner_name, counts[one.workspace_id])
                for one in self._seats(tx, person_id).values()
            )

        return await self._database.read(read)

    def _seats(self, tx: Tx, person_id: str, workspace_id: str | None = None) -> dict[str, Membership]:
        rows = repository.seats(tx, person_id, workspace_id)
        if not rows:
            return {}
        managers = repository.managers(tx, person_id, workspace_id)
        names = self._people.names(tx, {row["person_id"] for row in managers})
        known: dict[tuple[str, str], list[str]] = {}
        for row in managers:
            known.setdefault((row["workspace_id"], row["role"]), []).append(names[row["person_id"]])
        return {
            place: Membership(
                place,
                row["workspace_name"],
                person_id,
                Role(row["role"]),
                tuple(known.get((place, Role.OWNER), ())),
                tuple(known.get((place, Role.ADMIN), ())),
            )
            for row in rows
            for place in (row["workspace_id"],)
        }

    # Workspaces and members.

    def create(self, tx: Tx, *, name: str, owner_id: str, actor: str = OPERATOR) -> str:
        """Step: a new workspace with its owner; its id. Raises Problem form_incomplete for what is no name."""
        workspace_id, now = new_id(), self._clock.now()
        repository.add_workspace(tx, {"id": workspace_id, "name": _checked_name(name, "workspace"), "created_at": now})
        repository.add_member(tx, {"workspace_id": workspace_id, "person_id": owner_id, "role": Role.OWNER, "since": now})
        self._note(tx, workspace_id, "workspace.created", workspace_id, actor, owner=owner_id)
        return workspace_id

    async def every_workspace(self) -> tuple[tuple[str, str, datetime | None], ...]:
        """Id, name and when it was last shredded of all workspaces of the installation, oldest first: for whoever runs it."""

        def read(tx: Tx) -> tuple[tuple[str, str, datetime | None], ...]:
            shredded = events.last_of_type(tx, _SHREDDED)
            return tuple((row["id"], row["name"], shredded.get(row["id"])) for row in repository.every_workspace(tx))

        return await self._database.read(read)

    def note_shredded(self, tx: Tx, workspace_id: str) -> None:
        """Step, where its connections end and its data key is destroyed: the workspace itself stays, and is marked."""
        self._note(tx, workspace_id, _SHREDDED, workspace_id, OPERATOR)

    def exists(self, tx: Tx, workspace_id: str) -> bool:
        """Step: whether there is such a workspace."""
        return repository.held(tx, workspace_id)

    async def members_of(self, workspace_id: str) -> tuple[Member, ...]:
        """Who is in the workspace, longest members first; nobody in an unknown one."""

        def read(tx: Tx) -> tuple[Member, ...]:
            rows = repository.members_of(tx, workspace_id)
            names = self._people.names(tx, {row["person_id"] for row in rows})
            return tuple(Member(row["person_id"], names[row["person_id"]], Role(row["role"]), row["since"]) for row in rows)

        return await self._database.read(read)

    async def add_member(self, workspace_id: str, person_id: str, role: Role) -> None:
        """Add somebody, by whoever runs the installation. Raises Problem workspace_not_found, or form_incomplete for who is a member."""

        def add(tx: Tx) -> None:
            if self._held(tx, workspace_id).get(person_id):
                raise Problem("form_incomplete", detail="They are a member already; give them another role instead.")
            row = {"workspace_id": workspace_id, "person_id": person_id, "role": role, "since": self._clock.now()}
            repository.add_member(tx, row)
            self._note(tx, workspace_id, "member.added", person_id, OPERATOR, role=role)

        await self._change(add)

    async def set_role(self, workspace_id: str, person_id: str, role: Role, *, actor: str = OPERATOR) -> None:
        """Give a member another role. `actor`: the person who does it, whose right is checked, or whoever runs the installation.

        Raises Problem workspace_not_found, role_insufficient, member_not_found, form_incomplete for the last owner.
        """

        def change(tx: Tx) -> None:
            was = self._member_to_change(tx, workspace_id, person_id, actor, role)
            if was is role:
                return
            repository.set_role(tx, workspace_id, person_id, role)
            self._note(tx, workspace_id, "member.role_changed", person_id, actor, was=was, role=role)
            self._tell(tx, workspace_id, person_id)

        await self._change(change)

    async def remove_member(self, workspace_id: str, person_id: str, *, actor: str = OPERATOR) -> None:
        """Take somebody out: neither their session nor their keys reach this workspace any more (threat C12). Raises as `set_role`."""

        def remove(tx: Tx) -> None:
            was = self._member_to_change(tx, workspace_id, person_id, actor, None)
            repository.remove_member(tx, workspace_id, person_id)
            self._note(tx, workspace_id, "member.removed", person_id, actor, was=was)
            self._tell(tx, workspace_id, person_id)

        await self._change(remove)

    def _held(self, tx: Tx, workspace_id: str) -> dict[str, Role]:
        """The members' roles, which nobody else changes until the transaction ends: two owners must not demote each other at once."""
        if not is_id(workspace_id) or not repository.held(tx, workspace_id):
            raise Problem("workspace_not_found")
        return {row["person_id"]: Role(row["role"]) for row in repository.members_of(tx, workspace_id)}

    def _member_to_change(self, tx: Tx, workspace_id: str, person_id: str, actor: str, becomes: Role | None) -> Role:
        """The member's present role, if `actor` may change it to `becomes` (None: out) and an owner remains."""
        roles = self._held(tx, workspace_id)
        was = roles.get(person_id)
        if actor != OPERATOR:
            self.require(tx, workspace_id, actor, right_to_change(*(role for role in (was, becomes) if role)))
        if was is None:
            raise Problem("member_not_found")
        others = [role for member, role in roles.items() if member != person_id]
        if was is Role.OWNER and becomes is not Role.OWNER and Role.OWNER not in others:
            raise Problem("form_incomplete", detail="A workspace needs an owner. Make somebody else owner first.")
        return was

    # API keys and callers.

    def issue_key(self, tx: Tx, person_id: str, name: str, *, actor: str = OPERATOR) -> tuple[ApiKey, Secret]:
        """Step: a new key, and its secret for the only time (threat C4).

        Raises Problem form_incomplete for what is no name, and for who is not active.
        """
        if self._people.person(tx, person_id) is None:
            raise Problem("form_incomplete", detail="A deactivated account gets no keys.")
        secret = new_api_key()
        prefix = api_key_prefix(secret)
        assert prefix is not None, "keys are made in the shape that is recognised"
        made = ApiKey(new_id(), person_id, prefix, _checked_name(name, "key"), self._clock.now(), None)
        row: dict[str, object] = {"id": made.id, "person_id": person_id, "prefix": prefix, "name": made.name, "created_at": made.created_at}
        repository.add_key(tx, {**row, "secret_hash": digest(secret), "revoked_at": None})
        self._note(tx, events.INSTALLATION, "key.issued", made.id, actor, person=person_id, prefix=prefix)
        return made, Secret(secret)

    async def keys_of(self, person_id: str) -> tuple[ApiKey, ...]:
        """The person's keys, revoked ones included, oldest first."""
        rows = await self._database.read(lambda tx: repository.keys_of(tx, person_id))
        fields = ("id", "person_id", "prefix", "name", "created_at", "revoked_at")
        return tuple(ApiKey(*(row[field] for field in fields)) for row in rows)

    async def revoke_key(self, key_id: str, *, actor: str = OPERATOR) -> None:
        """End a key of the actor's, or any as whoever runs the installation. Raises Problem key_not_found, for foreign keys too."""

        def revoke(tx: Tx) -> None:
            row = repository.key(tx, key_id) if is_id(key_id) else None
            if row is None or actor not in (OPERATOR, row["person_id"]):
                raise Problem("key_not_found")
            if repository.revoke_key(tx, key_id, self._clock.now()):
                self._note(tx, events.INSTALLATION, "key.revoked", key_id, actor, person=row["person_id"], prefix=row["prefix"])

        await self._change(revoke)

    async def caller(self, key: str) -> Caller | None:
        """Who calls with this key; None for a malformed, unknown or revoked one, and when its person is deactivated.

        At most one second old, and never older than a change made through this object: for the URL call and for lists only.
        """
        if api_key_prefix(key) is None:
            return None
        # Found by its hash: how long a lookup takes says something about hashes, from which no key can be worked out (threat C4).
        key_hash = digest(key)
        caller = self._callers.get(key_hash, _UNREAD)
        if caller is _UNREAD:
            reading = self._callers.reading()
            caller = await self._database.read(lambda tx: self._caller(tx, key_hash))
            self._callers.fill(key_hash, caller, reading)
        return None if caller is _NOBODY else caller

    def _caller(self, tx: Tx, key_hash: str) -> Caller:
        key = repository.live_key(tx, key_hash)
        person = self._people.person(tx, key["person_id"]) if key else None
        if key is None or person is None:
            return _NOBODY
        return Caller(person.id, person.name, person.email, self._seats(tx, person.id))

    def forget_callers(self) -> None:
        """To be called after committing what a caller is made of elsewhere: a deactivated person, a step of this room."""
        self._callers.forget()

    async def _change(self, step: Step[T]) -> T:
        try:
            return await self._database.begin(step)
        finally:
            self.forget_callers()

    def _tell(self, tx: Tx, workspace_id: str, person_id: str) -> None:
        if self._on_member_changed is not None:
            self._on_member_changed(tx, workspace_id, person_id)

    def _note(self, tx: Tx, workspace_id: str, type_: str, subject: str, actor: str, **facts: str) -> None:
        now = self._clock.now()
        events.record(tx, workspace_id=workspace_id, type=type_, subject=subject, actor=actor, facts=facts, now=now)


def _checked_name(name: str, of: str) -> str:
    text = " ".join(name.split())
    if not 1 <= len(text) <= 120 or not text.isprintable():
        raise Problem("form_incomplete", detail=f"Please give the {of} a name of at most 120 characters.")
    return text
