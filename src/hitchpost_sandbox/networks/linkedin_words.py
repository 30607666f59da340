"""What can be asked for by name at the simulated LinkedIn: failures in its words, what befalls members and pages, its apps' switches."""

from dataclasses import replace
from typing import Any

from starlette.responses import JSONResponse

from hitchpost_sandbox import turns
from hitchpost_sandbox.authority import Why
from hitchpost_sandbox.networks.linkedin_api import EMPTY, INVALID, TOKEN_WORDS, Input, Stop, answer
from hitchpost_sandbox.networks.linkedin_rest import NO_VERSION
from hitchpost_sandbox.people import LinkedInMember, Person
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn, account_of
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
    "app_and_member_limit": _stop(
        "the day's calls of app and member are used up", 429, _throttle("APPLICATION_AND_MEMBER"), code="TOO_MANY_REQUESTS", service=101
    ),
    "server_error": _stop("LinkedIn's own trouble", 500, "Internal Server Error", code="INTERNAL_SERVER_ERROR"),
    "internal_error": _stop("LinkedIn's own trouble by its other name", 500, "Internal Error", code="INTERNAL_ERROR"),
    "503": _stop("LinkedIn is not available", 503, "Service Unavailable", code="SERVICE_UNAVAILABLE"),
    "504": _stop("a gateway gave up waiting", 504, "Gateway Timeout", code="GATEWAY_TIMEOUT"),
    "65600": _token("the token is not one", INVALID),
    "65601": _token("the token was revoked", TOKEN_WORDS[Why.REVOKED]),
    "65602": _token("the token expired", TOKEN_WORDS[Why.EXPIRED]),
    "65604": _token("no token came", EMPTY),
    "403": _stop("a permission or role is missing", 403, "Not enough permissions to access: me.GET", code="ACCESS_DENIED", service=100),
    "404": _stop("it is gone or not visible", 404, "Not Found", code="NOT_FOUND"),
    "426": _stop("the version is closed", 426, "Requested version 20250801 is not active", code="NONEXISTENT_VERSION"),
    "VERSION_MISSING": _stop("no version was named", 400, NO_VERSION, code="VERSION_MISSING"),
    "65604_as_documented": _stop("no token came, as the documentation prints it", 401, "Empty oauth2_access_token", service=401),
    "bare_403": Wrong("a refusal with nothing but its status (it may be so)", lambda _visit: answer({"status": 403}, 403)),
    "400": _stop(
        "a field of the request is wrong, with `errorDetails`", 400, "Invalid value for parameter 'role'", code="INVALID_VALUE_FOR_FIELD",
        inputs=[Input("INVALID_VALUE_FOR_FIELD", "Invalid value for parameter 'role'", "role")],
    ),
    "invalid_client": _of_oauth("token endpoint: the app's secret is wrong", 401, "invalid_client", "Client authentication failed"),
    "invalid_refresh_token": _of_oauth(
        "token endpoint: the refresh token is dead", 400, "invalid_request",
        "The provided authorization grant or refresh token is invalid, expired or revoked",
    ),
}  # fmt: skip


def _demand_role(world: World, whom: Befallen) -> LinkedInMember:
    member = account_of(world, whom, "linkedin", LinkedInMember)
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


def _organizations(person: Person) -> list[str]:
    return [str(one.organization.id) for one in person.linkedin.roles] if person.linkedin else []


TURNS = {
    turns.REVOKED: turns.tokens_die("linkedin", "revoked", says="the member removes the app under Permitted services: tokens die (65601)"),
    turns.PASSWORD_CHANGED: turns.tokens_die(
        "linkedin", "password_changed", says="the password changes: tokens die (65601; that LinkedIn ends them by this is not established)"
    ),
    turns.PERMISSION_GONE: turns.scope_goes("linkedin", says="the permission `scope` is gone: the app lost the product that carries it"),
    "products_changed": turns.tokens_die(
        "linkedin",
        "products_changed",
        says="the app's products or permissions change: the member must authorize again (65601; the number is not established)",
    ),
    turns.ROLE_LOST: Turn(
        "the member's roles on the page `target` are taken back; their rows say REVOKED", _role_lost, turns.having(_organizations)
    ),
    turns.PAGE_REMOVED: Turn("the page `target` is deleted", _page_removed, turns.having(_organizations)),
}

SWITCHES = {
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "refresh_tokens": "the app gets refresh tokens of 365 days, never longer (which products bring them: reports contradict each other)",
    "native_pkce": "LinkedIn has enabled native PKCE for the app; without it that page is an error page (its words are not established)",
    "cancels_at_sign_in": "who cancels does so at the sign-in page: user_cancelled_login (its description is not established)",
    "ungranted_scope_page": "a scope the app was not granted ends on an error page and not in a redirect (both are known)",
    "invalid_scope_word": "a scope the app was not granted is `invalid_scope_error` (some public code expects it)",
    "alters_state": "the `state` that comes back is not the one that was sent",
    "verifier_breaks": "a code_verifier outside native PKCE is taken for a wrong client (reported; default: it is ignored)",
    "space_scopes": "scopes of token answers are joined by blanks, as documented (live ones are joined by commas)",
    "whole_sixty_days": "`expires_in` is 5184000, as documented (live answers say a second less)",
    "no_token_type": "token answers lack `token_type`, as documented samples do",
    "old_code_words": "an expired or foreign code is `invalid_request`, as older live answers were",
    "wordless_client_error": "`invalid_client` comes without a description (its exact text was seen once and is not documented)",
    "bare_introspection": "introspection answers `active` alone, the only field that is promised",
    "revoke_says": "the body of revoke's 200 (not established; default: empty)",
    "revoke_ends_all": "revoking one token ends everything the member granted the app (not established; default: that token)",
    "settles_after": "so many seconds a fresh token is called revoked (seen for the first seconds after an exchange)",
    "old_issuer": "`iss` of id tokens is https://www.linkedin.com, as in 2023 (since then with /oauth)",
    "plain_id_token": "the header of id tokens lacks the odd `zip` that was seen (whether it still comes is not established)",
    "locale_text": "`locale` is text, as documented (live answers hold an object)",
    "development_tier": "500 calls a day and app, 100 a member, and no batch lookups",
    "app_calls": "another number of calls a day and app (the standard tier's are not published; default: no limit)",
    "member_calls": "another number of calls a day and member (as `app_calls`)",
    "closed_versions": "versions that are closed, comma-separated, beside those that the clock closes",
    "open_versions": "versions that are active, comma-separated, beside the known ones (those after 202609 are not known)",
    "strict_protocol": (
        "without `X-Restli-Protocol-Version: 2.0.0` a call is one of protocol 1.0.0: `ids=1&ids=2`, and `List(…)` is refused "
        "(not established; default: both are read)"
    ),
    "max_count": "the most rows of one page",
    "no_total": "`paging` lacks `total` (it may)",
    "target_key": "what a row calls its organization: `organization`, `organizationTarget` or `organizationalTarget` (all are known)",
    "brand_urns": "rows of brand pages name `urn:li:organizationBrand:…` (documented as possible; default: `urn:li:organization:…`)",
    "short_content_admin": "the role CONTENT_ADMINISTRATOR is written CONTENT_ADMIN (the documentation has both)",
    "stamped_rows": "rows carry `created` and `lastModified` (they may)",
    "revoked_row_forbids": "one revoked row makes a list that would hold it fail with 403 (seen in public code)",
    "images_processing": "so many looks at an image find it PROCESSING before it is AVAILABLE",
    "images_fail": "images are PROCESSING_FAILED",
}
