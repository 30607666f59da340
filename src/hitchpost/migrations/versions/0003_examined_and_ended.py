"""What examining and ending need: whose profiles stand on a reach, what people asked to have deleted, and a halt for emergencies."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger()
DUE = sa.text("check_due_at IS NOT NULL")


def upgrade() -> None:
    """Older reaches take their network from the profiles that stand on them, and are examined at once."""
    op.add_column("reaches", sa.Column("provider", KEY, nullable=False, server_default=""))
    op.execute(
        "UPDATE reaches SET check_due_at = checked_at, provider = COALESCE((SELECT MIN(profiles.provider) FROM profiles "
        "JOIN backings ON backings.profile_id = profiles.id WHERE backings.reach_id = reaches.id), '')"
    )
    with op.batch_alter_table("reaches") as reaches:
        reaches.alter_column("provider", existing_type=KEY, existing_nullable=False, server_default=None)
    op.create_index("ix_reaches_check_due", "reaches", ["check_due_at"], postgresql_where=DUE, sqlite_where=DUE)
    op.create_table(
        "halt",
        sa.Column("id", sa.Integer(), nullable=False, autoincrement=False),
        sa.Column("since", INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_halt"),
    )
    op.create_table(
        "deletions",
        sa.Column("code", KEY, nullable=False),
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("received_at", INSTANT, nullable=False),
        sa.PrimaryKeyConstraint("code", name="pk_deletions"),
    )
