"""R3: while networks hang no transaction is open, so nobody else waits. R18: one that hangs or bans us costs the others nothing."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest

from hitchpost.asgi import create_app
from hitchpost.bootstrap import Services
from hitchpost.db.engine import Database, Tx
from hitchpost.networks.base import Consent, Subject, TokenSet
from hitchpost.secret import Secret
from hitchpost.tokens.renewing import SLOTS
from hitchpost_sandbox.apps import PINTEREST_APP
from hitchpost_sandbox.faults import Fault
from tests.conftest import Scale
from tests.faults.dying import WatchedDatabase
from tests.faults.held import Held, until
from tests.faults.stage import ENGINES, STRICT, TWO_HOURS, Stage, place, staged
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, opened
from tests.support.people import settled_town

MINUTE = timedelta(minutes=1)


async def open_transactions(stage: Stage, folder: Path) -> int:
    """By the database's own word. SQLite: whether another connection, which does not wait, can begin to write."""
    url = stage.environment.get("HITCHPOST_DATABASE_URL", "")
    if not url:
        beside = sqlite3.connect(folder / "data" / "hitchpost.db", timeout=0, isolation_level=None)
        try:
            beside.execute("BEGIN IMMEDIATE")
            beside.execute("ROLLBACK")
        except sqlite3.OperationalError:
            return 1
        finally:
            beside.close()
        return 0
    beside_it = await asyncpg.connect(url)
    try:
        query = "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        return int(await beside_it.fetchval(f"{query} AND xact_start IS NOT NULL"))
    finally:
        await beside_it.close()


@asynccontextmanager
async def caller(services: Services, person_id: str) -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody with a key, over HTTP."""
    _, key = await services.database.begin(lambda tx: services.workspaces.issue_key(tx, person_id, "trial"))
    transport = httpx2.ASGITransport(app=create_app(services, background=False))
    async with httpx2.AsyncClient(
        transport=transport, base_url=services.settings.public_url, headers={"X-API-Key": key.reveal()}
    ) as client:
        yield client


@pytest.mark.parametrize("engine", ENGINES)
async def test_R3_hundreds_hang_at_the_network_and_everybody_else_is_served(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale
) -> None:
    waiting, due = scale(short=40, full=500), SLOTS
    async with staged(tmp_path, await place(request, engine)) as stage:
        asked = await stage.people(waiting)
        held = Held()
        server = await stage.another(held)
        async with caller(server, stage.person_id) as client:
            stage.forward(TWO_HOURS)
            held.before = lambda _request: True
            asking = [asyncio.create_task(server.tokens.fresh(one)) for one in asked]
            await until(lambda: held.waiting == waiting)
            assert await open_transactions(stage, tmp_path) == 0
            # What is due by itself hangs as well, and a look that a person asks for.
            await stage.people(due)
            await stage.services.database.begin(
                lambda tx: tx.exec_driver_sql("UPDATE grants SET due_at = 1 WHERE state = 'live' AND claim_id = ''")
            )
            renewing = asyncio.create_task(server.tokens.renew_due())
            await until(lambda: held.waiting == waiting + due)
            where = f"?workspaceId={stage.workspace_id}"
            profiles = (await client.get(f"/api/_public/v1/social-profiles{where}")).json()
            assert len(profiles) == waiting + due
            (lives,) = [one["id"] for one in profiles if one["name"] == f"person-{waiting}"]
            looking = asyncio.create_task(client.post(f"/api/v1/social-profiles/{lives}/check{where}"))
            await until(lambda: held.waiting == waiting + due + 1)
            for _ in range(scale(short=3, full=50)):
                assert await open_transactions(stage, tmp_path) == 0
                said = await client.post(f"/api/_public/v1/social-profiles/connection-url{where}", json={"provider": "x"})
                assert said.status_code == 200
                assert (await client.get("/health")).status_code == 200
                name = f"Quill {held.waiting}"
                await server.database.begin(lambda tx, name=name: server.workspaces.create(tx, name=name, owner_id=stage.person_id))  # type: ignore[misc]
            assert held.waiting == waiting + due + 1
            held.let_go()
            assert {one.version for one in await asyncio.gather(*asking)} == {2}
            assert (await looking).status_code == 200
            assert await renewing == due
            await server.tokens.settled()
        assert stage.world.ledger.count("token_rotated") == waiting + due
        await server.close()


@pytest.mark.parametrize("network", NETWORKS)
async def test_R3_no_call_to_a_network_leaves_while_a_transaction_is_open(tmp_path: Path, clock: ManualClock, network: str) -> None:
    watched: list[WatchedDatabase] = []
    seen: dict[str, int] = {}

    def watch(database: Database) -> Database:
        watched.append(WatchedDatabase(database))
        return watched[0]

    def no_trouble(request: httpx2.Request) -> None:
        seen[f"{request.method} {request.url.path}"] = watched[0].open

    async with opened(tmp_path, clock, watched=watch) as house:
        town = await settled_town(house)
        house.weather.trouble = no_trouble
        browser = await town.browser("ada")
        await browser.attach(await browser.arrive(network, town.lantern))
        own = house.own(await house.key(town.ada))
        listed = (await house.api(await house.key(town.ada)).get(f"social-profiles?workspaceId={town.lantern}")).json()
        house.forward(timedelta(days=1, hours=2))
        for one in await house.rows("SELECT id FROM grants"):
            await house.services.database.begin(
                lambda tx, one=one: tx.exec_driver_sql("UPDATE grants SET due_at = 1")  # type: ignore[misc]
            )
        await house.services.tokens.renew_due()
        assert (await own.post(f"social-profiles/{listed[0]['id']}/check?workspaceId={town.lantern}")).status_code == 200
        for one in listed:
            assert (await own.delete(f"social-profiles/{one['id']}?workspaceId={town.lantern}")).status_code == 200
    assert len(seen) >= 3
    assert {call for call, open_ones in seen.items() if open_ones} == set()


def pinned(tx: Tx, stage: Stage, number: int) -> str:
    """Step: somebody has connected a Pinterest account; the grant's id."""
    name, network, scopes = f"pinner-{number}", stage.world.authority("pinterest"), ("pins:read", "pins:write")
    given = network.consent(PINTEREST_APP, name, scopes)
    access = network.issue(given, "production_access", life=timedelta(days=30))
    refresh = network.issue(given, "production_refresh", life=timedelta(days=60))
    now, keeper = stage.clock.now(), stage.services.tokens
    tokens = TokenSet(Secret(access.value), now + timedelta(days=30), Secret(refresh.value), None, frozenset(scopes))
    consent = Consent(tokens, Subject(f"29{number:08}", name), tokens.scopes)
    app_id = keeper.logins("pinterest")[0][1].id
    return keeper.record_consent(tx, app_id=app_id, consent=consent, consent_seq=keeper.take_consent_seq(tx))


