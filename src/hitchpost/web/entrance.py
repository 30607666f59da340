"""The Entrance decides by a request's own headers whether it may come in: its Host, its size, and where it comes from.

Nothing here builds or compares URLs made from the request; routes are chosen later, by the path alone (A13, B7).
"""

import re
from urllib.parse import quote, urlsplit

from starlette.types import Scope

from hitchpost.errors import Problem
from hitchpost.settings import is_loopback
from hitchpost.web.problems import for_programs

MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
SAFE_METHODS = frozenset(("GET", "HEAD", "OPTIONS"))
_AUTHORITY = re.compile(rb"[a-z0-9.-]+(?::[0-9]{1,5})?|\[[0-9a-f:.]+\](?::[0-9]{1,5})?", re.IGNORECASE)
_DEFAULT_PORTS = {"http": 80, "https": 443}
_OWN_SITES = (b"same-origin", b"none")


class Entrance:
    """Knows the one public URL (an origin) that this server answers to."""

    def __init__(self, public_url: str) -> None:
        parts = urlsplit(public_url)
        name = f"[{parts.hostname}]" if ":" in (parts.hostname or "") else parts.hostname or ""
        default = _DEFAULT_PORTS[parts.scheme]
        self._public_url = public_url
        self._port = parts.port or default
        self._default_port = default
        self._loopback = is_loopback(public_url)
        hosts = {name, f"{name}:{default}"} if self._port == default else {f"{name}:{self._port}"}
        self._hosts = frozenset(host.encode() for host in hosts)
        # A browser writes its Origin in lower case and without the scheme's own port (RFC 6454 §6.2).
        self._origin = f"{parts.scheme}://{name}{'' if self._port == default else f':{self._port}'}".encode()

    def admit(self, scope: Scope) -> str:
        """Empty when the request may come in, else the address of the same page on the public URL.

        Raises Problem host_unknown, bad_request, headers_too_large or foreign_origin.
        """
        headers = scope["headers"]
        host = origin = site = None
        size = 0
        for name, value in headers:
            size += len(name) + len(value)
            if name == b"host":
                if host is not None:
                    raise Problem("bad_request", detail="there is more than one Host header")
                host = value
            elif name == b"origin":
                # Two of them agree with nothing, and so are refused below.
                origin = value if origin is None else b""
            elif name == b"sec-fetch-site":
                site = value if site is None else b""
        if len(headers) > MAX_HEADERS or size + len(scope["query_string"]) > MAX_HEADER_BYTES:
            raise Problem("headers_too_large")
        if host is None or not scope["path"].startswith("/"):
            raise Problem("bad_request", detail="the request needs a Host header and a path")
        if host not in self._hosts and host.lower() not in self._hosts:
            return self._elsewhere(scope, host)
        if scope["method"] not in SAFE_METHODS and not for_programs(scope["path"]):
            self._refuse_other_sites(origin, site)
        return ""

    def _refuse_other_sites(self, origin: bytes | None, site: bytes | None) -> None:
        """The second line against CSRF, behind the form's token. Programs send neither header; `null` is nobody's origin (B2)."""
        if (origin is not None and origin != self._origin) or (site is not None and site not in _OWN_SITES):
            raise Problem("foreign_origin")

    def _elsewhere(self, scope: Scope, host: bytes) -> str:
        """A person who typed `localhost` for `127.0.0.1` is led over, because cookies and callbacks belong to one name only.

        A program is not: its caller would take an empty 303 for an answer.
        """
        if self._loopback and scope["method"] in ("GET", "HEAD") and not for_programs(scope["path"]) and _AUTHORITY.fullmatch(host):
            try:
                parts = urlsplit(f"//{host.decode('ascii').lower()}")
                ours = (parts.port or self._default_port) == self._port and is_loopback(f"//{parts.netloc}")
            except ValueError:
                # No such port, or no address between the brackets.
                ours = False
            if ours:
                path = quote(scope["path"], safe="/:@!$&'()*+,;=~-._")
                query = quote(scope["query_string"], safe="/:@!$&'()*+,;=~-._%?[]")
                return self._public_url + path + (f"?{query}" if query else "")
        raise Problem("host_unknown", public_url=self._public_url)
