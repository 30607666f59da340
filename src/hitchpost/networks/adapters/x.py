"""X: one consent is one account, and every read of it is billed to the app's owner. Facts: docs/networks/x.md."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime

from hitchpost.networks import oauth2
from hitchpost.networks.answers import words
from hitchpost.networks.base import (
    Adapter,
    Call,
    Candidate,
    Consent,
    Derived,
    Kind,
    Listing,
    Login,
    OAuthFacts,
    Picked,
    Renewal,
    Revocation,
    Subject,
    TokenSet,
    Verdict,
)
from hitchpost.networks.errors import Expected, Fault, FaultKind, Place, judge, moment
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

_ME = "https://api.x.com/2/users/me"
_FIELDS = "profile_image_url,protected,verified,subscription_type"
_REVOKE = "https://api.x.com/2/oauth2/revoke"
_NEEDED = ("tweet.read", "users.read", "tweet.write", "offline.access")
"""Without `media.write` an account still posts text; without `offline.access` the connection ends after two hours."""
_LIMITS = ("x-rate-limit", "x-app-limit-24hour", "x-user-limit-24hour")
_TITLES = {"Unauthorized": "unauthorized", "Forbidden": "forbidden"}
"""Problems of type `about:blank` that mean something to us; any other title is free text and stays out of codes."""
_API, _TOKEN = "docs/networks/x.md#at-the-api", "docs/networks/x.md#at-the-token-endpoint"

_CONSOLE = "at https://console.x.com"
_KEYS = f"Whoever runs this server must copy the OAuth 2.0 client id and client secret again, and make the app a Web App, {_CONSOLE}."
_UNLOCK = "Sign in at https://x.com and follow what it asks there, then connect again."

# One row a line reads as the table it is.
# fmt: off
AT_THE_TOKEN_ENDPOINT: tuple[Expected, ...] = (
    Expected(("unauthorized_client", "invalid_client"), FaultKind.MISCONFIGURED, "the client id or the client secret is wrong", _TOKEN,
             how=_KEYS),
    Expected(("invalid_request",), FaultKind.REFUSED, "the code is wrong, was used before, or is older than 30 seconds", _TOKEN,
             says="the authorization code was invalid", mark="code"),
    Expected(("invalid_request",), FaultKind.REFUSED, "the redirect URI differs from the one of the consent page", _TOKEN,
             says="redirect uri did not match", mark="redirect_uri"),
    Expected(("invalid_request",), FaultKind.REFUSED, "the code belongs to another start", _TOKEN, says="code verifier did not match",
             mark="code_verifier"),
    Expected(("invalid_request",), FaultKind.REFUSED, "the access was taken back, used up or has expired", _TOKEN,
             says="the token was invalid", mark="token"),
    Expected(("invalid_request",), FaultKind.MISCONFIGURED, "it misses something in the request of this server's app", _TOKEN,
             says="missing required parameter", mark="missing"),
    Expected(("invalid_grant",), FaultKind.REFUSED, "the access was taken back, used up or has expired", _TOKEN),
)
"""What the token and revoke endpoints answer: `invalid_request` is told apart by its words alone."""

EXPECTED: tuple[Expected, ...] = (
    Expected((), FaultKind.MISCONFIGURED, "its prepaid credits are used up", _API, status="402",
             how=f"Whoever runs this server must top up the app's credits {_CONSOLE}."),
    Expected(("usage-capped",), FaultKind.MISCONFIGURED, "its spending limit or usage cap is reached", _API,
             how=f"Whoever runs this server must raise the spending limit {_CONSOLE}, or wait for the next cycle."),
    Expected(("client-forbidden", "453"), FaultKind.MISCONFIGURED, "it is not enrolled in a package, or not in Production", _API,
             how=f"Whoever runs this server must put the app into a package and into Production {_CONSOLE}."),
    Expected(("app-suspended",), FaultKind.MISCONFIGURED, "it is suspended", _API,
             how=f"Whoever runs this server must ask X why, {_CONSOLE}."),
    Expected(("oauth1-permissions",), FaultKind.MISCONFIGURED, "its permissions are set to “Read” only", _API,
             how=f"Whoever runs this server must set “Read and write” {_CONSOLE}; then connect again."),
    Expected(("unsupported-authentication",), FaultKind.MISCONFIGURED, "it is not set up for OAuth 2.0 user access", _API,
             how=f"Whoever runs this server must set up user authentication {_CONSOLE}; then connect again."),
    Expected(("user-suspended", "64"), FaultKind.BLOCKED, "the account is suspended", _API, how=_UNLOCK),
    Expected(("326",), FaultKind.BLOCKED, "the account is locked until it is unlocked at x.com", _API, how=_UNLOCK),
    Expected(("unauthorized", "32", "89"), FaultKind.REVOKED, "the access has expired or was taken back", _API, status="401"),
    Expected(("forbidden",), FaultKind.PERMISSION, "a permission was not granted", _API, status="403"),
    Expected(("not-authorized-for-resource", "not-authorized-for-field", "field-unauthorized"), FaultKind.PERMISSION,
             "the account may not see this", _API, status="403"),
    Expected(("88", "rate-limit-exceeded"), FaultKind.THROTTLED, "", _API),
)
"""What the API answers, by the last segment of `type`, the legacy number, or the title where the type says nothing."""
# fmt: on

_LOGIN = Login(
    key="x",
    slot="x",
    authority="x",
    title="X",
    oauth=OAuthFacts(
        authorize_url="https://x.com/i/oauth2/authorize",
        token_url="https://api.x.com/2/oauth2/token",  # noqa: S106  an address, not a password
        client_auth="basic",
        pkce=True,
    ),
    scopes={"": ("tweet.read", "users.read", "tweet.write", "media.write", "offline.access")},
    asks=(
        "see the account's name, picture and posts",
        "publish and delete posts, with pictures and videos",
        "stay connected until you disconnect",
    ),
    before=("This browser is signed in at x.com with the account that you want to connect: X does not ask which one.",),
    expected={Place.TOKEN: AT_THE_TOKEN_ENDPOINT, Place.API: EXPECTED},
    renewal=Renewal.ROTATING,
    # Each look is billed, and a renewal about every 80 minutes proves for nothing that the access lives.
    examined_every=None,
)


@dataclass(frozen=True, slots=True)
class _User:
    id: str
    name: str
    username: str
    image: str = ""
    protected: str = ""


class X(Adapter):
    """OAuth 2.0 with PKCE; the account is the subject and the only candidate."""

    provider = "x"
    title = "X"
    mark = "M4 4h4.6l4.2 5.7L17.7 4h2.4l-6.2 7.3L20.4 20h-4.6l-4.5-6.1L6 20H3.6l6.6-7.7z"
    colour = "#0f1419"
    logins = (_LOGIN,)
    image_hosts = ("pbs.twimg.com", "abs.twimg.com")
    switch_account = (
        "X connects the account that this browser is signed in with and does not ask. "
        "To use another one, switch accounts at https://x.com first, then connect again."
    )
    remove_app = "Open https://x.com/settings/connected_apps, choose the app and revoke its permissions."

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        answer = await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=verifier)
        if not answer.ok:
            raise _refusal(answer, call.now)
        tokens = oauth2.token_set(call, answer.json())
        user = await _me(call, tokens.access)
        kept = replace(tokens, extras=asdict(user))
        subject = Subject(user.id, user.name, user.username, user.image)
        return Consent(kept, subject, tokens.scopes, oauth2.ungranted(call, tokens.scopes))

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        # A read is billed, so what the exchange has just read is not read again.
        user = _remembered(tokens.extras) or await _me(call, tokens.access)
        return Listing((_candidate(call, tokens, user),))

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        # Examined for real: it proves that the token still lives, and X bills the same user once a day only.
        candidate = _candidate(call, tokens, await _me(call, tokens.access))
        return tuple(Derived(candidate if one.external_id == candidate.external_id else _another(one)) for one in picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        answer = await oauth2.renew(call, tokens)
        if not answer.ok:
            raise _refusal(answer, call.now)
        return oauth2.token_set(call, answer.json())

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        live = [(tokens.refresh, "refresh_token"), (tokens.access, "access_token")]
        ended = [await _ended(call, token, hint) for token, hint in live if token]
        return Revocation.DONE if any(ended) else Revocation.ALREADY_DEAD


def _another(picked: Picked) -> Candidate:
    verdict = Verdict.of(
        "other_account",
        "The consent was given for another X account.",
        "Switch to this account at https://x.com, then connect again.",
    )
    return Candidate(Kind.ACCOUNT, picked.external_id, picked.external_id, verdict=verdict)


def _candidate(call: Call, tokens: TokenSet, user: _User) -> Candidate:
    verdict = oauth2.unpermitted(call, tokens.scopes, _NEEDED) or _remarked(call, tokens, user)
    return Candidate(Kind.ACCOUNT, user.id, user.name, user.username, user.image, verdict=verdict)


def _remarked(call: Call, tokens: TokenSet, user: _User) -> Verdict:
    """A good verdict, with what the person should know nevertheless."""
    remarks = []
    if "media.write" not in (call.login.asked(call.app) if tokens.scopes is None else tokens.scopes):
        remarks.append("Posts can hold text only: the permission media.write was not granted.")
    if user.protected:
        remarks.append("This account is protected: only its followers see its posts.")
    return Verdict(why=" ".join(remarks))


async def _me(call: Call, access: Secret) -> _User:
    """The account that the token speaks for; one billed read. Raises Fault."""
    answer = await call.http.get(_ME, query={"user.fields": _FIELDS}, bearer=access.reveal())
    if not answer.ok:
        raise _fault(answer, call.now)
    data = answer.json().get("data")
    if not isinstance(data, dict):
        # X may answer 200 with nothing but `errors`.
        raise _fault(answer, call.now)
    return _User(
        oauth2.text(data, "id"),
        oauth2.text(data, "name"),
        oauth2.text(data, "username"),
        _large(words(data, "profile_image_url")),
        "yes" if data.get("protected") is True else "",
    )


def _large(image: str) -> str:
    """The 400-pixel variant of a picture's address; X names the 48-pixel one."""
    return re.sub(r"_normal(?=\.\w+$)", "_400x400", image)


