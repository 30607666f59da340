"""What a simulated network is: one file in `networks/` that ends in `TWIN = Twin(...)`, and everything it is given to answer with.

How to write a twin
-------------------
1. One module `networks/<name>.py`; nothing else needs to know it. It is found by scanning. It imports from this package only.
2. List `Route`s: the real hosts, the methods, the real path as a pattern (`/v{version}/me`; `{rest:path}` also takes slashes), the handler.
   The first route that fits answers. A path that fits with another method answers 405, one that fits nowhere the twin's `lost` handler.
   A route that takes whatever comes says in `paths` what there really is, so that a fault script for anything else is refused.
3. A handler is `async def name(visit: Visit) -> Response`. It sees the real host and the real path, however the caller came
   (`http://localhost:8421/api.x.com/2/users/me` or `Host: api.x.com`). Any Starlette response will do.
4. The authorize route takes GET and POST with one handler, in three beats (see `networks/x.py`):
   judge the query, answering with `pages.stopped(visit, …)` where the network sends nobody back;
   `answer = await consent.ask(visit, app, …)`, which shows the consent page on GET and reads the person's decision on POST:
   return it if it is a Response;
   then `authority.consent(…)`, `authority.open_code(…)` and `visit.send_back(redirect_uri, {...})` in the network's own parameters.
5. Codes and tokens live in `visit.authority` (module `authority`): `redeem`, `issue`, `find`, `take_refresh`, `living`, `revoke…`. They
   raise `Refused` with a `why`; the twin chooses status and words. They write the ledger themselves, and every answered request is written
   as a `call`.
6. People are data (module `people`): `visit.world.cast[token.person].facebook`, … App-scoped ids come from `scoped_number` / `scoped_word`.
7. Pictures: name any address `https://<one of picture_hosts>/…/<picture>.png`; the core serves it (module `pictures`). `picture_path`
   says what the paths of yours look like, for fault scripts.
   Addresses in answers are absolute https addresses on the real hosts, as the network would give them, and the caller rewrites them; but
   what clients follow by themselves (the next page of a list, a redirect) leads to where they came: `visit.address`, `visit.reach`.
8. Call limits are counted by `visit.world.limits.spend(…)`.
9. Per-app switches stand in `app.options` (`app.on("name")`); say in the twin's docstring which ones it reads.
10. An app that every world should know beside the well-known ones stands in the twin's `apps`.
11. What integrators can ask for by name stands in three tables of the twin: `errors` (a failure in the network's own words that any call
   may meet by a fault script; `rate_limit` and `server_error` are wanted of every twin), `turns` (what befalls people: module `turns`)
   and `switches` (the options of apps that this twin reads, each with a sentence; where the network's behaviour is not established,
   the sentence says so).
"""

import base64
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from re import Pattern
from typing import Any
from urllib.parse import unquote_plus, urlencode

from starlette.datastructures import QueryParams
from starlette.formparsers import MultiPartException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import compile_path

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Authority
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.grants import Token
from hitchpost_sandbox.ledger import Ledger
from hitchpost_sandbox.turns import Turn
from hitchpost_sandbox.world import World


