"""Carries fault scripts out: what stands between a request and the answer that the caller gets, or does not get."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from http import HTTPStatus

from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.types import Receive

from hitchpost_sandbox.faults import Does, Fault, Script, Spoilt
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.turns import Befallen, CannotBefall
from hitchpost_sandbox.twin import Twin, Visit
from hitchpost_sandbox.world import World

_PROXY_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center></body></html>"
DROP = "hitchpost_sandbox.drop"
"""The ASGI extension by which a server offers to close a connection without an answer (module `server`)."""
_TOKEN_FIELDS = ("access_token", "token", "input_token", "refresh_token", "code", "fb_exchange_token", "oauth2_access_token")


class NoAnswer(ConnectionError):
    """The caller gets no answer. A server closes the connection; within one process this error reaches whoever called the app."""


async def answered(visit: Visit, act: Callable[[], Awaitable[Response]], receive: Receive) -> Response:
    """The answer to `visit`, after what fault scripts make of it. Raises NoAnswer."""
    era = visit.world.era
    # All of it before anything is done: a body may arrive as late as its sender likes, and the world be another one by then.
    await visit.request.body()
    _still_there(visit, era)
    faults = visit.world.faults
    if not faults.scripts:
        return await act()
    values = await values_of(visit)
    call = Spoilt(visit.twin.network, visit.host, visit.method, visit.path, values, lambda: whose(visit, values))
    befalls, meets = faults.meeting(call, turns=frozenset(visit.twin.turns), errors=frozenset(visit.twin.errors))
    for script in befalls:
        _write(visit, script)
        asked, (app, person) = script.fault, whose(visit, values)
        whom = Befallen(asked.person or person, asked.app or app, asked.target, asked.scope)
        # A call that speaks for nobody meets nothing; the ledger has the fault all the same.
        with suppress(CannotBefall):
            await befall(visit.world, visit.twin, asked.does, whom)
        _still_there(visit, era)
    if meets is None:
        return await act()
    _write(visit, meets)
    acted = await act() if meets.fault.acts or meets.fault.does == Does.TRUNCATED else None
    return await _spoiled(visit, meets, acted, act, receive)


def _still_there(visit: Visit, era: int) -> None:
    """Raises NoAnswer when the world was reset or restored while the call waited: it acts in no other."""
    if visit.world.era != era:
        raise NoAnswer("reset")


async def _spoiled(
    visit: Visit, script: Script, acted: Response | None, act: Callable[[], Awaitable[Response]], receive: Receive
) -> Response:
    fault = script.fault
    match fault.does:
        case Does.SLOW:
            era = visit.world.era
            await asyncio.sleep(fault.seconds)
            _still_there(visit, era)
            return acted or await act()
        case Does.HOLD:
            era = visit.world.era
            await script.hold()
            _still_there(visit, era)
            return acted or await act()
        case Does.HANG:
            await _hang(visit, fault, receive)
            raise NoAnswer("hang")
        case Does.DROP:
            raise NoAnswer("drop")
        case Does.TRUNCATED if acted is not None:
            return _half(acted)
        case Does.HTML:
            status = fault.status or 502
            return HTMLResponse(fault.body or _PROXY_PAGE.format(f"{status} {_phrase(status)}".strip()), status, dict(fault.headers))
        case Does.ANSWER:
            return Response(fault.body, fault.status, dict(fault.headers) or {"content-type": "application/json"})
    return _worded(visit, fault)


def _worded(visit: Visit, fault: Fault) -> Response:
    """A failure that the twin words; the two that every network has are plain where a twin has no words."""
    wrong = visit.twin.errors.get(fault.does)
    if wrong is not None:
        response = wrong.answer(visit)
    elif fault.does == Does.RATE_LIMIT:
        response = PlainTextResponse("Too Many Requests", 429)
    else:
        response = PlainTextResponse("Internal Server Error", 500)
    if fault.status:
        response = _restated(response, fault.status)
    for name, value in fault.headers.items():
        response.headers[name] = value
    return response


def _restated(response: Response, status: int) -> Response:
    """The same answer with another status, also where its JSON body says the status itself or its standard phrase."""
    before, response.status_code = response.status_code, status
    try:
        said = json.loads(bytes(response.body))
    except ValueError:
        return response
    if not isinstance(said, dict) or said.get("status") != before:
        return response
    said = {name: _phrase(status) if value == _phrase(before) else value for name, value in said.items()} | {"status": status}
    kept = {name: value for name, value in response.headers.items() if name != "content-length"}
    return Response(json.dumps(said, ensure_ascii=False).encode(), status, kept)


def _phrase(status: int) -> str:
    return HTTPStatus(status).phrase if status in set(HTTPStatus) else ""


def _half(response: Response) -> Response:
    """The same answer with the first half of its body, as one that some proxy cut and measured again."""
    body = bytes(response.body)[: max(1, len(response.body) // 2)]
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(body, response.status_code, kept, media_type=response.headers.get("content-type", "application/json"))


async def _hang(visit: Visit, fault: Fault, receive: Receive) -> None:
    """Wait as the fault says. Without a connection that can be given up there is nothing to wait for."""
    if DROP not in visit.request.scope.get("extensions", {}):
        return
    with suppress(TimeoutError):
        async with asyncio.timeout(fault.seconds or None):
            while (await receive())["type"] != "http.disconnect":
                continue


async def befall(world: World, twin: Twin, word: str, whom: Befallen) -> None:
    """Let a turn happen to somebody now. Raises KeyError for a word that this network has no turn for, and CannotBefall."""
    turn = twin.turns[word]
    if whom.person not in world.cast:
        raise CannotBefall(f"nobody of the cast is called '{whom.person}'")
    era = world.era
    await turn.play(world, whom)
    if world.era != era:
        # It waited for an app's own server while the world was reset: what it did went with the old one.
        return
    told = {name: value for name in ("target", "scope", "detail") if (value := getattr(whom, name))}
    world.ledger.write(twin.network, What.TURN, app=whom.app, person=whom.person, turn=word, **told)


def whose(visit: Visit, values: Mapping[str, str]) -> tuple[str, str]:
    """The app and the person that a request speaks for, by its token, code or client id; empty where it does not say."""
    authority, basic = visit.authority, visit.basic()
    scheme, _, rest = visit.header("authorization").partition(" ")
    said = [rest.strip()] if scheme.lower() in ("bearer", "oauth") else []
    for value in (*said, *(values.get(name, "") for name in _TOKEN_FIELDS)):
        consented = authority.whose(value) if value else None
        if consented is not None:
            return consented.client_id, consented.person
    app = basic[0] if basic else values.get("client_id", "")
    return app, values.get("person", "")


async def values_of(visit: Visit) -> dict[str, str]:
    """What a request says in query and body (form, or the texts and numbers of a JSON object), as one; the body wins."""
    values = await visit.fields()
    return values | {name: str(value) for name, value in (await visit.json()).items()}


def _write(visit: Visit, script: Script) -> None:
    visit.ledger.write(visit.twin.network, What.FAULT, fault=script.id, does=script.fault.does, path=visit.path)
