"""The only place that builds things: configuration in, services out. Callbacks from lower rooms to higher ones are tied here."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

import httpx2

from hitchpost.clock import Clock, SystemClock
from hitchpost.connect.callbacks import end_flows_of_browsers, end_flows_of_member, flow_open, forget_person
from hitchpost.connect.jobs import run_due
from hitchpost.connect.looks import Looks
from hitchpost.connect.service import ConnectFlow
from hitchpost.connect.shredding import Shredding
from hitchpost.db import schema
from hitchpost.db.clock import DatabaseClock
from hitchpost.db.engine import Database, PostgresDatabase, Tx, open_database
from hitchpost.events.service import Events
from hitchpost.jobs.engine import Engine
from hitchpost.jobs.stopping import Stopping
from hitchpost.jobs.work import Work, always, when
from hitchpost.networks.catalog import Catalog, discover
from hitchpost.networks.http import NetworkHttp
from hitchpost.people.auth import SignedIn
from hitchpost.people.service import People
from hitchpost.profiles.endings import access_left, grant_ended, verdict_changed
from hitchpost.profiles.gallery import Gallery
from hitchpost.profiles.leaving import Leaving
from hitchpost.profiles.service import Profiles
from hitchpost.settings import Configuration, Settings
from hitchpost.tokens.ring import load_or_make
from hitchpost.tokens.service import TokenKeeper
from hitchpost.tokens.vault import Vault, is_unused
from hitchpost.workspaces.service import Workspaces


@dataclass(frozen=True, slots=True)
class Services:
    """Everything that runs, built and tied together."""

    settings: Settings
    clock: Clock
    database: Database
    catalog: Catalog
    http: NetworkHttp
    people: People
    signed_in: SignedIn
    workspaces: Workspaces
    tokens: TokenKeeper
    profiles: Profiles
    leaving: Leaving
    shredding: Shredding
    flow: ConnectFlow
    looks: Looks
    engine: Engine
    stopping: Stopping

    async def close(self) -> None:
        """Stop what runs in the background within the grace, then what it uses; no lease is left behind."""
        await self.engine.stop()
        await self.tokens.settled(self.stopping.left())
        await self.looks.stop(self.stopping.left())
        await self.http.close()
        await self.database.close()


async def build(
    configuration: Configuration,
    *,
    clock: Clock | None = None,
    catalog: Catalog | None = None,
    database: Database | None = None,
    networks: httpx2.AsyncBaseTransport | None = None,
    say: Callable[[str], None] = partial(print, flush=True),
) -> Services:
    """Open, check, and tie everything together. `networks`: another transport for outgoing calls, for tests in one process.

    `say` tells whoever runs the installation what they must know once: that the key ring was made just now.

    Raises BadSettings, BadRing, WrongSchema, each with a sentence for whoever runs the server.
    """
    settings = configuration.settings
    database = database or open_database(settings.database)
    http = NetworkHttp(settings.networks_at, transport=networks)
    try:
        if clock is None and isinstance(database, PostgresDatabase):
            clock = DatabaseClock(database, SystemClock())
            await clock.measure()
        return await _tied(configuration, clock or SystemClock(), catalog or discover(), database, http, say)
    except BaseException:
        # Who refuses to start leaves nothing open behind.
        await http.close()
        await database.close()
        raise


async def _tied(
    configuration: Configuration, clock: Clock, catalog: Catalog, database: Database, http: NetworkHttp, say: Callable[[str], None]
) -> Services:
    settings = configuration.settings
    await database.read(schema.check)
    people, workspaces = people_and_workspaces(settings, database, clock)
    ring = load_or_make(settings, database_empty=await database.read(is_unused))
    if ring.made_at:
        # At once: what else is refused at this start is mended, and the next one finds a ring that nobody was told of.
        say(f"\n  The key ring was made at {ring.made_at}: save it now, apart from the database.")
    stopping = Stopping(clock)
    vault = Vault(ring, clock, reload=lambda: load_or_make(settings, database_empty=False))
    tokens = TokenKeeper(
        database, clock, vault, catalog, http, flow_open=partial(flow_open, clock), on_ended=partial(grant_ended, clock),
        on_verdict=partial(verdict_changed, clock), on_left=partial(access_left, clock),
        renewals_a_minute=settings.renewals_a_minute, stopping=stopping,
    )  # fmt: skip

    def start(tx: Tx) -> None:
        # First of all that the ring opens this database: until then nothing is written.
        vault.check(tx)
        tokens.configure_apps(tx, configuration.apps)

    await database.begin(start)
    profiles = Profiles(database, clock, tokens, workspaces, catalog, Gallery(database, clock, http))
    flow = ConnectFlow(
        database=database, clock=clock, catalog=catalog, http=http, workspaces=workspaces, tokens=tokens, profiles=profiles,
        public_url=settings.public_url,
    )  # fmt: skip
    looks = Looks(flow)
    events = Events(database)
    engine = Engine(
        [
            Work("connections", 10.0, always, lambda _: run_due(database, clock, looks, profiles)),
            Work("renewals", 1.0, tokens.renewals, tokens.renew_batch),
            Work("examinations", 30.0, when(tokens.examination_due), lambda _: tokens.examine_due()),
            Work("abandoned grants", 60.0, always, lambda _: tokens.sweep_abandoned()),
            Work("events", 1.0, when(events.unsealed), lambda _: events.seal()),
        ],
        stopping,
        database.connect if isinstance(database, PostgresDatabase) else None,
        beats=[(60.0, clock.measure)] if isinstance(clock, DatabaseClock) else [],
    )
    return Services(
        settings=settings, clock=clock, database=database, catalog=catalog, http=http, people=people, signed_in=SignedIn(people, settings),
        workspaces=workspaces, tokens=tokens, profiles=profiles,
        leaving=Leaving(database, clock, tokens, on_forgotten=forget_person),
        shredding=Shredding(database, workspaces, profiles, tokens), flow=flow, looks=looks, engine=engine, stopping=stopping,
    )  # fmt: skip


def people_and_workspaces(settings: Settings, database: Database, clock: Clock) -> tuple[People, Workspaces]:
    """The two rooms that the command line works with as well; what they change ends connections under way."""
    people = People(
        database,
        clock,
        idle=timedelta(hours=settings.session_idle_hours),
        absolute=timedelta(hours=settings.session_hours),
        on_session_ended=end_flows_of_browsers,
    )
    return people, Workspaces(database, clock, people, on_member_changed=end_flows_of_member)
