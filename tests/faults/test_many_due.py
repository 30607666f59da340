"""Ten thousand grants are due at once: two workers on PostgreSQL share them, renew each exactly once, and grow no fatter."""

import asyncio
import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest

from hitchpost.ids import new_id
from hitchpost.jobs.queue import PREFIX
from tests.conftest import Scale
from tests.faults.stage import ROOT, TWO_HOURS, Stage, staged
from tests.support.postgres import new_database

MEGABYTE = 1024


def memory(process: "subprocess.Popen[bytes]") -> float:
    """What a process holds in memory now, in megabytes."""
    found = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{process.pid}/status").read_text())
    assert found
    return int(found[1]) / MEGABYTE


async def watched(stage: Stage, workers: "list[subprocess.Popen[bytes]]", grants: int) -> tuple[set[str], list[float]]:
    """Until all are renewed: who had batches in hand, and the workers' memory together, after each tenth of the way."""
    hands, fat = set[str](), list[float]()
    while (done := stage.world.ledger.count("token_rotated")) < grants:
        assert all(one.poll() is None for one in workers)
        taken = await stage.rows(
            f"SELECT queue_manager_id::text AS id FROM {PREFIX}waiting WHERE status = 'picked' AND entrypoint = 'renewals'"
        )
        hands |= {row["id"] for row in taken}
        if done >= (len(fat) + 1) * grants / 10:
            fat.append(sum(map(memory, workers)))
        await asyncio.sleep(0.02)
    return hands, fat


@pytest.mark.postgres
async def test_two_workers_share_what_is_due_and_renew_each_once(
    tmp_path: Path, postgres: str, scale: Scale, request: pytest.FixtureRequest
) -> None:
    grants = scale(short=300, full=request.config.getoption("--due"))
    async with staged(tmp_path, await new_database(postgres, f"d{new_id()}")) as stage:
        # They connected two hours ago, as far as we know: the workers' clock is the machine's.
        stage.clock.ahead = -TWO_HOURS
        await stage.people(grants)
        stage.clock.ahead = timedelta()
        begun = time.perf_counter()
        environment = {**os.environ, **stage.environment}
        workers = [subprocess.Popen([sys.executable, "-m", "hitchpost.worker"], cwd=ROOT, env=environment) for _ in range(2)]
        try:
            hands, fat = await watched(stage, workers, grants)
            took = time.perf_counter() - begun
            for one in workers:
                one.send_signal(signal.SIGTERM)
            assert [await asyncio.to_thread(one.wait, 30) for one in workers] == [0, 0]
        finally:
            for one in workers:
                one.kill()
                one.wait()
        assert await stage.rows("SELECT 1 FROM grants WHERE claim_id <> '' OR state <> 'live' OR version <> 2") == []
        assert stage.world.ledger.count("token_refused") == 0
        used = Counter(one.person for one in stage.x.tokens if one.kind == "refresh")
        assert set(used.values()) == {2}
        assert len(used) == grants
        if scale.is_full:
            assert len(hands) == 2
            assert fat[-1] <= fat[1] * 1.2 + 10
        print(
            f"\n{grants} grants due at once, two workers: {took:.1f} s with their start, {grants / took:.0f} grants a second, "
            f"memory of both {fat[1]:.0f} MB after a fifth, {fat[-1]:.0f} MB at the end, {len(hands)} shared them"
        )
