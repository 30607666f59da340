"""Meta's Graph protocol from the network's side: versions, tokens in three places, proofs, errors, `fields`, cursors.

For the twins whose hosts speak it (graph.facebook.com, graph.instagram.com). App options read here: `SWITCHES`.
"""

import hashlib
import hmac
import json
import re
from collections.abc import Iterable, Mapping
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
    "v27.0": date.max,
}
_NEXT = "v27.0"
"""Introduced on 4 November 2026; its number follows from the sequence only."""
_VERSION = re.compile(r"v\d+\.\d+")
_TRACE_BYTES = 8
SWITCHES = {
    "require_appsecret_proof": "every call must carry appsecret_proof",
    "made_with": "the version that was newest when the app was made: it serves calls without one in their path (default: the newest)",
    "next_version": f"{_NEXT} exists (that a version came on 4 November 2026 is documented, its number inferred; default: unknown)",
    "errors_400": "every error answers HTTP 400 (which status each has is not established; default: 401, 403 and 500 where they are seen)",
    "calls_an_hour": "so many calls an hour, with the usage headers climbing to 100 and then error 4, 80001 or 80002 (default: no limit)",
    "page_limit": "objects in one answer of a list, at most (not established; public clients ask for 100; default: 25)",
    "quota_total": "how many posts a day `content_publishing_limit` allows (25, 50 and 100 are all reported; default: 100)",
    "quota_usage": "how many of them are used up (default: 0)",
}
OTHER_REDIRECT = (
    "Error validating verification code. Please make sure your redirect_uri is identical to the one you used in the OAuth dialog request"
)


