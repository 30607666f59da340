"""The first schema. There is no way back from it: a backup is the way back."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger()


def _keys(*names: str) -> list[sa.Column[str]]:
    """Byte-exact text columns that are never empty."""
    return [sa.Column(name, KEY, nullable=False) for name in names]


def upgrade() -> None:
    """Every table of every room."""
    op.create_table(
        "api_keys",
        *_keys("id", "person_id", "prefix", "secret_hash"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("revoked_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_api_keys"),
        sa.UniqueConstraint("secret_hash", name="uq_api_keys_secret_hash"),
    )
    op.create_index("ix_api_keys_person", "api_keys", ["person_id"], unique=False)
    op.create_table(
        "apps",
        *_keys("id", "owner", "authority", "client_id", "slot", "variant", "version"),
        sa.Column("sealed_secret", sa.Text(), nullable=False),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("state", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_apps"),
        sa.UniqueConstraint("owner", "authority", "client_id", name="uq_apps_owner_authority_client_id"),
    )
    op.create_table(
        "connect_sessions",
        *_keys("id", "workspace_id", "kind", "created_by"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_connect_sessions"),
    )
    op.create_table(
        "consent_counter",
        sa.Column("id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_consent_counter"),
    )
    op.create_table(
        "data_keys",
        sa.Column("owner", KEY, nullable=False),
        sa.Column("wrapped", sa.Text(), nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("owner", name="pk_data_keys"),
    )
    op.create_table(
        "events",
        *_keys("id", "workspace_id", "type", "subject", "actor"),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_events"),
    )
    op.create_table(
        "people",
        sa.Column("id", KEY, nullable=False),
        sa.Column("email", sa.Text(), nullable=False),
        sa.Column("email_key", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("password_hash", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("deactivated_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_people"),
        sa.UniqueConstraint("email_key", name="uq_people_email_key"),
    )
    op.create_table(
        "pictures",
        *_keys("name", "source_hash", "content_type"),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("fetched_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_pictures"),
        sa.UniqueConstraint("source_hash", name="uq_pictures_source_hash"),
    )
    op.create_index("ix_pictures_fetched_at", "pictures", ["fetched_at"], unique=False)
    op.create_table(
        "profiles",
        *_keys("id", "workspace_id", "provider", "kind", "id_scope", "external_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        *_keys("picture", "state"),
        sa.Column("attached_at", INSTANT, nullable=False),
        sa.Column("attached_by", KEY, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_profiles"),
        sa.UniqueConstraint(
            "workspace_id",
            "provider",
            "kind",
            "id_scope",
            "external_id",
            name="uq_profiles_workspace_id_provider_kind_id_scope_external_id",
        ),
    )
    op.create_table(
        "setup_codes",
        *_keys("id", "code_hash"),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("used_at", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_setup_codes"),
    )
    op.create_table(
        "workspaces",
        sa.Column("id", KEY, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_workspaces"),
    )
    op.create_table(
        "authorization_requests",
        *_keys("id", "connect_session_id"),
        sa.Column("trip", sa.Integer(), nullable=False),
        *_keys("workspace_id", "person_id", "browser_session_id", "app_id", "provider", "login", "state_hash"),
        sa.Column("sealed_verifier", sa.Text(), nullable=False),
        sa.Column("redirect_uri", sa.Text(), nullable=False),
        sa.Column("scopes_asked", sa.Text(), nullable=False),
        *_keys("expected_profile_id", "status", "code"),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("consent_seq", sa.Integer(), nullable=False),
        sa.Column("claim_id", KEY, nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("expires_at", INSTANT, nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["connect_session_id"], ["connect_sessions.id"], name="fk_authorization_requests_connect_session_id"),
        sa.PrimaryKeyConstraint("id", name="pk_authorization_requests"),
        sa.UniqueConstraint("connect_session_id", "trip", name="uq_authorization_requests_connect_session_id_trip"),
        sa.UniqueConstraint("state_hash", name="uq_authorization_requests_state_hash"),
    )
    op.create_index("ix_authorization_requests_browser", "authorization_requests", ["browser_session_id", "status"], unique=False)
    op.create_index(
        "ix_authorization_requests_due",
        "authorization_requests",
        ["due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_index("ix_authorization_requests_grant", "authorization_requests", ["grant_id", "status"], unique=False)
    op.create_index("ix_authorization_requests_person", "authorization_requests", ["person_id", "status"], unique=False)
    op.create_table(
        "browser_sessions",
        *_keys("id", "token_hash", "csrf_secret", "person_id"),
        sa.Column("signed_in_at", INSTANT, nullable=False),
        sa.Column("idle_until", INSTANT, nullable=False),
        sa.Column("absolute_until", INSTANT, nullable=False),
        sa.Column("ended_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["person_id"], ["people.id"], name="fk_browser_sessions_person_id"),
        sa.PrimaryKeyConstraint("id", name="pk_browser_sessions"),
        sa.UniqueConstraint("token_hash", name="uq_browser_sessions_token_hash"),
    )
    op.create_index("ix_browser_sessions_person", "browser_sessions", ["person_id"], unique=False)
    op.create_table(
        "event_order",
        sa.Column("seq", sa.BigInteger(), autoincrement=False, nullable=False),
        *_keys("event_id", "workspace_id"),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_event_order_event_id"),
        sa.PrimaryKeyConstraint("seq", name="pk_event_order"),
        sa.UniqueConstraint("event_id", name="uq_event_order_event_id"),
    )
    op.create_index("ix_event_order_workspace", "event_order", ["workspace_id", "seq"], unique=False)
    op.create_table(
        "events_waiting",
        sa.Column("event_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name="fk_events_waiting_event_id"),
        sa.PrimaryKeyConstraint("event_id", name="pk_events_waiting"),
    )
    op.create_table(
        "grants",
        *_keys("id", "app_id", "subject"),
        sa.Column("name", sa.Text(), nullable=False),
        *_keys("state", "cause", "code"),
        sa.Column("scopes", sa.Text(), nullable=False),
        sa.Column("granular", sa.Text(), nullable=False),
        sa.Column("access_expires_at", INSTANT, nullable=True),
        sa.Column("refresh_expires_at", INSTANT, nullable=True),
        sa.Column("renews_itself", sa.Boolean(), nullable=False),
        sa.Column("consented_at", INSTANT, nullable=False),
        sa.Column("consent_seq", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("due_at", INSTANT, nullable=True),
        *_keys("claim_id", "claim_kind"),
        sa.Column("claims", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_grants_app_id"),
        sa.PrimaryKeyConstraint("id", name="pk_grants"),
        sa.UniqueConstraint("app_id", "subject", name="uq_grants_app_id_subject"),
    )
    op.create_index(
        "ix_grants_due",
        "grants",
        ["app_id", "due_at"],
        unique=False,
        postgresql_where=sa.text("due_at IS NOT NULL"),
        sqlite_where=sa.text("due_at IS NOT NULL"),
    )
    op.create_table(
        "members",
        *_keys("workspace_id", "person_id", "role"),
        sa.Column("since", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["workspace_id"], ["workspaces.id"], name="fk_members_workspace_id"),
        sa.PrimaryKeyConstraint("workspace_id", "person_id", name="pk_members"),
    )
    op.create_index("ix_members_person", "members", ["person_id"], unique=False)
    op.create_table(
        "candidates",
        *_keys("request_id", "kind", "external_id"),
        sa.Column("position", sa.Integer(), nullable=False),
        *_keys("id_scope", "parent_id"),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("handle", sa.Text(), nullable=False),
        sa.Column("picture", KEY, nullable=False),
        sa.Column("usable", sa.Boolean(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["request_id"], ["authorization_requests.id"], name="fk_candidates_request_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("request_id", "kind", "external_id", name="pk_candidates"),
    )
    op.create_table(
        "reaches",
        *_keys("id", "grant_id", "kind", "external_id", "parent_id"),
        sa.Column("sealed_token", sa.Text(), nullable=False),
        sa.Column("tasks", sa.Text(), nullable=False),
        sa.Column("verdict", sa.Text(), nullable=False),
        sa.Column("checked_at", INSTANT, nullable=False),
        sa.Column("check_due_at", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_reaches_grant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name="pk_reaches"),
        sa.UniqueConstraint("grant_id", "kind", "external_id", name="uq_reaches_grant_id_kind_external_id"),
    )
    op.create_table(
        "token_sets",
        sa.Column("grant_id", KEY, nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("sealed", sa.Text(), nullable=False),
        sa.Column("key_id", KEY, nullable=False),
        sa.ForeignKeyConstraint(["grant_id"], ["grants.id"], name="fk_token_sets_grant_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("grant_id", name="pk_token_sets"),
    )
    op.create_table(
        "backings",
        *_keys("profile_id", "reach_id"),
        sa.Column("rank", sa.Integer(), nullable=False),
        *_keys("state", "confirmed_by"),
        sa.Column("confirmed_at", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(["reach_id"], ["reaches.id"], name="fk_backings_reach_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("profile_id", "reach_id", name="pk_backings"),
    )
    op.create_index("ix_backings_reach", "backings", ["reach_id"], unique=False)
