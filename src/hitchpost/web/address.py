"""Whose request this is by address: the socket's, unless a configured proxy vouches for another (C9); and who shares it."""

from collections.abc import Mapping, MutableMapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Any

from starlette.requests import HTTPConnection

Networks = tuple[IPv4Network | IPv6Network, ...]


def address_of(source: HTTPConnection | MutableMapping[str, Any], trusted: Networks) -> str:
    """The caller's address as text; `-` for a caller without one (a Unix socket).

    Walks X-Forwarded-For from the right, as long as the address so far is a trusted proxy: what stands further left was written by
    the caller and proves nothing. Anything unreadable ends the walk.
    """
    scope: Mapping[str, Any] = source.scope if isinstance(source, HTTPConnection) else source
    client = scope.get("client")
    seen = str(client[0]) if client else ""
    if trusted and _vouched(seen, trusted):
        lines = [value.decode("latin-1") for name, value in scope["headers"] if name == b"x-forwarded-for"]
        for entry in reversed(",".join(lines).split(",")):
            address = _parsed(entry.strip())
            if address is None:
                break
            seen = str(address)
            if not _within(address, trusted):
                break
    return seen or "-"


def neighbourhood(address: str) -> str:
    """Whose budget an address spends: for IPv6 its /64, for whoever has one address there has all of them (RFC 6177 §2)."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(IPv6Network((parsed, 64), strict=False))
    return address if parsed is None else str(parsed)


def _parsed(text: str) -> IPv4Address | IPv6Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    return (address.ipv4_mapped or address) if isinstance(address, IPv6Address) else address


def _within(address: IPv4Address | IPv6Address, trusted: Networks) -> bool:
    return any(address in network for network in trusted)


def _vouched(text: str, trusted: Networks) -> bool:
    address = _parsed(text)
    return address is not None and _within(address, trusted)
