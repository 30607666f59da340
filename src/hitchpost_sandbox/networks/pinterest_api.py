"""Pinterest's API v5 as far as connecting needs it: the account, its boards and sections, numbered errors, rate headers.

Both hosts answer alike, but the one for trials (`api-sandbox`) holds no boards until somebody makes one there.
"""

import base64
import binascii
import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, NamedTuple

from starlette.responses import Response

from hitchpost_sandbox.authority import Authority, random_text
from hitchpost_sandbox.grants import Refused
from hitchpost_sandbox.ledger import fingerprint
from hitchpost_sandbox.limits import Spent
from hitchpost_sandbox.people import Board, PinterestAccount
from hitchpost_sandbox.twin import Handler, Visit

READS_A_MINUTE = 1000
TRIAL_CALLS_A_DAY = 1000
_PINS_A_SECTION = 20
_PRIVACIES = ("ALL", "PUBLIC", "PROTECTED", "SECRET", "PUBLIC_AND_SECRET")

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
NO_BOARD = (40, "Board not found.")
NO_ACCOUNT = (403, "Not authorized to access the user account.")
BAD_NAME = (1, "The board name is invalid or duplicated.")
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


def spend(visit: Visit, client_id: str = "-", person: str = "-") -> Spent:
    """Count a call: a minute and person with Standard access, a day and app with Trial access."""
    app = visit.authority.app(client_id)
    if app is not None and app.on("trial"):
        return visit.world.limits.spend(f"pinterest {client_id}", limit=TRIAL_CALLS_A_DAY, window=timedelta(days=1))
    return visit.world.limits.spend(f"pinterest {client_id} {person}", limit=READS_A_MINUTE, window=timedelta(minutes=1))


def answer(visit: Visit, said: Said, spent: Spent) -> Response:
    """The answer with the headers of every answer. The reset is written as seconds to wait; the network's own form is not known."""
    headers = {
        "x-pinterest-rid": str(int(fingerprint(random_text(12)), 16)),
        "x-ratelimit-limit": str(spent.limit),
        "x-ratelimit-remaining": str(max(spent.left, 0)),
        "x-ratelimit-reset": str(max(spent.resets_at - int(visit.clock.now().timestamp()), 0)),
    }
    body = b"" if said.body is None else json.dumps(said.body, ensure_ascii=False).encode()
    return Response(body, said.status, headers, "application/json")


def _reader(scope: str, read: Callable[[Visit, PinterestAccount], Said]) -> Handler:
    """A handler for a token with `scope`: who is not known, has no calls left or lacks the scope is refused, in this order."""

    async def handler(visit: Visit) -> Response:
        try:
            token = visit.authority.find(visit.bearer(), f"{environment(visit)}_access")
        except Refused:
            return answer(visit, fails(401, FAILED), spend(visit))
        visit.token = token
        account = visit.world.cast[token.person].pinterest
        spent = spend(visit, token.client_id, token.person)
        if account is None:
            said = fails(401, FAILED)
        elif spent.left < 0:
            said = fails(429, THROTTLED)
        elif scope not in token.scopes:
            said = fails(401, NO_SCOPE)
        elif condition := conditions(visit.authority).get(token.person):
            said = fails(429 if condition == "spam_blocked" else 403, CONDITIONS[condition])
        else:
            said = read(visit, account)
        return answer(visit, said, spent)

    return handler


def _user_account(visit: Visit, account: PinterestAccount) -> Said:
    kept = _kept(visit, account)
    body = {
        "id": account.id,
        "username": account.username,
        "account_type": account.account_type,
        "business_name": account.business_name or None,
        "about": account.about or None,
        "profile_image": f"https://i.pinimg.com/600x600_R/{account.picture}.png",
        "website_url": account.website or None,
        "follower_count": 10,
        "following_count": 347,
        "monthly_views": 163 if account.account_type == "BUSINESS" else None,
        "pin_count": sum(board.pins for board in kept if board.owner == account.username),
        "board_count": len(kept),
    }
    return Said(200, body)


def _kept(visit: Visit, account: PinterestAccount) -> tuple[Board, ...]:
    return account.boards if environment(visit) == "production" else ()


def _seen(visit: Visit, account: PinterestAccount) -> list[Board]:
    """What the token may see: secret boards need a scope of their own."""
    secret = visit.token is not None and "boards:read_secret" in visit.token.scopes
    return [board for board in _kept(visit, account) if secret or board.privacy != "SECRET"]


def _boards(visit: Visit, account: PinterestAccount) -> Said:
    privacy = visit.query.get("privacy", "ALL")
    if privacy not in _PRIVACIES:
        return invalid(f"'{privacy}' is not one of {list(_PRIVACIES)}")
    wanted = privacy.split("_AND_")
    return _page(visit, [_board(board) for board in _seen(visit, account) if privacy == "ALL" or board.privacy in wanted])


