"""What the commands share: the opened house, one sentence for every refusal (exit 1, or 2 for bad settings), passwords typed or piped."""

import asyncio
import json
import os
import sys
import warnings
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from getpass import GetPassWarning
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from hitchpost.errors import Problem
from hitchpost.secret import Secret
from hitchpost.settings import BadSettings, Configuration, Settings, read_settings

if TYPE_CHECKING:
    from hitchpost.bootstrap import Services
    from hitchpost.clock import Clock
    from hitchpost.db.engine import Database
    from hitchpost.people.service import People, Person
    from hitchpost.workspaces.service import Workspaces

T = TypeVar("T")


def group(about: str) -> typer.Typer:
    # Plain tracebacks and help: the pretty ones show the values of variables, passwords among them.
    return typer.Typer(help=about, no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None)


Who = Annotated[str, typer.Argument(help="the person's e-mail address or id", metavar="PERSON")]
Where = Annotated[str, typer.Argument(help="the workspace's id", metavar="WORKSPACE")]
Named = Annotated[str, typer.Option(help="its name, for people")]
AsJson = Annotated[bool, typer.Option("--json", help="print JSON, for programs")]
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
FromStdin = Annotated[bool, typer.Option("--password-stdin", help="read the password from standard input instead of asking")]


@dataclass(frozen=True, slots=True)
class House:
    """What the commands work with."""

    settings: Settings
    clock: "Clock"
    database: "Database"
    people: "People"
    workspaces: "Workspaces"

    async def who(self, text: str) -> "Person":
        """The person with this e-mail address or id; ends the command if there is nobody."""
        find = self.people.person_by_email if "@" in text else self.people.anybody
        person = await self.database.read(lambda tx: find(tx, text))
        if person is None:
            refuse(f"There is nobody with the e-mail address or id {text}; see `hitchpost people list`.")
        return person


NO_SUCH_WORKSPACE = "There is no such workspace; see `hitchpost workspaces list`."
_FOR_OPERATORS = {
    "workspace_not_found": NO_SUCH_WORKSPACE,
    "member_not_found": "They are not a member of this workspace; see `hitchpost workspaces members WORKSPACE`.",
    "key_not_found": "There is no such API key; see `hitchpost keys list PERSON`.",
}
"""What is said otherwise to whoever runs the installation than to its people: they see everything, and have commands to look."""


def refuse(sentence: str, code: int = 1) -> NoReturn:
    typer.echo(sentence, err=True)
    raise typer.Exit(code)


def configuration_or_refusal() -> Configuration:
    try:
        return read_settings(os.environ)
    except BadSettings as error:
        refuse(str(error), 2)


def run(act: Callable[[House], Awaitable[T]]) -> T:
    """Open the database, act, close it. Whatever can go wrong is said in a sentence."""
    return _said(lambda configuration: _inside(configuration, act))


def _said(act: Callable[[Configuration], Coroutine[Any, Any, T]]) -> T:
    from sqlalchemy.exc import SQLAlchemyError

    from hitchpost.db.schema import WrongSchema
    from hitchpost.db.unusable import unusable
    from hitchpost.tokens.ring import BadRing

    configuration = configuration_or_refusal()
    file = configuration.settings.sqlite_file
    # Opening it would make an empty one where no installation is.
    if file and not file.exists():
        refuse(
            f"There is no database at {file}. Is HITCHPOST_DATA_DIR (or HITCHPOST_DATABASE_URL) of your installation not set here? "
            "For a new installation run `hitchpost migrate` first."
        )
    try:
        return asyncio.run(act(configuration))
    except BadSettings as refusal:
        refuse(str(refusal), 2)
    except (Problem, WrongSchema, BadRing) as refusal:
        refuse(_FOR_OPERATORS.get(refusal.code, refusal.message) if isinstance(refusal, Problem) else str(refusal))
    except (SQLAlchemyError, OSError) as error:
        refuse(unusable(error, configuration.settings))


async def _inside(configuration: Configuration, act: Callable[[House], Awaitable[T]]) -> T:
    from hitchpost.bootstrap import people_and_workspaces
    from hitchpost.clock import SystemClock
    from hitchpost.db.engine import open_database
    from hitchpost.db.schema import check

    settings, clock = configuration.settings, SystemClock()
    database = open_database(settings.database, checkpoints=False)
    try:
        await database.read(check)
        return await act(House(settings, clock, database, *people_and_workspaces(settings, database, clock)))
    finally:
        await database.close()


def run_services(act: Callable[["Services"], Awaitable[T]]) -> T:
    """As `run`, for what needs the networks or what people granted: the whole house is built as the server builds it."""

    async def inside(configuration: Configuration) -> T:
        from hitchpost.bootstrap import build
        from hitchpost.db.engine import open_database
        from hitchpost.web.log import set_up

        # What a command answers goes to standard output; what befalls it on the way goes where the server's log goes.
        set_up("warning")
        database = open_database(configuration.settings.database, checkpoints=False)
        services = await build(configuration, database=database, say=partial(typer.echo, err=True))
        try:
            return await act(services)
        finally:
            await services.close()

    return _said(inside)


def for_person(person: str, act: Callable[[House, "Person"], Awaitable[T]]) -> T:
    """`run` for somebody named by e-mail address or id."""

    async def found(house: House) -> T:
        return await act(house, await house.who(person))

    return run(found)


def show(rows: Sequence[Mapping[str, str]], as_json: bool) -> None:
    for line in [json.dumps(rows, ensure_ascii=False)] if as_json else ["\t".join(row.values()) for row in rows]:
        typer.echo(line)


def password_from(from_stdin: bool) -> Secret:
    if from_stdin:
        return Secret(sys.stdin.readline().rstrip("\r\n"))
    try:
        with warnings.catch_warnings():
            # It would be shown while it is typed.
            warnings.simplefilter("error", GetPassWarning)
            return Secret(typer.prompt("Password", hide_input=True, confirmation_prompt=True))
    except (GetPassWarning, typer.Abort):
        refuse("No password was typed, so nothing was done. Without a terminal, pipe it in with --password-stdin.")


def confirmed(question: str, yes: bool) -> None:
    """Ends the command unless somebody says yes to the question, or has said it beforehand with `--yes`."""
    try:
        if yes or typer.confirm(question):
            return
    except typer.Abort:
        refuse("\nNobody answered, so nothing was done. Without a terminal, say --yes.")
    refuse("Nothing was done.")


def become(*arguments: str) -> NoReturn:
    """Go on as another Python program in this process: signals and the exit code are then its own."""
    os.execv(sys.executable, [sys.executable, *arguments])  # noqa: S606  (our own modules)
