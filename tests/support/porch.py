"""A small app behind the Shell: pages, a form, an API call, a route that breaks, one that reads its body."""

import asyncio
from dataclasses import dataclass
from io import StringIO

import httpx2
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Message, Scope

from hitchpost.settings import Settings
from hitchpost.web.forms import read_form
from hitchpost.web.log import set_up
from hitchpost.web.pages import Mark, Pages, see_other
from hitchpost.web.problems import exception_handlers
from hitchpost.web.shell import Shell

PUBLIC_URL = "http://127.0.0.1:8420"
CANARY = "canary-7f3a91"


@dataclass(slots=True)
class Porch:
    """The app, what its routes were asked to do, its log, and ways to call it."""

    shell: Shell
    public_url: str
    done: list[str]
    written: StringIO

    def client(self) -> httpx2.AsyncClient:
        return httpx2.AsyncClient(transport=httpx2.ASGITransport(app=self.shell), base_url=self.public_url)

    async def raw(
        self, method: str, path: str, headers: list[tuple[bytes, bytes]], query: bytes = b"", messages: list[Message] | None = None
    ) -> tuple[int, dict[str, str], str]:
        """One call below any HTTP client, for what a client would not send. Returns status, headers, body."""
        sent: list[Message] = []
        waiting = iter(messages if messages is not None else [{"type": "http.request", "body": b"", "more_body": False}])

        async def receive() -> Message:
            for message in waiting:
                return message
            return await asyncio.Future[Message]()

        async def send(message: Message) -> None:
            sent.append(message)

        scope: Scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": query,
            "root_path": "",
            "headers": headers,
            "client": ("192.0.2.9", 5),
            "server": None,
        }
        await self.shell(scope, receive, send)
        answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return sent[0]["status"], answered, b"".join(one.get("body", b"") for one in sent[1:]).decode()


def porch_for(public_url: str = PUBLIC_URL, *, body_seconds: float = 20.0) -> Porch:
    """The app behind the Shell of a server known at `public_url`."""
    done: list[str] = []
    written = StringIO()
    pages = Pages(public_url=public_url, catalog_marks={"facebook": Mark("Facebook", "M0 0h24v24H0z", "#0866ff")})

    async def hello(_request: Request) -> Response:
        return PlainTextResponse("hello")

    async def act(request: Request) -> Response:
        form = await read_form(request)
        done.append(form.get("what"))
        return see_other("/hello")

    async def call(request: Request) -> Response:
        done.append((await request.body()).decode())
        return PlainTextResponse("{}", media_type="application/json")

    async def broken(_request: Request) -> Response:
        raise RuntimeError(f"password={CANARY} at https://graph.example/?access_token={CANARY}")

    async def leaving(_request: Request) -> Response:
        return RedirectResponse("/hello", 303, {"Referrer-Policy": "no-referrer", "Cache-Control": "private"})

    app = FastAPI(docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False)
    for kind, handler in exception_handlers(pages).items():
        app.add_exception_handler(kind, handler)
    app.router.routes += [
        Route("/hello", hello, methods=["GET"]),
        Route("/act", act, methods=["POST"]),
        Route("/api/_public/v1/call", call, methods=["POST"]),
        Route("/api/_public/v1/broken", broken, methods=["GET", "POST"]),
        Route("/broken", broken, methods=["GET"]),
        Route("/leaving", leaving, methods=["GET"]),
        pages.static.route(),
    ]
    settings = Settings(public_url=public_url)
    shell = Shell(app, settings=settings, pages=pages, log=set_up("info", stream=written), body_seconds=body_seconds)
    return Porch(shell, public_url, done, written)
