"""What every call of Pinterest's API v5 meets: who calls, for which account, numbered errors, limits and the headers of every answer.

Both hosts answer alike, but the one for trials (`api-sandbox`) holds no boards until somebody makes one there.
"""

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import NamedTuple

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Authority, random_text
from hitchpost_sandbox.grants import Refused
from hitchpost_sandbox.ledger import fingerprint
from hitchpost_sandbox.limits import Spent
from hitchpost_sandbox.people import PinterestAccount
from hitchpost_sandbox.twin import Handler, Visit

READS_A_MINUTE, WRITES_A_MINUTE = 1000, 100
TRIAL_CALLS_A_DAY, TRIAL_WRITES_A_DAY = 1000, 300
_ACTING = frozenset({"OWNER", "ADMIN", "ANALYST", "CAMPAIGN_MANAGER"})
_SEES_SECRETS = frozenset({"OWNER", "ADMIN"})

FAILED = (2, "Authentication failed.")
NO_SCOPE = (
    3,
    (
        "Your token does not have sufficient permissions to perform this operation. "
        "Please ensure your token is authorized with the correct set of scopes."
    ),
)
THROTTLED = (
    8,
    (
        "This request exceeded a rate limit. This can happen if the client exceeds one\n"
        "of the published rate limits or if multiple write operations are applied to\n"
        "an object within a short time window."
    ),
)
FORBIDDEN = (29, "You are not permitted to access that resource.")
NOT_YOURS = (7, "Not authorized to access board or Pin.")
NO_BOARD = (40, "Board not found.")
NO_ACCOUNT = (403, "Not authorized to access the user account.")
SPAM = (9, "Sorry! You've hit a block (Pins) we have in place to combat spam. Please try again later!")
TRIAL = (
    29,
    (
        "Apps with Trial access may not create Pins in production https://api.pinterest.com - "
        "use API Sandbox https://api-sandbox.pinterest.com instead."
    ),
)
CONDITIONS = {
    "disapproved": (2625, "Your account has been disapproved."),
    "under_review": (2626, "Your account is under review."),
    "spam_blocked": SPAM,
}
"""What an account may be in, as every call then says."""


def conditions(authority: Authority) -> dict[str, str]:
    """Person → a word of CONDITIONS."""
    found: dict[str, str] = authority.memory.setdefault("conditions", {})
    return found


class Said(NamedTuple):
    """What a handler answers, before the headers that every answer carries."""

    status: int
    body: object


def fails(status: int, error: tuple[int, str]) -> Said:
    """An error object: the network's number and its words."""
    return Said(status, {"code": error[0], "message": error[1]})


def invalid(what: str) -> Said:
    return fails(400, (1, f"Invalid request: {what}"))


def environment(visit: Visit) -> str:
    """Which of the two hosts was called: tokens of one are nothing at the other."""
    return "sandbox" if visit.host == "api-sandbox.pinterest.com" else "production"


def spend(visit: Visit, client_id: str = "-", person: str = "-", *, writes: bool = False) -> Spent:
    """Count a call: a minute and person with Standard access, a day and app with Trial access; writes have a smaller limit."""
    app, count = visit.authority.app(client_id), visit.world.limits.spend
    minute, day = timedelta(minutes=1), timedelta(days=1)
    if app is None or not app.on("trial"):
        if writes:
            return count(f"pinterest write {client_id} {person}", limit=WRITES_A_MINUTE, window=minute)
        return count(f"pinterest {client_id} {person}", limit=READS_A_MINUTE, window=minute)
    together = count(f"pinterest {client_id}", limit=TRIAL_CALLS_A_DAY, window=day)
    if not writes:
        return together
    written = count(f"pinterest write {client_id}", limit=TRIAL_WRITES_A_DAY, window=day)
    return min(together, written, key=lambda spent: spent.left)


