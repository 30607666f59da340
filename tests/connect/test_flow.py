"""What a connection keeps of a look comes back as it was: what the choose page says is what the network said."""

import json
from typing import cast

import pytest
from sqlalchemy import RowMapping

from hitchpost.connect.flow import candidate_of, found_json
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