def _remembered(extras: Mapping[str, str]) -> _User | None:
    try:
        return _User(extras["id"], extras["name"], extras["username"], extras["image"], extras["protected"])
    except KeyError:
        return None


async def _ended(call: Call, token: Secret, hint: str) -> bool:
    """Whether the revoke call ended this token; False when it was dead already. Raises Fault."""
    app = call.app
    form = {"token": token.reveal(), "token_type_hint": hint, "client_id": app.client_id}
    answer = await call.http.post(_REVOKE, form=form, basic=(app.client_id, app.client_secret.reveal()))
    if answer.ok:
        return True
    fault = _refusal(answer, call.now)
    if fault.kind is FaultKind.REFUSED:
        return False
    raise fault


def _refusal(answer: Answer, now: datetime) -> Fault:
    """The Fault for a failed answer of the token or revoke endpoint: `error`, told apart further by its description."""
    body = _read(answer)
    return judge(AT_THE_TOKEN_ENDPOINT, answer.status, body.get("error"), words(body, "error_description"), retry_at=_retry_at(answer, now))


def _fault(answer: Answer, now: datetime) -> Fault:
    """The Fault for a failed answer of the API."""
    return judge(EXPECTED, answer.status, _code(answer.status, _read(answer)), retry_at=_retry_at(answer, now))


def _code(status: int, body: Json) -> str:
    """The problem's last path segment (the host before it varies), else its legacy number, else one of two titles, else the status."""
    errors = body.get("errors")
    first = errors[0] if isinstance(errors, list) and errors and isinstance(errors[0], dict) else {}
    for problem in (body, first):
        slug = str(problem.get("type", "")).rpartition("/")[2]
        if re.fullmatch(r"[a-z0-9-]{1,40}", slug):
            return slug
    number = first.get("code")
    if isinstance(number, int) and not isinstance(number, bool):
        return str(number)
    return _TITLES.get(str(body.get("title")), f"http_{status}")


def _read(answer: Answer) -> Json:
    """The answer's object, or an empty one: a page of a proxy in between is judged by its status alone."""
    try:
        return answer.json()
    except Fault:
        return {}


def _retry_at(answer: Answer, now: datetime) -> datetime | None:
    """When the limits that are used up open again; the 15-minute window's end when none says so."""
    spent = [limit for limit in _LIMITS if answer.headers.get(f"{limit}-remaining") == "0"] or _LIMITS[:1]
    found = [at for limit in spent if (at := moment(answer.headers.get(f"{limit}-reset", ""), now)) is not None]
    return max(found, default=None)
