"""What happened is written with the change, numbered after it, and read in order by the workspace it belongs to."""

from datetime import timedelta

import pytest

from hitchpost.db.engine import SqliteDatabase, Tx
from hitchpost.events.service import INSTALLATION, Events, Fact, list_of, record
from hitchpost.secret import Secret
from tests.support.clock import ManualClock

LANTERN, CLEOS = "c" + "l" * 24, "c" + "o" * 24


def note(tx: Tx, clock: ManualClock, subject: str, *, workspace: str = LANTERN) -> str:
    facts: dict[str, Fact] = {"provider": "x", "picked": ["a", "b"], "renewed": True, "count": 2}
    return record(tx, workspace_id=workspace, type="profile.attached", subject=subject, actor="ada", facts=facts, now=clock.now())


async def test_an_event_keeps_its_facts_and_gets_a_number(database: SqliteDatabase, clock: ManualClock) -> None:
    event_id = await database.begin(lambda tx: note(tx, clock, "bakery"))
    assert await database.read(lambda tx: list_of(tx, LANTERN, 0, 10)) == ()
    assert await Events(database).seal() == 1
    (event,) = await database.read(lambda tx: list_of(tx, LANTERN, 0, 10))
    assert (event.seq, event.id, event.type, event.subject, event.actor) == (1, event_id, "profile.attached", "bakery", "ada")
    assert event.at == clock.now()
    assert event.facts == {"provider": "x", "picked": ["a", "b"], "renewed": True, "count": 2}


async def test_an_undone_change_leaves_no_event(database: SqliteDatabase, clock: ManualClock) -> None:
    def undone(tx: Tx) -> None:
        note(tx, clock, "bakery")
        raise LookupError

    with pytest.raises(LookupError):
        await database.begin(undone)
    assert await Events(database).seal() == 0


async def test_a_reader_who_remembers_the_last_number_misses_nothing(database: SqliteDatabase, clock: ManualClock) -> None:
    """An event that is committed late, with an earlier time, comes after what was already read."""
    early = clock.now()
    clock.forward(timedelta(seconds=5))
    await database.begin(lambda tx: note(tx, clock, "second"))
    await Events(database).seal()
    await database.begin(
        lambda tx: record(tx, workspace_id=LANTERN, type="profile.attached", subject="first", actor="-", facts={}, now=early)
    )
    await Events(database).seal()
    after_second = await database.read(lambda tx: list_of(tx, LANTERN, 1, 10))
    assert [(event.seq, event.subject) for event in after_second] == [(2, "first")]


async def test_two_sealers_give_each_number_once(database: SqliteDatabase, clock: ManualClock) -> None:
    def many(tx: Tx) -> None:
        for count in range(1201):
            note(tx, clock, str(count))

    await database.begin(many)
    assert sum([await Events(database).seal(), await Events(database).seal()]) == 1201
    events = await database.read(lambda tx: list_of(tx, LANTERN, 0, 5000))
    assert [event.seq for event in events] == list(range(1, 1202))
    assert len({event.id for event in events}) == 1201


async def test_cleos_workspace_sees_none_of_lanterns_events(database: SqliteDatabase, clock: ManualClock) -> None:
    await database.begin(lambda tx: note(tx, clock, "bakery"))
    await database.begin(lambda tx: note(tx, clock, "owl", workspace=CLEOS))
    await database.begin(lambda tx: note(tx, clock, "person", workspace=INSTALLATION))
    await Events(database).seal()
    events = await database.read(lambda tx: list_of(tx, CLEOS, 0, 10))
    assert [event.subject for event in events] == ["owl"]


@pytest.mark.parametrize("value", [Secret("hush"), b"hush", ["fine", Secret("hush")], {"deep": "dict"}, 1.5, None])
async def test_a_secret_is_never_a_fact(database: SqliteDatabase, clock: ManualClock, value: object) -> None:
    def try_it(tx: Tx) -> None:
        record(tx, workspace_id=LANTERN, type="t", subject="s", actor="a", facts={"token": value}, now=clock.now())  # type: ignore[dict-item]

    with pytest.raises(TypeError) as caught:
        await database.begin(try_it)
    assert "hush" not in str(caught.value)
