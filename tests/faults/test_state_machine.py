"""People, networks and machines do what they like, in any order, and Hitchpost may die at any step: a few rules hold after every one.

A profile is in a workspace only if a member confirmed and selected it in one browser under one name. No token is kept without a live
backing or an open flow. Each code is sent once. Nobody reads a foreign id. After recovery our state equals the networks' ledger.
"""

import asyncio
import tempfile
from collections import Counter
from collections.abc import Coroutine, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from hitchpost.ids import new_id
from hitchpost.workspaces.roles import Role
from hitchpost_sandbox.faults import Does
from tests.conftest import Scale
from tests.faults.dying import POINTS
from tests.faults.mortal import Act, Killed, Mortal
from tests.faults.play import OWNERS, PEOPLE, PLACES, Play, Trip
from tests.faults.watch import CAST, Watch
from tests.support.house import NETWORKS
from tests.support.postgres import new_database

number = st.integers(0, 7)
person, place, cast = st.sampled_from(PEOPLE), st.sampled_from(PLACES), st.sampled_from(CAST)
provider = st.sampled_from(NETWORKS)
how = st.sampled_from(["all", "all", "first", "foreign", "forged"])
changes = ["", "", "", "thrice", "no state", "two states", "wrong state", "other network", "other issuer", "other code"]
turns = ["revoked", "revoked", "password_changed", "data_deletion", "page_removed", "role_lost", "checkpoint", "suspended", "restored"]
targets = st.sampled_from(["101755847768001", "101755847768021", "101755847768031", "7700101", "7700201"])
calls = st.sampled_from(["*oken*", "*oken*", "*", "*/me*", "*revoke*", "*permissions*"])
moments = st.sampled_from(["", "oken", "oken", "/me", "revoke", "permissions"])
next_acts = st.sampled_from(["nothing", "connect", "connect", "age", "age", "disconnect", "disconnect"])
"""What follows in the same step, so that what was prepared often meets something."""
MEANWHILE = ("lease", "out", "removed", "disconnect", "revoked", "consent")
minutes = st.sampled_from([1, 3, 11, 16, 50, 125, 600, 1500, 20_000, 70_000])


class Tally:
    """What was run, in all examples together."""

    def __init__(self) -> None:
        self.rules: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()

    @property
    def steps(self) -> int:
        return sum(self.rules.values())

    def __str__(self) -> str:
        listed = [f"{name} {count}" for name, count in self.rules.most_common()]
        return f"{self.steps} steps: {', '.join(listed)}\nseen: {', '.join(f'{name} {count}' for name, count in self.seen.most_common())}"


