"""The Intake counts a request's body as it comes in and gives it a deadline, so that nobody fills or holds this server (C11)."""

import asyncio

from starlette.types import Message, Receive, Scope

from hitchpost.errors import Problem

MAX_BODY = 64 * 1024
_TOO_LARGE = {"limit": "64 KiB"}


class Intake:
    """Stands in for `receive`. Raises Problem body_too_large or body_too_slow to whoever reads the body, and only to them.

    Whoever never reads it has already refused the request for a better reason.
    """

    __slots__ = ("_counted", "_deadline", "_declared", "_receive", "_seconds", "_whole")

    def __init__(self, scope: Scope, receive: Receive, *, seconds: float) -> None:
        self._receive = receive
        self._seconds = seconds
        self._declared = scope["headers"]
        self._counted = 0
        self._deadline = 0.0
        self._whole = False

    async def __call__(self) -> Message:
        if self._whole:
            # What follows the body is the wait for the client to leave, which may last.
            return await self._receive()
        if not self._deadline:
            self._deadline = asyncio.get_running_loop().time() + self._seconds
            for name, value in self._declared:
                if name == b"content-length" and value.isdigit() and int(value) > MAX_BODY:
                    raise Problem("body_too_large", **_TOO_LARGE)
        try:
            async with asyncio.timeout_at(self._deadline):
                message = await self._receive()
        except TimeoutError:
            raise Problem("body_too_slow") from None
        if message["type"] == "http.request":
            self._counted += len(message.get("body", b""))
            if self._counted > MAX_BODY:
                raise Problem("body_too_large", **_TOO_LARGE)
            self._whole = not message.get("more_body", False)
        else:
            self._whole = True
        return message
