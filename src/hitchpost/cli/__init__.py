"""The command line of whoever runs the installation: one module for each group of commands.

A new key is printed once. The server and the workers run in processes of their own, without this package.
"""

from hitchpost.cli import programs, rooms, safety, watching
from hitchpost.cli.house import group

__all__ = ["app"]

app = group("Hitchpost connects people's social accounts to workspaces and keeps the connections alive.")
programs.add_to(app)
watching.add_to(app)
app.add_typer(rooms.people_app, name="people")
app.add_typer(rooms.workspaces_app, name="workspaces")
app.add_typer(rooms.keys_app, name="keys")
app.add_typer(safety.emergency_app, name="emergency")
