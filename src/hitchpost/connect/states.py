"""The states of an AuthorizationRequest and how long each may last; pure."""

from datetime import timedelta
from enum import StrEnum


class Status(StrEnum):
    """Where one trip to a network stands. Only conditional updates in the repository move it."""

    DEPARTED = "departed"
    EXCHANGING = "exchanging"
    LOOKING = "looking"
    CHOOSING = "choosing"
    ATTACHED = "attached"
    CANCELLED = "cancelled"
    FAILED = "failed"
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


OPEN = (Status.DEPARTED, Status.EXCHANGING, Status.LOOKING, Status.CHOOSING)
"""The states that can still lead to a profile."""

STATE_LIFE = timedelta(minutes=10)
"""From leaving for the network until its answer (threat A6)."""

CHOICE_LIFE = timedelta(minutes=15)
"""From the network's answer until the choice (threat A18)."""

TRIP_LIFE = timedelta(minutes=30)
"""What must be left of a browser session before it leaves for a network: longer than STATE_LIFE and CHOICE_LIFE together."""

LEASE = timedelta(seconds=120)
"""How long a claim holds; every act inside it has a shorter deadline."""

ACT_DEADLINE = timedelta(seconds=90)
"""How long one act at a network may take in all; shorter than the LEASE, so that its outcome is still ours to record."""

KEPT = timedelta(days=7)
"""How long an ended request is remembered, so that the back button still finds its page."""

MAX_OPEN = 20
"""Open requests a person may have; one more replaces the oldest (threat A16)."""
