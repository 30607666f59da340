"""Profiles: attach, list, check and disconnect what a workspace may post as. A profile keeps its id through every renewal."""

from collections.abc import Sequence

from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.events import service as events
from hitchpost.ids import is_id, new_id
from hitchpost.networks.base import AppCredentials, Derived
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.errors import Fault
from hitchpost.people.service import OPERATOR
from hitchpost.profiles import repository
from hitchpost.profiles.gallery import Gallery
from hitchpost.profiles.health import health_of
from hitchpost.profiles.profile import Attached, Disconnected, Identity, Profile, Prospect
from hitchpost.tokens.service import Fate, TokenKeeper
from hitchpost.workspaces.roles import Right
from hitchpost.workspaces.service import Workspaces

__all__ = ["Attached", "Disconnected", "Identity", "Profile", "Profiles", "Prospect", "id_scope_of"]

_LEAST_FINISHED_FIRST = (Fate.UNREADABLE, Fate.REVOKING, Fate.KEPT, Fate.PENDING, Fate.SHARED, Fate.DESTROYED)
_FOR_THE_PERSON = (Fate.UNREADABLE, Fate.DESTROYED)
"""What only the person can end at the network."""


def _identity(row: RowMapping) -> Identity:
    return Identity(row["kind"], row["id_scope"], row["external_id"])


def id_scope_of(scope: str, app: AppCredentials) -> str:
    """The stored form of an adapter's id scope: '' or `app:<client id>`."""
    return "" if scope == "global" else f"app:{app.client_id}"


