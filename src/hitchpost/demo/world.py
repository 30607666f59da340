"""The demo's ready-made world: Ada owns the workspace Lantern and has an API key; every network is the sandbox's."""

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from hitchpost.demo.making import EMAIL, PASSWORD
from hitchpost.demo.programs import DemoFailed, Program
from hitchpost.networks.catalog import Catalog, discover
from hitchpost.secret import Secret

__all__ = ["EMAIL", "PASSWORD", "Running", "app_variables", "environment", "invitation", "made", "make", "workspace_of", "written"]


@dataclass(frozen=True, slots=True)
class Running:
    """The demo as it runs: both programs, the public URL, Ada's key."""

    server: Program
    sandbox: Program
    public_url: str
    key: Secret = field(repr=False)

    def wait(self) -> None:
        """Until one of the programs stops. Raises DemoFailed: neither stops by itself."""
        self.server.process.wait()
        raise DemoFailed(f"Hitchpost stopped with code {self.server.process.returncode}; the lines above say why")


def environment(folder: Path, port: int, sandbox: Program) -> dict[str, str]:
    """The server's variables: a world of its own below `folder`, and the sandbox's well-known apps."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("HITCHPOST_")}
    own |= {
        "HITCHPOST_PUBLIC_URL": f"http://127.0.0.1:{port}", "HITCHPOST_BIND": f"127.0.0.1:{port}",
        "HITCHPOST_DATA_DIR": str(folder / "data"), "HITCHPOST_KEY_DIR": str(folder / "keys"),
        "HITCHPOST_NETWORKS_AT": sandbox.address, "HITCHPOST_NETWORKS_AT_INSECURE": "true",
        "HITCHPOST_LOG_LEVEL": "warning",
    }  # fmt: skip
    own |= app_variables(sandbox.json("/_sandbox/apps"), discover())
    return own


def app_variables(apps: Iterable[Mapping[str, Any]], catalog: Catalog) -> dict[str, str]:
    """The settings that make these apps ours, each in the slot whose login it can serve. `apps`: as the sandbox lists them."""
    found: dict[str, str] = {}
    logins = [login for adapter in catalog for login in adapter.logins]
    for app in apps:
        for login in logins:
            if login.authority == app["authority"] and app["variant"] in ("", login.variants[0]):
                name = f"HITCHPOST_APP_{login.slot.upper()}_CLIENT"
                found |= {f"{name}_ID": str(app["client_id"]), f"{name}_SECRET": str(app["client_secret"])}
    return found


def make(environment: Mapping[str, str]) -> Secret:
    """Ada, Lantern and a fresh API key in the installation of `environment`. Raises DemoFailed with what its program said."""
    with made(environment) as fresh_key:
        return fresh_key()


@contextmanager
def made(environment: Mapping[str, str]) -> Iterator[Callable[[], Secret]]:
    """Ada and Lantern in the installation of `environment`; called, a fresh API key, with which the last one ends. Raises DemoFailed."""
    command = [sys.executable, "-m", "hitchpost.demo.making"]
    with subprocess.Popen(
        command, env=dict(environment), stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, process_group=0
    ) as making:

        def answer() -> str:
            assert making.stdout is not None
            if line := making.stdout.readline():
                return line.strip()
            raise DemoFailed(f"the world could not be made: {making.communicate()[1].strip()}")

        def fresh_key() -> Secret:
            assert making.stdin is not None
            making.stdin.write("a key\n")
            making.stdin.flush()
            return Secret(answer())

        answer()
        yield fresh_key


def written(environment: Mapping[str, str], path: Path) -> None:
    """The installation's settings as a file that a shell can read, so that other commands mean it and its simulated networks."""
    own = [f"{name}={shlex.quote(value)}" for name, value in environment.items() if name.startswith("HITCHPOST_")]
    beside = path.with_name(path.name + ".new")
    beside.touch(0o600)
    beside.write_text("\n".join(["# Of `hitchpost demo`, written at each start: set -a; . THIS FILE; set +a", *own, ""]))
    beside.replace(path)


def workspace_of(public_url: str, key: Secret) -> str:
    """The id of Ada's first workspace, asked from the API."""
    answer = httpx2.get(f"{public_url}/api/_public/v1/workspaces", headers={"X-API-Key": key.reveal()}, trust_env=False)
    workspace: str = answer.raise_for_status().json()[0]["id"]
    return workspace


def invitation(running: Running, settings: Path) -> str:
    """What the demo prints: where to go, how to sign in, a call to copy, and how other commands mean this installation."""
    program = os.path.relpath(Path(sys.executable).with_name("hitchpost"))
    workspace = workspace_of(running.public_url, running.key)
    return f"""
  Hitchpost   {running.public_url}          open this and sign in
  sign in as  {EMAIL}
  password    {PASSWORD}
  API key     {running.key.reveal()}
  sandbox     {running.sandbox.address}          the five simulated networks

  Ask for a connection URL (then open it in the browser where you are signed in):

  curl -X POST '{running.public_url}/api/_public/v1/social-profiles/connection-url?workspaceId={workspace}' \\
    -H 'X-API-Key: {running.key.reveal()}' -H 'Content-Type: application/json' -d '{{"provider": "instagram"}}'

  Commands for this installation, in another terminal (docs/operating.md):

  set -a; . {settings}; set +a; {program} workspaces list

  Ctrl-C stops both programs; the world stays in .hitchpost/demo (`make clean` removes it).
"""
