"""LinkedIn's protocol: the versioned Rest.li API, the unversioned one beside it, OAuth's own endpoints, and how each words its failures.

Judged by status and codes alone: LinkedIn declares its message texts free to change. Source: docs/networks/linkedin.md.
"""

from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from urllib.parse import quote

from hitchpost.networks import errors, oauth2
from hitchpost.networks.answers import part, words
from hitchpost.networks.base import Call, TokenSet
from hitchpost.networks.errors import Expected, Fault, FaultKind, Place, judge
from hitchpost.networks.http import Answer, Json, abreast
from hitchpost.secret import Secret

API = "https://api.linkedin.com"
OAUTH = "https://www.linkedin.com/oauth/v2"
DEFAULT_VERSION = "202609"
"""Ends on 15 September 2027. Never computed from the clock: not every month exists, and not every future one is accepted."""
VERSION_FORM = r"20\d\d(0[1-9]|1[0-2])"
"""YYYYMM."""
PAGE_SIZE = 100
MAX_PAGES = 5
_PAGE = "docs/networks/linkedin.md"
_API, _TOKEN = f"{_PAGE}#at-the-api", f"{_PAGE}#at-the-token-endpoint"
_ASKED, _BACK = f"{_PAGE}#at-introspection", f"{_PAGE}#sent-back-from-the-consent-page"
_KEYS = "Whoever runs this server must copy the client id and secret again: Auth, at https://www.linkedin.com/developers/apps."
_VERSION = "Whoever runs this server must set another API version: docs/networks/linkedin.md says how."

# One row a line reads as the table it is.
# fmt: off
REVOKED = Expected(("65601", "REVOKED_ACCESS_TOKEN"), FaultKind.REVOKED,
                   "access was taken back, or replaced by a newer connection with other permissions", _API, status="401", cause="revoked")
"""Also answered, wrongly, for some seconds after a code exchange."""

EXPECTED: tuple[Expected, ...] = (
    REVOKED,
    Expected(("65600", "INVALID_ACCESS_TOKEN"), FaultKind.REVOKED, "the access is no longer valid", _API, status="401"),
    Expected(("65602", "EXPIRED_ACCESS_TOKEN"), FaultKind.REVOKED, "the access expired", _API, status="401", cause="expired"),
    Expected(("65604", "401", "EMPTY_ACCESS_TOKEN"), FaultKind.UNINTELLIGIBLE, "it did not receive the access token that was sent", _API,
             status="401"),
    Expected((), FaultKind.MISCONFIGURED, "the configured API version is closed or does not exist", _API, status="426", how=_VERSION),
    Expected(("VERSION_MISSING",), FaultKind.MISCONFIGURED, "no API version is configured", _API, how=_VERSION),
    Expected((), FaultKind.PERMISSION, "a permission of the app or a role on the page is missing", _API, status="403",
             how="Ask a super admin of the page for a role that may publish, then connect again. If it stays so, tell whoever runs "
                 "this server."),
    Expected((), FaultKind.PERMISSION, "it does not exist any more or is not visible to this account", _API, status="404",
             how="Ask a super admin of the page, then connect again."),
    Expected((), FaultKind.THROTTLED, "", _API, status="429"),
)

AT_THE_TOKEN_ENDPOINT: tuple[Expected, ...] = (
    Expected(("invalid_redirect_uri",), FaultKind.REFUSED, "the code expired, or belongs to another app or redirect URI", _TOKEN),
    Expected(("invalid_client",), FaultKind.MISCONFIGURED, "the client id or the client secret is wrong", _TOKEN, how=_KEYS),
    Expected(("unauthorized_client",), FaultKind.MISCONFIGURED, "the app may not do this", _TOKEN),
    Expected(("invalid_request",), FaultKind.MISCONFIGURED, "it misses something in the request of this server's app", _TOKEN, status="400",
             says="a required parameter", mark="missing"),
    Expected(("invalid_request", "invalid_grant"), FaultKind.REFUSED,
             "the code or refresh token was used before, has expired, or is not one of its own", _TOKEN),
)