class Machine(RuleBasedStateMachine):
    """One world from its first step to its last; `url`: an empty database on PostgreSQL, or nothing for SQLite."""

    def __init__(self, tally: Tally, url: str = "") -> None:
        super().__init__()
        self._tally, self._url = tally, url
        self._runner = asyncio.Runner()
        self._folder = tempfile.TemporaryDirectory()
        self.mortal: Mortal
        self.play: Play
        self.watch: Watch

    @initialize()
    def world(self) -> None:
        async def born() -> None:
            self.mortal = await Mortal.born(Path(self._folder.name), self._url)
            self.watch = Watch(self.mortal)
            self.play = Play(self.mortal, self.watch)
            await self.play.set_up()
            await self.watch.judge(killed=False, interrupted=False)

        self._runner.run(born())

    def _step(self, name: str, act: Coroutine[Any, Any, object]) -> None:
        """One step; who dies in it rises again; then everything is judged."""
        self._tally.rules[name] += 1

        async def taken() -> None:
            before = self.mortal.passage.interrupted
            try:
                await act
                await self.mortal.house.services.looks.settled()
                await self.mortal.house.services.tokens.settled()
            except Killed:
                assert self.mortal.doom.dead
            interrupted, killed = self.mortal.passage.interrupted > before, self.mortal.doom.dead
            self._tally.seen["interrupted"] += interrupted
            if killed:
                self._tally.seen["killed"] += 1
                await self.mortal.die()
                await self.mortal.rise()
            await self.watch.judge(killed=killed, interrupted=interrupted)

        self._runner.run(taken())

    def _trip(self, which: int) -> Trip:
        """The newest ones first."""
        return self.play.trips[-1 - which % len(self.play.trips)]

    # People.

    @rule(where=number, who=person)
    def sign_in(self, where: int, who: str) -> None:
        self._step("sign in", self.play.sign_in(self.play.tabs[where % 4], who))

    @rule(where=number)
    def sign_out(self, where: int) -> None:
        self._step("sign out", self.play.sign_out(self.play.tabs[where % 4]))

    @rule(who=person, where=place, role=st.sampled_from(Role))
    def invite(self, who: str, where: str, role: Role) -> None:
        self._step("invite or change the role", self.play.seat(who, where, role))

    @rule(who=person, where=place)
    def remove(self, who: str, where: str) -> None:
        self._step("remove", self.play.seat(who, where, None))

    @rule(where=number, network=provider, at=place)
    def start_and_confirm(self, where: int, network: str, at: str) -> None:
        self._step("start and confirm", self.play.begin(self.play.tabs[where % 4], network, at))

    @precondition(lambda self: self.play.trips)
    @rule(which=number, who=cast, where=st.none() | number, allow=st.sampled_from([True, True, True, False]))
    def consent(self, which: int, who: str, where: int | None, allow: bool) -> None:
        trip = self._trip(which)
        tab = trip.connection.tab if where is None else self.play.tabs[where % 4]
        self._step(
            "consent" if tab is trip.connection.tab else "consent in another browser",
            self.play.consent(tab.browser, trip, who, allow=allow),
        )

    @precondition(lambda self: any(trip.backs for trip in self.play.trips))
    @rule(which=number, where=st.none() | st.none() | number, changed=st.sampled_from(changes))
    def callback(self, which: int, where: int | None, changed: str) -> None:
        trips = [trip for trip in self.play.trips if trip.backs]
        trip = trips[-1 - which % len(trips)]
        tab = trip.connection.tab if where is None else self.play.tabs[where % 4]
        name = "callback" if tab is trip.connection.tab else "callback in another browser"
        self._step(f"{name}, {changed}" if changed else name, self.play.arrive(tab, trip, trip.backs[-1], changed))

    @precondition(lambda self: self.play.trips)
    @rule(which=number, where=st.none() | st.none() | number, how=how)
    def select(self, which: int, where: int | None, how: str) -> None:
        trip = self._trip(which)
        tab = trip.connection.tab if where is None else self.play.tabs[where % 4]
        self._step(f"select {how}", self.play.select(tab, trip, how))

    @precondition(lambda self: self.play.trips)
    @rule(which=number, where=st.none() | number, leave=st.booleans())
    def again_or_cancel(self, which: int, where: int | None, leave: bool) -> None:
        trip = self._trip(which)
        tab = trip.connection.tab if where is None else self.play.tabs[where % 4]
        self._step("cancel" if leave else "again", self.play.cancel(tab, trip) if leave else self.play.again(tab, trip))

    @rule(where=number, network=provider, at=place, who=cast, how=st.sampled_from(["all", "first"]))
    def connect(self, where: int, network: str, at: str, who: str, how: str) -> None:
        self._step("connect", self.play.connect(self.play.tabs[where % 4], network, at, who, how))

    @rule(network=provider, at=place, who=cast)
    def connect_as_owner(self, network: str, at: str, who: str) -> None:
        async def connected() -> None:
            tab = self.play.tabs[PLACES.index(at)]
            await self.play.sign_in(tab, OWNERS[at])
            await self.play.connect(tab, network, at, who, "all")

        self._step("connect as the owner", connected())

    @rule(who=person, which=number)
    def disconnect(self, who: str, which: int) -> None:
        self._step("disconnect", self.play.disconnect(who, which))

    @rule(who=person, where=number, which=number)
    def peek(self, who: str, where: int, which: int) -> None:
        self._step("peek", self.play.peek(who, self.play.tabs[where % 4], which))

    # Networks.

    @rule(network=provider, word=st.sampled_from(turns), who=cast, what=targets)
    def befall(self, network: str, word: str, who: str, what: str) -> None:
        self._step(f"befall {word}", self.play.turn(network, word, who, what))

    @rule(
        network=provider, path=calls, skip=st.integers(0, 2), acts=st.booleans(), then=next_acts, which=number,
        does=st.sampled_from([Does.DROP, Does.DROP, Does.SERVER_ERROR, Does.HTML, Does.TRUNCATED, Does.RATE_LIMIT]),
    )  # fmt: skip
    def trouble(self, network: str, does: Does, path: str, skip: int, acts: bool, then: str, which: int) -> None:
        async def begun() -> None:
            self.play.trouble("facebook" if network == "instagram" else network, does, path, skip, acts=acts)
            await self._then(then, network, which)

        self._step(f"trouble {does}", begun())

    async def _then(self, what: str, network: str, which: int) -> None:
        at = PLACES[which % 3]
        if what == "connect":
            await self.play.sign_in(self.play.tabs[which % 3], OWNERS[at])
            await self.play.connect(self.play.tabs[which % 3], network, at, CAST[which % 2], "all")
        elif what == "age":
            self.mortal.house.forward(timedelta(minutes=(125, 1500, 70_000)[which % 3]))
            await self.play.sweep()
        elif what == "disconnect":
            for profile in await self.play.profiles():
                owner = next(OWNERS[one] for one in PLACES if self.play.ids[one] == profile["workspace_id"])
                await self.play.disconnect(owner, [one["id"] for one in await self.play.profiles()].index(profile["id"]))

    # Machines.

    @rule(by=minutes)
    def forward(self, by: int) -> None:
        async def passed() -> None:
            self.mortal.house.forward(timedelta(minutes=by))

        self._step("forward", passed())

    @rule()
    def sweep(self) -> None:
        self._step("sweep", self.play.sweep())

    @rule(which=number)
    def refresh(self, which: int) -> None:
        self._step("refresh", self.play.use(which))

    @rule(which=number)
    def examine(self, which: int) -> None:
        self._step("examine", self.play.check(which))

    @rule(which=number, who=person)
    def at_once(self, which: int, who: str) -> None:
        async def together() -> None:
            acts = (self.play.sweep(), self.play.use(which), self.play.disconnect(who, which), self.play.check(which))
            for ended in await asyncio.gather(*acts, return_exceptions=True):
                if isinstance(ended, BaseException):
                    raise ended

        self._step("many at once", together())

    @rule(point=st.sampled_from(POINTS), nth=st.integers(1, 12), then=next_acts, network=provider, which=number)
    def doom(self, point: str, nth: int, then: str, network: str, which: int) -> None:
        async def armed() -> None:
            self.mortal.doom.arm(point, nth)
            await self._then(then, network, which)

        self._step(f"doom {point}", armed())

    @rule(gently=st.booleans())
    def restart(self, gently: bool) -> None:
        async def again() -> None:
            self.mortal.doom.disarm()
            self.mortal.doom.dead = not gently
            if gently:
                await self.mortal.stop()
                await self.mortal.rise()

        self._step("restart" if gently else "kill", again())

    @rule(path=moments, what=st.sampled_from(MEANWHILE), who=person, which=number, then=next_acts, network=provider)
    def meanwhile(self, path: str, what: str, who: str, which: int, then: str, network: str) -> None:
        """While a network has acted on some later call and its answer is on the way."""

        async def armed() -> None:
            act = self._meantime(what, who, which)

            async def seen() -> None:
                await act()
                await self.watch.glance()

            self.play.meanwhile(path, seen)
            await self._then(then, network, which)

        self._step(f"meanwhile {what}", armed())

    def _meantime(self, what: str, who: str, which: int) -> Act:
        async def lease() -> None:
            self.mortal.house.forward(timedelta(minutes=3))
            await self.mortal.house.services.engine.run_due()

        async def out() -> None:
            await self.play.sign_out(self.play.tabs[which % 4])

        async def removed() -> None:
            await self.play.seat(who, PLACES[which % 3], None)

        async def disconnect() -> None:
            await self.play.disconnect(who, which)

        async def revoked() -> None:
            await self.play.turn(NETWORKS[which % 5], "revoked", CAST[which % 3], "")

        async def consent() -> None:
            await self.play.connect(self.play.tabs[which % 4], NETWORKS[which % 5], PLACES[which % 3], CAST[which % 3], "all")

        return {"lease": lease, "out": out, "removed": removed, "disconnect": disconnect, "revoked": revoked, "consent": consent}[what]

    @rule()
    def tidy(self) -> None:
        self._step("tidy", self.play.tidy())

    @rule(often=st.integers(0, 3))
    def settle(self, often: int) -> None:
        if not often:
            self._step("settle", self.play.settle())

    def teardown(self) -> None:
        try:
            if hasattr(self, "play"):
                self._step("settle", self.play.settle())
                self._tally.seen.update(self.watch.count())
                self._runner.run(self.mortal.stop())
        finally:
            self._runner.close()
            self._folder.cleanup()


