"""The command line of whoever runs the installation: what it makes, what it prints, and how it refuses."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

import hitchpost.connect.models
import hitchpost.events.models
import hitchpost.people.models
import hitchpost.workspaces.models  # noqa: F401  (their tables)
from hitchpost.cli import app
from hitchpost.clock import SystemClock
from hitchpost.db.base import metadata
from hitchpost.db.engine import SqliteDatabase, Step, T, Tx
from hitchpost.db.schema import HEAD
from hitchpost.ids import digest, is_id
from hitchpost.settings import read_settings

PASSWORD = "canary engine of 1843"
NO_SUCH_WORKSPACE = "There is no such workspace; see `hitchpost workspaces list`."
Command = Callable[..., Result]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine with a fresh database at the newest schema."""

    def make(tx: Tx) -> None:
        metadata.create_all(tx)
        tx.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32) NOT NULL)"))
        tx.execute(text("INSERT INTO alembic_version VALUES (:head)"), {"head": HEAD})

    environment = {"HITCHPOST_DATA_DIR": str(tmp_path), "HITCHPOST_KEY_DIR": str(tmp_path / "keys")}
    within(environment, make)
    return environment


def within(environment: dict[str, str], step: Step[T]) -> T:
    """Run a step on the machine's database, past the command line."""
    database = SqliteDatabase(read_settings(environment).settings.database)
    try:
        return database.begin_now(step)
    finally:
        asyncio.run(database.close())


@pytest.fixture
def run(environment: dict[str, str]) -> Command:
    """Run one command in this process; `typed` is what stands on its standard input."""

    def run(*words: str, typed: str = "", **variables: str) -> Result:
        return CliRunner().invoke(app, list(words), input=typed, env={**environment, **variables})

    return run


@pytest.fixture
def ada(run: Command) -> str:
    """Ada's id."""
    return said(run("people", "add", "ada@example.com", "--name", "Ada", "--password-stdin", typed=f"{PASSWORD}\n"))


@pytest.fixture
def lantern(run: Command, ada: str) -> str:
    """The id of Ada's workspace."""
    return said(run("workspaces", "add", "Lantern", "--owner", "ada@example.com"))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def listed(result: Result) -> list[list[str]]:
    return [line.split("\t") for line in said(result).splitlines()]


def refusal(result: Result) -> str:
    """The one sentence of a refused command."""
    assert result.exit_code == 1
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    (sentence,) = result.stderr.strip().splitlines()
    return sentence


