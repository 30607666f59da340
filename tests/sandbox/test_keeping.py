"""`--keep FILE`: what was given before a kill is there after it, and a file that is not the sandbox's own is refused and runs nothing."""

import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.keeping import CannotKeep, Kept
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.running import Running
from hitchpost_sandbox.turns import Befallen
from hitchpost_sandbox.world import World
from tests.sandbox.test_faults import BACK, ME, X_AUTH, X_CONSENT, bearer, code_of, redeemed, signed_in
from tests.support.facebook import BAKERY, Outside
from tests.support.trip import NOON

TWINS = networks.found()


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "hitchpost_sandbox", "--port", "0", *words]


@contextmanager
def started(*words: str, folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program, and its address; killed at the end."""
    with subprocess.Popen(command(*words), cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline().removeprefix("sandbox: ").strip()
        finally:
            process.kill()


def kept(world: World, path: Path) -> Kept:
    return Kept(build(world), world, path, TWINS)


def client(app: Kept) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8421")


def refresh(url: str, token: str) -> httpx2.Response:
    form = {"grant_type": "refresh_token", "refresh_token": token}
    return httpx2.post(f"{url}/api.x.com/2/oauth2/token", data=form, auth=X_AUTH)


def test_a_killed_sandbox_goes_on_with_every_token_that_it_had_answered(tmp_path: Path) -> None:
    with started("--keep", "state", folder=tmp_path) as (process, url):
        code = Running(url).allow(X_CONSENT).code
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK, "code_verifier": "challenge"}
        first = httpx2.post(f"{url}/api.x.com/2/oauth2/token", data=form, auth=X_AUTH).json()
        second = refresh(url, first["refresh_token"]).json()
        Running(url).forward(hours=1)
        process.send_signal(signal.SIGKILL)
        process.wait()
    with started("--keep", "state", folder=tmp_path) as (process, url):
        assert httpx2.get(url + ME, headers=bearer(second)).status_code == 200
        assert refresh(url, first["refresh_token"]).status_code == 400
        third = refresh(url, second["refresh_token"]).json()
        assert httpx2.get(url + ME, headers=bearer(third)).status_code == 200
        assert [one["person"] for one in Running(url).ledger(kind="code_redeemed")] == ["ada"]
        calls = len(Running(url).ledger(kind="call"))
        process.terminate()
        process.wait(30)
    with started("--keep", "state", folder=tmp_path) as (_, url):
        # An orderly end loses not even what only the ledger remembers.
        assert len(Running(url).ledger(kind="call")) == calls


async def test_everything_that_any_twin_remembers_comes_back(tmp_path: Path) -> None:
    """Two restarts in a row write the same bytes, after every turn that needs no more than a person, and tokens at two networks."""
    world = World(clock=SandboxClock(NOON), seed=7)
    async with client(kept(world, tmp_path / "state")) as caller:
        await signed_in(caller)
        unused = await code_of(caller, "ben")
        world.faults.add(Fault("html", path="/nowhere", chance=0.5, times=0))
        for twin in TWINS:
            for turn in twin.turns.values():
                if "`target`" not in turn.says and "`scope`" not in turn.says:
                    await turn.play(world, Befallen("ada"))
        rolls = [(await caller.get("/api.x.com/nowhere")).status_code for _ in range(6)]
        await caller.post("/_sandbox/clock", json={"seconds": 5})
    before = (tmp_path / "state").read_bytes()
    again = World(seed=3)
    async with client(kept(again, tmp_path / "state")) as caller:
        assert (tmp_path / "state").read_bytes() == before
        assert again.clock.now() == world.clock.now()
        assert again.cast == world.cast
        assert again.authority("x").memory == world.authority("x").memory != {}
        assert again.authority("meta").memory == world.authority("meta").memory != {}
        assert again.ledger.read() == world.ledger.read()
        assert again.apps == world.apps
        # The dice go on where they were.
        assert [(await caller.get("/api.x.com/nowhere")).status_code for _ in range(6)] == [_next_roll(world) for _ in range(6)]
        assert set(rolls) <= {404, 502}
        assert "access_token" in (await redeemed(caller, unused)).json()


def _next_roll(world: World) -> int:
    (script,) = world.faults.scripts
    return 502 if script.due() else 404


async def test_what_is_shared_stays_shared_so_a_page_token_that_died_is_not_handed_out_again(tmp_path: Path) -> None:
    facebook = Outside()
    facebook.http = client(kept(facebook.world, tmp_path / "state"))
    token = await facebook.token()
    page = (await facebook.get(f"/v25.0/{BAKERY}", token, fields="access_token")).json()["access_token"]
    facebook.world = World(apps=[facebook.app])
    facebook.http = client(kept(facebook.world, tmp_path / "state"))
    assert (await facebook.get(f"/v25.0/{BAKERY}", token, fields="access_token")).json()["access_token"] == page
    facebook.world.authority("meta").revoke(page)
    fresh = (await facebook.get(f"/v25.0/{BAKERY}", token, fields="access_token")).json()["access_token"]
    assert fresh != page
    assert [(await facebook.get("/v25.0/me", one)).status_code for one in (fresh, page)] == [200, 400]


async def test_a_reset_is_kept_and_the_ledger_goes_on_counting(tmp_path: Path) -> None:
    async with client(kept(World(), tmp_path / "state")) as caller:
        await signed_in(caller)
        await caller.post("/_sandbox/reset", json={})
        await caller.post("/api.x.com/2/oauth2/token")
    world = World()
    async with client(kept(world, tmp_path / "state")) as caller:
        assert [entry.what for entry in world.ledger.read()] == [What.CALL]
        await caller.post("/api.x.com/2/oauth2/token")
        assert [entry.seq for entry in world.ledger.read()] == [1, 2]


async def test_the_file_is_its_owner_s_alone_and_no_other_is_left_beside_it(tmp_path: Path) -> None:
    (tmp_path / "state.new").write_text("left by a kill")
    async with client(kept(World(), tmp_path / "state")) as caller:
        await signed_in(caller)
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o600


def test_without_keep_nothing_is_written(tmp_path: Path) -> None:
    with started(folder=tmp_path) as (_, url):
        assert Running(url).allow(X_CONSENT).code
    assert list(tmp_path.iterdir()) == []


class Bomb:
    """What pickle would run."""

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, ("exploded",)


@pytest.mark.parametrize("content", [b"", b"a shopping list\n", b"[1, 2]", b"\x00\xff\n\xfe", pickle.dumps(Bomb())])
def test_a_foreign_file_is_refused_in_one_sentence_and_left_as_it_is(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "state").write_bytes(content)
    ended = subprocess.run(command("--keep", "state"), cwd=tmp_path, capture_output=True, text=True, timeout=30, check=False)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "sandbox: state is not the kept state of this version of the sandbox; name another file, or remove it\n"
    assert [path.name for path in tmp_path.iterdir()] == ["state"]
    assert (tmp_path / "state").read_bytes() == content


def test_a_file_that_lost_a_byte_is_refused(tmp_path: Path) -> None:
    kept(World(), tmp_path / "state")
    (tmp_path / "state").write_bytes((tmp_path / "state").read_bytes()[:-1])
    with pytest.raises(CannotKeep, match="not as the sandbox wrote it"):
        kept(World(), tmp_path / "state")


@pytest.mark.parametrize(
    "planted",
    [
        {"record": ["subprocess", "Popen", 0, ["mkdir", "exploded"]]},
        {"record": ["os", "system", 0, "mkdir exploded"]},
        {"record": ["hitchpost_sandbox.outgoing", "Outgoing", 0]},
        {"record": ["hitchpost_sandbox.keeping", "Path", 0, "exploded"]},
        {"word": ["hitchpost_sandbox.pages", "Path", "exploded"]},
        {"call": ["os.system", "mkdir exploded"]},
        {"same": 7},
        {"datetime": 5},
    ],
)
def test_a_file_can_name_nothing_but_what_the_sandbox_remembers(tmp_path: Path, planted: object) -> None:
    kept(World(), tmp_path / "state")
    head, people, _, *entries = (tmp_path / "state").read_text().split("\n")
    body = "\n".join([people, json.dumps(planted), *entries])
    digest = hashlib.sha256(body.encode()).hexdigest()
    (tmp_path / "state").write_text(json.dumps(json.loads(head) | {"sha256": digest}) + "\n" + body)
    with pytest.raises(CannotKeep, match="another version"):
        kept(World(), tmp_path / "state")


async def test_a_disk_that_refuses_is_said_and_the_sandbox_goes_on(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "folder").mkdir()
    async with client(kept(World(), tmp_path / "folder/state")) as caller:
        (tmp_path / "folder/state").unlink()
        (tmp_path / "folder").rmdir()
        assert (await caller.get(ME, headers=bearer(await signed_in(caller)))).status_code == 200
    assert "cannot be written (No such file or directory)" in capsys.readouterr().err
    with pytest.raises(CannotKeep, match="cannot be written"):
        kept(World(), tmp_path / "folder/state")


def test_a_second_start_on_the_same_port_does_not_touch_the_first_one_s_file(tmp_path: Path) -> None:
    with started("--keep", "state", folder=tmp_path) as (_, url):
        Running(url).allow(X_CONSENT)
        before = (tmp_path / "state").stat()
        again = [sys.executable, "-m", "hitchpost_sandbox", "--keep", "state", "--port", url.rpartition(":")[2]]
        assert subprocess.run(again, cwd=tmp_path, capture_output=True, timeout=30, check=False).returncode == 2
        assert (tmp_path / "state").stat().st_ino == before.st_ino
