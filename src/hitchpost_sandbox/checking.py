"""Whether what is asked for by name exists at the networks. A typo is refused with the names that there are; it is no silent fault."""

from collections.abc import Iterable

from hitchpost_sandbox.apps import COUNTS, App
from hitchpost_sandbox.faults import Does, Fault
from hitchpost_sandbox.reading import Misread
from hitchpost_sandbox.twin import Twin


def words(twins: Iterable[Twin]) -> list[str]:
    """Every word that a fault may say at any of these networks, sorted."""
    return sorted({*Does, *(word for twin in twins for word in (*twin.errors, *twin.turns))})


def checked_fault(fault: Fault, twins: Iterable[Twin], at: str = "fault") -> Fault:
    """The fault, if its network exists and its word is one that some network means. Raises Misread: where, and those there are."""
    known = {twin.network: twin for twin in twins}
    if fault.network and fault.network not in known:
        raise Misread(f"{at}.network must be one of: {', '.join(known)}")
    meant = words([known[fault.network]] if fault.network else known.values())
    if fault.does not in meant:
        raise Misread(f"{at}.does must be one of: {', '.join(meant)}")
    return fault


def checked_app(app: App, twins: Iterable[Twin], at: str = "app") -> App:
    """The app, if every option of it is a switch of a network that it is for. Raises Misread: where, and those there are."""
    meant = [twin for twin in twins if twin.authority == app.authority]
    if not meant:
        raise Misread(f"{at}.authority must be one of: {', '.join(sorted({twin.authority for twin in twins}))}")
    known = sorted({name for twin in meant for name in twin.switches})
    if unknown := sorted(set(app.options) - set(known)):
        raise Misread(f"{at}.options has no '{unknown[0]}'; {app.authority} knows: {', '.join(known)}")
    for name in sorted(set(app.options) & COUNTS):
        value = app.options[name]
        if type(value) is not int or not 0 <= value <= 1_000_000:
            raise Misread(f"{at}.options.{name} must be a whole number from 0 to 1000000")
    return app
