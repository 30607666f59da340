"""The call that the product exists for: a connection URL, answered from memory when the caller is known."""

import json

from starlette.types import Receive, Scope, Send

from hitchpost.connect.service import ConnectFlow
from hitchpost.errors import Problem
from hitchpost.workspaces.auth import Admission, seat_in, workspace_id_of
from hitchpost.workspaces.roles import Right


class ConnectionUrl:
    """`POST …/social-profiles/connection-url`, a plain ASGI endpoint behind the Door: it costs little more than the bare framework.

    Order of refusal: 413, 415, JSON, workspaceId, provider, 404, 403 by role, not configured. Unknown keys and parameters are ignored.
    """

    def __init__(self, flow: ConnectFlow) -> None:
        self._flow = flow

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = await _body(receive)
        if not _is_json(scope):
            raise Problem("unsupported_media_type")
        asked = _object(body)
        workspace_id = workspace_id_of(scope["query_string"])
        provider = asked.get("provider")
        if provider is None:
            raise Problem("provider_missing", providers=", ".join(self._flow.providers))
        admission: Admission = scope["state"]["admission"]
        self._flow.supported(provider)
        seat_in(admission, workspace_id, Right.CONNECT)
        self._flow.configured(provider)
        answer = b'{"url":"%s"}' % self._flow.url_for(provider, workspace_id).encode()
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(answer))]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


async def _body(receive: Receive) -> bytes:
    message = await receive()
    body: bytes = message.get("body", b"")
    if not message.get("more_body", False):
        return body
    pieces = [body]
    while message.get("more_body", False):
        message = await receive()
        pieces.append(message.get("body", b""))
    return b"".join(pieces)


def _is_json(scope: Scope) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-type":
            return bool(value.partition(b";")[0].strip().lower() == b"application/json")
    return False


def _object(body: bytes) -> dict[str, object]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError) as error:
        detail = error.msg if isinstance(error, json.JSONDecodeError) else "it is not valid UTF-8 or nested too deeply"
        raise Problem("malformed_json", detail=detail) from None
    if not isinstance(value, dict):
        raise Problem("malformed_json", detail="it is not an object")
    return value
