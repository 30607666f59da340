"""The Wire bounds what a connection may send before it is a request: without it a head could go on, or be waited for, without end (C11).

Behind it the Entrance counts the head of a request that is whole, and the Intake its body.
"""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from hitchpost.web.entrance import MAX_HEADER_BYTES

MAX_UNFINISHED = 2 * MAX_HEADER_BYTES
"""Bytes that may come without ending a head or a message and without being body: a little more than any head that is let in."""


class Wire(HttpToolsProtocol):
    """uvicorn's protocol, which hangs up on whoever sends more than MAX_UNFINISHED bytes of nothing, or no whole request in `seconds`.

    The time runs from the connection's beginning, and for each further request from its first byte; the time in between is uvicorn's.
    """

    seconds = 45.0

    def __init__(self, *args: Any, **named: Any) -> None:
        super().__init__(*args, **named)
        self._unfinished = 0
        self._patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._wait()

    def connection_lost(self, exc: Exception | None) -> None:
        self._enough()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        self._unfinished += len(data)
        super().data_received(data)
        if self._unfinished > MAX_UNFINISHED:
            self.transport.abort()

    def on_message_begin(self) -> None:
        self._wait()
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._unfinished = 0
        super().on_headers_complete()

    def on_body(self, body: bytes) -> None:
        self._unfinished = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        self._unfinished = 0
        self._enough()
        super().on_message_complete()

    def _wait(self) -> None:
        if self._patience is None:
            self._patience = self.loop.call_later(self.seconds, self.transport.abort)

    def _enough(self) -> None:
        if self._patience is not None:
            self._patience.cancel()
            self._patience = None
