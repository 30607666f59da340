"""The sandbox's one time: the machine's clock, or a moment that tests move by hand."""

from datetime import UTC, datetime, timedelta

_END = datetime(2200, 1, 1, tzinfo=UTC)
"""Beyond it the machine's own calendar would end before long."""


class SandboxClock:
    """Runs with the machine, shifted by `forward`; with `at`, or after `stand`, it stands still until it is moved."""

    def __init__(self, at: datetime | None = None) -> None:
        self._at = at
        self._shift = timedelta()

    def __deepcopy__(self, _memo: object) -> "SandboxClock":
        """Copies of a world's parts share its one clock."""
        return self

    def kept(self) -> tuple[datetime | None, timedelta]:
        """How it goes, for `back`."""
        return self._at, self._shift

    def back(self, kept: tuple[datetime | None, timedelta]) -> None:
        """Go again as it went when that was kept: a snapshot's time comes back with it."""
        self._at, self._shift = kept

    def now(self) -> datetime:
        """The time at the networks, aware and in UTC."""
        return (self._at or datetime.now(UTC)) + self._shift

    def forward(self, by: timedelta) -> None:
        """Age everything by `by`; a negative span is refused, since networks never grow younger."""
        if by < timedelta():
            raise ValueError("the clock only moves forward")
        if by > _END - self.now():
            raise ValueError(f"the clock ends with the year {_END.year - 1}")
        self._shift += by

    @property
    def stands(self) -> bool:
        """Whether only `forward` moves it."""
        return self._at is not None

    def stand(self) -> None:
        """Stop at this moment; from now on only `forward` moves it."""
        self._at = self._at or datetime.now(UTC)

    def run(self) -> None:
        """Go on with the machine from the moment it stands at."""
        if self._at is not None:
            self._shift, self._at = self.now() - datetime.now(UTC), None
