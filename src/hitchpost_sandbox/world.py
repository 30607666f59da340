"""One whole simulated outside: clock, cast, ledger and an authorization server for each name that apps are registered with."""

from collections.abc import Iterable

from hitchpost_sandbox.apps import WELL_KNOWN, App
from hitchpost_sandbox.authority import Authority
from hitchpost_sandbox.cast import DEFAULT
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import Ledger
from hitchpost_sandbox.limits import Limits
from hitchpost_sandbox.people import Cast


class World:
    """Everything that changes while people connect. Tests hold it directly; other processes ask `/_sandbox/…`."""

    def __init__(self, *, clock: SandboxClock | None = None, cast: Cast = DEFAULT, apps: Iterable[App] = WELL_KNOWN) -> None:
        self.clock = clock or SandboxClock()
        self.cast = cast
        self._first_apps = tuple(apps)
        self.reset()

    def reset(self) -> None:
        """Forget every consent, token, ledger entry and later app, every spent limit; the clock keeps its time."""
        self.ledger = Ledger(self.clock)
        self.limits = Limits(self.clock)
        self._authorities: dict[str, Authority] = {}
        for app in self._first_apps:
            self.register(app)

    def authority(self, name: str) -> Authority:
        """The authorization server of this name; a new name gets a new one."""
        if name not in self._authorities:
            self._authorities[name] = Authority(name, self.clock, self.ledger)
        return self._authorities[name]

    def bring(self, apps: Iterable[App]) -> None:
        """Make apps known that this world begins with, also after each reset; one that it knows already stays as it is."""
        for app in apps:
            if self.authority(app.authority).app(app.client_id) is None:
                self._first_apps += (app,)
                self.register(app)

    def register(self, app: App) -> None:
        """Make an app known to its authority, as its owner would in the developer console."""
        self.authority(app.authority).register(app)

    @property
    def apps(self) -> tuple[App, ...]:
        return tuple(app for authority in self._authorities.values() for app in authority.apps)
