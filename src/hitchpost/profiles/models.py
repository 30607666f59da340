"""Tables of profiles and their pictures."""

from sqlalchemy import Column, Index, LargeBinary, Table, Text, UniqueConstraint

from hitchpost.db.base import Instant, Key, metadata

profiles = Table(
    "profiles",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("workspace_id", Key(), nullable=False),
    Column("provider", Key(), nullable=False),
    Column("kind", Key(), nullable=False),
    # '' for ids that are the same for every app, else `app:<client id>`.
    Column("id_scope", Key(), nullable=False),
    Column("external_id", Key(), nullable=False),
    Column("name", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("picture", Key(), nullable=False),
    Column("state", Key(), nullable=False),
    Column("attached_at", Instant, nullable=False),
    Column("attached_by", Key(), nullable=False),
    # Detached rows count too: connecting again revives the same id.
    UniqueConstraint("workspace_id", "provider", "kind", "id_scope", "external_id"),
)

deletions = Table(
    "deletions",
    metadata,
    # What the network was told to show the person; made from app and person by HMAC, so that it names nobody.
    Column("code", Key(), primary_key=True),
    Column("app_id", Key(), nullable=False),
    Column("received_at", Instant, nullable=False),
)

pictures = Table(
    "pictures",
    metadata,
    # Unguessable: whoever knows the name may see the picture, nobody can list them.
    Column("name", Key(), primary_key=True),
    Column("source_hash", Key(), nullable=False, unique=True),
    Column("content_type", Key(), nullable=False),
    Column("content", LargeBinary, nullable=False),
    Column("fetched_at", Instant, nullable=False),
    Index("ix_pictures_fetched_at", "fetched_at"),
)
