"""What falls due in the flow: lost looks are taken over, what ran out is ended, what is over is forgotten."""

from hitchpost.clock import Clock
from hitchpost.connect import repository
from hitchpost.connect.looks import Looks
from hitchpost.connect.states import CHOICE_LIFE, KEPT, Status
from hitchpost.db.engine import Database, Tx
from hitchpost.profiles.service import Profiles


def end_flows_of_browsers(tx: Tx, session_ids: tuple[str, ...]) -> None:
    """Step: a browser session that ends takes its open requests with it (threat A7)."""
    repository.end(tx, repository.of_browsers(session_ids), Status.EXPIRED, "authorization_expired")


def end_flows_of_member(tx: Tx, workspace_id: str, person_id: str) -> None:
    """Step: who lost rights in a workspace has nothing under way there any more (threats A25, C12)."""
    repository.end(tx, repository.of_member(workspace_id, person_id), Status.FAILED, "rights_lost")


async def run_due(database: Database, clock: Clock, looks: Looks, profiles: Profiles) -> None:
    """One sweep: end interrupted exchanges and expired requests, take over due looks, forget what is over."""

    def sweep(tx: Tx) -> list[str]:
        now = clock.now()
        repository.end(tx, repository.interrupted(now), Status.FAILED, "interrupted")
        repository.end(tx, repository.expired(now), Status.EXPIRED, "authorization_expired")
        repository.forget(tx, now - KEPT, now - CHOICE_LIFE)
        profiles.drop_unused_pictures(tx, repository.shown_pictures(tx))
        return list(repository.due_looks(tx, now, 64))

    for request_id in await database.begin(sweep):
        looks.begin(request_id)
