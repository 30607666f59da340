"""Pure rules: a verdict's row says how a profile stands, a token set is written whole, an absent refresh token wipes nothing, and a
revoke is tried for a day at most.
"""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from hitchpost.networks.base import TokenSet, Verdict
from hitchpost.secret import Secret
from hitchpost.tokens.freshness import REVOKE_TRIES, State, kept_refresh, next_revoke, read, standing_of, written
from hitchpost.verdicts import VERDICTS

NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)
WORDS = st.text(st.characters(codec="utf-8"), min_size=1, max_size=40)
MOMENTS = st.none() | st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))
TOKEN_SETS = st.builds(
    TokenSet,
    st.builds(Secret, WORDS),
    MOMENTS,
    st.none() | st.builds(Secret, WORDS),
    MOMENTS,
    st.none() | st.frozensets(WORDS),
    st.dictionaries(WORDS, WORDS, max_size=3),
)


@given(TOKEN_SETS)
def test_what_is_written_is_read_back_whole(tokens: TokenSet) -> None:
    assert read(written(tokens)) == tokens


@given(TOKEN_SETS, TOKEN_SETS)
def test_E7_a_consent_without_a_refresh_token_wipes_none_that_can_still_live(new: TokenSet, old: TokenSet) -> None:
    kept = kept_refresh(new, old, NOON)
    assert (kept.access, kept.access_expires_at, kept.scopes, kept.extras) == (new.access, new.access_expires_at, new.scopes, new.extras)
    alive = old.refresh is not None and (old.refresh_expires_at is None or old.refresh_expires_at > NOON)
    source = old if new.refresh is None and alive else new
    assert (kept.refresh, kept.refresh_expires_at) == (source.refresh, source.refresh_expires_at)


def test_E7_a_first_consent_has_nothing_to_keep() -> None:
    first = TokenSet(Secret("access"))
    assert kept_refresh(first, None, NOON) == first


def test_E8_a_revoke_is_tried_again_ever_later_and_ends_within_a_day() -> None:
    waits, now = [], NOON
    for tries in range(1, REVOKE_TRIES):
        again = next_revoke(now, tries, None)
        assert again is not None
        waits.append(again - now)
        now = again
    assert waits[0] == timedelta(minutes=10)
    assert all(later == 2 * earlier for earlier, later in pairwise(waits))
    assert now - NOON < timedelta(days=1)
    assert next_revoke(now, REVOKE_TRIES, None) is None


@pytest.mark.parametrize(("asked", "given"), [(timedelta(hours=3), timedelta(hours=3)), (timedelta(minutes=1), timedelta(minutes=10))])
def test_a_network_that_names_a_time_is_not_asked_earlier(asked: timedelta, given: timedelta) -> None:
    assert next_revoke(NOON, 1, NOON + asked) == NOON + given


def backing(verdict: str) -> RowMapping:
    row: dict[str, object] = {
        "backing": "live", "state": "live", "code": "", "verdict": verdict, "checked_at": NOON, "examined_at": NOON, "renews_itself": True,
        "access_expires_at": None, "refresh_expires_at": None, "trouble": "", "trouble_since": None,
    }  # fmt: skip
    return cast(RowMapping, row)


@pytest.mark.parametrize("code", VERDICTS)
def test_how_a_profile_stands_is_a_fact_of_its_verdicts_row(code: str) -> None:
    row, stands = VERDICTS[code], standing_of([backing(Verdict.of(code, missing=("one",)).written())], NOON)
    if row.usable:
        assert (stands.state, stands.code, stands.can) == (State.HEALTHY, "", ("read", "publish"))
    elif row.out_of_reach:
        assert (stands.state, stands.code, stands.can) == (State.RECONNECT_REQUIRED, code, ())
    else:
        assert (stands.state, stands.code, stands.can) == (State.MISSING_PERMISSIONS, code, ("read",))
        assert (stands.missing, stands.why, stands.how, stands.fix_by) == (("one",), row.says, row.way, row.fix_by)


@pytest.mark.parametrize("code", ["not_visible", "other_account", "personal_account", "no_linked_account", "role_revoked"])
def test_what_the_access_does_not_cover_any_more_is_not_said_to_be_readable(code: str) -> None:
    assert standing_of([backing(Verdict.of(code).written())], NOON).can == ()


@pytest.mark.parametrize("code", ["permission_missing", "account_blocked", "missing_task", "role_missing", "unlisted"])
def test_what_only_impairs_does_not_demand_a_reconnect(code: str) -> None:
    assert standing_of([backing(Verdict.of(code).written())], NOON).state == State.MISSING_PERMISSIONS


def test_a_verdict_stored_by_an_older_version_is_understood() -> None:
    stands = standing_of([backing('{"usable": false, "code": "missing_role", "why": "W", "fix_by": "person", "how": "H"}')], NOON)
    assert (stands.state, stands.code, stands.why, stands.missing) == (State.MISSING_PERMISSIONS, "role_missing", "W", ())
