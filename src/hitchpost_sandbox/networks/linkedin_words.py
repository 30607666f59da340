"""What can be asked for by name at the simulated LinkedIn: failures in its words, what befalls members and pages, its apps' switches."""

from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse

from hitchpost_sandbox import turns
from hitchpost_sandbox.authority import Why
from hitchpost_sandbox.networks.linkedin_api import EMPTY, INVALID, TOKEN_WORDS, Stop
from hitchpost_sandbox.people import LinkedInMember
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn
from hitchpost_sandbox.twin import Wrong
from hitchpost_sandbox.world import World


def _stop(says: str, status: int, message: str, **more: Any) -> Wrong:
    return Wrong(says, lambda _visit: Stop(status, message, **more).response)


def _token(says: str, words: tuple[int, str, str]) -> Wrong:
    return _stop(says, 401, words[2], code=words[1], service=words[0])


def _of_oauth(says: str, status: int, error: str, description: str) -> Wrong:
    return Wrong(
        says, lambda _visit: JSONResponse({"error": error, "error_description": description}, status, {"cache-control": "no-store"})
    )


def _throttle(whose: str) -> str:
    return f"Resource level throttle {whose} DAY limit for calls to this resource is reached."


ERRORS = {
    "rate_limit": _stop("the app's calls of the day are used up", 429, _throttle("APPLICATION"), code="TOO_MANY_REQUESTS", service=101),
    "member_limit": _stop("the member's calls of the day are used up", 429, _throttle("MEMBER"), code="TOO_MANY_REQUESTS", service=101),
    "server_error": _stop("LinkedIn's own trouble", 500, "Internal Server Error", code="INTERNAL_SERVER_ERROR"),
    "504": _stop("a gateway gave up waiting", 504, "Gateway Timeout", code="GATEWAY_TIMEOUT"),
    "65600": _token("the token is not one", INVALID),
    "65601": _token("the token was revoked", TOKEN_WORDS[Why.REVOKED]),
    "65602": _token("the token expired", TOKEN_WORDS[Why.EXPIRED]),
    "65604": _token("no token came", EMPTY),
    "403": _stop("a permission or role is missing", 403, "Not enough permissions to access: me.GET", code="ACCESS_DENIED", service=100),
    "404": _stop("it is gone or not visible", 404, "Not Found", code="NOT_FOUND"),
    "426": _stop("the version is closed", 426, "Requested version 20250801 is not active", code="NONEXISTENT_VERSION"),
    "VERSION_MISSING": _stop(
        "no version was named", 400, "A version must be present. Please specify a version by adding the Linkedin-Version header.",
        code="VERSION_MISSING",
    ),
    "invalid_client": _of_oauth("token endpoint: the app's secret is wrong", 401, "invalid_client", "Client authentication failed"),
    "invalid_refresh_token": _of_oauth(
        "token endpoint: the refresh token is dead", 400, "invalid_request",
        "The provided authorization grant or refresh token is invalid, expired or revoked",
    ),
}  # fmt: skip


def _member(world: World, whom: Befallen) -> LinkedInMember:
    member = world.cast[whom.person].linkedin
    if member is None:
        raise CannotBefall(f"'{whom.person}' has no account on LinkedIn")
    return member


def _demand_role(world: World, whom: Befallen) -> LinkedInMember:
    member = _member(world, whom)
    if all(str(one.organization.id) != whom.target for one in member.roles):
        raise CannotBefall(f"'{whom.person}' has no role on a page '{whom.target}': name the organization's number as 'target'")
    return member


async def _role_lost(world: World, whom: Befallen) -> None:
    """The row stays, as REVOKED."""
    member = _demand_role(world, whom)
    roles = tuple(replace(one, state="REVOKED") if str(one.organization.id) == whom.target else one for one in member.roles)
    world.change(whom.person, linkedin=replace(member, roles=roles))


async def _page_removed(world: World, whom: Befallen) -> None:
    _demand_role(world, whom)
    for person in world.cast.people:
        if person.linkedin and any(str(one.organization.id) == whom.target for one in person.linkedin.roles):
            left = tuple(one for one in person.linkedin.roles if str(one.organization.id) != whom.target)
            world.change(person.key, linkedin=replace(person.linkedin, roles=left))


TURNS = {
    turns.REVOKED: turns.tokens_die("linkedin", "revoked", says="the member removes the app under Permitted services: tokens die (65601)"),
    turns.PASSWORD_CHANGED: turns.tokens_die(
        "linkedin", "password_changed", says="the password changes: tokens die (65601; that LinkedIn ends them by this is not established)"
    ),
    turns.PERMISSION_GONE: turns.scope_goes("linkedin", says="the permission `scope` is gone: the app lost the product that carries it"),
    turns.ROLE_LOST: Turn("the member's roles on the page `target` are taken back; their rows say REVOKED", _role_lost),
    turns.PAGE_REMOVED: Turn("the page `target` is deleted", _page_removed),
}

SWITCHES = {
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "refresh_tokens": "the app is an approved partner's and gets refresh tokens of 365 days, which never get longer",
    "cancels_at_sign_in": "who cancels does so at the sign-in page: user_cancelled_login",
    "ungranted_scope_page": "a scope the app was not granted ends on an error page and not in a redirect (both are known)",
    "verifier_breaks": "a code_verifier is taken for a wrong client (reported; default: it is ignored)",
    "space_scopes": "scopes of token answers are joined by blanks, as documented (live ones are joined by commas)",
    "old_code_words": "an expired or foreign code is `invalid_request`, as older live answers were",
    "bare_introspection": "introspection answers `active` alone, the only field that is promised",
    "settles_after": "so many seconds a fresh token is called revoked (seen for the first seconds after an exchange)",
    "locale_text": "`locale` is text, as documented (live answers hold an object)",
    "development_tier": "500 calls a day and app, 100 a member, and no batch lookups",
    "app_calls": "another number of calls a day and app",
    "member_calls": "another number of calls a day and member",
    "closed_versions": "versions that are closed, comma-separated, beside those that the clock closes",
    "max_count": "the most rows of one page",
    "target_key": "what a row calls its organization: `organization` or `organizationTarget` (both are known)",
    "revoked_row_forbids": "one revoked row makes the whole list fail with 403 (seen in public code)",
    "images_processing": "so many looks at an image find it PROCESSING before it is AVAILABLE; -1: PROCESSING_FAILED",
}
