"""The security headers of every answer, pages and API alike (B3, B5, B6, B11)."""

Headers = list[tuple[bytes, bytes]]

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'; connect-src 'self'"
)
_ALWAYS: Headers = [
    (b"content-security-policy", CONTENT_SECURITY_POLICY.encode()),
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"permissions-policy", b"camera=(), geolocation=(), microphone=(), payment=(), usb=(), browsing-topics=()"),
]
# Two years, the usual advice; subdomains are not ours to bind.
_HSTS = (b"strict-transport-security", b"max-age=63072000")
# no-referrer would make our own forms send `Origin: null`; only answers that carry a code set it themselves.
_REFERRER = (b"referrer-policy", b"same-origin")
_NO_STORE = (b"cache-control", b"no-store")


class Dress:
    """Puts the headers on an answer. `secure`: people reach us by https."""

    def __init__(self, *, secure: bool) -> None:
        self._always = [*_ALWAYS, _HSTS] if secure else _ALWAYS
        self._ours = frozenset(name for name, _ in self._always)

    def on(self, headers: Headers) -> Headers:
        """The answer's headers with ours: no room can weaken the fixed ones; it may choose its own Referrer-Policy and Cache-Control."""
        ours = self._ours
        dressed = [header for header in headers if header[0] not in ours]
        names = {name for name, _ in dressed}
        dressed += self._always
        if b"referrer-policy" not in names:
            dressed.append(_REFERRER)
        if b"cache-control" not in names:
            dressed.append(_NO_STORE)
        return dressed
