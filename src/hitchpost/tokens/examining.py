"""Examining: what stands behind profiles is looked at again with the very token that would act, on a schedule and after each consent.

Three beats like a renewal (law 1): the reaches are claimed, their date moved to a lease's end; the network is asked; the verdict
is recorded while the claim is ours.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import new_id
from hitchpost.networks.base import Call, Derived, Kind, Picked, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.tokens import freshness, gates, reaches, repository, timing
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.cipher import Place
from hitchpost.tokens.gates import Rate
from hitchpost.tokens.halting import is_halted
from hitchpost.tokens.renewing import Fresh, Renewing
from hitchpost.tokens.stored import note_unreadable
from hitchpost.tokens.timing import LEASE
from hitchpost.tokens.unseen import Unseen, failures_in_a_row
from hitchpost.tokens.vault import INSTALLATION, Vault

_DEADLINE = LEASE.total_seconds() / 2
"""Seconds for one look's questions, however many they are."""
_AT_ONCE = 200
PACE = Rate(60.0)
"""Reaches that a scheduled round examines a minute and app, at most: the calls of people go before."""
_LATER = timedelta(hours=1)
_SPREAD = 1.6
"""What is due at half to three quarters of this much of an interval is due after 0.8 to 1.2 of it: once in it, in the mean."""
_TELLING = (FaultKind.PERMISSION, FaultKind.BLOCKED, FaultKind.REVOKED, FaultKind.REFUSED)
"""What a network says of the account itself: all else says that it could not be seen."""


@dataclass(frozen=True, slots=True)
class VerdictChanged:
    """What stands behind these profiles can do more or less than before; told in the transaction that records it.

    `network_code`: what the network itself called it, or empty.
    """

    profile_ids: tuple[str, ...]
    usable: bool
    code: str
    network_code: str = ""


