"""The one table of roles, as the design says it."""

from itertools import pairwise

import pytest

from hitchpost.workspaces.roles import RIGHTS, Right, Role, allows, right_to_change

EXPECTED = {
    Right.LIST: {"viewer", "connector", "admin", "owner"},
    Right.CONNECT: {"connector", "admin", "owner"},
    Right.DISCONNECT: {"admin", "owner"},
    Right.MANAGE_MEMBERS: {"admin", "owner"},
    Right.MANAGE_KEYS: {"admin", "owner"},
    Right.MANAGE_ADMINS: {"owner"},
    Right.DELETE: {"owner"},
}


@pytest.mark.parametrize("right", Right)
def test_C7_every_right_belongs_to_exactly_the_roles_that_the_design_names(right: Right) -> None:
    assert {role.value for role in Role if allows(role, right)} == EXPECTED[right]


def test_C7_every_role_stands_in_the_table_and_a_higher_one_may_all_that_a_lower_one_may() -> None:
    assert list(RIGHTS) == list(Role)
    rights = list(RIGHTS.values())
    assert all(lower < higher for lower, higher in pairwise(rights))


def test_C7_making_or_unmaking_admins_and_owners_is_for_owners() -> None:
    assert right_to_change(Role.VIEWER, Role.CONNECTOR) is Right.MANAGE_MEMBERS
    assert {right_to_change(Role.VIEWER, role) for role in (Role.ADMIN, Role.OWNER)} == {Right.MANAGE_ADMINS}
    assert right_to_change(Role.ADMIN) is Right.MANAGE_ADMINS
