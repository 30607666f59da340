"""Emergency: for a theft in progress, the end of every access at once (threat E9)."""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.tokens import halting, repository
from hitchpost.tokens.giving_back import GivingBack, Hurry
from hitchpost.tokens.revoke import Fate

_BATCH = 100
_AT_ONCE = 32
"""Side by side for each app: a network that hangs must make no other wait, however many of its grants come first."""


class Emergency:
    """Part of the room's service, for whoever runs the installation."""

    def __init__(self, database: Database, clock: Clock, giving_back: GivingBack) -> None:
        self._database, self._clock, self._giving_back = database, clock, giving_back

    async def revoke_all(self, progress: Callable[[int, int], None]) -> Counter[Fate]:
        """Story: halt, sever everything, and give back every access at its network; how many met which fate.

        `progress(done, of)`. What is still `revoking`, because a network did not answer, every running server and worker goes on with.
        """

        def all_at_once(tx: Tx) -> int:
            halting.give_everything_back(tx, self._clock.now())
            return repository.everything_revoking(tx, self._clock.now())

        of, fates = await self._database.begin(all_at_once), Counter[Fate]()

        async def one(grant_id: str, gate: asyncio.Semaphore) -> None:
            async with gate:
                fates[await self._giving_back.give_back(grant_id, Hurry.EMERGENCY) or Fate.REVOKED] += 1
            progress(fates.total(), of)

        async def of_app(app_id: str) -> None:
            tried, gate = set[str](), asyncio.Semaphore(_AT_ONCE)
            while rows := [one for one in await self._left(app_id, len(tried)) if one not in tried]:
                tried.update(rows)
                await asyncio.gather(*(one(grant_id, gate) for grant_id in rows))

        await asyncio.gather(*(of_app(app_id) for app_id in await self._database.read(repository.apps_to_revoke_at)))
        return fates

    async def _left(self, app_id: str, tried: int) -> Sequence[str]:
        return await self._database.read(lambda tx: repository.left_to_revoke(tx, app_id, _BATCH + tried))
