"""Judges that nobody here wrote: independent client libraries go their own way at the sandbox, with nothing changed but the address.

Their versions are those of requirements-dev.txt. Each runs against a real server on loopback.
"""

from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
import requests

from hitchpost_sandbox.app import build
from hitchpost_sandbox.server import in_thread
from hitchpost_sandbox.world import World

BACK = "http://127.0.0.1:8420/back"


class Outside:
    """The sandbox as a judge's test needs it. `url`: its address."""

    def __init__(self, url: str, world: World) -> None:
        self.url, self.world = url, world

    def at(self, real: str) -> str:
        """Where a real address is reached."""
        return real if real.startswith(self.url) else real.replace("https://", f"{self.url}/", 1)

    def allow(self, consent_page: str, person: str = "ada", **form: list[str]) -> dict[str, str]:
        """The person allows on the consent page; what comes back in the redirect's query."""
        return self._decide(consent_page, {"person": [person], "decision": ["allow"], **form})

    def deny(self, consent_page: str, person: str = "ada") -> dict[str, str]:
        return self._decide(consent_page, {"person": [person], "decision": ["deny"]})

    def _decide(self, consent_page: str, form: dict[str, list[str]]) -> dict[str, str]:
        answer = requests.post(self.at(consent_page), data=form, allow_redirects=False, timeout=10)
        assert answer.status_code == 302, answer.text[:500]
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


@pytest.fixture
def outside() -> Iterator[Outside]:
    world = World()
    with in_thread(build(world)) as url:
        yield Outside(url, world)
