"""Reads and writes of workspaces, members, API keys and the set-up code."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, Select, delete, func, insert, select, update

from hitchpost.db.engine import Tx
from hitchpost.workspaces.models import api_keys, members, setup_codes, workspaces
from hitchpost.workspaces.roles import Role

_ONE = "set-up"

# Workspaces and members.


def add_workspace(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(workspaces).values(row))


def held(tx: Tx, workspace_id: str) -> bool:
    """Whether there is such a workspace; until this transaction ends nobody else changes its members."""
    return tx.execute(select(workspaces.c.id).where(workspaces.c.id == workspace_id).with_for_update()).first() is not None


def every_workspace(tx: Tx) -> Sequence[RowMapping]:
    """`id` and `name`, oldest first."""
    return tx.execute(select(workspaces.c.id, workspaces.c.name).order_by(workspaces.c.created_at, workspaces.c.id)).mappings().all()


def seats(tx: Tx, person_id: str, workspace_id: str | None = None) -> Sequence[RowMapping]:
    """`workspace_id`, `workspace_name` and `role` of the person, everywhere or in one workspace, by name."""
    query = (
        select(members.c.workspace_id, workspaces.c.name.label("workspace_name"), members.c.role)
        .join(workspaces, workspaces.c.id == members.c.workspace_id)
        .where(members.c.person_id == person_id)
        .order_by(workspaces.c.name, workspaces.c.id)
    )
    if workspace_id is not None:
        query = query.where(members.c.workspace_id == workspace_id)
    return tx.execute(query).mappings().all()


def managers(tx: Tx, person_id: str, workspace_id: str | None = None) -> Sequence[RowMapping]:
    """`workspace_id`, `person_id` and `role` of the owners and admins wherever the person is a member (or in one), longest first."""
    query = (
        select(members.c.workspace_id, members.c.person_id, members.c.role)
        .where(members.c.workspace_id.in_(_workspaces_of(person_id)), members.c.role.in_((Role.OWNER, Role.ADMIN)))
        .order_by(members.c.since, members.c.person_id)
    )
    if workspace_id is not None:
        query = query.where(members.c.workspace_id == workspace_id)
    return tx.execute(query).mappings().all()


def member_counts(tx: Tx, person_id: str) -> dict[str, int]:
    """How many members each of the person's workspaces has, by id."""
    query = (
        select(members.c.workspace_id, func.count())
        .where(members.c.workspace_id.in_(_workspaces_of(person_id)))
        .group_by(members.c.workspace_id)
    )
    return {row[0]: row[1] for row in tx.execute(query)}


def _workspaces_of(person_id: str) -> Select[tuple[str]]:
    return select(members.c.workspace_id).where(members.c.person_id == person_id)


def members_of(tx: Tx, workspace_id: str) -> Sequence[RowMapping]:
    """Longest members first."""
    return (
        tx.execute(select(members).where(members.c.workspace_id == workspace_id).order_by(members.c.since, members.c.person_id))
        .mappings()
        .all()
    )


def add_member(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(members).values(row))


def set_role(tx: Tx, workspace_id: str, person_id: str, role: Role) -> None:
    tx.execute(update(members).where(members.c.workspace_id == workspace_id, members.c.person_id == person_id).values(role=role))


def remove_member(tx: Tx, workspace_id: str, person_id: str) -> None:
    tx.execute(delete(members).where(members.c.workspace_id == workspace_id, members.c.person_id == person_id))


# API keys.


def add_key(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(api_keys).values(row))


def live_key(tx: Tx, secret_hash: str) -> RowMapping | None:
    """`id` and `person_id` of the key that is not revoked."""
    query = select(api_keys.c.id, api_keys.c.person_id).where(api_keys.c.secret_hash == secret_hash, api_keys.c.revoked_at.is_(None))
    return tx.execute(query).mappings().one_or_none()


def key(tx: Tx, key_id: str) -> RowMapping | None:
    return tx.execute(select(api_keys).where(api_keys.c.id == key_id)).mappings().one_or_none()


def keys_of(tx: Tx, person_id: str) -> Sequence[RowMapping]:
    """Revoked ones included, oldest first."""
    return (
        tx.execute(select(api_keys).where(api_keys.c.person_id == person_id).order_by(api_keys.c.created_at, api_keys.c.id))
        .mappings()
        .all()
    )


def revoke_key(tx: Tx, key_id: str, now: datetime) -> bool:
    """Whether it was alive until now."""
    return tx.execute(update(api_keys).where(api_keys.c.id == key_id, api_keys.c.revoked_at.is_(None)).values(revoked_at=now)).rowcount == 1


# The set-up code.


def replace_setup_code(tx: Tx, code_hash: str, now: datetime) -> None:
    tx.execute(delete(setup_codes))
    tx.execute(insert(setup_codes).values(id=_ONE, code_hash=code_hash, created_at=now, used_at=None))


def setup_code_hash(tx: Tx) -> str | None:
    """Of the code that is not used yet."""
    return tx.execute(select(setup_codes.c.code_hash).where(setup_codes.c.used_at.is_(None))).scalar_one_or_none()


def use_setup_code(tx: Tx, code_hash: str, now: datetime) -> bool:
    """Whether the code was still good: true for one caller only."""
    query = update(setup_codes).where(setup_codes.c.code_hash == code_hash, setup_codes.c.used_at.is_(None)).values(used_at=now)
    return tx.execute(query).rowcount == 1
