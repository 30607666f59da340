"""What looks at a network need to be claimed: by whom, and for which Fault nothing could be seen, for those who wait elsewhere."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

KEY = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Nothing is claimed."""
    op.add_column("reaches", sa.Column("claim_id", KEY, nullable=False, server_default=""))
    op.add_column("reaches", sa.Column("unseen", sa.Text(), nullable=False, server_default=""))
    with op.batch_alter_table("reaches") as reaches:
        reaches.alter_column("claim_id", existing_type=KEY, existing_nullable=False, server_default=None)
        reaches.alter_column("unseen", existing_type=sa.Text(), existing_nullable=False, server_default=None)
