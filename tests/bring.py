"""Brings what the tests need besides Python: Chromium and PostgreSQL's server. Says aloud what it installs, or what is missing."""

import os
import shutil
import subprocess
import sys
from pathlib import Path


def chromium() -> str | None:
    """The browser on PATH, whatever Debian or others call it."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


def postgres() -> str | None:
    """The newest `initdb`, on PATH or where Debian keeps it."""
    return shutil.which("initdb") or next(map(str, sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), reverse=True)), None)


def main() -> int:
    """0 when both are there, or could be installed; 1 after one sentence that says what to install."""
    missing = [package for package, finder in (("chromium", chromium), ("postgresql", postgres)) if finder() is None]
    if not missing:
        return 0
    if os.geteuid() == 0 and shutil.which("apt-get"):
        print(f"tests need {' and '.join(missing)}: installing from Debian's packages …", flush=True)
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        subprocess.run(["apt-get", "update", "-qq"], check=False, env=environment)
        done = subprocess.run(["apt-get", "install", "-y", "-qq", "--no-install-recommends", *missing], check=False, env=environment)
        if done.returncode == 0 and chromium() and postgres():
            return 0
    print(f"make test needs {' and '.join(missing)}: install them first (Debian: apt-get install {' '.join(missing)})", file=sys.stderr)
    return 1


if __name__ == "__main__":
    sys.exit(main())
