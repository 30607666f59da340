"""What can be asked for by name at the simulated Pinterest: its failures in its own words, what befalls accounts, its apps' switches."""

from dataclasses import replace

from starlette.responses import Response

from hitchpost_sandbox import turns
from hitchpost_sandbox.limits import Spent
from hitchpost_sandbox.networks.pinterest_api import (
    CONDITIONS,
    FAILED,
    FORBIDDEN,
    NO_ACCOUNT,
    NO_BOARD,
    NO_SCOPE,
    NOT_YOURS,
    SPAM,
    THROTTLED,
    TRIAL,
    Said,
    answer,
    conditions,
    fails,
)
from hitchpost_sandbox.people import Person, PinterestAccount
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn, account_of
from hitchpost_sandbox.twin import Visit, Wrong
from hitchpost_sandbox.world import World

DEAD_GRANT = (283, "The authorization grant is invalid")
REFUSED = "The user denied the request."
"""What a described refusal says: Pinterest's own words for it are not known."""


def _wrong(says: str, status: int, error: tuple[int, str]) -> Wrong:
    return Wrong(says, lambda visit: _plain(visit, fails(status, error)))


def _plain(visit: Visit, said: Said, *, left: int = 999) -> Response:
    resets_at = int(visit.clock.now().timestamp()) // 60 * 60 + 60
    return answer(visit, said, Spent(1000, left, resets_at))


ERRORS = {
    "rate_limit": Wrong("too many calls: 429 with code 8 and no call left", lambda visit: _plain(visit, fails(429, THROTTLED), left=0)),
    "server_error": _wrong("Pinterest's own trouble", 500, (500, "Sorry, something went wrong on our end.")),
    "401/2": _wrong("the token expired, was taken back, or belongs to the other host", 401, FAILED),
    "401/3": _wrong("a permission is missing", 401, NO_SCOPE),
    "401/7": _wrong("the account may not see this", 401, NOT_YOURS),
    "401/29": _wrong("the same in other words", 401, FORBIDDEN),
    "401/283": _wrong("token endpoint: the code or refresh token is used, expired or unknown", 401, DEAD_GRANT),
    "400/1": _wrong("a parameter is missing or wrong", 400, (1, "Invalid request: a parameter is missing")),
    "403/29": _wrong("the account may not do this", 403, FORBIDDEN),
    "403/29/trial": _wrong("the app has Trial access only", 403, TRIAL),
    "403/403": _wrong("the account may not be read", 403, NO_ACCOUNT),
    "403/2625": _wrong("the account was disapproved", 403, CONDITIONS["disapproved"]),
    "403/2626": _wrong("the account is under review", 403, CONDITIONS["under_review"]),
    "404/40": _wrong("the board is gone", 404, NO_BOARD),
    "404/2031": _wrong("the board section is gone", 404, (2031, "Sorry! We couldn't find this board section.")),
    "429/9": _wrong("the account is held back as spam", 429, SPAM),
    "403/9": _wrong("the same with another status (which one is not established)", 403, SPAM),
    "429/8/spam": Wrong(
        "the same as code 8, told from a rate limit by message_detail alone",
        lambda visit: _plain(visit, Said(429, {"code": 8, "message": THROTTLED[1], "message_detail": "Blocked as spam."})),
    ),
}


def _condition(name: str, says: str) -> Turn:
    async def play(world: World, whom: Befallen) -> None:
        conditions(world.authority("pinterest"))[whom.person] = name

    return Turn(says, play)


async def _restore(world: World, whom: Befallen) -> None:
    conditions(world.authority("pinterest")).pop(whom.person, None)


async def _remove_board(world: World, whom: Befallen) -> None:
    account = account_of(world, whom, "pinterest", PinterestAccount)
    if all(board.id != whom.target for board in account.boards):
        raise CannotBefall(f"'{whom.person}' has no board '{whom.target}' on Pinterest: name its id as 'target'")
    world.change(whom.person, pinterest=replace(account, boards=tuple(board for board in account.boards if board.id != whom.target)))


def _boards(person: Person) -> list[str]:
    return [board.id for board in person.pinterest.boards] if person.pinterest else []


async def _change_type(world: World, whom: Befallen) -> None:
    account = account_of(world, whom, "pinterest", PinterestAccount)
    other = "BUSINESS" if account.account_type == "PINNER" else "PINNER"
    world.change(whom.person, pinterest=replace(account, account_type=other))


TURNS = {
    turns.REVOKED: turns.tokens_die("pinterest", "revoked", says="the person removes the app in the security settings: every token dies"),
    turns.PASSWORD_CHANGED: turns.tokens_die(
        "pinterest", "password_changed", says="the person changes username or password: every token of every app dies, without notice"
    ),
    turns.SIGNED_IN_AS: turns.signed_in_as(
        "pinterest",
        says="the person's browser is signed in to Pinterest as `target`: whatever they allow is that account's (the own key: no longer)",
    ),
    "leaked": turns.tokens_die("pinterest", "leaked", says="Pinterest finds the person's tokens in public code and ends them"),
    turns.PERMISSION_GONE: turns.scope_goes("pinterest", says="the permission `scope` is taken from all that was granted"),
    turns.PAGE_REMOVED: Turn("the board `target` is deleted", _remove_board, turns.having(_boards)),
    "disapproved": _condition("disapproved", "Pinterest disapproves the account: 403 code 2625"),
    "under_review": _condition("under_review", "Pinterest reviews the account: 403 code 2626"),
    "spam_blocked": _condition("spam_blocked", "Pinterest holds the account back as spam: 429 code 9"),
    "restored": Turn("the account is in good standing again", _restore),
    "type_changed": Turn("the account becomes a business, or a personal one", _change_type),
}

SWITCHES = {
    "replay_revokes": "a code that is used twice ends what it gave (not established; default: it is only refused)",
    "reuse_kills_family": "a refresh token that was used before ends its whole family (not established; default: it is only refused)",
    "old_refresh_lives": "a refresh does not use its token up (not established; default: each works once)",
    "before_september_2025": "an app of that age: a refresh token of 365 days unless it asks for continuous_refresh",
    "trial": "Trial access: calls are counted by day and app",
    "code_minutes": "so many minutes a code lives (not documented; default: 10)",
    "redirect_mismatch_is_400": "another redirect_uri than before is an invalid request (not established; default: 401 code 283)",
    "refusal_is_described": "a refusal brings error_description too (not documented; default: error and state alone)",
    "system_user": "the app's tokens are those of a system user, and may be revoked (default: 403 code 29)",
    "owner": "the key of the person whose account client_credentials speak for (default: the first business of the cast)",
    "foreign_board_is_401": "somebody else's board is refused with 401 code 7 (documented for some calls; default: 403 code 29)",
    "says_failure": 'errors also say "status": "failure", as live answers often do',
    "spam_is_403": "the spam block has the status 403 (not established; default: 429)",
    "ratelimit_form": "`unix`: x-ratelimit-reset is a moment; `windows`: the limit names its window too"
    " (the format is not confirmed; default: plain numbers, the reset in seconds to wait)",
    "sandbox_tokens_live_a_day": "access tokens of api-sandbox live 24 hours (one report; default: 30 days, as documented)",
    "withholds": "scopes, joined by blanks, that are never granted, though asked for",
}
