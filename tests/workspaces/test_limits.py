"""Windows: a budget a minute that comes back at the announced second."""

from datetime import timedelta

from hitchpost.workspaces.limits import Windows
from tests.support.clock import ManualClock


def test_the_budget_is_spent_call_by_call_and_comes_back_at_the_reset(clock: ManualClock) -> None:
    windows = Windows(clock, 3)
    assert [windows.take("Ada").left for _ in range(5)] == [2, 1, 0, -1, -1]
    reset = int(windows.take("Ada").reset)
    assert reset - clock.now().timestamp() == 60
    clock.forward(timedelta(seconds=59.5))
    window = windows.take("Ada")
    assert (window.left, windows.seconds_left(window)) == (-1, 1)
    clock.forward(timedelta(seconds=0.5))
    assert clock.now().timestamp() >= reset
    assert windows.take("Ada").left == 2


def test_everybody_has_a_budget_of_their_own(clock: ManualClock) -> None:
    windows = Windows(clock, 1)
    assert [windows.take(name).left for name in ("Ada", "Ben", "Ada", "Ben")] == [0, 0, -1, -1]


def test_C11_callers_without_end_cost_bounded_memory_and_the_newest_windows_stand(clock: ManualClock) -> None:
    windows = Windows(clock, 1, most=10)
    for number in range(100):
        windows.take(f"caller {number}")
        clock.forward(timedelta(milliseconds=1))
    assert windows.take("caller 99").left == -1
    assert windows.take("caller 0").left == 0