def _board(board: Board) -> dict[str, Any]:
    return {
        "id": board.id,
        "name": board.name,
        "description": board.description,
        "privacy": board.privacy,
        "owner": {"username": board.owner},
        "pin_count": board.pins,
        "follower_count": 13,
        "collaborator_count": board.collaborators,
        "created_at": "2024-01-01T20:10:40",
        "board_pins_modified_at": "2025-02-01T10:00:00",
        "is_ads_only": board.ads_only,
        "media": {
            "image_cover_url": f"https://i.pinimg.com/400x300/{board.id}.png",
            "pin_thumbnail_urls": [f"https://i.pinimg.com/150x150/{board.id}-1.png"],
        },
    }


def _one_board(visit: Visit, account: PinterestAccount) -> Said:
    found = _found(visit, account)
    return found if isinstance(found, Said) else Said(200, _board(found))


def _found(visit: Visit, account: PinterestAccount) -> Board | Said:
    """The board that the address names, if the token may see it."""
    board_id = visit.params["board_id"]
    if not board_id.isdecimal():
        return invalid(rf"'{board_id}' does not match '^\d+$'")
    board = next((one for one in _seen(visit, account) if one.id == board_id), None)
    return fails(404, NO_BOARD) if board is None else board


def _sections(visit: Visit, account: PinterestAccount) -> Said:
    """A board has one section for every 20 pins; the cast does not name them."""
    board = _found(visit, account)
    if isinstance(board, Said):
        return board
    numbers = range(1, board.pins // _PINS_A_SECTION + 1)
    return _page(visit, [{"id": f"{board.id}{number}", "name": f"Section {number}"} for number in numbers])


def _page(visit: Visit, items: Sequence[object]) -> Said:
    """One page of `items`, 25 unless `page_size` says otherwise; `bookmark` is null on the last one."""
    asked = visit.query.get("page_size", "25")
    if not asked.isdecimal() or len(asked) > 9 or not 1 <= int(asked) <= 250:
        return invalid(f"'{asked}' is not a page_size from 1 to 250")
    start = _place(visit.query.get("bookmark", ""))
    if start is None:
        return invalid("'bookmark' is not one of ours")
    end = start + int(asked)
    return Said(200, {"items": list(items[start:end]), "bookmark": _bookmark(end) if end < len(items) else None})


def _bookmark(place: int) -> str:
    return base64.urlsafe_b64encode(f"UHo5{place}|next".encode()).decode()


def _place(bookmark: str) -> int | None:
    """Where the page of a bookmark begins; None when it is none of ours."""
    if not bookmark:
        return 0
    try:
        inside = base64.urlsafe_b64decode(bookmark).decode()
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None
    place = inside.removeprefix("UHo5").removesuffix("|next")
    return int(place) if place.isdecimal() and len(place) < 10 and _bookmark(int(place)) == bookmark else None


async def create_board(visit: Visit) -> Response:
    """POST /v5/boards: a board of the account's own; the host for trials makes none, for its accounts are empty here."""
    judged = await _allowed(visit)
    if judged.status_code != 200 or visit.token is None:
        return judged
    spent = spend(visit, visit.token.client_id, visit.token.person)
    asked = await visit.json()
    name, privacy = asked.get("name"), asked.get("privacy", "PUBLIC")
    if name is None:
        return answer(visit, invalid("'name' is a required property"), spent)
    account = visit.world.cast[visit.token.person].pinterest
    taken = account is None or any(board.name == name and board.owner == account.username for board in account.boards)
    if taken or account is None or not isinstance(name, str) or not name.strip() or privacy not in ("PUBLIC", "PROTECTED", "SECRET"):
        return answer(visit, fails(400, BAD_NAME), spent)
    board = Board(
        f"5497559{int(fingerprint(random_text(8)), 16) % 10**8:08}", name, account.username, privacy, str(asked.get("description") or "")
    )
    visit.world.change(visit.token.person, pinterest=replace(account, boards=(*account.boards, board)))
    return answer(visit, Said(201, _board(board)), spent)


_allowed = _reader("boards:write", lambda _visit, _account: Said(200, None))

user_account = _reader("user_accounts:read", _user_account)
"""GET /v5/user_account: PINNER or BUSINESS; what has no value is null."""

boards = _reader("boards:read", _boards)
"""GET /v5/boards: the account's own and the group boards that it works on."""

board = _reader("boards:read", _one_board)
"""GET /v5/boards/{board_id}."""

sections = _reader("boards:read", _sections)
"""GET /v5/boards/{board_id}/sections."""


async def lost(visit: Visit) -> Response:
    """What Pinterest answers to a path it does not have."""
    return answer(visit, fails(404, (404, "Not Found")), spend(visit))
