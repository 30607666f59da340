"""Emergency: for a theft in progress, the end of every access at once (threat E9)."""

from collections import Counter
from collections.abc import Callable, Sequence

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.tokens import halting, repository
from hitchpost.tokens.giving_back import Fate, GivingBack

_BATCH = 100


class Emergency:
    """Part of the room's service, for whoever runs the installation."""

    def __init__(self, database: Database, clock: Clock, giving_back: GivingBack) -> None:
        self._database, self._clock, self._giving_back = database, clock, giving_back

    async def revoke_all(self, progress: Callable[[int, int], None]) -> Counter[Fate]:
        """Story: halt, sever everything, and give back every access at its network; how many met which fate.

        `progress(done, of)`. What is still `revoking`, because a network did not answer, every running server and worker goes on with.
        """

        def all_at_once(tx: Tx) -> int:
            halting.halt(tx, self._clock.now())
            return repository.everything_revoking(tx, self._clock.now())

        of, fates, tried = await self._database.begin(all_at_once), Counter[Fate](), set[str]()
        while rows := [one for one in await self._left(len(tried)) if one not in tried]:
            for grant_id in rows:
                tried.add(grant_id)
                fates[await self._giving_back.give_back(grant_id) or Fate.REVOKED] += 1
                progress(len(tried), of)
        return fates

    async def _left(self, tried: int) -> Sequence[str]:
        return await self._database.read(lambda tx: repository.left_to_revoke(tx, _BATCH + tried))
