"""R7, R8, R9: whoever dies with -9 while people connect loses nothing acknowledged and leaves nothing half-done; everybody arrives."""

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

import pytest

from hitchpost.ids import new_id
from hitchpost_sandbox.apps import META_APP, X_APP
from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.grants import Token
from hitchpost_sandbox.people import FacebookLogin, Page, Person
from tests.conftest import Scale
from tests.faults.dying import POINTS, wrote
from tests.faults.stage import Stage, staged
from tests.faults.travellers import PUBLIC_URL, TOLD, Fleet, Traveller, arrived, people, serving
from tests.support.postgres import new_database

ENGINES = ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)]
PAGES = 3
LONGEST_WAY = 20
"""More steps of one kind than a connection has."""

AT_REQUEST = "at_request"
"""Killed from outside, in the middle of whatever it does, when the browsers have sent so many requests."""


def cast(size: int) -> list[Person]:
    """People of whom every second has an X account alone and the others three Pages."""
    return [_resident(person, number) for number, person in enumerate(crowd(size))]


def _resident(person: Person, number: int) -> Person:
    if number % 2:
        return replace(person, facebook=None)
    pages = tuple(Page(f"1028{number:09}{place:02}", f"Shop {number}-{place}", f"{person.key}-shop-{place}") for place in range(PAGES))
    return replace(person, x=None, facebook=FacebookLogin(f"{person.key}-fb", pages=pages))


@dataclass(slots=True)
class Trial:
    """A stage, its servers, and everybody who has travelled so far."""

    stage: Stage
    fleet: Fleet
    cast: list[Person]
    dice: random.Random
    travellers: list[Traveller] = field(default_factory=list)
    _next: int = 0

    async def more(self, count: int, *, every: int = 1) -> list[Traveller]:
        """Further people, ready to go, X and Facebook by turns (`every` 2: Facebook alone); every tenth will leave without a choice."""
        numbers = range(self._next, self._next + count * every, every)
        self._next += count * every
        made = [
            Traveller(
                self.fleet, number, person_id, workspace_id, "facebook" if self.cast[number].facebook else "x", self.cast[number].key,
                random.Random(number), leaves=number % 10 == 7,
            )
            for number, (person_id, workspace_id) in zip(numbers, await people(self.stage, numbers), strict=True)
        ]  # fmt: skip
        self.travellers += made
        return made

    async def settle(self) -> None:
        """Time passes: leases and choices run out, and what was abandoned is given back."""
        for minutes in (3, 16, 3):
            await self.fleet.forward(timedelta(minutes=minutes))


@asynccontextmanager
async def trial(
    folder: Path, request: pytest.FixtureRequest, engine: str, *, size: int, seed: int, servers: int = 0
) -> AsyncIterator[Trial]:
    """An empty installation: one server on SQLite, two on PostgreSQL unless said otherwise."""
    url = await new_database(request.getfixturevalue("postgres"), f"c{new_id()}") if engine == "postgres" else ""
    folder.mkdir(exist_ok=True)
    public = {"HITCHPOST_PUBLIC_URL": PUBLIC_URL}
    async with staged(folder, url, (X_APP, META_APP), public, checkpoints=False) as stage:
        residents = cast(size)
        for person in residents:
            stage.world.recast(person)
        async with serving(stage, servers or (2 if engine == "postgres" else 1)) as fleet:
            yield Trial(stage, fleet, residents, random.Random(seed))


@dataclass(slots=True)
class Tally:
    """What a trial proved, in figures. `window`: consents whose tokens nobody has, for a process died when the network had answered."""

    connects: int = 0
    acknowledged: int = 0
    kills: int = 0
    broken: int = 0
    interrupted: int = 0
    window: int = 0

    def add(self, other: "Tally") -> None:
        for name in self.__slots__:
            setattr(self, name, getattr(self, name) + getattr(other, name))


