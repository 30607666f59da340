"""The halt of an emergency: set without anything else of the house having to work, and met by every use of somebody's access."""

from dataclasses import dataclass
from datetime import datetime

from hitchpost.db.engine import Tx
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import repository


@dataclass(frozen=True, slots=True)
class Halted:
    """How it stands. `since`: None while people's access is used; `giving_everything_back`: also what still comes; `left`: grants to do."""

    since: datetime | None
    giving_everything_back: bool
    left: int


def status(tx: Tx) -> Halted:
    """Step: whether use is stopped, since when, and how much is still being given back."""
    return Halted(repository.halted_since(tx), is_given_back(tx), repository.count_revoking(tx))


def halt(tx: Tx, now: datetime) -> datetime:
    """Step: halt; since when. What is under way at a network ends by itself within its deadline."""
    since = repository.halted_since(tx) or now
    repository.set_halt(tx, since)
    return since


def give_everything_back(tx: Tx, now: datetime) -> None:
    """Step: halt, and until somebody resumes a consent that still arrives is given back as well."""
    halt(tx, now)
    repository.set_halt(tx, now, repository.EVERYTHING)


def is_given_back(tx: Tx) -> bool:
    """Whether everything is being given back, whatever comes."""
    return repository.halted_since(tx, repository.EVERYTHING) is not None


def resume(tx: Tx) -> None:
    """Step: go on."""
    repository.set_halt(tx, None)
    repository.set_halt(tx, None, repository.EVERYTHING)


def is_halted(tx: Tx) -> bool:
    """Whether nobody's access is to be used, but to give it back."""
    return repository.halted_since(tx) is not None


def emergency(tx: Tx) -> str:
    """Step: the catalogue's code of what is stopped just now, `halted` or `all_withdrawn`; empty while all is well."""
    # One read while all is well, for every use of an access asks: nothing is given back but under a halt.
    return "" if not is_halted(tx) else "all_withdrawn" if is_given_back(tx) else "halted"


def refuse_if_halted(tx: Tx) -> None:
    """Step. Raises Fault HALTED or WITHDRAWN: nobody's access is used, by no process, until somebody resumes."""
    match emergency(tx):
        case "all_withdrawn":
            raise Fault(FaultKind.WITHDRAWN, "all_withdrawn", "all access was ended")
        case "halted":
            raise Fault(FaultKind.HALTED, "halted", "all use of people's access is stopped")
