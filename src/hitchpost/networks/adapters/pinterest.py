"""Pinterest: one consent is one account, and its boards are where pins go. Facts: docs/networks/pinterest.md."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from hitchpost.networks import oauth2
from hitchpost.networks.answers import part, words
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
    Subject,
    TokenSet,
    Verdict,
)
from hitchpost.networks.errors import Expected, Fault, FaultKind, Place, judge, moment
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

_API = "https://api.pinterest.com/v5"
_NEEDED = ("user_accounts:read", "boards:read", "boards:write", "pins:read", "pins:write")
_PAGE_SIZE = 250
_MAX_PAGES = 10
"""An account holds 2,000 boards at most, which is eight pages."""
_API_SAYS, _TOKEN_SAYS = "docs/networks/pinterest.md#at-the-api", "docs/networks/pinterest.md#at-the-token-endpoint"

_SPAM = "It passes by itself after some hours; publish fewer pins at once."
_TRIAL = "Whoever runs this server must apply for Standard access: the app, at https://developers.pinterest.com/apps/."

# One row a line reads as the table it is.
# fmt: off
EXPECTED: tuple[Expected, ...] = (
    Expected(("2",), FaultKind.REVOKED, "it expired, was taken back, or ended with a new password or username", _API_SAYS, status="401"),
    Expected(("3",), FaultKind.PERMISSION, "a permission was not granted", _API_SAYS, status="401"),
    Expected(("7", "29"), FaultKind.PERMISSION, "the account may not see this", _API_SAYS, status="401"),
    Expected(("29",), FaultKind.MISCONFIGURED, "it has Trial access only, which cannot publish", _API_SAYS, status="403",
             says="trial access", mark="trial", how=_TRIAL),
    Expected(("29", "403"), FaultKind.PERMISSION, "the account may not see this", _API_SAYS, status="403"),
    Expected(("2625",), FaultKind.BLOCKED, "the account was disapproved", _API_SAYS, status="403"),
    Expected(("2626",), FaultKind.BLOCKED, "the account is under review", _API_SAYS, status="403"),
    Expected(("9",), FaultKind.BLOCKED, "too many pins at once; it lifts this after some hours", _API_SAYS, how=_SPAM),
    Expected(("8",), FaultKind.BLOCKED, "too many pins at once; it lifts this after some hours", _API_SAYS, status="429",
             says="spam", mark="spam", how=_SPAM),
    Expected(("8",), FaultKind.THROTTLED, "", _API_SAYS, status="429"),
)
"""What the API answers, by status and code: code 2 and code 3 share a status, and a new token mends only one of them."""

AT_THE_TOKEN_ENDPOINT: tuple[Expected, ...] = (
    Expected(("283",), FaultKind.REFUSED, "it was used before, has expired or belongs to another request", _TOKEN_SAYS, status="401"),
    Expected(("2",), FaultKind.MISCONFIGURED, "the app id or the app secret is wrong", _TOKEN_SAYS, status="401",
             how="Whoever runs this server must copy the app id and secret again: the app, at https://developers.pinterest.com/apps/."),
    Expected(("1",), FaultKind.MISCONFIGURED, "it refuses the request that this server makes in the app's name", _TOKEN_SAYS, status="400"),
)
"""The same numbers mean other things there."""
# fmt: on

_LOGIN = Login(
    key="pinterest",
    slot="pinterest",
    authority="pinterest",
    title="Pinterest",
    oauth=OAuthFacts(
        authorize_url="https://www.pinterest.com/oauth/",
        token_url=f"{_API}/oauth/token",
        client_auth="basic",
        scopes_joined_by=",",
        # Apps from before 25 September 2025 get the refresh token that renews itself only when they ask; later ones ignore it.
        extra_token={"continuous_refresh": "true"},
    ),
    scopes={"": _NEEDED},
    asks=(
        "see the account's name and picture",
        "see its boards, and create boards",
        "see its pins, and publish and delete pins",
    ),
    before=("This browser is signed in at pinterest.com with the account that you want to connect.",),
    expected={Place.TOKEN: AT_THE_TOKEN_ENDPOINT, Place.API: EXPECTED},
    renewal=Renewal.CONTINUOUS,
    revocable=False,
)


@dataclass(frozen=True, slots=True)
class _Account:
    id: str
    username: str
    name: str
    image: str


@dataclass(frozen=True, slots=True)
class _Boards:
    """How many boards pins can go to; `shared` of them are other people's. `cut`: there are more than were read."""

    count: int
    shared: int
    cut: bool


