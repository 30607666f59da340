"""What a profile's standing means to people and programs: one sentence, one way on, and who can take it; pure."""

from dataclasses import dataclass
from datetime import datetime

from hitchpost.errors import CATALOGUE, FixBy, Problem
from hitchpost.tokens.service import Standing, State

_DETAILS = {"access_revoked": "it was taken back there, or the account's password was changed"}
"""What a sentence of the catalogue leaves open, where a standing knows no more."""


@dataclass(frozen=True, slots=True)
class Health:
    """A profile's health. `code`, `message`, `how` are empty for a healthy one; moments are aware UTC.

    `until`: when the access ends unless it is renewed; `renews`: whether it renews itself; `missing`: permissions, in the network's words;
    `since`: how long the network has been in trouble; `can`: of `read` and `publish`; `reconnect`: whether connecting again is the cure.
    `emergency`: the code of what stops all use of people's access just now, whatever the state; nothing can be done with it then.
    """

    state: State
    code: str = ""
    message: str = ""
    how: str = ""
    fix_by: FixBy | None = None
    until: datetime | None = None
    renews: bool = False
    missing: tuple[str, ...] = ()
    since: datetime | None = None
    checked_at: datetime | None = None
    can: tuple[str, ...] = ()
    emergency: str = ""

    @property
    def reconnect(self) -> bool:
        return self.state in (State.EXPIRING, State.MISSING_PERMISSIONS, State.RECONNECT_REQUIRED)


def health_of(standing: Standing, network: str, emergency: str = "") -> Health:
    """In words. `network`: its name for people. `emergency`: what stops all use of people's access; it changes no connection's state."""
    message, how, fix_by = standing.why, standing.how, standing.fix_by
    if standing.code and not message:
        until = f"{standing.until:%-d %B %Y}" if standing.until else "an unknown day"
        known = standing.code if standing.code in CATALOGUE else "not_confirmed"
        problem = Problem(known, network=network, until=until, detail=_DETAILS.get(known, ""), when="soon")
        message, how, fix_by = problem.message, problem.way, problem.entry.fix_by
    return Health(
        standing.state, standing.code, message, how, fix_by if standing.code else None, standing.until, standing.renews, standing.missing,
        standing.since, standing.checked_at, () if emergency else standing.can, emergency,
    )  # fmt: skip
