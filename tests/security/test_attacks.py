"""What a patient attacker tried, and what a network that misbehaves sent, each held for good."""

import asyncio
import json
import logging
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from io import StringIO

import httpx2
import pytest
import uvicorn
from sqlalchemy import text
from starlette.types import Receive, Scope, Send

from hitchpost.db.engine import Tx, open_database
from hitchpost.errors import Problem
from hitchpost.networks.http import Answer, NetworkHttp
from hitchpost.profiles.gallery import Gallery
from hitchpost.profiles.pictures import may_fetch
from hitchpost.web.entrance import Entrance
from hitchpost.web.log import set_up
from hitchpost.web.wire import Wire
from tests.security.outside import attached, back_from, path_of, statuses
from tests.support.house import PUBLIC_URL, House
from tests.support.people import Town, settled_town

Line = Callable[[bytes], Coroutine[None, None, tuple[asyncio.StreamReader, asyncio.StreamWriter]]]


async def _reads(_scope: Scope, receive: Receive, send: Send) -> None:
    """Answers 204 when it has the whole body."""
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body", "body": b""})


class Hasty(Wire):
    seconds = 0.2


@pytest.fixture(params=[Wire])
async def line(request: pytest.FixtureRequest) -> AsyncIterator[Line]:
    """A server with that Wire, and a way to begin to talk to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(_reads, http=request.param, log_config=None, access_log=False, lifespan="off"))
    serving = asyncio.create_task(server.serve(sockets=[listener]))

    async def begin(said: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(said)
        return reader, writer

    yield begin
    server.should_exit = True
    await serving


async def test_C1_a_picture_name_that_a_database_cannot_hold_is_nobodys(any_house: House) -> None:
    async with httpx2.AsyncClient(transport=any_house.wire, base_url=PUBLIC_URL) as stranger:
        for name in ("%00", "a%00b", "x" * 43, "%FF"):
            answer = await stranger.get(f"/pictures/{name}")
            assert answer.status_code == 404, name


async def test_A16_two_tabs_that_start_again_at_once_both_get_a_page(any_house: House) -> None:
    town = await settled_town(any_house)
    ada = await town.browser("ada")
    page = await ada.arrive("x", town.lantern)
    token = next(value for name, value in page.form("/attach").fields if name == "form_token")
    again = [ada.post(f"{path_of(page.url)}/again", {"form_token": token}) for _ in range(5)]
    assert [one.status for one in await asyncio.gather(*again)] == [200] * 5
    assert sorted(await statuses(any_house)) == ["departed"] + ["superseded"] * 5


async def test_A18_asking_for_the_list_again_does_not_wake_a_flow_that_has_expired(town: Town) -> None:
    ada = await town.browser("ada")
    address = await back_from(ada, "facebook", town.lantern)
    town.house.weather.trouble = lambda request: httpx2.ConnectError("down") if request.url.path.endswith("/accounts") else None
    page = await ada.settle(await ada.open(address))
    assert (page.code, await statuses(town.house)) == ("network_down", ["looking"])
    town.house.weather.trouble = lambda _request: None
    town.house.clock.forward(timedelta(minutes=16))
    form = page.form("/look")
    assert (await ada.settle(await ada.submit(page, form, []))).code == "authorization_expired"
    assert await attached(town.house, town.lantern) == []


@pytest.mark.parametrize("host", ["[1]", "[:::]", "[1]:8420", "[::ffff:1.2.3.4.5]:8420"])
def test_A13_a_host_in_broken_brackets_is_an_unknown_host(host: str) -> None:
    scope = {"headers": [(b"host", host.encode())], "query_string": b"", "path": "/", "method": "GET"}
    with pytest.raises(Problem) as refused:
        Entrance("http://127.0.0.1:8420").admit(scope)
    assert refused.value.code == "host_unknown"


@pytest.mark.parametrize(
    "url",
    [
        "https://pbs.twimg.com/a\x7fb", "https://pbs.twimg.com/a\tb", "https://pbs.twimg.com/\ud800", "https://pbs.twimg.com/" + "a" * 5000,
        "https://evil.example\\.licdn.com/", "https://evil.example%2f.licdn.com/", "https://127.0.0.1%00.licdn.com/", "https://a..licdn.com/",
        "https://ev\til.licdn.com/", "https://１２７.licdn.com/", "https://" + "a" * 64 + ".licdn.com/", "https:// .licdn.com/",
    ],
)  # fmt: skip
def test_D1_a_picture_address_that_could_be_read_in_two_ways_is_not_fetched(url: str) -> None:
    assert not may_fetch(url, ("pbs.twimg.com", ".licdn.com"))
    assert may_fetch("https://media-exp1.licdn.com/dms/image/v2/a-b_c/0?e=1&v=beta&t=%2F", (".licdn.com",))


def test_B6_text_that_no_database_and_no_page_can_hold_is_replaced_at_the_window() -> None:
    odd = Answer(200, {}, rb'{"name": "Lan\u0000tern \ud83d", "more": [{"a\u0000": "\ud83d\ude00", "n": 1, "none": null}], "ok": true}')
    assert odd.json() == {"name": "Lan\ufffdtern \ufffd", "more": [{"a\ufffd": "\U0001f600", "n": 1, "none": None}], "ok": True}


async def still_answers(line: Line) -> bool:
    """Whether the server answers a whole request on a new connection."""
    reader, writer = await line(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    answer = await asyncio.wait_for(reader.readuntil(b"\r\n\r\n"), 5)
    writer.close()
    return answer.startswith(b"HTTP/1.1 204")


async def hung_up(reader: asyncio.StreamReader) -> bytes:
    """What the server said before it hung up, by an end or a reset. Raises TimeoutError when it does not hang up."""
    said = b""
    with suppress(ConnectionError):
        while more := await asyncio.wait_for(reader.read(1000), 5):
            said += more
    return said


@pytest.mark.parametrize("endless", [b"\r\na: b" * 15_000, b"x" * 90_000])
async def test_C11_a_head_without_end_is_cut_off(line: Line, endless: bytes) -> None:
    reader, writer = await line(b"GET / HTTP/1.1\r\nHost: x\r\nx: y" + endless)
    assert await hung_up(reader) == b""
    writer.close()
    assert await still_answers(line)


@pytest.mark.parametrize("line", [Hasty], indirect=True)
@pytest.mark.parametrize(
    ("said", "answers"),
    [
        (b"", 0),
        (b"GET / HTTP/1.1\r\nHost:", 0),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n", 0),
        (b"GET / HTTP/1.1\r\nHost: x\r\n\r\nGET", 1),
    ],
)
async def test_C11_a_request_that_never_becomes_whole_is_not_waited_for(line: Line, said: bytes, answers: int) -> None:
    reader, writer = await line(said)
    assert (await hung_up(reader)).count(b"HTTP/1.1 ") == answers
    writer.close()
    assert await still_answers(line)


async def test_C11_whole_requests_on_one_connection_are_all_answered(line: Line) -> None:
    reader, writer = await line(b"")
    for size in (1, 60_000):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n" % size + b"b" * size)
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 204")
    writer.close()


class Silent(httpx2.AsyncBaseTransport):
    """Answers for one picture at once, and for all others never."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        if request.url.path != "/quick":
            await asyncio.Event().wait()
        return httpx2.Response(200, stream=httpx2.ByteStream(b"GIF89a"))


