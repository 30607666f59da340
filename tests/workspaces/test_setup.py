"""First run: whoever can read the server's console makes the first account; nobody else, and nobody afterwards."""

import asyncio
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
import pytest
from starlette.applications import Starlette

from hitchpost.db.engine import SqliteDatabase
from hitchpost.events.service import Events, list_of
from hitchpost.people.service import People
from hitchpost.secret import Secret
from hitchpost.settings import read_settings
from hitchpost.web.pages import Pages
from hitchpost.workspaces.pages import routes
from hitchpost.workspaces.service import Workspaces
from tests.support.clock import ManualClock
from tests.workspaces.conftest import World

ADA: Mapping[str, str] = {
    "name": "Ada Lovelace",
    "email": "ada@example.com",
    "password": "canary engine of 1843",
    "workspace": "Lantern",
}


@pytest.fixture
def workspaces(database: SqliteDatabase, clock: ManualClock, people: People) -> Workspaces:
    return Workspaces(database, clock, people)


@asynccontextmanager
async def browser(workspaces: Workspaces, people: People, *, proxies: str = "") -> AsyncIterator[httpx2.AsyncClient]:
    """Somebody's browser, far from the server."""
    settings = read_settings({"HITCHPOST_TRUSTED_PROXIES": proxies}).settings
    app = Starlette(routes=routes(workspaces, people, Pages(public_url=settings.public_url), settings))
    transport = httpx2.ASGITransport(app=app, client=("203.0.113.9", 4711))
    async with httpx2.AsyncClient(transport=transport, base_url=settings.public_url) as client:
        yield client


async def submit(client: httpx2.AsyncClient, fields: Mapping[str, str], headers: Mapping[str, str] | None = None) -> httpx2.Response:
    """Open the form, fill it in, send it."""
    token = re.search(r'name="form_token" value="([^"]+)"', (await client.get("/setup")).text)
    assert token
    return await client.post("/setup", data={"form_token": token[1], **fields}, headers=headers)


async def code_of(workspaces: Workspaces) -> str:
    code = await workspaces.setup_code()
    assert code
    return code.reveal()


async def test_F5_the_code_from_the_console_makes_the_first_person_and_their_workspace(
    workspaces: Workspaces, people: People, database: SqliteDatabase, clock: ManualClock
) -> None:
    code = await code_of(workspaces)
    assert re.fullmatch(r"[A-Z2-7]{4}-[A-Z2-7]{4}-[A-Z2-7]{4}", code)
    assert await workspaces.setup.is_open()
    async with browser(workspaces, people) as client:
        answer = await submit(client, {**ADA, "code": code})
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?after=setup")
        assert not await workspaces.setup.is_open()
        ada = await database.read(lambda tx: people.person_by_email(tx, "ADA@example.com"))
        assert ada is not None
        assert [(one.name, one.role) for one in await workspaces.of_person(ada.id)] == [("Lantern", "owner")]
        _, session = await people.sign_in(ADA["email"], Secret(ADA["password"]), address="203.0.113.9", cookie=None)
        assert session.person.name == "Ada Lovelace"
    await Events(database).seal()
    happened = {one.type: one.actor for one in await database.read(lambda tx: list_of(tx, "-", 0, 10))}
    assert happened["installation.set_up"] == "-"


async def test_F5_without_the_code_a_remote_visitor_is_refused_and_nothing_is_made(
    workspaces: Workspaces, people: People, database: SqliteDatabase
) -> None:
    await workspaces.setup_code()
    async with browser(workspaces, people) as client:
        for code in ("", "AAAA-BBBB-CCCC", "-", "é"):
            answer = await submit(client, {**ADA, "code": code})
            assert (answer.status_code, answer.headers["hitchpost-error"]) == (403, "setup_code_wrong")
            assert "Ada Lovelace" in answer.text
            assert ADA["password"] not in answer.text
    assert await database.read(people.count) == 0


async def test_F5_before_any_code_was_printed_there_is_none_that_fits(workspaces: Workspaces, people: People) -> None:
    async with browser(workspaces, people) as client:
        assert (await submit(client, {**ADA, "code": ""})).status_code == 403


async def test_F5_each_start_of_the_server_replaces_the_code(workspaces: Workspaces, people: People) -> None:
    old, new = await code_of(workspaces), await code_of(workspaces)
    async with browser(workspaces, people) as client:
        assert (await submit(client, {**ADA, "code": old})).status_code == 403
        assert (await submit(client, {**ADA, "code": new})).status_code == 303


