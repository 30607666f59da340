"""Work: one kind of thing that falls due. The rows say which batches there are, and each batch claims its own rows."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

Due = Callable[[], Awaitable[Sequence[str]]]
WHOLE = ("",)
"""The one batch of work that is not divided."""


@dataclass(frozen=True, slots=True)
class Work:
    """`due()`: the batches that the rows call for now; it only reads, as every process asks every `seconds`.

    `act(batch)`: do one of them. It may be done twice or never: what it does is claimed by rows, and what is lost is due again.
    """

    name: str
    seconds: float
    due: Due
    act: Callable[[str], Awaitable[object]]


async def always() -> Sequence[str]:
    """For work whose rows are asked by the work itself."""
    return WHOLE


def when(question: Callable[[], Awaitable[bool]]) -> Due:
    """Undivided work, due when the answer is yes."""

    async def due() -> Sequence[str]:
        return WHOLE if await question() else ()

    return due
