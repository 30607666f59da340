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
def running(folder: Path, *words: str, until: str) -> Iterator[subprocess.Popen[str]]:
    """The command as a process of its own that has said `until`."""
    command = [sys.executable, "-m", "hitchpost", *words]
    with subprocess.Popen(command, env=environment(folder), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
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
    code, _, error = refused(tmp_path, "serve", HITCHPOST_BIND=bind)
    assert code == 2
    assert error.startswith("HITCHPOST_BIND: ")
    assert error.count("\n") == 1


def test_a_database_that_cannot_be_brought_up_to_date_is_a_sentence_without_its_password(tmp_path: Path) -> None:
    broken = tmp_path / "broken.db"
    broken.write_text("not a database " * 100)
    for more in (
        {"HITCHPOST_DATABASE_URL": f"sqlite:///{broken}"},
        {"HITCHPOST_DATA_DIR": f"{broken}/data"},
        {"HITCHPOST_DATABASE_URL": "postgresql://ada:canary@127.0.0.1:1/hitchpost"},
    ):
        code, _, error = refused(tmp_path, "migrate", **more)
        assert code == 1
        assert error.startswith("The database cannot be used: ")
        assert error.count("\n") == 1
        assert "canary" not in error
