"""Renewing: every live grant has tokens that work, at the price of one network call a renewal, whoever asks and wherever.

In one process all who wait for a grant share one attempt; in other processes they see its claim and wait for the new version.
"""

import asyncio
import math
from dataclasses import dataclass
from functools import partial

import structlog

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.jobs.stopping import Stopping
from hitchpost.networks.base import TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import leases, repository, timing
from hitchpost.tokens.halting import is_halted, refuse_if_halted
from hitchpost.tokens.renewal import Claimed, Renewal
from hitchpost.tokens.sharing import Shared

SLOTS = 16
"""Renewals of one batch under way at once."""
LANES = 4
"""Batches of one app under way at once, in all processes together."""
LANE = 512
"""Grants after which a batch ends, so that a process that has come meanwhile gets the next one."""
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
        self._shared = Shared(clock, "renew")
        self._log = structlog.get_logger("hitchpost.tokens")

    # On demand.

    async def fresh(self, grant_id: str, *, refused: int | None = None) -> Fresh:
        """Story: tokens of the grant that work. `refused`: the version whose access token the network has just refused.

        Raises Fault: REVOKED when the person must connect again; else one that passes, with `retry_at` where known.
        """
        seen = await self._database.read(lambda tx: self._seen(tx, grant_id))
        if self._works(seen, refused):
            return Fresh(seen.tokens, seen.row["version"])
        try:
            await self._shared.attempt(grant_id, partial(self._waited_for, grant_id, int(seen.row["version"])))
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

    async def over(self, grant_id: str, version: int, fault: Fault) -> None:
        """Story: the network has refused these tokens too, which it had just given: the grant has ended."""
        await self._database.begin(lambda tx: self._renewal.end(tx, grant_id, fault, version=version))

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
        return sum(await asyncio.gather(*(self._round(app_id) for app_id in await self._due())))

    async def batches(self) -> tuple[str, ...]:
        """What is due, in batches that several processes can share: names that `renew_batch` understands, several for an app with many."""
        due = (await self._due()).items()
        return tuple(f"{app_id} {lane}" for app_id, count in due for lane in range(min(math.ceil(count / SLOTS), LANES)))

    async def renew_batch(self, batch: str) -> int:
        """Story: renew what is due of the batch's app, for a while; how many were looked after."""
        return await self._round(batch.partition(" ")[0], most=LANE)

    async def _due(self) -> dict[str, int]:
        now = self._clock.now()
        found = await self._database.read(lambda tx: {} if is_halted(tx) else leases.due_by_app(tx, now))
        return {app_id: count for app_id, count in found.items() if self._renewal.knows(app_id)}

    async def _round(self, app_id: str, most: int | None = None) -> int:
        """Claim and renew until nothing is due, or the gate lets nothing pass, or `most` were looked after."""
        done, running = 0, set[asyncio.Task[Fault | None]]()
        try:
            while True:
                free = SLOTS - len(running)
                # By the handful: a claim for each single grant would cost as much as its renewal.
                claims = not self._stopping.told and free >= SLOTS // 4 and (most is None or done < most)
                claimed = await self._database.begin(partial(self._renewal.claim_due, app_id=app_id, free=free)) if claims else []
                done += len(claimed)
                running |= {asyncio.create_task(self._renewal.look_after(one)) for one in claimed}
                if not running:
                    return done
                finished, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
                for one in finished:
                    if error := one.exception():
                        self._log.error("a renewal failed", exc_info=error)
        finally:
            for one in running:
                one.cancel()

    async def settled(self, seconds: float | None = None) -> None:
        """When every attempt under way has been recorded; after so many seconds those that have not are given up."""
        await self._shared.settled(seconds)
