"""A world from a TOML file: people, apps and faults as written, and a refusal that names the place for anything else."""

import subprocess
import sys
from pathlib import Path

import pytest

from hitchpost_sandbox import networks, worldfile
from hitchpost_sandbox.crowd import crowd
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.reading import Misread
from hitchpost_sandbox.worldfile import from_toml, world_of

SHOWN = (worldfile.__doc__ or "").partition("\n\n")[2]
TWINS = networks.found()
MIA = '[[people]]\nkey = "mia"\nname = "M"\nemail = "m@m"\n[people.x]\nid = "19"\nusername = "mia"\npicture = "m"\nname = "M"\n'
TASK = "people[0].facebook.pages[0]: 'tasks': 'MODERAT' is not known; nearest: MODERATE"
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


def test_the_files_faults_wait_again_after_a_reset_and_later_ones_do_not() -> None:
    world = world_of(from_toml(SHOWN), TWINS)
    world.faults.clear()
    world.faults.add(Fault("html"))
    world.reset()
    assert [(one.fault.does, one.fitted) for one in world.faults.scripts] == [("rate_limit", 0)]


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
        ("sead = 7", "the file's keys: 'sead' is not known; nearest: seed"),
        ('seed = "7"', "seed must be a whole number"),
        ('[[people]]\nkey = "a"\nname = "A"', "people[0].email is missing"),
        ('[[people]]\nkey = "a"\nname = "A"\nemail = "a@a"\n[people.x]\nid = 5', "people[0].x.id must be text"),
        ('[[people]]\nkey = "a"\nname = "A"\nemail = "a@a"\nx = 5', "people[0].x must be an object"),
        ("people = 5", "people must be a list"),
        ('[[people]]\nkey = "ada"\nname = "A"\nemail = "a@a"', "people[0].key: two people have the key 'ada'"),
        ('[[faults]]\ndoes = "slow"\nchance = 3', "chance"),
        ('[[faults]]\ndoes = "html"\n[[faults]]\ndoes = "rate_limt"', "faults[1].does: 'rate_limt' is not known; nearest: rate_limit"),
        ('[[faults]]\ndoes = "usage-capped"\nnetwork = "pinterest"', "faults[0].does: 'usage-capped' is a word of x, not of pinterest"),
        ('[[faults]]\ndoes = "html"\npath = "/2/user/me"', "faults[0].path: '/2/user/me' is not known; nearest: /2/users/me, "),
        ('[[faults]]\ndoes = "html"\nnetwork = "nonsense"', "faults[0].network: 'nonsense' is not known; known: facebook, instagram"),
        ("crowd = -3", "crowd: it must be between 0 and 100000"),
        (MIA.replace('"19"', '"1"') + MIA.replace('"mia"', '"max"').replace('"19"', '"1"'), "people[1].x.id: '1' is taken by 'mia'"),
        (MIA.replace('username = "mia"', 'username = "AdaLantern"'), "people[0].x.username: 'AdaLantern' is taken by 'ada'"),
        (
            MIA + '[people.facebook]\npicture = "m"\n[[people.facebook.pages]]\nid = "1"\nname = "P"\npicture = "p"\ntasks = ["MODERAT"]',
            TASK,
        ),
        (MIA.replace("username", "usrname"), "people[0].x: 'usrname' is not known; nearest: username"),
        (APP + 'authority = "linkedin"\nvariant = "D"', "apps[0].variant: 'D' is not known; known: A, B, C"),
        ('[[faults]]\ndoes = "html"\nperson = "adda"', "faults[0].person: 'adda' is not known; nearest: ada"),
        ('[[faults]]\ndoes = "html"\npath = "2/users"', "faults[0].path: '2/users' fits no path"),
        (APP + 'authority = "facebook"', "apps[0].authority: 'facebook' is not known; known: instagram, linkedin, meta"),
        (APP + 'authority = "x"\noptions = { odd = true }', "apps[0].options: 'odd' is not known; nearest: "),
        (APP + 'authority = "x"\noptions = { daily_limit = "ten" }', "apps[0].options.daily_limit must be a whole number"),
    ],
)
def test_what_is_wrong_is_named_by_its_place(text: str, words: str) -> None:
    with pytest.raises(Misread) as refused:
        world_of(from_toml(text), TWINS)
    assert words in str(refused.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sead = 7", "the file's keys: 'sead' is not known; nearest: seed"),
        (APP + 'authority = "x"\noptions = { odd = true }', "apps[0].options: 'odd' is not known; nearest: "),
        ('[[faults]]\ndoes = "no_such_word"', "faults[0].does: 'no_such_word' is not known; nearest: "),
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
