"""Windows: how many calls somebody may still make in the present minute, counted in this process's memory."""

from collections import OrderedDict
from dataclasses import dataclass

from hitchpost.clock import Clock


@dataclass(slots=True)
class Window:
    """One caller's present window. `left` is below zero when the budget is spent; `reset`: its end in Unix seconds, as header bytes."""

    ends: float
    left: int
    reset: bytes


class Windows:
    """Fixed windows, each beginning with its caller's first call, so that the announced reset gives the whole budget back.

    Two full budgets can meet at a window's end: the limit protects the server, it is not a quota. Several processes count apart.
    Bounded: among too many callers the window that ends first is given up.
    """

    def __init__(self, clock: Clock, limit: int, *, seconds: float = 60.0, most: int = 50_000) -> None:
        self._clock, self._monotonic = clock, clock.monotonic
        self._limit, self._seconds, self._most = limit, seconds, most
        # In the order in which they end.
        self._windows: OrderedDict[str, Window] = OrderedDict()

    def take(self, caller: str) -> Window:
        """Count one call; refused when `left` is then below zero."""
        window = self._windows.get(caller)
        if window is None or window.ends <= self._monotonic():
            window = self._open(caller)
        if window.left >= 0:
            window.left -= 1
        return window

    def seconds_left(self, window: Window) -> int:
        """Whole seconds until the window ends, at least 1."""
        return max(1, _ceil(window.ends - self._monotonic()))

    def _open(self, caller: str) -> Window:
        reset = _ceil(self._clock.now().timestamp() + self._seconds)
        window = Window(self._monotonic() + self._seconds, self._limit, b"%d" % reset)
        self._windows[caller] = window
        self._windows.move_to_end(caller)
        if len(self._windows) > self._most:
            self._windows.popitem(last=False)
        return window


def _ceil(seconds: float) -> int:
    return -int(-seconds // 1)
