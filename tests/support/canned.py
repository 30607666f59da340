"""A network that gives prepared answers, for what no well-behaved twin would say: HTML, torn JSON, strange codes."""

import json
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

import httpx2

from hitchpost.networks.http import NetworkHttp

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]
Receive = Callable[[], Awaitable[Message]]


@dataclass(frozen=True, slots=True)
class Canned:
    """One prepared answer; `body` as text, or anything that JSON can say."""

    body: object
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)


_UNPREPARED = Canned({"error": {"message": "not prepared", "code": 2500}}, 400)


@dataclass(frozen=True, slots=True)
class Asked:
    """One call as it arrived, headers in lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    form: Mapping[str, str]


class CannedNetwork:
    """An ASGI app: `<real host><real path>` → one answer, or a list of answers given in turn (the last one stays); else `otherwise`."""

    def __init__(self, answers: Mapping[str, Canned | list[Canned]], otherwise: Canned = _UNPREPARED) -> None:
        self._otherwise = otherwise
        self._answers = {path: list(given) if isinstance(given, list) else [given] for path, given in answers.items()}
        self.asked: list[Asked] = []

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        path = scope["path"].lstrip("/")
        self.asked.append(
            Asked(
                scope["method"],
                path,
                _single(scope["query_string"].decode()),
                {name.decode().lower(): value.decode() for name, value in scope["headers"]},
                _single(body.decode()),
            )
        )
        left = self._answers.get(path, [self._otherwise])
        answer = left.pop(0) if len(left) > 1 else left[0]
        text = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        headers = [(name.encode(), value.encode()) for name, value in answer.headers.items()]
        await send({"type": "http.response.start", "status": answer.status, "headers": headers})
        await send({"type": "http.response.body", "body": text.encode()})

    def http(self) -> NetworkHttp:
        """A client for which every network is this one."""
        return NetworkHttp(at="http://sandbox.test", transport=httpx2.ASGITransport(app=self))


def _single(encoded: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(encoded, keep_blank_values=True).items()}
