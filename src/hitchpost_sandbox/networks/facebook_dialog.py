"""Facebook's consent dialog, classic and for Business (`config_id`), and its many ways back: code, token, granted scopes, onboarding."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlencode

from starlette.responses import RedirectResponse, Response

from hitchpost_sandbox import consent, pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Consented
from hitchpost_sandbox.networks import facebook_logins, facebook_tokens
from hitchpost_sandbox.networks.facebook_logins import Configuration
from hitchpost_sandbox.networks.facebook_words import SCOPES
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.twin import Visit

_CODE_MINUTES = 10
_ANSWERS = frozenset({"code", "token", "granted_scopes"})
_FRAGMENT = "#_=_"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request that makes sense. `answers`: the words of response_type. `how`: those of auth_type."""

    app: App
    redirect_uri: str
    state: str
    scopes: tuple[str, ...]
    answers: frozenset[str]
    how: frozenset[str]
    configuration: Configuration | None
    onboarding: bool
    return_scopes: bool

    @property
    def all_or_nothing(self) -> bool:
        return self.configuration is not None or self.app.on("business_login")


async def dialog(visit: Visit) -> Response:
    """The dialog and its answer. A wrong app, address, configuration or scope is shown here and told to nobody."""
    asked = _read(visit)
    if isinstance(asked, Response):
        return asked
    answer = await consent.ask(
        visit,
        asked.app,
        redirect_uri=asked.redirect_uri,
        scopes=asked.scopes,
        people=[person for person in visit.world.cast.people if person.facebook is not None],
        handle=lambda person: person.email,
        targets=facebook_logins.targets,
        may_untick=True,
        fixed=frozenset({facebook_logins.AUTOMATIC}),
        remembers=True,
        afresh="reauthenticate" in asked.how,
    )
    if isinstance(answer, Response):
        return answer
    if asked.app.on("empty_answers"):
        return RedirectResponse(asked.redirect_uri, 302, {"cache-control": "no-store"})
    declined = [scope for scope in asked.scopes if scope not in answer.scopes]
    if not answer.allowed or (asked.all_or_nothing and declined):
        return _refused(visit, asked)
    if asked.app.on("development_mode") and not facebook_logins.has_role(asked.app, answer.person):
        if asked.app.on("development_page"):
            text = "This app is in development mode, and you have no role in it."
            return pages.stopped(visit, "App not active", text, reason="no_role", app=asked.app.client_id)
        return _refused(visit, asked)
    return _granted(visit, asked, answer.person, answer.scopes, answer.targets)


def _read(visit: Visit) -> _Asked | Response:
    query = visit.query
    app = visit.authority.app(query.get("client_id", ""))
    redirect_uri = query.get("redirect_uri", "")
    if app is None:
        return pages.stopped(visit, "Invalid App ID", "The provided app ID does not look like a valid app ID.", reason="unknown_client")

    def stopped(reason: str, text: str, heading: str = "Invalid parameter") -> Response:
        return pages.stopped(visit, heading, text, reason=reason, app=app.client_id)

    if not app.accepts(redirect_uri):
        text = (
            "This redirect failed because the redirect URI is not whitelisted in the app's Client OAuth Settings. Make sure Client and Web "
            "OAuth Login are on and add all your app domains as Valid OAuth Redirect URIs."
        )
        return stopped("redirect_uri", text, "URL blocked")
    answers = frozenset(_words(query.get("response_type", ""))) or frozenset({"code"})
    if answers - _ANSWERS:
        return stopped("response_type", f"Invalid response_type: {query.get('response_type', '')}")
    configuration = facebook_logins.configuration(app, query["config_id"]) if query.get("config_id") else None
    if query.get("config_id") and configuration is None:
        return stopped("config_id", "The configuration (config_id) is not one of this app.")
    if configuration is not None and configuration.system and answers != {"code"}:
        return stopped("response_type", "A configuration with a system user's token answers with response_type=code alone.")
    onboarding = _onboards(query.get("extras", ""))
    if onboarding and not (query.get("display") == "page" and answers == {"token"} and query.get("scope")):
        return stopped("extras", "IG_API_ONBOARDING wants display=page, response_type=token and scope.")
    asked = configuration.scopes if configuration is not None else _words(query.get("scope", ""))
    if unknown := [scope for scope in asked if scope not in SCOPES or not app.allows(scope)]:
        text = f"Invalid Scopes: {', '.join(unknown)}. This message is only shown to developers."
        return stopped("scope", text, "It looks like this app isn't available")
    return _Asked(
        app,
        redirect_uri,
        query.get("state", ""),
        tuple(dict.fromkeys((facebook_logins.AUTOMATIC, *asked))),
        answers,
        frozenset(_words(query.get("auth_type", ""))),
        configuration,
        onboarding,
        query.get("return_scopes", "").lower() in ("true", "1"),
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(word for word in re.split(r"[\s,]+", text) if word))


