"""Plays an example three ways: the twin answers as documented, to the documented request, and the adapter takes page and twin alike."""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx2

from hitchpost.networks import oauth2
from hitchpost.networks.base import Adapter, Consent, Listing, Login
from hitchpost.networks.errors import Fault
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import App
from tests.support.trip import BASE, Traveller, fresh_world
from tests.witness.pages import MORE, Asked, Example

_MADE_UP = frozenset((
    "id", "name", "username", "sub", "given_name", "family_name", "email", "localizedFirstName", "localizedLastName", "vanityName",
    "user_id", "localizedName", "organization", "roleAssignee", "height", "width", "is_silhouette", "url", "before", "after",
    "board_count", "state", "business_name", "account_type", "protected", "verified", "subscription_type", "privacy", "total",
    "locale", "email_verified", "scope", "permissions", "refresh_token_expires_in", "refresh_token_expires_at",
    "downloadUrlExpiresAt", "permission", "status", "role", "count",
))  # fmt: skip
"""Fields whose values differ from person to person or from day to day: of these the page fixes the kind of value, not the value."""


VERIFIER = "v" * 43


class Person(Traveller):
    """One who may also be asked for PKCE."""

    def consent_page(self, *, again: bool = False) -> str:
        challenge = oauth2.challenge_of(VERIFIER) if self.login.oauth.pkce else ""
        return self.adapter.authorize_url(self.call, state="the-state", redirect_uri=self.redirect_uri, challenge=challenge, again=again)

    async def redeem(self, code: str) -> Consent:
        return await self.adapter.exchange(self.call, code=Secret(code), redirect_uri=self.redirect_uri, verifier=Secret(VERIFIER))


class Recorder(httpx2.AsyncBaseTransport):
    """Between adapter and sandbox: notes every exchange; the answer to the call of number `at` becomes that of `example`."""

    def __init__(self, beyond: httpx2.AsyncBaseTransport) -> None:
        self._beyond = beyond
        self.seen: list[tuple[httpx2.Request, int, bytes]] = []
        self.at = -1
        self.example: Example | None = None

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        given = await self._beyond.handle_async_request(request)
        content = b"".join([piece async for piece in given.stream])  # type: ignore[union-attr]
        status, headers = given.status_code, given.headers
        if self.example is not None and len(self.seen) == self.at:
            # The network has acted, so that what follows from its answer is there; only its words are the page's.
            status = self.example.status
            content = b"" if self.example.body is None else json.dumps(filled(self.example.body, _body(content))).encode()
            headers = httpx2.Headers({name: value for name, value in headers.items() if name != "content-length"})
        self.seen.append((request, status, content))
        return httpx2.Response(status, headers=headers, stream=httpx2.ByteStream(content))


@dataclass(frozen=True, slots=True)
class Witness:
    """How an example comes about. `act` arranges the scene and lets the adapter act; `means`: what the adapter must make of it."""

    place: str
    adapter: Callable[[], Adapter]
    login: Login
    app: App
    act: Callable[[Person], Awaitable[object]]
    means: str

    def traveller(self) -> tuple[Person, Recorder]:
        world = fresh_world()
        world.register(self.app)
        made = Person(world, self.adapter(), self.login, self.app)
        recorder = Recorder(httpx2.ASGITransport(app=build(world)))
        made.through(NetworkHttp(at=BASE, transport=recorder))
        return made, recorder


async def outcome(witness: Witness, traveller: Person) -> str:
    """What the adapter made of it, in a word that two runs can be compared by."""
    try:
        found = await witness.act(traveller)
    except Fault as fault:
        return f"fault {fault.kind.value}"
    if isinstance(found, Listing):
        return "listing" if found.candidates else "empty listing"
    return type(found).__name__ if not isinstance(found, str) else found


async def play(example: Example, witness: Witness) -> None:
    """All three ways. Raises AssertionError saying which two disagree."""
    person, recorder = witness.traveller()
    by_twin = await outcome(witness, person)
    place = _found(example, recorder)
    assert by_twin == witness.means, f"the adapter takes the twin's answer as “{by_twin}”"
    again, second = witness.traveller()
    second.at, second.example = place, example
    by_page = await outcome(witness, again)
    assert by_page == witness.means, f"the adapter takes the page's answer as “{by_page}”"