async def test_F5_the_code_is_typed_as_people_type(workspaces: Workspaces, people: People) -> None:
    code = (await code_of(workspaces)).lower().replace("-", " ")
    async with browser(workspaces, people) as client:
        assert (await submit(client, {**ADA, "code": f" {code} "})).status_code == 303


async def test_F5_guessing_is_slowed_by_address_and_does_not_keep_the_owner_out(
    workspaces: Workspaces, people: People, clock: ManualClock
) -> None:
    code = await code_of(workspaces)
    async with browser(workspaces, people, proxies="203.0.113.9") as client:
        guesser, owner = {"X-Forwarded-For": "192.0.2.1"}, {"X-Forwarded-For": "192.0.2.2"}
        statuses = [(await submit(client, {**ADA, "code": f"AAAA-AAAA-AAA{n}"}, guesser)).status_code for n in range(12)]
        assert statuses == [403] * 10 + [429] * 2
        assert (await submit(client, {**ADA, "code": code}, guesser)).status_code == 429
        assert (await submit(client, {**ADA, "code": code}, owner)).status_code == 303


async def test_F5_of_two_who_come_at_once_one_becomes_the_owner(workspaces: Workspaces, people: People, database: SqliteDatabase) -> None:
    code = await code_of(workspaces)
    async with browser(workspaces, people) as one, browser(workspaces, people) as other:
        answers = await asyncio.gather(
            submit(one, {**ADA, "code": code}), submit(other, {**ADA, "email": "mallory@example.com", "workspace": "Mine", "code": code})
        )
    assert sorted(answer.status_code for answer in answers) == [303, 404]
    assert await database.read(people.count) == 1
    assert len(await workspaces.every_workspace()) == 1


async def test_F5_an_installation_with_people_has_no_code_and_no_set_up_page(world: World) -> None:
    assert await world.workspaces.setup_code() is None
    async with browser(world.workspaces, world.people) as client:
        page = await client.get("/setup")
        assert (page.status_code, page.headers["hitchpost-error"]) == (404, "setup_done")
        assert 'href="/sign-in"' in page.text
        token = re.search(r'name="form_token" value="([^"]+)"', page.text)
        assert token is None


@pytest.mark.parametrize(
    ("field", "value"), [("name", " "), ("email", "ada"), ("password", "too short"), ("workspace", ""), ("email", "a@b\x07c.example")]
)
async def test_an_incomplete_form_comes_back_with_what_was_typed_and_can_be_sent_again(
    workspaces: Workspaces, people: People, database: SqliteDatabase, field: str, value: str
) -> None:
    code = await code_of(workspaces)
    async with browser(workspaces, people) as client:
        answer = await submit(client, {**ADA, "code": code, field: value})
        assert (answer.status_code, answer.headers["hitchpost-error"]) == (400, "form_incomplete")
        assert await database.read(people.count) == 0
        assert code not in answer.text
        assert (await submit(client, {**ADA, "code": code})).status_code == 303


async def test_B2_a_set_up_form_of_another_browser_is_refused(workspaces: Workspaces, people: People, database: SqliteDatabase) -> None:
    code = await code_of(workspaces)
    async with browser(workspaces, people) as client, browser(workspaces, people) as foreign:
        blind = await client.post("/setup", data={**ADA, "code": code})
        assert (blind.status_code, blind.headers["hitchpost-error"]) == (400, "cookies_blocked")
        token = re.search(r'name="form_token" value="([^"]+)"', (await foreign.get("/setup")).text)
        assert token
        await client.get("/setup")
        answer = await client.post("/setup", data={**ADA, "code": code, "form_token": token[1]})
        assert (answer.status_code, answer.headers["hitchpost-error"]) == (403, "form_expired")
    assert await database.read(people.count) == 0


async def test_showing_the_form_changes_nothing(workspaces: Workspaces, people: People, tmp_path: Path) -> None:
    await workspaces.setup_code()
    before = _bytes(tmp_path)
    async with browser(workspaces, people) as client:
        assert (await client.get("/setup")).status_code == 200
        assert (await client.head("/setup")).status_code == 200
        refused = await client.delete("/setup")
        assert refused.status_code == 405
        assert set(refused.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
    assert _bytes(tmp_path) == before


async def test_E3_the_code_cannot_be_read_from_the_database(workspaces: Workspaces, tmp_path: Path) -> None:
    code = await code_of(workspaces)
    stored = _bytes(tmp_path)
    assert code.encode() not in stored
    assert code.replace("-", "").encode() not in stored


def _bytes(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in sorted(folder.rglob("*.db*")) if not file.name.endswith("-shm"))
