"""Shredding: all that a workspace has connected leaves for good. What nobody else needs is given back, and its data key is destroyed.

The workspace, its members and the record of what happened stay. Who connects in it again begins anew, under a new data key.
"""

import asyncio
from collections import Counter
from dataclasses import dataclass

from hitchpost.connect import repository
from hitchpost.connect.states import Status
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.ids import is_id
from hitchpost.profiles.service import Profiles
from hitchpost.tokens.service import Fate, TokenKeeper
from hitchpost.workspaces.service import Workspaces

_AT_ONCE = 32
"""Side by side: a network that hangs for twenty seconds each must not make the others wait their turn."""


@dataclass(frozen=True, slots=True)
class Shredded:
    """How many profiles were disconnected, and what became of the access behind them.

    `revoked`: at the network; `shared`: destroyed here, while another grant lives on the same login; `destroyed`: here only, at networks
    with these `titles`, which offer no revocation; `waiting`: until their network answers; `unreadable`: what is stored does not open.
    """

    profiles: int
    revoked: int
    shared: int
    destroyed: int
    waiting: int
    unreadable: int
    titles: tuple[str, ...]


class Shredding:
    """For whoever runs the installation."""

    def __init__(self, database: Database, workspaces: Workspaces, profiles: Profiles, tokens: TokenKeeper) -> None:
        self._database, self._workspaces, self._profiles, self._tokens = database, workspaces, profiles, tokens

    async def shred(self, workspace_id: str) -> Shredded:
        """Story. A second time it finds nothing left. Raises Problem workspace_not_found."""

        def end(tx: Tx) -> tuple[int, tuple[str, ...], tuple[str, ...]]:
            if not is_id(workspace_id) or not self._workspaces.exists(tx, workspace_id):
                raise Problem("workspace_not_found")
            titles = self._profiles.irrevocable(tx, workspace_id)
            count, grants = self._profiles.detach_all(tx, workspace_id)
            mine = repository.of_workspace(workspace_id)
            begun = repository.grants_of_open(tx, mine)
            repository.end(tx, mine, Status.FAILED, "rights_lost")
            repository.forget_found(tx, mine)
            self._tokens.shred(tx, workspace_id)
            self._workspaces.note_shredded(tx, workspace_id)
            # What was being connected is given back as well, at once: its tokens lie under another key than the workspace's.
            return count, tuple(dict.fromkeys((*grants, *begun))), titles

        count, grants, titles = await self._database.begin(end)
        at_once = asyncio.Semaphore(_AT_ONCE)

        async def ended(grant_id: str) -> Fate:
            async with at_once:
                return await self._tokens.end(grant_id)

        fates = Counter(await asyncio.gather(*(ended(grant_id) for grant_id in grants)))
        return Shredded(
            count, fates[Fate.REVOKED], fates[Fate.SHARED], fates[Fate.DESTROYED], fates[Fate.REVOKING], fates[Fate.UNREADABLE], titles
        )
