"""Reads and writes of events, their waiting list and their order."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, delete, func, insert, select, update

from hitchpost.db.engine import Tx
from hitchpost.events.models import event_order, events, events_waiting

# Any constant does, as long as nothing else in this database uses it: "events" in ASCII.
_SEALER_LOCK = 0x6576656E7473


def add(tx: Tx, row: dict[str, object]) -> None:
    """Append an event; it waits for its number."""
    tx.execute(insert(events).values(row))
    tx.execute(insert(events_waiting).values(event_id=row["id"]))


def of_subjects(tx: Tx, subjects: Sequence[str]) -> Sequence[RowMapping]:
    """What is recorded of these subjects: `id` and `facts`."""
    return tx.execute(select(events.c.id, events.c.facts).where(events.c.subject.in_(subjects))).mappings().all()


def last_of_type(tx: Tx, type_: str) -> dict[str, datetime]:
    """When such an event was last recorded in each workspace that has one, by its id."""
    query = select(events.c.workspace_id, func.max(events.c.at)).where(events.c.type == type_).group_by(events.c.workspace_id)
    return {row[0]: row[1] for row in tx.execute(query)}


def put_facts(tx: Tx, event_id: str, facts: str) -> None:
    tx.execute(update(events).where(events.c.id == event_id).values(facts=facts))


def be_only_sealer(tx: Tx) -> None:
    """Wait until no other transaction seals, until this one ends. SQLite's immediate transactions are that already."""
    if tx.dialect.name == "postgresql":
        tx.execute(select(func.pg_advisory_xact_lock(_SEALER_LOCK)))


def waiting(tx: Tx, limit: int) -> Sequence[RowMapping]:
    """Committed events without a number, `id` and `workspace_id`, oldest first."""
    query = (
        select(events.c.id, events.c.workspace_id)
        .join(events_waiting, events_waiting.c.event_id == events.c.id)
        .order_by(events.c.at, events.c.id)
        .limit(limit)
    )
    return tx.execute(query).mappings().all()


def last_seq(tx: Tx) -> int:
    """The highest number given so far, 0 for none."""
    return int(tx.execute(select(func.coalesce(func.max(event_order.c.seq), 0))).scalar_one())


def number(tx: Tx, rows: Sequence[dict[str, object]]) -> None:
    """Give these events their numbers (`seq`, `event_id`, `workspace_id`) and take them off the waiting list."""
    tx.execute(insert(event_order), rows)
    tx.execute(delete(events_waiting).where(events_waiting.c.event_id.in_([row["event_id"] for row in rows])))


def of_workspace(tx: Tx, workspace_id: str, after_seq: int, limit: int) -> Sequence[RowMapping]:
    """Numbered events of one workspace beyond `after_seq`, in order."""
    query = (
        select(event_order.c.seq, events)
        .join(events, events.c.id == event_order.c.event_id)
        .where(event_order.c.workspace_id == workspace_id, event_order.c.seq > after_seq)
        .order_by(event_order.c.seq)
        .limit(limit)
    )
    return tx.execute(query).mappings().all()
