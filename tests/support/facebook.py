"""The simulated Facebook from outside: a world with one Meta app, and everything that a client does there."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import META_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.world import World
from tests.support.trip import NOON

BACK = "http://127.0.0.1:9999/back"
SCOPES = "pages_show_list,business_management,pages_manage_posts,instagram_basic"
BAKERY, BOOKS, ARCHIVE, EVENTS = (f"10175584776800{n}" for n in (1, 2, 3, 4))
APP_TOKEN = f"{META_APP.client_id}|{META_APP.client_secret}"


class Outside:
    """A world with one Meta app, and a client that is browser and server at once."""

    def __init__(self, *, redirect_uris: tuple[str, ...] = (), **options: Option) -> None:
        self.app = App("meta", META_APP.client_id, META_APP.client_secret, redirect_uris=redirect_uris, options=options)
        self.world = World(clock=SandboxClock(NOON), apps=[self.app])
        transport = httpx2.ASGITransport(app=build(self.world))
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://localhost:8421")

    async def dialog(self, *, scope: str = SCOPES, back: str = BACK, person: str = "ada", **more: str) -> httpx2.Response:
        query = {"client_id": self.app.client_id, "redirect_uri": back, "state": "s", "scope": scope, **more}
        address = f"/www.facebook.com/v25.0/dialog/oauth?{urlencode(query)}"
        return await self.http.post(address, data={"person": person, "decision": "allow"})

    async def sent_back(self, *, ticked: str | None = None, decision: str = "allow", **query: str) -> tuple[dict[str, str], dict[str, str]]:
        """Query and fragment of the way back, after only the permissions `ticked` (joined by commas) stayed so."""
        person, back = query.pop("person", "ada"), BACK
        asked = {"client_id": self.app.client_id, "redirect_uri": back, "state": "s", "scope": SCOPES} | query
        form: dict[str, str | list[str]] = {"person": person, "decision": decision}
        if ticked is not None:
            form |= {"shown": "scope", "scope": ticked.split(",")}
        answer = await self.http.post(f"/www.facebook.com/v25.0/dialog/oauth?{urlencode(asked)}", data=form)
        assert answer.status_code == 302, answer.text
        address = urlsplit(answer.headers["location"])
        return dict(parse_qsl(address.query)), dict(parse_qsl(address.fragment))

    async def code(self, **more: str) -> str:
        back = urlsplit((await self.dialog(**more)).headers["location"])
        return dict(parse_qsl(back.query))["code"]

    async def redeem(self, code: str, *, method: str = "GET", path: str = "/v25.0/oauth/access_token", **more: str) -> httpx2.Response:
        given = {"client_id": self.app.client_id, "client_secret": self.app.client_secret, "redirect_uri": BACK, "code": code, **more}
        if method == "GET":
            return await self.http.get(f"/graph.facebook.com{path}", params=given)
        return await self.http.post(f"/graph.facebook.com{path}", data=given)

    async def token(self, *, long: bool = True, **more: str) -> str:
        short: str = (await self.redeem(await self.code(**more))).json()["access_token"]
        if not long:
            return short
        answer = await self.redeem("", grant_type="fb_exchange_token", fb_exchange_token=short)
        assert answer.json()["expires_in"] == 5183944
        longer: str = answer.json()["access_token"]
        return longer

    async def debug(self, token: str, asking: str = APP_TOKEN) -> dict[str, Any]:
        """What debug_token says of a token."""
        said: dict[str, Any] = (await self.get("/v25.0/debug_token", input_token=token, access_token=asking)).json()["data"]
        return said

    async def get(self, path: str, token: str = "", **query: str) -> httpx2.Response:
        headers = {"authorization": f"Bearer {token}"} if token else {}
        return await self.http.get(f"/graph.facebook.com{path}", params=query, headers=headers)


def error(answer: httpx2.Response) -> dict[str, Any]:
    body: dict[str, Any] = answer.json()["error"]
    return body
