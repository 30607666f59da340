"""What the room tells of profiles: frozen values; pure."""

from dataclasses import dataclass

from hitchpost.profiles.health import Health
from hitchpost.tokens.service import Fate
from hitchpost.web.back import Back


@dataclass(frozen=True, slots=True)
class Profile:
    """An attached profile as people and callers see it. `picture`: the name under which we serve it, or empty."""

    id: str
    workspace_id: str
    provider: str
    kind: str
    name: str
    handle: str
    picture: str
    health: Health

    @property
    def reconnect_path(self) -> str:
        """Where a member connects it again, on our own origin."""
        return Back("start", provider=self.provider, workspace_id=self.workspace_id, profile=self.id).path()


@dataclass(frozen=True, slots=True)
class Identity:
    """What makes a profile the same one, within a workspace and network. `scope`: '' or `app:<client id>`, where its id counts."""

    kind: str
    scope: str
    external_id: str


@dataclass(frozen=True, slots=True)
class Attached:
    """The outcome of an attach: `renewed` when the workspace had the profile before, attached or detached."""

    profile_id: str
    renewed: bool


@dataclass(frozen=True, slots=True)
class Prospect:
    """What disconnecting would do. `kept`: other profiles use the same access; `kept_for`: those that the person may know of.

    `ends_at_network`: whether the access would be revoked there; else `remove_app` says where the person takes it back.
    """

    profile: Profile
    workspace_name: str
    kept: bool
    kept_for: tuple[str, ...]
    ends_at_network: bool
    remove_app: str


@dataclass(frozen=True, slots=True)
class Disconnected:
    """What disconnecting did."""

    profile: Profile
    fate: Fate
    kept_for: tuple[str, ...]
    remove_app: str
