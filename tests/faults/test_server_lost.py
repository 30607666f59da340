"""R26: PostgreSQL stops without a word and comes back, or commits and its answer is lost: one call a renewal, nothing lost."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault as NetworkFault
from hitchpost.tokens.renewing import SLOTS
from tests.conftest import Scale
from tests.faults.held import Held, until
from tests.faults.stage import TWO_HOURS, Stage, staged
from tests.faults.test_kills import judged, settle
from tests.support.postgres import Cluster, new_database, own_cluster

pytestmark = pytest.mark.postgres
LOST = (DBAPIError, PoolTimeout, OSError)
"""What a sweep may meet when the server is gone; the engine logs it and comes again."""
AT_ONCE = SLOTS


@pytest.fixture(scope="module")
def own() -> Iterator[Cluster]:
    """A cluster that these trials may lose."""
    with own_cluster() as cluster:
        yield cluster


async def swept(stage: Stage) -> None:
    with suppress(*LOST):
        await stage.services.tokens.renew_due()


async def everything_is_well(stage: Stage, people: int) -> int:
    """Each renewal was one call, and its tokens are stored; how many there were."""
    await settle(stage)
    assert await judged(stage, {}) == (people, 0)
    assert stage.world.ledger.count("token_refused") == 0
    renewals = sum(row["version"] - 1 for row in await stage.rows("SELECT version FROM grants"))
    assert renewals == stage.world.ledger.count("token_rotated")
    return int(renewals)


@pytest.mark.parametrize("moment", ["before the calls", "with the answers in hand"])
async def test_R26_the_server_stops_at_once_and_comes_back(tmp_path: Path, own: Cluster, moment: str, scale: Scale) -> None:
    async with staged(tmp_path, await new_database(own.address, f"l{new_id()}")) as stage:
        await stage.people(AT_ONCE)
        held = Held()
        original, stage.services = stage.services, await stage.another(held)
        for _ in range(scale(short=1, full=15)):
            stage.forward(TWO_HOURS)
            held.hold()
            if moment == "before the calls":
                held.before = lambda _request: True
            else:
                held.after = lambda _request: True
            sweeping = asyncio.create_task(swept(stage))
            await until(lambda: held.waiting == AT_ONCE)
            own.lose()
            held.let_go()
            # The answers have come, and cannot be recorded yet; a sweep in between finds no server.
            await until(lambda: held.waiting == 0)
            await swept(stage)
            own.start()
            await sweeping
            assert await stage.rows("SELECT 1 FROM grants WHERE claim_id <> ''") == []
        renewals = await everything_is_well(stage, AT_ONCE)
        assert renewals >= AT_ONCE * scale(short=1, full=15)
        await stage.services.close()
        stage.services = original
        print(f"\n{moment}: {renewals} renewals, each one call, and none lost")


class Relay:
    """Stands between the product and PostgreSQL and can lose the answer to a commit that was made."""

    def __init__(self, host: str, port: int) -> None:
        self._to = (host, port)
        self.loses = 0
        """How many answers to commits are still to be lost."""
        self.lost = 0
        self._busy: set[asyncio.Task[None]] = set()

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(*self._to)
        committing = False

        async def forth() -> None:
            nonlocal committing
            while piece := await reader.read(65536):
                committing = b"COMMIT" in piece and self.loses > 0
                self.loses -= committing
                back.write(piece)
                await back.drain()

        async def answers() -> None:
            while piece := await there.read(65536):
                if committing:
                    # The server has committed and said so; nobody will hear it.
                    self.lost += 1
                    return
                writer.write(piece)
                await writer.drain()

        await self._first_of(forth(), answers())
        for one in (back, writer):
            one.transport.abort()

    async def _first_of(self, *ways: Awaitable[None]) -> None:
        tasks = {asyncio.ensure_future(way) for way in ways}
        _, others = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for one in others:
            one.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@asynccontextmanager
async def relayed(address: str) -> AsyncIterator[tuple[Relay, str]]:
    """A relay before the database at this address; its own address."""
    parts = urlsplit(address)
    relay = Relay(str(parts.hostname), int(parts.port or 0))
    server = await asyncio.start_server(relay.serve, "127.0.0.1", 0)
    try:
        yield relay, f"postgresql://tests@127.0.0.1:{server.sockets[0].getsockname()[1]}{parts.path}"
    finally:
        server.close()


@pytest.mark.parametrize("which", ["the claim's", "the record's"])
async def test_R26_the_answer_to_a_commit_is_lost_and_nothing_happens_twice(
    tmp_path: Path, postgres: str, which: str, scale: Scale
) -> None:
    async with (
        relayed(await new_database(postgres, f"a{new_id()}")) as (relay, address),
        staged(tmp_path, address) as stage,
    ):
        grants = await stage.people(AT_ONCE)
        held = Held()
        original, stage.services = stage.services, await stage.another(held)
        for _ in range(scale(short=1, full=15)):
            stage.forward(TWO_HOURS)
            if which == "the claim's":
                relay.loses = 1
                with pytest.raises(DBAPIError):
                    await stage.services.tokens.renew_due()
            else:
                held.hold()
                held.after = lambda _request: True
                asking = [asyncio.create_task(stage.services.tokens.fresh(one)) for one in grants]
                await until(lambda: held.waiting == AT_ONCE)
                relay.loses = AT_ONCE // 2
                held.let_go()
                assert {one.version for one in await asyncio.gather(*asking)} != set()
            assert relay.loses == 0
            with suppress(NetworkFault):
                await stage.services.tokens.fresh(grants[0])
        assert relay.lost >= scale(short=1, full=15)
        renewals = await everything_is_well(stage, AT_ONCE)
        await stage.services.close()
        stage.services = original
        print(f"\n{relay.lost} answers to {which} commits lost, {renewals} renewals, each one call")
