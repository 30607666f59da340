"""Tables of apps, grants and what stands behind profiles. No SELECT of a grant meets a token: token sets are a table of their own."""

from sqlalchemy import Boolean, Column, Float, ForeignKey, Index, Integer, PrimaryKeyConstraint, Table, Text, UniqueConstraint, text

from hitchpost.db.base import Instant, Key, metadata

apps = Table(
    "apps",
    metadata,
    Column("id", Key(), primary_key=True),
    # '-' for the installation, or a workspace's id.
    Column("owner", Key(), nullable=False),
    Column("authority", Key(), nullable=False),
    Column("client_id", Key(), nullable=False),
    Column("slot", Key(), nullable=False),
    Column("variant", Key(), nullable=False),
    Column("version", Key(), nullable=False),
    Column("sealed_secret", Text, nullable=False),
    Column("scopes", Text, nullable=False),
    Column("state", Key(), nullable=False),
    # Never unique across owners: a client id is public, and naming it proves nothing.
    UniqueConstraint("owner", "authority", "client_id"),
)

grants = Table(
    "grants",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("app_id", Key(), ForeignKey("apps.id"), nullable=False),
    Column("subject", Key(), nullable=False),
    Column("name", Text, nullable=False),
    Column("state", Key(), nullable=False),
    Column("cause", Key(), nullable=False),
    # How it ended last, in the catalogue's words, also once it lives again: why a severed backing stands no more.
    Column("code", Key(), nullable=False),
    Column("scopes", Text, nullable=False),
    Column("granular", Text, nullable=False),
    Column("access_expires_at", Instant),
    Column("refresh_expires_at", Instant),
    Column("renews_itself", Boolean, nullable=False),
    Column("consented_at", Instant, nullable=False),
    Column("consent_seq", Integer, nullable=False),
    Column("version", Integer, nullable=False),
    # When the network gave the present tokens.
    Column("issued_at", Instant, nullable=False),
    # How many times they were sent for renewal without an answer that settles it: while above 0, silence proves nothing.
    Column("doubts", Integer, nullable=False),
    # Why the last call for this grant failed, when that ended nothing, and since when; empty after one that did not.
    Column("trouble", Key(), nullable=False),
    Column("trouble_since", Instant),
    # When the network last confirmed that it lives.
    Column("checked_at", Instant, nullable=False),
    Column("due_at", Instant),
    Column("claim_id", Key(), nullable=False),
    Column("claim_kind", Key(), nullable=False),
    Column("claims", Integer, nullable=False),
    UniqueConstraint("app_id", "subject"),
    Index("ix_grants_due", "app_id", "due_at", postgresql_where=text("due_at IS NOT NULL"), sqlite_where=text("due_at IS NOT NULL")),
)

token_sets = Table(
    "token_sets",
    metadata,
    Column("grant_id", Key(), ForeignKey("grants.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False),
    # One blob of access, refresh and extras: it cannot tear.
    Column("sealed", Text, nullable=False),
    Column("key_id", Key(), nullable=False),
)

_EXAMINED = text("check_due_at IS NOT NULL")

reaches = Table(
    "reaches",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("grant_id", Key(), ForeignKey("grants.id", ondelete="CASCADE"), nullable=False),
    # Whose profiles stand on it: one Meta app serves facebook and instagram, and each is examined by its own adapter.
    Column("provider", Key(), nullable=False),
    Column("kind", Key(), nullable=False),
    Column("external_id", Key(), nullable=False),
    Column("parent_id", Key(), nullable=False),
    # Empty: the Grant's own token acts.
    Column("sealed_token", Text, nullable=False),
    Column("tasks", Text, nullable=False),
    Column("verdict", Text, nullable=False),
    Column("checked_at", Instant, nullable=False),
    # Also the lease of a look under way, whose claim this is.
    Column("check_due_at", Instant),
    Column("claim_id", Key(), nullable=False),
    # The Fault for which the last look saw nothing, with its claim, for those who waited for it in other processes; else empty.
    Column("unseen", Text, nullable=False),
    UniqueConstraint("grant_id", "kind", "external_id"),
    Index("ix_reaches_check_due", "check_due_at", postgresql_where=_EXAMINED, sqlite_where=_EXAMINED),
)

backings = Table(
    "backings",
    metadata,
    Column("profile_id", Key(), nullable=False),
    Column("reach_id", Key(), ForeignKey("reaches.id", ondelete="CASCADE"), nullable=False),
    Column("rank", Integer, nullable=False),
    Column("state", Key(), nullable=False),
    Column("confirmed_by", Key(), nullable=False),
    Column("confirmed_at", Instant, nullable=False),
    PrimaryKeyConstraint("profile_id", "reach_id"),
    Index("ix_backings_reach", "reach_id"),
)

gates = Table(
    "gates",
    metadata,
    Column("app_id", Key(), ForeignKey("apps.id", ondelete="CASCADE"), nullable=False),
    Column("bucket", Key(), nullable=False),
    Column("permits", Float, nullable=False),
    Column("refilled_at", Instant, nullable=False),
    Column("failures", Integer, nullable=False),
    Column("closed_until", Instant),
    PrimaryKeyConstraint("app_id", "bucket"),
)

halt = Table(
    "halt",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    # Since when nothing is done with anybody's access, in any process; empty while all is well.
    Column("since", Instant),
)

data_keys = Table(
    "data_keys",
    metadata,
    Column("owner", Key(), primary_key=True),
    Column("wrapped", Text, nullable=False),
    Column("key_id", Key(), nullable=False),
    Column("created_at", Instant, nullable=False),
)

consent_counter = Table(
    "consent_counter",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("value", Integer, nullable=False),
)
