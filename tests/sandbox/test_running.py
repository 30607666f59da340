"""What integrators hold in their hands: the handle on a running sandbox, and the pytest plugin in a project of a stranger."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from hitchpost.demo import programs
from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import PINTEREST_APP
from hitchpost_sandbox.running import Running, SandboxRefused
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World

BACK = "http://127.0.0.1:8420/back"
CONSENT = (
    f"https://www.pinterest.com/oauth/?client_id={PINTEREST_APP.client_id}&redirect_uri={BACK}&response_type=code&scope=boards:read&state=s"
)


@pytest.fixture
def sandbox() -> Iterator[Running]:
    with in_thread(build(World())) as url:
        yield Running(url)


def test_a_person_allows_or_cancels(sandbox: Running) -> None:
    sent = sandbox.allow(CONSENT, "ben")
    assert sent.url.startswith(BACK)
    assert (sent.query["state"], sandbox.ledger(kind="code_issued")[0]["person"]) == ("s", "ben")
    denied = sandbox.deny(CONSENT)
    assert denied.query["error"] == "access_denied"
    with pytest.raises(SandboxRefused, match="gave no code"):
        _ = denied.code
    sandbox.leave(CONSENT)
    assert [entry["person"] for entry in sandbox.ledger(kind="consent_left")] == ["ada"]
    for decided in (sandbox.allow, sandbox.deny, sandbox.leave):
        with pytest.raises(SandboxRefused, match=r"sent nobody back|no consent page") as refused:
            decided(CONSENT.replace(PINTEREST_APP.client_id, "1"))
        # What a person reads on the page, and nothing of how it is made.
        assert not {"<", "{", "\n"} & set(str(refused.value))
        assert "http" not in str(refused.value)
        assert 20 < len(str(refused.value)) < 300
    with pytest.raises(SandboxRefused, match="field 'person': 'bne' is not known; nearest: ben"):
        sandbox.allow(CONSENT, "bne")


def test_everything_the_plane_knows_is_a_method(sandbox: Running) -> None:
    number = sandbox.fault("rate_limit", network="pinterest", times=0)
    assert [one["id"] for one in sandbox.faults()] == [number]
    sandbox.release(number)
    sandbox.fault("html")
    sandbox.clear_faults()
    assert sandbox.faults() == []
    before = sandbox.forward()
    assert sandbox.forward(days=1) > before
    sandbox.stand()
    assert sandbox.forward() == sandbox.forward()
    sandbox.run()
    sandbox.person("mia", name="Mia", email="mia@muster.example", pinterest={"id": "1", "username": "mia", "picture": "mia"})
    sandbox.app("pinterest", PINTEREST_APP.client_id, "changed", options={"trial": True})
    assert "changed" in {app["client_secret"] for app in sandbox.apps()}
    assert sandbox.allow(CONSENT, "mia").code
    sandbox.keep("with mia")
    sandbox.turn("pinterest", "revoked", "mia")
    sandbox.reset()
    assert sandbox.consents() == []
    sandbox.restore("with mia")
    assert [one["person"] for one in sandbox.consents(app=PINTEREST_APP.client_id)] == ["mia"]


def test_what_it_refuses_is_an_exception_with_its_sentence(sandbox: Running) -> None:
    with pytest.raises(SandboxRefused, match=r"^fault\.does: 'nonsense' is not known; nearest: "):
        sandbox.fault("nonsense")
    with pytest.raises(SandboxRefused, match="no snapshot"):
        sandbox.restore("nothing")
    with pytest.raises(OSError, match="refused"):
        Running("http://localhost:9").reset()


STRANGERS_TEST = """
CONSENT = "THE-CONSENT-PAGE"


def test_a_consent_is_seen(sandbox):
    assert sandbox.allow(CONSENT, "mia").code
    sandbox.fault("html", times=0)
    sandbox.forward(days=3)
    assert len(sandbox.consents()) == 1


def test_the_next_test_begins_anew(sandbox):
    assert sandbox.consents() == []
    assert sandbox.faults() == []


def test_the_address_is_there_too(sandbox_url):
    assert sandbox_url.startswith("http://localhost:")
