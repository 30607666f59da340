"""What integrators hold in their hands: the handle on a running sandbox, and the pytest plugin in a project of a stranger."""

import contextlib
import http.server
import os
import re
import subprocess
import sys
import threading
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


def test_an_address_at_no_network_is_refused_with_the_nearest_host(sandbox: Running) -> None:
    assert sandbox.at("https://api.x.com/2/users/me") == f"{sandbox.url}/api.x.com/2/users/me"
    assert sandbox.at("https://pbs.twimg.com/a.png?b=c") == f"{sandbox.url}/pbs.twimg.com/a.png?b=c"
    assert sandbox.at("https://API.X.com/2/users/me") == f"{sandbox.url}/API.X.com/2/users/me"
    assert sandbox.at("/www.pinterest.com/oauth/") == sandbox.at("www.pinterest.com/oauth/") == f"{sandbox.url}/www.pinterest.com/oauth/"
    assert sandbox.at(sandbox.at(CONSENT)) == sandbox.at(CONSENT)
    for wrong, word, near in (
        ("https://api.twiter.com/x", "api.twiter.com", "api.twitter.com"),
        ("http://api.x.com/2/users/me", "http://api.x.com", "api.x.com"),
        ("https://api.x.com.evil.example/", "api.x.com.evil.example", "api.x.com"),
        (f"{sandbox.url}1/api.x.com/", f"{sandbox.url}1", ""),
        ("", "", ""),
    ):
        with pytest.raises(SandboxRefused, match=f"^the host: '{re.escape(word)}' is not known; nearest: .*{near}"):
            sandbox.at(wrong)
    with pytest.raises(SandboxRefused, match=r"nearest: www\.pinterest\.com"):
        sandbox.allow(CONSENT.replace("pinterest.com", "pintrest.com"))


def test_the_ledger_is_read_in_pages(sandbox: Running) -> None:
    sandbox.allow(CONSENT)
    whole = sandbox.ledger()
    assert len(whole) >= 3
    assert sandbox.ledger(limit=2) == whole[-2:]
    assert sandbox.ledger(limit=2, after=0) + sandbox.ledger(after=whole[1]["seq"]) == whole


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


class _Page(http.server.BaseHTTPRequestHandler):
    """Some other web server: every path is a page, and says so with `status`."""

    status = 404

    def do_GET(self) -> None:
        self.send_response(self.status)
        self.send_header("content-type", "text/html; charset=utf-8")
        self.end_headers()
        self.wfile.write(b"<html><head><title>No such page</title></head>\n<body>" + b"<p>hello</p>\n" * 100)

    def log_message(self, *_: object) -> None:
        """What it is asked interests nobody."""


@contextlib.contextmanager
def another_server(status: int) -> Iterator[str]:
    with http.server.HTTPServer(("127.0.0.1", 0), type("Page", (_Page,), {"status": status})) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def refused_in_one_line(ended: subprocess.CompletedProcess[str]) -> str:
    """The sentence with which the run was refused before it began."""
    assert ended.returncode == pytest.ExitCode.USAGE_ERROR, ended.stdout + ended.stderr
    assert "Traceback" not in ended.stdout + ended.stderr
    assert ended.stdout.strip() == ""
    (line,) = [line for line in ended.stderr.splitlines() if line]
    return line


@pytest.mark.parametrize("status", [404, 200])
def test_another_web_server_is_not_taken_for_a_sandbox(tmp_path: Path, status: int) -> None:
    with another_server(status) as url:
        said = refused_in_one_line(in_a_strangers_project(tmp_path, "--sandbox-url", url, ini="[pytest]\n"))
        assert said.startswith(f"ERROR: no sandbox answers at {url}")
        assert "<" not in said
        with pytest.raises(SandboxRefused, match=f"^no sandbox answers at {url}[^<]*$"):
            Running(url).apps()


@pytest.mark.parametrize(
    ("url", "why"), [("http://localhost:9", "Connection refused"), ("localhost:8421", ""), ("http://localhost:port", ""), ("sandbox", "")]
)
def test_a_sandbox_that_does_not_run_is_named_before_the_run(tmp_path: Path, url: str, why: str) -> None:
    said = refused_in_one_line(in_a_strangers_project(tmp_path, "--sandbox-url", url, "-k", "anew", ini="[pytest]\n"))
    assert said.startswith(f"ERROR: no sandbox answers at {url}")
    assert why in said


@pytest.mark.parametrize("options", [(), ("-n", "2")])
@pytest.mark.parametrize(("world", "why"), [(None, "No such file or directory"), (b"seed = ", "Invalid value"), (b"\xff\xfe", "UTF-8")])
def test_a_world_file_that_cannot_be_read_is_named_before_the_run(
    tmp_path: Path, world: bytes | None, why: str, options: tuple[str, ...]
) -> None:
    file = tmp_path / "mine.toml"
    if world is not None:
        file.write_bytes(world)
    said = refused_in_one_line(in_a_strangers_project(tmp_path, *options, ini="[pytest]\nsandbox_world = mine.toml\n"))
    assert said.startswith(f"ERROR: {file}: ")
    assert why in said
    assert said.count("mine.toml") == 1
    program = [sys.executable, "-m", "hitchpost_sandbox", "--port", "0", "--world", str(file)]
    ended = subprocess.run(program, capture_output=True, text=True, timeout=60, check=False)
    assert (ended.returncode, ended.stderr.count(str(file)), ended.stderr.count("\n")) == (2, 1, 1)


def test_a_world_file_that_is_chosen_in_code_is_named_too(tmp_path: Path) -> None:
    fixture = (
        "@pytest.fixture(scope='session')\ndef sandbox_world_file(tmp_path_factory):\n    return tmp_path_factory.mktemp('w') / 'no.toml'"
    )
    (tmp_path / "test_chosen.py").write_text(f"import pytest\n\n{fixture}\n\ndef test_it(sandbox_url):\n    pass\n")
    ended = in_a_strangers_project(tmp_path, "test_chosen.py", ini="[pytest]\n")
    assert ended.returncode == pytest.ExitCode.TESTS_FAILED
    assert "no.toml: No such file or directory" in ended.stdout
    assert "Traceback" not in ended.stdout + ended.stderr


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
