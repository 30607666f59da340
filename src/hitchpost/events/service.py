"""Records what happened, and gives each event its number once it is committed.

An event is written by `record` inside the transaction of the change. Its `seq` is given later by one sealer: a number taken
inside the writing transaction would commit out of order, and a reader who remembers the last `seq` would skip events.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from hitchpost.db.engine import Database, Tx
from hitchpost.events import repository
from hitchpost.ids import new_id

INSTALLATION = "-"
_BATCH = 500

Fact = str | int | bool | list[str]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened. `seq` rises by one for each event of the installation; a workspace sees gaps."""

    seq: int
    id: str
    workspace_id: str
    type: str
    subject: str
    actor: str
    at: datetime
    facts: Mapping[str, Fact]


def record(
    tx: Tx, *, workspace_id: str, type: str, subject: str, actor: str, facts: Mapping[str, Fact], now: datetime  # noqa: A002
) -> str:  # fmt: skip
    """Append an event in the transaction that makes it happen; its id.

    `workspace_id`: '-' for the installation. `type`: `<thing>.<what happened>`. `subject`: the id it happened to. `actor`: the
    person's id, '-' for whoever runs the installation. Raises TypeError for a fact that is not text, number, truth value or list of
    text, so a Secret cannot slip in.
    """
    for name, value in facts.items():
        plain = isinstance(value, str | int) or (isinstance(value, list) and all(isinstance(one, str) for one in value))
        if not plain:
            raise TypeError(f"the fact {name} of {type} is a {value.__class__.__name__}, which is not recorded")
    event_id = new_id()
    row = {"id": event_id, "workspace_id": workspace_id, "type": type, "subject": subject, "actor": actor, "at": now}
    repository.add(tx, {**row, "facts": json.dumps(dict(facts), ensure_ascii=False, sort_keys=True)})
    return event_id


def list_of(tx: Tx, workspace_id: str, after_seq: int, limit: int) -> tuple[Event, ...]:
    """The workspace's sealed events with a `seq` above `after_seq`, in order, at most `limit`: a cursor that skips nothing."""
    return tuple(Event(**{**row, "facts": json.loads(row["facts"])}) for row in repository.of_workspace(tx, workspace_id, after_seq, limit))


def last_of_type(tx: Tx, type_: str) -> Mapping[str, datetime]:
    """Step: when such an event last happened in each workspace that has one. Reads all that is recorded: for whoever runs the server."""
    return repository.last_of_type(tx, type_)


def forget(tx: Tx, subjects: Sequence[str], names: Sequence[str]) -> None:
    """Step: in what is recorded of these subjects, the facts of these names are blanked: somebody wants nothing kept that names them."""
    for row in repository.of_subjects(tx, subjects):
        facts = json.loads(row["facts"])
        if blanked := {name: "" for name in names if facts.get(name)}:
            repository.put_facts(tx, row["id"], json.dumps(facts | blanked, ensure_ascii=False, sort_keys=True))


class Events:
    """The sealer. Several may run, in several processes: they wait for each other."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def unsealed(self) -> bool:
        """Whether a committed event has no number yet."""
        return bool(await self._database.read(lambda tx: repository.waiting(tx, 1)))

    async def seal(self) -> int:
        """Number every committed event that has none; how many. Reads first, so that nothing to do costs no write."""
        sealed = 0
        while await self.unsealed():
            sealed += await self._database.begin(_seal_batch)
        return sealed


def _seal_batch(tx: Tx) -> int:
    repository.be_only_sealer(tx)
    rows = repository.waiting(tx, _BATCH)
    first = repository.last_seq(tx) + 1
    numbered: list[dict[str, object]] = [
        {"seq": seq, "event_id": row["id"], "workspace_id": row["workspace_id"]} for seq, row in enumerate(rows, first)
    ]
    if numbered:
        repository.number(tx, numbered)
    return len(numbered)
