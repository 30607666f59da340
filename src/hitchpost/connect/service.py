"""ConnectFlow: the story of a connection, from the URL to attached profiles, in the order in which it happens.

Every act at a network is three beats (law 1): claim in a short transaction, act with none open, record only if the claim is still ours.
"""

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from functools import partial
from typing import TypeVar

from hitchpost.clock import Clock
from hitchpost.connect import repository
from hitchpost.connect.claims import Answers, Claims
from hitchpost.connect.flow import Departure, Scene, Start, Trip, Visitor, key_of, picked_of
from hitchpost.connect.scenes import Scenes
from hitchpost.connect.states import ACT_DEADLINE, CHOICE_LIFE, LEASE, MAX_OPEN, STATE_LIFE, Status
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.ids import digest, new_id, new_token
from hitchpost.networks.base import Adapter, Call, Derived, Listing
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.networks.oauth2 import challenge_of
from hitchpost.profiles.service import Profile, Profiles
from hitchpost.secret import Secret
from hitchpost.tokens.service import TokenKeeper
from hitchpost.workspaces.service import Workspaces

T = TypeVar("T")


class ConnectFlow:
    """The room's service. Raises Problem for everything that people or callers can understand."""

    def __init__(
        self, *, database: Database, clock: Clock, catalog: Catalog, http: NetworkHttp, workspaces: Workspaces, tokens: TokenKeeper,
        profiles: Profiles, public_url: str,
    ) -> None:  # fmt: skip
        self._database, self._clock, self._catalog, self._http = database, clock, catalog, http
        self._workspaces, self._tokens, self._profiles, self._public_url = workspaces, tokens, profiles, public_url
        self._claims = Claims(clock, catalog, workspaces, tokens, profiles)
        self._scenes = Scenes(workspaces, tokens, profiles)

    # 1. The URL.

    def url_for(self, provider: object, workspace_id: str) -> str:
        """The browser URL that starts a connection. It holds no secret: the session that opens it gives the authority."""
        return f"{self._public_url}/api/social-connect/start?provider={provider}&workspaceId={workspace_id}"

    @property
    def providers(self) -> tuple[str, ...]:
        """Every network that this installation knows."""
        return self._catalog.providers

    def supported(self, provider: object) -> Adapter:
        """The network. Raises Problem provider_unsupported, also for what is not even text."""
        if not isinstance(provider, str) or provider not in self._catalog:
            raise Problem("provider_unsupported", providers=", ".join(self.providers))
        return self._catalog[provider]

    def configured(self, provider: object) -> Adapter:
        """The network, if an app for it is configured. Raises Problem provider_unsupported or provider_not_configured."""
        adapter = self.supported(provider)
        if not self._tokens.logins(adapter.provider):
            raise Problem("provider_not_configured", network=adapter.title, provider=adapter.provider)
        return adapter

    # 2. The start page: changes nothing.

    async def start(self, provider: str, workspace_id: str, person_id: str, *, profile_id: str = "") -> Start:
        """What the start page shows. `profile_id`: what is to be connected again.

        Refuses in this order: unsupported, no such workspace, role, not configured, no such profile.
        """
        self.supported(provider)
        seat = await self._database.read(lambda tx: self._claims.seat(tx, workspace_id, person_id))
        self.configured(provider)
        ways = self._tokens.logins(provider)
        (expected, app_id), stopped = await self._database.read(
            lambda tx: (self._claims.expected(tx, provider, workspace_id, profile_id), self._tokens.stopped(tx))
        )
        usual = next((login.key for login, app in ways if app.id == app_id), "")
        logins = tuple(login for login, _ in ways)
        return Start(provider, workspace_id, seat.workspace_name, seat.owner_name, seat.role, logins, expected, usual, stopped)

    # 3. Continue: the only step that leaves for a network.

    async def depart(
        self, provider: str, workspace_id: str, login: str, visitor: Visitor, *, after: Trip | None = None, profile_id: str = ""
    ) -> Departure:
        """Store the request, bound to this person and browser, and give the network's address.

        `login`: one of the ways that the start page showed, or empty for the first. `after`: a further trip of that session.
        `profile_id`: what is to be connected again, if it is about one.
        """
        adapter = self.configured(provider)
        ways = {one.key: (one, app) for one, app in self._tokens.logins(provider)}
        if login and login not in ways:
            # Never another in its place: the person has read what this one asks for.
            raise Problem("login_not_offered", network=adapter.title)
        way, app = ways[login] if login else next(iter(ways.values()))
        state, verifier, request_id, now = new_token(), Secret(new_token(48)), new_id(), self._clock.now()
        connection_id, expected = (after.connection_id, after.expected) if after else (new_id(), profile_id)
        row: dict[str, object] = {
            "id": request_id, "connect_session_id": connection_id, "trip": 1, "workspace_id": workspace_id,
            "person_id": visitor.person_id, "browser_session_id": visitor.session_id, "app_id": app.id, "provider": provider,
            "login": way.key, "state_hash": digest(state), "redirect_uri": f"{self._public_url}/api/social-connect/callback/{provider}",
            "scopes_asked": " ".join(way.asked(app)), "expected_profile_id": expected, "status": Status.DEPARTED, "code": "", "facts": "",
            "grant_id": "", "consent_seq": 0, "claim_id": "", "due_at": None, "created_at": now, "expires_at": now + STATE_LIFE,
            "found": "", "outcome": "",
        }  # fmt: skip

        def store(tx: Tx) -> str:
            seat = self._claims.seat(tx, workspace_id, visitor.person_id)
            self._tokens.refuse_if_halted(tx)
            self._claims.expected(tx, provider, workspace_id, expected)
            if after is None:
                session = {"id": connection_id, "workspace_id": workspace_id, "kind": "connect", "created_by": visitor.person_id}
                repository.add_session(tx, {**session, "created_at": now})
            else:
                # Numbered here and not by `after`: another tab may have started again meanwhile.
                row["trip"] = repository.next_trip(tx, connection_id)
                repository.end(tx, repository.of_connection(connection_id), Status.SUPERSEDED, "authorization_superseded")
            sealed = self._tokens.seal(tx, workspace_id, "authorization_requests", "sealed_verifier", request_id, verifier)
            repository.add_request(tx, {**row, "sealed_verifier": sealed})
            repository.end(tx, repository.beyond_cap(tx, visitor.person_id, MAX_OPEN), Status.SUPERSEDED, "authorization_superseded")
            return seat.workspace_name

        workspace_name = await self._database.begin(store)
        call = Call(self._http, app, way, now)
        again = after is not None
        url = adapter.authorize_url(
            call, state=state, redirect_uri=str(row["redirect_uri"]), challenge=challenge_of(verifier.reveal()), again=again
        )
        return Departure(connection_id, workspace_name, adapter.opens(way), url)

    # 5. The callback: claim the state, exchange the code, record the Grant.

    async def arrive(self, provider: str, answers: Answers, visitor: Visitor | None) -> Trip:
        """The network's answer. A copy in the same browser gets the first one's trip; a code is never sent twice.

        Raises Problem, with nothing changed, when the answer is not this browser's or not this network's.
        """
        trip, arrival = await self._database.begin(lambda tx: self._claims.claim_arrival(tx, provider, answers, visitor))
        if arrival is None:
            return trip
        call = self.call_for(trip)
        try:
            adapter = self._catalog[provider]
            exchange = adapter.exchange(call, code=arrival.code, redirect_uri=trip.redirect_uri, verifier=arrival.verifier)
            consent = await self._within_lease(exchange)
        except Fault as fault:
            failed = partial(self._claims.record_fault, trip=trip, claim_id=arrival.claim_id, fault=fault)
            await self._database.begin(partial(failed, was=Status.EXCHANGING, becomes=Status.FAILED))
        else:
            await self._database.begin(lambda tx: self._claims.record_consent(tx, arrival, consent))
        return await self._database.read(lambda tx: self._claims.trip(tx, trip.id))

    # 5b. The look: a second claimed act, retryable without a new consent.

    async def look(self, request_id: str) -> None:
        """List and examine what can be attached, and show it. Does nothing when somebody else acts for the request."""
        claim_id, now = new_id(), self._clock.now()

        def begin(tx: Tx) -> Trip | None:
            mine = repository.claim(tx, request_id, claim_id, was=Status.LOOKING, becomes=Status.LOOKING, now=now, until=now + LEASE)
            return self._claims.trip(tx, request_id) if mine else None

        trip = await self._database.begin(begin)
        if trip is None:
            return
        try:
            await self._looked(trip, claim_id)
        except asyncio.CancelledError:
            # This process ends: whoever comes next need not wait for the lease.
            due: dict[str, object] = {"due_at": now}
            await asyncio.shield(self._database.begin(lambda tx: repository.record(tx, trip.id, claim_id, was=Status.LOOKING, values=due)))
            raise

    async def _looked(self, trip: Trip, claim_id: str) -> None:
        adapter = self._catalog[trip.provider]

        async def act() -> tuple[Listing, Mapping[str, str], tuple[str, ...]]:
            tokens = (await self._tokens.fresh(trip.grant_id)).tokens
            listing = await adapter.look(self.call_for(trip), tokens)
            faces = [one.image for one in listing.candidates] + ([trip.account.image] if trip.account else [])
            pictures = await self._profiles.gallery.keep(adapter, faces)
            # The network may have taken from this consent what an earlier one had: whoever stands on it is looked at again, and told.
            return listing, pictures, await self._tokens.after_consent(trip.grant_id)

        try:
            listing, pictures, lost = await self._within_lease(act())
        except Fault as fault:
            becomes = Status.LOOKING if fault.retryable else Status.FAILED
            failed = partial(self._claims.record_fault, trip=trip, claim_id=claim_id, fault=fault)
            await self._database.begin(partial(failed, was=Status.LOOKING, becomes=becomes))
            return
        await self._database.begin(lambda tx: self._claims.record_look(tx, trip, claim_id, listing, pictures, lost))

    # 6. The choice: what `/connect/<id>` shows.

    async def scene(self, connection_id: str, visitor: Visitor) -> Scene:
        """The newest trip and what there is to choose. Another browser or person: the same not_found as an unknown id."""
        return await self._database.read(lambda tx: self._scenes.scene(tx, self._claims.mine(tx, connection_id, visitor)))

    async def look_again(self, connection_id: str, visitor: Visitor) -> Trip:
        """Make a look that failed due again; the caller starts it. What has expired stays so (threat A18)."""

        def renew(tx: Tx) -> Trip:
            trip, now = self._claims.mine(tx, connection_id, visitor), self._clock.now()
            if trip.status is Status.LOOKING and trip.is_open(now) and not trip.claimed(now):
                values = {"code": "", "facts": "", "due_at": now, "expires_at": now + CHOICE_LIFE}
                repository.record(tx, trip.id, trip.claim_id, was=Status.LOOKING, values=values)
            return trip

        return await self._database.begin(renew)

    async def cancel(self, connection_id: str, visitor: Visitor) -> None:
        """Leave it: nothing is attached, and the sweep gives back a Grant that nobody else needs."""

        def leave(tx: Tx) -> None:
            trip = self._claims.mine(tx, connection_id, visitor)
            repository.end(tx, repository.of_request(trip.id), Status.CANCELLED, "cancelled")

        await self._database.begin(leave)

    # 7. Attach: all or nothing.

    async def attach(self, connection_id: str, keys: Sequence[str], visitor: Visitor) -> Trip:
        """Attach what was picked. A second POST, even with another selection, changes nothing and gets the first one's trip.

        Raises Problem selection_empty, selection_foreign, selection_unusable or a network's, leaving the choice open.
        """
        claim_id = new_id()
        trip, picked = await self._database.begin(lambda tx: self._claims.claim_choice(tx, connection_id, keys, visitor, claim_id))
        if picked is None:
            if trip.code == "rights_lost" and trip.grant_id:
                # Nothing will come of it: the access is given back at once, unless something else needs it.
                await self._tokens.end(trip.grant_id)
            return trip
        adapter = self._catalog[trip.provider]

        async def act() -> Sequence[Derived]:
            tokens = (await self._tokens.fresh(trip.grant_id)).tokens
            return await adapter.derive(self.call_for(trip), tokens, [picked_of(row) for row in picked])

        try:
            derived = await self._within_lease(act())
        except Fault as fault:
            await self._reopen_choice(trip, claim_id)
            raise fault.explained(network=adapter.title, provider=trip.provider) from None
        unusable = [one.candidate for one in derived if not one.candidate.verdict.usable]
        if unusable:
            await self._database.begin(lambda tx: self._claims.withdraw(tx, trip, claim_id, derived))
            raise Problem("selection_unusable", name=unusable[0].name, detail=unusable[0].verdict.why)
        pictures = {key_of(row["kind"], row["external_id"]): row["picture"] for row in picked}
        try:
            return await self._database.begin(lambda tx: self._claims.record_attach(tx, trip, claim_id, derived, pictures))
        except Exception:
            # Whatever it was, it was undone whole: the person need not wait until the claim runs out.
            await self._reopen_choice(trip, claim_id)
            raise

    async def _reopen_choice(self, trip: Trip, claim_id: str) -> None:
        """Nothing was attached: the person may choose again at once."""
        await self._database.begin(lambda tx: repository.record(tx, trip.id, claim_id, was=Status.CHOOSING, values={}))

    async def _within_lease(self, act: Awaitable[T]) -> T:
        """An act at a network ends before its claim does, however many calls it makes. Raises Fault."""
        try:
            async with asyncio.timeout(ACT_DEADLINE.total_seconds()):
                return await act
        except TimeoutError:
            raise Fault(FaultKind.FATE_UNKNOWN, "deadline") from None

    async def attached(self, trip: Trip) -> tuple[Profile, ...]:
        """The profiles that the trip attached, as they are now."""
        return await self._database.read(lambda tx: self._profiles.by_ids(tx, [profile_id for profile_id, _ in trip.attached]))

    def call_for(self, trip: Trip) -> Call:
        """The adapter's call context with the app and login that the trip departed with."""
        return Call(self._http, self._tokens.app(trip.app_id), self._claims.login_of(trip), self._clock.now())
