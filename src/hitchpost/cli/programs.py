"""The programs that this installation runs: server, worker, migrations, demo, sandbox."""

import importlib
import subprocess
import sys
from typing import Annotated

import typer

from hitchpost.cli.house import become, configuration_or_refusal, refuse


def serve() -> None:
    """Bring the database up to date and run the server."""
    from hitchpost.db.alone import ServedAlready, alone

    try:
        # Only asked here, and held by the server itself: nothing is brought up to date under another one.
        with alone(configuration_or_refusal().settings.sqlite_file):
            _migrated("the server")
    except ServedAlready as refusal:
        refuse(str(refusal), 2)
    become("-m", "hitchpost.asgi")


def worker() -> None:
    """Bring the database up to date and keep connections alive, beside any number of servers and workers (PostgreSQL only)."""
    configuration_or_refusal()
    _migrated("the worker")
    become("-m", "hitchpost.worker")


def _migrated(program: str) -> None:
    migrated = subprocess.run([sys.executable, "-m", "hitchpost.migrations", "--quiet"], check=False)
    if migrated.returncode:
        refuse(f"The database could not be brought up to date; {program} was not started.", migrated.returncode)


def migrate() -> None:
    """Bring the database up to date."""
    configuration_or_refusal()
    become("-m", "hitchpost.migrations")


def demo(walk: Annotated[bool, typer.Option("--walk", help="go the whole way for each network and exit")] = False) -> None:
    """Run the server and the sandbox with a small ready-made world."""
    # By name: the two stand side by side and do not know each other.
    raise typer.Exit(importlib.import_module("hitchpost.demo").run(walk_through=walk))


def sandbox(context: typer.Context) -> None:
    """Run the five simulated networks; arguments are passed on."""
    become("-m", "hitchpost_sandbox", *context.args)


def version() -> None:
    """Print the version."""
    from importlib.metadata import version as version_of

    typer.echo(version_of("hitchpost"))


def _print_version(wanted: bool) -> None:
    if wanted:
        version()
        raise typer.Exit


def _options(
    version: Annotated[bool, typer.Option("--version", callback=_print_version, is_eager=True, help="print the version")] = False,
) -> None:
    pass


def add_to(app: typer.Typer) -> None:
    """The commands without a group, and the options of the program itself."""
    app.callback(help=app.info.help)(_options)
    for command in (serve, worker, migrate, demo, version):
        app.command()(command)
    app.command(add_help_option=False, context_settings={"allow_extra_args": True, "ignore_unknown_options": True})(sandbox)
