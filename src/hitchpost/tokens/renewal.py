"""One renewal: claimed by a conditional update, asked of the network without a transaction, recorded while the claim is ours (law 1)."""

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

import structlog
from sqlalchemy import RowMapping
from sqlalchemy.exc import DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Step, T, Tx
from hitchpost.ids import new_id
from hitchpost.networks.base import Call, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.tokens import freshness, gates, leases, outcomes, reaches, repository, timing
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.cipher import SealBroken
from hitchpost.tokens.gates import Rate
from hitchpost.tokens.halting import is_halted
from hitchpost.tokens.stored import opened, put_to_rest, tokens_at_rest
from hitchpost.tokens.vault import Vault

_PACE_KEPT = 60.0
_TAMPERED = timedelta(hours=6)
_RETRIES = (0.05, 0.2, 1.0, 2.0, 5.0)


@dataclass(frozen=True, slots=True)
class GrantEnded:
    """A grant that needs its person again, told to the rooms above in the transaction that ends it.

    `cause`: expired, superseded, revoked or unknown. `network_code`: what the network itself called it, or empty. `profile_ids`: what
    stood on it.
    """

    grant_id: str
    code: str
    cause: str
    network_code: str
    profile_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Claimed:
    """A grant that is ours to renew. `row`: as it was before the claim."""

    row: RowMapping
    claim_id: str
    tokens: TokenSet


