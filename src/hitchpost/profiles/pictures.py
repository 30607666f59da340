"""Which picture may be fetched, and what it is by its content; pure rules (threats B6, B12, D1)."""

import re
from collections.abc import Iterable
from urllib.parse import urlsplit

MAX_PICTURE = 1_000_000
MAX_ADDRESS = 4096

_HOST = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z]{2,63}")
"""A DNS name as RFC 1123 §2.1 has it; never an address."""

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
)


def may_fetch(url: str, hosts: Iterable[str]) -> bool:
    """Whether `url` is https, without port or user, on one of the adapter's hosts (exact, or below a `.suffix`).

    Only plain spellings: what two programs could read in two ways is refused (threat D1).
    """
    if len(url) > MAX_ADDRESS or not url.isascii() or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        host, port = (parts.hostname or "").lower(), parts.port
    except ValueError:
        return False
    if parts.scheme != "https" or port is not None or "@" in parts.netloc or not _HOST.fullmatch(host):
        return False
    return any(host.endswith(one) if one.startswith(".") else host == one for one in hosts)


def content_type_of(content: bytes) -> str | None:
    """The type by the first bytes: PNG, JPEG, GIF or WebP; None for all else, SVG and HTML included."""
    for magic, kind in _MAGIC:
        if content.startswith(magic):
            return kind
    return "image/webp" if content[:4] == b"RIFF" and content[8:12] == b"WEBP" else None
