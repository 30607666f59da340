"""The start of a server, whole: with the right ring it goes on where it stopped; with any other it refuses, and nothing has changed."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hitchpost.bootstrap import Services, build
from hitchpost.db.base import metadata
from hitchpost.db.engine import Tx, open_database
from hitchpost.networks.base import Candidate, Consent, Derived, Kind, Subject, TokenSet
from hitchpost.networks.catalog import discover
from hitchpost.secret import Secret
from hitchpost.settings import read_settings
from hitchpost.tokens.ring import BadRing
from hitchpost_sandbox.world import World
from tests.support.clock import ManualClock
from tests.support.house import prepared, variables
from tests.tokens.rings import new_ring, ring_text

CANARY = "canary-access-token"


@dataclass(frozen=True, slots=True)
class Machine:
    """Where a server runs, and the database that it shares with the others; each start reads the environment anew."""

    folder: Path
    url: str
    clock: ManualClock

    @asynccontextmanager
    async def started(self, **extra: str) -> AsyncIterator[Services]:
        database = open_database(self.url)
        try:
            configuration = read_settings(variables(self.folder, World(), discover(), {f"HITCHPOST_{k}": v for k, v in extra.items()}))
            services = await build(configuration, clock=self.clock, database=database)
            try:
                yield services
            finally:
                await services.engine.stop()
                await services.http.close()
        finally:
            await database.close()

    async def refused(self, **extra: str) -> str:
        """The sentence with which a start is refused."""
        with pytest.raises(BadRing) as refusal:
            async with self.started(**extra):
                pass
        return str(refusal.value)

    async def content(self) -> dict[str, list[tuple[object, ...]]]:
        """Every cell of every table."""
        database = open_database(self.url)
        try:
            return await database.read(dump)
        finally:
            await database.close()

    async def change(self, sql: str) -> None:
        database = open_database(self.url)
        try:
            await database.begin(lambda tx: tx.exec_driver_sql(sql))
        finally:
            await database.close()


def dump(tx: Tx) -> dict[str, list[tuple[object, ...]]]:
    return {table.name: sorted((tuple(row) for row in tx.execute(table.select())), key=repr) for table in metadata.sorted_tables}


@pytest.fixture
async def machine(empty_database_url: str, tmp_path: Path, clock: ManualClock) -> Machine:
    await (await prepared(empty_database_url)).close()
    return Machine(tmp_path, empty_database_url, clock)


async def connect(services: Services) -> None:
    """Ada's account on X stands behind a profile."""
    app, keeper = services.tokens.logins("x")[0][1], services.tokens
    given = Consent(TokenSet(Secret(CANARY)), Subject("1850000000000000101", "Ada"))
    account = Derived(Candidate(Kind.ACCOUNT, "1850000000000000101", "Ada"))

    def step(tx: Tx) -> None:
        grant_id = keeper.record_consent(tx, app_id=app.id, consent=given, consent_seq=keeper.take_consent_seq(tx))
        keeper.back(tx, profile_id="cprofile", grant_id=grant_id, provider="pinterest", derived=account, confirmed_by="ada")

    await services.database.begin(step)


async def works(services: Services) -> bool:
    """Whether Ada's tokens open and her profile is healthy."""
    (grant,) = await services.database.read(lambda tx: tx.exec_driver_sql("SELECT id FROM grants").all())
    tokens = await services.database.read(lambda tx: services.tokens.tokens_of(tx, grant[0]))
    standing = await services.database.read(lambda tx: services.tokens.standing(tx, ["cprofile"]))
    return tokens.access == Secret(CANARY) and standing["cprofile"].state == "healthy"


def ring_of(machine: Machine) -> str:
    return (machine.folder / "keys" / "ring").read_text().strip()


async def test_the_second_start_goes_on_with_the_ring_of_the_first(machine: Machine) -> None:
    async with machine.started() as services:
        await connect(services)
    before = await machine.content()
    async with machine.started() as services:
        assert await works(services)
    assert await machine.content() == before


