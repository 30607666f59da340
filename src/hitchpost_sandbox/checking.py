"""Whether what is asked for by name exists in a world and at its networks. A typo is refused with the names that there are; it is no
silent fault, which would turn tests green for nothing.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from hitchpost_sandbox.apps import COUNTS, App
from hitchpost_sandbox.faults import Does, Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.paths import fitting, shown
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.reading import Misread, unknown
from hitchpost_sandbox.signed_request import SPOILED
from hitchpost_sandbox.turns import Befallen
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
VARIANTS = {"linkedin": ("A", "B", "C")}
"""By authority, the shapes that an app of it can have (docs/networks/linkedin.md)."""


def words(twins: Iterable[Twin]) -> list[str]:
    """Every word that a fault may say at any of these networks, sorted."""
    return sorted({*Does, *(word for twin in twins for word in (*twin.errors, *twin.turns))})


def demand(at: str, word: str, known: Iterable[str]) -> None:
    """Raises Misread with the nearest known words unless `word` is known, or empty."""
    known = tuple(known)
    if word and word not in known:
        raise Misread(unknown(at, word, known))


def checked_fault(fault: Fault, twins: Sequence[Twin], world: World, at: str = "fault") -> Fault:
    """The fault, if everything that it names exists; a word of one network alone makes it that network's. Raises Misread: where."""
    demand(f"{at}.network", fault.network, [twin.network for twin in twins])
    meant = [twin for twin in twins if fault.network in ("", twin.network)]
    demand_of(f"{at}.does", "word", fault.does, {twin.network: words([twin]) for twin in twins}, fault.network)
    if fault.does not in set(Does):
        meant = [twin for twin in meant if fault.does in twin.errors or fault.does in twin.turns]
    if len(meant) == 1:
        fault = replace(fault, network=meant[0].network)
    fault = _at_its_host(fault, twins, at)
    demand_of(f"{at}.host", "host", fault.host, {twin.network: twin.hosts for twin in twins}, *(twin.network for twin in meant))
    demand(f"{at}.method", fault.method.upper(), _METHODS)
    _demand_path(fault, twins, meant, at)
    demand(f"{at}.person", fault.person, [person.key for person in world.cast.people])
    demand(f"{at}.app", fault.app, _apps(world, meant))
    _demand_turns_needs(fault.does, Befallen(fault.person, fault.app, fault.target, fault.scope), meant, world, at)
    return fault


def _at_its_host(fault: Fault, twins: Sequence[Twin], at: str) -> Fault:
    """The fault with the host apart that stands before its path, as a client writes it: `/api.x.com/2/users/me`, or a whole address."""
    first, _, rest = fault.path.removeprefix("https://").lstrip("/").partition("/")
    if not any(first.lower() in twin.hosts for twin in twins):
        return fault
    if fault.host not in ("", first.lower()):
        raise Misread(f"{at}.path: it is a path at {first.lower()}, and {at}.host says '{fault.host[:80]}'")
    return replace(fault, host=first.lower(), path=f"/{rest}")


def _demand_path(fault: Fault, twins: Sequence[Twin], meant: Sequence[Twin], at: str) -> None:
    """A pattern that fits no path of these networks would never spoil a call. Answering what the sandbox does not have, at a host, may."""
    if not fault.path or (fault.does == Does.ANSWER and fault.host):
        return
    if fault.path[0] not in "/*?[":
        raise Misread(f"{at}.path: '{fault.path[:80]}' fits no path; paths begin with /, as in '/{fault.path[:80]}'")
    has = {twin.network: twin.paths(fault.host) for twin in twins}
    if any(fitting(fault.path, has[twin.network]) for twin in meant):
        return
    if there := [network for network, paths in has.items() if fitting(fault.path, paths)]:
        raise Misread(f"{at}.path: {_not_here('path', fault.path, there, [twin.network for twin in meant])}")
    known = {shown(path) for twin in meant for path in has[twin.network]}
    raise Misread(unknown(f"{at}.path", fault.path, known - {f"{path}/" for path in known}))


def demand_of(at: str, kind: str, word: str, known: Mapping[str, Iterable[str]], *here: str) -> None:
    """Raises Misread unless one of the networks `here` (none named: any) knows the word; a word of others is told with their names.

    `known`: by network, its words; `kind`: what they are called.
    """
    everywhere = [network for network in known if not any(here) or network in here]
    there = [network for network, its in known.items() if word in its]
    if there and not set(there) & set(everywhere):
        raise Misread(f"{at}: {_not_here(kind, word, there, everywhere)}")
    demand(at, word, {one for network in everywhere for one in known[network]})


def _not_here(kind: str, word: str, there: Iterable[str], here: Iterable[str]) -> str:
    return f"'{word[:80]}' is a {kind} of {' and '.join(there)}, not of {' or '.join(here)}"


