"""R16: what falls due on its date does not wait for what an outage has dammed up; and a renewal's log says what was stored."""

from collections.abc import Mapping
from datetime import datetime, timedelta

import pytest
from structlog.testing import capture_logs

from tests.tokens.beacon.network import consent
from tests.tokens.beacon.room import Room, until

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
BACKLOG, ON_TIME = 60, 5
SHORT = timedelta(minutes=4)
"""A life of tokens by which so few grants are due so often that both gates fill alike, and the backlog could take every permit."""


def micros(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000)


async def test_R16_what_is_due_on_its_date_goes_before_the_backlog_which_gets_what_is_left(room: Room) -> None:
    now = room.clock.now()
    for number in range(BACKLOG + ON_TIME):
        on_time = number >= BACKLOG
        given = consent(f"person-{number}", refresh="on time" if on_time else "late")
        grant_id = await room.consented(until(given, now + SHORT, now + timedelta(days=182)))
        fell = now - (MINUTE if on_time else HOUR)
        await room.run(f"UPDATE grants SET due_at = {micros(fell)} WHERE id = '{grant_id}'")
    await room.keeper.renew_due()
    assert room.beacon.refreshed[:ON_TIME] == ["on time"] * ON_TIME
    assert set(room.beacon.refreshed[ON_TIME:]) == {"late"}
    room.clock.forward(timedelta(seconds=20))
    await room.keeper.renew_due()
    assert len(room.beacon.refreshed) > ON_TIME + 5


@pytest.mark.parametrize(
    ("lost", "said"),
    [(False, "do not open and are replaced"), (True, "do not open, and what came late for it is not kept")],
    ids=["the claim is ours", "the claim was lost"],
)
async def test_E1_the_log_says_what_became_of_tokens_that_did_not_open_when_the_answer_came(room: Room, lost: bool, said: str) -> None:
    await room.renewing()
    room.clock.forward(100 * MINUTE)

    async def meanwhile() -> None:
        await room.run("UPDATE token_sets SET sealed = 'v1.one.AAAA'")
        if lost:
            await room.run("UPDATE grants SET claim_id = 'another'")

    room.beacon.meanwhile = meanwhile
    with capture_logs() as logs:
        await room.keeper.renew_due()
    assert [event for event in map(_event, logs) if "open" in event] == [f"the tokens of a grant {said}"]
    sealed = [str(row["sealed"]) for row in await room.rows("SELECT sealed FROM token_sets")]
    assert (sealed == ["v1.one.AAAA"]) is lost


def _event(entry: Mapping[str, object]) -> str:
    return str(entry["event"])
