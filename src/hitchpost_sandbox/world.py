"""One whole simulated outside: clock, cast, ledger, fault scripts, and an authorization server for each name in apps."""

import copy
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from hitchpost_sandbox.apps import WELL_KNOWN, App
from hitchpost_sandbox.authority import Authority
from hitchpost_sandbox.cast import DEFAULT
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.faults import Fault, Faults
from hitchpost_sandbox.ledger import Ledger
from hitchpost_sandbox.limits import Limits
from hitchpost_sandbox.outgoing import Outgoing
from hitchpost_sandbox.people import Cast, Person


class World:
    """Everything that changes while people connect. Tests hold it directly; other processes ask `/_sandbox/…`.

    `seed`: of the dice of fault scripts. `outgoing`: how networks call the apps' own servers. `era`: rises with each reset and restore,
    so that a call that waited through one of them knows that its world is gone.
    """

    def __init__(
        self,
        *,
        clock: SandboxClock | None = None,
        cast: Cast = DEFAULT,
        apps: Iterable[App] = WELL_KNOWN,
        seed: int = 0,
        outgoing: Outgoing | None = None,
    ) -> None:
        self.clock = clock or SandboxClock()
        self.seed = seed
        self.outgoing = outgoing or Outgoing()
        self._first_cast = cast
        self._first_apps = tuple(apps)
        self._first_faults: tuple[Fault, ...] = ()
        self._snapshots: dict[str, dict[str, Any]] = {}
        self.era = 0
        self.faults = Faults(seed)
        self.reset()

    def reset(self) -> None:
        """Forget every consent, token, ledger entry, later fault and app, every change of the cast; the clock and snapshots stay."""
        self.era += 1
        self.faults.clear()
        self.cast = self._first_cast
        self.ledger = Ledger(self.clock)
        self.limits = Limits(self.clock)
        self.faults = Faults(self.seed)
        for fault in self._first_faults:
            self.faults.add(fault)
        self._authorities: dict[str, Authority] = {}
        for app in self._first_apps:
            self.register(app)

    def authority(self, name: str) -> Authority:
        """The authorization server of this name; a new name gets a new one."""
        if name not in self._authorities:
            self._authorities[name] = Authority(name, self.clock, self.ledger)
        return self._authorities[name]

    @property
    def authorities(self) -> Mapping[str, Authority]:
        return self._authorities

    def bring(self, apps: Iterable[App]) -> None:
        """Make apps known that this world begins with, also after each reset; one that it knows already stays as it is."""
        for app in apps:
            if self.authority(app.authority).app(app.client_id) is None:
                self._first_apps += (app,)
                self.register(app)

    def await_faults(self, faults: Iterable[Fault]) -> None:
        """Put faults on the list that this world begins with, also after each reset."""
        for fault in faults:
            self._first_faults += (fault,)
            self.faults.add(fault)

    def register(self, app: App) -> None:
        """Make an app known to its authority, as its owner would in the developer console."""
        self.authority(app.authority).register(app)

    @property
    def apps(self) -> tuple[App, ...]:
        return tuple(app for authority in self._authorities.values() for app in authority.apps)

    def recast(self, person: Person) -> None:
        """Change what stands at the networks about this person (found by key), or let a new one move in; until the next reset."""
        self.cast = self.cast.having(person)

    def change(self, key: str, **accounts: object) -> Person:
        """Change accounts of the person with this key: `change("ada", x=replace(account, suspended=True))`. Raises KeyError."""
        changed = replace(self.cast[key], **accounts)  # type: ignore[arg-type]
        self.recast(changed)
        return changed

    # Named snapshots.

    def keep(self, name: str) -> None:
        """Remember everything as it is now, the time too, under a name; an earlier snapshot of that name is replaced."""
        state = {field: getattr(self, field) for field in ("cast", "ledger", "limits", "_authorities")}
        # One deep copy, so that what is shared stays shared.
        self._snapshots[name] = copy.deepcopy(state) | {"faults": self.faults.kept(), "time": self.clock.kept()}

    def restore(self, name: str) -> None:
        """Make everything as it was when the snapshot was kept, the time too. Raises KeyError."""
        state = self._snapshots[name]
        self.era += 1
        self.faults.clear()
        self.faults.back(state["faults"])
        self.clock.back(state["time"])
        for field, value in copy.deepcopy({name: state[name] for name in state if name not in ("faults", "time")}).items():
            setattr(self, field, value)

    def forget(self, name: str) -> None:
        """Drop a snapshot. Raises KeyError."""
        del self._snapshots[name]

    @property
    def snapshots(self) -> tuple[str, ...]:
        return tuple(self._snapshots)
