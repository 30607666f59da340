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
    """One of our own places: home, a start page, a connection under way, or a profile."""

    route: Literal["home", "start", "connection", "profile"] = "home"
    provider: str = ""
    workspace_id: str = ""
    connection: str = ""
    profile: str = ""
    """Of a start page: the profile to connect again, if it is about one. Of the profile's own page: that one."""

    @classmethod
    def read(cls, mapping: _Readable) -> "Back":
        """From a query or a form, by the names that `fields` writes. Whatever is not shaped right leads home."""
        names = ("to", "provider", "workspaceId", "connection", "profileId")
        to, provider, workspace_id, connection, profile = (mapping.get(name) or "" for name in names)
        if to == "start" and _PROVIDER.fullmatch(provider) and is_id(workspace_id):
            return cls("start", provider=provider, workspace_id=workspace_id, profile=profile if is_id(profile) else "")
        if to == "profile" and is_id(profile) and is_id(workspace_id):
            return cls("profile", workspace_id=workspace_id, profile=profile)
        if to == "connection" and is_id(connection):
            return cls("connection", connection=connection)
        return cls()

    def path(self) -> str:
        """The path of that place, to be followed on our own origin."""
        if self.route == "start":
            about = f"&profileId={self.profile}" if self.profile else ""
            return f"/api/social-connect/start?provider={self.provider}&workspaceId={self.workspace_id}{about}"
        if self.route == "profile":
            return f"/workspaces/{self.workspace_id}/profiles/{self.profile}"
        if self.route == "connection":
            return f"/connect/{self.connection}"
        return "/"

    def fields(self) -> dict[str, str]:
        """Hidden inputs from which `read` finds the place again."""
        found = {
            "to": self.route, "provider": self.provider, "workspaceId": self.workspace_id, "connection": self.connection,
            "profileId": self.profile,
        }  # fmt: skip
        return {name: value for name, value in found.items() if value}

    def query(self) -> str:
        """`fields` as a query string, for links to the sign-in page."""
        return urlencode(self.fields())