class GraphError(Exception):
    """An error as the Graph hosts word it. `challenge`: the word in WWW-Authenticate. `people`: title and text to show to people."""

    def __init__(
        self,
        code: int,
        message: str,
        *,
        subcode: int = 0,
        status: int = 400,
        type_of: str = "OAuthException",
        challenge: str = "invalid_request",
        transient: bool = False,
        people: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.subcode = subcode
        self.status = status
        self.type_of = type_of
        self.challenge = challenge
        self.transient = transient
        self.people = people
        self.headers = dict(headers or {})


def answer(version: str, body: object) -> Response:
    """A good answer; the version that really served it stands in a header."""
    return JSONResponse(body, headers={"facebook-api-version": version, "cache-control": "private, no-store"})


def refusal(version: str, error: GraphError) -> Response:
    """The error object, with the headers that come with it."""
    said: dict[str, object] = {"message": error.message, "type": error.type_of, "code": error.code}
    if error.subcode:
        said["error_subcode"] = error.subcode
    if error.transient:
        said["is_transient"] = True
    if error.people:
        said["error_user_title"], said["error_user_msg"] = error.people
    said["fbtrace_id"] = random_text(_TRACE_BYTES)
    # Nothing that a caller sent may end a header's line.
    quoted = re.sub(r"[^\x20-\x7e]", "?", error.message.replace('"', "'"))
    headers = {
        "facebook-api-version": version,
        "cache-control": "no-store",
        "www-authenticate": f'OAuth "Facebook Platform" "{error.challenge}" "{quoted}"',
    }
    return JSONResponse({"error": said}, error.status, headers | error.headers)


def refused(visit: Visit, version: str, given: Mapping[str, str], error: GraphError) -> Response:
    """The same, in the way that the calling app has been switched to."""
    app = app_behind(visit, given)
    if app is not None and app.on("errors_400"):
        error.status = 400
    if app is not None and app.on("errors_of_instagram"):
        error.type_of = "IGApiException"
    return refusal(version, error)


def no_such(thing: str, method: str = "get") -> GraphError:
    """100/33: does not exist, is not visible to this token, or does not support the call; the network never says which."""
    return GraphError(
        100,
        f"Unsupported {method} request. Object with ID '{thing}' does not exist, cannot be loaded due to missing permissions, "
        "or does not support this operation",
        subcode=33,
        type_of="GraphMethodException",
    )


def app_behind(visit: Visit, given: Mapping[str, str]) -> App | None:
    """The app that a call is made for, by its id or token of any age; None where it does not say."""
    text = token_text(visit, given)
    consented = visit.authority.whose(text) if text else None
    client_id = consented.client_id if consented else text.partition("|")[0] if "|" in text else given.get("client_id", "")
    return visit.authority.app(client_id)


def route(visit: Visit, given: Mapping[str, str]) -> tuple[str, list[str]]:
    """The version that serves this call and the path's parts after it. Raises GraphError for a version that never was.

    A retired version is served by the oldest that is still supported; a call without one by the newest of the day the app was made.
    """
    parts = [part for part in visit.path.split("/") if part]
    today, app = visit.clock.now().date(), app_behind(visit, given)
    known = (*VERSIONS, _NEXT) if app is not None and app.on("next_version") else VERSIONS
    supported = [version for version in known if today < _STILL_THERE_UNTIL.get(version, date.min)]
    if not parts or not _VERSION.fullmatch(parts[0]):
        made_with = str(app.options.get("made_with", known[-1])) if app is not None else known[-1]
        return made_with if made_with in supported else supported[0], parts
    asked, *rest = parts
    if asked not in known:
        raise GraphError(2500, f"Unknown path components: /{'/'.join(rest)}")
    return asked if asked in supported else supported[0], rest


def serving(visit: Visit) -> str:
    """The version that serves this call, as far as its address tells; the newest one for a path whose version never was."""
    try:
        return route(visit, visit.query)[0]
    except GraphError:
        return VERSIONS[-1]


def paths(*behind: str, alone: Iterable[str] = ()) -> tuple[str, ...]:
    """The paths of a Graph host: `behind` a version or none, `alone` without one; each with and without a slash at its end.

    What stands all alone is an object only if it looks like one.
    """
    plain = [one for one in behind if one != "/{id}"]
    every = (*alone, "/me", "/{id:int}", *plain, *(f"/v{{major:int}}.{{minor:int}}{one}" for one in behind))
    return tuple(path + end for path in every for end in ("", "/"))


async def parameters(visit: Visit) -> dict[str, str]:
    """Query, form and JSON body as one; the body wins."""
    fields = await visit.fields()
    return fields | {name: str(value) for name, value in (await visit.json()).items()}


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls: an app, and the token it holds; None for the app's own token (`id|secret`)."""

    app: App
    token: Token | None


def token_text(visit: Visit, given: Mapping[str, str]) -> str:
    """The token that came in header, query or body."""
    scheme, _, rest = visit.header("authorization").partition(" ")
    return rest.strip() if scheme.lower() in ("bearer", "oauth") else given.get("access_token", "")


def caller(visit: Visit, given: Mapping[str, str]) -> Caller:
    """Reads the token from header, query or body, and the proof that may come with it. Raises GraphError."""
    text = token_text(visit, given)
    if not text:
        raise GraphError(2500, "An active access token must be used to query information about the current user.")
    found = app_of(visit, text)
    token = None if found else living(visit, text)
    app = found or (visit.authority.app(token.client_id) if token else None)
    if app is None:
        raise unreadable()
    visit.token = token
    check_proof(app, text, given.get("appsecret_proof", ""))
    return Caller(app, token)


def metered(visit: Visit, who: Caller, business: str = "", use: str = "pages") -> dict[str, str]:
    """Count a call of an app with the option `calls_an_hour`; the header that says how much is used. Raises GraphError at the end.

    `business`: the object whose own allowance is counted, as for tokens of Pages, system users and Instagram; else it is the app's.
    """
    limit = int(who.app.options.get("calls_an_hour", 0))
    if not limit:
        return {}
    spent = visit.world.limits.spend(f"graph {who.app.client_id} {business}", limit=limit, window=timedelta(hours=1))
    used = min(100, round(100 * (limit - max(spent.left, 0)) / limit))
    usage: dict[str, object] = {"call_count": used, "total_cputime": used // 2, "total_time": used // 2}
    if business:
        said: object = {business: [{"type": use, **usage, "estimated_time_to_regain_access": 12 if spent.left < 0 else 0}]}
    else:
        said = usage
    header = {"x-business-use-case-usage" if business else "x-app-usage": json.dumps(said, separators=(",", ":"))}
    if spent.left < 0 and business:
        code, whose = (80002, "Instagram") if use == "instagram" else (80001, "Page")
        message = f"(#{code}) There have been too many calls to this {whose} account. Wait a bit and try again."
        raise GraphError(code, message, headers=header)
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


def check_proof(app: App, token: str, proof: str) -> None:
    """hex(HMAC-SHA256(secret, token)): wrong when it comes, missing when the app demands it. Raises GraphError."""
    if not proof and app.on("require_appsecret_proof"):
        raise GraphError(100, "API calls from the server require an appsecret_proof argument", type_of="GraphMethodException")
    made = hmac.new(app.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    if proof and not hmac.compare_digest(proof.encode(), made.encode()):
        raise GraphError(100, "Invalid appsecret_proof provided in the API argument", type_of="GraphMethodException")
