"""What keeps an installation safe: rotating the key ring, shredding a workspace, and the commands for a theft in progress."""

from typing import TYPE_CHECKING, Annotated

import typer

from hitchpost.cli.house import House, Where, group, refuse, run, run_services
from hitchpost.cli.rooms import keys_app, workspaces_app

if TYPE_CHECKING:
    from hitchpost.bootstrap import Services

emergency_app = group("For a theft in progress: `stop` first, then look; or `revoke-all` at once.")
Yes = Annotated[bool, typer.Option("--yes", help="do not ask")]
Retire = Annotated[bool, typer.Option("--retire", help="also take the older keys out of the ring")]


@keys_app.command("rotate")
def rotate(retire: Retire = False) -> None:
    """Make a new first key of the ring and wrap every data key by it, while servers and workers run on."""
    from hitchpost.tokens.ring import with_new_key, with_primary_alone
    from hitchpost.tokens.vault import Vault

    async def act(house: House) -> tuple[str, int]:
        ring = with_new_key(house.settings)
        changed = await house.database.begin(Vault(ring, house.clock).rewrap)
        if retire:
            with_primary_alone(house.settings)
        return ring.primary, changed

    primary, changed = run(act)
    typer.echo(f"{changed} data {'key is' if changed == 1 else 'keys are'} now wrapped by the key {primary}.")
    typer.echo("Save the key ring again, apart from the database. Backups made before now need the older ring.", err=True)


@workspaces_app.command("shred")
def shred(workspace: Where, yes: Yes = False) -> None:
    """Disconnect all of a workspace, give back what nobody else needs, and destroy its data key."""
    if not yes:
        typer.confirm(f"All connections of the workspace {workspace} end for good. Go on?", abort=True)

    async def act(services: "Services") -> str:
        done = await services.shredding.shred(workspace)
        return f"{done.profiles} disconnected, {done.ended} given back, {done.waiting} to be given back as soon as their network answers."

    typer.echo(run_services(act))
    typer.echo("Backups made before now still hold the workspace's wrapped key: destroy them too, or rotate with --retire.", err=True)


@emergency_app.command("stop")
def stop() -> None:
    """Stop all use of people's access, in every process, until `resume`: nothing is renewed, looked at or connected."""
    since = run_services(lambda services: services.tokens.emergency.stop())
    typer.echo(f"Stopped since {since:%Y-%m-%d %H:%M:%S} UTC. `hitchpost emergency resume` goes on.")


@emergency_app.command("resume")
def resume() -> None:
    """Go on after a stop."""
    run_services(lambda services: services.tokens.emergency.resume())
    typer.echo("Going on.")


@emergency_app.command("revoke-all")
def revoke_all(yes: Yes = False) -> None:
    """Stop, and give back every access of everybody at its network. Every profile must be connected again afterwards."""
    if not yes:
        typer.confirm("Every connection of every workspace ends, and each must be made again by a person. Go on?", abort=True)

    def progress(done: int, of: int) -> None:
        if done % 100 == 0 or done == of:
            typer.echo(f"{done} of {of} given back", err=True)

    left = run_services(lambda services: services.tokens.emergency.revoke_all(progress))
    if left:
        refuse(f"{left} could not be given back, because their networks did not answer: every running server and worker goes on trying.")
    typer.echo(
        "Everything is given back. Now: change the apps' secrets at the networks, rotate the key ring, then `hitchpost emergency resume`."
    )
