"""Checking: who wants to know now how a profile stands is answered by one look at its network, however many ask at once, and wherever.

In one process all who ask share one look; in others they see its claim and wait for what it records, a Fault included. The claim of a
process that was killed in a look runs out after the lease, two minutes at most; until then who asks waits for PATIENCE and is told when to
come back, and afterwards whoever asks first looks.
"""

import asyncio
from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import gates, reaches, repository, unseen
from hitchpost.tokens.examining import PACE, Examining
from hitchpost.tokens.sharing import Shared
from hitchpost.tokens.timing import LEASE

PATIENCE = 30.0
"""Seconds by our clock for which a process waits for another one's look."""
_POLL = 0.1


class Checking:
    """On demand what Examining does on schedule."""

    def __init__(self, database: Database, clock: Clock, examining: Examining) -> None:
        self._database, self._clock, self._examining = database, clock, examining
        self._shared = Shared(clock, "look at")

    async def profile(self, profile_id: str) -> None:
        """Story: look at all that stands behind this profile. Raises the Fault for which something of it could not be seen."""
        faults: list[Fault] = []
        for grant_id in await self._database.read(lambda tx: reaches.grants_behind(tx, [profile_id])):
            try:
                await self._shared.attempt(grant_id, partial(self._looked, grant_id))
            except Fault as fault:
                faults.append(fault)
        if faults:
            raise faults[0]

    async def _looked(self, grant_id: str) -> None:
        """Look, or wait until whoever looks just now has recorded it."""
        claim_id, waited, patience = new_id(), dict[str, str](), self._clock.monotonic() + PATIENCE
        while True:
            claimed = await self._database.begin(lambda tx: self._claim(tx, grant_id, claim_id, waited))
            if claimed is None:
                return
            if not isinstance(claimed, datetime):
                await self._examining.each(claimed, claim_id, tells=True)
            elif self._clock.monotonic() >= patience:
                raise Fault(FaultKind.TRANSIENT, "looked_at_elsewhere", "another process is asking just now", retry_at=claimed)
            else:
                await asyncio.sleep(_POLL)

    def _claim(self, tx: Tx, grant_id: str, claim_id: str, waited: dict[str, str]) -> "Sequence[RowMapping] | datetime | None":
        """What is now ours to look at; or until when somebody else looks; or None when all has been seen since this began.

        `waited`: by reach, the claim whose outcome serves us as well, our own included. Raises the Fault that such an outcome was.
        """
        # Held first: of two processes that ask at once the second one finds the claim of the first.
        repository.hold(tx, grant_id)
        now, rows = self._clock.now(), self._examining.servable(reaches.standing_reaches(tx, grant_id=grant_id))
        held = [row for row in rows if _is_claimed(row, now)]
        if held:
            waited.update({row["id"]: row["claim_id"] for row in held})
            until: datetime = max(row["check_due_at"] for row in held)
            return until
        for row in rows:
            if (fault := unseen.of(row["unseen"], waited.get(row["id"], ""))) is not None:
                raise fault
        # What still bears the claim that was waited for has met its lease's end: nobody has looked. What is due after it was taken from
        # that look, which came too early for what happened meanwhile.
        left = [row for row in rows if row["id"] not in waited or row["claim_id"] == waited[row["id"]] or _is_due(row, now)]
        if not left:
            return None
        lately = [unseen.lately(row["unseen"], now) for row in left]
        if (fault := next(filter(None, lately), None)) is not None and None not in lately:
            raise fault
        left = [row for row, why in zip(left, lately, strict=True) if why is None]
        self._pass_gate(tx, left[0]["app_id"], now)
        mine = reaches.claim_reaches(tx, [row["id"] for row in left], claim_id, until=now + LEASE, free=now)
        if not mine:
            # A scheduled look was faster, and is waited for.
            gates.give_back(tx, left[0]["app_id"], gates.EXAMINE, 1)
        waited.update(dict.fromkeys(mine, claim_id))
        return [row for row in left if row["id"] in mine]

    def _pass_gate(self, tx: Tx, app_id: str, now: datetime) -> None:
        """Who asks now waits in no queue, but what the network has said of its limits, or of the app, holds for them too (R17)."""
        passed = gates.take(tx, app_id, gates.EXAMINE, 1, PACE, now, waiting=True)
        if not passed.permits:
            raise gates.refusal(tx, app_id, gates.EXAMINE, passed.until)

    async def settled(self, seconds: float | None = None) -> None:
        """When every look that somebody has asked for has been recorded; after so many seconds those that have not are given up."""
        await self._shared.settled(seconds)


def _is_due(row: RowMapping, now: datetime) -> bool:
    return row["check_due_at"] is not None and row["check_due_at"] <= now


def _is_claimed(row: RowMapping, now: datetime) -> bool:
    return bool(row["claim_id"]) and row["check_due_at"] is not None and row["check_due_at"] > now
