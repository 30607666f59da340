"""The flow's facts as its templates want them: plain dictionaries of text; pure."""

from typing import Any

from hitchpost.connect.flow import Offer, Scene, Start
from hitchpost.errors import FixBy, Problem
from hitchpost.networks.base import Adapter, Kind
from hitchpost.profiles.service import Profile

SEARCHABLE_FROM = 9
"""Candidates from which on the choose page offers a search."""

MENDERS = {
    FixBy.PERSON: "You, or somebody with the right role at the network, can mend this.",
    FixBy.CALLER: "You can mend this.",
    FixBy.OPERATOR: "Whoever runs this server can mend this.",
    FixBy.NOBODY: "Nobody can mend this just now; try again later.",
}


def picture_path(name: str) -> str:
    """Where we serve a picture; empty when there is none."""
    return f"/pictures/{name}" if name else ""


def network_of(adapter: Adapter, opens: str) -> dict[str, str]:
    """`opens`: the network at which the person consents, or empty while that is open."""
    return {"provider": adapter.provider, "title": adapter.title, "opens": opens}


def started(start: Start, adapter: Adapter) -> dict[str, Any]:
    """For start.html."""
    opens = {adapter.opens(one) for one in start.logins}
    return {
        # Without JavaScript the button cannot follow what is ticked: where the ways lead to different networks, it names none.
        "network": network_of(adapter, opens.pop() if len(opens) == 1 else ""),
        "workspace": {"id": start.workspace_id, "name": start.workspace_name, "owner_name": start.owner_name},
        "role": start.role,
        "logins": [{"key": one.key, "title": one.title, "asks": one.asks, "before": one.before} for one in start.logins],
        "switch_account": adapter.switch_account,
        "expected": _expected(start.expected),
        "usual": start.login,
        "emergency": Problem(start.emergency) if start.emergency else None,
    }


def _expected(profile: Profile | None) -> dict[str, str] | None:
    """The profile that is to be connected again."""
    if profile is None:
        return None
    return {
        "id": profile.id,
        "name": profile.name,
        "handle": profile.handle,
        "image": picture_path(profile.picture),
        "why": profile.health.message,
    }


def scene(scene: Scene, adapter: Adapter) -> dict[str, Any]:
    """What every page of a connection shows: network, workspace, and who consented."""
    trip = scene.trip
    account = (
        {"name": trip.account.name, "handle": trip.account.handle, "image": picture_path(trip.account_picture)} if trip.account else None
    )
    return {
        "connection_id": trip.connection_id,
        "network": network_of(adapter, next((adapter.opens(one) for one in adapter.logins if one.key == trip.login), adapter.title)),
        "workspace": {"id": trip.workspace_id, "name": scene.workspace_name, "owner_name": scene.owner_name},
        "account": account,
        "switch_account": adapter.switch_account,
        "expected": _expected(scene.expected),
        "lost": scene.lost,
        "confirms": scene.confirms,
        "again_url": f"/connect/{trip.connection_id}/again",
    }


def offered(offer: Offer) -> dict[str, Any]:
    """One row of choose.html."""
    one, verdict = offer.candidate, offer.candidate.verdict
    return {
        "key": offer.key, "name": one.name, "handle": one.handle, "kind": str(one.kind), "kind_text": one.kind.said,
        "image": picture_path(offer.picture), "connected": offer.connected, "usable": verdict.usable,
        "why": "" if verdict.usable else verdict.why, "how": verdict.how, "fix_by_text": MENDERS[verdict.fix_by],
        "remark": verdict.why if verdict.usable else "", "expected": offer.expected, "perhaps": offer.perhaps,
    }  # fmt: skip


def matching(offers: tuple[Offer, ...], wanted: str) -> list[Offer]:
    """The offers whose name or handle holds every word of the search, case ignored; all of them for an empty search."""
    words = wanted.casefold().split()
    texts = ((offer, f"{offer.candidate.name} {offer.candidate.handle}".casefold()) for offer in offers)
    return [offer for offer, text in texts if all(word in text for word in words)]


def attached(profile: Profile, renewed: bool) -> dict[str, Any]:
    """One row of done.html."""
    kind = Kind(profile.kind).said
    return {"name": profile.name, "handle": profile.handle, "image": picture_path(profile.picture), "kind_text": kind, "renewed": renewed}
