"""The conditional updates by which a grant is claimed for renewal and its outcome recorded. `due_at` is the only clock (law 1, law 2)."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import BigInteger, RowMapping, func, select, type_coerce, update

from hitchpost.db.engine import Tx
from hitchpost.tokens import timing
from hitchpost.tokens.closures import are_shut
from hitchpost.tokens.gates import REFRESH
from hitchpost.tokens.models import grants, token_sets

RENEW = "renew"


@dataclass(frozen=True, slots=True)
class Pace:
    """How often an app's grants fall due by themselves: how many live, and the mean life of their access tokens, in seconds."""

    grants: int
    life: float

    @property
    def a_minute(self) -> float:
        """Renewals a minute when all goes its way: one in five eighths of a life, the middle of where due dates lie."""
        return self.grants * 60 / (self.life * 0.625) if self.life > 0 else 0.0


def pace(tx: Tx, app_id: str) -> Pace:
    """Measured over the live grants that end."""
    life = type_coerce(grants.c.access_expires_at, BigInteger) - type_coerce(grants.c.issued_at, BigInteger)
    renewed = (grants.c.app_id == app_id, grants.c.state == "live", grants.c.renews_itself, grants.c.access_expires_at.is_not(None))
    query = select(func.count(), func.avg(life)).where(*renewed)
    count, mean = tx.execute(query).one()
    return Pace(int(count), float(mean or 0) / 1_000_000)


def due_by_app(tx: Tx, now: datetime) -> dict[str, int]:
    """How many grants are due for renewal (not for giving back) of each app whose network is worth asking now."""
    asked = ~are_shut(grants.c.app_id, REFRESH, now)
    due = select(grants.c.app_id, func.count()).where(grants.c.due_at <= now, grants.c.state == "live", asked)
    return {row[0]: row[1] for row in tx.execute(due.group_by(grants.c.app_id))}


@dataclass(frozen=True, slots=True)
class Fell:
    """When grants fell due: after that moment (None: since ever), and up to this."""

    after: datetime | None
    by: datetime


def claim_due(
    tx: Tx, app_id: str, claim_id: str, fell: Fell, *, now: datetime, limit: int, under_way: Collection[str] = ()
) -> Sequence[RowMapping]:
    """Claim up to `limit` due grants of an app, the longest due first; each as it was before, with the tokens' seal.

    On PostgreSQL rows that another worker is claiming are passed over. `under_way`: what this process is still acting for, whatever
    its claim says: a machine that slept wakes up with its claims run out and the network's answers waiting to be read.
    """
    due = (
        select(grants, token_sets.c.sealed)
        .join(token_sets, token_sets.c.grant_id == grants.c.id)
        .where(grants.c.app_id == app_id, grants.c.due_at <= fell.by, grants.c.state == "live")
        .order_by(grants.c.due_at)
        .limit(limit)
        .with_for_update(skip_locked=True, of=grants)
    )
    if fell.after is not None:
        due = due.where(grants.c.due_at > fell.after)
    claimed: list[RowMapping] = []
    for row in tx.execute(due).mappings().all():
        if row["id"] in under_way:
            continue
        if row["claim_id"] and (again := timing.after_doubt(row["due_at"], row["due_at"], row["access_expires_at"])) > now:
            # Its process died in the act, and what the network did is unknown: it waits, and is nobody's.
            put_back(tx, row["id"], again)
        else:
            claimed.append(row)
    if claimed:
        _claim(tx, [row["id"] for row in claimed], claim_id, now + timing.LEASE)
    return claimed


def claim_one(tx: Tx, grant_id: str, claim_id: str, *, version: int, until: datetime) -> bool:
    """Claim this grant, whatever its date, if it is as it was read and nobody acts for it."""
    query = update(grants).where(grants.c.id == grant_id, grants.c.version == version, grants.c.state == "live", grants.c.claim_id == "")
    return tx.execute(query.values(_claimed(claim_id, until))).rowcount == 1


def put_back(tx: Tx, grant_id: str, due_at: datetime | None) -> None:
    """Give a grant whose claim has run out its next date."""
    tx.execute(update(grants).where(grants.c.id == grant_id).values(claim_id="", claim_kind="", due_at=due_at))


def record(tx: Tx, grant_id: str, claim_id: str, *, version: int, values: dict[str, object]) -> bool:
    """Write an outcome, only if claim and version are still ours; the time does not matter."""
    query = update(grants).where(grants.c.id == grant_id, grants.c.claim_id == claim_id, grants.c.version == version)
    return tx.execute(query.values({"claim_id": "", "claim_kind": ""} | values)).rowcount == 1


def _claim(tx: Tx, ids: Sequence[str], claim_id: str, until: datetime) -> None:
    tx.execute(update(grants).where(grants.c.id.in_(ids)).values(_claimed(claim_id, until)))


def _claimed(claim_id: str, until: datetime) -> dict[str, object]:
    # The doubt is written before the act: a process that dies in it leaves the truth behind.
    return {
        "claim_id": claim_id, "claim_kind": RENEW, "claims": grants.c.claims + 1, "doubts": grants.c.doubts + 1, "due_at": until,
    }  # fmt: skip
