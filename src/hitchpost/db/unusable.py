"""Why a database cannot be used, in one sentence without SQL and password, with the setting that decides which database it is."""

import re

from hitchpost.settings import PREFIX, Settings

_NUMBER = re.compile(r"\[Errno -?\d+\] ")


def unusable(error: Exception, settings: Settings) -> str:
    """`error`: what SQLAlchemy, a driver or the system raised. Only its first line is said: the rest is SQL."""
    # SQLAlchemy wraps what the driver raised, and for asyncpg wraps it twice.
    driver = getattr(error, "orig", None) or error
    cause = driver.__cause__ or driver
    first, *_ = [*str(cause).splitlines(), ""]
    if not first:
        first = "it did not answer in time" if isinstance(cause, TimeoutError) else type(cause).__name__
    setting = "DATABASE_URL" if settings.database_url else "DATA_DIR"
    return f"The database cannot be used: {_NUMBER.sub('', first)}; see {PREFIX}{setting}"
