"""Tables of the flow. No token is in them: the verifier is sealed, the state only a hash."""

from sqlalchemy import Boolean, Column, ForeignKey, Index, Integer, Table, Text, UniqueConstraint, text

from hitchpost.db.base import Instant, Key, metadata

connect_sessions = Table(
    "connect_sessions",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("workspace_id", Key(), nullable=False),
    Column("kind", Key(), nullable=False),
    Column("created_by", Key(), nullable=False),
    Column("created_at", Instant, nullable=False),
)

authorization_requests = Table(
    "authorization_requests",
    metadata,
    Column("id", Key(), primary_key=True),
    Column("connect_session_id", Key(), ForeignKey("connect_sessions.id"), nullable=False),
    # 1, 2, …: the session's status is that of its highest trip.
    Column("trip", Integer, nullable=False),
    Column("workspace_id", Key(), nullable=False),
    Column("person_id", Key(), nullable=False),
    Column("browser_session_id", Key(), nullable=False),
    Column("app_id", Key(), nullable=False),
    Column("provider", Key(), nullable=False),
    Column("login", Key(), nullable=False),
    Column("state_hash", Key(), nullable=False, unique=True),
    Column("sealed_verifier", Text, nullable=False),
    Column("redirect_uri", Text, nullable=False),
    Column("scopes_asked", Text, nullable=False),
    Column("expected_profile_id", Key(), nullable=False),
    Column("status", Key(), nullable=False),
    # Why it stands where it stands: a code of hitchpost.errors, and the facts of its sentence as JSON.
    Column("code", Key(), nullable=False),
    Column("facts", Text, nullable=False),
    Column("grant_id", Key(), nullable=False),
    Column("consent_seq", Integer, nullable=False),
    Column("claim_id", Key(), nullable=False),
    Column("due_at", Instant),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False),
    # Who consented and what the look remarked; the attached profiles. Both JSON.
    Column("found", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    UniqueConstraint("connect_session_id", "trip"),
    Index("ix_authorization_requests_person", "person_id", "status"),
    Index("ix_authorization_requests_browser", "browser_session_id", "status"),
    Index("ix_authorization_requests_grant", "grant_id", "status"),
    Index("ix_authorization_requests_due", "due_at", postgresql_where=text("due_at IS NOT NULL"), sqlite_where=text("due_at IS NOT NULL")),
)

candidates = Table(
    "candidates",
    metadata,
    Column("request_id", Key(), ForeignKey("authorization_requests.id", ondelete="CASCADE"), primary_key=True),
    Column("kind", Key(), primary_key=True),
    Column("external_id", Key(), primary_key=True),
    Column("position", Integer, nullable=False),
    Column("id_scope", Key(), nullable=False),
    Column("parent_id", Key(), nullable=False),
    Column("name", Text, nullable=False),
    Column("handle", Text, nullable=False),
    Column("picture", Key(), nullable=False),
    Column("usable", Boolean, nullable=False),
    Column("verdict", Text, nullable=False),
)
