"""What falls due in the flow: lost looks are taken over, what ran out is ended, what is over is forgotten."""

from hitchpost.clock import Clock
from hitchpost.connect import repository
from hitchpost.connect.looks import Looks
from hitchpost.connect.states import CHOICE_LIFE, KEPT, Status
from hitchpost.db.engine import Database, Tx
from hitchpost.profiles.service import Profiles


async def run_due(database: Database, clock: Clock, looks: Looks, profiles: Profiles) -> None:
    """One sweep: end interrupted exchanges and expired requests, take over due looks, forget what is over."""

    def sweep(tx: Tx) -> list[str]:
        now = clock.now()
        repository.end(tx, repository.interrupted(now), Status.FAILED, "interrupted")
        repository.end(tx, repository.expired(now), Status.EXPIRED, "authorization_expired")
        repository.forget(tx, now - KEPT, now - CHOICE_LIFE)
        return list(repository.due_looks(tx, now, 64))

    for request_id in await database.begin(sweep):
        looks.begin(request_id)
    # Apart: whatever is the matter with pictures, connections go on and end.
    await database.begin(lambda tx: profiles.gallery.drop_unused(tx, repository.shown_pictures()))
