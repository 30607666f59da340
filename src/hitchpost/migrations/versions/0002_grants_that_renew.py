"""What renewing needs: when tokens were given, what is in doubt, what troubles them, and a gate for each app and kind of call."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
INSTANT = sa.BigInteger()


def upgrade() -> None:
    """New columns take what older rows know; from then on the program writes them."""
    op.add_column("grants", sa.Column("issued_at", INSTANT, nullable=True))
    op.add_column("grants", sa.Column("doubts", sa.Integer(), nullable=False, server_default="0"))
    op.add_column("grants", sa.Column("trouble", KEY, nullable=False, server_default=""))
    op.add_column("grants", sa.Column("trouble_since", INSTANT, nullable=True))
    op.add_column("grants", sa.Column("checked_at", INSTANT, nullable=True))
    # Due at once where they may renew themselves: the program then sets the date of each by its own rule.
    op.execute("UPDATE grants SET issued_at = consented_at, checked_at = consented_at")
    op.execute("UPDATE grants SET due_at = consented_at WHERE state = 'live' AND due_at IS NULL")
    with op.batch_alter_table("grants") as grants:
        grants.alter_column("issued_at", existing_type=INSTANT, nullable=False)
        grants.alter_column("checked_at", existing_type=INSTANT, nullable=False)
        grants.alter_column("doubts", existing_type=sa.Integer(), existing_nullable=False, server_default=None)
        grants.alter_column("trouble", existing_type=KEY, existing_nullable=False, server_default=None)
    op.create_table(
        "gates",
        sa.Column("app_id", KEY, nullable=False),
        sa.Column("bucket", KEY, nullable=False),
        sa.Column("permits", sa.Float(), nullable=False),
        sa.Column("refilled_at", INSTANT, nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("closed_until", INSTANT, nullable=True),
        sa.ForeignKeyConstraint(["app_id"], ["apps.id"], name="fk_gates_app_id", ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("app_id", "bucket", name="pk_gates"),
    )