AT_INTROSPECTION: tuple[Expected, ...] = (
    Expected(("invalid_client",), FaultKind.MISCONFIGURED, "the client id or the client secret is wrong", _ASKED, how=_KEYS),
    Expected((), FaultKind.MISCONFIGURED, "the client secret is wrong", _ASKED, status="401", how=_KEYS),
)
"""A dead token is told with status 200; a refusal speaks of the app, and of no token."""

UNAUTHORIZED_SCOPE = Expected(
    ("unauthorized_scope_error", "invalid_scope_error"), FaultKind.MISCONFIGURED,
    "it lacks a product that carries one of the permissions asked for", _BACK,
    how="Whoever runs this server must add the product to the app: Products, at https://www.linkedin.com/developers/apps.",
)
"""Its description names the scope."""

SENT_BACK: tuple[Expected, ...] = (
    Expected(("user_cancelled_login", "user_cancelled_authorize"), FaultKind.DECLINED, "", _BACK),
    UNAUTHORIZED_SCOPE,
    *errors.SENT_BACK,
)
# fmt: on

JUDGED = {Place.TOKEN: AT_THE_TOKEN_ENDPOINT, Place.INTROSPECTION: AT_INTROSPECTION, Place.API: EXPECTED}


def _body(answer: Answer) -> Json:
    """The error object of a failed answer. Raises Fault for HTML and the like, except where the status alone says enough."""
    try:
        return answer.json()
    except Fault:
        if answer.status in (426, 429):
            return {}
        raise


def _midnight(now: datetime) -> datetime:
    """The next 00:00 UTC, when every quota starts anew; LinkedIn sends no Retry-After."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def settled(answer: Answer, now: datetime) -> Json:
    """The body of a good answer of either API. Raises the Fault of a bad one: `{"status", "serviceErrorCode"?, "code"?, "message"?}`."""
    if answer.ok:
        return answer.json()
    body = _body(answer)
    # The number names the failures of a token; elsewhere it is coarse (100 is every 403) and the word tells more.
    code = body.get("serviceErrorCode", body.get("code")) if answer.status == 401 else body.get("code")
    raise judge(EXPECTED, answer.status, code, retry_at=_midnight(now) if answer.status == 429 else None)


def redeemed(answer: Answer, now: datetime, table: Sequence[Expected] = AT_THE_TOKEN_ENDPOINT) -> Json:
    """The body of a good answer of an OAuth endpoint. Raises the Fault of a bad one: `{"error", "error_description"}`."""
    if answer.ok:
        return answer.json()
    body = _body(answer)
    waits = _midnight(now) if answer.status == 429 else None
    raise judge(table, answer.status, body.get("error"), words(body, "error_description"), retry_at=waits)


async def renewed(call: Call, tokens: TokenSet) -> Json:
    """The answer to a refresh token. Only apps of approved partners are given one. Raises Fault."""
    return redeemed(await oauth2.renew(call, tokens), call.now)


async def read(call: Call, token: Secret, path: str) -> Json:
    """GET `path` of the API, its query in Rest.li's own encoding included. Raises Fault; REVOKED only when introspection confirms it."""
    headers = {"X-Restli-Protocol-Version": "2.0.0"}
    if path.startswith("/rest/"):
        headers["Linkedin-Version"] = call.version
    try:
        return settled(await call.http.get(API + path, bearer=token.reveal(), headers=headers), call.now)
    except Fault as fault:
        if fault.row is REVOKED and await alive(call, token):
            raise Fault(FaultKind.TRANSIENT, fault.code, "it calls the access revoked and active at once") from None
        raise


@dataclass(frozen=True, slots=True)
class Elements:
    """What a finder lists. `cut`: it went on beyond what we read."""

    items: tuple[Json, ...]
    cut: bool


