"""Profiles as the console's templates want them: plain dictionaries of text; pure."""

from datetime import datetime
from typing import Any

from hitchpost.errors import Problem
from hitchpost.networks.base import Kind
from hitchpost.profiles.service import Profile
from hitchpost.tokens.service import State
from hitchpost.verdicts import VERDICTS
from hitchpost.web.back import Back

HEALTH = {
    State.HEALTHY: "Connected",
    State.EXPIRING: "Expires soon",
    State.MISSING_PERMISSIONS: "Permission missing",
    State.NETWORK_TROUBLE: "Waiting for the network",
    State.RECONNECT_REQUIRED: "Connect again",
}
"""What each state is called, short enough for a list."""

_WELL = "It is connected, and its access is looked after by itself."
_CAN = {"read": "read what it has published", "publish": "publish"}


def profile(one: Profile) -> dict[str, Any]:
    """A profile in a list or at the head of its page."""
    return {
        "id": one.id, "name": one.name, "handle": one.handle, "kind": Kind(one.kind).said, "provider": one.provider,
        "image": f"/pictures/{one.picture}" if one.picture else "", "state": one.health.state, "health_text": HEALTH[one.health.state],
        "why": one.health.message, "reconnect": one.reconnect_path if one.health.reconnect else "",
        "path": Back("profile", workspace_id=one.workspace_id, profile=one.id).path(),
    }  # fmt: skip


def health(one: Profile) -> dict[str, Any]:
    """Everything that is known of how it stands."""
    of = one.health
    connected = "It is connected; its access is left alone for now." if of.emergency else _WELL
    return {
        "message": of.message or connected, "how": of.how, "missing": of.missing,
        "can": [_CAN[what] for what in of.can], "checked": _said(of.checked_at), "until": _said(of.until), "renews": of.renews,
        "since": _said(of.since), "code": of.code, "fix_by": of.fix_by, "reconnect_path": one.reconnect_path,
    }  # fmt: skip


def may_check(one: Profile) -> bool:
    """Whether asking the network now can tell anything: of an access that has ended nothing is asked, nor of any in an emergency."""
    of = one.health
    if of.emergency:
        return False
    return of.state is not State.RECONNECT_REQUIRED or of.code == "access_unreadable" or of.code in VERDICTS


def emergency(code: str) -> Problem | None:
    """What pages say above all else while use of people's access is stopped."""
    return Problem(code) if code else None


def _said(moment: datetime | None) -> str:
    return f"{moment:%-d %B %Y, %H:%M} UTC" if moment else ""
