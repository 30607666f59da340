"""The command line of whoever runs the installation. Every refusal is one sentence on stderr: exit 1, or 2 for bad settings.

Passwords are typed or piped, never arguments; a new key is printed once. The server runs in a process of its own, without this module.
"""

import asyncio
import importlib
import json
import os
import subprocess
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Annotated, NoReturn, TypeVar

import typer

from hitchpost.errors import Problem
from hitchpost.secret import Secret
from hitchpost.settings import BadSettings, Configuration, read_settings
from hitchpost.workspaces.roles import Role

if TYPE_CHECKING:
    from hitchpost.clock import Clock
    from hitchpost.db.engine import Database
    from hitchpost.people.service import People, Person
    from hitchpost.workspaces.service import Workspaces

T = TypeVar("T")


def _group(about: str) -> typer.Typer:
    # Plain tracebacks and help: the pretty ones show the values of variables, passwords among them.
    return typer.Typer(help=about, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


app = _group("Hitchpost connects people's social accounts to workspaces and keeps the connections alive.")
people_app, workspaces_app = _group("Accounts of people."), _group("Workspaces and their members.")
keys_app = _group("API keys; each belongs to a person.")
app.add_typer(people_app, name="people")
app.add_typer(workspaces_app, name="workspaces")
app.add_typer(keys_app, name="keys")

Who = Annotated[str, typer.Argument(help="the person's e-mail address or id", metavar="PERSON")]
Where = Annotated[str, typer.Argument(help="the workspace's id", metavar="WORKSPACE")]
Named = Annotated[str, typer.Option(help="its name, for people")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input instead of asking")]


@dataclass(frozen=True, slots=True)
class House:
    """What the commands work with."""

    clock: "Clock"
    database: "Database"
    people: "People"
    workspaces: "Workspaces"

    async def who(self, text: str) -> "Person":
        """The person with this e-mail address or id; ends the command if there is nobody."""
        find = self.people.person_by_email if "@" in text else self.people.person
        person = await self.database.read(lambda tx: find(tx, text))
        if person is None:
            _refuse(f"There is nobody with the e-mail address or id {text}.")
        return person


def _refuse(sentence: str, code: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def _configuration() -> Configuration:
    try:
        return read_settings(os.environ)
    except BadSettings as error:
        _refuse(str(error), 2)


def _run(act: Callable[[House], Awaitable[T]]) -> T:
    """Open the database, act, close it. Whatever can go wrong is said in a sentence."""
    from sqlalchemy.exc import SQLAlchemyError

    from hitchpost.db.schema import WrongSchema

    configuration = _configuration()
    try:
        return asyncio.run(_inside(configuration, act))
    except (Problem, WrongSchema) as refusal:
        _refuse(refusal.message if isinstance(refusal, Problem) else str(refusal))
    except (SQLAlchemyError, OSError) as error:
        # Its first line only: the rest is SQL.
        _refuse(f"The database cannot be used: {str(error).splitlines()[0]}")


async def _inside(configuration: Configuration, act: Callable[[House], Awaitable[T]]) -> T:
    from hitchpost.bootstrap import people_and_workspaces
    from hitchpost.clock import SystemClock
    from hitchpost.db.engine import open_database
    from hitchpost.db.schema import check

    settings, clock = configuration.settings, SystemClock()
    database = open_database(settings.database, checkpoints=False)
    try:
        await database.read(check)
        return await act(House(clock, database, *people_and_workspaces(settings, database, clock)))
    finally:
        await database.close()


def _for(person: str, act: Callable[[House, "Person"], Awaitable[T]]) -> T:
    """`_run` for somebody named by e-mail address or id."""

    async def found(house: House) -> T:
        return await act(house, await house.who(person))

    return _run(found)


def _show(rows: Sequence[Mapping[str, str]], as_json: bool) -> None:
    for line in [json.dumps(rows, ensure_ascii=False)] if as_json else ["\t".join(row.values()) for row in rows]:
        typer.echo(line)


def _password(from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    return Secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True))


def _become(*arguments: str) -> NoReturn:
    """Go on as another Python program in this process: signals and the exit code are then its own."""
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  (our own modules)


# The programs.


@app.command()
def serve() -> None:
    """Bring the database up to date and run the server."""
    _configuration()
    migrated = subprocess.run([sys.executable, "-m", "hitchpost.migrations", "upgrade"], check=False)
    if migrated.returncode:
        _refuse("The database could not be brought up to date; the server was not started.", migrated.returncode)
    _become("-m", "hitchpost.asgi")


@app.command()
def migrate() -> None:
    """Bring the database up to date."""
    _configuration()
    _become("-m", "hitchpost.migrations", "upgrade")


@app.command()
def demo(walk: Annotated[bool, typer.Option("--walk", help="go the whole way for each network and exit")] = False) -> None:
    """Run the server and the sandbox with a small ready-made world."""
    # By name: the two stand side by side and do not know each other.
    raise typer.Exit(importlib.import_module("hitchpost.demo").run(walk_through=walk))


@app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})
def sandbox(context: typer.Context) -> None:
    """Run the five simulated networks; arguments are passed on."""
    _become("-m", "hitchpost_sandbox", *context.args)


