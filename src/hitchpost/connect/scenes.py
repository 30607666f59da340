"""Scenes: what a person sees of a connection, read in one moment; changes nothing."""

from collections.abc import Iterable

from sqlalchemy import RowMapping

from hitchpost.connect import repository
from hitchpost.connect.flow import Offer, Scene, Trip, candidate_of, key_of
from hitchpost.connect.states import Status
from hitchpost.db.engine import Tx
from hitchpost.networks.base import AppCredentials, Candidate
from hitchpost.profiles.service import Identity, Profiles, id_scope_of
from hitchpost.tokens.service import TokenKeeper
from hitchpost.workspaces.roles import Right, allows
from hitchpost.workspaces.service import Workspaces


class Scenes:
    """Every method is a step: it joins the caller's transaction."""

    def __init__(self, workspaces: Workspaces, tokens: TokenKeeper, profiles: Profiles) -> None:
        self._workspaces, self._tokens, self._profiles = workspaces, tokens, profiles

    def scene(self, tx: Tx, trip: Trip) -> Scene:
        """The trip, its workspace's names, and what there is to choose."""
        seat = self._workspaces.membership(tx, trip.workspace_id, trip.person_id)
        names = (seat.workspace_name, seat.owner_name) if seat else ("", "")
        found = self._profiles.by_ids(tx, [trip.expected]) if trip.expected else ()
        expected = next((one for one in found if one.workspace_id == trip.workspace_id), None)
        confirms, lost, stopped = seat is not None and allows(seat.role, Right.DISCONNECT), self._known(tx, trip), self._tokens.stopped(tx)
        if trip.status is not Status.CHOOSING:
            return Scene(trip, *names, expected=expected, lost=lost, emergency=stopped)
        offers = tuple(self._offers(tx, trip, repository.offered(tx, trip.id)))
        return Scene(trip, *names, offers=offers, expected=expected, lost=lost, confirms=confirms, emergency=stopped)

    def _offers(self, tx: Tx, trip: Trip, rows: Iterable[RowMapping]) -> Iterable[Offer]:
        have, app = self._profiles.connected(tx, trip.workspace_id, trip.provider), self._tokens.app(trip.app_id)
        wanted = self._profiles.identity(tx, trip.workspace_id, trip.expected) if trip.expected else None
        for row in rows:
            one = candidate_of(row)
            mine = identity_of(one, app)
            yield Offer(
                key_of(one.kind, one.external_id), one, row["picture"], mine in have, expected=mine == wanted, perhaps=may_be(mine, wanted)
            )

    def _known(self, tx: Tx, trip: Trip) -> tuple[tuple[str, str], ...]:
        """What the consent cut off, of workspaces that the person is in: others are nobody's business here (threat C1)."""
        known = []
        for one in self._profiles.by_ids(tx, trip.lost) if trip.lost else ():
            seat = self._workspaces.membership(tx, one.workspace_id, trip.person_id)
            if seat is not None:
                known.append((one.name, seat.workspace_name))
        return tuple(known)


def identity_of(one: Candidate, app: AppCredentials) -> Identity:
    """What a candidate would be as a profile."""
    return Identity(str(one.kind), id_scope_of(one.id_scope, app), one.external_id)


def may_be(mine: Identity, wanted: Identity | None) -> bool:
    """Whether two ids that count for two different apps may name one thing: nothing proves it, nothing speaks against it."""
    if wanted is None or mine.kind != wanted.kind:
        return False
    return mine.scope != wanted.scope and mine.scope.startswith("app:") and wanted.scope.startswith("app:")
