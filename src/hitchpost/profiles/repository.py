"""Reads and writes of profiles and pictures."""

from collections.abc import Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, Select, and_, exists, select, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.profiles.models import deletions, pictures, profiles


def find(tx: Tx, workspace_id: str, provider: str, kind: str, id_scope: str, external_id: str) -> RowMapping:
    """The profile with this identity in the workspace, detached ones included. Raises NoResultFound."""
    return tx.execute(select(profiles).where(_is(workspace_id, provider, kind, id_scope, external_id))).mappings().one()


def exists_as(tx: Tx, workspace_id: str, provider: str, kind: str, id_scope: str, external_id: str) -> bool:
    """Whether the workspace has or had a profile with this identity."""
    query = select(exists().where(_is(workspace_id, provider, kind, id_scope, external_id)))
    return bool(tx.execute(query).scalar())


def _is(workspace_id: str, provider: str, kind: str, id_scope: str, external_id: str) -> ColumnElement[bool]:
    return and_(
        profiles.c.workspace_id == workspace_id,
        profiles.c.provider == provider,
        profiles.c.kind == kind,
        profiles.c.id_scope == id_scope,
        profiles.c.external_id == external_id,
    )


def add(tx: Tx, row: dict[str, object]) -> bool:
    """Insert a profile; False when somebody else was first with the same identity."""
    return insert_or_keep(tx, profiles, row)


def renew(tx: Tx, profile_id: str, values: dict[str, object]) -> None:
    tx.execute(update(profiles).where(profiles.c.id == profile_id).values(values))


def attached(tx: Tx, workspace_ids: Sequence[str]) -> Sequence[RowMapping]:
    """The attached profiles of these workspaces, by provider and name."""
    query = (
        select(profiles)
        .where(profiles.c.workspace_id.in_(workspace_ids), profiles.c.state == "attached")
        .order_by(profiles.c.provider, profiles.c.name, profiles.c.id)
    )
    return tx.execute(query).mappings().all()


def in_order(rows: Sequence[RowMapping]) -> list[RowMapping]:
    """In the order in which everybody writes profiles, one who attaches included."""
    return sorted(rows, key=lambda row: (row["kind"], row["external_id"]))


def by_ids(tx: Tx, ids: Sequence[str]) -> Sequence[RowMapping]:
    return tx.execute(select(profiles).where(profiles.c.id.in_(ids)).order_by(profiles.c.name, profiles.c.id)).mappings().all()


def keep_deletion(tx: Tx, code: str, app_id: str, now: datetime) -> None:
    """Remember a deletion by its code; a repeated one keeps its first date."""
    insert_or_keep(tx, deletions, {"code": code, "app_id": app_id, "received_at": now})


def deletion(tx: Tx, code: str) -> datetime | None:
    return tx.execute(select(deletions.c.received_at).where(deletions.c.code == code)).scalar_one_or_none()


def picture(tx: Tx, name: str) -> RowMapping | None:
    return tx.execute(select(pictures).where(pictures.c.name == name)).mappings().one_or_none()


def picture_names(tx: Tx, hashes: Iterable[str]) -> dict[str, str]:
    """Stored picture names by the hash of their source."""
    query = select(pictures.c.source_hash, pictures.c.name).where(pictures.c.source_hash.in_(list(hashes)))
    return {row.source_hash: row.name for row in tx.execute(query)}


def add_picture(tx: Tx, name: str, source_hash: str, content_type: str, content: bytes, now: datetime) -> str:
    """Store a picture unless its source is stored already; the name that stands."""
    row = {"name": name, "source_hash": source_hash, "content_type": content_type, "content": content, "fetched_at": now}
    insert_or_keep(tx, pictures, row)
    return str(tx.execute(select(pictures.c.name).where(pictures.c.source_hash == source_hash)).scalar_one())


def drop_unused_pictures(tx: Tx, before: datetime, kept: Select[tuple[str]]) -> int:
    """Delete pictures fetched before `before` that no profile shows and that `kept` does not find; how many."""
    shown = exists().where(profiles.c.picture == pictures.c.name)
    condition = and_(pictures.c.fetched_at < before, ~shown, pictures.c.name.not_in(kept))
    return tx.execute(pictures.delete().where(condition)).rowcount
