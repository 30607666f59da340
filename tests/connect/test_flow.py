"""What a connection keeps of a look comes back as it was: what the choose page says is what the network said."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from sqlalchemy import RowMapping

from hitchpost.connect.flow import Offer, Scene, Shows, Trip, candidate_of, found_json
from hitchpost.connect.states import Status
from hitchpost.errors import FixBy
from hitchpost.networks.base import Candidate, Kind, Subject, Verdict

VERDICTS = [
    pytest.param(Verdict(why="Pins can go to 3 boards."), id="a remark"),
    pytest.param(
        Verdict.of("permission_missing", "Not granted.", "Again.", fix_by=FixBy.OPERATOR, missing=("one", "two")), id="permissions"
    ),
]


@pytest.mark.parametrize("verdict", VERDICTS)
def test_a_stored_candidate_is_read_back_whole(verdict: Verdict) -> None:
    one = Candidate(Kind.PERSON, "17", "Ada", "ada", parent_id="4", id_scope="app", verdict=verdict)
    row: dict[str, object] = {
        "kind": "person", "external_id": "17", "name": "Ada", "handle": "ada", "parent_id": "4", "id_scope": "app",
        "verdict": verdict.written(),
    }  # fmt: skip
    assert candidate_of(cast(RowMapping, row)) == one


@pytest.mark.parametrize("verdict", VERDICTS)
def test_why_a_look_found_nothing_is_read_back_whole(verdict: Verdict) -> None:
    stored = json.loads(found_json(Subject("17", "Ada"), empty=verdict))
    assert Verdict.read(stored["empty"]) == verdict


NOW = datetime(2026, 11, 24, 9, tzinfo=UTC)
SOON, GONE = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
TRIP = Trip(
    id="r", connection_id="c", number=1, workspace_id="w", person_id="p", session_id="s", app_id="a", provider="x", login="x",
    redirect_uri="", status=Status.CHOOSING, code="", facts={}, expected="", grant_id="g", consent_seq=1, claim_id="", due_at=None,
    expires_at=SOON, account=None, account_picture="", remarks=(), empty=None, lost=(), attached=(),
)  # fmt: skip
CLAIMED, LAPSED = {"claim_id": "k", "due_at": SOON}, {"claim_id": "k", "due_at": GONE}
SHOWN: list[tuple[dict[str, object], bool, Shows]] = [
    ({}, True, "choose"),
    ({}, False, "nothing"),
    ({"status": Status.DEPARTED}, False, "progress"),
    ({"status": Status.EXCHANGING, **CLAIMED}, False, "progress"),
    ({"status": Status.LOOKING}, False, "progress"),
    # An old fault of a look is not told while somebody looks again.
    ({"status": Status.LOOKING, "code": "network_down"}, False, "stopped"),
    ({"status": Status.LOOKING, "code": "network_down", **CLAIMED}, False, "progress"),
    ({"status": Status.LOOKING, "code": "network_down", **LAPSED}, False, "stopped"),
    # A choice that is being attached is waited for, also past its time.
    (CLAIMED, True, "progress"),
    ({"expires_at": GONE, **CLAIMED}, True, "progress"),
    ({"expires_at": GONE, **LAPSED}, True, "expired"),
    ({"expires_at": GONE}, True, "expired"),
    ({"expires_at": NOW}, True, "expired"),
    ({"expires_at": GONE, "status": Status.LOOKING, "code": "network_down"}, False, "expired"),
    ({"status": Status.CANCELLED, "code": "cancelled", "expires_at": GONE}, False, "stopped"),
    ({"status": Status.FAILED, "code": "cancelled", "expires_at": GONE}, False, "stopped"),
    ({"status": Status.EXPIRED, "code": "cancelled", "expires_at": GONE}, False, "stopped"),
    ({"status": Status.SUPERSEDED, "code": "cancelled", "expires_at": GONE}, False, "stopped"),
    # What was attached stays so, whatever the clock says.
    ({"status": Status.ATTACHED, "expires_at": GONE}, False, "done"),
]  # fmt: skip


@pytest.mark.parametrize(("trip", "offers", "shows"), SHOWN)
def test_each_moment_of_a_connection_has_one_page(trip: dict[str, object], offers: bool, shows: Shows) -> None:
    found = (Offer("page:1", Candidate(Kind.PAGE, "1", "Bakery"), "", connected=False),) if offers else ()
    assert Scene(replace(TRIP, **trip), "Lantern", "Ada", offers=found).page(NOW) == shows  # type: ignore[arg-type]
