"""The only door out: no redirect is followed, no answer is endless, no cookie is kept, and silence is told apart from not having asked."""

import asyncio
import gzip
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import Answer, NetworkHttp

CANARY = "canary-token-7f3a"
Speak = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Host:
    """A host on loopback that says whatever it is told to. `heard`: the raw heads of the requests that came."""

    def __init__(self, speak: Speak) -> None:
        self._speak = speak
        self.heard: list[str] = []
        self.at = ""
        self._talks: set[asyncio.Task[None]] = set()

    def meet(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        talk = asyncio.ensure_future(self._talk(reader, writer))
        self._talks.add(talk)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
            await self._speak(writer)
            await writer.drain()
        finally:
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def leave(self) -> None:
        for talk in self._talks:
            talk.cancel()
        await asyncio.gather(*self._talks, return_exceptions=True)


@asynccontextmanager
async def hosting(speak: Speak) -> AsyncIterator[Host]:
    host = Host(speak)
    server = await asyncio.start_server(host.meet, "127.0.0.1", 0)
    host.at = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield host
    finally:
        server.close()
        await host.leave()


@asynccontextmanager
async def calling(host: Host, deadline: float = 5.0) -> AsyncIterator[NetworkHttp]:
    http = NetworkHttp(at=host.at, deadline=deadline)
    try:
        yield http
    finally:
        await http.close()


def saying(*parts: bytes, status: str = "200 OK", headers: str = "", length: int | None = None) -> Speak:
    async def speak(writer: asyncio.StreamWriter) -> None:
        body = b"".join(parts)
        head = f"HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {len(body) if length is None else length}\r\n{headers}\r\n"
        writer.write(head.encode() + body)

    return speak


async def dripping(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def gushing(writer: asyncio.StreamWriter) -> None:
    writer.write(b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n")
    while True:
        writer.write(b" " * 65536)
        await writer.drain()


async def hanging_up(_writer: asyncio.StreamWriter) -> None:
    return


async def keeping_silent(_writer: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


async def fault_of(speak: Speak, deadline: float = 5.0) -> Fault:
    async with hosting(speak) as host, calling(host, deadline) as http:
        with pytest.raises(Fault) as caught:
            await http.get("https://api.example.com/me", bearer=CANARY)
        return caught.value


async def test_D4_an_answer_that_drips_is_cut_at_the_deadline() -> None:
    began = asyncio.get_running_loop().time()
    fault = await fault_of(dripping, deadline=0.3)
    assert fault.kind is FaultKind.FATE_UNKNOWN
    assert asyncio.get_running_loop().time() - began < 5


async def test_D4_an_answer_without_end_is_cut_by_its_bytes() -> None:
    fault = await fault_of(gushing)
    assert (fault.kind, fault.code) == (FaultKind.UNINTELLIGIBLE, "too_large")


async def test_D4_an_answer_that_announces_too_much_is_cut_by_its_bytes() -> None:
    fault = await fault_of(saying(b" " * 2_000_001))
    assert fault.code == "too_large"


@pytest.mark.parametrize("encoding", ["gzip", "deflate", "br", "gzip, gzip"])
async def test_D4_a_compressed_answer_is_refused_before_it_can_explode(encoding: str) -> None:
    fault = await fault_of(saying(gzip.compress(b"{}"), headers=f"content-encoding: {encoding}\r\n"))
    assert (fault.kind, fault.code) == (FaultKind.UNINTELLIGIBLE, "compressed")


@pytest.mark.parametrize("status", ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"])
async def test_D5_no_redirect_is_followed_with_the_token(status: str) -> None:
    async with hosting(saying(b"{}")) as elsewhere:
        async with hosting(saying(status=status, headers=f"location: {elsewhere.at}/me\r\n")) as host, calling(host) as http:
            answer = await http.get("https://api.example.com/me", bearer=CANARY)
        assert answer.status == int(status[:3])
        assert not answer.ok
        assert CANARY in host.heard[0]
        assert elsewhere.heard == []


async def test_D5_nor_is_one_with_the_app_secret() -> None:
    async with hosting(saying(b"{}")) as elsewhere:
        async with hosting(saying(status="307 Temporary", headers=f"location: {elsewhere.at}/\r\n")) as host, calling(host) as http:
            await http.post("https://api.example.com/token", form={"code": CANARY}, basic=("id", CANARY))
        assert elsewhere.heard == []


async def test_D6_the_environment_cannot_put_a_proxy_in_between(monkeypatch: pytest.MonkeyPatch) -> None:
    async with hosting(saying(b"{}")) as proxy, hosting(saying(b"{}")) as host:
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, proxy.at)
        async with calling(host) as http:
            await http.get("https://api.example.com/me")
        assert len(host.heard) == 1
        assert proxy.heard == []


async def test_a_cookie_from_one_persons_call_never_goes_out_with_anothers() -> None:
    async with hosting(saying(b"{}", headers=f"set-cookie: session={CANARY}; path=/\r\n")) as host, calling(host) as http:
        await http.get("https://api.example.com/me")
        await http.get("https://api.example.com/me")
        assert len(host.heard) == 2
        assert "cookie" not in host.heard[1].lower()


async def test_where_nobody_listens_nothing_was_sent() -> None:
    async with hosting(keeping_silent) as host:
        at = host.at
    http = NetworkHttp(at=at)
    with pytest.raises(Fault) as caught:
        await http.get("https://api.example.com/me")
    assert caught.value.kind is FaultKind.NOT_SENT
    await http.close()


@pytest.mark.parametrize("speak", [hanging_up, keeping_silent, saying(b'{"half": ', length=100)])
async def test_R5_what_was_sent_without_a_whole_answer_has_an_unknown_fate(speak: Speak) -> None:
    assert (await fault_of(speak, deadline=0.3)).kind is FaultKind.FATE_UNKNOWN


async def test_no_fault_carries_the_token() -> None:
    for speak in (hanging_up, saying(b"", headers="content-encoding: gzip\r\n")):
        fault = await fault_of(speak)
        assert CANARY not in f"{fault!r} {fault} {fault.__cause__!r}"


async def test_a_base_rewrites_every_address_and_leaves_query_and_path_alone() -> None:
    async with hosting(saying(b"{}")) as host, calling(host) as http:
        await http.get("https://api.example.com/v1/me?a=1", query={"b": "2 3"})
        assert host.heard[0].startswith("GET /api.example.com/v1/me?a=1&b=2+3 HTTP/1.1")
    http = NetworkHttp()
    assert http.address("https://api.example.com/me") == "https://api.example.com/me"
    await http.close()


def test_an_answer_keeps_its_body_out_of_its_repr() -> None:
    assert CANARY not in repr(Answer(200, {"set-cookie": CANARY}, CANARY.encode()))


@pytest.mark.parametrize("body", [b"", b"<html>", b"[1]", b"null", b'"text"', b'{"torn": ', b"\xff\xfe", b"[" * 100_000])
@pytest.mark.parametrize(("status", "kind"), [(200, FaultKind.UNINTELLIGIBLE), (401, FaultKind.UNINTELLIGIBLE), (502, FaultKind.TRANSIENT)])
def test_R6_what_is_no_json_object_is_unintelligible_or_transient(body: bytes, status: int, kind: FaultKind) -> None:
    with pytest.raises(Fault) as caught:
        Answer(status, {}, body).json()
    assert caught.value.kind is kind
