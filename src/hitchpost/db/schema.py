"""The schema that this program needs. A server on another schema refuses to start instead of failing later."""

from sqlalchemy import inspect, text

from hitchpost.db.engine import Tx

HEAD = "0005"
"""Alembic's newest revision; a test holds the two together."""


class WrongSchema(Exception):
    """The database is not at HEAD; the message says what to run."""


def check(tx: Tx) -> None:
    """Raises WrongSchema unless the database stands at HEAD."""
    found = None
    if inspect(tx).has_table("alembic_version"):
        found = tx.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if found != HEAD:
        stands = f"stands at {found}" if found else "is empty"
        raise WrongSchema(f"the database {stands}, this program needs {HEAD}: run `hitchpost migrate` first")
