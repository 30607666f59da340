"""X's older ways in: OAuth 1.0a for people (RFC 5849, HMAC-SHA1), and a bearer token for the app alone (fact sheet §1.9, §4.2).

X gives an app a pair of API keys for these, apart from its OAuth 2.0 client; here they are the same two words. Tokens do not expire.
Time stamps and nonces are not judged: the sandbox has a clock of its own.
"""

import base64
import hashlib
import hmac
from dataclasses import dataclass
from urllib.parse import parse_qsl, quote, urlencode

from starlette.responses import JSONResponse, PlainTextResponse, Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token, random_text
from hitchpost_sandbox.grants import Consented
from hitchpost_sandbox.networks import x_problems
from hitchpost_sandbox.twin import Visit

KIND = "oauth1"
READS = ("tweet.read", "users.read")
WRITES = (*READS, "users.email", "tweet.write", "media.write", "follows.write")
"""What the app permissions Read, and Read and write, amount to in the words of OAuth 2.0."""
_UNAPPROVED = "Callback URL not approved for this client application."


@dataclass(slots=True)
class Pending:
    """A request token: whose trip it is, and what became of it."""

    client_id: str
    callback: str
    secret: str
    read_only: bool
    person: str = ""
    verifier: str = ""


def signs(visit: Visit) -> bool:
    """Whether a call is signed by OAuth 1.0a, in the header or in the query."""
    return visit.header("authorization").lower().startswith("oauth ") or "oauth_signature" in visit.query


async def caller(visit: Visit) -> Token | Response:
    """The token of a signed call, or X's refusal."""
    said = await _said(visit)
    app = visit.authority.app(said.get("oauth_consumer_key", ""))
    value = said.get("oauth_token", "")
    try:
        token = visit.authority.find(value, KIND)
    except Refused:
        return x_problems.legacy(visit, 401, 89, "Invalid or expired token.")
    if app is None or token.client_id != app.client_id or not await _signed(visit, app, _secrets(visit).get(value, "")):
        return _not_known(visit)
    return token


async def request_token(visit: Visit) -> Response:
    """POST /oauth/request_token: the first step, signed by the app alone."""
    said = await _said(visit)
    app = visit.authority.app(said.get("oauth_consumer_key", ""))
    if app is None or not await _signed(visit, app, ""):
        return _not_known(visit)
    callback = said.get("oauth_callback", "")
    if not app.accepts(callback):
        return x_problems.legacy(visit, 403, 415, _UNAPPROVED)
    token, secret = random_text(20), random_text(24)
    read_only = app.on("read_only") or said.get("x_auth_access_type") == "read"
    _pending(visit)[token] = Pending(app.client_id, callback, secret, read_only)
    return _form({"oauth_token": token, "oauth_token_secret": secret, "oauth_callback_confirmed": "true"})


async def authorize(visit: Visit) -> Response:
    """GET /oauth/authorize and /oauth/authenticate: the consent page; a refusal comes back as `denied`."""
    value = visit.query.get("oauth_token", "")
    trip = _pending(visit).get(value)
    app = visit.authority.app(trip.client_id) if trip is not None else None
    if trip is None or app is None or trip.person:
        text = "The request token for this page is invalid. It may have already been used, or expired because it is too old."
        return pages.stopped(visit, "Whoa there!", text, reason="request_token")
    answer = await consent.ask(
        visit,
        app,
        redirect_uri=trip.callback,
        scopes=READS if trip.read_only else WRITES,
        people=[person for person in visit.world.cast.people if person.x is not None],
        handle=lambda person: f"@{person.x.username}" if person.x else "",
    )
    if isinstance(answer, Response):
        return answer
    if not answer.allowed:
        del _pending(visit)[value]
        return visit.send_back(trip.callback, {"denied": value})
    trip.person, trip.verifier = answer.person.key, random_text(24)
    return visit.send_back(trip.callback, {"oauth_token": value, "oauth_verifier": trip.verifier})


