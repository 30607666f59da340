"""What other rooms know of a workspace and of who calls: frozen values, pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from hitchpost.errors import Problem
from hitchpost.workspaces.roles import Right, Role, allows


@dataclass(frozen=True, slots=True)
class Membership:
    """A person's seat in a workspace. `owners` and `admins`: their names, longest members first."""

    workspace_id: str
    workspace_name: str
    person_id: str
    role: Role
    owners: tuple[str, ...]
    admins: tuple[str, ...]

    @property
    def owner_name(self) -> str:
        """The first owner: whose workspace it is."""
        return self.owners[0]

    def demand(self, right: Right) -> "Membership":
        """This seat. Raises Problem role_insufficient, naming who can do it or change the role, unless the role allows `right`."""
        if not allows(self.role, right):
            helpers = self.owners + (self.admins if allows(Role.ADMIN, right) else ())
            raise Problem("role_insufficient", role=self.role.value, helper=_one_of(helpers))
        return self


@dataclass(frozen=True, slots=True)
class WorkspaceSummary:
    """One of a person's workspaces. `role`: theirs. `user_count`: how many members it has."""

    id: str
    name: str
    role: Role
    owner_name: str
    user_count: int


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a workspace."""

    person_id: str
    name: str
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A person's key without its secret. `prefix`: its visible beginning."""

    id: str
    person_id: str
    prefix: str
    name: str
    created_at: datetime
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class Caller:
    """The active person behind a live key, and their seats by workspace id."""

    person_id: str
    name: str
    email: str
    seats: Mapping[str, Membership] = field(repr=False)


def _one_of(names: tuple[str, ...]) -> str:
    """At most three names: more do not help."""
    shown = names[:3]
    return f"{', '.join(shown[:-1])} or {shown[-1]}" if len(shown) > 1 else shown[0]
