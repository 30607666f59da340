"""Tables of the record: what happened, what waits for its number, and the order in which all may be read.

`seq` stands in a table of its own, so that `events` is append-only and no unique key ever holds a NULL.
"""

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Table, Text

from hitchpost.db.base import Instant, Key, metadata

events = Table(
    "events",
    metadata,
    Column("id", Key(), primary_key=True),
    # '-' for the installation.
    Column("workspace_id", Key(), nullable=False),
    Column("type", Key(), nullable=False),
    Column("subject", Key(), nullable=False),
    Column("actor", Key(), nullable=False),
    Column("at", Instant, nullable=False),
    # A JSON object without secrets.
    Column("facts", Text, nullable=False),
)

# Written with the event and deleted by the sealer: finding what has no number must not search all that ever happened.
events_waiting = Table(
    "events_waiting",
    metadata,
    Column("event_id", Key(), ForeignKey("events.id"), primary_key=True),
)

event_order = Table(
    "event_order",
    metadata,
    Column("seq", BigInteger, primary_key=True, autoincrement=False),
    Column("event_id", Key(), ForeignKey("events.id"), nullable=False, unique=True),
    # Repeated here so that a workspace's events are read in order from one index.
    Column("workspace_id", Key(), nullable=False),
    Index("ix_event_order_workspace", "workspace_id", "seq"),
)
