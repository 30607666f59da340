"""What the server says on its console when it starts."""

import asyncio
from pathlib import Path

import pytest
from starlette.types import Message

from tests.support.clock import ManualClock
from tests.support.house import House, opened


async def started_and_stopped(house: House) -> None:
    events: asyncio.Queue[Message] = asyncio.Queue()
    events.put_nowait({"type": "lifespan.startup"})
    events.put_nowait({"type": "lifespan.shutdown"})
    answered: list[str] = []

    async def send(message: Message) -> None:
        answered.append(message["type"])

    await house.app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, events.get, send)
    assert answered == ["lifespan.startup.complete", "lifespan.shutdown.complete"]


async def test_the_first_start_says_where_it_made_the_key_ring_and_a_later_one_is_silent_about_it(
    tmp_path: Path, clock: ManualClock, capsys: pytest.CaptureFixture[str]
) -> None:
    async with opened(tmp_path, clock) as house:
        await started_and_stopped(house)
    said = capsys.readouterr().out
    ring = tmp_path / "keys" / "ring"
    assert f"The key ring was made at {ring}" in said
    assert ring.read_text().partition(":")[2].strip() not in said
    async with opened(
        tmp_path, clock, extra={"HITCHPOST_KEY_RING_FILE": str(ring)}, database_url=f"sqlite:///{tmp_path / 'other.db'}"
    ) as house:
        await started_and_stopped(house)
    assert "key ring" not in capsys.readouterr().out
