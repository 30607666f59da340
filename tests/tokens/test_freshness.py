"""Pure rules: a verdict's row says how a profile stands, a token set is written whole, an absent refresh token wipes nothing, and a
revoke is tried while anything of the access can live.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import RowMapping

from hitchpost.networks.base import TokenSet, Verdict
from hitchpost.secret import Secret
from hitchpost.tokens.freshness import (
    FORMER_KEPT,
    LIVES,
    State,
    kept_refresh,
    may_live_until,
    next_revoke,
    read,
    standing_of,
    with_former,
    written,
)
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


def test_E8_R6_a_revoke_is_tried_again_ever_later_and_every_six_hours_while_the_access_can_live() -> None:
    waits, now, until = list[timedelta](), NOON, NOON + timedelta(days=100)
    while (again := next_revoke(now, len(waits) + 1, until, None)) is not None:
        waits.append(again - now)
        now = again
    doubling = [timedelta(minutes=10) * 2**step for step in range(6)]
    assert waits[:6] == doubling
    assert set(waits[6:]) == {timedelta(hours=6)}
    assert timedelta() <= now - until < timedelta(hours=6)


@pytest.mark.parametrize(("asked", "given"), [(timedelta(hours=3), timedelta(hours=3)), (timedelta(minutes=1), timedelta(minutes=10))])
def test_a_network_that_names_a_time_is_not_asked_earlier(asked: timedelta, given: timedelta) -> None:
    assert next_revoke(NOON, 1, NOON + LIVES, NOON + asked) == NOON + given


@given(TOKEN_SETS, st.lists(TOKEN_SETS, max_size=3))
def test_E8_an_access_may_live_as_long_as_any_of_its_tokens(tokens: TokenSet, former: list[TokenSet]) -> None:
    until = may_live_until(replace(tokens, former=tuple(former)), NOON)
    named = [end for one in (tokens, *former) for end in (one.access_expires_at, one.refresh_expires_at) if end is not None]
    # The least that is known of none: a token without an end, and a Page's that outlives the person's.
    assert until == max([NOON + LIVES, *named])
    assert timedelta(days=183) <= until - NOON


def a_set(name: str, access: timedelta | None = None, refresh: timedelta | None = None, *, refreshes: bool = False) -> TokenSet:
    ends = [None if one is None else NOON + one for one in (access, refresh)]
    return TokenSet(Secret(name), ends[0], Secret(f"{name} again") if refreshes else None, ends[1])


def test_E8_all_former_tokens_that_can_live_are_remembered_and_what_ends_first_is_let_go_when_they_are_too_many() -> None:
    """One person connects an account for forty workspaces, one after the other; then X renews it, again and again."""
    tokens = a_set("0", refreshes=True)
    for number in range(1, 41):
        tokens = with_former(a_set(f"{number}", timedelta(hours=2), refreshes=True), tokens, NOON)
    assert {one.access.reveal() for one in tokens.former} == {f"{number}" for number in range(40)}
    for number in range(41, 141):
        new = replace(a_set(f"{number}", timedelta(hours=2)), refresh=Secret(f"{number} again"))
        tokens = with_former(new, tokens, NOON, spent=True)
    assert len(tokens.former) == FORMER_KEPT
    lasting = {one.access.reveal() for one in tokens.former if one.refresh is not None}
    assert lasting == {f"{number}" for number in range(40)}
    later = with_former(a_set("last"), tokens, NOON + timedelta(hours=3))
    assert {one.access.reveal() for one in later.former} == {*lasting, "140"}


def test_E8_a_set_that_comes_again_wipes_nothing_that_either_remembers() -> None:
    before, beside = a_set("before", refreshes=True), a_set("beside", refreshes=True)
    held, late = replace(a_set("held", refreshes=True), former=(before,)), replace(a_set("held", refreshes=True), former=(beside, before))
    assert set(named(with_former(held, late, NOON))) == {"before", "beside"}
    assert set(named(with_former(late, held, NOON))) == {"before", "beside"}
    assert len(with_former(held, late, NOON).former) == 2


def test_E8_another_refresh_token_beside_the_same_access_token_forgets_the_first_one_only_when_it_was_spent() -> None:
    first, second = a_set("one", refreshes=True), replace(a_set("one"), refresh=Secret("other"))
    assert with_former(second, first, NOON).former == (first,)
    assert with_former(second, first, NOON, spent=True).former == ()
    assert with_former(second, replace(first, refresh=None), NOON).former == ()


def named(tokens: TokenSet) -> list[str]:
    return [one.access.reveal() for one in tokens.former]


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
