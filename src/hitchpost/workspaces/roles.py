"""Who may do what in a workspace: four roles, one table, and who can help those who may not."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What a member is in a workspace, from least to most."""

    VIEWER = "viewer"
    CONNECTOR = "connector"
    ADMIN = "admin"
    OWNER = "owner"


class Right(StrEnum):
    """What a role may allow. `CONNECT` includes reconnecting; `MANAGE_ADMINS` is about who is admin or owner."""

    LIST = "list"
    CONNECT = "connect"
    DISCONNECT = "disconnect"
    MANAGE_MEMBERS = "manage_members"
    MANAGE_KEYS = "manage_keys"
    MANAGE_ADMINS = "manage_admins"
    DELETE = "delete"


_VIEWER = frozenset({Right.LIST})
_CONNECTOR = _VIEWER | {Right.CONNECT}
_ADMIN = _CONNECTOR | {Right.DISCONNECT, Right.MANAGE_MEMBERS, Right.MANAGE_KEYS}
_OWNER = _ADMIN | {Right.MANAGE_ADMINS, Right.DELETE}

RIGHTS: Mapping[Role, frozenset[Right]] = {Role.VIEWER: _VIEWER, Role.CONNECTOR: _CONNECTOR, Role.ADMIN: _ADMIN, Role.OWNER: _OWNER}
"""The one table (threat C7). Whatever is not in it is not allowed."""


def allows(role: Role, right: Right) -> bool:
    """Whether the role allows it."""
    return right in RIGHTS[role]


def right_to_change(*roles: Role) -> Right:
    """The right needed to make a member of one of these roles into another of them."""
    return Right.MANAGE_ADMINS if Role.ADMIN in roles or Role.OWNER in roles else Right.MANAGE_MEMBERS
