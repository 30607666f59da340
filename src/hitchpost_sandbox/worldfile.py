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
[people.facebook]
picture = "mia-fb"
[[people.facebook.pages]]
id = "101"
name = "Muster's"
picture = "muster"
tasks = ["CREATE_CONTENT"]

[[apps]]                 # fields as in module `apps`
authority = "x"
client_id = "mine"
client_secret = "secret"
options = { reuse_kills_family = true }

[[faults]]               # fields as in module `faults`
does = "rate_limit"
network = "x"
skip = 2
where = { grant_type = "refresh_token" }
"""

import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hitchpost_sandbox.apps import WELL_KNOWN, App
from hitchpost_sandbox.cast import DEFAULT
from hitchpost_sandbox.checking import checked_app, checked_fault, checked_people
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.outgoing import Outgoing
from hitchpost_sandbox.people import Cast, Person
from hitchpost_sandbox.reading import Misread, read
from hitchpost_sandbox.twin import Twin
from hitchpost_sandbox.world import World

_CROWD = 100_000


@dataclass(frozen=True, slots=True)
class WorldFile:
    """What a file may say; everything may be left out. `seed`: of the faults' dice and of the crowd.

    `default_cast`: keep the sandbox's own people beside yours. `crowd`: so many made-up people with one account at each network.
    """

    seed: int = 0
    default_cast: bool = True
    crowd: int = 0
    people: tuple[Person, ...] = ()
    apps: tuple[App, ...] = ()
    faults: tuple[Fault, ...] = ()

    def __post_init__(self) -> None:
        if not 0 <= self.crowd <= _CROWD:
            raise ValueError(f"crowd: it must be between 0 and {_CROWD}")


def from_toml(text: str) -> WorldFile:
    """Raises Misread with the place of what is wrong."""
    try:
        values = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise Misread(str(error)) from None
    except RecursionError:
        raise Misread("it is nested too deeply") from None
    return read(WorldFile, values)


def world_of(file: WorldFile, twins: Sequence[Twin], *, clock: SandboxClock | None = None, outgoing: Outgoing | None = None) -> World:
    """The world that a file describes, for these networks. Raises Misread: a name that nobody knows, or that somebody else has."""
    apps = [checked_app(app, twins, f"apps[{number}]") for number, app in enumerate(file.apps)]
    people = (*(DEFAULT.people if file.default_cast else ()), *file.people, *crowd(file.crowd, seed=file.seed))
    checked_people(people, {person.key: f"people[{number}]" for number, person in enumerate(file.people)})
    world = World(clock=clock, cast=Cast(people), apps=(*WELL_KNOWN, *apps), seed=file.seed, outgoing=outgoing)
    world.await_faults([checked_fault(fault, twins, world, f"faults[{number}]") for number, fault in enumerate(file.faults)])
    return world


def load(path: Path, twins: Sequence[Twin], *, clock: SandboxClock | None = None, outgoing: Outgoing | None = None) -> World:
    """The world in a file, for these networks. Raises OSError, and Misread."""
    return world_of(read_file(path), twins, clock=clock, outgoing=outgoing)


def read_file(path: Path) -> WorldFile:
    """What a file says. Raises OSError, and Misread."""
    try:
        return from_toml(path.read_text("utf-8"))
    except UnicodeDecodeError:
        raise Misread("it is not text in UTF-8, which TOML is written in") from None