def _onboards(extras: str) -> bool:
    try:
        return bool(json.loads(extras)["setup"]["channel"] == "IG_API_ONBOARDING")
    except (ValueError, TypeError, KeyError, RecursionError):
        return False


def _granted(visit: Visit, asked: _Asked, person: Person, ticked: tuple[str, ...], targets: tuple[str, ...]) -> Response:
    app, authority = asked.app, visit.authority
    if asked.onboarding:
        targets = (*targets, *facebook_logins.onboard(visit.world, person))
    if asked.configuration is not None and asked.configuration.system:
        granted = ticked
        given = authority.consent(app, person.key, ticked, targets)
        facebook_logins.note_business(authority, given, asked.configuration, asked.redirect_uri)
    else:
        login = facebook_logins.login(authority, app.client_id, person.key)
        granted = login.decide(asked.scopes, ticked, again="rerequest" in asked.how)
        login.targets = targets
        given = authority.consent(app, person.key, granted, targets)
    denied = tuple(scope for scope in asked.scopes if scope not in granted)
    facebook_logins.note_how(authority, given, visit.query.get("auth_type", ""), visit.query.get("auth_nonce", ""))
    said: dict[str, str] = {}
    if "token" in asked.answers:
        said |= _tokens(visit, asked, given)
    if "code" in asked.answers:
        life = timedelta(minutes=int(app.options.get("code_minutes", _CODE_MINUTES)))
        said["code"] = authority.open_code(given, asked.redirect_uri, life=life, look=lambda text: f"AQ{text * 6}")
    said["state"] = asked.state
    if asked.return_scopes or "granted_scopes" in asked.answers:
        said |= {"granted_scopes": ",".join(granted), "denied_scopes": ",".join(denied)}
    return _back(visit, asked, said, in_fragment="token" in asked.answers)


def _tokens(visit: Visit, asked: _Asked, given: Consented) -> dict[str, str]:
    """What a browser is given in the fragment; onboarding gives the long-lived token too."""
    short = facebook_tokens.short(visit, asked.app, given)
    said = {"access_token": short.value, "data_access_expiration_time": str(facebook_logins.data_access_ends(given))}
    if (left := facebook_tokens.left(visit, short)) is not None:
        said["expires_in"] = str(left)
    if asked.onboarding and not asked.app.on("onboarding_short_only"):
        said["long_lived_token"] = facebook_tokens.long(visit, asked.app, given).value
    return said


def _refused(visit: Visit, asked: _Asked) -> Response:
    state = {"state": asked.state}
    if asked.app.on("legacy_dialog_errors"):
        return _back(visit, asked, {"error_code": "200", "error_message": "Permissions error"} | state)
    if asked.app.on("documented_refusal"):
        said = {"error_reason": "user_denied", "error": "access_denied", "error_description": "Permissions error."}
        return _back(visit, asked, said | state)
    said = {"error": "access_denied", "error_code": "200", "error_description": "Permissions error", "error_reason": "user_denied"}
    return _back(visit, asked, said | state)


def _back(visit: Visit, asked: _Asked, said: Mapping[str, str], *, in_fragment: bool = False) -> Response:
    if asked.app.on("altered_state") and said.get("state"):
        said = {**said, "state": f"{said['state']}-altered"}
    if in_fragment:
        kept = {name: value for name, value in said.items() if value}
        return visit.send_back(asked.redirect_uri, {}, fragment=f"#{urlencode(kept)}")
    return visit.send_back(asked.redirect_uri, said, fragment=_FRAGMENT)