async def judged(trial: Trial) -> Tally:
    """Everybody's connection as the rows and the network's ledger have it, after all is settled; nothing of it is half."""
    stage, tally = trial.stage, Tally(connects=len(trial.travellers), kills=trial.fleet.deaths)
    ledger = stage.world.ledger
    codes = Counter(str(one.facts["code"]) for one in ledger.read(what="code_redeemed"))
    assert set(codes.values()) <= {1}, "a code was redeemed twice"
    assert ledger.count("code_refused", reason="used") == 0, "a code was sent twice"
    assert ledger.count("broken") == 0
    assert not await stage.rows("SELECT 1 FROM authorization_requests WHERE status IN ('exchanging', 'looking', 'choosing')")
    assert not await stage.rows("SELECT 1 FROM grants WHERE claim_id <> ''"), "a claim stands although everything is settled"
    orphans = "SELECT 1 FROM grants WHERE id NOT IN (SELECT grant_id FROM authorization_requests)"
    assert not await stage.rows(orphans), "a consent was recorded without its flow"
    for traveller in trial.travellers:
        tally.add(await _one(stage, traveller))
    assert len(await stage.rows("SELECT 1 FROM profiles")) == sum(one.picked for one in trial.travellers if not one.leaves)
    return tally


async def _one(stage: Stage, traveller: Traveller) -> Tally:
    requests = await stage.rows("SELECT * FROM authorization_requests WHERE person_id = :person", person=traveller.person_id)
    grants = await stage.rows(
        "SELECT grants.id, grants.state, grants.version, token_sets.version AS sealed FROM grants "
        "LEFT JOIN token_sets ON token_sets.grant_id = grants.id "
        "WHERE grants.id IN (SELECT grant_id FROM authorization_requests WHERE person_id = :person)",
        person=traveller.person_id,
    )
    profiles = await stage.rows("SELECT * FROM profiles WHERE workspace_id = :place", place=traveller.workspace_id)
    backed = await stage.rows(
        "SELECT backings.profile_id, reaches.id AS reach_id, reaches.grant_id, reaches.external_id, reaches.sealed_token FROM backings "
        "JOIN reaches ON reaches.id = backings.reach_id JOIN profiles ON profiles.id = backings.profile_id "
        "WHERE profiles.workspace_id = :place AND backings.state = 'live'",
        place=traveller.workspace_id,
    )
    network = stage.world.authority("meta" if traveller.provider == "facebook" else "x")
    redeemed = stage.world.ledger.count("code_redeemed", person=traveller.account)
    recorded = sum(1 for one in requests if one["grant_id"])
    interrupted = sum(1 for one in requests if one["code"] == TOLD)
    # What no client can save: the network gave tokens, and whoever was to keep them died. Each is told to its person.
    window = redeemed - recorded
    assert 0 <= window <= interrupted, f"{window} consents lost, {interrupted} told"
    assert len(grants) <= 1, "one person's consents became two grants"
    living = network.living(person=traveller.account)
    families = {one.consented.family for one in living}
    attached = [one for one in requests if one["status"] == "attached"]
    if traveller.leaves:
        assert (profiles, backed, attached) == ([], [], [])
        assert [(one["state"], one["sealed"]) for one in grants] == [("gone", None)]
        # X ends one consent's tokens alone: what was never ours and what a newer consent replaced lives until it expires.
        assert len(families) <= (0 if traveller.provider == "facebook" else window + recorded - 1), "an abandoned access lives on"
    else:
        assert len(attached) == 1
        assert {one["state"] for one in profiles} == {"attached"}
        assert len({one["external_id"] for one in profiles}) == len(profiles) == traveller.picked, "something acknowledged was lost"
        assert {one["profile_id"] for one in backed} == {one["id"] for one in profiles}, "a profile without anything behind it"
        assert [(one["state"], one["sealed"]) for one in grants] == [("live", grants[0]["version"])], "a token set is torn from its grant"
        events = await stage.rows(
            "SELECT subject FROM events WHERE workspace_id = :place AND type = 'profile.attached'", place=traveller.workspace_id
        )
        assert sorted(one["subject"] for one in events) == sorted(one["id"] for one in profiles), "an event and its profile are torn"
        await _held(stage, grants[0]["id"], backed, living)
    return Tally(acknowledged=not traveller.leaves, broken=traveller.broken, interrupted=interrupted, window=window)


async def _held(stage: Stage, grant_id: str, backed: Sequence[dict[str, str]], living: Sequence[Token]) -> None:
    """The tokens behind the profiles live at the network."""
    keeper, values = stage.services.tokens, {one.value: one for one in living}
    tokens = await stage.services.database.read(lambda tx: keeper.tokens_of(tx, grant_id))
    assert tokens.access.reveal() in values
    assert tokens.refresh is None or tokens.refresh.reveal() in values
    for one in backed:
        assert one["grant_id"] == grant_id
        if one["sealed_token"]:
            place = ("-", "reaches", "sealed_token", one["reach_id"], one["sealed_token"])
            page = await stage.services.database.read(lambda tx, place=place: keeper.unseal(tx, *place))  # type: ignore[misc]
            assert values[page.reveal()].subject == one["external_id"]
        else:
            assert tokens.refresh is not None, "a Page acts with a token of its own"


