"""debug_token: what a token is, told to its own app. A dead one is no error; it says so inside."""

from collections.abc import Mapping
from datetime import datetime

from hitchpost_sandbox import graph
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Refused, Token
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.networks import facebook_logins
from hitchpost_sandbox.networks.facebook_logins import SYSTEM, Login
from hitchpost_sandbox.twin import Visit

_TYPES = {"page": "PAGE", SYSTEM: "SYSTEM_USER"}
# Permissions that hold for single Pages, accounts or businesses, by how their names begin.
_GRANULAR = {"pages": "page", "instagram": "instagram", "business": "business"}


def inspected(visit: Visit, given: Mapping[str, str]) -> dict[str, object]:
    """The object in `data`. Raises GraphError."""
    text = graph.token_text(visit, given)
    asking = graph.app_of(visit, text) or _developers(visit, text)
    if asking is None:
        raise GraphError(
            100, "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app"
        )
    graph.check_proof(asking, text, given.get("appsecret_proof", ""))
    if not given.get("input_token"):
        raise GraphError(100, "(#100) The parameter input_token is required.")
    asked = graph.app_of(visit, given["input_token"])
    if asked is not None and asked.client_id == asking.client_id:
        return {"app_id": _app_id(asking), "type": "APP", "application": asked.title, "is_valid": True, "scopes": []}
    try:
        token = visit.authority.find(given["input_token"])
    except Refused as refused:
        error = graph.dead(visit, refused)
        said: dict[str, object] = {"code": error.code, "message": error.message}
        if error.subcode:
            said["error_subcode" if asking.on("debug_error_subcode") else "subcode"] = error.subcode
        return {"app_id": _app_id(asking), "is_valid": False, "scopes": [], "error": said}
    if token.client_id != asking.client_id:
        message = "(#100) The App_id in the input_token did not match the Viewing App"
        theirs = visit.authority.app(token.client_id) or asking
        return {"app_id": _app_id(theirs), "is_valid": False, "scopes": [], "error": {"code": 100, "message": message}}
    return _alive(visit, asking, token)


def _alive(visit: Visit, app: App, token: Token) -> dict[str, object]:
    login = facebook_logins.of_token(visit.authority, token)
    scopes = [name for name, status in login.permissions.items() if status == facebook_logins.GRANTED]
    person = visit.world.cast[token.person]
    whose = facebook_logins.business(visit.authority, token.consented)
    body: dict[str, object] = {
        "app_id": _app_id(app),
        "type": _TYPES.get(token.kind, "USER"),
        "application": app.title,
        "data_access_expires_at": facebook_logins.data_access_ends(token.consented),
        "expires_at": _unix(token.expires_at) if token.expires_at else 0,
        "is_valid": True,
        "scopes": scopes,
        "granular_scopes": [_granular(scope, login) for scope in scopes if scope != facebook_logins.AUTOMATIC],
        "user_id": (facebook_logins.system_user_id if whose else facebook_logins.user_id)(person, token.client_id),
    }
    if metadata := facebook_logins.how(visit.authority, token.consented):
        body["metadata"] = metadata
    plain = app.on("plain_debug_token")
    if plain or token.kind != "user":
        body["issued_at"] = _unix(token.issued_at)
    if plain and token.kind == SYSTEM:
        body["type"] = "USER"
    if token.kind == "page" and not plain:
        body["profile_id"] = token.subject
    return body


def _developers(visit: Visit, text: str) -> App | None:
    """The app of a living user token whose person has a role in it."""
    try:
        token = visit.authority.find(text, "user", facebook_logins.LONG) if text else None
    except Refused:
        return None
    app = visit.authority.app(token.client_id) if token is not None else None
    return app if token is not None and app is not None and facebook_logins.has_role(app, visit.world.cast[token.person]) else None


def _app_id(app: App) -> str | int:
    return int(app.client_id) if app.on("numeric_app_id") and app.client_id.isdecimal() else app.client_id


def _granular(scope: str, login: Login) -> dict[str, object]:
    kind = _GRANULAR.get(scope.partition("_")[0])
    if kind is None:
        return {"scope": scope}
    # An empty list, not none: a scope without target_ids is one without limit.
    return {"scope": scope, "target_ids": [target.partition(":")[2] for target in login.targets if target.startswith(f"{kind}:")]}


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
