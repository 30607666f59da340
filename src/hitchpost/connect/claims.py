"""The transactions of the story: what each claim demands, and what each record writes if the claim is still ours (law 1).

Every method is a step: it joins the caller's transaction and never touches a network.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.connect import repository
from hitchpost.connect.flow import Trip, Visitor, candidate_of, found_json, key_of, trip_of
from hitchpost.connect.scenes import identity_of, may_be
from hitchpost.connect.states import CHOICE_LIFE, LEASE, Status
from hitchpost.db.engine import Tx
from hitchpost.errors import Problem
from hitchpost.ids import digest, is_id, new_id
from hitchpost.networks.base import AppCredentials, Consent, Derived, Listing, Login
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.profiles.service import Profile, Profiles
from hitchpost.secret import Secret
from hitchpost.tokens.service import TokenKeeper
from hitchpost.workspaces.roles import Right, allows
from hitchpost.workspaces.service import Membership, Workspaces

Answers = Mapping[str, Sequence[str]]
"""The callback's query: every value of every name."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A claimed callback: what the exchange needs."""

    trip: Trip
    claim_id: str
    code: Secret
    verifier: Secret


class Claims:
    """Claims and records of authorization requests."""

    def __init__(self, clock: Clock, catalog: Catalog, workspaces: Workspaces, tokens: TokenKeeper, profiles: Profiles) -> None:
        self._clock, self._catalog, self._workspaces, self._tokens, self._profiles = clock, catalog, workspaces, tokens, profiles

    def seat(self, tx: Tx, workspace_id: str, person_id: str) -> Membership:
        """The right to connect, read from the row now. Raises Problem workspace_not_found or role_insufficient."""
        return self._workspaces.require(tx, workspace_id, person_id, Right.CONNECT)

    def trip(self, tx: Tx, request_id: str) -> Trip:
        """The request as it stands now."""
        row = repository.by_id(tx, request_id)
        assert row is not None, "requests outlive their acts"
        return trip_of(row)

    def mine(self, tx: Tx, connection_id: str, visitor: Visitor) -> Trip:
        """The newest trip of a connection. Raises Problem not_found for another browser or person as for an unknown id."""
        row = repository.newest(tx, connection_id)
        trip = trip_of(row) if row is not None else None
        if trip is None or not trip.belongs_to(visitor):
            raise Problem("not_found")
        return trip

    def login_of(self, trip: Trip) -> Login:
        """The login that the trip departed with."""
        return next(one for one in self._catalog[trip.provider].logins if one.key == trip.login)

    def expected(self, tx: Tx, provider: str, workspace_id: str, profile_id: str) -> tuple[Profile | None, str]:
        """The profile to connect again, and the app that it was connected by. Raises Problem profile_not_found."""
        if not profile_id:
            return None, ""
        found = self._profiles.by_ids(tx, [profile_id]) if is_id(profile_id) else ()
        for one in found:
            if one.workspace_id == workspace_id and one.provider == provider:
                return one, self._tokens.app_behind(tx, profile_id)
        raise Problem("profile_not_found")

    def claim_arrival(self, tx: Tx, provider: str, answers: Answers, visitor: Visitor | None) -> tuple[Trip, Arrival | None]:
        """The callback's claim: state, network, browser and person, rights, then one atomic update. No Arrival: nothing to exchange.

        Raises Problem, with nothing changed, when the answer is not this browser's or not this network's.
        """
        states = answers.get("state", ())
        row = repository.by_state(tx, digest(states[0])) if len(states) == 1 and 0 < len(states[0]) <= 128 else None
        if row is None:
            raise Problem("state_invalid")
        trip, now = trip_of(row), self._clock.now()
        if trip.provider != provider:
            raise Problem("network_mismatch")
        if visitor is None or not trip.belongs_to(visitor):
            raise Problem("other_browser", provider=provider, workspace_id=trip.workspace_id, network=self._catalog[provider].title)
        if trip.status is not Status.DEPARTED:
            return trip, None
        ended = self._refused_arrival(tx, trip, answers)
        if ended is not None:
            status, problem = ended
            repository.end(tx, repository.of_request(trip.id), status, problem.code, json.dumps(dict(problem.facts)))
            return self.trip(tx, trip.id), None
        self._tokens.refuse_if_halted(tx)
        claim_id, seq = new_id(), self._tokens.take_consent_seq(tx)
        until = now + LEASE
        taken = repository.claim(
            tx, trip.id, claim_id, was=Status.DEPARTED, becomes=Status.EXCHANGING, now=now, until=until, consent_seq=seq
        )
        if not taken:
            return self.trip(tx, trip.id), None
        verifier = self._tokens.unseal(tx, trip.workspace_id, "authorization_requests", "sealed_verifier", trip.id, row["sealed_verifier"])
        claimed = self.trip(tx, trip.id)
        return claimed, Arrival(claimed, claim_id, Secret(answers["code"][0]), verifier)

    def _refused_arrival(self, tx: Tx, trip: Trip, answers: Answers) -> tuple[Status, Problem] | None:
        """Why this answer ends the trip before any exchange, or None."""
        adapter = self._catalog[trip.provider]
        facts = {"network": adapter.title, "provider": trip.provider}
        if self._clock.now() >= trip.expires_at:
            return Status.EXPIRED, Problem("authorization_expired", **facts)
        try:
            self.seat(tx, trip.workspace_id, trip.person_id)
        except Problem:
            return Status.FAILED, Problem("rights_lost", **facts)
        issuers, codes = answers.get("iss", ()), answers.get("code", ())
        if issuers and list(issuers) != [self.login_of(trip).oauth.issuer]:
            return Status.FAILED, Problem("network_mismatch", **facts)
        if len(codes) == 1 and codes[0] and "error" not in answers:
            return None
        fault = adapter.refusal({name: values[0] for name, values in answers.items() if len(values) == 1})
        return Status.CANCELLED if fault.kind is FaultKind.DECLINED else Status.FAILED, fault.explained(**facts)

    def record_consent(self, tx: Tx, arrival: Arrival, consent: Consent) -> None:
        """The Grant, and the look made due in the same commit, so that any process can do it."""
        trip, now = arrival.trip, self._clock.now()
        # The Grant is recorded whatever became of the trip: the network may already have killed its older tokens.
        grant_id = self._tokens.record_consent(tx, app_id=trip.app_id, consent=consent, consent_seq=trip.consent_seq)
        if self._tokens.is_given_back(tx):
            over: dict[str, object] = {"status": Status.FAILED, "code": "all_withdrawn", "grant_id": grant_id, "sealed_verifier": ""}
            repository.record(tx, trip.id, arrival.claim_id, was=Status.EXCHANGING, values=over)
            return
        looked: dict[str, object] = {
            "status": Status.LOOKING,
            "grant_id": grant_id,
            "sealed_verifier": "",
            "found": found_json(consent.subject),
        }
        due: dict[str, object] = {"due_at": now, "expires_at": now + CHOICE_LIFE}
        repository.record(tx, trip.id, arrival.claim_id, was=Status.EXCHANGING, values=looked | due)

    def record_fault(self, tx: Tx, trip: Trip, claim_id: str, was: Status, becomes: Status, fault: Fault) -> None:
        """The act failed: the trip ends, or (`becomes` equal to `was`) stays where it can be tried again."""
        problem = fault.explained(network=self._catalog[trip.provider].title, provider=trip.provider)
        values: dict[str, object] = {"status": becomes, "code": problem.code, "facts": json.dumps(dict(problem.facts))}
        if becomes is Status.FAILED:
            values["sealed_verifier"] = ""
        repository.record(tx, trip.id, claim_id, was=was, values=values)

    def record_look(
        self, tx: Tx, trip: Trip, claim_id: str, listing: Listing, pictures: Mapping[str, str], lost: tuple[str, ...] = ()
    ) -> None:
        """What can be chosen; `pictures`: our names by the network's addresses; `lost`: the profiles that the consent cut off."""
        account = trip.account
        assert account is not None, "a look follows a recorded consent"
        found = found_json(account, pictures.get(account.image, ""), listing.remarks, listing.empty, lost)
        values = {"status": Status.CHOOSING, "code": "", "facts": "", "found": found, "expires_at": self._clock.now() + CHOICE_LIFE}
        if repository.record(tx, trip.id, claim_id, was=Status.LOOKING, values=values):
            rows = (
                {
                    "request_id": trip.id, "kind": one.kind, "external_id": one.external_id, "position": place, "id_scope": one.id_scope,
                    "parent_id": one.parent_id, "name": one.name, "handle": one.handle, "picture": pictures.get(one.image, ""),
                    "usable": one.verdict.usable, "verdict": one.verdict.written(),
                }
                for place, one in enumerate(listing.candidates)
            )  # fmt: skip
            repository.replace_candidates(tx, trip.id, rows)

    def claim_choice(
        self, tx: Tx, connection_id: str, keys: Sequence[str], visitor: Visitor, claim_id: str
    ) -> tuple[Trip, Sequence[RowMapping] | None]:
        """Take the choice for attaching: rights read again, only what was offered and can be used. None: nothing to do, show the trip."""
        trip, now = self.mine(tx, connection_id, visitor), self._clock.now()
        if trip.status is not Status.CHOOSING or trip.claimed(now) or now >= trip.expires_at:
            return trip, None
        if not self._may_still(tx, trip):
            return self.trip(tx, trip.id), None
        rows = {key_of(row["kind"], row["external_id"]): row for row in repository.offered(tx, trip.id)}
        if not keys:
            raise Problem("selection_empty")
        if not set(keys) <= set(rows):
            raise Problem("selection_foreign")
        picked = [row for key, row in rows.items() if key in set(keys)]
        for row in picked:
            if not row["usable"]:
                raise Problem("selection_unusable", name=row["name"], detail=candidate_of(row).verdict.why)
        mine = repository.claim(tx, trip.id, claim_id, was=Status.CHOOSING, becomes=Status.CHOOSING, now=now, until=now + LEASE)
        return trip, picked if mine else None

    def _may_still(self, tx: Tx, trip: Trip) -> bool:
        """Rights are read again (threat A25): a lost right ends the trip."""
        try:
            self.seat(tx, trip.workspace_id, trip.person_id)
        except Problem:
            repository.end(tx, repository.of_request(trip.id), Status.FAILED, "rights_lost")
            return False
        return True

    def withdraw(self, tx: Tx, trip: Trip, claim_id: str, derived: Sequence[Derived]) -> None:
        """Something picked cannot be used after all: nothing is attached, the choice stays open and shows why."""
        if repository.record(tx, trip.id, claim_id, was=Status.CHOOSING, values={}):
            for one in derived:
                if not one.candidate.verdict.usable:
                    verdict = one.candidate.verdict.written()
                    repository.withdraw(tx, trip.id, one.candidate.kind, one.candidate.external_id, verdict)

    def record_attach(self, tx: Tx, trip: Trip, claim_id: str, derived: Sequence[Derived], pictures: Mapping[str, str]) -> Trip:
        """Every profile, backing and event in one commit, or none. `pictures`: by form key."""
        # Before the request and any profile, as everybody does who writes both (see tokens/repository.py).
        self._tokens.hold(tx, trip.grant_id)
        if self._may_still(tx, trip):
            app = self._tokens.app(trip.app_id)
            if repository.record(tx, trip.id, claim_id, was=Status.CHOOSING, values={"status": Status.ATTACHED}):
                self._same_again(tx, trip, derived, app)
                attached = [
                    self._profiles.attach(
                        tx, workspace_id=trip.workspace_id, provider=trip.provider, app=app, grant_id=trip.grant_id, derived=one,
                        picture=pictures.get(key_of(one.candidate.kind, one.candidate.external_id), ""), person_id=trip.person_id,
                    )
                    # In one order for everybody: two who attach the same Pages at once must not wait for each other.
                    for one in sorted(derived, key=lambda one: (one.candidate.kind, one.candidate.external_id))
                ]  # fmt: skip
                repository.conclude(tx, trip.id, json.dumps([{"profile": one.profile_id, "renewed": one.renewed} for one in attached]))
        return self.trip(tx, trip.id)

    def _same_again(self, tx: Tx, trip: Trip, derived: Sequence[Derived], app: AppCredentials) -> None:
        """Under another app a person has another id: an admin who picks who may be the expected profile says that it is (data model)."""
        seat = self._workspaces.membership(tx, trip.workspace_id, trip.person_id)
        wanted = self._profiles.identity(tx, trip.workspace_id, trip.expected) if trip.expected else None
        if seat is None or not allows(seat.role, Right.DISCONNECT):
            return
        for one in derived:
            mine = identity_of(one.candidate, app)
            if may_be(mine, wanted):
                self._profiles.adopt(tx, workspace_id=trip.workspace_id, profile_id=trip.expected, becomes=mine, person_id=trip.person_id)
                return
