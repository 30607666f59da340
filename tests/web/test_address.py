"""C9: who calls is the socket's address, unless a configured proxy vouches for another."""

from ipaddress import ip_network

import pytest

from hitchpost.web.address import address_of, neighbourhood

PROXIES = (ip_network("10.0.0.0/8"), ip_network("2001:db8::/32"))


def seen(client: str | None, *forwarded: str) -> str:
    headers = [(b"x-forwarded-for", line.encode()) for line in forwarded]
    return address_of({"type": "http", "client": (client, 1) if client else None, "headers": headers}, PROXIES)


def test_C9_a_strangers_header_is_not_believed() -> None:
    assert {seen("192.0.2.7", f"198.51.100.{n}") for n in range(50)} == {"192.0.2.7"}


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        (["198.51.100.9"], "198.51.100.9"),
        (["1.1.1.1, 198.51.100.9"], "198.51.100.9"),
        (["1.1.1.1", "198.51.100.9, 10.0.0.3"], "198.51.100.9"),
        (["10.1.1.1, 10.0.0.3"], "10.1.1.1"),
        (["1.1.1.1, garbage, 10.0.0.3"], "10.0.0.3"),
        (["1.1.1.1, garbage"], "10.0.0.2"),
        (["::ffff:198.51.100.9"], "198.51.100.9"),
        (["2001:db9::5, 2001:db8::1"], "2001:db9::5"),
        ([""], "10.0.0.2"),
        ([], "10.0.0.2"),
    ],
)
def test_C9_behind_a_proxy_the_right_most_stranger_counts(forwarded: list[str], expected: str) -> None:
    assert seen("10.0.0.2", *forwarded) == expected


def test_C9_a_mapped_proxy_is_the_proxy_and_a_socket_without_address_is_nobody() -> None:
    assert seen("::ffff:10.0.0.2", "198.51.100.9") == "198.51.100.9"
    assert seen(None, "198.51.100.9") == "-"
    assert address_of({"type": "http", "client": ("10.0.0.2", 1), "headers": [(b"x-forwarded-for", b"198.51.100.9")]}, ()) == "10.0.0.2"


@pytest.mark.parametrize(
    ("address", "shared"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("2001:db8::5", "2001:db8::/64"),
        ("2001:db8::6", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("-", "-"),
    ],
)
def test_C9_whoever_has_one_ipv6_address_has_its_whole_network(address: str, shared: str) -> None:
    assert neighbourhood(address) == shared
