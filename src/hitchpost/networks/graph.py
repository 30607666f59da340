"""Meta's Graph protocol, as both Graph hosts speak it: calls with a proof, errors by code and subcode, cursors that end.

Tokens travel in the Authorization header, never in an address. Source: docs/networks/facebook.md, "Answers and errors".
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

from hitchpost.networks import errors
from hitchpost.networks.answers import part, words
from hitchpost.networks.base import Call
from hitchpost.networks.errors import Expected, Fault, FaultKind, judge, plain
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

FACEBOOK = "https://graph.facebook.com"
INSTAGRAM = "https://graph.instagram.com"
DEFAULT_VERSION = "v25.0"
VERSION_FORM = r"v\d{1,3}\.\d"
PAGE_SIZE = 100
MAX_PAGES = 40
_PAGE = "docs/networks/facebook.md"
_OVER, _ROLE, _WAIT = f"{_PAGE}#the-access-is-over", f"{_PAGE}#a-role-or-a-permission-is-missing", f"{_PAGE}#wait"
_TROUBLE, _APP, _CODE, _OURS = (
    f"{_PAGE}#trouble-of-metas-own",
    f"{_PAGE}#the-app-is-wrong",
    f"{_PAGE}#the-code-is-refused",
    f"{_PAGE}#our-own-mistakes",
)
_KEYS = "Whoever runs this server must copy the app secret again: App settings → Basic at https://developers.facebook.com/apps."
_RIGHTS = "Ask someone with full control of the Page to give you a role on it, then connect again."

_THROTTLED = Expected(
    ("4/*", "17/*", "32/*", "341/*", "368/*", "613/*", "80000-80006", "80008/*", "80009/*", "80014/*"), FaultKind.THROTTLED, "", _WAIT
)

# One row a line reads as the table it is.
# fmt: off
_ANYWHERE: tuple[Expected, ...] = (
    _THROTTLED,
    Expected(("is_transient/*",), FaultKind.TRANSIENT, "", _TROUBLE),
    Expected(("1",), FaultKind.MISCONFIGURED, "the app secret is wrong", _APP, says="client secret", mark="client_secret", how=_KEYS),
    Expected(("1/2853006",), FaultKind.PERMISSION, "the account may not do this", _ROLE, how=_RIGHTS),
    Expected(("1/*", "2/*", "-1/*", "-2/*"), FaultKind.TRANSIENT, "", _TROUBLE),
    Expected(("101/*",), FaultKind.MISCONFIGURED, "there is no app with this client id", _APP,
             how="Whoever runs this server must copy the app id again: App settings → Basic at https://developers.facebook.com/apps."),
    Expected(("3/*",), FaultKind.MISCONFIGURED, "the app lacks a capability", _APP,
             how="Whoever runs this server must get the app through App Review."),
    Expected(("100",), FaultKind.MISCONFIGURED, "the app secret does not belong to the app", _APP, says="appsecret_proof",
             mark="appsecret_proof", how=_KEYS),
    Expected(("190/2069032",), FaultKind.UNINTELLIGIBLE, "it wants the Page's own access for this", _OURS),
    Expected(("190/492",), FaultKind.PERMISSION, "the role on this Page is gone, or the Page demands two-factor authentication", _ROLE,
             how="Ask someone with full control of the Page for a role, or turn on two-factor authentication; then connect again."),
    Expected(("190/459",), FaultKind.BLOCKED, "it asks the person to sign in there and finish a security check", _OVER),
    Expected(("190/464",), FaultKind.BLOCKED, "the account is not confirmed yet", _OVER),
    Expected(("25/2207050",), FaultKind.BLOCKED, "the account is restricted or inactive", "docs/networks/instagram.md#at-both-graph-hosts",
             how="Open the Instagram app and follow what it asks there, then connect again."),
    Expected(("190/458",), FaultKind.REVOKED, "the app was removed in the account's settings", _OVER, cause="revoked"),
    Expected(("190/466",), FaultKind.REVOKED, "the access was taken back", _OVER, cause="revoked"),
    Expected(("190/460",), FaultKind.REVOKED, "the password was changed or the session was reset", _OVER),
    Expected(("190/463",), FaultKind.REVOKED, "the access expired", _OVER, cause="expired"),
    Expected(("190/467",), FaultKind.REVOKED, "the session was ended", _OVER),
    Expected(("190/*", "102/*"), FaultKind.REVOKED, "the access is no longer valid", _OVER),
    Expected(("2500/*",), FaultKind.UNINTELLIGIBLE, "it did not receive the access, or the request, that was sent", _OURS),
    Expected(("10/*",), FaultKind.PERMISSION, "a permission was not granted or was taken back", _ROLE),
    Expected(("200-299",), FaultKind.PERMISSION, "a permission or a role on the Page is missing", _ROLE),
)

EXPECTED: tuple[Expected, ...] = (
    *_ANYWHERE,
    Expected(("100/33",), FaultKind.PERMISSION, "it does not exist any more or is not shared with this app", _ROLE,
             how="Connect again and tick it; if it is not offered, ask someone with full control of the Page."),
)

AT_THE_TOKEN_ENDPOINT: tuple[Expected, ...] = (
    *_ANYWHERE,
    Expected(("100/36009",), FaultKind.REFUSED, "the code was used before", _CODE),
    Expected(("100/36007",), FaultKind.REFUSED, "the code expired", _CODE),
    Expected(("100/36008",), FaultKind.REFUSED, "the redirect URI differs from the one of the consent page", _CODE),
    Expected(("100/*",), FaultKind.REFUSED, "the code is not one of its own", _CODE),
)
"""Where a code is redeemed: there 100 speaks of the code."""

SENT_BACK: tuple[Expected, ...] = (
    # Also what an app in Development mode gets after a full consent; nothing in the answer tells the two apart.
    Expected(("200",), FaultKind.DECLINED, "", f"{_PAGE}#sent-back-from-the-consent-page"),
    *errors.SENT_BACK,
    *EXPECTED,
)
"""What the dialog sends back: `error`, or the older style's `error_code` with the numbers of the API."""
# fmt: on


def fault(answer: Answer, error: Json, now: datetime, table: Sequence[Expected] = EXPECTED) -> Fault:
    """The Fault for a Graph error object; by code and subcode, never by status alone.

    What the network itself calls transient is not taken for more, a dead token included.
    """
    code, subcode = plain(error.get("code"), f"http_{answer.status}"), error.get("error_subcode")
    if isinstance(subcode, int) and subcode:
        code += f"/{subcode}"
    if error.get("is_transient") is True and not _THROTTLED.fits(answer.status, code):
        code = f"is_transient/{code}"
    return judge(table, answer.status, code, words(error, "message"), retry_at=_regains_access(answer, now))


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


def settled(answer: Answer, now: datetime, table: Sequence[Expected] = EXPECTED) -> Json:
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


async def read(
    call: Call, token: Secret, *path: str, fields: str = "", host: str = FACEBOOK, after: str = "", limit: int = 0,
    table: Sequence[Expected] = EXPECTED,
) -> Json:  # fmt: skip
    """GET one node or one page of an edge as `token`. Raises Fault, judged by `table`."""
    query = {"appsecret_proof": proof(call, token)}
    query |= {"fields": fields} if fields else {}
    query |= {"limit": str(limit)} if limit else {}
    query |= {"after": after} if after else {}
    answer = await call.http.get(address(call, *path, host=host), query=query, bearer=token.reveal())
    return settled(answer, call.now, table)


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
