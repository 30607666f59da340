"""SetUp: makes a fresh installation's first person and workspace, for whoever can read the server's console (threat F5)."""

import hmac
from collections.abc import Callable

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.errors import Problem
from hitchpost.events import service as events
from hitchpost.ids import digest, new_code
from hitchpost.people.service import OPERATOR, People
from hitchpost.secret import Secret
from hitchpost.workspaces import repository
from hitchpost.workspaces.limits import Windows

TRIES_A_MINUTE = 10


class SetUp:
    """Open as long as there is no person; then never again. `found(tx, name, owner_id)`: the step that makes the workspace."""

    def __init__(self, database: Database, clock: Clock, people: People, found: Callable[[Tx, str, str], object]) -> None:
        self._database, self._clock, self._people, self._found = database, clock, people, found
        self._tries = Windows(clock, TRIES_A_MINUTE)

    async def is_open(self) -> bool:
        """Whether nobody is there yet."""
        return await self._database.read(lambda tx: self._people.count(tx) == 0)

    async def new_code(self) -> Secret | None:
        """A fresh code to print on the console, replacing any before it; None when the installation is set up. Called at each start."""
        code = Secret(new_code())

        def replace(tx: Tx) -> Secret | None:
            if self._people.count(tx):
                return None
            repository.replace_setup_code(tx, _digest_of(code), self._clock.now())
            return code

        return await self._database.begin(replace)

    async def finish(self, *, code: Secret, name: str, email: str, password: Secret, workspace: str, address: str) -> None:
        """Make the person and their workspace. `address`: who tries.

        Raises Problem setup_done, sign_in_slowed after ten tries of an address in a minute, setup_code_wrong, form_incomplete.
        """
        stored, is_open = await self._database.read(self._state)
        if not is_open:
            raise Problem("setup_done")
        if self._tries.take(address).left < 0:
            raise Problem("sign_in_slowed", minutes="1")
        given = _digest_of(code)
        if stored is None or not hmac.compare_digest(given, stored):
            raise Problem("setup_code_wrong")
        password_hash = await self._people.hash_password(password)

        def make(tx: Tx) -> None:
            now = self._clock.now()
            # Of two who come at once with the right code, one is first.
            if not repository.use_setup_code(tx, given, now) or self._people.count(tx):
                raise Problem("setup_done")
            person = self._people.create_person(tx, email=email, name=name, password_hash=password_hash, now=now)
            self._found(tx, workspace, person.id)
            facts: dict[str, events.Fact] = {"person": person.id}
            events.record(
                tx, workspace_id=events.INSTALLATION, type="installation.set_up", subject="-", actor=OPERATOR, facts=facts, now=now
            )

        await self._database.begin(make)

    def _state(self, tx: Tx) -> tuple[str | None, bool]:
        # In this order: whoever finds the code used up a moment ago finds the person too, and is told so.
        return repository.setup_code_hash(tx), self._people.count(tx) == 0


def _digest_of(code: Secret) -> str:
    """However people type it. A plain hash is enough for 60 random bits that nobody can try faster than the server answers."""
    return digest("".join(code.reveal().upper().replace("-", " ").split()))
