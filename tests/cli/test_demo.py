"""`hitchpost demo`: what is connected there outlives kill -9 of both programs, commands find it by its settings, and it ends quietly.

It changes nothing when it cannot start, and `make clean` removes nothing else than it.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from hitchpost.demo import programs, walk, world
from hitchpost.demo.browser import Browser
from hitchpost.demo.world import Running

ROOT = Path(__file__).parents[2]


@pytest.fixture
def ports() -> tuple[int, int]:
    return programs.free_port(), programs.free_port()


def outside_of(environment: dict[str, str]) -> dict[str, str]:
    return {name: value for name, value in environment.items() if not name.startswith("HITCHPOST_")}


@contextmanager
def shown(folder: Path, ports: tuple[int, int]) -> Iterator[subprocess.Popen[str]]:
    """The demo as a process of its own in `folder`."""
    code = f"import sys, hitchpost.demo as demo; sys.exit(demo.run(ports={ports}))"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=folder,
        env={**outside_of(dict(os.environ)), "PYTHONUNBUFFERED": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.terminate()


def until(process: subprocess.Popen[str], words: str) -> str:
    """What the demo has said, up to the line with these words."""
    said = ""
    assert process.stdout is not None
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(said)


def test_what_was_connected_is_healthy_after_kill_9_of_both_programs(tmp_path: Path, ports: tuple[int, int]) -> None:
    environment: dict[str, str] = {}

    @contextmanager
    def running() -> Iterator[Running]:
        with programs.sandbox(ports[1], keep=tmp_path / "sandbox") as sandbox:
            environment.update(world.environment(tmp_path, ports[0], sandbox))
            key = world.make(environment)
            with programs.server(environment) as server:
                yield Running(server, sandbox, environment["HITCHPOST_PUBLIC_URL"], key)
                server.process.kill()
                sandbox.process.kill()

    providers = ("facebook", "x", "pinterest")
    with running() as first:
        workspace = world.workspace_of(first.public_url, first.key)
        browser = Browser()
        for provider in providers:
            walk.connect(first, browser, workspace, provider, "ada")
        browser.close()
        before = walk.api(first, "GET", f"social-profiles?workspaceId={workspace}")
    with running() as again:
        for one in before:
            address = f"{again.public_url}/api/v1/social-profiles/{one['id']}/check?workspaceId={workspace}"
            answer = httpx2.post(address, headers={"X-API-Key": again.key.reveal()}, trust_env=False, timeout=30)
            assert (answer.status_code, answer.json()["state"]) == (200, "healthy"), answer.text
        after = walk.api(again, "GET", f"social-profiles?workspaceId={workspace}")
        assert [one["id"] for one in after] == [one["id"] for one in before]
        assert {one["provider"] for one in after} == set(providers)


def test_it_says_how_commands_mean_its_installation_and_they_do(tmp_path: Path, ports: tuple[int, int]) -> None:
    with shown(tmp_path, ports) as process:
        said = until(process, "Ctrl-C stops")
        assert f"set -a; . {Path('.hitchpost/demo/env')}; set +a; " in said
        assert said.count(" …\n") == 3
        file = tmp_path / ".hitchpost/demo/env"
        assert file.stat().st_mode & 0o777 == 0o600
        # In a shell, elsewhere, as people do.
        script = f'set -a; . "{file}"; set +a; cd /; env; "{sys.executable}" -m hitchpost workspaces list'
        found = subprocess.run(["sh", "-c", script], env=outside_of(dict(os.environ)), capture_output=True, text=True, check=True).stdout
        assert found.endswith("\tLantern\tin use\n")
        assert f"HITCHPOST_NETWORKS_AT=http://localhost:{ports[1]}\n" in found


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_it_stops_with_one_line_and_leaves_no_program_behind(tmp_path: Path, ports: tuple[int, int], how: signal.Signals) -> None:
    with shown(tmp_path, ports) as process:
        until(process, "Ctrl-C stops")
        process.send_signal(how)
        # An impatient second one, while the programs stop.
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (0, "stopped; the world stays in .hitchpost/demo")
    for port in ports:
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)


def test_it_stops_quietly_while_it_starts(tmp_path: Path, ports: tuple[int, int]) -> None:
    with shown(tmp_path, ports) as process:
        until(process, "making ready")
        process.send_signal(signal.SIGINT)
        said, _ = process.communicate(timeout=60)
    assert (process.returncode, said.strip()) == (0, "stopped; the world stays in .hitchpost/demo")


def test_a_world_that_is_older_than_its_sandbox_is_said_in_one_line(tmp_path: Path, ports: tuple[int, int]) -> None:
    (tmp_path / ".hitchpost/demo/data").mkdir(parents=True)
    with shown(tmp_path, ports) as process:
        assert "profiles that were connected before must be connected again\n" in until(process, "starting the sandbox")


def test_a_walk_tells_nobody_to_save_a_key_ring_that_it_throws_away(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "hitchpost", "demo", "--walk"]
    done = subprocess.run(command, cwd=tmp_path, env=outside_of(dict(os.environ)), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "key ring" not in done.stdout + done.stderr
    assert "a world of its own for the walk, thrown away at the end" in done.stdout
    # One person by each of LinkedIn's two apps: two profiles, told apart by the way.
    people = [line.split() for line in done.stdout.splitlines() if line.split()[:2] == ["linkedin", "person"]]
    assert sorted(one[-2] for one in people) == ["member", "pages"]
    assert list(tmp_path.iterdir()) == []


def key_in(said: str) -> str:
    return next(line.split()[-1] for line in said.splitlines() if line.split()[:2] == ["API", "key"])


def calls(ports: tuple[int, int], key: str) -> int:
    """The status with which the demo's server answers a call with this key."""
    address = f"http://127.0.0.1:{ports[0]}/api/_public/v1/workspaces"
    return httpx2.get(address, headers={"X-API-Key": key}, trust_env=False, timeout=30).status_code


