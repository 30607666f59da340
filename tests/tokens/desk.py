"""A TokenKeeper over a real database, with X behind it as a network of prepared answers, and what it keeps read past its own code."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

import httpx2
from sqlalchemy import text
from starlette.types import ASGIApp

from hitchpost.db.engine import Database, Tx
from hitchpost.ids import random_bytes
from hitchpost.networks.base import Candidate, Consent, Derived, Kind, Subject, TokenSet
from hitchpost.networks.catalog import discover
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from hitchpost.tokens.ring import Ring
from hitchpost.tokens.service import TokenKeeper
from hitchpost.tokens.vault import Vault
from tests.support.canned import Canned, CannedNetwork
from tests.support.clock import ManualClock

REVOKE = "api.x.com/2/oauth2/revoke"
X_APP = AppSettings("x", "lantern-on-x", Secret("x-secret-canary"))
ADA, BEN = "1850000000000000101", "1850000000000000102"


def new_ring(*ids: str) -> Ring:
    """A ring with fresh keys, the first id primary."""
    named = ids or ("first",)
    return Ring(named[0], {one: random_bytes(32) for one in named})


def ring_text(ring: Ring) -> str:
    """The ring as the setting has it."""
    return ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in ring.keys.items())


def tokens(
    name: str, *, refresh: str | None = "refresh", access_ends: datetime | None = None, refresh_ends: datetime | None = None
) -> TokenSet:
    """A token set whose parts carry `name`."""
    kept = Secret(f"{name}-{refresh}") if refresh else None
    return TokenSet(Secret(f"{name}-access"), access_ends, kept, refresh_ends, frozenset({"tweet.read"}))


def consent(given: TokenSet, subject: str = ADA, name: str = "Ada Lantern") -> Consent:
    return Consent(given, Subject(subject, name), given.scopes)


def account(external_id: str = ADA, token: Secret | None = None) -> Derived:
    return Derived(Candidate(Kind.ACCOUNT, external_id, "Ada Lantern"), token)


@dataclass(slots=True)
class Desk:
    """The keeper and what a test changes around it. `open_flows`: grants that a connection under way still needs."""

    database: Database
    clock: ManualClock
    network: CannedNetwork
    ring: Ring = field(default_factory=new_ring)
    open_flows: set[str] = field(default_factory=set)
    keeper: TokenKeeper = field(init=False)
    vault: Vault = field(init=False)

    def __post_init__(self) -> None:
        self.vault = Vault(self.ring, self.clock)
        self.keeper = self.keeper_at(self.network)

    def keeper_at(self, network: ASGIApp) -> TokenKeeper:
        """Another keeper of the same database, as another process is, for which every network is `network`."""
        http = NetworkHttp(at="http://sandbox.test", transport=httpx2.ASGITransport(app=network))
        flow_open = lambda tx, grant_id: grant_id in self.open_flows  # noqa: E731
        return TokenKeeper(self.database, self.clock, Vault(self.ring, self.clock), discover(), http, flow_open=flow_open)

    async def start(self, *apps: AppSettings) -> str:
        """Configure these apps (X's by default); the id of the app that serves X, or empty."""
        await self.database.begin(lambda tx: self.keeper.configure_apps(tx, apps or (X_APP,)))
        ways = self.keeper.logins("x")
        return ways[0][1].id if ways else ""

    async def record(self, app_id: str, given: Consent, *, seq: int | None = None) -> str:
        """A consent, recorded in the order of its callback, or as if it had come as number `seq`; the grant's id."""

        def step(tx: Tx) -> str:
            number = self.keeper.take_consent_seq(tx) if seq is None else seq
            return self.keeper.record_consent(tx, app_id=app_id, consent=given, consent_seq=number)

        return await self.database.begin(step)

    async def stored(self, grant_id: str) -> TokenSet:
        return await self.database.read(lambda tx: self.keeper.tokens_of(tx, grant_id))

    async def back(self, profile_id: str, grant_id: str, derived: Derived | None = None) -> None:
        what = derived or account()
        await self.database.begin(
            lambda tx: self.keeper.back(tx, profile_id=profile_id, grant_id=grant_id, derived=what, confirmed_by="ada")
        )

    async def abandon(self, app_id: str, given: Consent | None = None) -> str:
        """A grant that nobody needed for more than a quarter of an hour."""
        grant_id = await self.record(app_id, given or consent(tokens("lost")))
        self.clock.forward(timedelta(minutes=16))
        return grant_id

    async def rows(self, sql: str) -> list[dict[str, object]]:
        return await self.database.read(lambda tx: [dict(row) for row in tx.execute(text(sql)).mappings()])

    async def run(self, sql: str, **values: object) -> None:
        await self.database.begin(lambda tx: tx.execute(text(sql), values))

    async def state(self, grant_id: str) -> object:
        (row,) = [row for row in await self.rows("SELECT id, state FROM grants") if row["id"] == grant_id]
        return row["state"]

    def told(self) -> list[str]:
        """The tokens that the network was asked to end, in order."""
        return [one.form["token"] for one in self.network.asked if one.path == REVOKE]


def x_that(*answers: Canned) -> CannedNetwork:
    """X, whose revoke endpoint answers in turn (the last one stays); by default it ends every token."""
    prepared: Sequence[Canned] = answers or (Canned({"revoked": True}),)
    return CannedNetwork({REVOKE: list(prepared)})
