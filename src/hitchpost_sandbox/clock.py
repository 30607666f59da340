"""The sandbox's one time: the machine's clock, or a moment that tests move by hand."""

from datetime import UTC, datetime, timedelta


class SandboxClock:
    """Runs with the machine, shifted by `forward`; with `at` it stands still at that moment until it is moved."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._shift = timedelta()

    def now(self) -> datetime:
        """The time at the networks, aware and in UTC."""
        return (self._at or datetime.now(UTC)) + self._shift

    def forward(self, by: timedelta) -> None:
        """Age everything by `by`; a negative span is refused, since networks never grow younger."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        self._shift += by