@pytest.mark.parametrize("engine", ENGINES)
async def test_R7_kill_9_while_many_connect(tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale) -> None:
    batches, at_once = scale(short=3, full=8), scale(short=12, full=25)
    total = Tally()
    codes: Counter[str] = Counter()
    for part in range(scale(short=1, full=5)):
        async with trial(tmp_path / f"part-{part}", request, engine, size=batches * at_once, seed=20261125 + part) as place:
            points = [*POINTS, AT_REQUEST]
            place.dice.shuffle(points)
            for batch in range(batches):
                travellers, before = await place.more(at_once), place.fleet.deaths
                point, nth = points[batch % len(points)], place.dice.randrange(1, at_once * 8 // len(place.fleet.servers))
                if point == AT_REQUEST:
                    place.fleet.at_request = nth
                else:
                    await place.fleet.doom(point, nth)
                await arrived(place.fleet, travellers)
                if place.fleet.deaths == before:
                    # It lived through all of it: it dies when everything has been acknowledged.
                    await place.fleet.kill_one()
            await place.settle()
            total.add(proved := await judged(place))
            print(f"\n{engine}, part {part}: {proved}", flush=True)
            for one in place.travellers:
                codes += one.codes
    assert total.kills >= scale(short=3, full=40)
    assert total.connects >= scale(short=36, full=1000)
    print(f"\n{engine}: {total}\nmet on the way: {dict(codes)}")


@pytest.mark.parametrize("engine", ENGINES)
async def test_R7_kill_9_at_every_step_of_one_connection(tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale) -> None:
    every = [[(point, nth) for nth in range(1, 60)] for point in POINTS]
    total = Tally()
    for number, steps in enumerate(every if scale.is_full else [[(point, 3 + place) for place, point in enumerate(POINTS)]]):
        async with trial(tmp_path / f"part-{number}", request, engine, size=60, seed=1, servers=1) as place:
            for point, nth in steps:
                (traveller,) = await place.more(1)
                traveller.leaves, before = False, place.fleet.deaths
                await place.fleet.doom(point, nth)
                await arrived(place.fleet, [traveller])
                if place.fleet.deaths == before and nth > LONGEST_WAY:
                    break
            await place.settle()
            total.add(await judged(place))
    assert total.kills >= scale(short=4, full=40)
    print(f"\n{engine}: {total}")


@pytest.mark.parametrize("engine", ENGINES)
async def test_R9_killed_between_the_inserts_of_an_attach_nothing_of_it_stands(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale
) -> None:
    tables = ("profiles", "reaches", "backings", "events", "authorization_requests")
    kills = [(table, nth) for table in tables for nth in (1, 2, 3)] if scale.is_full else [("profiles", 3), ("backings", 2)]
    async with trial(tmp_path, request, engine, size=30, seed=2, servers=1) as place:
        for table, nth in kills:
            (traveller,) = await place.more(1, every=2)
            traveller.leaves = True
            await arrived(place.fleet, [traveller])
            traveller.leaves = traveller.over = False
            place.fleet.revives.clear()
            await place.fleet.doom(wrote(table), nth)
            attaching = asyncio.create_task(traveller.go())
            await place.fleet.died()
            for one in ("profiles WHERE workspace_id = :place", "events WHERE workspace_id = :place AND type = 'profile.attached'"):
                assert not await place.stage.rows(f"SELECT 1 FROM {one}", place=traveller.workspace_id)
            place.fleet.revives.set()
            await attaching
            await arrived(place.fleet, [traveller])
            assert traveller.picked == PAGES
        await place.settle()
        assert (await judged(place)).kills == len(kills)


@pytest.mark.parametrize("engine", ENGINES)
async def test_R8_fifty_copies_of_a_callback_at_every_server_are_one_exchange(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str
) -> None:
    async with trial(tmp_path, request, engine, size=2, seed=3) as place:
        travellers = await place.more(2)
        for traveller in travellers:
            assert len(set(await traveller.storm(50))) == 1
        assert place.stage.world.ledger.count("code_redeemed") == 2
        await arrived(place.fleet, travellers)
        await place.settle()
        assert (await judged(place)).window == 0
