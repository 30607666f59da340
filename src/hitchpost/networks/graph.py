"""Meta's Graph protocol, as both Graph hosts speak it: calls with a proof, errors by code and subcode, cursors that end.

Tokens travel in the Authorization header, never in an address. Source: docs/networks/facebook.md, "Answers and errors".
"""

import hashlib
import hmac
import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from hitchpost.networks.answers import part, words
from hitchpost.networks.base import Call
from hitchpost.networks.errors import Expected, Fault, FaultKind, judge
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

FACEBOOK = "https://graph.facebook.com"
INSTAGRAM = "https://graph.instagram.com"
DEFAULT_VERSION = "v25.0"
PAGE_SIZE = 100
MAX_PAGES = 40
_SOURCE = "docs/networks/facebook.md#answers-and-errors"


def _is(*codes: str) -> Callable[[int, str], bool]:
    """Matches a whole `code/subcode`, or a code with any subcode."""
    wanted = frozenset(codes)
    return lambda _, code: code in wanted or code.partition("/")[0] in wanted


def _among(low: int, high: int) -> Callable[[int, str], bool]:
    return lambda _, code: (head := code.partition("/")[0]).isdecimal() and low <= int(head) <= high


_THROTTLES = (
    "4",
    "17",
    "32",
    "341",
    "368",
    "613",
    "80000",
    "80001",
    "80002",
    "80003",
    "80004",
    "80005",
    "80006",
    "80008",
    "80009",
    "80014",
)

EXPECTED: tuple[Expected, ...] = (
    Expected(_is(*_THROTTLES), FaultKind.THROTTLED, "", _SOURCE),
    Expected(_is("transient", "2", "-1", "-2"), FaultKind.TRANSIENT, "", _SOURCE),
    Expected(_is("1/client_secret"), FaultKind.MISCONFIGURED, "the app secret is wrong", _SOURCE),
    Expected(_is("1/2853006"), FaultKind.PERMISSION, "the account may not do this", _SOURCE),
    Expected(_is("1"), FaultKind.TRANSIENT, "", _SOURCE),
    Expected(_is("101"), FaultKind.MISCONFIGURED, "there is no app with this client id", _SOURCE),
    Expected(_is("3"), FaultKind.MISCONFIGURED, "the app lacks a capability (App Review)", _SOURCE),
    Expected(_is("100/appsecret_proof"), FaultKind.MISCONFIGURED, "the app secret does not belong to the app", _SOURCE),
    Expected(_is("190/2069032"), FaultKind.PERMISSION, "this needs the Page's own token", _SOURCE),
    Expected(_is("190/492"), FaultKind.PERMISSION, "the role on this Page is gone, or the Page demands two-factor authentication", _SOURCE),
    Expected(_is("190/459"), FaultKind.BLOCKED, "it asks the person to sign in there and finish a security check", _SOURCE),
    Expected(_is("190/464"), FaultKind.BLOCKED, "the account is not confirmed yet", _SOURCE),
    Expected(_is("25/2207050"), FaultKind.BLOCKED, "the account is restricted or inactive", "docs/networks/instagram.md"),
    Expected(_is("190/458"), FaultKind.REVOKED, "the app was removed in the account's settings", _SOURCE),
    Expected(_is("190/460"), FaultKind.REVOKED, "the password was changed or the session was reset", _SOURCE),
    Expected(_is("190/463"), FaultKind.REVOKED, "the access expired", _SOURCE),
    Expected(_is("190", "102"), FaultKind.REVOKED, "the access is no longer valid", _SOURCE),
    Expected(_is("100/33"), FaultKind.PERMISSION, "it does not exist any more or is not shared with this app", _SOURCE),
    Expected(_is("10"), FaultKind.PERMISSION, "a permission was not granted or was taken back", _SOURCE),
    Expected(_among(200, 299), FaultKind.PERMISSION, "a permission or a role on the Page is missing", _SOURCE),
)

AT_THE_TOKEN_ENDPOINT: tuple[Expected, ...] = (
    Expected(_is("100/36009"), FaultKind.REFUSED, "the code was used before", _SOURCE),
    Expected(_is("100/36007"), FaultKind.REFUSED, "the code expired", _SOURCE),
    Expected(_is("100/36008"), FaultKind.REFUSED, "the redirect URI differs from the one of the consent page", _SOURCE),
    Expected(_is("100"), FaultKind.REFUSED, "the code is not one of its own", _SOURCE),
    *EXPECTED,
)
"""The same, where code 100 speaks of the authorization code."""

