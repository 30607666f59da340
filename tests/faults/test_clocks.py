"""R15: our clock is wrong, or steps: renewals keep their pace, nothing ends, and a dead token is mended by one more call."""

from datetime import timedelta
from pathlib import Path

import pytest

from tests.conftest import Scale
from tests.faults.stage import Stage, staged

STEP = timedelta(minutes=5)
SKEWS = {"ten minutes ahead": timedelta(minutes=10), "ten minutes behind": timedelta(minutes=-10), "back an hour": timedelta(hours=-1)}


async def hours(stage: Stage, grants: list[str], count: int) -> tuple[int, int]:
    """So many hours go by, and somebody asks for every token at each step; renewals by the network's ledger, and dead tokens given out."""
    before, dead = stage.world.ledger.count("token_rotated"), 0
    for _ in range(int(timedelta(hours=count) / STEP)):
        stage.forward(STEP)
        await stage.services.tokens.renew_due()
        for grant_id in grants:
            given = await stage.services.tokens.fresh(grant_id)
            if given.tokens.access.reveal() in {one.value for one in stage.x.living()}:
                continue
            dead += 1
            # Who meets the network's no says so, and has a living one at once.
            again = await stage.services.tokens.fresh(grant_id, refused=given.version)
            assert again.tokens.access.reveal() in {one.value for one in stage.x.living()}
    return stage.world.ledger.count("token_rotated") - before, dead


@pytest.mark.parametrize("name", SKEWS)
async def test_R15_a_wrong_clock_renews_at_the_usual_pace_and_ends_nothing(tmp_path: Path, scale: Scale, name: str) -> None:
    count = scale(short=6, full=72)
    async with staged(tmp_path) as stage:
        grants = await stage.people(scale(short=6, full=20))
        normal, dead = await hours(stage, grants, count)
        assert dead == 0
        stage.clock.ahead += SKEWS[name]
        wrong, dead = await hours(stage, grants, count)
        # One more for each grant at most is where the hours were cut.
        assert wrong <= 1.1 * normal + len(grants)
        assert stage.world.ledger.count("token_refused") == 0
        assert await stage.rows("SELECT 1 FROM grants WHERE state <> 'live' OR claim_id <> ''") == []
        if name == "back an hour":
            # Nothing in a row tells an hour that comes twice from one that comes once: each token may be dead once, until somebody says so.
            assert dead <= len(grants)
        else:
            assert dead == 0
        print(f"\n{name}: {wrong} renewals in {count} h, {normal} before; {dead} dead tokens given out, each mended by the next call")