def test_a_second_start_names_who_holds_the_ports_and_leaves_the_key_of_the_first_alive(tmp_path: Path, ports: tuple[int, int]) -> None:
    with shown(tmp_path, ports) as first:
        key = key_in(until(first, "Ctrl-C stops"))
        for free in ((), ports[1:]):
            wanted = (ports[0], programs.free_port() if free else ports[1])
            with shown(tmp_path, wanted) as second:
                said, _ = second.communicate(timeout=60)
            assert second.returncode == 1
            lines = said.splitlines()
            assert lines[0].startswith(f"demo: port {ports[0]} is taken by process ")
            assert "hitchpost.asgi" in lines[0]
            assert lines[0].endswith("; Hitchpost wants it")
            assert (f"port {ports[1]} is taken" in said) is not bool(free)
            assert "nothing was changed" in lines[-1]
        assert calls(ports, key) == 200
        pid = lines[0].rpartition("kill ")[2].partition(";")[0]
        assert b"hitchpost.asgi" in Path(f"/proc/{pid}/cmdline").read_bytes()


def test_a_key_goes_on_until_the_start_that_shows_another(tmp_path: Path, ports: tuple[int, int]) -> None:
    with programs.sandbox(ports[1]) as sandbox:
        environment = world.environment(tmp_path, ports[0], sandbox)
        key = world.make(environment)
        with world.made(environment):
            # A start that ends here, before it has shown its key.
            pass
        with programs.server(environment):
            assert calls(ports, key.reveal()) == 200
            fresh = world.make(environment)
            assert (calls(ports, fresh.reveal()), calls(ports, key.reveal())) == (200, 403)


def test_its_programs_end_when_it_is_killed_and_all_that_it_kept_stands_in_its_own_folder(tmp_path: Path, ports: tuple[int, int]) -> None:
    with shown(tmp_path, ports) as process:
        until(process, "Ctrl-C stops")
        process.kill()
        # They write to the same pipe: it ends when the last of them has.
        process.communicate(timeout=60)
    assert [*tmp_path.iterdir(), *tmp_path.glob(".hitchpost/*")] == [tmp_path / ".hitchpost", tmp_path / ".hitchpost/demo"]
    for port in ports:
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(f"http://127.0.0.1:{port}/", trust_env=False)


def test_make_clean_removes_the_demo_and_leaves_an_installation_beside_it(tmp_path: Path) -> None:
    kept = [tmp_path / ".hitchpost/data/hitchpost.db", tmp_path / ".hitchpost/keys/ring"]
    gone = [tmp_path / ".hitchpost/demo/data/hitchpost.db", tmp_path / "artefacts/page.png"]
    for file in kept + gone:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.touch()
    subprocess.run(["make", "-f", str(ROOT / "Makefile"), "clean"], cwd=tmp_path, check=True, capture_output=True)
    assert [file.exists() for file in kept] == [True, True]
    assert [file.parents[0].exists() for file in gone] == [False, False]
