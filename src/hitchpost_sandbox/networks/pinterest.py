"""Pinterest as its own documents and public clients know it: no PKCE, codes of 10 minutes, refresh tokens that renew themselves.

Its API stands on two hosts, one of them for trials; a token of one is nothing at the other. What Pinterest leaves open is decided
strictly here: a refresh token works once, and another redirect URI than before makes the code worthless; other answers are switches.
App options, errors and turns: `pinterest_words`.
"""

import re
from datetime import timedelta
from typing import Any

from starlette.responses import Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import random_text
from hitchpost_sandbox.grants import Consented, Refused, Token, Why
from hitchpost_sandbox.networks import pinterest_v1, pinterest_words
from hitchpost_sandbox.networks.pinterest_accounts import ad_account, ad_accounts, businesses, user_account
from hitchpost_sandbox.networks.pinterest_api import (
    FAILED,
    FORBIDDEN,
    THROTTLED,
    Said,
    answer,
    environment,
    fails,
    invalid,
    lost,
    spend,
    unfit,
)
from hitchpost_sandbox.networks.pinterest_boards import board, boards, create_board, sections
from hitchpost_sandbox.twin import Route, Twin, Visit

CODE_LIFE = timedelta(minutes=10)
ACCESS_LIFE = timedelta(days=30)
REFRESH_LIFE = timedelta(days=60)
LEGACY_REFRESH_LIFE = timedelta(days=365)
_JWT_HEADER = "eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9"

SCOPES = {
    "user_accounts:read": "See your user accounts and followers",
    "user_accounts:write": "Update your user accounts and followers",
    "boards:read": "See your public boards, including group boards you join",
    "boards:read_secret": "See your secret boards",
    "boards:write": "Create, update, or delete your public boards",
    "boards:write_secret": "Create, update, or delete your secret boards",
    "pins:read": "See your public Pins",
    "pins:read_secret": "See your secret Pins",
    "pins:write": "Create, update, or delete your public Pins",
    "pins:write_secret": "Create, update, or delete your secret Pins",
    "msot:write": "Send offline conversions",
    "billing:read": "See your billing data",
    "billing:write": "Update your billing data",
    "ads:read": "See your advertising data",
    "ads:write": "Update your advertising data",
    "biz_access:read": "See business access data",
    "biz_access:write": "Update business access data",
    "catalogs:read": "See your catalogs",
    "catalogs:write": "Update your catalogs",
}


async def authorize(visit: Visit) -> Response:
    """GET /oauth/: the consent page and its answer. What is wrong with the request is shown to the person alone."""
    query = visit.query
    client_id = query.get("client_id", "") or query.get("consumer_id", "")
    app = visit.authority.app(client_id)
    redirect_uri = query.get("redirect_uri", "")
    scopes = _scopes(query.get("scope", ""))
    fault = _fault_of_request(visit, app, redirect_uri, scopes)
    if app is None or fault:
        text = f"The provided redirect_uri {redirect_uri} does not match any of the registered redirect URIs."
        if fault != "redirect_uri":
            text = "You are not permitted to access that resource."
        return pages.stopped(visit, "Something went wrong", text, reason=fault, app=client_id)
    decision = await consent.ask(
        visit,
        app,
        redirect_uri=redirect_uri,
        scopes=scopes,
        people=[person for person in visit.world.cast.people if person.pinterest is not None],
        handle=lambda person: f"@{person.pinterest.username}" if person.pinterest else "",
    )
    if isinstance(decision, Response):
        return decision
    state = query.get("state", "")
    if not decision.allowed:
        described = {"error_description": pinterest_words.REFUSED} if app.on("refusal_is_described") else {}
        return visit.send_back(redirect_uri, {"error": "access_denied", **described, "state": state})
    withheld = str(app.options.get("withholds", "")).split()
    given = visit.authority.consent(app, decision.person.key, [scope for scope in decision.scopes if scope not in withheld])
    life = timedelta(minutes=int(app.options["code_minutes"])) if app.on("code_minutes") else CODE_LIFE
    code = visit.authority.open_code(given, redirect_uri, life=life)
    return visit.send_back(redirect_uri, {"code": code, "state": state})


