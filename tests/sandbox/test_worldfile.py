"""A world from a TOML file: people, apps and faults as written, and a refusal that names the place for anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.reading import Misread
from hitchpost_sandbox.worldfile import from_toml, world_of

FILE = """
seed = 7
default_cast = false
crowd = 3

[[people]]
key = "mia"
name = "Mia Muster"
email = "mia@muster.example"
[people.x]
id = "1850000000000000901"
username = "mia"
picture = "mia"
name = "Mia"
[[people.facebook.pages]]
id = "101"
name = "Muster's"
picture = "muster"
tasks = ["CREATE_CONTENT"]
[people.facebook]
picture = "mia-fb"

[[apps]]
authority = "x"
client_id = "mine"
client_secret = "secret"
options = { reuse_kills_family = true }

[[faults]]
does = "rate_limit"
network = "x"
skip = 2
where = { grant_type = "refresh_token" }
"""


def test_a_file_says_who_lives_there_and_what_waits_for_them() -> None:
    world = world_of(from_toml(FILE))
    assert [person.key for person in world.cast.people] == ["mia", "crowd-1", "crowd-2", "crowd-3"]
    mia = world.cast["mia"]
    assert mia.x is not None
    assert mia.facebook is not None
    assert (mia.x.username, mia.facebook.pages[0].tasks) == ("mia", ("CREATE_CONTENT",))
    app = world.authority("x").app("mine")
    assert app is not None
    assert app.on("reuse_kills_family")
    assert [(one.fault.does, one.fault.skip, one.fault.where) for one in world.faults.scripts] == [
        ("rate_limit", 2, {"grant_type": "refresh_token"})
    ]


def test_an_empty_file_is_the_default_world() -> None:
    assert {"ada", "ben"} <= {person.key for person in world_of(from_toml("")).cast.people}


def test_a_crowd_is_the_same_for_the_same_seed_and_everybody_in_it_is_somebody() -> None:
    many = crowd(500, seed=3)
    assert many == crowd(500, seed=3)
    assert many != crowd(500, seed=4)
    assert len({person.x.username for person in many if person.x}) == 500
    assert len({person.instagram.id for person in many if person.instagram}) == 500


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("seed = ", "Invalid value"),
        ("sead = 7", "no 'sead'"),
        ('seed = "7"', "the file.seed must be a whole number"),
        ('[[people]]\nkey = "a"\nname = "A"', "the file.people[0] needs 'email'"),
        ('[[people]]\nkey = "a"\nname = "A"\nemail = "a@a"\n[people.x]\nid = 5', "the file.people[0].x.id must be text"),
        ('[[people]]\nkey = "a"\nname = "A"\nemail = "a@a"\nx = 5', "the file.people[0].x must be an object"),
        ("people = 5", "the file.people must be a list"),
        ('[[people]]\nkey = "ada"\nname = "A"\nemail = "a@a"', "two people have the key 'ada'"),
        ('[[faults]]\ndoes = "slow"\nchance = 3', "chance"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(text: str, words: str) -> None:
    with pytest.raises(Misread) as refused:
        world_of(from_toml(text))
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sead = 7", "no 'sead'"),
        ('[[apps]]\nauthority = "x"\nclient_id = "a"\nclient_secret = "b"\noptions = { odd = true }', "no 'odd'"),
    ],
)
def test_the_program_refuses_a_bad_file_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "world.toml"
    file.write_text(text)
    command = [sys.executable, "-m", "hitchpost_sandbox", "--port", "0", "--world", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
