"""R1: whoever asks, and however many, one expired grant costs one call to its network."""

import itertools
from pathlib import Path

import pytest

from hitchpost.ids import new_id
from tests.conftest import Scale
from tests.faults.stage import TWO_HOURS, Stage, staged
from tests.support.postgres import new_database


def calls(stage: Stage) -> int:
    """How often a refresh token was used up, by the sandbox's own ledger."""
    return stage.world.ledger.count("token_rotated")


async def asked_at_once(stage: Stage, grant_id: str, processes: int, callers: int) -> None:
    """All of them stand before the call, then go together; exactly one call is made and everybody has the same tokens."""
    stage.forward(TWO_HOURS)
    before = calls(stage)
    children = [stage.child(act="fresh", grant=grant_id, callers=callers, waits=True) for _ in range(processes)]
    for child in children:
        child.ready()
    for child in children:
        child.go()
    said = [line for child in children for line in child.ended()[1]]
    assert {tuple(line["faults"]) for line in said} == {()}
    got = {tuple(one) for line in said for one in line["got"]}
    assert len(got) == 1
    assert calls(stage) - before == 1
    assert stage.world.ledger.count("token_refused") == 0


@pytest.mark.postgres
async def test_R1_eight_processes_with_125_callers_each_make_one_call(tmp_path: Path, postgres: str, scale: Scale) -> None:
    async with staged(tmp_path, await new_database(postgres, f"r{new_id()}")) as stage:
        (grant_id,) = await stage.people(1)
        for _ in range(scale(short=1, full=20)):
            await asked_at_once(stage, grant_id, scale(short=4, full=8), 125)


async def test_R1_a_thousand_callers_in_one_process_make_one_call(tmp_path: Path, scale: Scale) -> None:
    async with staged(tmp_path) as stage:
        (grant_id,) = await stage.people(1)
        for _ in itertools.repeat(None, scale(short=1, full=20)):
            await asked_at_once(stage, grant_id, 1, 1000)