async def access_token(visit: Visit) -> Response:
    """POST /oauth/access_token: the request token and its verifier, once, for a token that does not expire."""
    said = await _said(visit)
    app = visit.authority.app(said.get("oauth_consumer_key", ""))
    value = said.get("oauth_token", "")
    trip = _pending(visit).get(value)
    if app is None or trip is None or trip.client_id != app.client_id or not await _signed(visit, app, trip.secret):
        return _not_known(visit)
    if not trip.verifier or not hmac.compare_digest(trip.verifier.encode(), said.get("oauth_verifier", "").encode()):
        return PlainTextResponse("Error processing your OAuth request: Invalid oauth_verifier parameter", 401)
    del _pending(visit)[value]
    account = visit.world.cast[trip.person].x
    if account is None:
        return _not_known(visit)
    given = visit.authority.consent(app, trip.person, READS if trip.read_only else WRITES)
    token = visit.authority.issue(given, KIND, life=None, look=lambda text: f"{account.id}-{text[:40]}")
    secret = _secrets(visit)[token.value] = random_text(34)
    visit.token = token
    return _form({"oauth_token": token.value, "oauth_token_secret": secret, "user_id": account.id, "screen_name": account.username})


async def app_only(visit: Visit) -> Response:
    """POST /oauth2/token: a bearer token that speaks for the app and for nobody else."""
    apps = [(visit.authority.app(name), secret) for name, secret in visit.basics()]
    app = next((one for one, secret in apps if one is not None and one.secret_is(secret)), None)
    if app is None:
        wrong = {"code": 99, "message": "Unable to verify your credentials", "label": "authenticity_token_error"}
        return JSONResponse({"errors": [wrong]}, 403)
    if (await visit.fields()).get("grant_type") != "client_credentials":
        return JSONResponse(
            {"errors": [{"code": 170, "message": "Missing required parameter: grant_type", "label": "forbidden_missing_parameter"}]}, 403
        )
    tokens: dict[str, Token] = visit.authority.memory.setdefault("app_only", {})
    if app.client_id not in tokens or tokens[app.client_id].dead is not None:
        given = Consented(random_text(12), app.client_id, "", READS, (), visit.clock.now())
        tokens[app.client_id] = visit.authority.issue(given, "app_only", life=None, look=lambda text: "A" * 22 + text)
    # The same one each time, until it is invalidated.
    return JSONResponse({"token_type": "bearer", "access_token": tokens[app.client_id].value})


def _secrets(visit: Visit) -> dict[str, str]:
    found: dict[str, str] = visit.authority.memory.setdefault("oauth1_secrets", {})
    return found


def _pending(visit: Visit) -> dict[str, Pending]:
    found: dict[str, Pending] = visit.authority.memory.setdefault("oauth1_pending", {})
    return found


def _not_known(visit: Visit) -> Response:
    return x_problems.legacy(visit, 401, 32, "Could not authenticate you.")


def _form(values: dict[str, str]) -> Response:
    return Response(urlencode(values), 200, {"cache-control": "no-store"}, "text/html;charset=utf-8")


async def _parameters(visit: Visit) -> list[tuple[str, str]]:
    """Everything that is signed: the header's parameters, the query's and a form's (RFC 5849 §3.4.1.3.1)."""
    scheme, _, rest = visit.header("authorization").partition(" ")
    header = []
    if scheme.lower() == "oauth":
        pairs = [part.strip().partition("=") for part in rest.split(",")]
        header = parse_qsl("&".join(f"{name}={value.strip(chr(34))}" for name, _, value in pairs), keep_blank_values=True)
        header = [(name, value) for name, value in header if name != "realm"]
    form = {}
    if visit.header("content-type").startswith("application/x-www-form-urlencoded"):
        form = await visit.form()
    return [*header, *visit.query.multi_items(), *((name, value) for name, values in form.items() for value in values)]


async def _said(visit: Visit) -> dict[str, str]:
    return dict(await _parameters(visit))


async def _signed(visit: Visit, app: App, token_secret: str) -> bool:
    """Whether the signature is the app's and the token's (RFC 5849 §3.4.2), over the real address or over the one that was called."""
    parameters = await _parameters(visit)
    said = dict(parameters)
    if said.get("oauth_signature_method") != "HMAC-SHA1":
        return False
    pairs = sorted((_escaped(name), _escaped(value)) for name, value in parameters if name != "oauth_signature")
    text = "&".join(f"{name}={value}" for name, value in pairs)
    key = f"{_escaped(app.client_secret)}&{_escaped(token_secret)}".encode()
    called = str(visit.request.url).partition("?")[0]
    fits = False
    for address in (f"https://{visit.host}{visit.path}", f"http://{visit.host}{visit.path}", called):
        base = "&".join((visit.method, _escaped(address), _escaped(text)))
        made = base64.b64encode(hmac.new(key, base.encode(), hashlib.sha1).digest())
        fits |= hmac.compare_digest(made, said.get("oauth_signature", "").encode("utf-8", "replace"))
    return fits


def _escaped(text: str) -> str:
    return quote(text, safe="~")
