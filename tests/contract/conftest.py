"""A real server for fuzzers and generated clients, without the rate limit in their way."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.programs import Served, serving


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder: Path = tmp_path_factory.mktemp("served")
    with serving(folder, {"HITCHPOST_RATE_LIMIT": "1000000"}) as running:
        yield running
