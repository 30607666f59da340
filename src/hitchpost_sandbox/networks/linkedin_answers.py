"""How LinkedIn's API reads lists and pages out of a query, and how it shapes what it answers (Rest.li).

Facts: docs/networks/linkedin.md. Source: https://linkedin.github.io/rest.li/spec/protocol
"""

import re
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import parse_qsl, unquote

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.networks import linkedin_projection
from hitchpost_sandbox.networks.linkedin_api import Input, Stop
from hitchpost_sandbox.twin import Visit

Row = dict[str, Any]
_LIST = re.compile(r"List\(([^():]*)\)")


def wrong(field: str, code: str, message: str) -> Stop:
    """400 for one parameter, with the details that tell which."""
    return Stop(400, message, code=code, inputs=[Input(code, message, field)])


def version(visit: Visit) -> str:
    """The version as refusals print it."""
    return f"{visit.header('linkedin-version')}01" if visit.path.startswith("/rest/") else "NO_VERSION"


def judge_protocol(visit: Visit) -> None:
    """Whether the two headers of the protocol say what is asked for. Raises Stop."""
    said = visit.header("x-restli-protocol-version")
    if said not in ("", "1.0.0", "2.0.0"):
        raise Stop(400, f"Rest.li protocol version {said} used by client is not supported by server!", code="ILLEGAL_ARGUMENT")
    meant = {"FINDER"} if "q" in visit.query else {"BATCH_GET"} if "ids" in visit.query else {"GET", "GET_ALL"}
    method = visit.header("x-restli-method").upper()
    if method and method not in meant:
        raise Stop(400, f"X-RestLi-Method {method} does not match the request", code="ILLEGAL_ARGUMENT")


def batch(visit: Visit, app: App) -> list[str]:
    """The keys of a batch: `ids=List(a,b)`, judged as it was sent, or `ids=a&ids=b` in protocol 1.0.0. Raises Stop."""
    said = visit.header("x-restli-protocol-version") or ("1.0.0" if app.on("strict_protocol") else "")
    sent = [text.partition("=")[2] for text in visit.request.url.query.split("&") if text.partition("=")[0] == "ids"]
    listed = [_LIST.fullmatch(text) for text in sent]
    if len(sent) == 1 and listed[0] is not None and said != "1.0.0":
        return [unquote(one) for one in dict.fromkeys(listed[0][1].split(",")) if one]
    keys = [value for name, value in parse_qsl(visit.request.url.query) if name == "ids"]
    # Brackets and colons of a list that are percent-encoded, or not, as they should not be.
    if said == "2.0.0" or any("(" in key for key in keys) or not keys:
        raise wrong("ids", "PARAM_INVALID", "Invalid query parameters passed to request")
    return list(dict.fromkeys(keys))


def batched(asked: Sequence[str], read: Callable[[str], Row]) -> Row:
    """The answer of a batch: 200 although single keys fail."""
    body: Row = {"results": {}, "statuses": {}, "errors": {}}
    for key in asked:
        try:
            body["results"][key] = read(key)
            body["statuses"][key] = 200
        except Stop as stop:
            body["errors"][key] = stop.body
    return body


def paged(visit: Visit, app: App, rows: Sequence[Row]) -> Row:
    """One page of a finder's rows, with the way to its neighbours."""
    start, count = _number(visit, "start", 0), min(_number(visit, "count", 10), int(app.options.get("max_count", 100)))
    links = []
    if start > 0:
        links.append({"type": "application/json", "rel": "prev", "href": _neighbour(visit, max(0, start - count), count)})
    if count and start + count < len(rows):
        links.append({"type": "application/json", "rel": "next", "href": _neighbour(visit, start + count, count)})
    paging: Row = {"start": start, "count": count, "links": links}
    if not app.on("no_total"):
        paging["total"] = len(rows)
    return {"elements": list(rows[start : start + count]), "paging": paging}


def _neighbour(visit: Visit, start: int, count: int) -> str:
    kept = [part for part in visit.request.url.query.split("&") if part.partition("=")[0] not in ("start", "count", "oauth2_access_token")]
    return f"{visit.path}?{'&'.join([*kept, f'start={start}', f'count={count}'])}"


def _number(visit: Visit, name: str, default: int) -> int:
    text = visit.query.get(name, str(default))
    if not text.isdecimal() or len(text) > 9:
        raise wrong(name, "ILLEGAL_ARGUMENT", f"Invalid value for parameter '{name}'")
    return int(text)


def shaped(visit: Visit, body: Row, decorate: linkedin_projection.Decorate) -> Row:
    """`body` with only what `fields` or `projection` asks for. Raises Stop for a projection in the versioned API, which has none."""
    if "projection" in visit.query:
        if visit.path.startswith("/rest/"):
            raise refused(("projection",))
        asked = linkedin_projection.read(visit.query["projection"])
        shown: Row = linkedin_projection.projected(body, asked, decorate)
        # How a list goes on is no field of it.
        return shown | {name: body[name] for name in ("paging",) if name in body}
    if "fields" not in visit.query:
        return body
    wanted = {part.partition(":")[0] for part in re.sub(r":?\([^)]*\)", "", visit.query["fields"]).split(",")}
    if "elements" in body:
        return body | {"elements": [_only(row, wanted) for row in body["elements"]]}
    if "results" in body:
        return body | {"results": {key: _only(row, wanted) for key, row in body["results"].items()}}
    return _only(body, wanted)


def _only(row: Row, wanted: set[str]) -> Row:
    return {name: value for name, value in row.items() if name in wanted}


def refused(names: Sequence[str]) -> Stop:
    return Stop(400, f"Query parameter '{names[0]}' is not allowed", code="QUERY_PARAM_NOT_ALLOWED")
