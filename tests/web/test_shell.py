"""What every request meets and every answer carries."""

import asyncio
import json

import httpx2
import pytest
from starlette.types import Message

from hitchpost.web.headers import CONTENT_SECURITY_POLICY
from hitchpost.web.problems import CLIENT_LEFT
from tests.support.porch import CANARY, PUBLIC_URL, Porch, porch_for

OURS = [(b"host", b"127.0.0.1:8420")]
EVERYWHERE = (
    "/hello",
    "/nowhere",
    "/act",
    "/broken",
    "/leaving",
    "/api/_public/v1/nowhere",
    "/api/_public/v1/call",
    "/api/_public/v1/broken",
)


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "http://127.0.0.1:8421"},
        {"Origin": "https://127.0.0.1:8420"},
        {"Origin": "http://127.0.0.1:8420.evil.example"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "whatever"},
        {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
    ],
)
async def test_B2_what_another_site_sends_is_refused(porch: Porch, client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/act", data={"what": "steal"}, headers=headers)
    assert (answer.status_code, answer.headers["hitchpost-error"]) == (403, "foreign_origin")
    assert porch.done == []


@pytest.mark.parametrize(
    "headers", [{}, {"Origin": PUBLIC_URL}, {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "same-origin"}, {"Sec-Fetch-Site": "none"}]
)
async def test_B2_our_own_pages_and_programs_are_not_refused(porch: Porch, client: httpx2.AsyncClient, headers: dict[str, str]) -> None:
    answer = await client.post("/act", data={"what": "wave"}, headers=headers)
    assert (answer.status_code, porch.done) == (303, ["wave"])


async def test_B2_two_origins_agree_with_nothing(porch: Porch) -> None:
    twice = [*OURS, (b"origin", PUBLIC_URL.encode()), (b"origin", b"https://evil.example")]
    assert (await porch.raw("POST", "/act", twice))[0] == 403


async def test_B2_key_only_calls_do_not_ask_where_they_come_from(porch: Porch, client: httpx2.AsyncClient) -> None:
    answer = await client.post("/api/_public/v1/call", content="{}", headers={"Origin": "https://app.example"})
    assert (answer.status_code, porch.done) == (200, ["{}"])


async def test_B2_coming_back_from_a_network_is_cross_site_and_welcome(client: httpx2.AsyncClient) -> None:
    assert (await client.get("/hello", headers={"Sec-Fetch-Site": "cross-site"})).status_code == 200


@pytest.mark.parametrize("path", EVERYWHERE)
async def test_B3_every_answer_refuses_frames_and_foreign_content(client: httpx2.AsyncClient, path: str) -> None:
    headers = (await client.get(path)).headers
    assert headers.get_list("content-security-policy") == [CONTENT_SECURITY_POLICY]
    assert "frame-ancestors 'none'" in CONTENT_SECURITY_POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["cross-origin-opener-policy"] == headers["cross-origin-resource-policy"] == "same-origin"
    assert "camera=()" in headers["permissions-policy"]
    assert len(headers["x-request-id"]) == 16


async def test_B4_B5_answers_are_not_stored_and_may_choose_a_stricter_referrer(client: httpx2.AsyncClient) -> None:
    plain, chosen = (await client.get("/hello")).headers, (await client.get("/leaving")).headers
    assert (plain["cache-control"], plain["referrer-policy"]) == ("no-store", "same-origin")
    assert (chosen.get_list("cache-control"), chosen.get_list("referrer-policy")) == (["private"], ["no-referrer"])


async def test_B8_a_foreign_preflight_gets_no_permission(client: httpx2.AsyncClient) -> None:
    asked = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for path in ("/api/_public/v1/call", "/act"):
        answer = await client.options(path, headers=asked)
        assert (answer.status_code, answer.headers["allow"]) == (405, "POST")
        assert not [name for name in answer.headers if name.startswith("access-control-")]


async def test_B11_browsers_are_bound_to_https_exactly_when_we_are_reached_by_it() -> None:
    for public_url, expected in (("https://connect.example.com", "max-age=63072000"), (PUBLIC_URL, None)):
        async with porch_for(public_url).client() as client:
            assert (await client.get("/hello")).headers.get("strict-transport-security") == expected


async def test_C11_a_body_that_says_it_is_too_large_is_not_read(porch: Porch) -> None:
    never: list[Message] = []
    status, _, body = await porch.raw("POST", "/api/_public/v1/call", [*OURS, (b"content-length", b"65537")], messages=never)
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


async def test_C11_a_body_is_counted_as_it_comes(porch: Porch) -> None:
    parts: list[Message] = [{"type": "http.request", "body": b"x" * 1024, "more_body": True}] * 100
    form = (b"content-type", b"application/x-www-form-urlencoded")
    for path in ("/api/_public/v1/call", "/act"):
        status, headers, _ = await porch.raw("POST", path, [*OURS, form], messages=parts)
        assert status == 413
        assert headers["x-frame-options"] == "DENY"
    assert porch.done == []


async def test_C11_exactly_64_KiB_may_come_in(porch: Porch, client: httpx2.AsyncClient) -> None:
    assert (await client.post("/api/_public/v1/call", content=b"x" * 65536)).status_code == 200
    assert (await client.post("/api/_public/v1/call", content=b"x" * 65537)).status_code == 413
    assert len(porch.done) == 1


async def test_C11_a_body_that_does_not_come_is_not_waited_for() -> None:
    porch = porch_for(body_seconds=0.02)
    part: list[Message] = [{"type": "http.request", "body": b"{", "more_body": True}]
    status, headers, body = await asyncio.wait_for(porch.raw("POST", "/api/_public/v1/call", OURS, messages=part), 5)
    assert (status, headers["connection"], json.loads(body)["code"]) == (408, "close", "body_too_slow")


async def test_C11_too_many_and_too_long_headers_are_refused(porch: Porch) -> None:
    many = [(b"x-many", b"1")] * 100
    for headers, query in ((many, b""), ([(b"x-long", b"x" * 40_000)], b""), ([], b"x" * 40_000)):
        status, _, body = await porch.raw("GET", "/api/_public/v1/broken", [*OURS, *headers], query=query)
        assert (status, json.loads(body)["code"]) == (431, "headers_too_large")


async def test_E6_a_fault_of_ours_shows_an_id_and_nothing_else(porch: Porch, client: httpx2.AsyncClient) -> None:
    api = await client.get(f"/api/_public/v1/broken?code={CANARY}")
    assert (api.status_code, api.json()["code"], api.json()["requestId"]) == (500, "unforeseen", api.headers["x-request-id"])
    page = await client.get(f"/broken?code={CANARY}")
    assert (page.status_code, page.headers["hitchpost-error"]) == (500, "unforeseen")
    assert page.headers["x-request-id"] in page.text
    for seen in (api.text, page.text, porch.written.getvalue()):
        assert CANARY not in seen
        assert "Traceback" not in seen


async def test_E5_the_log_names_request_and_place_but_no_query(porch: Porch, client: httpx2.AsyncClient) -> None:
    answer = await client.get(f"/broken?code={CANARY}")
    fault, request = [json.loads(line) for line in porch.written.getvalue().splitlines()]
    assert (fault["event"], fault["request_id"], fault["error"]) == ("unforeseen", answer.headers["x-request-id"], ["RuntimeError"])
    assert fault["at"][-1].startswith("porch.py:")
    assert (request["event"], request["method"], request["path"], request["status"]) == ("request", "GET", "/broken", 500)


async def test_not_found_and_wrong_methods_speak_the_language_of_their_world(client: httpx2.AsyncClient) -> None:
    api, page = await client.get("/api/_public/v1/nowhere"), await client.get("/nowhere")
    assert (api.status_code, api.json()["code"]) == (404, "not_found")
    assert (page.status_code, page.headers["hitchpost-error"], page.headers["content-type"]) == (
        404,
        "not_found",
        "text/html; charset=utf-8",
    )
    api, page = await client.delete("/api/_public/v1/call"), await client.get("/act")
    assert (api.status_code, api.headers["allow"], api.json()["code"]) == (405, "POST", "method_not_allowed")
    assert (page.status_code, page.headers["allow"]) == (405, "POST")


async def test_a_client_that_leaves_is_no_fault_of_ours(porch: Porch) -> None:
    status, _, _ = await porch.raw("POST", "/api/_public/v1/call", OURS, messages=[{"type": "http.disconnect"}])
    assert status == CLIENT_LEFT
    assert [json.loads(line)["status"] for line in porch.written.getvalue().splitlines()] == [CLIENT_LEFT]


async def test_a_websocket_is_closed(porch: Porch) -> None:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    await porch.shell({"type": "websocket", "path": "/hello", "headers": OURS}, receive, send)
    assert sent == [{"type": "websocket.close", "code": 1008}]