_TOLD_BY_WORDS = {"1": ("client secret", "client_secret"), "100": ("appsecret_proof", "appsecret_proof")}
"""Two cases that share a code with others and carry no subcode: code → (words in the message, subcode of ours)."""


def fault(answer: Answer, error: Json, now: datetime, table: Iterable[Expected] = EXPECTED) -> Fault:
    """The Fault for a Graph error object; by code and subcode, never by status alone.

    What the network itself calls transient is not taken for more, a dead token included.
    """
    code = str(error.get("code", f"http_{answer.status}"))
    subcode = error.get("error_subcode")
    said, ours = _TOLD_BY_WORDS.get(code, ("", ""))
    told = said and said in words(error, "message")
    transient = error.get("is_transient") is True and code not in _THROTTLES
    if isinstance(subcode, int) and subcode:
        code += f"/{subcode}"
    elif told:
        code += f"/{ours}"
    if transient:
        code = f"transient/{code}"
    return judge(table, answer.status, code, retry_at=_regains_access(answer, now))


_UNNAMED = timedelta(hours=1)
"""How long a limit is left alone that names no moment, as the app's and the person's never do: limits roll over an hour."""


def _regains_access(answer: Answer, now: datetime) -> datetime:
    """The latest `estimated_time_to_regain_access` (minutes) of X-Business-Use-Case-Usage; an hour from now when it names none."""
    try:
        usage = json.loads(answer.headers.get("x-business-use-case-usage", ""))
        minutes = max(int(use["estimated_time_to_regain_access"]) for uses in usage.values() for use in uses)
    except (ValueError, TypeError, KeyError, AttributeError):
        return now + _UNNAMED
    return now + (timedelta(minutes=min(minutes, 24 * 60)) if minutes > 0 else _UNNAMED)


def settled(answer: Answer, now: datetime, table: Iterable[Expected] = EXPECTED) -> Json:
    """The body of a good answer. Raises the Fault of a bad one; an `error` under status 200 is one too."""
    if answer.status == 429:
        raise judge((), 429, "http_429", retry_at=_regains_access(answer, now))
    body = answer.json()
    error = body.get("error")
    if isinstance(error, dict):
        raise fault(answer, error, now, table)
    if not answer.ok:
        raise judge((), answer.status, f"http_{answer.status}")
    return body


def proof(call: Call, token: Secret) -> str:
    """`appsecret_proof`: hex HMAC-SHA256 of the token under the app secret. Needed for each token anew."""
    return hmac.new(call.app.client_secret.reveal().encode(), token.reveal().encode(), hashlib.sha256).hexdigest()


def address(call: Call, *path: str, host: str = FACEBOOK) -> str:
    return "/".join([host, call.version, *(quote(part, safe="") for part in path)])


async def read(call: Call, token: Secret, *path: str, fields: str = "", host: str = FACEBOOK, after: str = "", limit: int = 0) -> Json:
    """GET one node or one page of an edge as `token`. Raises Fault."""
    query = {"appsecret_proof": proof(call, token)}
    query |= {"fields": fields} if fields else {}
    query |= {"limit": str(limit)} if limit else {}
    query |= {"after": after} if after else {}
    answer = await call.http.get(address(call, *path, host=host), query=query, bearer=token.reveal())
    return settled(answer, call.now)


@dataclass(frozen=True, slots=True)
class Edge:
    """What an edge lists. `cut`: it went on beyond what we read."""

    items: tuple[Json, ...]
    cut: bool


async def edge(call: Call, token: Secret, *path: str, fields: str) -> Edge:
    """All pages of an edge by their `after` cursors, at most MAX_PAGES × PAGE_SIZE items. Raises Fault.

    `paging.next` only says that there is more: it holds the token, so it is neither followed nor kept.
    """
    items: list[Json] = []
    after = ""
    for _ in range(MAX_PAGES):
        body = await read(call, token, *path, fields=fields, after=after, limit=PAGE_SIZE)
        data, paging = body.get("data"), part(body, "paging")
        if not isinstance(data, list):
            raise Fault(FaultKind.UNINTELLIGIBLE, "no_data", "the list is missing in the answer")
        items += [one for one in data if isinstance(one, dict)]
        before, after = after, words(part(paging, "cursors"), "after")
        if not paging.get("next"):
            return Edge(tuple(items), cut=False)
        if not after or after == before:
            break
    return Edge(tuple(items), cut=True)


def picture(body: Json) -> str:
    """The address in the `picture` field of a person or Page, or empty."""
    return words(part(part(body, "picture"), "data"), "url")
