"""A porch for each test: a small app behind the Shell."""

from collections.abc import AsyncIterator

import httpx2
import pytest

from tests.support.porch import Porch, porch_for


@pytest.fixture
def porch() -> Porch:
    return porch_for()


@pytest.fixture
async def client(porch: Porch) -> AsyncIterator[httpx2.AsyncClient]:
    """A browser or program that behaves."""
    async with porch.client() as client:
        yield client