async def test_D4_pictures_that_never_come_hold_up_nobodys_choice(house: House) -> None:
    services, http = house.services, NetworkHttp(transport=Silent())
    gallery = Gallery(services.database, house.clock, http, seconds=0.2)
    addresses = ["https://pbs.twimg.com/quick", *(f"https://pbs.twimg.com/{number}" for number in range(60))]
    kept = await asyncio.wait_for(gallery.keep(services.catalog["x"], addresses), 5)
    assert list(kept) == addresses[:1]
    await http.close()


async def test_A25_what_is_read_together_is_of_one_moment(any_house: House, empty_database_url: str) -> None:
    ada = await any_house.person("ada@example.com", "Ada")

    def ours(tx: Tx) -> tuple[int, str]:
        before = any_house.services.people.count(tx)
        with ThreadPoolExecutor(1) as elsewhere:
            elsewhere.submit(asyncio.run, renamed()).result()
        return before, any_house.services.people.names(tx, {ada})[ada]

    async def renamed() -> None:
        database = open_database(empty_database_url)
        await database.begin(lambda tx: tx.execute(text("UPDATE people SET name = 'Eve'")))
        await database.close()

    assert await any_house.services.database.read(ours) == (1, "Ada")
    assert (await any_house.rows("SELECT name FROM people")) == [{"name": "Eve"}]


@pytest.mark.parametrize("said", ["https://api.example/me?access_token=canary-77", "Authorization: Bearer canary-77", "canary-77"])
def test_E6_an_error_in_the_log_is_its_type_and_places_without_its_text(said: str) -> None:
    written = StringIO()
    log = set_up("info", stream=written)
    try:
        raise ValueError(said)
    except ValueError:
        log.exception("ours")
        logging.getLogger("asyncio").exception("a library's")
    lines = [json.loads(line) for line in written.getvalue().splitlines()]
    assert [(line["event"], line["error"]) for line in lines] == [("ours", ["ValueError"]), ("a library's", ["ValueError"])]
    assert all(line["at"] for line in lines)
    assert "canary" not in written.getvalue()
