"""Reads and conditional updates of what grants can act on, and of what stands behind profiles."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, and_, exists, func, or_, select, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.tokens.closures import are_shut
from hitchpost.tokens.gates import EXAMINE
from hitchpost.tokens.models import backings, grants, reaches


def put_reach(tx: Tx, grant_id: str, kind: str, external_id: str, fresh_id: str, values: dict[str, object]) -> str:
    """Insert or renew what the grant can act on; its id. Its sealed token is written apart, for it is bound to that id."""
    row = {"id": fresh_id, "grant_id": grant_id, "kind": kind, "external_id": external_id, "sealed_token": ""}
    # A look that is under way knows nothing of this.
    values = values | {"claim_id": "", "unseen": ""}
    if insert_or_keep(tx, reaches, row | values):
        return fresh_id
    same = and_(reaches.c.grant_id == grant_id, reaches.c.kind == kind, reaches.c.external_id == external_id)
    tx.execute(update(reaches).where(same).values(values))
    return str(tx.execute(select(reaches.c.id).where(same)).scalar_one())


def put_reach_token(tx: Tx, reach_id: str, sealed: str) -> None:
    tx.execute(update(reaches).where(reaches.c.id == reach_id).values(sealed_token=sealed))


def put_backing(tx: Tx, profile_id: str, reach_id: str, confirmed_by: str, now: datetime) -> None:
    """The reach stands behind the profile, after those that already do."""
    values = {"state": "live", "confirmed_by": confirmed_by, "confirmed_at": now}
    same = and_(backings.c.profile_id == profile_id, backings.c.reach_id == reach_id)
    rank = tx.execute(select(func.count()).select_from(backings).where(backings.c.profile_id == profile_id)).scalar_one() + 1
    if not insert_or_keep(tx, backings, {"profile_id": profile_id, "reach_id": reach_id, "rank": rank, **values}):
        tx.execute(update(backings).where(same).values(values))


def _backed() -> ColumnElement[bool]:
    return exists().where(backings.c.reach_id == reaches.c.id, backings.c.state == "live")


def _is_due(now: datetime, app_id: str, providers: Sequence[str]) -> ColumnElement[bool]:
    return and_(grants.c.state == "live", grants.c.app_id == app_id, reaches.c.provider.in_(providers), reaches.c.check_due_at <= now)


def is_app_due(tx: Tx, app_id: str, providers: Sequence[str], now: datetime) -> bool:
    """Whether anything of this app's is due for examination, and its gate is open."""
    query = select(reaches.c.id).join(grants, grants.c.id == reaches.c.grant_id)
    query = query.where(~are_shut(grants.c.app_id, EXAMINE, now), _is_due(now, app_id, providers), _backed())
    return tx.execute(query.limit(1)).first() is not None


def due_reaches(tx: Tx, app_id: str, providers: Sequence[str], now: datetime, limit: int) -> Sequence[RowMapping]:
    """What of this app's is due for examination at these networks, the longest due first; each with its grant's app and trouble."""
    query = select(reaches, grants.c.app_id, grants.c.trouble).join(grants, grants.c.id == reaches.c.grant_id)
    query = query.where(_is_due(now, app_id, providers), _backed()).order_by(reaches.c.check_due_at)
    return tx.execute(query.limit(limit)).mappings().all()


def standing_reaches(tx: Tx, *, grant_id: str) -> Sequence[RowMapping]:
    """Reaches of this grant with a live backing, if it is live; each with its grant's app and trouble."""
    query = (
        select(reaches, grants.c.app_id, grants.c.trouble)
        .join(grants, grants.c.id == reaches.c.grant_id)
        .where(grants.c.state == "live", reaches.c.grant_id == grant_id, _backed())
    )
    return tx.execute(query).mappings().all()


def claim_reaches(
    tx: Tx, ids: Sequence[str], claim_id: str, *, until: datetime, due: datetime | None = None, free: datetime | None = None
) -> Sequence[str]:
    """Take these for one look; those of them that are ours.

    `due`: only those due then that nobody is writing just now. `free`: only those that nobody has claimed, or whose claim has run out
    by then. Neither: whatever others do.
    """
    query = select(reaches.c.id).where(reaches.c.id.in_(ids))
    if due is not None:
        query = query.where(reaches.c.check_due_at <= due)
    if free is not None:
        query = query.where(or_(reaches.c.claim_id == "", reaches.c.check_due_at <= free))
    # In one order: of two who claim many at once each must be able to wait for the other.
    mine = tx.execute(query.order_by(reaches.c.id).with_for_update(skip_locked=due is not None)).scalars().all()
    tx.execute(update(reaches).where(reaches.c.id.in_(mine)).values(claim_id=claim_id, check_due_at=until, unseen=""))
    return mine


def record_reach(tx: Tx, reach_id: str, claim_id: str, values: dict[str, object]) -> bool:
    """Write a look's outcome if the claim is still its own, unless nothing stands on the reach any more; the time does not matter."""
    standing = exists().where(grants.c.id == reaches.c.grant_id, grants.c.state == "live"), _backed()
    query = update(reaches).where(reaches.c.id == reach_id, reaches.c.claim_id == claim_id, *standing)
    return tx.execute(query.values({"claim_id": "", "unseen": ""} | values)).rowcount == 1


def not_seen(tx: Tx, ids: Sequence[str], claim_id: str, *, until: datetime, unseen: str) -> None:
    """A look saw nothing: these are looked at again then, if the claim is still its own. `unseen`: why, for those who wait for it."""
    mine = and_(reaches.c.id.in_(ids), reaches.c.claim_id == claim_id)
    tx.execute(update(reaches).where(mine).values(claim_id="", check_due_at=until, unseen=unseen))