async def elements(call: Call, token: Secret, finder: str) -> Elements:
    """All pages of a finder (`/rest/…?q=…`) by start and count, at most MAX_PAGES × PAGE_SIZE items. Raises Fault."""
    items: list[Json] = []
    start = 0
    for _ in range(MAX_PAGES):
        body = await read(call, token, f"{finder}&start={start}&count={PAGE_SIZE}")
        page = body.get("elements")
        if not isinstance(page, list):
            raise Fault(FaultKind.UNINTELLIGIBLE, "no_elements", "the list is missing in the answer")
        items += [one for one in page if isinstance(one, dict)]
        start += len(page)
        paging = part(body, "paging")
        # `total` may be missing and `count` may be less than was asked; fewer elements than `count` end the list.
        total, count = paging.get("total"), paging.get("count")
        if not page or start == total or len(page) < (count if isinstance(count, int) else PAGE_SIZE):
            return Elements(tuple(items), cut=False)
    return Elements(tuple(items), cut=True)


async def organizations(call: Call, token: Secret, ids: Iterable[str]) -> list[Json]:
    """Each organization as its administrator reads it, else as anybody does, else empty; in order, at most 100. Raises Fault."""
    asked = list(ids)
    own = await abreast(partial(_organization, call, token), asked)
    refused = [one for one, body in zip(asked, own, strict=True) if not body]
    public = await _looked_up(call, token, refused) if refused else {}
    return [body or part(public, one) for one, body in zip(asked, own, strict=True)]


async def _organization(call: Call, token: Secret, one: str) -> Json:
    return await _permitted(read(call, token, f"/rest/organizations/{quote(one, safe='')}"))


async def _looked_up(call: Call, token: Secret, ids: Iterable[str]) -> Json:
    """Several in one call, by id; batch calls are closed to an app in the development tier."""
    # List(…) must arrive with its brackets and commas as they are.
    path = f"/rest/organizationsLookup?ids=List({','.join(quote(one, safe='') for one in ids)})"
    return part(await _permitted(read(call, token, path)), "results")


async def _permitted(reading: Coroutine[Any, Any, Json]) -> Json:
    """What is read, or nothing when this account may not read it."""
    try:
        return await reading
    except Fault as fault:
        if fault.kind is not FaultKind.PERMISSION:
            raise
        return {}


async def picture(call: Call, token: Secret, asset: str) -> str:
    """The address, for a while, of an image named by URN; empty for none and whenever it cannot be had."""
    kind, _, name = asset.rpartition(":")
    if kind not in ("urn:li:digitalmediaAsset", "urn:li:image"):
        return ""
    try:
        return words(await read(call, token, f"/rest/images/{quote(f'urn:li:image:{name}', safe='')}"), "downloadUrl")
    except Fault:
        # Best effort: a logo is worth no failed connection.
        return ""


async def introspected(call: Call, token: Secret) -> Json:
    """What LinkedIn itself says of a token: `active`, and of a living one `scope` (RFC 7662, at an address of its own). Raises Fault."""
    return redeemed(await _about(call, "introspectToken", token), call.now, AT_INTROSPECTION)


async def alive(call: Call, token: Secret) -> bool:
    """Whether LinkedIn itself counts the token as active. Raises Fault."""
    return (await introspected(call, token)).get("active") is True


async def end(call: Call, token: Secret) -> bool:
    """Revoke a token at an endpoint that LinkedIn does not document. False when it was dead already. Raises Fault."""
    answer = await _about(call, "revoke", token)
    if answer.ok:
        return True
    try:
        redeemed(answer, call.now)
    except Fault as fault:
        if fault.kind is not FaultKind.REFUSED or await alive(call, token):
            raise
    return False


async def _about(call: Call, endpoint: str, token: Secret) -> Answer:
    form = {"client_id": call.app.client_id, "client_secret": call.app.client_secret.reveal(), "token": token.reveal()}
    return await call.http.post(f"{OAUTH}/{endpoint}", form=form)


async def redeem(call: Call, code: Secret, redirect_uri: str) -> Json:
    """The token answer for a code, redeemed once. Raises Fault."""
    return redeemed(await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=None), call.now)
