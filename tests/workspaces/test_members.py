"""Who is in a workspace, who may change that, and what an outsider learns: nothing."""

from datetime import timedelta

import pytest

from hitchpost.db.engine import Tx
from hitchpost.errors import Problem
from hitchpost.events.service import Events, list_of
from hitchpost.ids import is_id, new_id
from hitchpost.workspaces.roles import Right, Role, allows
from tests.workspaces.conftest import World


async def required(world: World, workspace_id: str, person_id: str, right: Right) -> str:
    """'' when the person may, else the problem's code."""

    def step(tx: Tx) -> str:
        try:
            world.workspaces.require(tx, workspace_id, person_id, right)
        except Problem as problem:
            return problem.code
        return ""

    return await world.database.read(step)


@pytest.mark.parametrize("right", Right)
@pytest.mark.parametrize("role", Role)
async def test_C7_a_member_may_what_the_table_says_and_nothing_else(world: World, role: Role, right: Right) -> None:
    member = await world.member(role)
    assert await required(world, world.lantern, member, right) == ("" if allows(role, right) else "role_insufficient")


@pytest.mark.parametrize("right", Right)
async def test_C1_a_foreign_workspace_is_refused_like_one_that_does_not_exist(world: World, right: Right) -> None:
    answers = {await required(world, place, world.cleo, right) for place in (world.lantern, new_id(), "", "'; --", "\x00")}
    assert answers == {"workspace_not_found"}


async def test_a_seat_says_whose_workspace_it_is_and_with_which_role(world: World) -> None:
    seat = await world.database.read(lambda tx: world.workspaces.membership(tx, world.lantern, world.ben))
    assert seat is not None
    assert (seat.workspace_id, seat.workspace_name, seat.owner_name, seat.role) == (world.lantern, "Lantern", "Ada", "viewer")
    assert await world.database.read(lambda tx: world.workspaces.membership(tx, world.harbour, world.ben)) is None


async def test_A1_a_viewer_is_told_who_can_help(world: World) -> None:
    await world.member(Role.ADMIN)
    with pytest.raises(Problem) as refusal:
        await world.database.read(lambda tx: world.workspaces.require(tx, world.lantern, world.ben, Right.CONNECT))
    assert refusal.value.facts["helper"].startswith("Ada or admin-")
    assert "viewer" in refusal.value.message
    with pytest.raises(Problem) as owners_only:
        await world.database.read(lambda tx: world.workspaces.require(tx, world.lantern, world.ben, Right.DELETE))
    assert owners_only.value.facts["helper"] == "Ada"


async def test_a_person_sees_their_workspaces_with_role_and_number_of_members(world: World) -> None:
    await world.workspaces.add_member(world.harbour, world.ben, Role.CONNECTOR)
    found = [(one.id, one.name, one.role, one.owner_name, one.user_count) for one in await world.workspaces.of_person(world.ben)]
    assert found == [(world.harbour, "Harbour", "connector", "Cleo", 2), (world.lantern, "Lantern", "viewer", "Ada", 2)]
    assert all(is_id(row[0]) for row in found)


async def test_C12_a_removed_member_has_no_seat_from_that_moment_and_higher_rooms_are_told(world: World) -> None:
    await world.workspaces.remove_member(world.lantern, world.ben)
    assert await required(world, world.lantern, world.ben, Right.LIST) == "workspace_not_found"
    assert world.changed == [(world.lantern, world.ben)]


async def test_a_workspace_never_loses_its_last_owner(world: World) -> None:
    with pytest.raises(Problem, match="needs an owner"):
        await world.workspaces.remove_member(world.lantern, world.ada)
    with pytest.raises(Problem, match="needs an owner"):
        await world.workspaces.set_role(world.lantern, world.ada, Role.ADMIN)
    await world.workspaces.set_role(world.lantern, world.ben, Role.OWNER)
    await world.workspaces.remove_member(world.lantern, world.ada)
    assert [(one.person_id, one.role) for one in await world.workspaces.members_of(world.lantern)] == [(world.ben, "owner")]


async def test_nobody_is_a_member_twice_and_only_members_get_a_role(world: World) -> None:
    with pytest.raises(Problem, match="member already"):
        await world.workspaces.add_member(world.lantern, world.ben, Role.ADMIN)
    with pytest.raises(Problem, match="not a member"):
        await world.workspaces.set_role(world.lantern, world.cleo, Role.ADMIN)
    for nowhere in (new_id(), "\x00"):
        with pytest.raises(Problem, match="no such workspace"):
            await world.workspaces.add_member(nowhere, world.ben, Role.ADMIN)


@pytest.mark.parametrize("becomes", [*Role, None], ids=str)
@pytest.mark.parametrize("was", Role)
@pytest.mark.parametrize("actors", [*Role, None], ids=str)
async def test_C7_who_may_change_whom(world: World, actors: Role | None, was: Role, becomes: Role | None) -> None:
    actor = await world.member(actors) if actors else world.cleo
    member = await world.member(was)
    needed = {Role.OWNER} if {Role.ADMIN, Role.OWNER} & {was, becomes} else {Role.ADMIN, Role.OWNER}
    if becomes is None:
        change = world.workspaces.remove_member(world.lantern, member, actor=actor)
    else:
        change = world.workspaces.set_role(world.lantern, member, becomes, actor=actor)
    if actors in needed:
        await change
    else:
        with pytest.raises(Problem) as refusal:
            await change
        assert refusal.value.code == ("role_insufficient" if actors else "workspace_not_found")
    roles = {one.person_id: one.role for one in await world.workspaces.members_of(world.lantern)}
    assert roles.get(member) == (becomes if actors in needed else was)


async def test_every_change_of_members_is_an_event_of_its_workspace(world: World) -> None:
    await world.workspaces.set_role(world.lantern, world.ben, Role.VIEWER)  # no change, no event
    world.clock.forward(timedelta(seconds=1))
    await world.workspaces.set_role(world.lantern, world.ben, Role.CONNECTOR, actor=world.ada)
    world.clock.forward(timedelta(seconds=1))
    await world.workspaces.remove_member(world.lantern, world.ben)
    await Events(world.database).seal()
    found = await world.database.read(lambda tx: list_of(tx, world.lantern, 0, 100))
    assert [(one.type, one.subject, one.actor, dict(one.facts)) for one in found] == [
        ("workspace.created", world.lantern, "-", {"owner": world.ada}),
        ("member.added", world.ben, "-", {"role": "viewer"}),
        ("member.role_changed", world.ben, world.ada, {"was": "viewer", "role": "connector"}),
        ("member.removed", world.ben, "-", {"was": "connector"}),
    ]


@pytest.mark.parametrize("name", ["", "   ", "x" * 121, "two\x00parts", "bell\x07"])
async def test_a_workspace_needs_a_name_that_can_be_shown(world: World, name: str) -> None:
    with pytest.raises(Problem, match="name of at most 120"):
        await world.database.begin(lambda tx: world.workspaces.create(tx, name=name, owner_id=world.ada))
