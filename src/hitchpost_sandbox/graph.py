"""Meta's Graph protocol from the network's side: versions, tokens in three places, proofs, errors, `fields`, cursors.

For the twins whose hosts speak it (graph.facebook.com, graph.instagram.com). App options read here: `require_appsecret_proof`.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, Why, random_text
from hitchpost_sandbox.graph_words import DEATHS
from hitchpost_sandbox.twin import Visit

VERSIONS = ("v3.1", "v3.2", "v3.3", *(f"v{number}.0" for number in range(4, 27)))
_STILL_THERE_UNTIL = {
    "v19.0": date(2026, 5, 21),
    "v20.0": date(2026, 9, 24),
    "v21.0": date(2027, 1, 21),
    "v22.0": date(2027, 5, 20),
    "v23.0": date(2027, 10, 8),
    "v24.0": date(2028, 2, 18),
    "v25.0": date(2028, 7, 29),
    "v26.0": date.max,
}
_VERSION = re.compile(r"v\d+\.\d+")
_TRACE_BYTES = 8
OTHER_REDIRECT = (
    "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"
)


class GraphError(Exception):
    """An error as the Graph hosts word it. `challenge`: the word in WWW-Authenticate."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int = 0,
        status: int = 400,
        type_of: str = "OAuthException",
        challenge: str = "invalid_request",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.status = status
        self.type_of = type_of
        self.challenge = challenge
        self.headers = dict(headers or {})


def answer(version: str, body: object) -> Response:
    """A good answer; the version that really served it stands in a header."""
    return JSONResponse(body, headers={"facebook-api-version": version, "cache-control": "private, no-store"})


def refusal(version: str, error: GraphError) -> Response:
    """The error object, with the headers that come with it."""
    said: dict[str, object] = {"message": error.message, "type": error.type_of, "code": error.code}
    if error.subcode:
        said["error_subcode"] = error.subcode
    said["fbtrace_id"] = random_text(_TRACE_BYTES)
    # Nothing that a caller sent may end a header's line.
    quoted = re.sub(r"[^\x20-\x7e]", "?", error.message.replace('"', "'"))
    headers = {
        "facebook-api-version": version,
        "cache-control": "no-store",
        "www-authenticate": f'OAuth "Facebook Platform" "{error.challenge}" "{quoted}"',
    }
    return JSONResponse({"error": said}, error.status, headers | error.headers)


def no_such(thing: str, method: str = "get") -> GraphError:
    """100/33: does not exist, is not visible to this token, or does not support the call; the network never says which."""
    return GraphError(
        100,
        f"Unsupported {method} request. Object with ID '{thing}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation",
        subcode=33,
        type_of="GraphMethodException",
    )


def route(visit: Visit) -> tuple[str, list[str]]:
    """The version that serves this call and the path's parts after it. Raises GraphError for a version that never was.

    A retired version, and none at all, is served by the oldest that is still supported.
    """
    parts = [part for part in visit.path.split("/") if part]
    today = visit.clock.now().date()
    supported = [version for version in VERSIONS if today < _STILL_THERE_UNTIL.get(version, date.min)]
    if not parts or not _VERSION.fullmatch(parts[0]):
        return supported[0], parts
    asked, *rest = parts
    if asked not in VERSIONS:
        raise GraphError(2500, f"Unknown path components: /{'/'.join(rest)}")
    return asked if asked in supported else supported[0], rest


def serving(visit: Visit) -> str:
    """The version that serves this call; the newest one for a path whose version never was."""
    try:
        return route(visit)[0]
    except GraphError:
        return VERSIONS[-1]


async def parameters(visit: Visit) -> dict[str, str]:
    """Query, form and JSON body as one; the body wins."""
    fields = await visit.fields()
    return fields | {name: str(value) for name, value in (await visit.json()).items()}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an app, and the token it holds; None for the app's own token (`id|secret`)."""

    app: App
    token: Token | None


def caller(visit: Visit, given: Mapping[str, str]) -> Caller:
    """Reads the token from header, query or body, and the proof that may come with it. Raises GraphError."""
    scheme, _, rest = visit.header("authorization").partition(" ")
    text = rest.strip() if scheme.lower() in ("bearer", "oauth") else given.get("access_token", "")
    if not text:
        raise GraphError(2500, "An active access token must be used to query information about the current user.")
    found = app_of(visit, text)
    token = None if found else living(visit, text)
    app = found or (visit.authority.app(token.client_id) if token else None)
    if app is None:
        raise unreadable()
    visit.token = token
    _check_proof(app, text, given.get("appsecret_proof", ""))
    return Caller(app, token)


def metered(visit: Visit, who: Caller) -> dict[str, str]:
    """Count a call of an app with the option `calls_an_hour`; the header that says how much is used. Raises GraphError 4 at the end."""
    limit = int(who.app.options.get("calls_an_hour", 0))
    if not limit:
        return {}
    spent = visit.world.limits.spend(f"graph {who.app.client_id}", limit=limit, window=timedelta(hours=1))
    used = min(100, round(100 * (limit - max(spent.left, 0)) / limit))
    header = {"x-app-usage": json.dumps({"call_count": used, "total_time": used // 2, "total_cputime": used // 2}, separators=(",", ":"))}
    if spent.left < 0:
        raise GraphError(4, "(#4) Application request limit reached", headers=header)
    return header


def app_of(visit: Visit, text: str) -> App | None:
    """The app whose own token `text` is; None for anything else."""
    client_id, bar, secret = text.partition("|")
    app = visit.authority.app(client_id) if bar else None
    return app if app is not None and app.secret_is(secret) else None


def living(visit: Visit, text: str) -> Token:
    """The token `text`, if it counts. Raises GraphError 190 with the subcode of its death."""
    try:
        return visit.authority.find(text)
    except Refused as refused:
        raise dead(visit, refused) from None


def unreadable() -> GraphError:
    """190: no token at all, by its looks."""
    return GraphError(190, "Invalid OAuth access token - Cannot parse access token", status=401, challenge="invalid_token")


def dead(visit: Visit, refused: Refused) -> GraphError:
    """Why a token does not count, in Meta's words."""
    if refused.why is Why.EXPIRED:
        then, now = _said(refused.at or visit.clock.now()), _said(visit.clock.now())
        message = f"Error validating access token: Session has expired on {then}. The current time is {now}."
        return GraphError(190, message, subcode=463, challenge="invalid_token")
    if refused.why is Why.REVOKED:
        subcode, message = DEATHS.get(refused.because, DEATHS["app_removed"])
        return GraphError(190, message.format(app=refused.app), subcode=subcode, challenge="invalid_token")
    return unreadable()


def _said(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%A, %d-%b-%y %H:%M:%S UTC")


def _check_proof(app: App, token: str, proof: str) -> None:
    if not proof and app.on("require_appsecret_proof"):
        raise GraphError(100, "API calls from the server require an appsecret_proof argument", type_of="GraphMethodException")
    made = hmac.new(app.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    if proof and not hmac.compare_digest(proof.encode(), made.encode()):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument", type_of="GraphMethodException")
