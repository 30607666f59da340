"""What happened is written with the change, numbered after it, and read in order by the workspace it belongs to."""

import asyncio
from datetime import timedelta

import pytest

from hitchpost.db.engine import Database, Tx
from hitchpost.events.service import INSTALLATION, Events, Fact, list_of, record
from hitchpost.secret import Secret
from tests.support.clock import ManualClock

LANTERN, CLEOS = "c" + "l" * 24, "c" + "o" * 24


def note(tx: Tx, clock: ManualClock, subject: str, *, workspace: str = LANTERN) -> str:
    facts: dict[str, Fact] = {"provider": "x", "picked": ["a", "b"], "renewed": True, "count": 2}
    return record(tx, workspace_id=workspace, type="profile.attached", subject=subject, actor="ada", facts=facts, now=clock.now())


async def test_an_event_keeps_its_facts_and_gets_a_number(any_database: Database, clock: ManualClock) -> None:
    event_id = await any_database.begin(lambda tx: note(tx, clock, "bakery"))
    assert await any_database.read(lambda tx: list_of(tx, LANTERN, 0, 10)) == ()
    assert await Events(any_database).seal() == 1
    (event,) = await any_database.read(lambda tx: list_of(tx, LANTERN, 0, 10))
    assert (event.seq, event.id, event.type, event.subject, event.actor) == (1, event_id, "profile.attached", "bakery", "ada")
    assert event.at == clock.now()
    assert event.facts == {"provider": "x", "picked": ["a", "b"], "renewed": True, "count": 2}


async def test_an_undone_change_leaves_no_event(any_database: Database, clock: ManualClock) -> None:
    def undone(tx: Tx) -> None:
        note(tx, clock, "bakery")
        raise LookupError

    with pytest.raises(LookupError):
        await any_database.begin(undone)
    assert await Events(any_database).seal() == 0


async def test_a_reader_who_remembers_the_last_number_misses_nothing(any_database: Database, clock: ManualClock) -> None:
    """An event that is committed late, with an earlier time, comes after what was already read."""
    early = clock.now()
    clock.forward(timedelta(seconds=5))
    await any_database.begin(lambda tx: note(tx, clock, "second"))
    await Events(any_database).seal()
    await any_database.begin(
        lambda tx: record(tx, workspace_id=LANTERN, type="profile.attached", subject="first", actor="-", facts={}, now=early)
    )
    await Events(any_database).seal()
    after_second = await any_database.read(lambda tx: list_of(tx, LANTERN, 1, 10))
    assert [(event.seq, event.subject) for event in after_second] == [(2, "first")]


async def test_two_sealers_give_each_number_once(any_database: Database, clock: ManualClock) -> None:
    def many(tx: Tx) -> None:
        for count in range(1201):
            note(tx, clock, str(count))

    await any_database.begin(many)
    assert sum([await Events(any_database).seal(), await Events(any_database).seal()]) == 1201
    events = await any_database.read(lambda tx: list_of(tx, LANTERN, 0, 5000))
    assert [event.seq for event in events] == list(range(1, 1202))
    assert len({event.id for event in events}) == 1201


async def test_a_reader_beside_writers_and_sealers_misses_nothing(any_database: Database, clock: ManualClock) -> None:
    read: list[int] = []

    async def write(subject: str) -> None:
        for _ in range(10):
            await any_database.begin(lambda tx: note(tx, clock, subject))
            await Events(any_database).seal()

    async def read_on() -> None:
        while len(read) < 40:
            read.extend(event.seq for event in await any_database.read(lambda tx: list_of(tx, LANTERN, max(read, default=0), 3)))
            await asyncio.sleep(0)

    await asyncio.wait_for(asyncio.gather(read_on(), *(write(subject) for subject in "abcd")), 60)
    assert read == list(range(1, 41))


async def test_cleos_workspace_sees_none_of_lanterns_events(any_database: Database, clock: ManualClock) -> None:
    await any_database.begin(lambda tx: note(tx, clock, "bakery"))
    await any_database.begin(lambda tx: note(tx, clock, "owl", workspace=CLEOS))
    await any_database.begin(lambda tx: note(tx, clock, "person", workspace=INSTALLATION))
    await Events(any_database).seal()
    events = await any_database.read(lambda tx: list_of(tx, CLEOS, 0, 10))
    assert [event.subject for event in events] == ["owl"]


@pytest.mark.parametrize("value", [Secret("hush"), b"hush", ["fine", Secret("hush")], {"deep": "dict"}, 1.5, None])
async def test_a_secret_is_never_a_fact(any_database: Database, clock: ManualClock, value: object) -> None:
    def try_it(tx: Tx) -> None:
        record(tx, workspace_id=LANTERN, type="t", subject="s", actor="a", facts={"token": value}, now=clock.now())  # type: ignore[dict-item]

    with pytest.raises(TypeError) as caught:
        await any_database.begin(try_it)
    assert "hush" not in str(caught.value)
