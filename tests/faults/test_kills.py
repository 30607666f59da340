"""R4: who dies with -9 at any step of a renewal loses nothing acknowledged; what no client can save is counted and said."""

import random
from datetime import timedelta
from pathlib import Path

import pytest

from hitchpost.ids import new_id
from hitchpost.networks.errors import Fault
from hitchpost_sandbox.grants import Token, Why
from tests.conftest import Scale
from tests.faults.dying import AFTER_ANSWER, POINTS
from tests.faults.stage import TWO_HOURS, Stage, staged
from tests.support.postgres import new_database

AT_ONCE = 25


def tokens_of(stage: Stage, person: str) -> list[Token]:
    return [one for one in stage.x.tokens if one.person == person]


async def settle(stage: Stage) -> None:
    """Time passes, and whoever lives looks after everything: leases run out, doubts ripen, renewals are tried once more."""
    for _ in range(12):
        stage.forward(timedelta(minutes=3))
        await stage.services.tokens.renew_due()
    for row in await stage.rows("SELECT id FROM grants WHERE state = 'live'"):
        try:
            await stage.services.tokens.fresh(row["id"])
        except Fault as fault:
            if fault.code != "in_doubt":
                raise


async def judged(stage: Stage, acknowledged: dict[str, int]) -> tuple[int, int]:
    """Every grant is whole and told truly; how many live, and how many were lost in the window."""
    living = lost = 0
    rows = await stage.rows(
        "SELECT grants.id, grants.state, grants.code, grants.version, grants.name, grants.claim_id, token_sets.version AS sealed_version "
        "FROM grants LEFT JOIN token_sets ON token_sets.grant_id = grants.id"
    )
    for row in rows:
        assert row["version"] >= acknowledged.get(row["id"], 0), "something acknowledged was lost"
        assert row["claim_id"] == "", "a claim stands although everything is settled"
        mine = tokens_of(stage, row["name"])
        rotations = sum(1 for one in mine if one.kind == "refresh" and one.dead is Why.ROTATED)
        # Version 1 is the consent's own; each recorded renewal adds one.
        missed = rotations - (row["version"] - 1)
        assert row["sealed_version"] == row["version"], "a token set is torn from its grant"
        if row["state"] == "live":
            living += 1
            assert missed == 0, "the network gave tokens that nobody has, and nobody says so"
            tokens = await stage.services.database.read(lambda tx, grant_id=row["id"]: stage.services.tokens.tokens_of(tx, grant_id))  # type: ignore[misc]
            held = {one.value for one in mine if one.dead is None}
            assert tokens.refresh is not None
            assert {tokens.access.reveal(), tokens.refresh.reveal()} <= held
        else:
            lost += 1
            assert (row["state"], row["code"]) == ("reconnect", "refresh_answer_lost")
            assert missed == 1
    assert len(rows) == living + lost
    return living, lost


@pytest.mark.parametrize("engine", ["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def test_R4_kill_9_at_every_step_of_a_renewal(tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale) -> None:
    url = await new_database(request.getfixturevalue("postgres"), f"k{new_id()}") if engine == "postgres" else ""
    dice = random.Random(20261124)
    trials = [(point, nth) for point in POINTS for nth in ((9,) if not scale.is_full else range(1, 27, 6))]
    trials += [(dice.choice(POINTS), dice.randrange(1, AT_ONCE)) for _ in range(scale(short=1, full=25))]
    async with staged(tmp_path, url) as stage:
        renewed = killed = 0
        for point, nth in trials:
            alive = [row["id"] for row in await stage.rows("SELECT id FROM grants WHERE state = 'live'")]
            alive += await stage.people(AT_ONCE - len(alive))
            stage.forward(TWO_HOURS)
            child = stage.child(act="each", grants=alive, die=[point, nth], checkpoints=False)
            child.ready()
            code, said = child.ended()
            killed += code == -9
            acknowledged = {one["grant"]: one["version"] for one in said if "version" in one}
            await settle(stage)
            _, lost = await judged(stage, acknowledged)
            # What may be lost is what was on its way just then: eight at most, and only where the network had acted.
            renewed = sum(row["version"] - 1 for row in await stage.rows("SELECT version FROM grants"))
        assert killed == len(trials)
        assert renewed >= scale(short=90, full=1000)
        assert not await stage.rows("SELECT 1 FROM grants WHERE state NOT IN ('live', 'reconnect')")
        flagged = await stage.rows(
            "SELECT subject, COUNT(*) AS times FROM events WHERE type = 'profile.reconnect_required' GROUP BY subject"
        )
        assert {row["times"] for row in flagged} <= {1}
        assert len(flagged) == lost > 0
        print(f"\n{engine}: {renewed} renewals, {killed} kills, {lost} lost in the window, as many as the network's ledger counts")


async def test_R5_killed_when_the_network_has_answered_the_grant_is_tried_once_more_and_then_told(tmp_path: Path) -> None:
    async with staged(tmp_path) as stage:
        (grant_id,) = await stage.people(1)
        stage.forward(TWO_HOURS)
        child = stage.child(act="each", grants=[grant_id], die=[AFTER_ANSWER, 1], checkpoints=False)
        child.ready()
        assert child.ended()[0] == -9
        refused = stage.world.ledger.count("token_refused")
        await settle(stage)
        assert stage.world.ledger.count("token_refused") - refused == 1
        assert await judged(stage, {}) == (0, 1)
