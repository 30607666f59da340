"""Pinterest's boards and their sections: lists in pages, secret and group boards, new boards; the host for trials has its own."""

import base64
import binascii
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from hitchpost_sandbox.authority import random_text
from hitchpost_sandbox.ledger import fingerprint
from hitchpost_sandbox.networks.pinterest_api import (
    FORBIDDEN,
    NO_BOARD,
    NO_SCOPE,
    NOT_YOURS,
    Acting,
    Said,
    call,
    environment,
    fails,
    invalid,
)
from hitchpost_sandbox.people import Board
from hitchpost_sandbox.twin import Visit

_PINS_A_SECTION = 20
_PRIVACIES = ("PUBLIC", "PROTECTED", "SECRET")
_FILTERS = ("ALL", *_PRIVACIES, "PUBLIC_AND_SECRET")
_BAD_NAME = (1, "The board name is invalid or duplicated.")


def kept(visit: Visit, acting: Acting) -> tuple[Board, ...]:
    """The boards of an account on the host that was called."""
    if environment(visit) == "production":
        return acting.account.boards
    return _on_trial(visit).get(acting.person, ())


def _on_trial(visit: Visit) -> dict[str, tuple[Board, ...]]:
    """Person → what they made on the host for trials."""
    found: dict[str, tuple[Board, ...]] = visit.authority.memory.setdefault("trial_boards", {})
    return found


def _seen(visit: Visit, acting: Acting) -> list[Board]:
    """What the token may see: secret boards need a scope of their own, and of another's account a role that sees them."""
    secret = acting.secrets and visit.token is not None and "boards:read_secret" in visit.token.scopes
    return [board for board in kept(visit, acting) if secret or board.privacy != "SECRET"]


async def _boards(visit: Visit, acting: Acting) -> Said:
    privacy = visit.query.get("privacy", "ALL")
    if privacy not in _FILTERS:
        return invalid(f"'{privacy}' is not one of {list(_FILTERS)}")
    wanted = privacy.split("_AND_")
    return page(visit, [_told(board) for board in _seen(visit, acting) if privacy == "ALL" or board.privacy in wanted])


def _told(board: Board) -> dict[str, Any]:
    return {
        "id": board.id,
        "name": board.name,
        "description": board.description,
        "privacy": board.privacy,
        "owner": {"username": board.owner},
        "pin_count": board.pins,
        "follower_count": 13,
        "collaborator_count": board.collaborators,
        "created_at": board.created_at,
        "board_pins_modified_at": max("2025-02-01T10:00:00", board.created_at),
        "is_ads_only": board.ads_only,
        "media": {
            "image_cover_url": f"https://i.pinimg.com/400x300/{board.id}.png" if board.pins else None,
            "pin_thumbnail_urls": [f"https://i.pinimg.com/150x150/{board.id}-1.png"] if board.pins else [],
        },
    }


async def _board(visit: Visit, acting: Acting) -> Said:
    found = _found(visit, acting)
    return found if isinstance(found, Said) else Said(200, _told(found))


def _found(visit: Visit, acting: Acting) -> Board | Said:
    """The board that the address names, if the token may see it; one that it may not see is another refusal than one that is none."""
    board_id = visit.params["board_id"]
    if not board_id.isdecimal():
        return invalid(rf"'{board_id}' does not match '^\d+$'")
    board = next((one for one in _seen(visit, acting) if one.id == board_id), None)
    if board is not None:
        return board
    everybodys = (person.pinterest for person in visit.world.cast.people if person.pinterest is not None)
    if environment(visit) == "production" and any(one.id == board_id for account in everybodys for one in account.boards):
        return fails(401, NOT_YOURS) if acting.app.on("foreign_board_is_401") else fails(403, FORBIDDEN)
    return fails(404, NO_BOARD)


async def _sections(visit: Visit, acting: Acting) -> Said:
    """A board has one section for every 20 pins; the cast does not name them."""
    board = _found(visit, acting)
    if isinstance(board, Said):
        return board
    numbers = range(1, board.pins // _PINS_A_SECTION + 1)
    return page(visit, [{"id": f"{board.id}{number}", "name": f"Section {number}"} for number in numbers])


async def _create(visit: Visit, acting: Acting) -> Said:
    """A board of the account's own, on the host that was called alone."""
    asked = await visit.json()
    name, privacy = asked.get("name"), asked.get("privacy", "PUBLIC")
    if name is None:
        return invalid("'name' is a required property")
    if privacy not in _PRIVACIES:
        return invalid(f"'{privacy}' is not one of {list(_PRIVACIES)}")
    if privacy == "SECRET" and (visit.token is None or "boards:write_secret" not in visit.token.scopes):
        return fails(401, NO_SCOPE)
    if privacy == "SECRET" and not acting.secrets:
        return fails(403, FORBIDDEN)
    owner, there = acting.account.username, kept(visit, acting)
    if not isinstance(name, str) or not name.strip() or any(one.name == name and one.owner == owner for one in there):
        return fails(400, _BAD_NAME)
    board = Board(
        f"5497559{int(fingerprint(random_text(8)), 16) % 10**8:08}",
        name,
        owner,
        privacy,
        str(asked.get("description") or ""),
        pins=0,
        created_at=visit.clock.now().strftime("%Y-%m-%dT%H:%M:%S"),
    )
    if environment(visit) == "production":
        visit.world.change(acting.person, pinterest=replace(acting.account, boards=(*there, board)))
    else:
        _on_trial(visit)[acting.person] = (*there, board)
    return Said(201, _told(board))


def page(visit: Visit, items: Sequence[object]) -> Said:
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


boards = call("boards:read", read=_boards)
"""GET /v5/boards: the account's own and the group boards that it works on."""

board = call("boards:read", read=_board)
"""GET /v5/boards/{board_id}."""

sections = call("boards:read", read=_sections)
"""GET /v5/boards/{board_id}/sections."""

create_board = call("boards:read", "boards:write", read=_create, writes=True)
"""POST /v5/boards."""