def _fault_of_request(visit: Visit, app: App | None, redirect_uri: str, scopes: tuple[str, ...]) -> str:
    """Why Pinterest would show its error page, in the ledger's words; empty when nothing is wrong."""
    if app is None:
        return "unknown_client"
    if not app.accepts(redirect_uri):
        return "redirect_uri"
    if visit.query.get("response_type") != "code":
        return "response_type"
    if not scopes or not all(scope in SCOPES and app.allows(scope) for scope in scopes):
        return "scope"
    return ""


def _scopes(text: str) -> tuple[str, ...]:
    """Scopes joined by commas or by spaces."""
    return tuple(dict.fromkeys(scope for scope in re.split(r"[,\s]+", text) if scope))


async def token(visit: Visit) -> Response:
    """POST /v5/oauth/token: a code or a refresh token for a new pair; who calls is told by Basic alone."""
    app = _client(visit)
    spent = spend(visit, app.client_id) if app else spend(visit)
    if app is None:
        return answer(visit, fails(401, FAILED), spent)
    if spent.left < 0:
        return answer(visit, fails(429, THROTTLED), spent)
    form = {name: values[-1] for name, values in (await visit.form()).items()}
    grant = form.get("grant_type", "")
    if grant == "authorization_code":
        said = _code_grant(visit, app, form)
    elif grant == "refresh_token":
        said = _refresh_grant(visit, app, form)
    elif grant == "client_credentials":
        said = _client_grant(visit, app, form)
    elif not grant:
        said = invalid("'grant_type' is a required property")
    else:
        said = invalid(f"'{grant}' is not one of ['authorization_code', 'refresh_token', 'client_credentials']")
    return answer(visit, said, spent)


def _client(visit: Visit) -> App | None:
    for name, secret in visit.basics():
        app = visit.authority.app(name)
        if app is not None and app.secret_is(secret):
            return app
    return None


def _code_grant(visit: Visit, app: App, form: dict[str, str]) -> Said:
    for name in ("code", "redirect_uri"):
        if not form.get(name):
            return invalid(f"'{name}' is a required property")
    try:
        given = visit.authority.redeem(form["code"], app, form["redirect_uri"])
    except Refused as refused:
        if refused.why is Why.OTHER_REDIRECT and app.on("redirect_mismatch_is_400"):
            return invalid("'redirect_uri' is not the one of the authorization request")
        return fails(401, pinterest_words.DEAD_GRANT)
    legacy = app.on("before_september_2025") and form.get("continuous_refresh") != "true"
    body = _pair(visit, given, given.scopes, LEGACY_REFRESH_LIFE if legacy else REFRESH_LIFE)
    return Said(200, body | {"response_type": "authorization_code"})


def _refresh_grant(visit: Visit, app: App, form: dict[str, str]) -> Said:
    value = form.get("refresh_token", "")
    if not value:
        return invalid("'refresh_token' is a required property")
    asked = _scopes(form.get("scope", ""))
    try:
        old = visit.authority.take_refresh(value, app, kind=_kind(visit, "refresh"), rotate=not app.on("old_refresh_lives"), scopes=asked)
    except Refused as refused:
        if refused.why is Why.NARROWER:
            return invalid("'scope' names more than was granted")
        return fails(401, pinterest_words.DEAD_GRANT)
    body = _pair(visit, old.consented, asked or old.scopes, REFRESH_LIFE)
    ends = int((visit.clock.now() + REFRESH_LIFE).timestamp())
    return Said(200, body | {"response_type": "refresh_token", "refresh_token_expires_at": ends})


def _client_grant(visit: Visit, app: App, form: dict[str, str]) -> Said:
    """A token for the account that owns the app, without a consent page and without a refresh token."""
    people = {person.key: person.pinterest for person in visit.world.cast.people if person.pinterest is not None}
    first = next((key for key, account in people.items() if account.account_type == "BUSINESS"), "")
    owner = str(app.options.get("owner") or first)
    scopes = _scopes(form.get("scope", "")) or tuple(scope for scope in SCOPES if app.allows(scope))
    if owner not in people:
        return fails(403, FORBIDDEN)
    if not all(scope in SCOPES and app.allows(scope) for scope in scopes):
        return invalid(f"'scope' is not among {sorted(SCOPES)}")
    given = Consented(random_text(12), app.client_id, owner, scopes, (), visit.clock.now())
    visit.token = visit.authority.issue(given, _kind(visit, "access"), life=ACCESS_LIFE, look=lambda text: f"pinc_{text}")
    return Said(200, _access(visit.token, ACCESS_LIFE) | {"response_type": "client_credentials"})


