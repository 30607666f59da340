"""Emergency: for a theft in progress. A halt that every process obeys at its next step, and the end of every access at once (threat E9)."""

from collections.abc import Callable, Sequence
from datetime import datetime

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.tokens import repository
from hitchpost.tokens.giving_back import ENDED, GivingBack

_BATCH = 100


class Emergency:
    """Part of the room's service, for whoever runs the installation."""

    def __init__(self, database: Database, clock: Clock, giving_back: GivingBack) -> None:
        self._database, self._clock, self._giving_back = database, clock, giving_back

    async def stop(self) -> datetime:
        """Story: halt; since when. What is under way at a network ends by itself within its deadline."""

        def halt(tx: Tx) -> datetime:
            since = repository.halted_since(tx) or self._clock.now()
            repository.set_halt(tx, since)
            return since

        return await self._database.begin(halt)

    async def resume(self) -> None:
        """Story: go on."""
        await self._database.begin(lambda tx: repository.set_halt(tx, None))

    async def revoke_all(self, progress: Callable[[int, int], None]) -> int:
        """Story: halt, sever everything, and give back every access at its network; how many are left because a network did not answer.

        `progress(done, of)`. What is left is tried again by every running server and worker until it is done.
        """
        await self.stop()
        of = await self._database.begin(lambda tx: repository.everything_revoking(tx, self._clock.now()))
        done, tried = 0, set[str]()
        while rows := [one for one in await self._left(len(tried)) if one not in tried]:
            for grant_id in rows:
                tried.add(grant_id)
                done += await self._giving_back.give_back(grant_id) in (*ENDED, None)
                progress(done, of)
        return of - done

    async def _left(self, tried: int) -> Sequence[str]:
        return await self._database.read(lambda tx: repository.left_to_revoke(tx, _BATCH + tried))
