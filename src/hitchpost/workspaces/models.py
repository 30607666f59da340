"""Tables of tenants, members, API keys and the set-up code. Neither a key nor the code can be read from them."""

from sqlalchemy import Column, ForeignKey, Index, PrimaryKeyConstraint, Table, Text

from hitchpost.db.base import Instant, Key, metadata

workspaces = Table(
    "workspaces",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
)

members = Table(
    "members",
    metadata,
    Column("workspace_id", Key(), ForeignKey("workspaces.id"), nullable=False),
    Column("person_id", Key(), nullable=False),
    Column("role", Key(), nullable=False),
    Column("since", Instant, nullable=False),
    PrimaryKeyConstraint("workspace_id", "person_id"),
    Index("ix_members_person", "person_id"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("person_id", Key(), nullable=False),
    # `hp_` and the visible characters: enough to recognise a key, not to use it.
    Column("prefix", Key(), nullable=False),
    Column("secret_hash", Key(), nullable=False, unique=True),
    Column("name", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("revoked_at", Instant),
    Index("ix_api_keys_person", "person_id"),
)

# At most one row, under the one id that the repository knows.
setup_codes = Table(
    "setup_codes",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("code_hash", Key(), nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("used_at", Instant),
)
