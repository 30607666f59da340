"""The server answers to its own name only, whatever the request says about hosts (A13, B7)."""

import pytest

from tests.support.porch import PUBLIC_URL, Porch, porch_for

FOREIGN = (
    "evil.example",
    "evil.example:8420",
    "127.0.0.1",
    "127.0.0.1:80",
    "127.0.0.1:8421",
    "127.0.0.1:8420.evil.example",
    "127.0.0.1.evil.example:8420",
    "a/?x=127.0.0.1:8420",
    "evil.example/@127.0.0.1:8420",
    "user@127.0.0.1:8420",
    "127.0.0.1:8420@evil.example",
    "127.0.0.1:8420#",
    "127.0.0.1:8420/",
    "[::1",
    "localhost:99999",
    "localhost.evil.example:8420",
    "10.0.0.1:8420",
    "127.0.0.1:8420, evil.example",
    " 127.0.0.1:8420",
    "",
)


@pytest.mark.parametrize("host", FOREIGN)
async def test_A13_a_host_that_is_not_ours_is_refused_as_page_and_as_json(porch: Porch, host: str) -> None:
    status, headers, body = await porch.raw("GET", "/hello", [(b"host", host.encode())])
    assert (status, headers["hitchpost-error"], headers["content-type"]) == (421, "host_unknown", "text/html; charset=utf-8")
    assert "<h1>Unknown host</h1>" in body

    status, headers, body = await porch.raw("POST", "/api/_public/v1/call", [(b"host", host.encode())])
    assert (status, headers["content-type"]) == (421, "application/json")
    assert '"code":"host_unknown"' in body
    assert porch.done == []


async def test_A13_no_host_two_hosts_and_odd_targets_are_refused(porch: Porch) -> None:
    ours = (b"host", b"127.0.0.1:8420")
    for path, headers in (("/hello", []), ("/hello", [ours, ours]), ("http://evil.example/hello", [ours]), ("*", [ours])):
        status, answered, _ = await porch.raw("GET", path, headers)
        assert (status, answered["hitchpost-error"]) == (400, "bad_request")


async def test_A13_forwarding_headers_change_nothing(porch: Porch) -> None:
    for name in (b"x-forwarded-host", b"forwarded", b"x-forwarded-proto", b"x-original-url", b"x-forwarded-prefix"):
        status, headers, body = await porch.raw("GET", "/leaving", [(b"host", b"127.0.0.1:8420"), (name, b"host=evil.example")])
        assert (status, headers["location"]) == (303, "/hello")
        assert "evil" not in body


@pytest.mark.parametrize("host", ["localhost:8420", "LOCALHOST:8420", "127.0.0.2:8420", "[::1]:8420", "lantern.localhost:8420"])
async def test_A13_another_name_of_this_machine_leads_over_to_the_public_one(porch: Porch, host: str) -> None:
    status, headers, _ = await porch.raw("GET", "/hello", [(b"host", host.encode())], query=b"a=1&b=%2F")
    assert (status, headers["location"]) == (303, f"{PUBLIC_URL}/hello?a=1&b=%2F")


@pytest.mark.parametrize("path", ["/api/_public/v1/call", "/api/v1/call", "/api/networks/call", "/health", "/openapi.json"])
async def test_A13_programs_are_not_led_over_but_told_in_json(porch: Porch, path: str) -> None:
    for method in ("GET", "HEAD"):
        status, headers, body = await porch.raw(method, path, [(b"host", b"localhost:8420")])
        assert (status, headers["content-type"]) == (421, "application/json")
        assert "location" not in headers
        assert f'"code":"host_unknown","fixBy":"caller","retryable":false,"how":"Open {PUBLIC_URL} instead."' in body


async def test_A13_the_page_of_an_unknown_host_leads_to_the_right_one_and_nowhere_else() -> None:
    porch = porch_for("https://connect.example.com")
    _, _, body = await porch.raw("GET", "/hello", [(b"host", b"127.0.0.1:8420")])
    assert '<a class="button primary" href="https://connect.example.com">' in body
    assert "Home" not in body
    assert 'href="/"' not in body


async def test_A13_leading_over_never_leaves_for_another_host(porch: Porch) -> None:
    for path in ("//evil.example", "/@evil.example", "/\\evil.example", "/\r\nLocation: https://evil.example"):
        status, headers, _ = await porch.raw("GET", path, [(b"host", b"localhost:8420")])
        assert status == 303
        assert headers["location"].startswith(f"{PUBLIC_URL}/")
        assert not {"\r", "\n", "\\"} & set(headers["location"])


async def test_A13_a_post_is_never_led_over(porch: Porch) -> None:
    status, _, _ = await porch.raw("POST", "/act", [(b"host", b"localhost:8420")])
    assert status == 421


async def test_A13_a_public_name_is_known_by_itself_and_with_its_own_port_only() -> None:
    porch = porch_for("https://connect.example.com")
    for host, expected in (
        (b"connect.example.com", 200),
        (b"CONNECT.example.com", 200),
        (b"connect.example.com:443", 200),
        (b"connect.example.com:80", 421),
        (b"connect.example.com.", 421),
        (b"localhost", 421),
        (b"127.0.0.1:8420", 421),
    ):
        status, _, _ = await porch.raw("GET", "/hello", [(b"host", host)])
        assert (host, status) == (host, expected)


@pytest.mark.parametrize(
    "path", ["//act", "/act/", "/act;x", "/act/../act", "/%61ct", "/api/_public/../../act", "/api/_public//act", "/ACT", "/act@"]
)
async def test_B7_only_the_route_itself_acts(porch: Porch, path: str) -> None:
    foreign = [(b"host", b"127.0.0.1:8420"), (b"origin", b"https://evil.example"), (b"content-type", b"application/x-www-form-urlencoded")]
    status, _, _ = await porch.raw("POST", path, foreign)
    assert status in (403, 404)
    assert porch.done == []
