"""What nearly every test of the sandbox begins with: a fresh world whose clock stands still, and somebody who calls it."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from hitchpost_sandbox.app import build
from hitchpost_sandbox.world import World
from tests.support.trip import fresh_world


@pytest.fixture
def world() -> World:
    """At NOON of tests.support.trip. A file that wants a world of its own has a fixture of this name; `caller` calls that one."""
    return fresh_world()


@pytest.fixture
async def caller(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    """An HTTP client that reaches `world` without a socket."""
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(build(world)), base_url="http://localhost:8421") as client:
        yield client


@pytest.fixture
def browser(caller: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The same client, where what is told is a person's way."""
    return caller