def answer(visit: Visit, said: Said, spent: Spent) -> Response:
    """The answer with the headers of every answer; how the network writes them is not known, so the app may choose (`ratelimit_form`)."""
    app = _app(visit)
    form = str(app.options.get("ratelimit_form", "")) if app is not None else ""
    waits = max(spent.resets_at - int(visit.clock.now().timestamp()), 0)
    headers = {
        "x-pinterest-rid": str(int(fingerprint(random_text(12)), 16)),
        "x-ratelimit-limit": f"{spent.limit}, {spent.limit};w={waits}" if form == "windows" else str(spent.limit),
        "x-ratelimit-remaining": str(max(spent.left, 0)),
        "x-ratelimit-reset": str(spent.resets_at if form == "unix" else waits),
    }
    told = said.body
    if said.status >= 400 and isinstance(told, dict) and app is not None and app.on("says_failure"):
        told = {"status": "failure"} | told
    body = b"" if told is None else json.dumps(told, ensure_ascii=False).encode()
    return Response(body, said.status, headers, "application/json")


def _app(visit: Visit) -> App | None:
    """The app that a call speaks for, by its token or by Basic."""
    basic = visit.basic()
    client_id = visit.token.client_id if visit.token is not None else basic[0] if basic else ""
    return visit.authority.app(client_id)


@dataclass(frozen=True, slots=True)
class Acting:
    """For whom a call acts: the token's own account, or the owner of the ad account that `ad_account_id` names.

    `person`: whose account that is, a key of the cast. `secrets`: secret boards may be seen and made.
    """

    account: PinterestAccount
    person: str
    app: App
    secrets: bool


Read = Callable[[Visit, Acting], Awaitable[Said]]


def call(*scopes: str, read: Read, writes: bool = False, hidden: tuple[int, tuple[int, str]] = (403, FORBIDDEN)) -> Handler:
    """A handler for a token with `scopes`: who is not known, has no calls left, lacks a scope or may not act is refused, in this order.

    `hidden`: status and error for who may not act for the ad account that is named.
    """

    async def handler(visit: Visit) -> Response:
        try:
            token = visit.authority.find(visit.bearer(), f"{environment(visit)}_access")
        except Refused:
            return answer(visit, fails(401, FAILED), spend(visit))
        visit.token = token
        account, app = visit.world.cast[token.person].pinterest, visit.authority.app(token.client_id)
        spent = spend(visit, token.client_id, token.person, writes=writes)
        if account is None or app is None:
            said = fails(401, FAILED)
        elif spent.left < 0:
            said = fails(429, THROTTLED)
        elif not set(scopes) <= set(token.scopes):
            said = fails(401, NO_SCOPE)
        elif condition := conditions(visit.authority).get(token.person):
            spam = 403 if app.on("spam_is_403") else 429
            said = fails(spam if condition == "spam_blocked" else 403, CONDITIONS[condition])
        else:
            acting = _acting(visit, account, app)
            said = fails(*hidden) if acting is None else await read(visit, acting)
        return answer(visit, said, spent)

    return handler


def _acting(visit: Visit, account: PinterestAccount, app: App) -> Acting | None:
    """For whom the call acts; None when the person has no role that allows it, and on the host for trials, which has no business access."""
    token, wanted = visit.token, visit.query.get("ad_account_id", "")
    if token is None:
        return None
    if not wanted:
        return Acting(account, token.person, app, secrets=True)
    ads = next((one for one in account.ad_accounts if one.id == wanted), None)
    if ads is None or environment(visit) == "sandbox" or not _ACTING & set(ads.permissions):
        return None
    for person in visit.world.cast.people:
        if person.pinterest is not None and person.pinterest.username == ads.owner:
            return Acting(person.pinterest, person.key, app, secrets=bool(_SEES_SECRETS & set(ads.permissions)))
    return None


async def lost(visit: Visit) -> Response:
    """What Pinterest answers to a path it does not have."""
    return answer(visit, fails(404, (404, "Not Found")), spend(visit))


async def unfit(visit: Visit) -> Response:
    return answer(visit, fails(405, (405, "Method Not Allowed")), spend(visit))
