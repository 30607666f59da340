"""Turns: what befalls a person at a network behind the app's back, from a changed password to a lost role.

A twin lists its turns by the words below where they fit, so that a test can say the same word at every network.
"""

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from hitchpost_sandbox.people import Cast, Person
from hitchpost_sandbox.world import World

A = TypeVar("A")

REVOKED = "revoked"
"""The person removed the app in the network's settings."""
PASSWORD_CHANGED = "password_changed"  # noqa: S105 - a word, not a password
PERMISSION_GONE = "permission_gone"
"""One permission (`scope`) was taken back, the rest stays."""
PAGE_REMOVED = "page_removed"
"""The page, organization or board `target` no longer exists."""
ROLE_LOST = "role_lost"
"""The person no longer has a role on `target`; others still have."""
SIGNED_IN_AS = "signed_in_as"
"""The person's browser is signed in to the network with somebody else's account (`target`: their key in the cast)."""


class CannotBefall(Exception):
    """The turn does not fit the person: no account there, no such page. The message says which."""


@dataclass(frozen=True, slots=True)
class Befallen:
    """Whom a turn meets. `app` empty: every app. `target`, `scope`, `detail`: what the turn needs beside the person."""

    person: str
    app: str = ""
    target: str = ""
    scope: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Turn:
    """One thing that can befall people at a network. `says`: for the panel, with what it needs. `play` may raise CannotBefall.

    `targets`: the ids that it can be about, of one person by key or of everybody; None when it is about none. `scoped`: it needs a scope.
    """

    says: str
    play: Callable[[World, Befallen], Awaitable[None]]
    targets: Callable[[Cast, str], frozenset[str]] | None = None
    scoped: bool = False


def having(ids: Callable[[Person], Iterable[str]]) -> Callable[[Cast, str], frozenset[str]]:
    """The `targets` of a turn that is about things which people have."""
    return lambda cast, key: frozenset(one for person in cast.people if key in ("", person.key) for one in ids(person))


def _whoever(cast: Cast, _key: str) -> frozenset[str]:
    return frozenset(person.key for person in cast.people)


def account_of(world: World, whom: Befallen, network: str, kind: type[A]) -> A:
    """What the person has at this network, an account of this kind. Raises CannotBefall when they have none."""
    account = getattr(world.cast[whom.person], network)
    if not isinstance(account, kind):
        raise CannotBefall(f"'{whom.person}' has no account at {network}")
    return account


def tokens_die(authority: str, because: str, *, says: str) -> Turn:
    """A turn that ends everything the person granted there, to one app or to all; tokens remember `because`."""

    async def play(world: World, whom: Befallen) -> None:
        server = world.authority(authority)
        for app in server.apps:
            if whom.app in ("", app.client_id):
                server.revoke_grants(whom.person, app.client_id, because=because)

    return Turn(says, play)


def scope_goes(authority: str, *, says: str) -> Turn:
    """A turn that takes one scope from everything the person granted there."""

    async def play(world: World, whom: Befallen) -> None:
        if not whom.scope:
            raise CannotBefall("'scope' must name the permission that goes")
        world.authority(authority).take_scope(whom.person, whom.scope, client_id=whom.app)

    return Turn(says, play, scoped=True)


def signed_in_as(authority: str, *, says: str) -> Turn:
    """A turn after which the person consents as `target`, whom their browser is signed in as; their own key ends it."""

    async def play(world: World, whom: Befallen) -> None:
        if whom.target not in world.cast:
            raise CannotBefall("'target' must be the key of somebody of the cast")
        world.authority(authority).memory.setdefault(SIGNED_IN_AS, {})[whom.person] = whom.target

    return Turn(says, play, _whoever)
