"""What keeps an installation safe: rotating the key ring, shredding a workspace, and the commands for a theft in progress."""

import json
from typing import TYPE_CHECKING, Annotated

import typer

from hitchpost.cli.house import NO_SUCH_WORKSPACE, AsJson, Where, Yes, confirmed, group, refuse, run, run_services
from hitchpost.cli.rooms import keys_app, workspaces_app

if TYPE_CHECKING:
    from hitchpost.bootstrap import Services
    from hitchpost.connect.shredding import Shredded

emergency_app = group("For a theft in progress: `stop` first, then look; or `revoke-all` at once.")
Prepare = Annotated[bool, typer.Option("--prepare", help="only put the key into the ring, for other machines to have it first")]
To = Annotated[str, typer.Option(help="make this key of the ring the first, one that was prepared", metavar="KEY")]
Retire = Annotated[bool, typer.Option("--retire", help="also take the older keys out of the ring")]
_UNREADABLE = "not given back, for what is stored of them does not open (see the log): people must remove the app at the network"


@keys_app.command("rotate")
def rotate(retire: Retire = False, prepare: Prepare = False, to: To = "") -> None:
    """Make a new first key of the ring and wrap every data key by it, while servers and workers run on."""
    from hitchpost.tokens import rotation

    if prepare and (to or retire):
        other = "--to" if to else "--retire"
        refuse(f"--prepare only puts a key into the ring, and {other} changes which keys are used: say one of them.", 2)
    if prepare:
        key_id = run(lambda house: house.database.read(lambda _: rotation.prepare(house.settings)))
        typer.echo(f"The ring holds the key {key_id} now, last. Copy the ring to every machine, then: hitchpost keys rotate --to {key_id}")
        return
    done = run(lambda house: rotation.rotate(house.settings, house.database, house.clock, to=to, retire=retire))
    typer.echo(f"{done.changed} data {'key is' if done.changed == 1 else 'keys are'} now wrapped by the key {done.primary}.")
    typer.echo("Save the key ring again, apart from the database. Backups made before now need the older ring.", err=True)


@workspaces_app.command("shred")
def shred(workspace: Where, yes: Yes = False) -> None:
    """Disconnect all of a workspace, give back what nobody else needs, and destroy its data key."""
    name = {one: name for one, name, _ in run(lambda house: house.workspaces.every_workspace())}.get(workspace)
    if name is None:
        refuse(NO_SUCH_WORKSPACE)
    confirmed(f"All connections of the workspace {name} ({workspace}) end for good. Go on?", yes)

    async def act(services: "Services") -> "Shredded":
        return await services.shredding.shred(workspace)

    typer.echo(told(run_services(act)))
    typer.echo("The workspace and its members stay; it is listed as shredded, and may be connected anew.", err=True)
    typer.echo("Backups made before now still hold the workspace's wrapped key: destroy them too, or rotate with --retire.", err=True)


def told(done: "Shredded") -> str:
    """What became of a shredded workspace's connections, in one line."""
    said = [f"{done.profiles} disconnected, {done.revoked} given back"]
    if done.shared:
        said.append(f"{done.shared} destroyed here, for another connection needs the same login")
    if done.destroyed:
        where = " and ".join(done.titles) or "their network"
        said.append(f"{done.destroyed} destroyed here only (no way to take access back at {where}: people remove the app there)")
    if done.waiting:
        said.append(f"{done.waiting} to be given back as soon as their network answers")
    if done.unreadable:
        said.append(f"{done.unreadable} {_UNREADABLE}")
    return ", ".join(said) + "."


@emergency_app.command("stop")
def stop() -> None:
    """Stop all use of people's access, in every process, until `resume`: nothing is renewed, looked at or connected."""
    from hitchpost.tokens import halting

    # Nothing but the database: it must work where keys or settings are in disorder.
    since = run(lambda house: house.database.begin(lambda tx: halting.halt(tx, house.clock.now())))
    typer.echo(f"Stopped since {since:%Y-%m-%d %H:%M:%S} UTC. `hitchpost emergency resume` goes on.")


@emergency_app.command("status")
def status(as_json: AsJson = False) -> None:
    """Whether use is stopped, since when, and how much is still being given back."""
    from hitchpost.tokens import halting

    now = run(lambda house: house.database.read(halting.status))
    if as_json:
        since = now.since and now.since.isoformat()
        typer.echo(json.dumps({"stopped": bool(since), "since": since, "everything": now.giving_everything_back, "left": now.left}))
        return
    coming = ", and what is still being connected is given back" if now.giving_everything_back else ""
    typer.echo(f"Stopped since {now.since:%Y-%m-%d %H:%M:%S} UTC{coming}." if now.since else "Not stopped: people's access is used.")
    typer.echo(f"{now.left} still to be given back at their networks.")


@emergency_app.command("resume")
def resume() -> None:
    """Go on after a stop."""
    from hitchpost.tokens import halting

    run(lambda house: house.database.begin(halting.resume))
    typer.echo("Going on.")


@emergency_app.command("revoke-all")
def revoke_all(yes: Yes = False) -> None:
    """Stop, and give back every access of everybody at its network. Every profile must be connected again afterwards."""
    confirmed("Every connection of every workspace ends, and each must be made again by a person. Go on?", yes)

    from hitchpost.tokens.service import Fate

    def progress(done: int, of: int) -> None:
        if done % 100 == 0 or done == of:
            typer.echo(f"{done} of {of}", err=True)

    fates = run_services(lambda services: services.tokens.emergency.revoke_all(progress))
    typer.echo(f"{fates[Fate.REVOKED] + fates[Fate.SHARED]} ended at their networks, {fates[Fate.DESTROYED]} destroyed here.")
    if fates[Fate.DESTROYED]:
        typer.echo("Destroyed here only, where a network offers no revocation: people must remove the app there (docs/networks).", err=True)
    if fates[Fate.UNREADABLE]:
        typer.echo(f"{fates[Fate.UNREADABLE]} {_UNREADABLE}.", err=True)
    if left := fates[Fate.REVOKING]:
        refuse(f"{left} could not be ended, because their networks did not answer: every running server and worker goes on trying.")
    typer.echo("Now: change the apps' secrets at the networks, rotate the key ring, then `hitchpost emergency resume`.")
