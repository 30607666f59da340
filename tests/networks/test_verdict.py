"""A verdict has a code that is in the table, comes back from its row whole, and is read whichever version stored it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitchpost.errors import FixBy
from hitchpost.networks.verdict import Verdict
from hitchpost.verdicts import NOW_CALLED, VERDICTS

WORDS = st.text(st.characters(codec="utf-8"), max_size=40)
VERDICT = st.builds(
    lambda code, why, fix_by, how, missing: Verdict(VERDICTS[code].usable, code, why, fix_by, how, missing),
    st.sampled_from(sorted(VERDICTS)), WORDS, st.sampled_from(FixBy), WORDS, st.lists(WORDS, max_size=3).map(tuple),
)  # fmt: skip
OF_OLD = {"usable": False, "code": "missing_role", "why": "Your role is ANALYST.", "fix_by": "person", "how": "Ask."}
"""As a version before wrote it: by a code of then, and without `missing`."""


@given(VERDICT)
def test_what_is_written_is_read_back_whole(verdict: Verdict) -> None:
    assert Verdict.read(json.loads(verdict.written())) == verdict


@pytest.mark.parametrize("code", ["", "missing_role", "no_such_thing"])
def test_a_code_that_is_in_no_row_is_refused(code: str) -> None:
    with pytest.raises(ValueError, match="no code of a verdict"):
        Verdict.of(code)
    with pytest.raises(ValueError, match="no code of a verdict"):
        Verdict(False, code)


@pytest.mark.parametrize("code", VERDICTS)
def test_a_verdict_does_not_contradict_its_row(code: str) -> None:
    with pytest.raises(ValueError, match="does not go with"):
        Verdict(not VERDICTS[code].usable, code)


@pytest.mark.parametrize("code", VERDICTS)
def test_the_row_speaks_where_the_adapter_knows_no_more(code: str) -> None:
    row, plain, told = VERDICTS[code], Verdict.of(code), Verdict.of(code, "Why.", "How.", fix_by=FixBy.NOBODY, missing=("one",))
    assert (plain.usable, plain.why, plain.how, plain.fix_by) == (row.usable, row.says, row.way, row.fix_by)
    assert (told.why, told.how, told.fix_by, told.missing) == ("Why.", "How.", FixBy.NOBODY, ("one",))


def test_a_row_of_old_is_read_under_the_name_of_now() -> None:
    assert Verdict.read(OF_OLD) == Verdict.of("role_missing", "Your role is ANALYST.", "Ask.")


def test_no_code_of_old_is_one_of_now() -> None:
    assert not NOW_CALLED.keys() & VERDICTS.keys()


@pytest.mark.parametrize(
    ("usable", "code", "becomes"), [(False, "of_tomorrow", "unlisted"), (True, "of_tomorrow", "ok"), (False, "ok", "unlisted")]
)
def test_an_unknown_code_is_read_and_ends_nothing(usable: bool, code: str, becomes: str) -> None:
    read = Verdict.read(OF_OLD | {"usable": usable, "code": code})
    assert (read.usable, read.code, read.why, read.grounds.out_of_reach) == (usable, becomes, OF_OLD["why"], False)