def _found(example: Example, recorder: Recorder) -> int:
    """The number of the recorded exchange that the example tells of."""
    asked = [number for number, (request, _, _) in enumerate(recorder.seen) if asks(example.asked, request) == ""]
    why = "; ".join(asks(example.asked, request) for request, _, _ in recorder.seen)
    assert asked, f"no such request was sent: {why}"
    faults = []
    for number in asked:
        _, status, content = recorder.seen[number]
        wrong = f"status {status}" if status != example.status else differs(example.body, _body(content))
        if not wrong:
            return number
        faults.append(wrong)
    raise AssertionError(f"the twin answers otherwise: {'; '.join(faults)}")


def _body(content: bytes) -> Any:
    return json.loads(content) if content else None


def asks(asked: Asked, request: httpx2.Request) -> str:
    """How a sent request differs from the documented one; empty when it does not."""
    split = urlsplit(str(request.url))
    _, host, *parts = split.path.split("/")
    if (asked.method, asked.host) != (request.method, host):
        return f"{request.method} {host}"
    if not _same_path(asked.path.split("/")[1:], parts):
        return f"path {'/'.join(parts)}"
    sent = dict(parse_qsl(split.query, keep_blank_values=True)) | dict(parse_qsl(request.content.decode(), keep_blank_values=True))
    if set(sent) != set(asked.names):
        return f"parameters {sorted(set(sent) ^ set(asked.names))}"
    for name in ("grant_type", "response_type", "q"):
        if asked.names.get(name) != sent.get(name):
            return f"{name}={sent.get(name)}"
    for name, value in asked.headers.items():
        if not request.headers.get(name, "").startswith(value.partition(" ")[0].partition(MORE)[0]):
            return f"header {name}"
    return ""


def _same_path(page: list[str], sent: list[str]) -> bool:
    """Segments alike; a number of the page stands for any number, and `…` for any end."""
    if len(page) != len(sent):
        return False
    return all(
        one == other or (one.isdecimal() and other.isdecimal()) or (MORE in one and other.startswith(one.partition("%")[0]))
        for one, other in zip(page, sent, strict=True)
    )


def differs(page: Any, twin: Any, at: str = "body") -> str:
    """Where the twin's answer is not of the page's shape; empty when it is."""
    if isinstance(page, dict):
        if not isinstance(twin, dict):
            return f"{at} is no object"
        names = set(page) - {MORE}
        if missing := sorted(names - set(twin)):
            return f"{at} lacks {missing[0]}"
        if MORE not in page and (extra := sorted(set(twin) - names)):
            return f"{at} has {extra[0]} beside"
        return next((wrong for name in names if (wrong := differs(page[name], twin[name], f"{at}.{name}"))), "")
    if isinstance(page, list):
        if not isinstance(twin, list) or bool(page) != bool(twin):
            return f"{at} is another list"
        if not page:
            return ""
        fits = [differs(page[0], one, f"{at}[{number}]") for number, one in enumerate(twin)]
        return "" if "" in fits else fits[0]
    return _differs_plainly(page, twin, at)


def _differs_plainly(page: Any, twin: Any, at: str) -> str:
    name = at.rpartition(".")[2].partition("[")[0]
    if type(page) is not type(twin):
        return f"{at} is {type(twin).__name__}, not {type(page).__name__}"
    if isinstance(page, str) and MORE in page:
        begin, _, end = page.partition(MORE)
        return "" if twin.startswith(begin) and twin.endswith(end) else f"{at} does not look like {page}"
    # A status that is a number is HTTP's.
    if name in _MADE_UP and not (name == "status" and isinstance(page, int)):
        return ""
    return "" if page == twin else f"{at} is {twin!r}, not {page!r}"


def filled(page: Any, twin: Any) -> Any:
    """The page's answer with each `…` as the twin has it at the same place."""
    if isinstance(page, dict):
        more = {name: value for name, value in twin.items() if name not in page} if MORE in page else {}
        return {name: filled(value, twin.get(name)) for name, value in page.items() if name != MORE} | more
    if isinstance(page, list):
        best = next((one for one in twin if not page or not differs(page[0], one)), twin[0] if twin else None)
        return [filled(one, best) for one in page]
    return twin if isinstance(page, str) and MORE in page else page
