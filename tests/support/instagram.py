"""The simulated Instagram Login from outside: a world with one Instagram app, and everything that a client does there."""

from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import INSTAGRAM_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.world import World
from tests.support.trip import NOON

BACK = "http://127.0.0.1:9999/back"
SCOPES = "instagram_business_basic,instagram_business_content_publish"


class Outside:
    """A world with one Instagram app, and a client that is browser and server at once."""

    def __init__(self, **options: Option) -> None:
        self.app = App("instagram", INSTAGRAM_APP.client_id, INSTAGRAM_APP.client_secret, options=options)
        self.world = World(clock=SandboxClock(NOON), apps=[self.app])
        transport = httpx2.ASGITransport(app=build(self.world))
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://localhost:8421")

    async def authorize(self, *, person: str = "ada", decision: str = "allow", **query: str) -> httpx2.Response:
        asked = {"client_id": self.app.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES, "state": "s"} | query
        return await self.http.post(f"/www.instagram.com/oauth/authorize?{urlencode(asked)}", data={"person": person, "decision": decision})

    async def code(self, person: str = "ada") -> str:
        answer = await self.authorize(person=person)
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]

    async def redeem(self, code: str, **more: str) -> httpx2.Response:
        form = {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": BACK,
            "code": code,
            **more,
        }
        return await self.http.post("/api.instagram.com/oauth/access_token", data=form)

    async def short(self, person: str = "ada") -> str:
        token: str = (await self.redeem(await self.code(person))).json()["access_token"]
        return token

    async def longer(self, token: str, **more: str) -> httpx2.Response:
        query = {"grant_type": "ig_exchange_token", "client_secret": self.app.client_secret, "access_token": token, **more}
        return await self.http.get("/graph.instagram.com/access_token", params=query)

    async def renew(self, token: str) -> httpx2.Response:
        query = {"grant_type": "ig_refresh_token", "access_token": token}
        return await self.http.get("/graph.instagram.com/refresh_access_token", params=query)

    async def me(self, token: str, fields: str = "id,user_id,username,name,account_type") -> httpx2.Response:
        return await self.http.get("/graph.instagram.com/v25.0/me", params={"fields": fields, "access_token": token})
