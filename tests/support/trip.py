"""One trip of one person to a simulated network and back, for tests of an adapter against its twin."""

from collections.abc import Sequence
from datetime import UTC, datetime
from urllib.parse import parse_qsl, urlsplit

import httpx2

from hitchpost.networks.base import Adapter, AppCredentials, Call, Consent, Login
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost_sandbox.app import Sandbox, build
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.world import World
from tests.support.canned import CannedNetwork

BASE = "http://sandbox.test"
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


def fresh_world() -> World:
    """A world whose clock stands still at NOON until it is moved."""
    return World(clock=SandboxClock(NOON))


class Traveller:
    """Goes through `login` of `adapter` with `app`, in `world`. `browser` is the person's, `call` is the server's."""

    def __init__(self, world: World, adapter: Adapter, login: Login, app: App, *, secret: str = "", scopes: tuple[str, ...] = ()) -> None:
        self.world = world
        self.adapter = adapter
        self.login = login
        self.app = AppCredentials("capp", app.client_id, Secret(secret or app.client_secret), scopes=scopes)
        self.redirect_uri = f"http://127.0.0.1:8420/api/social-connect/callback/{adapter.provider}"
        sandbox: Sandbox = build(world)
        self._http = NetworkHttp(at=BASE, transport=httpx2.ASGITransport(app=sandbox))
        self.browser = httpx2.AsyncClient(transport=httpx2.ASGITransport(app=sandbox), base_url=BASE)

    @property
    def call(self) -> Call:
        return Call(self._http, self.app, self.login, self.world.clock.now())

    def answer_with(self, network: CannedNetwork) -> None:
        """From now on the server's calls meet prepared answers instead of the twin."""
        self._http = network.http()

    def through(self, http: NetworkHttp) -> None:
        """From now on the server calls the networks through this."""
        self._http = http

    def consent_page(self, *, again: bool = False) -> str:
        return self.adapter.authorize_url(self.call, state="the-state", redirect_uri=self.redirect_uri, challenge="", again=again)

    async def decide(
        self,
        person: str,
        *,
        allow: bool = True,
        scopes: Sequence[str] | None = None,
        targets: Sequence[str] | None = None,
        again: bool = False,
    ) -> dict[str, str]:
        """What the network's redirect back brings. None: everything that is offered is ticked."""
        form: dict[str, str | list[str]] = {"person": person, "decision": "allow" if allow else "deny", "shown": []}
        for name, ticked in (("scope", scopes), ("target", targets)):
            if ticked is not None:
                form["shown"] = [*form["shown"], name]
                form[name] = list(ticked)
        answer = await self.browser.post(self.consent_page(again=again), data=form)
        assert answer.status_code == 302, answer.text
        back = urlsplit(answer.headers["location"])
        assert answer.headers["location"].startswith(self.redirect_uri)
        return dict(parse_qsl(back.query))

    async def redeem(self, code: str) -> Consent:
        return await self.adapter.exchange(self.call, code=Secret(code), redirect_uri=self.redirect_uri, verifier=None)

    async def connect(
        self, person: str, *, scopes: Sequence[str] | None = None, targets: Sequence[str] | None = None, again: bool = False
    ) -> Consent:
        """The whole way to a consent."""
        back = await self.decide(person, scopes=scopes, targets=targets, again=again)
        return await self.redeem(back["code"])
