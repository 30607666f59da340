"""TokenKeeper: what people granted, sealed; what stands behind each profile; and the end of what nobody needs any more."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta

import structlog
from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.ids import new_id
from hitchpost.networks.base import Adapter, AppCredentials, Call, Consent, Derived, Login, Revocation, TokenSet
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from hitchpost.tokens import freshness, repository
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.cipher import Place, SealBroken
from hitchpost.tokens.freshness import Standing
from hitchpost.tokens.vault import INSTALLATION, Vault

ABANDONED_AFTER = timedelta(minutes=15)
LEASE = timedelta(seconds=120)
REVOKES_AT_A_TIME = 64
_GIVEN_BACK = "it was given back, for no profile needed it"


class TokenKeeper:
    """The room's service. `flow_open(tx, grant_id)`: whether a connection under way still needs the grant."""

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, catalog: Catalog, http: NetworkHttp, *, flow_open: Callable[[Tx, str], bool]
    ) -> None:
        self._database, self._clock, self._vault, self._http = database, clock, vault, http
        self._flow_open = flow_open
        self._apps = Apps(catalog, vault)
        self._log = structlog.get_logger("hitchpost.tokens")

    # Apps.

    def configure_apps(self, tx: Tx, configured: Sequence[AppSettings]) -> None:
        """Step, at start: the configured apps become rows and credentials. Raises BadSettings naming the variable."""
        self._apps.configure(tx, configured)

    def logins(self, provider: str) -> tuple[tuple[Login, AppCredentials], ...]:
        """The configured ways through a network's consent; none when no app is configured."""
        return self._apps.ways(provider)

    def app(self, app_id: str) -> AppCredentials:
        """The credentials of an app that is or was configured."""
        return self._apps[app_id]

    # Sealing for other rooms.

    def seal(self, tx: Tx, table: str, column: str, row: str, secret: Secret) -> str:
        """Step: the sealed text of a secret of the installation, bound to its place."""
        return self._vault.seal(tx, Place(INSTALLATION, table, column, row), secret)

    def unseal(self, tx: Tx, table: str, column: str, row: str, text: str) -> Secret:
        """Step: the secret sealed for that place. Raises SealBroken."""
        return self._vault.open(tx, Place(INSTALLATION, table, column, row), text)

    # Grants.

    def take_consent_seq(self, tx: Tx) -> int:
        """Step, inside a callback's claim: the consent's place in the order of all consents."""
        return repository.next_consent(tx)

    def record_consent(self, tx: Tx, *, app_id: str, consent: Consent, consent_seq: int) -> str:
        """Step: the consent becomes or renews the Grant of (app, subject) at once; its id. An older one never overwrites a newer one."""
        now, tokens = self._clock.now(), consent.tokens
        known = repository.hold_or_make(tx, app_id, consent.subject.id, _unborn(now))
        grant_id, version = str(known["id"]), int(known["version"]) + 1
        if known["consent_seq"] > consent_seq:
            return grant_id
        if known["state"] == "live":
            tokens = freshness.kept_refresh(tokens, self._stored(tx, grant_id), now)
        values: dict[str, object] = {
            "name": consent.subject.name, "state": "live", "cause": "", "code": "", "scopes": " ".join(sorted(consent.granted or ())),
            "access_expires_at": tokens.access_expires_at, "refresh_expires_at": tokens.refresh_expires_at,
            "renews_itself": tokens.refresh is not None, "consented_at": now, "consent_seq": consent_seq, "version": version,
            "due_at": None, "claim_id": "", "claim_kind": "", "claims": 0,
        }  # fmt: skip
        repository.change_grant(tx, grant_id, values)
        sealed = self._vault.seal(tx, _tokens_place(grant_id), freshness.written(tokens))
        repository.put_token_set(tx, grant_id, version, sealed)
        return grant_id

    def tokens_of(self, tx: Tx, grant_id: str) -> TokenSet:
        """Step: the tokens in clear, in memory only. Raises Fault REVOKED when the grant has none any more."""
        tokens = self._stored(tx, grant_id)
        if tokens is None:
            raise Fault(FaultKind.REVOKED, "given_back", _GIVEN_BACK)
        return tokens

    def _stored(self, tx: Tx, grant_id: str) -> TokenSet | None:
        sealed = repository.token_set(tx, grant_id)
        return None if sealed is None else freshness.read(self._vault.open(tx, _tokens_place(grant_id), sealed))

    # What stands behind profiles.

    def back(self, tx: Tx, *, profile_id: str, grant_id: str, derived: Derived, confirmed_by: str) -> None:
        """Step: the grant's reach stands behind the profile, confirmed by a member; the same reach again is renewed in place.

        Raises Problem access_revoked, so that nothing is attached, when the grant has been given back meanwhile.
        """
        one, now, grant = derived.candidate, self._clock.now(), repository.hold(tx, grant_id)
        if grant is None or grant["state"] != "live":
            raise Problem("access_revoked", network=self._apps.title_of(grant["app_id"]) if grant else "", detail=_GIVEN_BACK)
        values: dict[str, object] = {
            "parent_id": one.parent_id, "tasks": " ".join(one.tasks), "verdict": json.dumps(asdict(one.verdict)), "checked_at": now,
        }  # fmt: skip
        reach_id = repository.put_reach(tx, grant_id, one.kind, one.external_id, new_id(), values)
        sealed = ""
        if derived.token is not None:
            sealed = self._vault.seal(tx, Place(INSTALLATION, "reaches", "sealed_token", reach_id), derived.token)
        repository.put_reach_token(tx, reach_id, sealed)
        repository.put_backing(tx, profile_id, reach_id, confirmed_by, now)

    def standing(self, tx: Tx, profile_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Step: how each of these profiles stands, for lists."""
        found: dict[str, list[RowMapping]] = {profile_id: [] for profile_id in profile_ids}
        for row in repository.backed_by(tx, profile_ids):
            found[row["profile_id"]].append(row)
        now = self._clock.now()
        return {profile_id: freshness.standing_of(rows, now) for profile_id, rows in found.items()}

    def detach(self, tx: Tx, profile_ids: Sequence[str]) -> None:
        """Step: nothing stands behind these profiles any more; the sweep gives back the grants that nobody else needs."""
        repository.sever(tx, profile_ids)

    # The end of what nobody needs.

    async def sweep_abandoned(self) -> int:
        """Story: give back, at the network too, every grant that no profile and no open flow needs; how many ended."""
        now = self._clock.now()
        rows = await self._database.read(lambda tx: repository.abandoned(tx, now - ABANDONED_AFTER, now, REVOKES_AT_A_TIME))
        ended = 0
        for row in rows:
            try:
                ended += await self.discard(str(row["id"]))
            except SealBroken:
                # A cell that was tampered with must not keep the others from ending; it stays as evidence.
                self._log.error("the tokens of a grant do not open", grant=row["id"])
        return ended

    async def discard(self, grant_id: str) -> bool:
        """Story: give this grant back now, unless a profile or an open flow needs it; whether it ended. Raises SealBroken."""
        claim_id = new_id()
        claimed = await self._database.begin(lambda tx: self._claim_revoke(tx, grant_id, claim_id))
        if claimed is None:
            return False
        outcome, again = await self._revoked(claimed, grant_id)

        def record(tx: Tx) -> bool:
            # A newer consent may have taken the grant over meanwhile: then the version is not ours, and nothing is touched.
            values: dict[str, object] = {"due_at": again} if again else {"state": "gone", "due_at": None}
            if not repository.record_grant(tx, grant_id, claim_id, version=claimed.version, values=values) or again:
                return False
            repository.destroy(tx, grant_id)
            return True

        ended = await self._database.begin(record)
        if ended:
            self._log.info("grant given back", grant=grant_id, outcome=outcome)
        return ended

    async def _revoked(self, claimed: "_Revoke", grant_id: str) -> tuple[str, datetime | None]:
        """Act: what became of it, and when to try again, or None when it is over (threat E8: revoke with retries, then destroy)."""
        try:
            return (await claimed.act(self._http, self._clock)).value, None
        except Fault as fault:
            if fault.kind in (FaultKind.REVOKED, FaultKind.REFUSED):
                return Revocation.ALREADY_DEAD.value, None
            again = freshness.next_revoke(self._clock.now(), claimed.tries, fault.retry_at)
            self._log.warning("a grant could not be given back", grant=grant_id, fault=fault.code, again=again and again.isoformat())
            return "unreachable", again

    def _claim_revoke(self, tx: Tx, grant_id: str, claim_id: str) -> "_Revoke | None":
        # Held first: an attach that is being written just now is either seen here, or finds the grant revoking.
        now, row = self._clock.now(), repository.hold(tx, grant_id)
        if row is None or row["state"] == "gone" or row["app_id"] not in self._apps:
            return None
        if self._flow_open(tx, grant_id) or repository.is_backed(tx, grant_id):
            return None
        if not repository.claim_grant(tx, grant_id, claim_id, "revoke", version=row["version"], now=now, until=now + LEASE):
            return None
        app, tokens, served = self._apps[row["app_id"]], self._stored(tx, grant_id), self._apps.served_by(row["app_id"])
        shared = repository.others_alive(tx, grant_id, app.client_id, row["subject"])
        at = None if tokens is None or served is None or shared else (*served, app, tokens)
        return _Revoke(row["version"], row["claims"] + 1, at)


@dataclass(frozen=True, slots=True)
class _Revoke:
    """A claimed revoke; `at` None: the network is not told, above all when another grant lives on the same login (threat A20)."""

    version: int
    tries: int
    at: tuple[Adapter, Login, AppCredentials, TokenSet] | None

    async def act(self, http: NetworkHttp, clock: Clock) -> Revocation:
        if self.at is None:
            return Revocation.UNSUPPORTED
        adapter, login, app, tokens = self.at
        return await adapter.revoke(Call(http, app, login, clock.now()), tokens)


def _tokens_place(grant_id: str) -> Place:
    return Place(INSTALLATION, "token_sets", "sealed", grant_id)


def _unborn(now: datetime) -> dict[str, object]:
    """A grant's row before its first consent is recorded in the same transaction."""
    return {
        "id": new_id(), "name": "", "state": "gone", "cause": "", "code": "", "scopes": "", "granular": "", "renews_itself": False,
        "consented_at": now, "consent_seq": 0, "version": 0, "claim_id": "", "claim_kind": "", "claims": 0,
    }  # fmt: skip
