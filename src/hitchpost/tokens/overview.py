"""What whoever runs the installation wants to see of its apps at a glance; read past no key, so it works without the ring."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, case, func, select

from hitchpost.db.engine import Tx
from hitchpost.tokens.closures import are_shut
from hitchpost.tokens.gates import MISSED, REFRESH
from hitchpost.tokens.models import apps, gates, grants


@dataclass(frozen=True, slots=True)
class AppSeen:
    """One app. `refused`: its network refuses the app itself, which only the operator can mend. `alive`, `ended`, `ending`: grants that
    work, that need their person again, and that are being given back. `late`: how many of those alive have missed their renewal.
    `left_alone_until`: its network is not asked for renewals before then.
    """

    slot: str
    client_id: str
    refused: bool
    alive: int
    ended: int
    ending: int
    late: int
    left_alone_until: datetime | None


def apps_seen(tx: Tx, now: datetime) -> Sequence[AppSeen]:
    """Step: every app that this database has known, in the order of their slots."""

    def count(*which: ColumnElement[bool]) -> ColumnElement[int]:
        return func.coalesce(func.sum(case((and_(*which), 1), else_=0)), 0)

    live = grants.c.state == "live"
    shut = select(gates.c.closed_until).where(gates.c.app_id == apps.c.id, gates.c.bucket == REFRESH).scalar_subquery()
    query = (
        select(
            apps.c.slot, apps.c.client_id, apps.c.state, shut.label("shut"), are_shut(apps.c.id, REFRESH, now).label("is_shut"),
            count(live).label("alive"), count(grants.c.state == "reconnect").label("ended"),
            count(grants.c.state == "revoking").label("ending"), count(live, grants.c.due_at <= now - MISSED).label("late"),
        )
        .select_from(apps.outerjoin(grants, grants.c.app_id == apps.c.id))
        .group_by(apps.c.id, apps.c.slot, apps.c.client_id, apps.c.state)
        .order_by(apps.c.slot, apps.c.client_id)
    )  # fmt: skip
    return tuple(
        AppSeen(
            row["slot"],
            row["client_id"],
            row["state"] != "ok",
            int(row["alive"]),
            int(row["ended"]),
            int(row["ending"]),
            int(row["late"]),
            row["shut"] if row["is_shut"] else None,
        )
        for row in tx.execute(query).mappings()
    )
