"""The halt of an emergency, as every use of somebody's access meets it."""

from hitchpost.db.engine import Tx
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.tokens import repository


def refuse_if_halted(tx: Tx) -> None:
    """Step. Raises Fault HALTED: nobody's access is used, by no process, until somebody resumes."""
    if repository.halted_since(tx) is not None:
        raise Fault(FaultKind.HALTED, "halted", "all use of people's access is stopped")