@pytest.mark.parametrize("trouble", ["hangs", "bans us"])
@pytest.mark.parametrize("engine", ENGINES)
async def test_R18_a_network_in_trouble_costs_the_others_no_renewal(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, trouble: str, scale: Scale
) -> None:
    many, rounds = scale(short=10, full=100), scale(short=3, full=10)
    async with staged(tmp_path, await place(request, engine), apps=(STRICT, PINTEREST_APP)) as stage:
        await stage.people(60)
        held = Held()
        server = await stage.another(held)
        await stage.services.database.begin(lambda tx: [pinned(tx, stage, number) for number in range(many)])
        if trouble == "hangs":
            held.before = lambda call: "api.x.com" in call.url.path
        else:
            stage.world.faults.add(Fault("rate_limit", network="x", times=0))
        renewing: list[asyncio.Task[int]] = []
        for turn in range(1, rounds + 1):
            await stage.services.database.begin(lambda tx: tx.exec_driver_sql("UPDATE grants SET due_at = 1 WHERE claim_id = ''"))
            renewing.append(asyncio.create_task(server.tokens.renew_due()))
            await until(lambda turn=turn: stage.world.ledger.count("token_rotated", network="pinterest") == many * turn)  # type: ignore[misc]
            await until(lambda: not held.waiting or held.waiting >= SLOTS)
            while await stage.rows("SELECT 1 FROM grants JOIN apps ON apps.id = app_id WHERE authority = 'pinterest' AND claim_id <> ''"):
                await asyncio.sleep(0)
        assert stage.world.ledger.count("token_rotated", network="x") == 0
        held.let_go()
        await asyncio.gather(*renewing)
        await server.tokens.settled()
        await server.close()


async def test_R18_who_waits_is_served_although_one_workspace_has_dammed_up_hundreds(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path, extra={"HITCHPOST_RENEWALS_A_MINUTE": "0"}) as stage:
        dammed = scale(short=100, full=1000)
        await stage.people(dammed)
        few = await stage.people(10)
        stage.forward(TWO_HOURS)
        before = stage.world.ledger.count("token_rotated")
        for one in few:
            # What falls due by itself takes all that it may, and somebody else's person comes then.
            stage.forward(MINUTE / 6)
            await stage.services.tokens.renew_due()
            assert (await stage.services.tokens.fresh(one)).version == 2
        assert stage.world.ledger.count("token_rotated") - before < dammed