def _way(where: int, network: str, at: str, who: str) -> list[tuple[str, dict[str, Any]]]:
    return [
        ("start_and_confirm", {"where": where, "network": network, "at": at}),
        ("consent", {"which": 0, "who": who, "where": None, "allow": True}),
    ]


def _back(changed: str = "", where: int | None = None) -> tuple[str, dict[str, Any]]:
    return "callback", {"which": 0, "where": where, "changed": changed}


def _pick(how: str = "all", where: int | None = None) -> tuple[str, dict[str, Any]]:
    return "select", {"which": 0, "where": where, "how": how}


def _late(path: str, what: str, who: str = "ada", which: int = 0, then: str = "nothing", network: str = "x") -> tuple[str, dict[str, Any]]:
    return "meanwhile", {"path": path, "what": what, "who": who, "which": which, "then": then, "network": network}


def _doom(point: str, nth: int, then: str, network: str, which: int = 0) -> tuple[str, dict[str, Any]]:
    return "doom", {"point": point, "nth": nth, "then": then, "network": network, "which": which}


OPENINGS: dict[str, list[tuple[str, dict[str, Any]]]] = {
    "attacks": [
        *_way(0, "facebook", "lantern", "ada"), _back(where=1), _back(where=3),
        *(_back(changed) for changed in ("no state", "two states", "wrong state", "other network")), _back("thrice"), _back(),
        _pick("forged", 3), _pick("foreign"), _pick(), _pick(),
        *(("peek", {"who": who, "where": 3, "which": 0}) for who in PEOPLE),
        *_way(0, "x", "lantern", "ada"), ("sign_in", {"where": 0, "who": "mallory"}), _back(),
        ("sign_in", {"where": 0, "who": "ada"}), _back(),
        *_way(0, "x", "lantern", "ada"), _back("other issuer"),
        ("start_and_confirm", {"where": 3, "network": "x", "at": "lantern"}),
    ],
    "rights and disconnecting": [
        *_way(1, "linkedin", "lantern", "ben"), _back(), _late("", "removed", "ben"), _pick(),
        ("invite", {"who": "ben", "where": "lantern", "role": Role.CONNECTOR}),
        *_way(1, "x", "lantern", "ben"), _back(), ("invite", {"who": "ben", "where": "lantern", "role": Role.VIEWER}), _pick(),
        *_way(0, "facebook", "lantern", "ada"), _back(), _pick(), *_way(2, "facebook", "quill", "ada"), _back(), _pick(),
        *(("disconnect", {"who": who, "which": which}) for who in ("ben", "cleo", "ada") for which in range(5)),
        *_way(2, "facebook", "quill", "ada"), _back(), _late("permissions", "consent", "cleo", 0),
        ("tidy", {}), ("settle", {"often": 0}),
    ],
    "machines": [
        *_way(0, "x", "lantern", "ada"), _late("oken", "lease"), _back(), *_way(0, "x", "lantern", "ada"), _back(), _pick(),
        _late("oken", "lease", then="age"), _doom("after_answer", 1, "age", "x"), ("sweep", {}), ("settle", {"often": 0}),
        *(_doom(point, nth, "connect", "pinterest") for point, nth in (("after_answer", 1), ("before_commit", 3), ("after_commit", 4))),
        *(_doom(point, 2, "disconnect", "x") for point in POINTS), ("tidy", {}),
        ("trouble", {"network": "x", "does": Does.DROP, "path": "*oken*", "skip": 0, "acts": True, "then": "connect", "which": 0}),
        ("connect_as_owner", {"at": "quill", "network": "x", "who": "ben"}),
        ("befall", {"network": "x", "word": "revoked", "who": "ben", "what": ""}), ("forward", {"by": 125}), ("sweep", {}),
        ("at_once", {"which": 0, "who": "cleo"}),
    ],
}  # fmt: skip
"""Played first, whatever is drawn later: every rule meets what it is there for at least once."""


