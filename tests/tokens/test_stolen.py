"""Whoever steals the database has no token: not in its files, not in a dump, and not by moving cells to where he could use them."""

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from itertools import permutations

import pytest
from sqlalchemy import literal, select

from hitchpost.db.base import metadata
from hitchpost.db.engine import Database, Tx
from hitchpost.secret import Secret
from hitchpost.tokens.cipher import Place, SealBroken
from hitchpost.tokens.vault import INSTALLATION, Vault
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, House
from tests.support.people import Town, settled_town
from tests.tokens.rings import new_ring

AUTHORITIES = ("meta", "instagram", "x", "linkedin", "pinterest")


async def connected(house: House) -> Town:
    """Ada has attached something of every network to Lantern, and left a second consent at each."""
    town = await settled_town(house)
    browser = await town.browser("ada")
    for provider in NETWORKS:
        assert (await browser.attach(await browser.arrive(provider, town.lantern))).code == ""
        await browser.arrive(provider, town.lantern, person="ben")
    return town


def secrets_of(house: House) -> set[str]:
    """Every token that the networks count as alive, and every app's secret."""
    tokens = {token.value for name in AUTHORITIES for token in house.world.authority(name).living()}
    return tokens | {app.client_secret for app in house.world.apps}


def dumped(tx: Tx) -> str:
    """Every cell of every table, as text."""
    return json.dumps([[list(map(str, row)) for row in tx.execute(table.select())] for table in metadata.sorted_tables], ensure_ascii=False)


async def test_E1_a_dump_after_journeys_on_all_networks_holds_no_token(any_house: House) -> None:
    await connected(any_house)
    secrets = secrets_of(any_house)
    assert {token.client_id for name in AUTHORITIES for token in any_house.world.authority(name).living()} >= {
        app.client_id for app in any_house.world.apps if app.authority in ("meta", "x", "pinterest")
    }
    dump = await any_house.services.database.read(dumped)
    assert "Lantern Bakery" in dump
    assert [secret for secret in secrets if secret in dump] == []


async def test_E1_the_files_their_journal_and_a_backup_hold_no_token(house: House) -> None:
    await connected(house)
    folder = house.services.settings.data_dir
    with closing(sqlite3.connect(folder / "hitchpost.db")) as thief, closing(sqlite3.connect(folder / "backup.db")) as backup:
        thief.backup(backup)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert {"hitchpost.db", "hitchpost.db-wal", "backup.db"} <= set(files)
    assert b"Lantern Bakery" in files["backup.db"]
    found = [(name, secret[:4]) for name, content in files.items() for secret in secrets_of(house) if secret.encode() in content]
    assert found == []


@dataclass(frozen=True, slots=True)
class Cell:
    """A sealed cell where it stands."""

    owner: str
    table: str
    column: str
    row: str
    text: str


def sealed_cells(tx: Tx) -> list[Cell]:
    """Every cell of the installation in a column that is named for being sealed."""
    cells = []
    for table in metadata.sorted_tables:
        for column in (one for one in table.columns if one.name.startswith("sealed")):
            key = next(iter(table.primary_key.columns))
            owner = table.columns["workspace_id"] if "workspace_id" in table.columns else literal("-")
            cells += [
                Cell(row[2], table.name, column.name, row[0], row[1]) for row in tx.execute(select(key, column, owner).where(column != ""))
            ]
    return cells


async def test_E1_E3_no_sealed_cell_opens_in_the_place_of_another(any_house: House) -> None:
    await connected(any_house)
    keeper, database = any_house.services.tokens, any_house.services.database
    cells = await database.read(sealed_cells)
    assert {(cell.table, cell.column) for cell in cells} >= {
        ("apps", "sealed_secret"),
        ("token_sets", "sealed"),
        ("reaches", "sealed_token"),
    }

    def swap_all(tx: Tx) -> int:
        refused = 0
        for here, other in permutations(cells, 2):
            with pytest.raises(SealBroken):
                keeper.unseal(tx, here.owner, here.table, here.column, here.row, other.text)
            refused += 1
        for cell in cells:
            assert keeper.unseal(tx, cell.owner, cell.table, cell.column, cell.row, cell.text)
        return refused

    assert await database.read(swap_all) == len(cells) * (len(cells) - 1)


async def test_E1_a_cell_that_is_moved_to_another_owner_does_not_open(any_database: Database, clock: ManualClock) -> None:
    """The same table, column and row, and the same ring: the owner alone makes it another place."""
    vault = Vault(new_ring(), clock)
    places = [Place(owner, "token_sets", "sealed", "cgrant") for owner in (INSTALLATION, "clantern", "cquill")]

    def step(tx: Tx) -> None:
        texts = {place: vault.seal(tx, place, Secret("canary")) for place in places}
        for here, other in permutations(places, 2):
            with pytest.raises(SealBroken):
                vault.open(tx, here, texts[other])

    await any_database.begin(step)


async def test_E1_swapped_token_sets_fail_loudly_and_reach_no_network(house: House) -> None:
    """A thief who may also write swaps two grants' tokens: the look fails, and neither account is read with the other's token."""
    town = await settled_town(house)
    browser = await town.browser("ada")
    for person in ("ada", "ben"):
        await browser.arrive("x", town.lantern, person=person)
    first, second = await house.rows("SELECT grant_id, sealed FROM token_sets ORDER BY grant_id")
    swapped = {first["grant_id"]: second["sealed"], second["grant_id"]: first["sealed"]}

    def swap(tx: Tx) -> None:
        table = metadata.tables["token_sets"]
        for grant_id, sealed in swapped.items():
            tx.execute(table.update().where(table.c.grant_id == grant_id).values(sealed=sealed))

    await house.services.database.begin(swap)
    calls = house.ledger.count("call", network="x")
    for grant_id in swapped:
        with pytest.raises(SealBroken):
            await house.services.database.read(partial(house.services.tokens.tokens_of, grant_id=str(grant_id)))
    assert house.ledger.count("call", network="x") == calls