class Examining:
    """`on_changed(tx, changed)`: told in the transaction that records another verdict."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, apps: Apps, http: NetworkHttp, renewing: Renewing, *,
        on_changed: Callable[[Tx, VerdictChanged], None],
    ) -> None:  # fmt: skip
        self._database, self._clock, self._vault, self._apps, self._http = database, clock, vault, apps, http
        self._renewing, self._on_changed = renewing, on_changed
        self._log = structlog.get_logger("hitchpost.tokens")

    async def is_due(self) -> bool:
        """Whether `due` would find anything."""
        return bool(await self._database.read(self._apps_due))

    def _apps_due(self, tx: Tx) -> list[str]:
        """The apps that have something due and an open gate: what one of them has dammed up keeps no other's from its turn (R18)."""
        now = self._clock.now()
        return [app_id for app_id, providers in self._apps.networks().items() if reaches.is_app_due(tx, app_id, providers, now)]

    async def due(self) -> int:
        """Story: examine what is due, as far as each app's gate lets it; how many reaches."""
        claim_id, now = new_id(), self._clock.now()
        claimed: list[RowMapping] = []
        for app_id in await self._database.read(self._apps_due):
            # Each app in a transaction of its own: nobody holds one's gate and waits for another's.
            claimed += await self._database.begin(partial(self._claim_due, app_id=app_id, claim_id=claim_id, now=now))
        await self.each(claimed, claim_id)
        return len(claimed)

    def _claim_due(self, tx: Tx, app_id: str, claim_id: str, now: datetime) -> list[RowMapping]:
        """The longest due of this app's, as many as its gate lets pass."""
        rows = [] if is_halted(tx) else reaches.due_reaches(tx, app_id, self._apps.networks()[app_id], now, _AT_ONCE)
        if not rows:
            return []
        permits = gates.take(tx, app_id, gates.EXAMINE, len(rows), PACE, now).permits
        mine = reaches.claim_reaches(tx, [row["id"] for row in rows[:permits]], claim_id, until=now + LEASE, due=now)
        return [row for row in rows if row["id"] in mine]

    async def grant(self, grant_id: str) -> tuple[str, ...]:
        """Story: examine all that stands on this grant, for its person has consented anew; the profiles that lost their access by it.

        Whoever looks just now does so with what the network gave before: their claim is taken over, and what they saw is not recorded.
        """
        claim_id, now = new_id(), self._clock.now()

        def claim(tx: Tx) -> Sequence[RowMapping]:
            repository.hold(tx, grant_id)
            rows = self.servable(reaches.standing_reaches(tx, grant_id=grant_id))
            reaches.claim_reaches(tx, [row["id"] for row in rows], claim_id, until=now + LEASE)
            return rows

        return await self.each(await self._database.begin(claim), claim_id)

    def servable(self, rows: Sequence[RowMapping]) -> list[RowMapping]:
        """Those whose network is still known."""
        return [row for row in rows if self._apps.at(row["app_id"], row["provider"])]

    async def each(self, rows: Sequence[RowMapping], claim_id: str, *, tells: bool = False) -> tuple[str, ...]:
        """Look at what this claim holds, side by side for each grant and network; the profiles that lost their access.

        `tells`: raise the Fault for which something could not be seen.
        """
        together: dict[tuple[str, str], list[RowMapping]] = {}
        for row in sorted(rows, key=lambda row: str(row["id"])):
            together.setdefault((row["grant_id"], row["provider"]), []).append(row)
        seen = await asyncio.gather(*(self._examined(grant_id, rows, claim_id) for (grant_id, _), rows in together.items()))
        if tells and (unseen := [fault for _, fault in seen if fault is not None]):
            raise unseen[0]
        return tuple(dict.fromkeys(one for lost, _ in seen for one in lost))

    async def _examined(self, grant_id: str, rows: Sequence[RowMapping], claim_id: str) -> tuple[tuple[str, ...], Fault | None]:
        """The profiles that lost their access, and why nothing could be seen, if so."""
        look = _Look(claim_id, self._clock.now())
        picked = [Picked(Kind(row["kind"]), row["external_id"], row["parent_id"]) for row in rows]
        try:
            found = await self._found(grant_id, rows[0], picked, look)
        except Fault as fault:
            lost = await self._database.begin(partial(self._failed, rows=rows, fault=fault, look=look))
            return lost, None if fault.kind in _TELLING else fault
        return await self._database.begin(lambda tx: self._record(tx, rows, found, look)), None

    async def _found(self, grant_id: str, row: RowMapping, picked: Sequence[Picked], look: "_Look") -> Sequence[Derived]:
        """Act. A token that the network refuses is renewed once; refused again, or not renewable, the grant has ended."""
        fresh = await self._renewing.fresh(grant_id)
        if row["trouble"] == freshness.UNREADABLE:
            await self._database.begin(lambda tx: repository.opens_again(tx, grant_id))
        try:
            return await self._asked(row, fresh, picked, look)
        except Fault as fault:
            if fault.kind is not FaultKind.REVOKED:
                raise
            newer = await self._renewing.refused(grant_id, fresh.version, fault)
        try:
            return await self._asked(row, newer, picked, look)
        except Fault as fault:
            if fault.kind is FaultKind.REVOKED:
                # New tokens that are refused as well: to renew once more would go on for ever, and call dead access well.
                await self._renewing.over(grant_id, newer.version, fault)
            raise

    async def _asked(self, row: RowMapping, fresh: Fresh, picked: Sequence[Picked], look: "_Look") -> Sequence[Derived]:
        served = self._apps.at(row["app_id"], row["provider"])
        assert served is not None, "only what can be examined is claimed"
        adapter, login = served
        try:
            async with asyncio.timeout(_DEADLINE):
                return await adapter.examine(Call(self._http, self._apps[row["app_id"]], login, self._clock.now()), fresh.tokens, picked)
        except TimeoutError:
            fault = Fault(FaultKind.FATE_UNKNOWN, "deadline")
        except Fault as said:
            fault = said
        # Told here, where it is certain that the network was asked: what a renewal meets on the way tells its own gate.
        look.failed, again = fault, failures_in_a_row(row["unseen"]) > 0
        await self._database.begin(lambda tx: gates.heard(tx, row["app_id"], gates.EXAMINE, fault, self._clock.now(), again=again))
        raise fault

    def _record(self, tx: Tx, rows: Sequence[RowMapping], found: Sequence[Derived], look: "_Look") -> tuple[str, ...]:
        repository.hold(tx, rows[0]["grant_id"])
        lost: list[str] = []
        for row, derived in zip(rows, found, strict=True):
            lost += self._note(tx, row, derived.candidate.verdict, look, tasks=" ".join(derived.candidate.tasks), token=derived)
        gates.worked(tx, rows[0]["app_id"], gates.EXAMINE)
        return tuple(dict.fromkeys(lost))

    def _note(
        self,
        tx: Tx,
        row: RowMapping,
        verdict: Verdict,
        look: "_Look",
        *,
        tasks: str,
        token: Derived | None = None,
        said: str = "",
    ) -> tuple[str, ...]:
        """Write one verdict; the profiles that it takes the access from."""
        values: dict[str, object] = {
            "verdict": verdict.written(), "tasks": tasks, "checked_at": look.begun,
            "check_due_at": self.next(row["app_id"], row["provider"], row["id"], look.begun),
        }  # fmt: skip
        if token is not None and token.token is not None:
            values["sealed_token"] = self._vault.seal(tx, Place(INSTALLATION, "reaches", "sealed_token", row["id"]), token.token)
        if not reaches.record_reach(tx, row["id"], look.claim_id, values):
            return ()
        was = json.loads(row["verdict"])
        if was["usable"] == verdict.usable:
            return ()
        profiles = reaches.profiles_of_reach(tx, row["id"])
        self._on_changed(tx, VerdictChanged(profiles, verdict.usable, verdict.code, said))
        return () if verdict.usable else profiles

    def _failed(self, tx: Tx, rows: Sequence[RowMapping], fault: Fault, look: "_Look") -> tuple[str, ...]:
        """What cannot be seen now is seen later; only what the network says of the account itself is a verdict."""
        repository.hold(tx, rows[0]["grant_id"])
        if fault.kind in (FaultKind.PERMISSION, FaultKind.BLOCKED):
            problem = fault.explained(network=self._title(rows[0]), provider=rows[0]["provider"])
            verdict = Verdict.of(problem.code, problem.message, problem.way, fix_by=problem.entry.fix_by)
            lost = [one for row in rows for one in self._note(tx, row, verdict, look, tasks=row["tasks"], said=fault.network_code)]
            return tuple(dict.fromkeys(lost))
        if fault.kind is FaultKind.UNREADABLE:
            # A cell that was tampered with must not keep the others from being examined; it stays as evidence.
            self._log.error("the tokens of a grant do not open", grant=rows[0]["grant_id"])
            note_unreadable(tx, self._vault, rows[0]["grant_id"], look.begun)
        elif fault.kind is not FaultKind.REVOKED:
            said = {"fault": fault.code, "kind": fault.kind.value, "problem": fault.problem}
            self._log.warning("an access could not be examined", grant=rows[0]["grant_id"], **said)
        again = max(look.begun + _LATER, fault.retry_at or look.begun)
        unseen = "" if fault.kind in _TELLING else look.unseen(fault, rows[0]["unseen"], self._clock.now()).written()
        reaches.not_seen(tx, [row["id"] for row in rows], look.claim_id, until=again, unseen=unseen)
        return ()

    def _title(self, row: RowMapping) -> str:
        served = self._apps.at(row["app_id"], row["provider"])
        return served[0].title if served else str(row["provider"])

    def next(self, app_id: str, provider: str, reach_id: str, now: datetime) -> datetime | None:
        """When a reach that was examined now is due again, at a place of its own; None: never by itself."""
        served = self._apps.at(app_id, provider)
        every = served[1].examined_every if served else None
        return None if every is None else timing.next_due(reach_id, now, now + every * _SPREAD)


@dataclass(slots=True)
class _Look:
    """A look under way: whose claim it is, when it began, and what the network failed it with."""

    claim_id: str
    begun: datetime
    failed: Fault | None = None

    def unseen(self, fault: Fault, before: str, now: datetime) -> Unseen:
        """That it saw nothing. `before`: what the look before it left."""
        # What a renewal on the way met has a pace of its own, and says nothing of looks.
        times = failures_in_a_row(before) + 1 if fault is self.failed else 0
        return Unseen(self.claim_id, fault, times, now)
