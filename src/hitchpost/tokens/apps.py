"""The configured OAuth apps: settings become rows (an app's identity is owner, authority, client id), rows become credentials in memory."""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches

import structlog
from sqlalchemy import RowMapping

from hitchpost.db.engine import Tx
from hitchpost.ids import new_id
from hitchpost.networks.base import Adapter, AppCredentials, Login
from hitchpost.networks.catalog import Catalog
from hitchpost.secret import Secret
from hitchpost.settings import PREFIX, AppSettings, BadSettings
from hitchpost.tokens import repository
from hitchpost.tokens.cipher import Place, SealBroken
from hitchpost.tokens.ring import BadRing
from hitchpost.tokens.vault import INSTALLATION, Vault

Way = tuple[Login, AppCredentials]
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")
"""RFC 6749 §3.3."""


class Apps:
    """Which app serves which network. Settled at start; an app that left the configuration stays readable for its grants."""

    def __init__(self, catalog: Catalog, vault: Vault) -> None:
        self._catalog, self._vault = catalog, vault
        self._log = structlog.get_logger("hitchpost.tokens")
        self._by_id: dict[str, AppCredentials] = {}
        self._ways: dict[str, tuple[Way, ...]] = {}
        self._served: dict[str, tuple[Adapter, Login]] = {}
        self._of_provider: dict[tuple[str, str], tuple[Adapter, Login]] = {}

    def __getitem__(self, app_id: str) -> AppCredentials:
        return self._by_id[app_id]

    def __contains__(self, app_id: str) -> bool:
        return app_id in self._by_id

    def ways(self, provider: str) -> tuple[Way, ...]:
        """The configured ways through a network's consent, in the adapter's order."""
        return self._ways.get(provider, ())

    def served_by(self, app_id: str) -> tuple[Adapter, Login] | None:
        """A network and login that the app serves: what speaks for it when a grant is given back. None: that network is no longer known."""
        return self._served.get(app_id)

    def at(self, app_id: str, provider: str) -> tuple[Adapter, Login] | None:
        """This very network, by the login of its own that the app serves: one app may serve two. None: no longer known."""
        return self._of_provider.get((app_id, provider))

    def networks(self) -> Mapping[str, Sequence[str]]:
        """By app, the networks that are still known and that it serves."""
        found: dict[str, list[str]] = {}
        for app_id, provider in self._of_provider:
            found.setdefault(app_id, []).append(provider)
        return found

    def noticed(self, authority: str, client_id: str) -> tuple[str, tuple[Secret, ...]] | None:
        """The installation's app with this client id whose network sends signed notices, and the secrets that may sign them."""
        for app_id, (_, login) in self._served.items():
            if login.authority == authority and login.notices and self._by_id[app_id].client_id == client_id:
                return app_id, tuple(self._by_id[one].client_secret for one in (app_id, *self._signing_too(app_id)))
        return None

    def _signing_too(self, app_id: str) -> Iterator[str]:
        """The apps of the authority whose secrets may sign this app's notices as well."""
        if other := self._served[app_id][1].notices_also_signed_by:
            yield from (one for one, (_, login) in self._served.items() if login.authority == other)

    def serving(self, app_id: str) -> tuple[Adapter, Login]:
        """The same, where it is certain. Raises KeyError."""
        return self._served[app_id]

    def title_of(self, app_id: str) -> str:
        """The network's name for people, or empty."""
        served = self.served_by(app_id)
        return served[0].title if served else ""

    def configure(self, tx: Tx, configured: Sequence[AppSettings]) -> None:
        """Step: bring rows and memory to what is configured. Raises BadSettings naming the variable."""
        ids = {one.slot: self._stored(tx, one) for one in configured}
        slots = {app_id: slot for slot, app_id in ids.items()}
        for slot, app_id in ids.items():
            if slots[app_id] != slot:
                names = " and ".join(f"{PREFIX}APP_{one.upper()}_CLIENT_ID" for one in (slot, slots[app_id]))
                raise BadSettings(f"{names} are the same app; keep one of them")
        for row in repository.every_app(tx):
            secret = self._secret(tx, row)
            scopes = tuple(row["scopes"].split())
            self._by_id[row["id"]] = AppCredentials(row["id"], row["client_id"], secret, row["variant"], scopes, row["version"])
            for adapter in self._catalog:
                for login in adapter.logins:
                    if login.slot == row["slot"]:
                        self._served.setdefault(row["id"], (adapter, login))
                        self._of_provider[row["id"], adapter.provider] = (adapter, login)
        served = {one.slot: one.providers for one in configured}
        for adapter in self._catalog:
            self._ways[adapter.provider] = tuple(
                (login, self._by_id[ids[login.slot]])
                for login in adapter.logins
                if login.slot in ids and adapter.provider in (served[login.slot] or (adapter.provider,))
            )

    def _stored(self, tx: Tx, app: AppSettings) -> str:
        login = self._checked(app)
        values: dict[str, object] = {"slot": app.slot, "variant": app.variant, "version": app.version, "scopes": " ".join(app.scopes)}
        fresh_id = new_id()
        fresh: dict[str, object] = {"id": fresh_id, "owner": INSTALLATION, "authority": login.authority, "client_id": app.client_id}
        sealed = self._vault.seal(tx, _place(fresh_id), app.client_secret)
        row = repository.app_or_made(tx, {**fresh, **values, "sealed_secret": sealed, "state": "ok"})
        app_id = str(row["id"])
        if self._secret(tx, row) != app.client_secret:
            values |= {"sealed_secret": self._vault.seal(tx, _place(app_id), app.client_secret), "state": "ok"}
        repository.change_app(tx, app_id, values)
        return app_id

    def _secret(self, tx: Tx, row: RowMapping) -> Secret:
        try:
            return self._vault.open(tx, _place(row["id"]), row["sealed_secret"])
        except SealBroken:
            raise BadRing(f"the stored secret of the app {row['client_id']} does not open: row {row['id']} of apps was changed") from None

    def _checked(self, app: AppSettings) -> Login:
        name, known = f"{PREFIX}APP_{app.slot.upper()}", [(one.provider, login) for one in self._catalog for login in one.logins]
        served = [(provider, login) for provider, login in known if login.slot == app.slot]
        if not served:
            slots = {login.slot for _, login in known}
            raise BadSettings(f"{name}_…: no network has an app slot {app.slot}{_nearest(app.slot, slots)}; there are {_listed(slots)}")
        for part, value in (("CLIENT_ID", app.client_id), ("CLIENT_SECRET", app.client_secret)):
            if not value:
                raise BadSettings(f"{name}_{part} is missing: an app needs both its client id and its secret")
        login = served[0][1]
        if app.variant and app.variant not in login.variants:
            allowed = f"one of {variants}" if (variants := _listed(login.variants)) else "left out: this app has none"
            raise BadSettings(f"{name}_VARIANT must be {allowed}")
        if app.version and not (login.version_form and re.fullmatch(login.version_form, app.version)):
            allowed = f"of the form {login.default_version}" if login.version_form else "left out: this network's API has no versions"
            raise BadSettings(f"{name}_VERSION must be {allowed}")
        if foreign := set(app.providers) - {"", *(provider for provider, _ in served)}:
            raise BadSettings(
                f"{name}_PROVIDERS: this app cannot serve {_listed(foreign)}, only {_listed(provider for provider, _ in served)}"
            )
        self._look_through(f"{name}_SCOPES", app.scopes, {scope for _, one in served for some in one.scopes.values() for scope in some})
        return login

    def _look_through(self, name: str, scopes: Iterable[str], known: Collection[str]) -> None:
        """Raises BadSettings for what cannot be a scope; only warns of what is not known here, for networks make new ones."""
        for scope in scopes:
            if not _SCOPE.fullmatch(scope):
                raise BadSettings(f"{name}: {scope!r} cannot be a scope; write them as the network does, separated by commas or spaces")
            if scope not in known:
                said = f"{scope} is not a scope that is known here{_nearest(scope, known)}"
                self._log.warning("an unknown scope is asked for", setting=name, detail=said)


def _place(app_id: str) -> Place:
    return Place(INSTALLATION, "apps", "sealed_secret", app_id)


def _nearest(name: str, known: Collection[str]) -> str:
    found = get_close_matches(name, sorted(known), 1)
    return f" (did you mean {found[0]}?)" if found else ""


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(set(names) - {""}))
