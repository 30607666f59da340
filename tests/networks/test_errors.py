"""Faults: every kind has its explanation for people, the unknown fails closed, and networks' waiting times are read with care."""

from datetime import UTC, datetime, timedelta

import pytest

from hitchpost.errors import CATALOGUE
from hitchpost.networks.errors import Expected, Fault, FaultKind, judge, moment

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
NOTHING_EXPECTED: tuple[Expected, ...] = ()


@pytest.mark.parametrize("kind", FaultKind)
def test_every_kind_of_fault_is_explained_to_people(kind: FaultKind) -> None:
    assert Fault(kind, "some_code").problem in CATALOGUE


@pytest.mark.parametrize("kind", FaultKind)
def test_what_may_be_tried_again_is_what_the_catalogue_calls_retryable(kind: FaultKind) -> None:
    fault = Fault(kind, "some_code")
    if fault.retryable:
        assert CATALOGUE[fault.problem].retryable


@pytest.mark.parametrize("status", [*range(100, 600, 7), 401, 403, 404, 429, 500, 503])
def test_R6_an_answer_nobody_expected_is_never_taken_for_revoked(status: int) -> None:
    fault = judge(NOTHING_EXPECTED, status, "strange")
    assert fault.kind in (FaultKind.THROTTLED, FaultKind.TRANSIENT, FaultKind.UNINTELLIGIBLE)
    assert fault.retryable


def test_the_first_row_that_fits_decides() -> None:
    rows = (
        Expected(("9",), FaultKind.BLOCKED, "first", "docs", status="403"),
        Expected((), FaultKind.PERMISSION, "second", "docs", status="403"),
    )
    assert judge(rows, 403, "9").kind is FaultKind.BLOCKED
    assert judge(rows, 403, "8").detail == "second"


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        ("60", timedelta(seconds=60)),
        (" 60;w=1", timedelta(seconds=60)),
        ("100, 100;w=60", timedelta(seconds=100)),
        ("0", timedelta()),
        (str(int(NOW.timestamp()) + 90), timedelta(seconds=90)),
        (str(int(NOW.timestamp()) - 90), timedelta()),
    ],
)
def test_a_wait_is_read_as_seconds_or_as_unix_time(header: str, wait: timedelta) -> None:
    assert moment(header, NOW) == NOW + wait


@pytest.mark.parametrize("header", ["", "soon", "-5", "²", "99999999999999999999", "9999999999", str(32 * 24 * 3600), "60seconds"])
def test_a_wait_that_makes_no_sense_is_no_wait(header: str) -> None:
    assert moment(header, NOW) is None