""".replace("THE-CONSENT-PAGE", CONSENT)
STRANGERS_WORLD = """
[[people]]
key = "mia"
name = "Mia"
email = "mia@muster.example"
[people.pinterest]
id = "1"
username = "mia"
picture = "mia"
"""


INI = "[pytest]\nsandbox_world = world.toml\n"


def in_a_strangers_project(folder: Path, *options: str, ini: str = INI, world: str = STRANGERS_WORLD) -> subprocess.CompletedProcess[str]:
    (folder / "pytest.ini").write_text(ini)
    (folder / "conftest.py").write_text('pytest_plugins = ["hitchpost_sandbox.pytest"]\n')
    (folder / "world.toml").write_text(world)
    (folder / "test_mine.py").write_text(STRANGERS_TEST)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize("options", [(), ("-n", "2"), ("-p", "no:randomly", "--disable-socket", "--allow-hosts=127.0.0.1,::1,localhost")])
def test_a_strangers_project_runs_with_the_plugin_and_nothing_else(tmp_path: Path, options: tuple[str, ...]) -> None:
    ended = in_a_strangers_project(tmp_path, *options)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert "3 passed" in ended.stdout


def test_the_plugin_begins_anew_at_a_sandbox_that_runs_already_and_leaves_nothing_there(tmp_path: Path) -> None:
    with in_thread(build(World())) as url:
        running = Running(url)
        for _ in range(2):
            # What an earlier session, or anybody else, has left.
            assert running.allow(CONSENT, "ben").code
            running.fault("html", times=0)
            running.keep("the beginning of the session")
            ended = in_a_strangers_project(tmp_path, "--sandbox-url", url, "-k", "address or anew", ini="[pytest]\n")
            assert "2 passed" in ended.stdout, ended.stdout
            assert (running.snapshots(), running.consents(), running.faults()) == ([], [], [])


@pytest.mark.parametrize(
    ("ini", "options", "words"),
    [
        (INI, (), "--sandbox-url uses a sandbox that runs already"),
        ("[pytest]\n", ("--sandbox-world", "world.toml"), "--sandbox-url uses a sandbox that runs already"),
        ("[pytest]\n", ("-n", "2"), "one sandbox for several workers"),
    ],
)
def test_the_plugin_refuses_what_a_sandbox_that_runs_already_cannot_give(
    tmp_path: Path, ini: str, options: tuple[str, ...], words: str
) -> None:
    ended = in_a_strangers_project(tmp_path, "--sandbox-url", "http://localhost:9", *options, ini=ini)
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR
    assert words in ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr


def test_a_sandbox_that_does_not_run_is_named(tmp_path: Path) -> None:
    ended = in_a_strangers_project(tmp_path, "--sandbox-url", "http://localhost:9", "-k", "anew", ini="[pytest]\n")
    assert ended.returncode != 0
    assert "no sandbox answers at http://localhost:9" in ended.stdout + ended.stderr


def test_a_world_file_that_is_wrong_is_named(tmp_path: Path) -> None:
    ended = in_a_strangers_project(tmp_path, ini="[pytest]\nsandbox_world = nowhere.toml\n")
    assert ended.returncode != 0
    assert "nowhere.toml" in ended.stdout + ended.stderr


@pytest.mark.parametrize("typo", ['[[faults]]\ndoes = "no_such_word"\n', '[[faults]]\ndoes = "html"\nnetwork = "nonsense"\n'])
def test_a_typo_in_a_world_file_stops_the_run_it_is_no_fault_that_never_fires(tmp_path: Path, typo: str) -> None:
    ended = in_a_strangers_project(tmp_path, "-k", "address", world=STRANGERS_WORLD + typo)
    assert ended.returncode != 0
    assert re.search(r"world\.toml: faults\[0\]\.(does|network): '\w+' is not known; (nearest|known): ", ended.stdout + ended.stderr)


def test_the_program_keeps_to_80_megabytes_after_a_thousand_calls() -> None:
    with programs.sandbox(programs.free_port()) as alone, httpx2.Client(base_url=alone.address) as client:
        for _ in range(1000):
            client.get("/api.x.com/2/users/me")
        most = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{alone.process.pid}/status").read_text())
        assert most is not None
        assert int(most[1]) / 1024 <= 80
