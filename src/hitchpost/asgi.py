"""The web application, and the server's process: `python -m hitchpost.asgi` (neither command line nor migrations are loaded in it)."""

import asyncio
import logging
import os
import signal
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hitchpost.bootstrap import Services, build
from hitchpost.connect import schemas as connect_schemas
from hitchpost.connect.api import ConnectionUrl
from hitchpost.connect.callbacks import take_over_all
from hitchpost.connect.pages import ConnectPages
from hitchpost.console import pages as console_pages
from hitchpost.console.profile_pages import ProfilePages
from hitchpost.db import schema
from hitchpost.db.alone import ServedAlready, alone
from hitchpost.db.engine import SqliteDatabase, Tx
from hitchpost.db.schema import WrongSchema
from hitchpost.db.trouble import unavailable
from hitchpost.jobs.loop import new_loop
from hitchpost.jobs.stopping import GRACE
from hitchpost.people import pages as people_pages
from hitchpost.profiles import api as profiles_api
from hitchpost.profiles import notices
from hitchpost.profiles import pages as profiles_pages
from hitchpost.settings import BadSettings, Settings, read_settings
from hitchpost.tokens.ring import BadRing
from hitchpost.web.log import set_up
from hitchpost.web.pages import Mark, Pages
from hitchpost.web.problems import exception_handlers
from hitchpost.web.shell import Shell
from hitchpost.web.wire import Wire
from hitchpost.workspaces import api as workspaces_api
from hitchpost.workspaces import pages as workspaces_pages
from hitchpost.workspaces.auth import Door
from hitchpost.workspaces.schemas import RESPONSES


def pages_of(services: Services) -> Pages:
    """What renders every page; says on each when the networks are not the real ones."""
    settings = services.settings
    banner = f"Sandbox: the networks are simulated at {settings.networks_at}. No real account is touched." if settings.networks_at else ""
    marks = {one.provider: Mark(one.title, one.mark, one.colour) for one in services.catalog}
    return Pages(public_url=settings.public_url, banner=banner, catalog_marks=marks)


def create_app(services: Services, *, background: bool = True, access_log: bool = True) -> ASGIApp:
    """The whole application around built services. `background`: run the sweeps while it lives (tests call them by hand)."""
    settings, pages = services.settings, pages_of(services)
    log = set_up(settings.log_level)

    @asynccontextmanager
    async def life(_app: FastAPI) -> AsyncIterator[None]:
        if isinstance(services.database, SqliteDatabase):
            # One process on SQLite: nobody waits two minutes for the lease of a process that was killed.
            await services.database.begin(partial(take_over_all, services.clock))
        if background:
            services.engine.start()
        if code := await services.workspaces.setup_code():
            print(f"\n  Set up this installation at {settings.public_url}/setup with the code {code.reveal()}\n", flush=True)
        yield
        await services.close()

    app = FastAPI(
        title="Hitchpost API", version="1", docs_url=None, redoc_url=None, openapi_url=None, redirect_slashes=False, lifespan=life
    )
    for kind, handler in exception_handlers(pages, _foreseen).items():
        app.add_exception_handler(kind, handler)
    configured = [one for one in services.catalog if services.tokens.logins(one.provider)]
    signed_in = services.signed_in
    # Routing is a linear scan: the call that the product exists for stands first.
    app.router.routes.append(Route(connect_schemas.PATH, ConnectionUrl(services.flow), methods=["POST"]))
    app.include_router(workspaces_api.router(services.workspaces))
    app.include_router(profiles_api.router(services.profiles, settings.public_url))
    app.router.routes += [
        *console_pages.routes(services.workspaces, services.profiles, signed_in, pages, configured),
        *ConnectPages(services.flow, services.looks, signed_in, pages, services.catalog, services.clock).routes(),
        *people_pages.routes(services.people, pages, settings),
        *workspaces_pages.routes(services.workspaces, services.people, pages, settings),
        *profiles_pages.routes(services.profiles),
        *notices.routes(services.leaving, pages, settings.public_url, services.catalog),
        *ProfilePages(services.database, services.workspaces, services.profiles, signed_in, pages).routes(),
        pages.static.route(),
        Route("/openapi.json", _document(app, settings), methods=["GET"]),
        Route("/health", _health([one.provider for one in configured], services), methods=["GET"]),
    ]
    door = Door(app, services.workspaces, services.clock, settings)
    return Shell(door, settings=settings, pages=pages, log=log, access_log=access_log, clock=services.clock, foreseen=_foreseen)


