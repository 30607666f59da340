"""The only door for outgoing calls: never follows a redirect, bounded in bytes and time, tells apart 'not sent' and 'fate unknown'."""

import asyncio
import json
import re
from collections.abc import Callable, Coroutine, Iterable, Mapping
from dataclasses import dataclass, field
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any, Literal, TypeVar
from urllib.parse import urlencode, urlsplit

import httpx2

from hitchpost.networks.errors import Fault, FaultKind

DEADLINE = 20.0
MAX_BYTES = 2_000_000
_ABREAST = 4
Json = dict[str, Any]

A = TypeVar("A")
T = TypeVar("T")


_CONNECTIONS = 512
"""More than all renewals under way need at their most: calls that hang at one network must not keep others waiting for a connection."""
_IDLE = 4.0
"""Seconds after which an idle connection is not used again: many servers close theirs after five, and would lose a call on its way."""

_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


def _storable(value: Any) -> Any:
    if isinstance(value, str):
        return _UNSTORABLE.sub("\ufffd", value)
    if isinstance(value, dict):
        return {_storable(name): _storable(one) for name, one in value.items()}
    return [_storable(one) for one in value] if isinstance(value, list) else value


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer of a network. `body` raw, bounded, and hidden in repr, for it may hold tokens; header names in lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ok(self) -> bool:
        return 200 <= self.status < 300

    def json(self) -> Json:
        """The body as a JSON object. Raises Fault (UNINTELLIGIBLE, or TRANSIENT under 5xx) for anything else: HTML, torn, a list.

        NUL and halves of surrogate pairs, which JSON can spell but no database and no page can hold, come as U+FFFD.
        """
        try:
            value = json.loads(self.body)
        except (ValueError, RecursionError):
            value = None
        if b"\\u" in self.body:
            value = _storable(value)
        if not isinstance(value, dict):
            kind = FaultKind.TRANSIENT if self.status >= 500 else FaultKind.UNINTELLIGIBLE
            raise Fault(kind, f"http_{self.status}", "the answer was not JSON")
        return value


class NetworkHttp:
    """One shared client. `at`: the base that every network's address is rewritten to (a sandbox), or empty for the real ones."""

    def __init__(self, at: str = "", *, transport: httpx2.AsyncBaseTransport | None = None, deadline: float = DEADLINE) -> None:
        self._at = at.rstrip("/")
        self._deadline = deadline
        self._client = httpx2.AsyncClient(
            transport=transport,
            follow_redirects=False,
            trust_env=False,
            timeout=httpx2.Timeout(deadline, connect=5.0, pool=5.0),
            limits=httpx2.Limits(max_connections=_CONNECTIONS, max_keepalive_connections=20, keepalive_expiry=_IDLE),
            headers={"user-agent": "hitchpost", "accept-encoding": "identity"},
            # One client serves everybody: a cookie kept from one person's call must never go out with another's.
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
        )

    def address(self, url: str) -> str:
        """Where `url` (a real https address) is reached: itself, or `<at>/<real host>/<real path>`."""
        if not self._at:
            return url
        parts = urlsplit(url)
        return f"{self._at}/{parts.netloc}{parts.path}" + (f"?{parts.query}" if parts.query else "")

    async def get(
        self, url: str, *, query: Mapping[str, str] | None = None, bearer: str = "", headers: Mapping[str, str] | None = None
    ) -> Answer:
        return await self.send("GET", url, query=query, bearer=bearer, headers=headers)

    async def post(
        self,
        url: str,
        *,
        form: Mapping[str, str],
        basic: tuple[str, str] | None = None,
        bearer: str = "",
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        return await self.send("POST", url, form=form, basic=basic, bearer=bearer, headers=headers)

    async def send(
        self,
        method: Literal["GET", "POST", "DELETE"],
        url: str,
        *,
        query: Mapping[str, str] | None = None,
        form: Mapping[str, str] | None = None,
        basic: tuple[str, str] | None = None,
        bearer: str = "",
        headers: Mapping[str, str] | None = None,
        max_bytes: int = MAX_BYTES,
    ) -> Answer:
        """One call. Raises Fault NOT_SENT or FATE_UNKNOWN; an answer of any status, 3xx included, is returned."""
        address = self.address(url)
        if query:
            address += ("&" if "?" in address else "?") + urlencode(query)
        sent = dict(headers or {})
        if bearer:
            sent["authorization"] = f"Bearer {bearer}"
        request = self._client.build_request(method, address, data=dict(form) if form is not None else None, headers=sent)
        try:
            async with asyncio.timeout(self._deadline):
                response = await self._client.send(request, auth=httpx2.BasicAuth(*basic) if basic else None, stream=True)
                try:
                    body = await self._bounded(response, max_bytes)
                finally:
                    await response.aclose()
        except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.PoolTimeout, httpx2.UnsupportedProtocol) as error:
            raise Fault(FaultKind.NOT_SENT, type(error).__name__.lower()) from None
        except (httpx2.HTTPError, TimeoutError) as error:
            raise Fault(FaultKind.FATE_UNKNOWN, type(error).__name__.lower()) from None
        return Answer(response.status_code, {name.lower(): value for name, value in response.headers.items()}, body)

    async def _bounded(self, response: httpx2.Response, max_bytes: int) -> bytes:
        if response.headers.get("content-encoding", "identity").lower() != "identity":
            # We ask for none: a compressed answer is refused before it can explode (threat D4).
            raise Fault(FaultKind.UNINTELLIGIBLE, "compressed", "the answer was compressed against our wish")
        pieces, size = [], 0
        async for piece in response.aiter_raw():
            size += len(piece)
            if size > max_bytes:
                raise Fault(FaultKind.UNINTELLIGIBLE, "too_large", "the answer was larger than any answer should be")
            pieces.append(piece)
        return b"".join(pieces)

    async def close(self) -> None:
        await self._client.aclose()


async def abreast(act: Callable[[A], Coroutine[Any, Any, T]], over: Iterable[A]) -> list[T]:
    """`act` on each, a few at a time; the results in order. Raises the first Fault after all have ended."""
    gate = asyncio.Semaphore(_ABREAST)

    async def admitted(one: A) -> T:
        async with gate:
            return await act(one)

    results = await asyncio.gather(*(admitted(one) for one in over), return_exceptions=True)
    for result in results:
        if isinstance(result, BaseException):
            raise result
    return [result for result in results if not isinstance(result, BaseException)]
