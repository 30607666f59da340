"""Pictures of people and pages: small real PNGs, drawn from the last part of their address, the same every time."""

import hashlib
import re
import struct
import zlib
from urllib.parse import parse_qs

_SIZES = {"_normal": 48, "_bigger": 73, "_200x200": 200, "_400x400": 400}
_STEM = re.compile(r"(?P<stem>.+?)(?P<size>_normal|_bigger|_200x200|_400x400)?(\.\w+)?")
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" width="96" height="96"><script>alert("sandbox")</script><rect width="96" height="96"/></svg>'
)


def png(seed: str, size: int = 96) -> bytes:
    """A square PNG of `size` pixels: five by five mirrored blocks in a colour of the seed's own (RFC 2083)."""
    digest = hashlib.sha256(seed.encode()).digest()
    colour = bytes(48 + digest[channel] * 144 // 255 for channel in range(3))
    paper = b"\xf2\xf0\xea"
    edges = [size * step // 5 for step in range(6)]
    rows = bytearray()
    for down in range(5):
        bits = [digest[4 + down * 3 + min(across, 4 - across)] & 1 for across in range(5)]
        line = b"".join((colour if bit else paper) * (edges[across + 1] - edges[across]) for across, bit in enumerate(bits))
        rows += (b"\0" + line) * (edges[down + 1] - edges[down])
    header = struct.pack(">IIBBBBB", size, size, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", header) + _chunk(b"IDAT", zlib.compress(bytes(rows), 9)) + _chunk(b"IEND", b"")


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def at(path: str) -> tuple[str, bytes]:
    """The picture at an address's path: its content type and bytes.

    The last part's stem is the seed, `_normal`, `_bigger`, `_200x200` or `_400x400` before its ending the size; a stem with `svg` in
    it is a hostile SVG, whatever its ending says.
    """
    found = _STEM.fullmatch(path.rsplit("/", 1)[-1])
    stem, size = (found["stem"], found["size"]) if found else ("nothing", None)
    if "svg" in stem:
        return "image/svg+xml", SVG
    return "image/png", png(stem, _SIZES.get(size or "", 96))


def dead(query: str, now: float) -> bool:
    """Whether a signed address has expired: `e` holds Unix seconds (LinkedIn), `oe` the same in hexadecimal (Meta)."""
    values = parse_qs(query)
    try:
        ends = [int(text) for text in values.get("e", [])] + [int(text, 16) for text in values.get("oe", [])]
    except ValueError:
        return True
    return any(now >= end for end in ends)
