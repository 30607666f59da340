"""What the tests of threats ask: the sandbox's ledger and the database's own rows, and the routes that there are."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sqlalchemy import text
from starlette.types import ASGIApp

from hitchpost.connect.flow import Visitor
from hitchpost.demo.browser import Page, refresh_target
from hitchpost.networks.base import Login
from hitchpost.workspaces.roles import Role
from hitchpost_sandbox.ledger import Entry
from tests.support.house import PUBLIC_URL, Browser, House
from tests.support.people import Town

START = "/api/social-connect/start"
CALLBACK = "/api/social-connect/callback"
PUBLIC_API = "/api/_public/v1"


def logins_of(house: House, provider: str) -> tuple[Login, ...]:
    return house.services.catalog[provider].logins


def codes_sent(house: House) -> int:
    """How many codes reached a token endpoint, accepted or not."""
    return house.ledger.count("code_redeemed") + house.ledger.count("code_refused")


def token_calls(house: House) -> tuple[Entry, ...]:
    """Every call that the networks' token endpoints answered."""
    ends = set()
    for login in (login for adapter in house.services.catalog for login in adapter.logins):
        parts = urlsplit(login.oauth.token_url.format(version=login.default_version))
        ends.add((parts.hostname, parts.path))
    return tuple(entry for entry in house.ledger.read(what="call") if (entry.facts["host"], entry.facts["path"]) in ends)


def assert_no_code_was_sent(house: House) -> None:
    assert (codes_sent(house), token_calls(house)) == (0, ())


async def attached(house: House, workspace_id: str) -> list[str]:
    """The network ids of what is attached there, by the rows."""
    rows = await house.rows("SELECT workspace_id, external_id FROM profiles WHERE state = 'attached' ORDER BY external_id")
    return [str(row["external_id"]) for row in rows if row["workspace_id"] == workspace_id]


async def counts(house: House) -> dict[str, int]:
    """How many rows each table of the flow holds, and what it granted."""
    tables = ("connect_sessions", "authorization_requests", "candidates", "grants", "token_sets", "profiles", "events")
    return {table: len(await house.rows(f"SELECT 1 FROM {table}")) for table in tables}


async def statuses(house: House) -> list[str]:
    """Where the authorization requests stand, oldest first."""
    return [str(row["status"]) for row in await house.rows("SELECT status FROM authorization_requests ORDER BY created_at, id")]


async def leave(browser: Browser, provider: str, workspace_id: str) -> str:
    """From the start page to the network's address, which is not opened yet."""
    page = await browser.start(provider, workspace_id)
    return refresh_target(await browser.submit(page, page.form(START), []))


async def back_from(browser: Browser, provider: str, workspace_id: str, person: str = "ada") -> str:
    """Through consent to the callback's address, which is not opened yet."""
    return await browser.consent(await browser.depart(provider, workspace_id), person)


def asked(url: str) -> dict[str, str]:
    """The query of an address."""
    return dict(parse_qsl(urlsplit(url).query, keep_blank_values=True))


def path_of(url: str) -> str:
    return urlsplit(url).path


def picks(page: Page) -> list[str]:
    """What can be picked on a choose page."""
    return [value for name, value in page.form("/attach").boxes if name == "pick"]


async def visitor(house: House, person_id: str) -> Visitor:
    """The person in the browser where they signed in last."""
    rows = await house.rows("SELECT id, person_id FROM browser_sessions WHERE ended_at IS NULL ORDER BY signed_in_at")
    return Visitor(person_id, [str(row["id"]) for row in rows if row["person_id"] == person_id][-1])


async def lose_rights(town: Town, change: str) -> None:
    """Ben is `demoted` to viewer, `removed` from Lantern, or `deactivated`; `struck`: his row goes and no room is told."""
    services = town.house.services
    if change == "demoted":
        await services.workspaces.set_role(town.lantern, town.ben, Role.VIEWER)
    elif change == "removed":
        await services.workspaces.remove_member(town.lantern, town.ben)
    elif change == "struck":
        await services.database.begin(lambda tx: tx.execute(text("DELETE FROM members WHERE person_id = :ben"), {"ben": town.ben}))
    else:
        await services.database.begin(lambda tx: services.people.deactivate(tx, town.ben))
        services.workspaces.forget_callers()


def cookie_of(browser: Browser) -> str:
    """The value of our cookie in this browser's jar."""
    return next(cookie.value or "" for cookie in browser.client.cookies.jar if cookie.name.endswith("hitchpost_session"))


def form_token(page: Page) -> str:
    """The form token of any form on the page."""
    return next(value for form in page.forms for name, value in form.fields if name == "form_token")


@dataclass(frozen=True, slots=True)
class OpenRoute:
    """One path pattern of the running application and one of its methods."""

    method: str
    path: str

    def filled(self, **values: str) -> str:
        return PUBLIC_URL + self.path.format(**values)


async def routes_of(house: House) -> tuple[OpenRoute, ...]:
    """Every route that the application answers, found in its routers, so that a new one is met without being listed."""
    scope = _scope("GET", "/health", {"Host": urlsplit(PUBLIC_URL).netloc})
    assert (await _answered(house.app, scope)).status == 200
    # Starlette leaves word in the scope of who answered, whatever is wrapped around it (`request.app` is made of it).
    routes = scope["app"].router.routes
    found = {OpenRoute(method, path) for path, methods in _listed(routes) for method in methods}
    return tuple(sorted(found, key=lambda one: (one.path, one.method)))


def _listed(routes: Any) -> Iterator[tuple[str, set[str]]]:
    for route in routes:
        if inner := getattr(route, "original_router", None):
            yield from _listed(inner.routes)
        else:
            yield route.path, set(route.methods)


@dataclass(frozen=True, slots=True)
class RawAnswer:
    """An answer as the application sent it, with nothing followed or decoded."""

    status: int
    headers: Mapping[str, str]
    body: str


async def raw(app: ASGIApp, method: str, path: str, headers: Mapping[str, str], query: str = "", body: bytes = b"") -> RawAnswer:
    """A request with exactly this path and these headers, which no well-behaved client would send."""
    return await _answered(app, _scope(method, path, headers, query), body)


def _scope(method: str, path: str, headers: Mapping[str, str], query: str = "") -> dict[str, Any]:
    return {
        "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http", "path": path,
        "raw_path": path.encode(), "query_string": query.encode(), "root_path": "", "client": ("127.0.0.1", 40000),
        "server": ("127.0.0.1", 8420), "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in headers.items()],
    }  # fmt: skip


async def _answered(app: ASGIApp, scope: dict[str, Any], body: bytes = b"") -> RawAnswer:
    sent: list[Any] = []

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: Any) -> None:
        sent.append(message)

    await app(scope, receive, send)
    whole = b"".join(one.get("body", b"") for one in sent[1:])
    return RawAnswer(sent[0]["status"], {name.decode(): value.decode() for name, value in sent[0]["headers"]}, whole.decode())
