"""TokenKeeper: what people granted, sealed and kept alive; what stands behind each profile; the end of what nobody needs any more."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.ids import new_id
from hitchpost.jobs.stopping import Stopping
from hitchpost.networks.base import AppCredentials, Consent, Derived, Login, TokenSet
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from hitchpost.tokens import freshness, outcomes, reaches, repository, timing
from hitchpost.tokens.apps import Apps
from hitchpost.tokens.checking import Checking
from hitchpost.tokens.cipher import Place, SealBroken
from hitchpost.tokens.emergency import Emergency
from hitchpost.tokens.examining import Examining, VerdictChanged
from hitchpost.tokens.freshness import Standing, State
from hitchpost.tokens.giving_back import AccessLeft, GivingBack
from hitchpost.tokens.halting import emergency, is_given_back
from hitchpost.tokens.renewal import GrantEnded, Renewal
from hitchpost.tokens.renewing import GIVEN_BACK, Fresh, Renewing
from hitchpost.tokens.revoke import Fate
from hitchpost.tokens.stored import put_to_rest, tokens_at_rest
from hitchpost.tokens.vault import INSTALLATION, Vault

# What other rooms need beside the keeper, at one address.
__all__ = ["AccessLeft", "Fate", "Fresh", "GrantEnded", "Standing", "State", "TokenKeeper", "VerdictChanged"]


class TokenKeeper:
    """The room's service. `flow_open(tx, grant_id)`: whether a connection under way still needs the grant.

    `on_ended(tx, ended)`, `on_verdict(tx, changed)`, `on_left(tx, left)`: told in the transaction that ends a grant, finds that it reaches
    more or less than before, or destroys it here while it lives on at its network. `renewals_a_minute`: set by the operator, 0 for each
    app's own pace. `emergency`: for a theft in progress. `stopping`: told when this process is to end.
    """

    def __init__(
        self, database: Database, clock: Clock, vault: Vault, catalog: Catalog, http: NetworkHttp, *,
        flow_open: Callable[[Tx, str], bool], on_ended: Callable[[Tx, GrantEnded], None],
        on_verdict: Callable[[Tx, VerdictChanged], None], on_left: Callable[[Tx, AccessLeft], None], renewals_a_minute: float = 0.0,
        stopping: Stopping | None = None,
    ) -> None:  # fmt: skip
        self._clock, self._vault, stopping = clock, vault, stopping or Stopping()
        self._log = structlog.get_logger("hitchpost.tokens")
        self._apps = Apps(catalog, vault)
        self._giving_back = GivingBack(database, clock, vault, self._apps, http, stopping, flow_open=flow_open, on_left=on_left)
        self._renewal = Renewal(database, clock, vault, self._apps, http, on_ended=on_ended, a_minute=renewals_a_minute)
        self._renewing = Renewing(database, clock, self._renewal, stopping)
        self.emergency = Emergency(database, clock, self._giving_back)
        self._examining = Examining(database, clock, vault, self._apps, http, self._renewing, on_changed=on_verdict)
        self._checking = Checking(database, clock, self._examining)

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

    def refuse_if_halted(self, tx: Tx) -> None:
        """Step. Raises Problem halted or all_withdrawn while an emergency stops all use of people's access."""
        if stopped := emergency(tx):
            raise Problem(stopped)

    def stopped(self, tx: Tx) -> str:
        """Step: the code of the emergency that stops all use of people's access, `halted` or `all_withdrawn`; empty while all is well."""
        return emergency(tx)

    # Sealing for other rooms.

    def seal(self, tx: Tx, owner: str, table: str, column: str, row: str, secret: Secret) -> str:
        """Step: the sealed text of a secret of this workspace's, bound to its place."""
        return self._vault.seal(tx, Place(owner, table, column, row), secret)

    def unseal(self, tx: Tx, owner: str, table: str, column: str, row: str, text: str) -> Secret:
        """Step: the secret sealed for that place. Raises SealBroken, also when the workspace was shredded."""
        return self._vault.open(tx, Place(owner, table, column, row), text)

    def shred(self, tx: Tx, workspace_id: str) -> bool:
        """Step: forget the workspace's data key, and with it all that it sealed; whether there was one."""
        return self._vault.shred(tx, workspace_id)

    # Grants.

    def take_consent_seq(self, tx: Tx) -> int:
        """Step, inside a callback's claim: the consent's place in the order of all consents."""
        return repository.next_consent(tx)

    def record_consent(self, tx: Tx, *, app_id: str, consent: Consent, consent_seq: int) -> str:
        """Step: the consent becomes or renews the Grant of (app, subject) at once; its id. An older one never overwrites a newer one."""
        now, tokens = self._clock.now(), consent.tokens
        known = repository.hold_or_make(tx, app_id, consent.subject.id, outcomes.unborn(new_id(), now))
        grant_id, version = str(known["id"]), int(known["version"]) + 1
        if known["consent_seq"] > consent_seq:
            held = tokens_at_rest(tx, self._vault, grant_id)
            if held is not None:
                # It came late, and nobody will use it; but it lives at the network, and is to end with the grant.
                put_to_rest(tx, self._vault, grant_id, int(known["version"]), freshness.with_former(held, tokens, now))
            return grant_id
        try:
            replaced = tokens_at_rest(tx, self._vault, grant_id)
        except SealBroken:
            # A cell that was tampered with: said aloud, and healed by what the person has just given.
            self._log.error("the tokens of a grant do not open and are replaced", grant=grant_id)
            replaced = None
        if known["state"] == "live":
            tokens = freshness.kept_refresh(tokens, replaced, now)
        # Also of a grant that was being given back: the network may not have heard of it yet.
        tokens = freshness.with_former(tokens, replaced, now)
        if len(tokens.former) == freshness.FORMER_KEPT:
            self._log.warning("a grant remembers as many former consents as it can, and older ones are left to run out", grant=grant_id)
        _, login = self._apps.serving(app_id)
        values: dict[str, object] = {
            **outcomes.renewed(grant_id, login, tokens, now), "name": consent.subject.name,
            "scopes": " ".join(sorted(consent.granted or ())), "consented_at": now, "consent_seq": consent_seq, "version": version,
            "claim_id": "", "claim_kind": "",
        }  # fmt: skip
        if is_given_back(tx):
            values |= {"state": "revoking", "cause": "revoked", "code": "access_withdrawn", "due_at": now}
        repository.change_grant(tx, grant_id, values)
        put_to_rest(tx, self._vault, grant_id, version, tokens)
        return grant_id

    def is_given_back(self, tx: Tx) -> bool:
        """Step: whether everything is being given back just now, so that nothing comes of a connection."""
        return is_given_back(tx)

    def tokens_of(self, tx: Tx, grant_id: str) -> TokenSet:
        """Step: the tokens in clear, in memory only. Raises Fault REVOKED when the grant has none any more."""
        tokens = tokens_at_rest(tx, self._vault, grant_id)
        if tokens is None:
            raise Fault(FaultKind.REVOKED, "given_back", GIVEN_BACK)
        return tokens

    async def fresh(self, grant_id: str, *, refused: int | None = None) -> Fresh:
        """Story: tokens that work, renewed if need be. `refused`: the version that the network has just refused. Raises Fault."""
        return await self._renewing.fresh(grant_id, refused=refused)

    async def renew_due(self) -> int:
        """Story: renew every grant that is due, as its app's gate allows; how many were looked after."""
        return await self._renewing.renew_due()

    async def renewals(self) -> tuple[str, ...]:
        """The batches of renewals that are due."""
        return await self._renewing.batches()

    async def renew_batch(self, batch: str) -> int:
        """Story: do one of them; how many grants were looked after."""
        return await self._renewing.renew_batch(batch)

    async def settled(self, seconds: float | None = None) -> None:
        """When all that is under way for somebody has been recorded; after so many seconds what has not is given up."""
        await asyncio.gather(self._renewing.settled(seconds), self._checking.settled(seconds))

    # What stands behind profiles.

    def hold(self, tx: Tx, grant_id: str) -> None:
        """Step: nobody else writes what belongs to the grant until the transaction ends. Comes before any profile is written."""
        repository.hold(tx, grant_id)

    def back(self, tx: Tx, *, profile_id: str, grant_id: str, provider: str, derived: Derived, confirmed_by: str) -> None:
        """Step: the grant's reach stands behind the profile, confirmed by a member; the same reach again is renewed in place.

        Raises Problem access_revoked, so that nothing is attached, when the grant has been given back meanwhile.
        """
        one, now, grant = derived.candidate, self._clock.now(), repository.hold(tx, grant_id)
        if grant is None or grant["state"] != "live":
            raise Problem("access_revoked", network=self._apps.title_of(grant["app_id"]) if grant else "", detail=GIVEN_BACK)
        values: dict[str, object] = {
            "provider": provider, "parent_id": one.parent_id, "tasks": " ".join(one.tasks), "verdict": one.verdict.written(),
            "checked_at": now,
        }  # fmt: skip
        reach_id = reaches.put_reach(tx, grant_id, one.kind, one.external_id, new_id(), values)
        reaches.put_off(tx, [reach_id], self._examining.next(grant["app_id"], provider, reach_id, now))
        sealed = ""
        if derived.token is not None:
            sealed = self._vault.seal(tx, Place(INSTALLATION, "reaches", "sealed_token", reach_id), derived.token)
        reaches.put_reach_token(tx, reach_id, sealed)
        reaches.put_backing(tx, profile_id, reach_id, confirmed_by, now)

    def standing(self, tx: Tx, profile_ids: Sequence[str]) -> Mapping[str, Standing]:
        """Step: how each of these profiles stands, for lists."""
        found: dict[str, list[RowMapping]] = {profile_id: [] for profile_id in profile_ids}
        for row in reaches.backed_by(tx, profile_ids):
            found[row["profile_id"]].append(row)
        now = self._clock.now()
        return {profile_id: freshness.standing_of(rows, now) for profile_id, rows in found.items()}

    def detach(self, tx: Tx, profile_ids: Sequence[str]) -> tuple[str, ...]:
        """Step: nothing stands behind these profiles any more; the grants that stood there, to be told to `end` after the commit.

        What is not told, because a process dies, the sweep finds.
        """
        behind = self.hold_behind(tx, profile_ids)
        reaches.sever(tx, profile_ids)
        reaches.forget_unbacked(tx, behind)
        return behind

    def hold_behind(self, tx: Tx, profile_ids: Sequence[str]) -> tuple[str, ...]:
        """Step: hold the grants that stand or stood behind these profiles, before any of the profiles is written; their ids."""
        behind = reaches.grants_ever_behind(tx, profile_ids)
        repository.hold_all(tx, behind)
        return behind

    def app_behind(self, tx: Tx, profile_id: str) -> str:
        """Step: the id of the app that the profile's best access was given to, severed ones included; empty for none."""
        return next((str(row["app_id"]) for row in reaches.backed_by(tx, [profile_id])), "")

    def beside(self, tx: Tx, profile_id: str) -> tuple[str, ...]:
        """Step: the other profiles, of any workspace, that stand on a grant of this one's."""
        others = {one for grant_id in reaches.grants_behind(tx, [profile_id]) for one in reaches.profiles_on(tx, grant_id)}
        return tuple(sorted(others - {profile_id}))

    def revocable(self, tx: Tx, profile_id: str) -> bool:
        """Step: whether the networks let this server end every access that stands or stood behind the profile."""
        served = [self._apps.served_by(row["app_id"]) for row in reaches.backed_by(tx, [profile_id])]
        return all(one is not None and one[1].revocable for one in served)

    # What people do at the network themselves.

    def noticed_app(self, authority: str, client_id: str) -> tuple[str, tuple[Secret, ...]] | None:
        """The installation's app with this client id, if its network sends notices, and the secrets that may sign them."""
        return self._apps.noticed(authority, client_id)

    def taken_back(self, tx: Tx, app_id: str, subject: str, at: datetime | None) -> str:
        """Step: the person removed the app at `at`: the grant ends, is severed, and its tokens are destroyed; its id, or empty.

        Nothing happens when there is none, or when the person has consented again since; where clocks may deceive, the network is asked.
        """
        row = repository.of_subject(tx, app_id, subject)
        if row is None or (at is not None and row["consented_at"] > at):
            if row is not None and at is not None and row["consented_at"] <= at + timing.CLOCKS_APART:
                standing = reaches.standing_reaches(tx, grant_id=row["id"])
                reaches.put_off(tx, [one["id"] for one in standing], self._clock.now())
            return ""
        fault = Fault(FaultKind.REVOKED, "app_removed", "the person removed the app", cause="revoked")
        self._renewal.end(tx, row["id"], fault)
        reaches.sever_grant(tx, row["id"])
        repository.destroy(tx, row["id"])
        return str(row["id"])

    def standing_alone(self, tx: Tx, grant_id: str) -> tuple[str, ...]:
        """Step: the profiles that nothing but this grant has ever stood behind."""
        return reaches.only_on(tx, grant_id)

    def forget(self, tx: Tx, grant_id: str) -> None:
        """Step: nothing in the grant names the person any more; a later consent of theirs makes another one."""
        mark = self.mark(tx, "grant", grant_id)
        repository.change_grant(tx, grant_id, {"subject": f"deleted:{mark}", "name": "", "state": "gone", "due_at": None})
        reaches.mark_reaches(tx, grant_id, lambda reach_id: self.mark(tx, "reach", reach_id))

    def mark(self, tx: Tx, purpose: str, text: str) -> str:
        """Step: 64 hexadecimal digits that stand for `text`, made with the installation's key: who has not the key cannot test a guess."""
        return self._vault.mark(tx, purpose, text)

    async def examine(self, profile_id: str) -> None:
        """Story: look now, with the network, whether what stands behind this profile still does. Raises the Fault why it cannot be seen."""
        await self._checking.profile(profile_id)

    async def after_consent(self, grant_id: str) -> tuple[str, ...]:
        """Story: look at all that stood on the grant before its newest consent; the profiles that this consent cut off."""
        return await self._examining.grant(grant_id)

    async def examination_due(self) -> bool:
        """Whether anything is due to be looked at."""
        return await self._examining.is_due()

    async def examine_due(self) -> int:
        """Story: look at what is due, as each app's gate allows; how many were looked at."""
        return await self._examining.due()

    # The end of what nobody needs.

    async def sweep_abandoned(self) -> int:
        """Story: give back, at the network too, every grant that no profile and no open flow needs; how many ended."""
        return await self._giving_back.sweep()

    async def end(self, grant_id: str) -> Fate:
        """Story: give this grant back now, unless a profile or an open flow needs it; no trouble with it is raised, the fate tells it."""
        return await self._giving_back.give_back(grant_id) or Fate.REVOKED