def test_people_are_added_with_a_password_that_is_typed_or_piped(run: Command, ada: str) -> None:
    assert is_id(ada)
    ben = run("people", "add", "ben@example.com", "--name", "Ben", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert is_id(said(ben).splitlines()[-1].rpartition(" ")[2])
    assert PASSWORD not in ben.output
    assert [row[1:] for row in listed(run("people", "list"))] == [
        ["ada@example.com", "Ada", "active"],
        ["ben@example.com", "Ben", "active"],
    ]
    assert json.loads(said(run("people", "list", "--json")))[0] == {"id": ada, "email": "ada@example.com", "name": "Ada", "state": "active"}


def test_a_password_is_never_an_argument(run: Command) -> None:
    for words in (("people", "add", "ada@example.com", "--name", "Ada"), ("people", "password", "ada@example.com")):
        assert run(*words, "--password", PASSWORD).exit_code == 2


def test_F1_a_weak_password_or_a_second_account_is_refused_in_one_sentence(run: Command, ada: str) -> None:
    assert "at least 12" in refusal(run("people", "add", "ben@example.com", "--name", "Ben", "--password-stdin", typed="short\n"))
    again = run("people", "add", "ADA@example.com", "--name", "Ada", "--password-stdin", typed=f"{PASSWORD}\n")
    assert "already" in refusal(again)


def test_C4_a_key_is_printed_once_alone_on_standard_output_and_stored_as_a_hash(run: Command, ada: str, tmp_path: Path) -> None:
    made = run("keys", "add", "ada@example.com", "--name", "ci")
    key = said(made)
    assert key.startswith("hp_")
    assert "cannot be shown again" in made.stderr
    dump = b"".join(file.read_bytes() for file in tmp_path.iterdir() if file.is_file())
    assert key.encode() not in dump
    assert digest(key).encode() in dump
    shown = run("keys", "list", "ada@example.com")
    assert key not in shown.output
    ((key_id, prefix, name, state),) = listed(shown)
    assert (prefix, name, state) == (key[:11], "ci", "live")
    said(run("keys", "revoke", key_id))
    assert listed(run("keys", "list", ada))[0][3] == "revoked"


def test_a_key_for_programs_comes_as_json(run: Command, ada: str) -> None:
    made = json.loads(said(run("keys", "add", ada, "--name", "ci", "--json")))
    assert set(made) == {"id", "key"}


def test_members_come_change_and_go(run: Command, ada: str, lantern: str) -> None:
    ben = said(run("people", "add", "ben@example.com", "--name", "Ben", "--password-stdin", typed=f"{PASSWORD}\n"))
    assert listed(run("workspaces", "list")) == [[lantern, "Lantern", "in use"]]
    said(run("workspaces", "add-member", lantern, "ben@example.com", "--role", "viewer"))
    said(run("workspaces", "set-role", lantern, ben, "connector"))
    assert listed(run("workspaces", "members", lantern)) == [[ada, "Ada", "owner"], [ben, "Ben", "connector"]]
    said(run("workspaces", "remove-member", lantern, "ben@example.com"))
    assert json.loads(said(run("workspaces", "members", lantern, "--json"))) == [{"id": ada, "name": "Ada", "role": "owner"}]


def test_what_cannot_be_done_is_said_in_one_sentence(run: Command, ada: str, lantern: str) -> None:
    nowhere = "c" + "0" * 24
    assert "needs an owner" in refusal(run("workspaces", "remove-member", lantern, ada))
    assert "nobody" in refusal(run("workspaces", "add", "Harbour", "--owner", "cleo@example.com"))
    assert "`hitchpost people list`" in refusal(run("keys", "list", "cleo@example.com"))
    for words in (("members", nowhere), ("add-member", nowhere, ada, "--role", "viewer"), ("remove-member", "nope", ada)):
        assert refusal(run("workspaces", *words)) == NO_SUCH_WORKSPACE
    for key in (nowhere, "nokey"):
        assert refusal(run("keys", "revoke", key)) == "There is no such API key; see `hitchpost keys list PERSON`."
    assert run("workspaces", "set-role", lantern, ada, "emperor").exit_code == 2


def test_C12_a_deactivated_person_is_listed_so_and_gets_no_key(run: Command, ada: str) -> None:
    said(run("people", "deactivate", "ada@example.com"))
    assert listed(run("people", "list"))[0][3] == "deactivated"
    assert "no keys" in refusal(run("keys", "add", "ada@example.com", "--name", "ci"))


def test_a_deactivation_says_what_it_did_and_how_it_is_undone(run: Command, ada: str, environment: dict[str, str]) -> None:
    said(run("keys", "add", ada, "--name", "ci"))
    done = said(run("people", "deactivate", ada))
    assert done.startswith("ada@example.com is signed out everywhere, and their API keys are refused.")
    assert "`hitchpost people activate ada@example.com`" in done
    # By the id as well, which nobody else finds any more.
    assert "API keys that work again: 1" in said(run("people", "activate", ada))
    said(run("people", "activate", "ada@example.com"))
    assert listed(run("people", "list"))[0][3] == "active"
    said(run("keys", "add", "ada@example.com", "--name", "another"))
    types = text("SELECT type FROM events WHERE subject = :ada AND type LIKE 'person.%' ORDER BY at")
    noted = within(environment, lambda tx: tx.execute(types, {"ada": ada}).scalars().all())
    assert noted == ["person.added", "person.deactivated", "person.activated"]


def test_F3_another_password_ends_the_sessions_of_the_old_one(run: Command, ada: str, environment: dict[str, str]) -> None:
    columns = "id, token_hash, csrf_secret, person_id, signed_in_at, idle_until, absolute_until"
    later = (SystemClock().now() + timedelta(days=1)).timestamp() * 1e6
    insert = text(f"INSERT INTO browser_sessions ({columns}) VALUES ('s', 't', 'c', :ada, 0, :later, :later)")
    within(environment, lambda tx: tx.execute(insert, {"ada": ada, "later": int(later)}).rowcount)
    said(run("people", "password", "ada@example.com", "--password-stdin", typed="another canary engine\n"))
    ended = within(environment, lambda tx: tx.execute(text("SELECT ended_at FROM browser_sessions")).scalar_one())
    assert ended is not None


def test_an_empty_database_is_refused_with_the_command_that_helps(run: Command, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere/hitchpost.db").touch()
    said = refusal(run("people", "list", HITCHPOST_DATA_DIR=str(tmp_path / "elsewhere")))
    assert "is empty" in said
    assert "hitchpost migrate" in said


@pytest.mark.parametrize(
    "words", [("workspaces", "list"), ("keys", "rotate"), ("workspaces", "shred", "nope"), ("emergency", "revoke-all", "--yes")]
)
def test_a_command_without_its_installation_s_settings_says_where_it_looked_and_makes_nothing(
    run: Command, tmp_path: Path, words: tuple[str, ...]
) -> None:
    elsewhere = tmp_path / "elsewhere"
    sentence = refusal(run(*words, HITCHPOST_DATA_DIR=str(elsewhere / "data"), HITCHPOST_KEY_DIR=str(elsewhere / "keys")))
    assert str(elsewhere / "data" / "hitchpost.db") in sentence
    assert "HITCHPOST_DATA_DIR" in sentence
    assert not elsewhere.exists()


def test_a_workspace_that_is_not_there_is_refused_before_anything_is_asked_and_one_that_is_by_its_name(run: Command, lantern: str) -> None:
    for words in (("nope",), ("c" + "0" * 24,), ("nope", "--yes")):
        assert refusal(run("workspaces", "shred", *words, typed="y\n")) == NO_SUCH_WORKSPACE
    asked = run("workspaces", "shred", lantern, typed="n\n")
    assert f"All connections of the workspace Lantern ({lantern}) end for good." in asked.output
    assert (asked.exit_code, asked.stderr.strip()) == (1, "Nothing was done.")


def test_a_database_that_cannot_be_reached_is_one_sentence_without_its_password(run: Command) -> None:
    sentence = refusal(run("people", "list", HITCHPOST_DATABASE_URL="postgresql://ada:canary@127.0.0.1:1/hitchpost"))
    assert sentence.startswith("The database cannot be used: ")
    assert sentence.endswith("; see HITCHPOST_DATABASE_URL")
    assert "canary" not in sentence
    assert "Errno" not in sentence


@pytest.mark.postgres
@pytest.mark.parametrize("words", [("migrate",), ("people", "list"), ("emergency", "revoke-all", "--yes")])
async def test_what_postgresql_refuses_is_said_in_its_words_with_the_setting(postgres: str, tmp_path: Path, words: tuple[str, ...]) -> None:
    own = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    own |= {"HITCHPOST_DATABASE_URL": f"{postgres}/nowhere", "HITCHPOST_KEY_DIR": str(tmp_path)}
    done = await asyncio.to_thread(
        subprocess.run, [sys.executable, "-m", "hitchpost", *words], env=own, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'The database cannot be used: database "nowhere" does not exist; see HITCHPOST_DATABASE_URL\n'


@pytest.mark.parametrize("command", [("serve",), ("migrate",), ("people", "list")])
@pytest.mark.parametrize(
    ("setting", "value"), [("HITCHPOST_COLOUR", "blue"), ("HITCHPOST_RATE_LIMIT", "many"), ("HITCHPOST_PUBLIC_URL", "http://example.com")]
)
def test_bad_settings_end_every_command_with_2_and_the_setting_s_name(
    run: Command, command: tuple[str, ...], setting: str, value: str
) -> None:
    result = run(*command, **{setting: value})
    assert result.exit_code == 2
    assert setting in result.stderr


def test_the_version_is_that_of_the_package(run: Command) -> None:
    assert said(run("version")) == said(run("--version")) == version("hitchpost")


def piped(environment: dict[str, str], *words: str) -> subprocess.CompletedProcess[str]:
    """A command in a process of its own, without a terminal, with nothing on its standard input."""
    path = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    return subprocess.run(
        [sys.executable, "-m", "hitchpost", *words], env={**path, **environment}, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=60, check=False, start_new_session=True,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("words", "way"),
    [
        (("people", "add", "ben@example.com", "--name", "Ben"), "--password-stdin"),
        (("emergency", "revoke-all"), "--yes"),
    ],
)
def test_where_nobody_can_answer_the_option_that_helps_is_named(environment: dict[str, str], words: tuple[str, ...], way: str) -> None:
    done = piped(environment, *words)
    assert done.returncode == 1
    assert f"so nothing was done. Without a terminal, {'say' if way == '--yes' else 'pipe it in with'} {way}." in done.stderr
    assert not {"Aborted", "Warning", "Traceback"} & set(done.stderr.replace("!", " ").replace(":", " ").split())


@pytest.mark.parametrize("more", [("--retire",), ("--to", "x"), ("--retire", "--to", "x")])
def test_E2_preparing_a_key_and_using_it_are_not_said_at_once(run: Command, tmp_path: Path, more: tuple[str, ...]) -> None:
    said(run("emergency", "revoke-all", "--yes"))
    before = (tmp_path / "keys/ring").read_text()
    result = run("keys", "rotate", "--prepare", *more)
    assert result.exit_code == 2
    assert "--prepare only puts a key into the ring" in result.stderr
    assert (tmp_path / "keys/ring").read_text() == before


def test_E2_the_older_keys_leave_the_ring_without_a_further_one_when_its_first_is_named(run: Command, tmp_path: Path) -> None:
    said(run("emergency", "revoke-all", "--yes"))
    said(run("keys", "rotate"))
    first, *older = (one.partition(":")[0] for one in (tmp_path / "keys/ring").read_text().split(","))
    assert len(older) == 1
    assert said(run("keys", "rotate", "--to", first, "--retire")).endswith(f"wrapped by the key {first}.")
    assert [one.partition(":")[0] for one in (tmp_path / "keys/ring").read_text().split(",")] == [first]


def test_E9_the_operator_sees_whether_use_is_stopped_and_since_when(run: Command) -> None:
    assert said(run("emergency", "status")).splitlines() == [
        "Not stopped: people's access is used.", "0 still to be given back at their networks.",
    ]  # fmt: skip
    stopped = said(run("emergency", "stop")).partition(".")[0]
    assert said(run("emergency", "status")).splitlines()[0] == f"{stopped}."
    shown = json.loads(said(run("emergency", "status", "--json")))
    assert shown["since"].startswith(stopped.removeprefix("Stopped since ").removesuffix(" UTC").replace(" ", "T"))
    assert (shown["stopped"], shown["everything"], shown["left"]) == (True, False, 0)
    said(run("emergency", "revoke-all", "--yes"))
    assert "what is still being connected is given back" in said(run("emergency", "status"))
    said(run("emergency", "resume"))
    assert json.loads(said(run("emergency", "status", "--json"))) == {"stopped": False, "since": None, "everything": False, "left": 0}


def test_E8_a_shredded_workspace_is_listed_so(run: Command, lantern: str) -> None:
    shredded = run("workspaces", "shred", lantern, "--yes")
    assert said(shredded) == "0 disconnected, 0 given back."
    assert "The workspace and its members stay" in shredded.stderr
    ((_, _, state),) = listed(run("workspaces", "list"))
    assert state.startswith("shredded 20")
    assert json.loads(said(run("workspaces", "list", "--json")))[0] == {"id": lantern, "name": "Lantern", "state": state}


def test_the_program_starts_as_a_module_without_loading_what_serves(environment: dict[str, str]) -> None:
    code = "import sys, hitchpost.cli; print([name for name in ('fastapi', 'sqlalchemy', 'uvicorn', 'alembic') if name in sys.modules])"
    path = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    loaded = subprocess.run([sys.executable, "-c", code], env={**path, **environment}, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"
    helped = subprocess.run(
        [sys.executable, "-m", "hitchpost", "--help"], env={**path, **environment}, capture_output=True, text=True, check=True
    )
    assert all(word in helped.stdout for word in ("serve", "migrate", "people", "workspaces", "keys", "demo", "sandbox", "version"))
