"""A world from a TOML file: who lives at the networks, which apps they know, which faults wait for them.

seed = 7                 # of fault scripts' dice and of the crowd
default_cast = true      # keep the sandbox's own people beside yours
crowd = 200              # so many made-up people with one account at each network

[[people]]               # fields as in module `people`
key = "mia"
name = "Mia Muster"
email = "mia@muster.example"
[people.x]
id = "1850000000000000901"
username = "mia"
picture = "mia"
name = "Mia"

[[apps]]                 # fields as in module `apps`
[[faults]]               # fields as in module `faults`
"""

import tomllib
from dataclasses import dataclass
from pathlib import Path

from hitchpost_sandbox.apps import WELL_KNOWN, App
from hitchpost_sandbox.cast import DEFAULT
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.outgoing import Outgoing
from hitchpost_sandbox.people import Cast, Person
from hitchpost_sandbox.reading import Misread, read
from hitchpost_sandbox.world import World


@dataclass(frozen=True, slots=True)
class WorldFile:
    """What a file may say; everything may be left out."""

    seed: int = 0
    default_cast: bool = True
    crowd: int = 0
    people: tuple[Person, ...] = ()
    apps: tuple[App, ...] = ()
    faults: tuple[Fault, ...] = ()


def from_toml(text: str) -> WorldFile:
    """Raises Misread with the place of what is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misread(str(error)) from None
    except RecursionError:
        raise Misread("it is nested too deeply") from None
    return read(WorldFile, values, "the file")


def world_of(file: WorldFile, *, clock: SandboxClock | None = None, outgoing: Outgoing | None = None) -> World:
    """The world that a file describes. Raises Misread when two people have one key."""
    people = (*(DEFAULT.people if file.default_cast else ()), *file.people, *crowd(file.crowd, seed=file.seed))
    keys = [person.key for person in people]
    if twice := sorted({key for key in keys if keys.count(key) > 1}) if len(set(keys)) < len(keys) else []:
        raise Misread(f"two people have the key '{twice[0]}'")
    world = World(clock=clock, cast=Cast(people), apps=(*WELL_KNOWN, *file.apps), seed=file.seed, outgoing=outgoing)
    for fault in file.faults:
        world.faults.add(fault)
    return world


def load(path: Path, *, clock: SandboxClock | None = None, outgoing: Outgoing | None = None) -> World:
    """The world in a file. Raises OSError, and Misread."""
    return world_of(from_toml(path.read_text()), clock=clock, outgoing=outgoing)