def checked_turn(word: str, whom: Befallen, twin: Twin, twins: Iterable[Twin], world: World, at: str = "turn") -> None:
    """Raises Misread unless the network has this turn, and everything that it names exists there."""
    if not word:
        raise Misread(f"{at}.turn is missing")
    demand_of(f"{at}.turn", "turn", word, {one.network: one.turns for one in twins}, twin.network)
    if not whom.person:
        raise Misread(f"{at}.person is missing")
    demand(f"{at}.person", whom.person, [person.key for person in world.cast.people])
    demand(f"{at}.app", whom.app, _apps(world, [twin]))
    demand(f"{at}.detail", whom.detail, SPOILED)
    _demand_turns_needs(word, whom, [twin], world, at)


def _demand_turns_needs(word: str, whom: Befallen, twins: Iterable[Twin], world: World, at: str) -> None:
    """What the turns of this word need must be there and exist; a word that takes none of it must not be given any."""
    asked = [(twin, twin.turns[word]) for twin in twins if word in twin.turns]
    finders = [(twin.network, turn.targets) for twin, turn in asked if turn.targets is not None]
    permissions = {scope for twin, turn in asked if turn.scoped for scope in twin.scope_words}
    scoped = any(turn.scoped for _, turn in asked)
    for name, value, takes in (("target", whom.target, bool(finders)), ("scope", whom.scope, scoped)):
        if takes and not value:
            raise Misread(f"{at}.{name} is missing: '{word}' needs it")
        if value and not takes:
            raise Misread(f"{at}.{name}: '{value[:80]}' is more than '{word}' takes")
    if finders:
        ids = {one for _, found in finders for one in found(world.cast, whom.person)}
        if not ids and whom.person and getattr(world.cast[whom.person], finders[0][0], "") is None:
            raise Misread(f"{at}.person: '{whom.person}' has no account at {finders[0][0]}")
        demand(f"{at}.target", whom.target, ids)
    if permissions:
        demand(f"{at}.scope", whom.scope, permissions)


def _apps(world: World, twins: Iterable[Twin]) -> set[str]:
    """The client ids that calls at these networks can be of."""
    twins = tuple(twins)
    authorities = {twin.authority for twin in twins}
    return {app.client_id for app in (*world.apps, *(app for twin in twins for app in twin.apps)) if app.authority in authorities}


def checked_app(app: App, twins: Iterable[Twin], at: str = "app") -> App:
    """The app, if every option of it is a switch of a network that it is for. Raises Misread: where, and those there are."""
    twins = tuple(twins)
    demand(f"{at}.authority", app.authority or "-", {twin.authority for twin in twins})
    meant = [twin for twin in twins if twin.authority == app.authority]
    if not app.client_id:
        raise Misread(f"{at}.client_id is empty")
    if app.authority in VARIANTS:
        demand(f"{at}.variant", app.variant, VARIANTS[app.authority])
    known = sorted({name for twin in meant for name in twin.switches})
    for name in sorted(app.options):
        demand(f"{at}.options", name, known)
    for name in sorted(set(app.options) & COUNTS):
        value = app.options[name]
        if type(value) is not int or not 0 <= value <= 1_000_000:
            raise Misread(f"{at}.options.{name} must be a whole number from 0 to 1000000")
    return app


def checked_people(people: Iterable[Person], at: Mapping[str, str]) -> None:
    """Raises Misread when two have one key, or one id or username at a network. `at`: where somebody stands, by key."""
    taken: dict[tuple[str, str, str], str] = {}
    keys: set[str] = set()
    for person in people:
        place = at.get(person.key, person.key)
        if person.key in keys:
            raise Misread(f"{place}.key: two people have the key '{person.key}'")
        keys.add(person.key)
        for network, field, value in _names(person):
            owner = taken.setdefault((network, field, value.lower()), person.key)
            if owner != person.key:
                newcomer = next((key for key in (person.key, owner) if key in at), person.key)
                other = owner if newcomer == person.key else person.key
                raise Misread(f"{at.get(newcomer, newcomer)}.{network}.{field}: '{value}' is taken by '{other}'")


def _names(person: Person) -> Iterable[tuple[str, str, str]]:
    """What only one person can have at each network. Facebook's ids are made from the key."""
    for network, account in (("instagram", person.instagram), ("x", person.x), ("pinterest", person.pinterest)):
        if account is not None:
            yield network, "id", account.id
            yield network, "username", account.username
    if person.linkedin is not None:
        yield "linkedin", "vanity", person.linkedin.vanity


def checked_filters(asked: Mapping[str, str], names: Iterable[str], twins: Iterable[Twin], world: World) -> None:
    """Raises Misread unless each filter of a question is one of `names`, with a value that something can have."""
    for name in asked:
        demand("the query", name or "-", names)
    demand("kind", asked.get("kind", ""), list(What))
    demand("network", asked.get("network", ""), {*(twin.network for twin in twins), *world.authorities})
    people, apps = {person.key for person in world.cast.people}, {app.client_id for app in world.apps}
    person, app = asked.get("person", ""), asked.get("app", "")
    # What is gone from the world, or was never known there, may still stand in the ledger.
    if person not in people and not world.ledger.read(person=person, limit=1):
        demand("person", person, people)
    if app not in apps and not world.ledger.read(app=app, limit=1):
        demand("app", app, apps)
