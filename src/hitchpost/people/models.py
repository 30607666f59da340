"""Tables of people and their browser sessions. Neither a password nor a cookie can be read from them."""

from sqlalchemy import Column, ForeignKey, Index, Table, Text

from hitchpost.db.base import Instant, Key, metadata

people = Table(
    "people",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("email", Text, nullable=False),
    # What signing in compares, and nothing else: accounts are never linked by it (threat A24).
    Column("email_key", Key(), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("password_hash", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("deactivated_at", Instant),
)

browser_sessions = Table(
    "browser_sessions",
    metadata,
    # Stable while the same person stays: what connections under way are bound to.
    Column("id", Key(), primary_key=True),
    Column("token_hash", Key(), nullable=False, unique=True),
    Column("csrf_secret", Key(), nullable=False),
    Column("person_id", Key(), ForeignKey("people.id"), nullable=False),
    Column("signed_in_at", Instant, nullable=False),
    Column("idle_until", Instant, nullable=False),
    Column("absolute_until", Instant, nullable=False),
    Column("ended_at", Instant),
    Index("ix_browser_sessions_person", "person_id"),
)