class Pinterest(Adapter):
    """OAuth 2.0 without PKCE; the account is the subject and the only candidate, and boards are chosen pin by pin."""

    provider = "pinterest"
    title = "Pinterest"
    mark = "M7 3h6.5a5.5 5.5 0 0 1 0 11H11v7H7zM11 6.8v3.4h2.3a1.7 1.7 0 0 0 0-3.4z"
    colour = "#bd081c"
    logins = (_LOGIN,)
    image_hosts = (".pinimg.com",)
    switch_account = (
        "Pinterest connects the account that this browser is signed in with. "
        "To use another one, switch accounts at https://www.pinterest.com first, then connect again."
    )
    remove_app = "Open https://www.pinterest.com/settings/security, find the app among the connected apps and remove it there."

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        answer = await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=None)
        if not answer.ok:
            raise _fault(answer, call.now, AT_THE_TOKEN_ENDPOINT)
        tokens = oauth2.token_set(call, answer.json())
        account = await _account(call, tokens.access)
        subject = Subject(account.id, account.name, account.username, account.image)
        return Consent(tokens, subject, tokens.scopes, oauth2.ungranted(call, tokens.scopes))

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        account = await _account(call, tokens.access)
        verdict = oauth2.unpermitted(call, tokens.scopes, _NEEDED) or await _counted(call, tokens.access, account)
        return Listing((_candidate(account, verdict),))

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        account = await _account(call, tokens.access)
        candidate = _candidate(account, oauth2.unpermitted(call, tokens.scopes, _NEEDED) or Verdict())
        return tuple(Derived(candidate if one.external_id == account.id else _another(one)) for one in picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        answer = await oauth2.renew(call, tokens)
        if not answer.ok:
            raise _fault(answer, call.now, AT_THE_TOKEN_ENDPOINT)
        return oauth2.token_set(call, answer.json())


def _candidate(account: _Account, verdict: Verdict) -> Candidate:
    return Candidate(Kind.ACCOUNT, account.id, account.name, account.username, account.image, verdict=verdict)


def _another(picked: Picked) -> Candidate:
    verdict = Verdict.of(
        "other_account",
        "The consent was given for another Pinterest account.",
        "Switch to this account at https://www.pinterest.com, then connect again.",
    )
    return Candidate(Kind.ACCOUNT, picked.external_id, picked.external_id, verdict=verdict)


async def _account(call: Call, access: Secret) -> _Account:
    """The account that the token speaks for. A business shows its name; others have none but the username. Raises Fault."""
    body = await _read(call, access, "/user_account")
    username = oauth2.text(body, "username")
    return _Account(oauth2.text(body, "id"), username, words(body, "business_name") or username, words(body, "profile_image"))


async def _counted(call: Call, access: Secret, account: _Account) -> Verdict:
    """A good verdict that says how many boards there are. Boards that cannot be read just now are no reason against connecting.

    Raises Fault, but not for what passes by itself.
    """
    try:
        boards = await _boards(call, access, account)
    except Fault as fault:
        if not fault.retryable:
            raise
        return Verdict(why="Its boards could not be read just now. It can be connected all the same.")
    if not boards.count:
        return Verdict.of("no_boards")
    number = f"more than {boards.count}" if boards.cut else str(boards.count)
    shared = f", {boards.shared} of them shared with it by others" if boards.shared else ""
    return Verdict(why=f"Pins can go to {number} {'board' if number == '1' else 'boards'}{shared}.")


async def _boards(call: Call, access: Secret, account: _Account) -> _Boards:
    """Counts the boards page by page; those for advertisements alone are left out. Raises Fault."""
    count = shared = 0
    bookmark, seen = "", set[str]()
    for _ in range(_MAX_PAGES):
        body = await _read(call, access, "/boards", {"page_size": str(_PAGE_SIZE)} | ({"bookmark": bookmark} if bookmark else {}))
        items = body.get("items")
        if not isinstance(items, list):
            raise Fault(FaultKind.UNINTELLIGIBLE, "no_items", "the answer lacks items")
        usable = [board for board in items if isinstance(board, dict) and board.get("is_ads_only") is not True]
        count += len(usable)
        shared += sum(1 for board in usable if _owner(board) not in ("", account.username))
        following = words(body, "bookmark")
        if not following or following in seen:
            return _Boards(count, shared, cut=False)
        seen.add(following)
        bookmark = following
    return _Boards(count, shared, cut=True)


def _owner(board: Json) -> str:
    return words(part(board, "owner"), "username")


async def _read(call: Call, access: Secret, path: str, query: dict[str, str] | None = None) -> Json:
    answer = await call.http.get(_API + path, query=query, bearer=access.reveal())
    if not answer.ok:
        raise _fault(answer, call.now, EXPECTED)
    return answer.json()


def _fault(answer: Answer, now: datetime, table: Sequence[Expected]) -> Fault:
    """The Fault for a failed answer; a page of a proxy in between is judged by its status alone."""
    try:
        body = answer.json()
    except Fault:
        body = {}
    said = f"{body.get('message')} {body.get('message_detail')}"
    return judge(table, answer.status, body.get("code"), said, retry_at=moment(answer.headers.get("x-ratelimit-reset", ""), now))