WRONG: dict[str, tuple[Callable[[str], str], str]] = {
    "another ring": (lambda ring: ring_text(new_ring("other")), "HITCHPOST_KEY_RING (or the file in HITCHPOST_KEY_DIR) must hold the key "),
    "the same id, other bytes": (lambda ring: ring_text(new_ring(ring.partition(":")[0])), "HITCHPOST_KEY_RING"),
    "set but empty": (lambda ring: " ", "HITCHPOST_KEY_RING: there is no key in it"),
    "short": (lambda ring: ring[:-8], "HITCHPOST_KEY_RING: key 1 must be"),
    "the key without its id": (lambda ring: ring.partition(":")[2], "HITCHPOST_KEY_RING: key 1 must be"),
    "twice": (lambda ring: f"{ring},{ring}", "stands there twice"),
    "default-looking": (lambda ring: "a:" + "QUFB" * 10 + "QUE=", "not random"),
}


@pytest.mark.parametrize("case", WRONG)
async def test_E2_with_a_wrong_ring_nothing_starts_nothing_changes_and_no_profile_is_marked(machine: Machine, case: str) -> None:
    async with machine.started() as services:
        await connect(services)
    before, right = await machine.content(), ring_of(machine)
    wrong, said = WRONG[case]
    given = wrong(right)
    sentence = await machine.refused(KEY_RING=given)
    assert said in sentence
    assert right.partition(":")[2] not in sentence
    assert await machine.content() == before
    async with machine.started(KEY_RING=right) as services:
        assert await works(services)


async def test_E2_a_lost_ring_is_said_and_never_replaced(machine: Machine) -> None:
    async with machine.started() as services:
        await connect(services)
    path, before = machine.folder / "keys" / "ring", await machine.content()
    kept = path.read_bytes()
    path.unlink()
    sentence = await machine.refused()
    assert "HITCHPOST_KEY_RING" in sentence
    assert str(path) in sentence
    assert not path.exists()
    assert await machine.content() == before
    path.write_bytes(kept)
    path.chmod(0o600)
    async with machine.started() as services:
        assert await works(services)


@pytest.mark.parametrize("others", ["after", "before"])
async def test_E2_a_ring_with_one_more_key_opens_what_the_old_one_sealed(machine: Machine, others: str) -> None:
    async with machine.started() as services:
        await connect(services)
    old, more = ring_of(machine), ring_text(new_ring("more"))
    async with machine.started(KEY_RING=f"{old},{more}" if others == "after" else f"{more},{old}") as services:
        assert await works(services)


async def test_E2_a_database_whose_data_keys_were_lost_gets_no_new_ones(machine: Machine) -> None:
    async with machine.started() as services:
        await connect(services)
    await machine.change("DELETE FROM data_keys")
    before = await machine.content()
    assert "data_keys" in await machine.refused()
    assert await machine.content() == before
    (machine.folder / "keys" / "ring").unlink()
    assert "HITCHPOST_KEY_RING" in await machine.refused()
    assert not (machine.folder / "keys" / "ring").exists()


async def test_E1_an_apps_secret_put_into_another_apps_row_stops_the_start_with_a_sentence(machine: Machine) -> None:
    async with machine.started():
        pass
    await machine.change("UPDATE apps SET sealed_secret = (SELECT sealed_secret FROM apps WHERE slot = 'pinterest') WHERE slot = 'x'")
    assert "does not open" in await machine.refused()


async def test_E2_processes_that_start_together_for_the_first_time_share_one_ring_and_one_data_key(machine: Machine) -> None:
    async def start() -> None:
        async with machine.started() as services:
            await services.database.read(lambda tx: None)

    await asyncio.gather(*(start() for _ in range(4)))
    content = await machine.content()
    assert len(content["data_keys"]) == 1
    assert len(content["apps"]) == len({row[3] for row in content["apps"]})


async def test_processes_that_meet_a_newly_configured_app_together_share_it(machine: Machine) -> None:
    async with machine.started(APP_INSTAGRAM_CLIENT_ID="", APP_INSTAGRAM_CLIENT_SECRET=""):
        pass
    before = len((await machine.content())["apps"])

    async def start() -> str:
        async with machine.started() as services:
            return next(app.id for login, app in services.tokens.logins("instagram") if login.slot == "instagram")

    assert len(set(await asyncio.gather(*(start() for _ in range(4))))) == 1
    assert len((await machine.content())["apps"]) == before + 1


async def test_E2_a_second_machine_with_a_ring_of_its_own_is_refused_and_the_first_goes_on(machine: Machine, tmp_path: Path) -> None:
    second = Machine(tmp_path / "second", machine.url, machine.clock)
    async with machine.started() as services:
        await connect(services)
        assert await second.refused(KEY_RING=ring_text(new_ring("second")))
        assert "put the ring back" in await second.refused()
        assert await works(services)
