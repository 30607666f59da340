"""`python -m hitchpost.demo.making`: the database, Ada, her workspace Lantern; then, when told to, a fresh API key.

It says `made` when the world is there, waits for a line on its standard input, and prints the key: the last start's key, which may be in
use, must not end before somebody is shown the new one. Without that line it changes no key.
One process, because each command of the command line spends most of its time on being loaded. People and workspaces that exist are kept.
"""

import asyncio
import os
import subprocess
import sys

from hitchpost.settings import read_settings

EMAIL, PASSWORD, KEY_NAME = "ada@lantern.example", "lantern-lights-the-way", "demo"
"""A sign-in for a world on loopback that holds nothing real, printed on purpose."""


def main() -> int:
    """Exit code 0, or another one after what failed has been said on standard error."""
    # Beside each other, for both take long to load.
    migrations = subprocess.Popen([sys.executable, "-m", "hitchpost.migrations", "--quiet"])
    try:
        from hitchpost.bootstrap import people_and_workspaces
    finally:
        migrations.wait()
    if migrations.returncode:
        return migrations.returncode
    from hitchpost.clock import SystemClock
    from hitchpost.db.engine import Tx, open_database
    from hitchpost.people.service import Person
    from hitchpost.secret import Secret

    async def made() -> None:
        settings, clock = read_settings(os.environ).settings, SystemClock()
        database = open_database(settings.database, checkpoints=False)
        people, workspaces = people_and_workspaces(settings, database, clock)
        try:
            ada = await database.read(lambda tx: people.person_by_email(tx, EMAIL))
            if ada is None:
                hashed, now = await people.hash_password(Secret(PASSWORD)), clock.now()

                def move_in(tx: Tx) -> Person:
                    person = people.create_person(tx, email=EMAIL, name="Ada Lantern", password_hash=hashed, now=now)
                    workspaces.create(tx, name="Lantern", owner_id=person.id)
                    return person

                ada = await database.begin(move_in)
            owner = ada.id
            print("made", flush=True)
            if not sys.stdin.readline():
                return
            # A key is shown once: the last start's cannot be shown again, so it ends and a new one is made.
            for old in await workspaces.keys_of(owner):
                if old.name == KEY_NAME and old.revoked_at is None:
                    await workspaces.revoke_key(old.id)
            _, secret = await database.begin(lambda tx: workspaces.issue_key(tx, owner, KEY_NAME))
            print(secret.reveal(), flush=True)
        finally:
            await database.close()

    asyncio.run(made())
    return 0


if __name__ == "__main__":
    sys.exit(main())