def _foreseen(error: Exception) -> str:
    return "database_unavailable" if unavailable(error) else ""


def document(app: FastAPI, settings: Settings) -> dict[str, Any]:
    """The OpenAPI document of the public API; the plain route of the connection URL is described by its own schemas."""
    described = app.openapi()
    described["servers"] = [{"url": settings.public_url}]
    described["paths"][connect_schemas.PATH] = {"post": connect_schemas.operation(_refusals())}
    return described


def _refusals() -> dict[str, Any]:
    """The refusals of the connection-URL call, in the form that FastAPI gives to its own routes' ones."""
    headers = RESPONSES[401]["headers"]
    described = {str(status): {"description": one["description"], "headers": one["headers"]} for status, one in RESPONSES.items()}
    described |= {status: {"description": text, "headers": headers} for status, text in connect_schemas.REFUSALS.items()}
    schema = {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}}
    return {status: {**one, "content": schema} for status, one in sorted(described.items())}


def _document(app: FastAPI, settings: Settings) -> Any:
    async def openapi(_request: Request) -> Response:
        return JSONResponse(document(app, settings))

    return openapi


def _health(providers: list[str], services: Services) -> Any:
    async def health(_request: Request) -> Response:
        def read(tx: Tx) -> str:
            schema.check(tx)
            return services.tokens.stopped(tx)

        # In an emergency the server is well and goes on answering: a balancer must not take it away.
        emergency = await services.database.read(read)
        return JSONResponse({"status": "ok", "providers": providers, **({"emergency": emergency} if emergency else {})})

    return health


def listen(bind: str) -> list[socket.socket]:
    """A listening socket for each address of `host:port`. Raises BadSettings when it cannot be had."""
    host, _, port = bind.rpartition(":")
    try:
        found = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        return [socket.create_server(address[:2], family=family) for family, _, _, _, address in found]
    except OSError as error:
        # Python adds the address in brackets; it is in the sentence already.
        why = str(error.strerror).partition(" (")[0]
        raise BadSettings(f"HITCHPOST_BIND: cannot listen on {bind}: {why}; stop what listens there, or name another") from None


class _Server(uvicorn.Server):
    """Begins nothing that is due from the moment that it is told to stop: it would outlast the requests under way (R19)."""

    def __init__(self, config: uvicorn.Config, services: Services) -> None:
        super().__init__(config)
        self._services = services

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._services.stopping.tell()
        super().handle_exit(sig, frame)


async def serve(services: Services, sockets: list[socket.socket]) -> None:
    """Answer on the sockets until told to stop; then finish what is under way within GRACE."""
    config = uvicorn.Config(
        create_app(services), http=Wire, log_config=None, access_log=False, server_header=False, date_header=True, proxy_headers=False,
        timeout_graceful_shutdown=int(GRACE),
    )  # fmt: skip
    # uvicorn names only addresses that it opened itself.
    logging.getLogger("uvicorn.error").info("Listening on %s", services.settings.bind)
    await _Server(config, services).serve(sockets)


async def _main() -> int:
    try:
        configuration = read_settings(os.environ)
        set_up(configuration.settings.log_level)
        # First of all: a second start by mistake must not change what the running server goes by, its set-up code for one.
        sockets = listen(configuration.settings.bind)
        with alone(configuration.settings.sqlite_file):
            await serve(await build(configuration), sockets)
    except (BadSettings, BadRing, WrongSchema, ServedAlready) as refusal:
        print(refusal, file=sys.stderr)
        return 2
    return 0


def main() -> int:
    """Exit code 2 for a configuration that cannot work; the sentence on stderr names the setting."""
    # Told by SIGTERM or by Ctrl-C is one: uvicorn raises the signal once more when everything is closed, and that is the usual end.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with asyncio.Runner(loop_factory=new_loop()) as runner:
        try:
            return runner.run(_main())
        except KeyboardInterrupt:
            return 0


if __name__ == "__main__":
    sys.exit(main())
