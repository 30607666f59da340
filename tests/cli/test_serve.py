"""`hitchpost serve` and `hitchpost sandbox` as processes: how they end, and what a start that cannot work says."""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hitchpost.db.schema import HEAD
from hitchpost.ids import new_id
from tests.support.postgres import new_database


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A machine of its own below `folder`; port 0 is any free one."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    return own | {
        "HITCHPOST_DATA_DIR": str(folder / "data"), "HITCHPOST_KEY_DIR": str(folder / "keys"), "HITCHPOST_BIND": "127.0.0.1:0",
        "PYTHONUNBUFFERED": "1",
    } | more  # fmt: skip


def refused(folder: Path, *words: str, **more: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of a command that ends by itself."""
    done = subprocess.run(
        [sys.executable, "-m", "hitchpost", *words],
        env=environment(folder, **more),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stdout, done.stderr


@contextmanager
def running(folder: Path, *words: str, until: str, **more: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own that has said `until`."""
    command = [sys.executable, "-m", "hitchpost", *words]
    with subprocess.Popen(command, env=environment(folder, **more), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            assert any(until in line for line in process.stdout)
            yield process
        finally:
            process.kill()


@pytest.mark.parametrize(("words", "until"), [(("serve",), "startup complete"), (("sandbox", "--port", "0"), "sandbox: http")])
def test_ctrl_c_is_a_usual_end_without_a_traceback(tmp_path: Path, words: tuple[str, ...], until: str) -> None:
    with running(tmp_path, *words, until=until) as process:
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said


def test_a_second_start_is_one_sentence_and_makes_no_other_set_up_code(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        bind = f"127.0.0.1:{taken.getsockname()[1]}"
        code, out, error = refused(tmp_path, "serve", HITCHPOST_BIND=bind)
    assert code == 2
    assert "set up" not in out.lower()
    assert error == f"HITCHPOST_BIND: cannot listen on {bind}: Address already in use; stop what listens there, or name another\n"


@pytest.mark.parametrize("bind", ["8420", "127.0.0.1:99999", "nowhere.invalid:8420"])
def test_an_address_that_cannot_be_listened_on_is_refused_by_name(tmp_path: Path, bind: str) -> None:
    code, _, error = refused(tmp_path, "serve", HITCHPOST_BIND=bind, HITCHPOST_PUBLIC_URL="http://127.0.0.1:8420")
    assert code == 2
    assert error.startswith("HITCHPOST_BIND: ")
    assert error.count("\n") == 1


def test_a_migration_says_where_the_database_stands_and_a_server_says_only_its_own(tmp_path: Path) -> None:
    for _ in range(2):
        assert refused(tmp_path, "migrate") == (0, f"The database is up to date: it stands at {HEAD}.\n", "")
    assert "up to date" not in refused(tmp_path, "serve", HITCHPOST_BIND="nowhere.invalid:1", HITCHPOST_PUBLIC_URL="http://127.0.0.1:1")[1]


def test_a_database_that_cannot_be_brought_up_to_date_is_a_sentence_without_its_password(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("not a database " * 100)
    for setting, value in (
        ("HITCHPOST_DATABASE_URL", f"sqlite:///{broken}"),
        ("HITCHPOST_DATA_DIR", f"{broken}/data"),
        ("HITCHPOST_DATABASE_URL", "postgresql://ada:canary@127.0.0.1:1/hitchpost"),
    ):
        code, _, error = refused(tmp_path, "migrate", **{setting: value})
        assert error.endswith(f"; see {setting}\n")
        assert code == 1
        assert error.startswith("The database cannot be used: ")
        assert error.count("\n") == 1
        assert "canary" not in error


def test_a_second_server_on_one_sqlite_database_is_refused_until_the_first_is_dead(tmp_path: Path) -> None:
    with running(tmp_path, "serve", until="startup complete") as first:
        for words in (("-m", "hitchpost", "serve"), ("-m", "hitchpost.asgi")):
            done = subprocess.run(
                [sys.executable, *words], env=environment(tmp_path), capture_output=True, text=True, timeout=30, check=False
            )
            assert (done.returncode, done.stdout) == (2, "")
            database = tmp_path / "data/hitchpost.db"
            assert done.stderr.startswith(f"Another server (process {first.pid}) works with {database}: with SQLite run one process. ")
            assert done.stderr.count("\n") == 1
        # Commands go on working beside it, those that build the whole house as well.
        for command in (("people", "list"), ("keys", "rotate"), ("emergency", "revoke-all", "--yes"), ("emergency", "resume")):
            assert refused(tmp_path, *command)[0] == 0
        first.kill()
        first.wait(30)
        with running(tmp_path, "serve", until="startup complete") as second:
            assert second.poll() is None


MADE = "The key ring was made at {}: save it now, apart from the database."


def test_a_start_that_is_refused_after_it_made_the_key_ring_has_said_so(tmp_path: Path) -> None:
    app = {"HITCHPOST_APP_X_CLIENT_ID": "x", "HITCHPOST_APP_X_CLIENT_SECRET": "s", "HITCHPOST_APP_X_VARIANT": "wrong"}
    code, out, _ = refused(tmp_path, "serve", **app)
    assert code == 2
    assert MADE.format(tmp_path / "keys/ring") in out


def test_a_command_that_makes_the_key_ring_says_so_beside_its_answer(tmp_path: Path) -> None:
    assert refused(tmp_path, "migrate")[0] == 0
    code, out, error = refused(tmp_path, "emergency", "revoke-all", "--yes")
    assert code == 0
    assert MADE.format(tmp_path / "keys/ring") in error
    assert "key ring was made" not in out
    assert "key ring was made" not in "".join(refused(tmp_path, "emergency", "revoke-all", "--yes")[1:])


@pytest.mark.postgres
async def test_a_worker_that_makes_the_key_ring_says_so(postgres: str, tmp_path: Path) -> None:
    url = await new_database(postgres, f"k{new_id()}")
    with running(tmp_path, "worker", until="The key ring was made", HITCHPOST_DATABASE_URL=url) as worker:
        assert worker.poll() is None
