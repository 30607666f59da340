"""What befell an access, as its profiles' workspaces are told: an event in each, in the same transaction."""

from hitchpost.clock import Clock
from hitchpost.db.engine import Tx
from hitchpost.events import service as events
from hitchpost.profiles import repository
from hitchpost.tokens.service import AccessLeft, GrantEnded, VerdictChanged


def grant_ended(clock: Clock, tx: Tx, ended: GrantEnded) -> None:
    """Step, told by the tokens room: every profile that stood on the grant must be connected again."""
    _tell(
        clock,
        tx,
        "profile.reconnect_required",
        ended.profile_ids,
        {"code": ended.code, "cause": ended.cause, "network_code": ended.network_code},
    )


def verdict_changed(clock: Clock, tx: Tx, changed: VerdictChanged) -> None:
    """Step, told by the tokens room: the access can do less than publishing needs, or enough again."""
    _tell(
        clock,
        tx,
        "profile.recovered" if changed.usable else "profile.impaired",
        changed.profile_ids,
        {"code": changed.code, "network_code": changed.network_code},
    )


def access_left(clock: Clock, tx: Tx, left: AccessLeft) -> None:
    """Step, told by the tokens room: the access was destroyed here and lives on at the network, where only the person can end it."""
    _tell(clock, tx, "profile.access_left", left.profile_ids, {"code": left.code, "network_code": left.network_code})


def _tell(clock: Clock, tx: Tx, kind: str, profile_ids: tuple[str, ...], why: dict[str, str]) -> None:
    for row in repository.by_ids(tx, profile_ids):
        facts: dict[str, events.Fact] = {"provider": row["provider"], "name": row["name"], **why}
        events.record(
            tx, workspace_id=row["workspace_id"], type=kind, subject=row["id"], actor="-", facts=facts, now=clock.now()
        )  # fmt: skip