def opening(tally: Tally, moves: list[tuple[str, dict[str, Any]]], url: str = "") -> None:
    machine = Machine(tally, url)
    machine.world()
    try:
        for name, facts in moves:
            getattr(machine, name)(**facts)
    finally:
        machine.teardown()


@pytest.mark.parametrize("name", OPENINGS)
def test_state_machine_openings_on_sqlite(name: str) -> None:
    tally = Tally()
    opening(tally, OPENINGS[name])
    print(f"\n{name}: {tally}")
    assert tally.steps >= len(OPENINGS[name])


def play(tally: Tally, *, worlds: int, steps: int, urls: Iterator[str] | None = None) -> None:
    """So many worlds of so many steps, always the same ones."""
    rules = settings(
        max_examples=worlds, stateful_step_count=steps, derandomize=True, database=None, deadline=None,
        suppress_health_check=list(HealthCheck), phases=(Phase.generate,), print_blob=False, report_multiple_bugs=False,
    )  # fmt: skip
    run_state_machine_as_test(lambda: Machine(tally, next(urls) if urls else ""), settings=rules)  # type: ignore[arg-type]


@pytest.mark.timeout(3600)
def test_state_machine_of_everything_on_sqlite(scale: Scale) -> None:
    tally = Tally()
    try:
        play(tally, worlds=scale(short=4, full=280), steps=50)
    finally:
        print(f"\nsqlite: {tally}")
    assert tally.steps >= scale(short=130, full=10_000)


@pytest.mark.postgres
@pytest.mark.timeout(3600)
def test_state_machine_of_everything_on_postgresql(request: pytest.FixtureRequest, scale: Scale) -> None:
    address, tally = request.getfixturevalue("postgres"), Tally()

    def urls() -> Iterator[str]:
        while True:
            yield asyncio.run(new_database(address, f"m{new_id()}"))

    fresh = urls()
    for moves in OPENINGS.values():
        opening(tally, moves, next(fresh))
    play(tally, worlds=scale(short=1, full=20), steps=50, urls=fresh)
    print(f"\npostgresql: {tally}")
    assert tally.steps >= scale(short=100, full=1000)
