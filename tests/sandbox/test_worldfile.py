"""A world from a TOML file: people, apps and faults as written, and a refusal that names the place for anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

from hitchpost_sandbox import networks, worldfile
from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.reading import Misread
from hitchpost_sandbox.worldfile import from_toml, world_of

SHOWN = (worldfile.__doc__ or "").partition("\n\n")[2]
TWINS = networks.found()
APP = '[[apps]]\nclient_id = "a"\nclient_secret = "b"\n'


def test_the_file_that_the_docs_show_says_who_lives_there_and_what_waits_for_them() -> None:
    world = world_of(from_toml(SHOWN), TWINS)
    keys = [person.key for person in world.cast.people]
    assert {"ada", "ben"} <= set(keys)
    assert keys[-201:] == ["mia", *(f"crowd-{number}" for number in range(1, 201))]
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
    assert {"ada", "ben"} <= {person.key for person in world_of(from_toml(""), TWINS).cast.people}


def test_without_the_default_cast_only_the_files_own_people_live_there() -> None:
    text = SHOWN.replace("default_cast = true", "default_cast = false").replace("crowd = 200", "crowd = 3")
    assert [person.key for person in world_of(from_toml(text), TWINS).cast.people] == ["mia", "crowd-1", "crowd-2", "crowd-3"]


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
        ('[[faults]]\ndoes = "slow"\n[[faults]]\ndoes = "no_such_word"', "the file.faults[1].does must be one of: "),
        ('[[faults]]\ndoes = "usage-capped"\nnetwork = "pinterest"', "the file.faults[0].does must be one of: "),
        ('[[faults]]\ndoes = "slow"\nnetwork = "nonsense"', "the file.faults[0].network must be one of: facebook, instagram"),
        (APP + 'authority = "nobody"', "the file.apps[0].authority must be one of: instagram, linkedin, meta"),
        (APP + 'authority = "x"\noptions = { odd = true }', "the file.apps[0].options has no 'odd'; x knows: "),
        (APP + 'authority = "x"\noptions = { code_minutes = "ten" }', "the file.apps[0].options"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(text: str, words: str) -> None:
    with pytest.raises(Misread) as refused:
        world_of(from_toml(text), TWINS)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sead = 7", "no 'sead'"),
        (APP + 'authority = "x"\noptions = { odd = true }', "no 'odd'"),
        ('[[faults]]\ndoes = "no_such_word"', "the file.faults[0].does"),
    ],
)
def test_the_program_refuses_a_bad_file_in_one_sentence(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "world.toml"
    file.write_text(text)
    command = [sys.executable, "-m", "hitchpost_sandbox", "--port", "0", "--world", str(file)]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.startswith(f"sandbox: {file}: ")
    assert words in ended.stderr
    assert "Traceback" not in ended.stderr
