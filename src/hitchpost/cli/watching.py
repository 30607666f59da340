"""What whoever runs the installation looks at when people say that something does not work."""

import typer

from hitchpost.cli.house import AsJson, House, run, show


def apps(as_json: AsJson = False) -> None:
    """The networks' apps: whether each works, how many connections stand on it, and how many wait for a renewal."""
    from hitchpost.tokens.overview import AppSeen, apps_seen

    async def seen(house: House) -> "list[AppSeen]":
        now = house.clock.now()
        return [*await house.database.read(lambda tx: apps_seen(tx, now))]

    def state(one: AppSeen) -> str:
        if one.refused:
            return "refused by its network: check its secret and its settings there"
        return f"left alone until {one.left_alone_until:%H:%M:%S} UTC" if one.left_alone_until else "works"

    show(
        [
            {
                "slot": one.slot,
                "client_id": one.client_id,
                "state": state(one),
                "alive": f"{one.alive} alive",
                "late": f"{one.late} late",
                "ended": f"{one.ended} to be connected again",
                "ending": f"{one.ending} being given back",
            }
            for one in run(seen)
        ],
        as_json,
    )


def add_to(app: typer.Typer) -> None:
    """The commands without a group."""
    app.command()(apps)
