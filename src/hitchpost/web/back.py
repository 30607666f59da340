"""Back: where a person goes on after signing in, as a name and ids, never as a URL (A17)."""

import re
from dataclasses import dataclass
from typing import Literal, Protocol
from urllib.parse import urlencode

from hitchpost.ids import is_id

_PROVIDER = re.compile(r"[a-z0-9_]{1,32}")


class _Readable(Protocol):
    def get(self, name: str, /) -> str | None: ...


@dataclass(frozen=True, slots=True)
class Back:
    """One of our own places: home, a start page, or a connection under way."""

    route: Literal["home", "start", "connection"] = "home"
    provider: str = ""
    workspace_id: str = ""
    connection: str = ""

    @classmethod
    def read(cls, mapping: _Readable) -> "Back":
        """From a query or a form, by the names that `fields` writes. Whatever is not shaped right leads home."""
        to, provider, workspace_id, connection = (mapping.get(name) or "" for name in ("to", "provider", "workspaceId", "connection"))
        if to == "start" and _PROVIDER.fullmatch(provider) and is_id(workspace_id):
            return cls("start", provider=provider, workspace_id=workspace_id)
        if to == "connection" and is_id(connection):
            return cls("connection", connection=connection)
        return cls()

    def path(self) -> str:
        """The path of that place, to be followed on our own origin."""
        if self.route == "start":
            return f"/api/social-connect/start?provider={self.provider}&workspaceId={self.workspace_id}"
        if self.route == "connection":
            return f"/connect/{self.connection}"
        return "/"

    def fields(self) -> dict[str, str]:
        """Hidden inputs from which `read` finds the place again."""
        found = {"to": self.route, "provider": self.provider, "workspaceId": self.workspace_id, "connection": self.connection}
        return {name: value for name, value in found.items() if value}

    def query(self) -> str:
        """`fields` as a query string, for links to the sign-in page."""
        return urlencode(self.fields())
