"""One clock for all who share a database: its own. Claims that end by another machine's clock would end while their holder still acts."""

from datetime import datetime, timedelta

import structlog
from sqlalchemy import func, select

from hitchpost.clock import Clock
from hitchpost.db.engine import Database

_WORTH_SAYING = timedelta(seconds=5)


class DatabaseClock:
    """This machine's clock, put right by how far it is off the database's; measured at the start and on a beat from then on."""

    def __init__(self, database: Database, own: Clock) -> None:
        self._database, self._own = database, own
        self._off = timedelta()
        self._log = structlog.get_logger("hitchpost.db")

    def now(self) -> datetime:
        return self._own.now() + self._off

    def monotonic(self) -> float:
        return self._own.monotonic()

    async def measure(self) -> None:
        """Measure, and put right. The answer's way back counts half."""
        before = self._own.now()
        theirs: datetime = await self._database.read(lambda tx: tx.execute(select(func.clock_timestamp())).scalar_one())
        off = theirs - (before + (self._own.now() - before) / 2)
        if abs(off - self._off) > _WORTH_SAYING:
            self._log.warning("this machine's clock is off the database's, which is used", seconds=round(off.total_seconds(), 1))
        self._off = off