def put_off(tx: Tx, ids: Sequence[str], until: datetime | None) -> None:
    """These are to be examined at another time. A look that is under way knows nothing of why, and records nothing."""
    tx.execute(update(reaches).where(reaches.c.id.in_(ids)).values(check_due_at=until, claim_id="", unseen=""))


def due_at(tx: Tx, grant_id: str, when: datetime) -> None:
    """All that the grant can act on is to be examined then, whoever looks just now."""
    tx.execute(update(reaches).where(reaches.c.grant_id == grant_id).values(check_due_at=when, claim_id="", unseen=""))


def grants_behind(tx: Tx, profile_ids: Sequence[str]) -> tuple[str, ...]:
    """The grants that stand behind these profiles, severed backings left out."""
    query = select(reaches.c.grant_id).join(backings, backings.c.reach_id == reaches.c.id)
    return tuple(tx.execute(query.where(backings.c.profile_id.in_(profile_ids), backings.c.state == "live").distinct()).scalars())


def grants_ever_behind(tx: Tx, profile_ids: Sequence[str]) -> tuple[str, ...]:
    """The grants that stand or stood behind these profiles and are not over."""
    query = select(reaches.c.grant_id).join(backings, backings.c.reach_id == reaches.c.id).join(grants, grants.c.id == reaches.c.grant_id)
    return tuple(tx.execute(query.where(backings.c.profile_id.in_(profile_ids), grants.c.state != "gone").distinct()).scalars())


def forget_unbacked(tx: Tx, grant_ids: Sequence[str]) -> None:
    """Destroy the tokens derived for what no profile stands on any more."""
    left = and_(reaches.c.grant_id.in_(grant_ids), reaches.c.sealed_token != "", ~_backed())
    mine = tx.execute(select(reaches.c.id).where(left).order_by(reaches.c.id).with_for_update()).scalars().all()
    tx.execute(update(reaches).where(reaches.c.id.in_(mine)).values(sealed_token=""))


def profiles_of_reach(tx: Tx, reach_id: str) -> tuple[str, ...]:
    """The profiles that stand on the reach."""
    query = select(backings.c.profile_id).where(backings.c.reach_id == reach_id, backings.c.state == "live")
    return tuple(tx.execute(query).scalars())


def only_on(tx: Tx, grant_id: str) -> tuple[str, ...]:
    """The profiles all of whose backings, severed ones included, are this grant's."""
    here = select(backings.c.profile_id).join(reaches, reaches.c.id == backings.c.reach_id).where(reaches.c.grant_id == grant_id)
    elsewhere = select(backings.c.profile_id).join(reaches, reaches.c.id == backings.c.reach_id).where(reaches.c.grant_id != grant_id)
    query = select(backings.c.profile_id).where(backings.c.profile_id.in_(here), backings.c.profile_id.not_in(elsewhere)).distinct()
    return tuple(tx.execute(query).scalars())


def mark_reaches(tx: Tx, grant_id: str, mark: Callable[[str], str]) -> None:
    """Replace what a grant's reaches are called at the network."""
    for reach_id in tx.execute(select(reaches.c.id).where(reaches.c.grant_id == grant_id)).scalars().all():
        values = {"external_id": mark(reach_id), "parent_id": "", "check_due_at": None}
        tx.execute(update(reaches).where(reaches.c.id == reach_id).values(values))


def sever(tx: Tx, profile_ids: Sequence[str]) -> None:
    """No reach stands behind these profiles until it is confirmed again."""
    tx.execute(update(backings).where(backings.c.profile_id.in_(profile_ids), backings.c.state == "live").values(state="severed"))


def profiles_on(tx: Tx, grant_id: str) -> tuple[str, ...]:
    """The profiles that have a live backing on this grant."""
    query = select(backings.c.profile_id).join(reaches, reaches.c.id == backings.c.reach_id)
    return tuple(tx.execute(query.where(reaches.c.grant_id == grant_id, backings.c.state == "live").distinct()).scalars())


def profiles_ever_on(tx: Tx, grant_id: str) -> tuple[str, ...]:
    """The profiles that stand or stood on this grant."""
    query = select(backings.c.profile_id).join(reaches, reaches.c.id == backings.c.reach_id)
    return tuple(tx.execute(query.where(reaches.c.grant_id == grant_id).distinct()).scalars())


def sever_grant(tx: Tx, grant_id: str) -> None:
    """The grant stands behind no profile until a member confirms it again."""
    mine = select(reaches.c.id).where(reaches.c.grant_id == grant_id)
    tx.execute(update(backings).where(backings.c.reach_id.in_(mine)).values(state="severed"))


def backed_by(tx: Tx, profile_ids: Sequence[str]) -> Sequence[RowMapping]:
    """For each backing of these profiles, best first: what it stands on. Severed ones say why it stands no more."""
    of_grant = ("app_id", "code", "access_expires_at", "refresh_expires_at", "renews_itself", "trouble", "trouble_since", "checked_at")
    of_reach = (reaches.c.verdict, reaches.c.checked_at.label("examined_at"))
    columns = (backings.c.profile_id, backings.c.state.label("backing"), grants.c.state, *(grants.c[name] for name in of_grant), *of_reach)
    query = (
        select(*columns)
        .select_from(backings.join(reaches, reaches.c.id == backings.c.reach_id).join(grants, grants.c.id == reaches.c.grant_id))
        .where(backings.c.profile_id.in_(profile_ids))
        .order_by(backings.c.profile_id, backings.c.rank)
    )
    return tx.execute(query).mappings().all()