@app.command()
def version() -> None:
    """Print the version."""
    from importlib.metadata import version as version_of

    typer.echo(version_of("hitchpost"))


# People.


@people_app.command("add")
def add_person(email: Annotated[str, typer.Argument(metavar="EMAIL")], name: Named, password_stdin: FromStdin = False) -> None:
    """Make an account; prints the person's id."""
    password = _password(password_stdin)

    async def act(house: House) -> str:
        hashed, now = await house.people.hash_password(password), house.clock.now()
        add = partial(house.people.create_person, email=email, name=name, password_hash=hashed, now=now)
        return (await house.database.begin(add)).id

    typer.echo(_run(act))


@people_app.command("list")
def list_people(as_json: AsJson = False) -> None:
    """Id, e-mail address, name and state of everybody."""
    found = _run(lambda house: house.database.read(house.people.everyone))
    states = {True: "active", False: "deactivated"}
    _show([{"id": one.id, "email": one.email, "name": one.name, "state": states[one.active]} for one in found], as_json)


@people_app.command("deactivate")
def deactivate_person(person: Who) -> None:
    """Sign somebody out everywhere and end their keys' power."""
    _for(person, lambda house, one: house.database.begin(lambda tx: house.people.deactivate(tx, one.id)))


@people_app.command("password")
def set_password(person: Who, password_stdin: FromStdin = False) -> None:
    """Give somebody another password; they are signed out everywhere."""
    password = _password(password_stdin)

    async def act(house: House, one: "Person") -> None:
        hashed = await house.people.hash_password(password)
        await house.database.begin(lambda tx: house.people.set_password(tx, one.id, hashed))

    _for(person, act)


# Workspaces.


@workspaces_app.command("add")
def add_workspace(name: str, owner: Annotated[str, typer.Option(help="the owner's e-mail address or id")]) -> None:
    """Make a workspace; prints its id."""
    typer.echo(_for(owner, lambda house, one: house.database.begin(lambda tx: house.workspaces.create(tx, name=name, owner_id=one.id))))


@workspaces_app.command("list")
def list_workspaces(as_json: AsJson = False) -> None:
    """Id and name of every workspace."""
    found = _run(lambda house: house.workspaces.every_workspace())
    _show([{"id": workspace_id, "name": name} for workspace_id, name in found], as_json)


@workspaces_app.command("members")
def list_members(workspace: Where, as_json: AsJson = False) -> None:
    """Id, name and role of a workspace's members."""
    found = _run(lambda house: house.workspaces.members_of(workspace))
    if not found:
        _refuse("There is no such workspace.")
    _show([{"id": one.person_id, "name": one.name, "role": one.role} for one in found], as_json)


@workspaces_app.command("add-member")
def add_member(workspace: Where, person: Who, role: Annotated[Role, typer.Option()]) -> None:
    """Put somebody into a workspace."""
    _for(person, lambda house, one: house.workspaces.add_member(workspace, one.id, role))


@workspaces_app.command("set-role")
def set_role(workspace: Where, person: Who, role: Role) -> None:
    """Give a member another role."""
    _for(person, lambda house, one: house.workspaces.set_role(workspace, one.id, role))


@workspaces_app.command("remove-member")
def remove_member(workspace: Where, person: Who) -> None:
    """Take somebody out of a workspace."""
    _for(person, lambda house, one: house.workspaces.remove_member(workspace, one.id))


# API keys.


@keys_app.command("add")
def add_key(person: Who, name: Named, as_json: AsJson = False) -> None:
    """Make a key; prints it, this once."""
    key, secret = _for(person, lambda house, one: house.database.begin(lambda tx: house.workspaces.issue_key(tx, one.id, name)))
    typer.echo(json.dumps({"id": key.id, "key": secret.reveal()}) if as_json else secret.reveal())
    typer.echo("Keep it now: only its hash is stored, so it cannot be shown again.", err=True)


@keys_app.command("list")
def list_keys(person: Who, as_json: AsJson = False) -> None:
    """Id, visible beginning, name and state of somebody's keys."""
    found = _for(person, lambda house, one: house.workspaces.keys_of(one.id))
    states = ["revoked" if key.revoked_at else "live" for key in found]
    _show(
        [{"id": key.id, "prefix": key.prefix, "name": key.name, "state": state} for key, state in zip(found, states, strict=True)], as_json
    )


@keys_app.command("revoke")
def revoke_key(key: Annotated[str, typer.Argument(help="the key's id, from `hitchpost keys list`", metavar="KEY")]) -> None:
    """End a key."""
    _run(lambda house: house.workspaces.revoke_key(key))
