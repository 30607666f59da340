"""Renewing: every live grant has tokens that work, at the price of one network call a renewal, whoever asks and wherever.

In one process all who wait for a grant share one attempt; in other processes they see its claim and wait for the new version.
"""

import asyncio
from dataclasses import dataclass
from functools import partial

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.jobs.stopping import Stopping, ended
from hitchpost.networks.base import TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import leases, repository, timing
from hitchpost.tokens.halting import refuse_if_halted
from hitchpost.tokens.renewal import Claimed, Renewal

SLOTS = 32
"""Renewals of one app under way in one process."""
PATIENCE = 30.0
_POLL = 0.1
GIVEN_BACK = "it was given back, for no profile needed it"
ENDED = "the access has ended"


@dataclass(frozen=True, slots=True)
class Fresh:
    """Tokens that work as far as anybody knows. `version`: to be named when the network refuses them after all."""

    tokens: TokenSet
    version: int


class Renewing:
    """Who asks for fresh tokens, and what falls due by itself."""

    def __init__(self, database: Database, clock: Clock, renewal: Renewal, stopping: Stopping) -> None:
        self._database, self._clock, self._renewal, self._stopping = database, clock, renewal, stopping
        self._attempts: dict[str, asyncio.Task[None]] = {}
        self._rounds: dict[str, asyncio.Task[int]] = {}

    # On demand.

    async def fresh(self, grant_id: str, *, refused: int | None = None) -> Fresh:
        """Story: tokens of the grant that work. `refused`: the version whose access token the network has just refused.

        Raises Fault: REVOKED when the person must connect again; else one that passes, with `retry_at` where known.
        """
        seen = await self._database.read(lambda tx: self._seen(tx, grant_id))
        if self._works(seen, refused):
            return Fresh(seen.tokens, seen.row["version"])
        try:
            await self._attempt(grant_id, int(seen.row["version"]))
        except Fault as fault:
            # Read again before judging: an answer that came late says nothing of what others have made meanwhile (R2).
            newer = await self._database.read(lambda tx: self._newer(tx, seen))
            if newer is not None and self._works(newer, refused):
                return Fresh(newer.tokens, newer.row["version"])
            if refused is None and fault.retryable and self._lives(seen):
                return Fresh(seen.tokens, seen.row["version"])
            raise
        seen = await self._database.read(lambda tx: self._seen(tx, grant_id))
        if refused is not None and seen.row["version"] <= refused:
            raise Fault(FaultKind.REVOKED, "refused_twice", "the network refuses a token that it has just given")
        return Fresh(seen.tokens, seen.row["version"])

    async def refused(self, grant_id: str, version: int, fault: Fault) -> Fresh:
        """Story: the network has refused this version's access token with `fault`; a newer one, if one can be had.

        Raises Fault; REVOKED means that the grant has ended, for the network has refused all that there was.
        """
        try:
            return await self.fresh(grant_id, refused=version)
        except Fault as no:
            if no.kind is FaultKind.REVOKED:
                await self._database.begin(lambda tx: self._renewal.end(tx, grant_id, fault, version=version))
            raise

    def _works(self, seen: "Claimed", refused: int | None) -> bool:
        ends = seen.row["access_expires_at"]
        return (refused is None or seen.row["version"] > refused) and (ends is None or ends - timing.EARLY > self._clock.now())

    def _lives(self, seen: "Claimed") -> bool:
        ends = seen.row["access_expires_at"]
        return ends is None or ends > self._clock.now()

    def _newer(self, tx: Tx, seen: "Claimed") -> "Claimed | None":
        refuse_if_halted(tx)
        row = repository.grant(tx, seen.row["id"])
        if row is None or row["state"] != "live" or row["version"] <= seen.row["version"]:
            return None
        return Claimed(row, "", self._renewal.tokens(tx, row))

    def _seen(self, tx: Tx, grant_id: str) -> "Claimed":
        refuse_if_halted(tx)
        row = repository.grant(tx, grant_id)
        if row is None or row["state"] != "live":
            if row is None or row["state"] != "reconnect":
                raise Fault(FaultKind.REVOKED, "given_back", GIVEN_BACK)
            raise Fault(FaultKind.REVOKED, row["code"], ENDED)
        return Claimed(row, "", self._renewal.tokens(tx, row))

    async def _attempt(self, grant_id: str, version: int) -> None:
        """Share one attempt with everybody in this process who wants more than `version`. Raises its Fault."""
        running = self._attempts.get(grant_id)
        if running is None:
            running = asyncio.create_task(self._waited_for(grant_id, version), name=f"renew {grant_id}")
            self._attempts[grant_id] = running
            running.add_done_callback(lambda ended: self._forget(grant_id, ended))
        # shield: who stops waiting must not stop the call that others wait for.
        await asyncio.shield(running)

    def _forget(self, grant_id: str, ended: "asyncio.Task[None]") -> None:
        self._attempts.pop(grant_id, None)
        if not ended.cancelled():
            # Looked at here: everybody who waited may have gone away.
            ended.exception()

    async def _waited_for(self, grant_id: str, version: int) -> None:
        """Renew, or wait until whoever is renewing has done it."""
        claim_id, patience = new_id(), self._clock.monotonic() + PATIENCE
        while True:
            claimed = await self._database.begin(lambda tx: self._renewal.claim_one(tx, grant_id, claim_id, version))
            if claimed is None:
                return
            if isinstance(claimed, Fault):
                raise claimed
            if isinstance(claimed, Claimed):
                fault = await self._renewal.act(claimed)
                if fault is not None:
                    raise fault
                return
            if self._clock.monotonic() >= patience:
                raise Fault(FaultKind.TRANSIENT, "renewed_elsewhere", "another process is renewing the access just now", retry_at=claimed)
            await asyncio.sleep(_POLL)

    # What is due.

    async def renew_due(self) -> int:
        """Story: one round over every app that has grants due, side by side; how many were looked after."""
        return sum(await asyncio.gather(*await self._begin_rounds()))

    async def tend(self) -> None:
        """Begin a round for each app that has something due and none under way; it goes on by itself."""
        await self._begin_rounds()

    async def _begin_rounds(self) -> list["asyncio.Task[int]"]:
        now = self._clock.now()
        for app_id in await self._database.read(lambda tx: leases.apps_with_due(tx, now)):
            if app_id not in self._rounds and self._renewal.knows(app_id):
                task = asyncio.create_task(self._round(app_id), name=f"renew app {app_id}")
                self._rounds[app_id] = task
                task.add_done_callback(lambda _, ended=app_id: self._rounds.pop(ended, None))  # type: ignore[misc]
        return list(self._rounds.values())

    async def _round(self, app_id: str) -> int:
        """Claim and renew until nothing is due, or the gate lets nothing pass."""
        done, running = 0, set[asyncio.Task[Fault | None]]()
        while True:
            free = 0 if self._stopping.told else SLOTS - len(running)
            claimed = await self._database.begin(partial(self._renewal.claim_due, app_id=app_id, free=free)) if free else []
            done += len(claimed)
            running |= {asyncio.create_task(self._renewal.look_after(one)) for one in claimed}
            if not running:
                return done
            _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)

    async def settled(self, seconds: float | None = None) -> None:
        """When every attempt under way has been recorded; after so many seconds those that have not are given up."""
        until = None if seconds is None else self._clock.monotonic() + seconds
        while tasks := [*self._attempts.values(), *self._rounds.values()]:
            if until is None:
                await asyncio.gather(*tasks, return_exceptions=True)
            else:
                await ended(tasks, until - self._clock.monotonic())
