"""The queue's own tables, on PostgreSQL: there several processes share it. With SQLite it stands in the server's memory."""

from alembic import op
from sqlalchemy.util import await_only

from hitchpost.jobs.queue import install_script

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """In the migration's transaction, but past SQLAlchemy: the script is many statements in one."""
    connection = op.get_bind()
    if connection.dialect.name == "postgresql":
        driver = connection.connection.driver_connection
        assert driver is not None, "a connection that is open"
        await_only(driver.execute(install_script()))