class Renewal:
    """`on_ended`: called in the transaction that ends a grant. `a_minute`: permits that the operator set, 0 for the app's own pace."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, apps: Apps, http: NetworkHttp, *,
        on_ended: Callable[[Tx, GrantEnded], None], a_minute: float = 0.0,
    ) -> None:  # fmt: skip
        self._database, self._clock, self._vault, self._apps, self._http = database, clock, vault, apps, http
        self._on_ended, self._a_minute = on_ended, a_minute
        self._paces: dict[str, tuple[float, float]] = {}
        self._under_way = set[str]()
        self._log = structlog.get_logger("hitchpost.tokens")

    def knows(self, app_id: str) -> bool:
        """Whether this process has the credentials of the app."""
        return app_id in self._apps

    # The claim.

    def claim_one(self, tx: Tx, grant_id: str, claim_id: str, version: int) -> "Claimed | datetime | Fault | None":
        """The claim; or until when another one holds; or why it cannot be now; or None when a newer version is there."""
        now, row = self._clock.now(), repository.hold(tx, grant_id)
        if row is None or row["state"] != "live" or row["version"] > version:
            return None
        due: datetime | None = row["due_at"]
        if row["claim_id"] and due is not None:
            if due > now or row["id"] in self._under_way:
                return max(due, now)
            due = timing.after_doubt(due, due, row["access_expires_at"])
            leases.put_back(tx, grant_id, due)
        if row["doubts"] and due is not None and due > now:
            return Fault(FaultKind.TRANSIENT, "in_doubt", "an answer of the network was lost; it is asked again soon", retry_at=due)
        if not self._may_try(row, tokens := self._opened(tx, row), now):
            return Fault(FaultKind.REVOKED, "expired", "the access has ended and cannot renew itself", cause="expired")
        passed = gates.take(tx, row["app_id"], gates.REFRESH, 1, self._rate(tx, row["app_id"]), now, waiting=True)
        if not passed.permits:
            return gates.refusal(tx, row["app_id"], gates.REFRESH, passed.until)
        leases.claim_one(tx, grant_id, claim_id, version=row["version"], until=now + timing.LEASE)
        return Claimed(row, claim_id, tokens)

    def _may_try(self, row: RowMapping, tokens: TokenSet, now: datetime) -> bool:
        served = self._apps.served_by(row["app_id"])
        return served is not None and served[1].tries(tokens) and now - row["issued_at"] >= served[1].renewable_after

    def claim_due(self, tx: Tx, app_id: str, free: int) -> "list[Claimed]":
        if is_halted(tx):
            return []
        now, claim_id = self._clock.now(), new_id()
        passed = gates.take(tx, app_id, gates.REFRESH, free, self._rate(tx, app_id), now)
        if not passed.permits:
            return []
        rows = self._claim_rows(tx, app_id, claim_id, passed.permits, now)
        gates.give_back(tx, app_id, gates.REFRESH, passed.permits - len(rows))
        claimed: list[Claimed] = []
        for row in rows:
            try:
                claimed.append(Claimed(row, claim_id, self._opened(tx, row)))
            except Fault:
                # A cell that was tampered with must not keep the others from living; it stays as evidence. Nothing was sent: no doubt.
                self._log.error("the tokens of a grant do not open", grant=row["id"])
                before = {"claims": row["claims"], "doubts": row["doubts"], "claim_id": "", "claim_kind": ""}
                repository.change_grant(tx, row["id"], {**outcomes.unreadable(row, now), **before, "due_at": now + _TAMPERED})
        return claimed

    def _claim_rows(self, tx: Tx, app_id: str, claim_id: str, most: int, now: datetime) -> list[RowMapping]:
        """What has just fallen due, which waits for no backlog; then what has missed its date, as far as its own gate lets it flow."""
        missed = gates.missed_before(tx, app_id, now)
        claim = partial(leases.claim_due, tx, app_id, claim_id, now=now, under_way=self._under_way)
        rows = [*claim(leases.Fell(missed, now), limit=most)]
        if len(rows) == most:
            return rows
        rate = Rate.of_dammed(self._pace(tx, app_id), self._a_minute)
        dammed = gates.take(tx, app_id, gates.DAMMED, most - len(rows), rate, now, waiting=True)
        late = claim(leases.Fell(None, missed), limit=dammed.permits) if dammed.permits else ()
        gates.give_back(tx, app_id, gates.DAMMED, dammed.permits - len(late))
        return [*rows, *late]

    async def look_after(self, claimed: Claimed) -> Fault | None:
        now, row = self._clock.now(), claimed.row
        if self._may_try(row, claimed.tokens, now):
            return await self.act(claimed)
        ends = row["access_expires_at"]
        if ends is not None and ends <= now:
            fault = Fault(FaultKind.REVOKED, "expired", "the access has ended and cannot renew itself", cause="expired")
            await self._stubbornly(lambda tx: self._end(tx, claimed, fault))
            return fault
        values: dict[str, object] = {"doubts": row["doubts"], "claims": 0, **self._dates(claimed)}
        await self._stubbornly(lambda tx: leases.record(tx, row["id"], claimed.claim_id, version=row["version"], values=values))
        return None

    def _dates(self, claimed: Claimed) -> Mapping[str, object]:
        served = self._apps.served_by(claimed.row["app_id"])
        if served is None:
            return {"due_at": claimed.tokens.access_expires_at}
        return outcomes.dates(claimed.row["id"], served[1], claimed.tokens, claimed.row["issued_at"])

    # The act and its record.

    async def act(self, claimed: Claimed) -> Fault | None:
        """Act and record; the Fault if there is one."""
        self._under_way.add(claimed.row["id"])
        try:
            return await self._acted(claimed)
        finally:
            self._under_way.discard(claimed.row["id"])

    async def _acted(self, claimed: Claimed) -> Fault | None:
        row, now = claimed.row, self._clock.now()
        adapter, login = self._apps.serving(row["app_id"])
        try:
            new = await adapter.refresh(Call(self._http, self._apps[row["app_id"]], login, now), claimed.tokens)
        except Fault as fault:
            await self._stubbornly(lambda tx, fault=fault: self._failed(tx, claimed, fault))  # type: ignore[misc]
            return fault

        def record(tx: Tx) -> bool:
            # Held before it is read: a consent that is being recorded just now is waited for, and its tokens are seen.
            repository.hold(tx, row["id"])
            stored, broken = None, False
            try:
                stored = tokens_at_rest(tx, self._vault, row["id"])
            except SealBroken:
                # Changed while the network was asked: what it has given instead heals it, if the claim is still ours.
                broken = True
            tokens = outcomes.merged(new, stored or claimed.tokens, now)
            values = outcomes.renewed(row["id"], login, tokens, now) | {"version": row["version"] + 1}
            if mine := leases.record(tx, row["id"], claimed.claim_id, version=row["version"], values=values):
                put_to_rest(tx, self._vault, row["id"], row["version"] + 1, tokens)
            if broken:
                said = " and are replaced" if mine else ", and what came late for it is not kept"
                self._log.error(f"the tokens of a grant do not open{said}", grant=row["id"])
            kept = mine or broken or self._came_late(tx, row, new, stored, now)
            gates.worked(tx, row["app_id"], gates.REFRESH)
            return kept

        if not await self._stubbornly(record):
            # Nobody holds the grant any more, and nobody else has this login: what it still gave is ended at once, as far as may be.
            with suppress(Fault):
                await adapter.revoke(Call(self._http, self._apps[row["app_id"]], login, now), new, row["subject"])
        return None

    def _came_late(self, tx: Tx, row: RowMapping, late: TokenSet, stored: TokenSet | None, now: datetime) -> bool:
        """The answer came when the claim was lost. Nobody uses it, but it lives at the network: it is to end with the grant.

        False: there is no grant any more that it could end with, nor another on the same login, so it is to be ended now.
        """
        current = repository.hold(tx, row["id"])
        if current is not None and stored is not None:
            put_to_rest(tx, self._vault, row["id"], current["version"], freshness.with_former(stored, late, now))
            return True
        return repository.others_alive(tx, row["id"], self._apps[row["app_id"]].client_id, row["subject"])

    def _failed(self, tx: Tx, claimed: Claimed, fault: Fault) -> None:
        now, row = self._clock.now(), claimed.row
        if fault.kind in outcomes.ENDING:
            self._end(tx, claimed, fault)
        elif leases.record(tx, row["id"], claimed.claim_id, version=row["version"], values=outcomes.troubled(row, fault, now)):
            self._log.warning(
                "a grant could not be renewed", grant=row["id"], fault=fault.code, kind=fault.kind.value, problem=fault.problem
            )
        gates.heard(tx, row["app_id"], gates.REFRESH, fault, now)

    def _end(self, tx: Tx, claimed: Claimed, fault: Fault) -> None:
        row, values = claimed.row, outcomes.ended(claimed.row, fault, self._clock.now())
        if leases.record(tx, row["id"], claimed.claim_id, version=row["version"], values=values):
            self._ended(tx, row["id"], values, fault)

    def end(self, tx: Tx, grant_id: str, fault: Fault, *, version: int | None = None) -> bool:
        """Step: the network has said that the grant is over, beside any renewal. `version`: only if its tokens are still these."""
        row = repository.hold(tx, grant_id)
        if row is None or row["state"] != "live" or (version is not None and (row["version"] != version or row["claim_id"])):
            return False
        values = outcomes.ended({**row, "doubts": 0}, fault, self._clock.now()) | {"claim_id": "", "claim_kind": ""}
        repository.change_grant(tx, grant_id, values)
        self._ended(tx, grant_id, values, fault)
        return True

    def _ended(self, tx: Tx, grant_id: str, values: outcomes.Values, fault: Fault) -> None:
        self._log.info("a grant has ended", grant=grant_id, fault=fault.code, problem=values["code"], cause=values["cause"])
        stood = reaches.profiles_on(tx, grant_id)
        if values["cause"] in outcomes.SEVERING:
            reaches.sever_grant(tx, grant_id)
        self._on_ended(tx, GrantEnded(grant_id, str(values["code"]), str(values["cause"]), fault.network_code, stood))

    async def _stubbornly(self, step: Step[T]) -> T:
        """Record, and again, while the process lives: what the network did must not be forgotten for a full disk or a lost server."""
        tries = 0
        while True:
            try:
                return await self._database.begin(step)
            except (IntegrityError, ProgrammingError):
                raise
            except (DBAPIError, PoolTimeout, OSError) as error:
                wait = _RETRIES[min(tries, len(_RETRIES) - 1)]
                self._log.error("an outcome could not be recorded and is kept", error=type(error).__name__, again_in=wait)
            tries += 1
            await asyncio.sleep(wait)

    def _opened(self, tx: Tx, row: RowMapping) -> TokenSet:
        tokens = self.tokens(tx, row)
        if row["trouble"] == freshness.UNREADABLE:
            repository.opens_again(tx, row["id"])
        return tokens

    def tokens(self, tx: Tx, row: RowMapping) -> TokenSet:
        """What is stored, in clear. Raises Fault: REVOKED when there is nothing, UNREADABLE when it does not open."""
        sealed = row["sealed"] if "sealed" in row else repository.token_set(tx, row["id"])
        if sealed is None:
            raise Fault(FaultKind.REVOKED, "gone", "the access has ended")
        try:
            return opened(tx, self._vault, row["id"], sealed)
        except SealBroken:
            raise Fault(FaultKind.UNREADABLE, "seal_broken") from None

    def _rate(self, tx: Tx, app_id: str) -> Rate:
        return Rate.of(self._pace(tx, app_id), self._a_minute)

    def _pace(self, tx: Tx, app_id: str) -> float:
        """Measured once a minute: the count of an app's grants changes slowly."""
        now = self._clock.monotonic()
        measured, at = self._paces.get(app_id, (0.0, -_PACE_KEPT))
        if now - at >= _PACE_KEPT:
            measured = leases.pace(tx, app_id).a_minute
            self._paces[app_id] = (measured, now)
        return measured