class Profiles:
    """The room's service. `gallery`: the profiles' pictures."""

    def __init__(
        self, database: Database, clock: Clock, tokens: TokenKeeper, workspaces: Workspaces, catalog: Catalog, gallery: Gallery
    ) -> None:
        self._database, self._clock, self._tokens = database, clock, tokens
        self._workspaces, self._catalog, self.gallery = workspaces, catalog, gallery

    def attach(
        self,
        tx: Tx,
        *,
        workspace_id: str,
        provider: str,
        app: AppCredentials,
        grant_id: str,
        derived: Derived,
        picture: str,
        person_id: str,
    ) -> Attached:
        """Step: the candidate becomes a Profile, or renews it in place with the same id; its backing and event in the same commit."""
        candidate, now = derived.candidate, self._clock.now()
        self._tokens.hold(tx, grant_id)
        scope = id_scope_of(candidate.id_scope, app)
        fresh: dict[str, object] = {
            "id": new_id(), "workspace_id": workspace_id, "provider": provider, "kind": str(candidate.kind), "id_scope": scope,
            "external_id": candidate.external_id, "name": "", "handle": "", "picture": "",
        }  # fmt: skip
        new = repository.add(tx, {**fresh, "state": "detached", "attached_at": now, "attached_by": person_id})
        known = repository.find(tx, workspace_id, provider, candidate.kind, scope, candidate.external_id)
        profile_id, was = str(known["id"]), known["state"]
        shown: dict[str, object] = {"name": candidate.name, "handle": candidate.handle, "state": "attached"}
        repository.renew(tx, profile_id, shown | ({"picture": picture} if picture else {}))
        self._tokens.back(tx, profile_id=profile_id, grant_id=grant_id, provider=provider, derived=derived, confirmed_by=person_id)
        kind = "profile.renewed" if was == "attached" else "profile.attached"
        self._note(tx, kind, workspace_id, profile_id, person_id, provider=provider, name=candidate.name, kind=str(candidate.kind))
        return Attached(profile_id, renewed=not new)

    def _note(self, tx: Tx, type_: str, workspace_id: str, profile_id: str, actor: str, **facts: events.Fact) -> None:
        now = self._clock.now()
        events.record(tx, workspace_id=workspace_id, type=type_, subject=profile_id, actor=actor, facts=facts, now=now)

    # Lists and health.

    async def of_workspaces(self, workspace_ids: Sequence[str]) -> tuple[Profile, ...]:
        """The attached profiles of these workspaces, by provider and name, with their health."""
        return await self._database.read(lambda tx: self._listed(tx, repository.attached(tx, workspace_ids)))

    async def emergency(self) -> str:
        """The code of what stops all use of people's access just now, `halted` or `all_withdrawn`; empty while all is well."""
        return await self._database.read(self._tokens.stopped)

    async def one(self, workspace_id: str, profile_id: str) -> Profile:
        """An attached profile of the workspace, with its health. Raises Problem profile_not_found, for foreign ones too (threat C1)."""
        return await self._database.read(lambda tx: self._attached(tx, workspace_id, profile_id))

    async def check(self, workspace_id: str, profile_id: str) -> Profile:
        """Story: ask the network now, and the profile as it stands afterwards.

        Raises Problem profile_not_found; or the one that says why the network could not be asked, with nothing changed.
        """
        known = await self.one(workspace_id, profile_id)
        try:
            await self._tokens.examine(profile_id)
        except Fault as fault:
            raise fault.explained(network=self._title(known.provider), provider=known.provider) from None
        return await self.one(workspace_id, profile_id)

    def by_ids(self, tx: Tx, ids: Sequence[str]) -> tuple[Profile, ...]:
        """Step: these profiles, by name."""
        return self._listed(tx, repository.by_ids(tx, ids))

    def connected(self, tx: Tx, workspace_id: str, provider: str) -> frozenset[Identity]:
        """Step: what the workspace has attached at this network."""
        return frozenset(_identity(row) for row in repository.attached(tx, [workspace_id]) if row["provider"] == provider)

    def identity(self, tx: Tx, workspace_id: str, profile_id: str) -> Identity | None:
        """Step: what this profile of the workspace is; None when there is none such."""
        rows = repository.by_ids(tx, [profile_id])
        return next((_identity(row) for row in rows if row["workspace_id"] == workspace_id), None)

    def adopt(self, tx: Tx, *, workspace_id: str, profile_id: str, becomes: Identity, person_id: str) -> None:
        """Step: an admin says that the profile is what another app calls `becomes`. Nothing changes where that is a profile already."""
        rows = repository.by_ids(tx, [profile_id])
        row = next((row for row in rows if row["workspace_id"] == workspace_id), None)
        if row is not None and not repository.exists_as(
            tx, workspace_id, row["provider"], becomes.kind, becomes.scope, becomes.external_id
        ):
            repository.renew(tx, profile_id, {"id_scope": becomes.scope, "external_id": becomes.external_id})
            facts = {"provider": row["provider"], "name": row["name"], "was": row["external_id"], "becomes": becomes.external_id}
            self._note(tx, "profile.identity_confirmed", workspace_id, profile_id, person_id, **facts)

    def _attached(self, tx: Tx, workspace_id: str, profile_id: str) -> Profile:
        rows = repository.by_ids(tx, [profile_id]) if is_id(profile_id) else ()
        for row in rows:
            if row["workspace_id"] == workspace_id and row["state"] == "attached":
                return self._listed(tx, [row])[0]
        raise Problem("profile_not_found")

    def _listed(self, tx: Tx, rows: Sequence[RowMapping]) -> tuple[Profile, ...]:
        standing, emergency = self._tokens.standing(tx, [str(row["id"]) for row in rows]), self._tokens.stopped(tx)
        return tuple(
            Profile(
                row["id"], row["workspace_id"], row["provider"], row["kind"], row["name"], row["handle"], row["picture"],
                health_of(standing[row["id"]], self._title(row["provider"]), emergency),
            )
            for row in rows
        )  # fmt: skip

    def _title(self, provider: str) -> str:
        return self._catalog[provider].title if provider in self._catalog else provider

    # Disconnecting: what stands behind a profile goes at once, and the access ends at the network as soon as nobody needs it.

    async def prospect(self, workspace_id: str, profile_id: str, person_id: str) -> Prospect:
        """What it would do, with nothing done. Raises Problem workspace_not_found, role_insufficient, profile_not_found."""

        def read(tx: Tx) -> Prospect:
            place = self._workspaces.require(tx, workspace_id, person_id, Right.DISCONNECT)
            profile = self._attached(tx, workspace_id, profile_id)
            others, names = self._others(tx, profile_id, person_id)
            revocable = not others and self._tokens.revocable(tx, profile_id)
            where = "" if others or revocable else self._where(profile.provider)
            return Prospect(profile, place.workspace_name, bool(others), names, revocable, where)

        return await self._database.read(read)

    async def disconnect(self, workspace_id: str, profile_id: str, person_id: str) -> Disconnected:
        """Detach now, then give back what nobody needs any more. Raises as `prospect`; a second time it is profile_not_found."""

        def detach(tx: Tx) -> tuple[Profile, tuple[str, ...], tuple[str, ...], Fate]:
            self._workspaces.require(tx, workspace_id, person_id, Right.DISCONNECT)
            profile = self._attached(tx, workspace_id, profile_id)
            _, names = self._others(tx, profile_id, person_id)
            over = Fate.REVOKED if self._tokens.revocable(tx, profile_id) else Fate.DESTROYED
            self._tokens.hold_behind(tx, [profile_id])
            # Held before what stands behind it is severed: who attaches it anew just now is waited for, and is severed too.
            repository.renew(tx, profile_id, {"state": "detached"})
            grants = self._tokens.detach(tx, [profile_id])
            self._note(tx, "profile.detached", workspace_id, profile_id, person_id, provider=profile.provider, name=profile.name)
            return profile, grants, names, over

        profile, grants, names, over = await self._database.begin(detach)
        # Where nothing is left to end, it has ended before, as its network lets it.
        fates = {await self._tokens.end(grant_id) for grant_id in grants} or {over}
        # The least finished one is told: of two accesses behind one profile the other may be gone already.
        fate = next((one for one in _LEAST_FINISHED_FIRST if one in fates), Fate.REVOKED)
        return Disconnected(profile, fate, names, self._where(profile.provider) if fate in _FOR_THE_PERSON else "")

    def detach_all(self, tx: Tx, workspace_id: str) -> tuple[int, tuple[str, ...]]:
        """Step, by whoever runs the installation: the workspace has no profile any more; how many it had, and the grants behind them."""
        rows = repository.attached(tx, [workspace_id])
        ids = [str(row["id"]) for row in rows]
        self._tokens.hold_behind(tx, ids)
        for row in repository.in_order(rows):
            repository.renew(tx, row["id"], {"state": "detached"})
            self._note(tx, "profile.detached", workspace_id, row["id"], OPERATOR, provider=row["provider"], name=row["name"])
        return len(rows), self._tokens.detach(tx, ids)

    def irrevocable(self, tx: Tx, workspace_id: str) -> tuple[str, ...]:
        """Step: the titles of the networks that offer no way to take back some of the access behind the workspace's profiles."""
        rows = repository.attached(tx, [workspace_id])
        return tuple(sorted({self._title(row["provider"]) for row in rows if not self._tokens.revocable(tx, row["id"])}))

    def _others(self, tx: Tx, profile_id: str, person_id: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """The other profiles on the same access: all ids, and the names of those in workspaces that the person is in (threat C1)."""
        others = self._tokens.beside(tx, profile_id)
        known = [one for one in self.by_ids(tx, others) if self._workspaces.membership(tx, one.workspace_id, person_id)]
        return others, tuple(f"{one.name} ({self._title(one.provider)})" for one in known)

    def _where(self, provider: str) -> str:
        return self._catalog[provider].remove_app if provider in self._catalog else ""
