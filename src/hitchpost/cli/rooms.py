"""People, workspaces with their members, and API keys."""

import json
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from hitchpost.cli.house import (
    NO_SUCH_WORKSPACE,
    AsJson,
    FromStdin,
    House,
    Named,
    Where,
    Who,
    for_person,
    group,
    password_from,
    refuse,
    run,
    show,
)
from hitchpost.workspaces.roles import Role

if TYPE_CHECKING:
    from hitchpost.people.service import Person

people_app, workspaces_app = group("Accounts of people."), group("Workspaces and their members.")
keys_app = group("API keys, each of a person; and the key ring that seals what people granted.")


# People.


@people_app.command("add")
def add_person(email: Annotated[str, typer.Argument(metavar="EMAIL")], name: Named, password_stdin: FromStdin = False) -> None:
    """Make an account; prints the person's id."""
    password = password_from(password_stdin)

    async def act(house: House) -> str:
        hashed, now = await house.people.hash_password(password), house.clock.now()
        add = partial(house.people.create_person, email=email, name=name, password_hash=hashed, now=now)
        return (await house.database.begin(add)).id

    typer.echo(run(act))


@people_app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """Id, e-mail address, name and state of everybody."""
    found = run(lambda house: house.database.read(house.people.everyone))
    states = {True: "active", False: "deactivated"}
    show([{"id": one.id, "email": one.email, "name": one.name, "state": states[one.active]} for one in found], as_json)


@people_app.command("deactivate")
def deactivate_person(person: Who) -> None:
    """Sign somebody out everywhere and end their keys' power, until `activate`."""

    async def act(house: House, one: "Person") -> str:
        await house.database.begin(lambda tx: house.people.deactivate(tx, one.id))
        return one.email

    email = for_person(person, act)
    typer.echo(f"{email} is signed out everywhere, and their API keys are refused. `hitchpost people activate {email}` undoes it.")


@people_app.command("activate")
def activate_person(person: Who) -> None:
    """Let a deactivated person sign in and act again, with the password, the roles and the keys that they had."""

    async def act(house: House, one: "Person") -> tuple[str, int]:
        await house.database.begin(lambda tx: house.people.activate(tx, one.id))
        return one.email, sum(key.revoked_at is None for key in await house.workspaces.keys_of(one.id))

    email, keys = for_person(person, act)
    typer.echo(f"{email} may sign in again with their password, and API keys that work again: {keys} (`hitchpost keys list {email}`).")


@people_app.command("password")
def set_password(person: Who, password_stdin: FromStdin = False) -> None:
    """Give somebody another password; they are signed out everywhere."""
    password = password_from(password_stdin)

    async def act(house: House, one: "Person") -> None:
        hashed = await house.people.hash_password(password)
        await house.database.begin(lambda tx: house.people.set_password(tx, one.id, hashed))

    for_person(person, act)


# Workspaces.


@workspaces_app.command("add")
def add_workspace(name: str, owner: Annotated[str, typer.Option(help="the owner's e-mail address or id")]) -> None:
    """Make a workspace; prints its id."""
    typer.echo(
        for_person(owner, lambda house, one: house.database.begin(lambda tx: house.workspaces.create(tx, name=name, owner_id=one.id)))
    )


@workspaces_app.command("list")
def list_workspaces(as_json: AsJson = False) -> None:
    """Id, name and state of every workspace."""
    found = run(lambda house: house.workspaces.every_workspace())
    states = [f"shredded {at:%Y-%m-%d %H:%M:%S} UTC" if at else "in use" for _, _, at in found]
    show(
        [{"id": workspace_id, "name": name, "state": state} for (workspace_id, name, _), state in zip(found, states, strict=True)], as_json
    )


@workspaces_app.command("members")
def list_members(workspace: Where, as_json: AsJson = False) -> None:
    """Id, name and role of a workspace's members."""
    found = run(lambda house: house.workspaces.members_of(workspace))
    if not found:
        refuse(NO_SUCH_WORKSPACE)
    show([{"id": one.person_id, "name": one.name, "role": one.role} for one in found], as_json)


@workspaces_app.command("add-member")
def add_member(workspace: Where, person: Who, role: Annotated[Role, typer.Option()]) -> None:
    """Put somebody into a workspace."""
    for_person(person, lambda house, one: house.workspaces.add_member(workspace, one.id, role))


@workspaces_app.command("set-role")
def set_role(workspace: Where, person: Who, role: Role) -> None:
    """Give a member another role."""
    for_person(person, lambda house, one: house.workspaces.set_role(workspace, one.id, role))


@workspaces_app.command("remove-member")
def remove_member(workspace: Where, person: Who) -> None:
    """Take somebody out of a workspace."""
    for_person(person, lambda house, one: house.workspaces.remove_member(workspace, one.id))


# API keys.


@keys_app.command("add")
def add_key(person: Who, name: Named, as_json: AsJson = False) -> None:
    """Make a key; prints it, this once."""
    key, secret = for_person(person, lambda house, one: house.database.begin(lambda tx: house.workspaces.issue_key(tx, one.id, name)))
    typer.echo(json.dumps({"id": key.id, "key": secret.reveal()}) if as_json else secret.reveal())
    typer.echo("Keep it now: only its hash is stored, so it cannot be shown again.", err=True)


@keys_app.command("list")
def list_keys(person: Who, as_json: AsJson = False) -> None:
    """Id, visible beginning, name and state of somebody's keys."""
    found = for_person(person, lambda house, one: house.workspaces.keys_of(one.id))
    states = ["revoked" if key.revoked_at else "live" for key in found]
    show(
        [{"id": key.id, "prefix": key.prefix, "name": key.name, "state": state} for key, state in zip(found, states, strict=True)], as_json
    )


@keys_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="the key's id, from `hitchpost keys list`", metavar="KEY")]) -> None:
    """End a key."""
    run(lambda house: house.workspaces.revoke_key(key))