def _pair(visit: Visit, given: Consented, scopes: tuple[str, ...], refresh_life: timedelta) -> dict[str, Any]:
    """A new pair; access tokens given before live on until their own end."""
    issue = visit.authority.issue
    app = visit.authority.app(given.client_id)
    short = environment(visit) == "sandbox" and app is not None and app.on("sandbox_tokens_live_a_day")
    life = timedelta(days=1) if short else ACCESS_LIFE
    access = issue(given, _kind(visit, "access"), life=life, scopes=scopes, look=lambda text: f"pina_{text}")
    refresh = issue(given, _kind(visit, "refresh"), life=refresh_life, scopes=scopes, look=lambda text: f"pinr.{_JWT_HEADER}.{text}")
    visit.token = access
    more = {"refresh_token": refresh.value, "refresh_token_expires_in": int(refresh_life.total_seconds())}
    return _access(access, life) | more


def _access(token: Token, life: timedelta) -> dict[str, Any]:
    scope = " ".join(sorted(token.scopes))
    return {"access_token": token.value, "token_type": "bearer", "expires_in": int(life.total_seconds()), "scope": scope}


def _kind(visit: Visit, kind: str) -> str:
    return f"{environment(visit)}_{kind}"


async def revoke(visit: Visit) -> Response:
    """POST /v5/oauth/token/revoke: for system users alone; a person's token stays alive."""
    app = _client(visit)
    spent = spend(visit, app.client_id) if app else spend(visit)
    if app is None:
        return answer(visit, fails(401, FAILED), spent)
    value = (await visit.form()).get("token", [""])[-1]
    if not value:
        return answer(visit, invalid("'token' is a required property"), spent)
    given = visit.authority.whose(value)
    if not app.on("system_user") or given is None or given.client_id != app.client_id:
        return answer(visit, fails(403, FORBIDDEN), spent)
    visit.authority.revoke(value)
    return answer(visit, Said(200, None), spent)


_API = ("api.pinterest.com", "api-sandbox.pinterest.com")

TWIN = Twin(
    network="pinterest",
    title="Pinterest",
    authority="pinterest",
    routes=(
        Route(("www.pinterest.com", "api.pinterest.com"), "GET POST", "/oauth/", authorize),
        Route(("www.pinterest.com",), "GET POST", "/oauth", authorize),
        Route(("api.pinterest.com",), "POST", "/v1/oauth/token", pinterest_v1.token),
        Route(("api.pinterest.com",), "GET", "/v1/me/", pinterest_v1.me),
        Route(_API, "POST", "/v5/oauth/token", token),
        Route(_API, "POST", "/v5/oauth/token/revoke", revoke),
        Route(_API, "GET", "/v5/user_account", user_account),
        Route(_API, "GET", "/v5/user_account/businesses", businesses),
        Route(_API, "GET", "/v5/ad_accounts", ad_accounts),
        Route(_API, "GET", "/v5/ad_accounts/{ad_account_id}", ad_account),
        Route(_API, "GET", "/v5/boards", boards),
        Route(_API, "POST", "/v5/boards", create_board),
        Route(_API, "GET", "/v5/boards/{board_id}", board),
        Route(_API, "GET", "/v5/boards/{board_id}/sections", sections),
    ),
    lost=lost,
    unfit=unfit,
    picture_hosts=("i.pinimg.com",),
    picture_path="/{width:int}x{rest:path}.png",
    colour="#bd081c",
    allow="Give access",
    cancel="Cancel",
    scope_words=SCOPES,
    errors=pinterest_words.ERRORS,
    turns=pinterest_words.TURNS,
    switches=pinterest_words.SWITCHES,
)
