"""The tokens room over a database, with Beacon as the outside, and what tests ask of it past its own code."""

import base64
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from hashlib import sha256

from sqlalchemy import text

from hitchpost.db.engine import Database
from hitchpost.networks.base import Consent, Derived, TokenSet
from hitchpost.networks.catalog import Catalog
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost.settings import AppSettings
from hitchpost.tokens.freshness import Standing
from hitchpost.tokens.ring import Ring, parse
from hitchpost.tokens.service import AccessLeft, GrantEnded, TokenKeeper, VerdictChanged
from hitchpost.tokens.vault import Vault
from tests.support.clock import ManualClock
from tests.tokens.beacon.network import Beacon, Harbour, consent, page

BEACON = AppSettings("beacon", "beacon-client", Secret("canary-client-secret"))


def ring(*keys: tuple[str, int]) -> Ring:
    """A ring of known keys: each is an id and a number that gives its bytes."""
    return parse(",".join(f"{key_id}:{key(number)}" for key_id, number in keys or (("one", 0),)), "the tests' ring")


def key(number: int) -> str:
    """A key that looks random and is the same in every run, as base64."""
    return base64.b64encode(sha256(f"key {number}".encode()).digest()).decode()


@dataclass(slots=True)
class Room:
    """The service, and the people's steps through it.

    `open_flows`: grants that a connection under way needs. `ended`: what the rooms above were told.
    """

    database: Database
    clock: ManualClock
    keeper: TokenKeeper
    beacon: Beacon
    harbour: Beacon
    app_id: str = ""
    ended: list[GrantEnded] = field(default_factory=list)
    changed: list[VerdictChanged] = field(default_factory=list)
    left: list[AccessLeft] = field(default_factory=list)
    open_flows: set[str] = field(default_factory=set)

    async def configure(self, *apps: AppSettings) -> None:
        await self.database.begin(lambda tx: self.keeper.configure_apps(tx, apps))

    async def consented(self, given: Consent | None = None, *, seq: int = 0, app_id: str = "") -> str:
        """Record a consent; `seq` 0: the next one."""
        given = given or consent()
        return await self.database.begin(
            lambda tx: self.keeper.record_consent(
                tx, app_id=app_id or self.app_id, consent=given, consent_seq=seq or self.keeper.take_consent_seq(tx)
            )
        )

    async def renewing(
        self, *, access: timedelta = timedelta(hours=2), subject: str = "ada-at-beacon", profile_id: str = "cprofile"
    ) -> str:
        """A grant whose access token ends after this, backing a profile; its id."""
        now = self.clock.now()
        grant_id = await self.consented(until(consent(subject), now + access, now + timedelta(days=182)))
        await self.backed(profile_id, grant_id)
        return grant_id

    async def backed(
        self, profile_id: str, grant_id: str, derived: Derived | None = None, by: str = "ada", provider: str = "beacon"
    ) -> None:
        await self.database.begin(
            lambda tx: self.keeper.back(
                tx, profile_id=profile_id, grant_id=grant_id, provider=provider, derived=derived or page(), confirmed_by=by
            )
        )

    async def people(self, count: int) -> None:
        """So many people with a grant and a profile each, whose access tokens last."""
        for number in range(count):
            await self.backed(f"cprofile{number}", await self.consented(consent(f"person-{number}")))

    async def tokens(self, grant_id: str) -> TokenSet:
        return await self.database.read(lambda tx: self.keeper.tokens_of(tx, grant_id))

    async def standing(self, profile_id: str) -> Standing:
        return (await self.database.read(lambda tx: self.keeper.standing(tx, [profile_id])))[profile_id]

    async def rows(self, sql: str) -> list[dict[str, object]]:
        return await self.database.read(lambda tx: [dict(row) for row in tx.execute(text(sql)).mappings()])

    async def run(self, sql: str) -> None:
        """Change a row past our own code, as somebody with the stolen or broken database would."""
        await self.database.begin(lambda tx: tx.execute(text(sql)))


@asynccontextmanager
async def opened(
    database: Database, clock: ManualClock, keys: Ring | None = None, apps: Sequence[AppSettings] = (BEACON,), network: Beacon | None = None
) -> AsyncIterator[Room]:
    """The room with the apps configured; another one on the same database is another process."""
    beacon, harbour, http, open_flows = network or Beacon(), Harbour(), NetworkHttp("http://sandbox.test"), set[str]()
    ended: list[GrantEnded] = []
    changed: list[VerdictChanged] = []
    left: list[AccessLeft] = []
    keeper = TokenKeeper(
        database,
        clock,
        Vault(keys or ring(), clock),
        Catalog([beacon, harbour]),
        http,
        flow_open=lambda tx, grant_id: grant_id in open_flows,
        on_ended=lambda _, change: ended.append(change),
        on_verdict=lambda _, change: changed.append(change),
        on_left=lambda _, one: left.append(one),
    )
    room = Room(database, clock, keeper, beacon, harbour, open_flows=open_flows, ended=ended, changed=changed, left=left)
    await room.configure(*apps)
    room.app_id = next((app.id for _, app in keeper.logins("beacon")), "")
    try:
        yield room
    finally:
        await http.close()


def until(given: Consent, access: datetime | None, refresh: datetime | None = None) -> Consent:
    """The same consent with these ends of its tokens."""
    return replace(given, tokens=replace(given.tokens, access_expires_at=access, refresh_expires_at=refresh))
