"""Canaries: every secret that a journey makes, collected where it is made, and the search for it in all that anybody can get hold of."""

import base64
from collections.abc import Iterable, Mapping
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Authority, Consented, Look, Token
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import Ledger
from hitchpost_sandbox.world import World

SHORTEST = 8
"""Below this many characters a secret would be found by chance."""


class Canaries:
    """Secrets by what they are (`code`, `token`, …)."""

    def __init__(self) -> None:
        self._kinds: dict[str, str] = {}

    def add(self, kind: str, *secrets: str) -> None:
        for secret in secrets:
            assert len(secret) >= SHORTEST, f"a {kind} is too short to be searched for"
            self._kinds[secret] = kind

    def count(self, kind: str) -> int:
        """How many there are of a kind; `token` counts those of every network's word."""
        return len([one for one in self._kinds.values() if one == kind or one.endswith(f" {kind}")])

    def found_in(self, places: Mapping[str, bytes], *, but: Iterable[str] = ()) -> set[tuple[str, str]]:
        """(kind, place) of every secret that stands somewhere in clear, percent-encoded or in base64; kinds named in `but` left out."""
        wanted = [(kind, form) for secret, kind in self._kinds.items() if kind not in set(but) for form in _forms(secret)]
        return {(kind, place) for place, content in places.items() for kind, form in wanted if form in content}


def _forms(secret: str) -> set[bytes]:
    raw = secret.encode()
    return {raw, quote(secret, safe="").encode(), base64.b64encode(raw).rstrip(b"="), base64.urlsafe_b64encode(raw).rstrip(b"=")}


class WatchedAuthority(Authority):
    """An authorization server that tells its secrets to the canaries: codes and tokens it issues, codes and verifiers it is sent."""

    def __init__(self, name: str, clock: SandboxClock, ledger: Ledger, canaries: Canaries) -> None:
        super().__init__(name, clock, ledger)
        self._canaries = canaries

    def register(self, app: App) -> None:
        self._canaries.add("app secret", app.client_secret)
        super().register(app)

    def open_code(
        self, given: Consented, redirect_uri: str, *, life: timedelta, challenge: str = "", method: str = "S256", look: Look = str
    ) -> str:
        code = super().open_code(given, redirect_uri, life=life, challenge=challenge, method=method, look=look)
        self._canaries.add("code", code)
        return code

    def redeem(self, value: str, app: App, redirect_uri: str, verifier: str = "") -> Consented:
        if verifier:
            self._canaries.add("verifier", verifier)
        return super().redeem(value, app, redirect_uri, verifier)

    def issue(
        self,
        given: Consented,
        kind: str,
        *,
        life: timedelta | None,
        scopes: Iterable[str] | None = None,
        subject: str = "",
        look: Look = str,
    ) -> Token:
        token = super().issue(given, kind, life=life, scopes=scopes, subject=subject, look=look)
        self._canaries.add(f"{kind} token", token.value)
        return token


class WatchedWorld(World):
    """The default world, all of whose authorities are watched."""

    def __init__(self) -> None:
        self.canaries = Canaries()
        super().__init__(clock=SandboxClock())

    def authority(self, name: str) -> Authority:
        if name not in self._authorities:
            self._authorities[name] = WatchedAuthority(name, self.clock, self.ledger, self.canaries)
        return self._authorities[name]


def files_below(*folders: Path) -> dict[str, bytes]:
    """Every file's bytes by its name: the database with its journal and shared memory among them."""
    return {path.name: path.read_bytes() for folder in folders for path in folder.rglob("*") if path.is_file()}
