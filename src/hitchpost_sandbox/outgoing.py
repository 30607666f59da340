"""Calls that a network makes to an app's own server, such as Meta's deauthorize callback. Only loopback is called unless told otherwise."""

import asyncio
import http.client
import ipaddress
import urllib.error
import urllib.request
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit

TIMEOUT = 10.0
_MOST_BYTES = 65_536
_MISREAD = frozenset("%@\\")
"""What two readers of an address take for different hosts: `[::1%40a.example]` is a loopback with a zone to one, a.example to another."""


@dataclass(frozen=True, slots=True)
class Heard:
    """What the app's server answered. `status` 0: nobody answered, and `text` says why."""

    status: int
    text: str


Post = Callable[[str, dict[str, str]], Awaitable[Heard]]
"""Posts a form to an address."""


class Outgoing:
    """Posts forms. `post`: what carries them, by default real HTTP. `anywhere`: other addresses than loopback may be called."""

    def __init__(self, post: Post | None = None, *, anywhere: bool = False) -> None:
        self._post = post or _over_http
        self._anywhere = anywhere

    async def tell(self, url: str, form: dict[str, str]) -> Heard:
        """Post `form` to `url` and hear the answer; trouble is an answer too."""
        try:
            parts = urlsplit(url)
            host, _ = parts.hostname or "", parts.port
        except ValueError:
            return Heard(0, "that is not an address")
        if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url or set(parts.netloc) & _MISREAD:
            return Heard(0, "that is not an http address")
        if not self._anywhere and not is_loopback(host):
            return Heard(0, "this sandbox calls loopback addresses only")
        return await self._post(url, form)


def is_loopback(host: str) -> bool:
    """Whether a host name or address stays on this machine."""
    if host == "localhost":
        return True
    try:
        # A zone (`::1%eth0`) may be any text, and loopback has none.
        return "%" not in host and ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirect is an answer, and nobody is led off loopback."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)


async def _over_http(url: str, form: dict[str, str]) -> Heard:
    """One POST by the standard library, in a thread: a network does not wait for an app, and neither does the loop."""

    def post() -> Heard:
        try:
            with _opener.open(url, urlencode(form).encode(), timeout=TIMEOUT) as answer:
                return Heard(answer.status, answer.read(_MOST_BYTES).decode("utf-8", "replace"))
        except urllib.error.HTTPError as refused:
            with refused:
                return Heard(refused.code, refused.read(_MOST_BYTES).decode("utf-8", "replace"))
        except (OSError, ValueError, http.client.HTTPException) as trouble:
            return Heard(0, type(trouble).__name__)

    return await asyncio.to_thread(post)
