"""What the end of a grant means for profiles: an event in every workspace that has one standing on it, in the same transaction."""

from hitchpost.clock import Clock
from hitchpost.db.engine import Tx
from hitchpost.events import service as events
from hitchpost.profiles import repository
from hitchpost.tokens.service import GrantEnded


def grant_ended(clock: Clock, tx: Tx, ended: GrantEnded) -> None:
    """Step, told by the tokens room."""
    for row in repository.by_ids(tx, ended.profile_ids):
        facts: dict[str, events.Fact] = {"provider": row["provider"], "name": row["name"], "code": ended.code, "cause": ended.cause}
        events.record(
            tx, workspace_id=row["workspace_id"], type="profile.reconnect_required", subject=row["id"], actor="-", facts=facts,
            now=clock.now(),
        )  # fmt: skip