@dataclass(slots=True)
class Visit:
    """One request at one real host and path. `params`: what the pattern caught. `token`: set it, and the ledger knows who called.

    `said`: headers that the answer carries beside its own.
    """

    request: Request
    world: World
    twin: "Twin"
    host: str
    path: str
    params: Mapping[str, str]
    prefix: str
    token: Token | None = None
    said: dict[str, str] = field(default_factory=dict)

    @property
    def clock(self) -> SandboxClock:
        return self.world.clock

    @property
    def ledger(self) -> Ledger:
        return self.world.ledger

    @property
    def authority(self) -> Authority:
        """The twin's own authorization server."""
        return self.world.authority(self.twin.authority)

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def query(self) -> QueryParams:
        return self.request.query_params

    def header(self, name: str) -> str:
        """A request header, or the empty text."""
        return self.request.headers.get(name, "")

    async def form(self) -> dict[str, list[str]]:
        """The fields of a form body, url-encoded or multipart, every value of each; empty for another body. Files are left out."""
        fields: dict[str, list[str]] = {}
        if not self.header("content-type").startswith("multipart/"):
            # Kept, for those who must know how it was written.
            await self.request.body()
        try:
            sent = await self.request.form(max_fields=2000)
        except (UnicodeError, LookupError):
            # A charset that does not exist, or that does not fit what was sent.
            raise MultiPartException("its charset cannot be read") from None
        for name, value in sent.multi_items():
            if isinstance(value, str):
                fields.setdefault(name, []).append(value)
        return fields

    async def fields(self) -> dict[str, str]:
        """Query and form body as one, for networks that take parameters in either; the body wins, and the last of several values."""
        return dict(self.query) | {name: values[-1] for name, values in (await self.form()).items()}

    async def json(self) -> dict[str, Any]:
        """A JSON body that is an object, with what no text can hold replaced; empty for any other body."""
        if not self.header("content-type").startswith("application/json"):
            return {}
        try:
            body = json.loads(await self.request.body())
            body = json.loads(json.dumps(body, ensure_ascii=False).encode("utf-8", "replace"))
        except (ValueError, RecursionError):
            return {}
        return body if isinstance(body, dict) else {}

    def basic(self) -> tuple[str, str] | None:
        """Client id and secret of an `Authorization: Basic` header; None when there is none or it cannot be read (RFC 7617)."""
        scheme, _, rest = self.header("authorization").partition(" ")
        if scheme.lower() != "basic":
            return None
        try:
            name, colon, secret = base64.b64decode(rest.strip(), validate=True).decode().partition(":")
        except ValueError:
            return None
        return (name, secret) if colon else None

    def basics(self) -> tuple[tuple[str, str], ...]:
        """What `basic` reads, as it stands and form-decoded: RFC 6749 §2.3.1 has clients encode both, which some do and most do not."""
        plain = self.basic()
        return () if plain is None else (plain, (unquote_plus(plain[0]), unquote_plus(plain[1])))

    def bearer(self) -> str:
        """The token of an `Authorization: Bearer` header, or the empty text."""
        scheme, _, rest = self.header("authorization").partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else ""

    def reach(self, host: str, path: str) -> str:
        """Where this visitor's browser finds another page of a network: beside this one in the path form, by https in the plain form."""
        return f"/{host}{path}" if self.prefix else f"https://{host}{path}"

    def address(self, rest: str) -> str:
        """The whole address of another call at this host, led to where the caller came: real clients follow such an address as it is."""
        return f"{self.request.url.scheme}://{self.request.url.netloc}{self.prefix}{rest}" if self.prefix else f"https://{self.host}{rest}"

    def send_back(self, redirect_uri: str, parameters: Mapping[str, str], *, fragment: str = "") -> Response:
        """302 to the app with `parameters` joined to its query (RFC 6749 §4.1.2); `fragment` is what some networks append."""
        join = "&" if "?" in redirect_uri else "?"
        query = urlencode({name: value for name, value in parameters.items() if value})
        address = redirect_uri + (join + query if query else "") + fragment
        return RedirectResponse(address, status_code=302, headers={"cache-control": "no-store"})


Handler = Callable[[Visit], Awaitable[Response]]


async def not_allowed(_visit: Visit) -> Response:
    """405 in nobody's words."""
    return PlainTextResponse("Method Not Allowed", 405)


@dataclass(frozen=True, slots=True)
class Wrong:
    """A failure in a network's own words. `says`: when the network would answer so, for the panel."""

    says: str
    answer: Callable[[Visit], Response]


@dataclass(frozen=True, slots=True)
class Route:
    """What answers `methods` (joined by spaces) at one path pattern of some hosts. GET answers HEAD as well.

    `paths`: of a pattern that takes more than the network has, the patterns of what it has; None where the pattern says it all.
    """

    hosts: tuple[str, ...]
    methods: str
    pattern: str
    handler: Handler
    paths: tuple[str, ...] | None = None
    _regex: Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_regex", compile_path(self.pattern)[0])

    def match(self, path: str) -> dict[str, str] | None:
        """What the pattern catches in `path`; None when it does not fit."""
        found = self._regex.match(path)
        return None if found is None else found.groupdict()

    def takes(self, method: str) -> bool:
        return ("GET" if method == "HEAD" else method) in self.methods.split()


@dataclass(frozen=True, slots=True)
class Twin:
    """One simulated network.

    `authority`: whose apps and tokens it speaks for. `lost`: answers paths that the network does not know. `unfit`: answers
    methods that a path does not take.
    `allow` and `cancel`: the words on the consent page's two buttons. `colour`: of the page's heading bar.
    `scope_words`: a sentence for each scope; a scope without one is shown by its name. `apps`: what it brings into every world.
    `errors`, `turns`, `switches`: what fault scripts, `/_sandbox/turns` and app options may name here.
    """

    network: str
    title: str
    authority: str
    routes: tuple[Route, ...]
    lost: Handler
    picture_hosts: tuple[str, ...] = ()
    picture_path: str = "/{rest:path}.png"
    colour: str = "#333a45"
    allow: str = "Allow"
    cancel: str = "Cancel"
    unfit: Handler = not_allowed
    scope_words: Mapping[str, str] = field(default_factory=dict)
    apps: tuple[App, ...] = ()
    errors: Mapping[str, Wrong] = field(default_factory=dict)
    turns: Mapping[str, Turn] = field(default_factory=dict)
    switches: Mapping[str, str] = field(default_factory=dict)

    @property
    def hosts(self) -> frozenset[str]:
        return frozenset(host for route in self.routes for host in route.hosts) | frozenset(self.picture_hosts)

    def paths(self, host: str = "") -> tuple[str, ...]:
        """The patterns of every path that there is, at this host or at any: of its routes, and of pictures."""
        routes = [route for route in self.routes if host in ("", *route.hosts)]
        found = [path for route in routes for path in ((route.pattern,) if route.paths is None else route.paths)]
        return (*found, self.picture_path) if host in ("", *self.picture_hosts) else tuple(found)
