"""The engine on both sides: a batch is put into the queue once and done by whoever has hands free, whatever befalls the queue."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from functools import partial
from io import StringIO

import asyncpg
import pytest

from hitchpost.db.engine import PostgresDatabase
from hitchpost.ids import new_id
from hitchpost.jobs.engine import Engine
from hitchpost.jobs.queue import PREFIX, Connect, install_script
from hitchpost.jobs.stopping import Stopping
from hitchpost.jobs.work import WHOLE, Work, always, when
from hitchpost.web.log import set_up
from tests.support.postgres import new_database

BEAT = 0.01
CANARY = "canary-41c7"


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.postgres)])
async def queue_url(request: pytest.FixtureRequest) -> str:
    """The address of a database whose queue is empty."""
    return await shared(request.getfixturevalue("postgres")) if request.param == "postgres" else "sqlite:///unused.db"


async def shared(cluster: str) -> str:
    url = await new_database(cluster, f"e{new_id()}")
    await sql(url, install_script())
    return url


async def sql(url: str, script: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(script)
    await connection.close()


async def rows(url: str, query: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(url)
    found: list[asyncpg.Record] = await connection.fetch(query)
    await connection.close()
    return found


def to(url: str) -> Connect | None:
    """How an engine reaches the queue at this address."""
    return partial(asyncpg.connect, url) if url.startswith("postgresql") else None


class Hands:
    """What one engine did, and the rows that it asks: batches that are due until they are done."""

    def __init__(self, url: str, due: set[str], act: Callable[[str], Awaitable[object]] | None = None) -> None:
        self.due, self.done, self.idle = due, list[str](), asyncio.Event()
        self._act = act
        self.engine = Engine([Work("tests", BEAT, self._asked, self._do)], Stopping(), to(url), clears_every=BEAT)

    async def _asked(self) -> Sequence[str]:
        return sorted(self.due)

    async def _do(self, batch: str) -> None:
        self.done.append(batch)
        if self._act:
            await self._act(batch)
        self.due.discard(batch)
        if not self.due:
            self.idle.set()


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Hands], Hands]]:
    engines: list[Hands] = []

    def start(hands: Hands) -> Hands:
        hands.engine.start()
        engines.append(hands)
        return hands

    yield start
    for one in engines:
        await one.engine.stop(5)


async def test_what_is_due_is_done(queue_url: str, started: Callable[[Hands], Hands]) -> None:
    hands = started(Hands(queue_url, {"a", "b", "c"}))
    await hands.idle.wait()
    assert sorted(hands.done) == ["a", "b", "c"]


async def test_a_batch_in_hand_is_not_handed_out_again_however_often_the_rows_call_for_it(
    queue_url: str, started: Callable[[Hands], Hands]
) -> None:
    asked, enough = 0, asyncio.Event()

    async def until_asked_often(_batch: str) -> None:
        await enough.wait()

    hands = Hands(queue_url, {"slow"}, until_asked_often)

    async def asked_again() -> Sequence[str]:
        nonlocal asked
        asked += 1
        if asked > 20:
            enough.set()
        return sorted(hands.due)

    hands.engine = Engine([Work("tests", BEAT, asked_again, hands._do)], Stopping(), to(queue_url))
    started(hands)
    await hands.idle.wait()
    assert hands.done == ["slow"]


@pytest.mark.postgres
async def test_two_processes_share_what_is_due_and_do_nothing_twice_at_once(postgres: str, started: Callable[[Hands], Hands]) -> None:
    url, due, in_hand, both = await shared(postgres), {"0"}, set[str](), asyncio.Event()
    second: Hands

    async def work(batch: str) -> None:
        assert batch not in in_hand
        in_hand.add(batch)
        if first.done and second.done:
            both.set()
        else:
            # There is always one more, until both have had some.
            due.add(str(int(batch) + 1))
        await asyncio.sleep(0)
        in_hand.remove(batch)

    first = Hands(url, due, work)
    second = Hands(url, due, work)
    started(first)
    started(second)
    await both.wait()
    assert first.done
    assert second.done


@pytest.mark.postgres
async def test_a_batch_of_a_process_that_died_is_taken_by_another(postgres: str, started: Callable[[Hands], Hands]) -> None:
    url = await shared(postgres)
    await sql(
        url,
        f"INSERT INTO {PREFIX}waiting (priority, queue_manager_id, heartbeat, status, entrypoint, dedupe_key, payload) VALUES "
        "(0, gen_random_uuid(), now() - interval '1 minute', 'picked', 'tests', 'tests lost', 'lost')",
    )
    hands = started(Hands(url, {"lost"}))
    await hands.idle.wait()
    assert hands.done == ["lost"]


@pytest.mark.postgres
async def test_R26_a_queue_that_is_cut_off_is_opened_again(postgres: str, started: Callable[[Hands], Hands]) -> None:
    url = await shared(postgres)
    hands = started(Hands(url, {"before"}))
    await hands.idle.wait()
    await sql(url, "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()")
    hands.idle.clear()
    hands.due.add("after")
    await hands.idle.wait()
    assert hands.done == ["before", "after"]


async def test_E6_work_that_fails_is_logged_by_type_and_tried_on_the_next_beat(queue_url: str, started: Callable[[Hands], Hands]) -> None:
    written, tries = StringIO(), 0
    set_up("info", stream=written)

    async def fails_once(_batch: str) -> None:
        nonlocal tries
        tries += 1
        if tries == 1:
            raise ValueError(CANARY)

    hands = started(Hands(queue_url, {"a"}, fails_once))
    await hands.idle.wait()
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [line["work"] for line in lines if line["event"] == "work failed"] == ["tests"]
    assert CANARY not in written.getvalue()
    if queue_url.startswith("postgresql"):
        assert CANARY not in str([await rows(queue_url, f"SELECT * FROM {PREFIX}{table}") for table in ("waiting", "log", "statistics")])


async def test_rows_that_cannot_be_read_are_asked_again(queue_url: str, started: Callable[[Hands], Hands]) -> None:
    hands, asked = Hands(queue_url, {"a"}), 0

    async def at_first_not() -> Sequence[str]:
        nonlocal asked
        asked += 1
        if asked == 1:
            raise OSError("the database is away")
        return sorted(hands.due)

    hands.engine = Engine([Work("tests", BEAT, at_first_not, hands._do)], Stopping(), to(queue_url))
    set_up("error", stream=StringIO())
    started(hands)
    await hands.idle.wait()
    assert hands.done == ["a"]


async def test_R19_who_is_told_to_stop_finishes_what_is_in_hand_and_takes_nothing_more(
    queue_url: str, started: Callable[[Hands], Hands]
) -> None:
    begun, may_end = asyncio.Event(), asyncio.Event()

    async def long(_batch: str) -> None:
        begun.set()
        await may_end.wait()

    hands = started(Hands(queue_url, {"long"}, long))
    await begun.wait()
    stopped = asyncio.create_task(hands.engine.stop(20))
    await asyncio.sleep(0)
    hands.due.add("late")
    may_end.set()
    await stopped
    assert hands.done == ["long"]
    assert "long" not in hands.due
    if queue_url.startswith("postgresql"):
        assert await rows(queue_url, f"SELECT 1 FROM {PREFIX}waiting WHERE status = 'picked'") == []


async def test_R19_what_does_not_end_in_time_is_given_up(queue_url: str, started: Callable[[Hands], Hands]) -> None:
    begun, given_up = asyncio.Event(), False

    async def endless(_batch: str) -> None:
        nonlocal given_up
        begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            given_up = True
            raise

    hands = started(Hands(queue_url, {"endless"}, endless))
    await begun.wait()
    await hands.engine.stop(0)
    assert given_up


async def test_R31_nothing_is_kept_of_what_was_done(postgres: str, started: Callable[[Hands], Hands]) -> None:
    url = await shared(postgres)
    hands = started(Hands(url, {str(number) for number in range(30)}))
    await hands.idle.wait()
    while await rows(url, f"SELECT 1 FROM {PREFIX}log UNION ALL SELECT 1 FROM {PREFIX}waiting"):
        await asyncio.sleep(BEAT)
    assert await rows(url, f"SELECT 1 FROM {PREFIX}statistics") == []


@pytest.mark.postgres
async def test_the_queues_connection_understands_the_address_as_the_others_do(postgres: str) -> None:
    database = PostgresDatabase(f"{await shared(postgres)}?ssl=disable&prepared_statement_cache_size=0")
    connection = await database.connect()
    assert await connection.fetchval("SELECT 1") == await database.read(lambda tx: tx.exec_driver_sql("SELECT 1").scalar_one())
    await connection.close()
    await database.close()


async def test_everything_due_can_be_done_without_the_queue_in_order() -> None:
    done: list[str] = []

    async def note(batch: str) -> None:
        done.append(batch)

    async def yes() -> bool:
        return True

    async def no() -> bool:
        return False

    async def two() -> Sequence[str]:
        return ("x", "y")

    work = [Work("one", 1, always, note), Work("two", 1, two, note), Work("three", 1, when(no), note), Work("four", 1, when(yes), note)]
    await Engine(work, Stopping(), None).run_due()
    assert done == [*WHOLE, "x", "y", *WHOLE]
