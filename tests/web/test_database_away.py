"""R24, R26: a database that cannot be reached or used is named as such, by API, probe and page, and nothing needs a restart afterwards."""

import json
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from sqlalchemy.exc import OperationalError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from hitchpost.asgi import create_app
from hitchpost.db.engine import Tx
from hitchpost.db.trouble import ServerLost, unavailable
from hitchpost.ids import new_id
from tests.support.clock import ManualClock
from tests.support.house import PUBLIC_URL, opened
from tests.support.people import Town, settled_town
from tests.support.postgres import Cluster, new_database, own_cluster


@pytest.fixture
def own() -> Iterator[Cluster]:
    """A cluster that this trial may lose."""
    with own_cluster() as cluster:
        yield cluster


async def test_R26_without_its_server_api_probe_and_pages_name_the_database(
    tmp_path: Path, clock: ManualClock, own: Cluster, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, clock, database_url=await new_database(own.address, f"d{new_id()}")) as house:
        town = await settled_town(house)
        key, browser = await house.key(town.ada), await town.browser("ada")
        capsys.readouterr()
        own.lose()
        async with httpx2.AsyncClient(transport=house.wire, base_url=PUBLIC_URL) as client:
            probe = await client.get("/health")
            api = await client.get("/api/_public/v1/workspaces", headers={"X-API-Key": key})
            health = await client.get(f"/api/v1/social-profiles/{new_id()}/health?workspaceId={town.lantern}", headers={"X-API-Key": key})
            for answer in (probe, api, health):
                assert (answer.status_code, answer.headers["content-type"]) == (503, "application/json")
                said = answer.json()
                assert (said["code"], said["fixBy"], said["retryable"]) == ("database_unavailable", "operator", True)
                assert said["requestId"] == answer.headers["x-request-id"]
            page = await browser.open("/")
            assert (page.status, page.code) == (503, "database_unavailable")
            assert "tell whoever runs this server" in page.text
            lines = [json.loads(line) for line in capsys.readouterr().err.splitlines()]
            assert {line["event"] for line in lines} == {"database_unavailable", "request"}
            own.start()
            assert (await client.get("/health")).status_code == 200
            assert (await browser.open("/")).status == 200


async def test_R24_a_full_disk_is_the_operators_to_mend(town: Town) -> None:
    def full(tx: Tx) -> None:
        pages = tx.exec_driver_sql("PRAGMA page_count").scalar()
        tx.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    await town.house.services.database.begin(full)
    answers = [await town.house.browser().sign_in("ada@example.com") for _ in range(60)]
    refused = [(page.status, page.code) for page in answers if page.code]
    assert set(refused) == {(503, "database_unavailable")}
    await town.house.services.database.begin(lambda tx: tx.exec_driver_sql("PRAGMA max_page_count = 1073741823"))
    assert (await town.house.browser().sign_in("ada@example.com")).code == ""


async def test_a_fault_of_ours_in_a_statement_is_not_blamed_on_the_database(town: Town) -> None:
    await town.house.services.database.begin(lambda tx: tx.exec_driver_sql("DROP TABLE alembic_version"))
    transport = httpx2.ASGITransport(app=create_app(town.house.services, background=False))
    async with httpx2.AsyncClient(transport=transport, base_url=PUBLIC_URL) as client:
        answer = await client.get("/health")
    assert (answer.status_code, answer.json()["code"], answer.json()["fixBy"]) == (500, "unforeseen", "nobody")


class Said(Exception):
    """What a driver says, by its state."""

    def __init__(self, sqlstate: str) -> None:
        self.sqlstate = sqlstate


@pytest.mark.parametrize(
    ("sqlstate", "away"),
    [("08006", True), ("53300", True), ("53100", True), ("57P01", True), ("57P03", True), ("28P01", True), ("3D000", True),
     ("58030", True), ("23505", False), ("42P01", False), ("40001", False), ("57014", False)],
)  # fmt: skip
def test_what_postgresql_says_of_itself(sqlstate: str, away: bool) -> None:
    assert unavailable(Said(sqlstate)) is away
    assert unavailable(OperationalError("SELECT 1", None, Said(sqlstate))) is away


@pytest.mark.parametrize(("name", "away"), [("BUSY", True), ("LOCKED", True), ("FULL", True), ("IOERR", True), ("CANTOPEN", True),
                                            ("READONLY", True), ("ERROR", False), ("CONSTRAINT", False), ("CORRUPT", False)])  # fmt: skip
def test_what_sqlite_says_of_its_disk(name: str, away: bool) -> None:
    error = sqlite3.OperationalError(name)
    # An extended code: its low byte is the primary one.
    error.sqlite_errorcode = getattr(sqlite3, f"SQLITE_{name}") | 0x300
    assert unavailable(OperationalError("SELECT 1", None, error)) is away


def test_a_pool_that_is_empty_and_a_server_that_is_lost_pass_and_all_else_is_ours() -> None:
    assert unavailable(PoolTimeout())
    assert unavailable(ServerLost())
    assert unavailable(ProgrammingError("SELECT 1", None, Said("42601"), connection_invalidated=True))
    assert not unavailable(ConnectionError())
    assert not unavailable(KeyError("x"))
