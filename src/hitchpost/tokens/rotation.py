"""Turning the key ring while everything runs: a new first key, every data key wrapped by it, and older keys out when they wrap nothing."""

from dataclasses import dataclass

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.settings import Settings
from hitchpost.tokens import ring
from hitchpost.tokens.vault import Vault


@dataclass(frozen=True, slots=True)
class Rotated:
    """The ring's first key now, and how many data keys it has newly wrapped."""

    primary: str
    changed: int


def prepare(settings: Settings) -> str:
    """A further key in the ring that wraps nothing yet; its id. Every machine must have it before it is made the first. Raises BadRing."""
    with ring.turning(settings):
        return ring.with_key_to_come(settings)


async def rotate(settings: Settings, database: Database, clock: Clock, *, to: str = "", retire: bool = False) -> Rotated:
    """Story: make a fresh key, or the ring's own key `to`, the first and wrap every data key by it. Raises BadRing.

    The ring is on disk before anything is wrapped by it; a process that dies in between leaves a ring that opens everything.
    `retire`: then take the older keys out of the ring.
    """
    with ring.turning(settings):
        turned = ring.with_first(settings, to) if to else ring.with_new_key(settings)
        vault = Vault(turned, clock)
        changed = await database.begin(vault.rewrap)

        def retired(tx: Tx) -> int:
            # Once more, and nobody makes a data key until the ring is written: one made meanwhile may be wrapped by an older key.
            late = vault.rewrap(tx)
            ring.with_primary_alone(settings)
            return late

        if retire:
            changed += await database.begin(retired)
    return Rotated(turned.primary, changed)
