"""Reads and conditional updates of apps, grants, reaches and backings."""

from collections.abc import Callable, Sequence
from datetime import datetime

from sqlalchemy import RowMapping, and_, delete, exists, func, insert, or_, select, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.tokens.cipher import key_id_of
from hitchpost.tokens.models import apps, backings, consent_counter, data_keys, grants, reaches, token_sets

# Data keys.


def holds_nothing(tx: Tx) -> bool:
    """Whether neither a data key nor anything that one seals is stored."""
    return not any(tx.execute(select(exists().select_from(table))).scalar() for table in (data_keys, apps, grants))


def data_keys_by_owner(tx: Tx) -> dict[str, str]:
    """Every wrapped data key."""
    return {row.owner: row.wrapped for row in tx.execute(select(data_keys.c.owner, data_keys.c.wrapped))}


def data_key(tx: Tx, owner: str) -> str | None:
    """The owner's data key, wrapped."""
    return tx.execute(select(data_keys.c.wrapped).where(data_keys.c.owner == owner)).scalar_one_or_none()


def keep_data_key(tx: Tx, row: dict[str, object]) -> str:
    """Store a wrapped data key unless its owner has one; the one that stands: of two processes that come at once one is first."""
    insert_or_keep(tx, data_keys, row)
    return str(tx.execute(select(data_keys.c.wrapped).where(data_keys.c.owner == row["owner"])).scalar_one())


# Apps.


def app_or_made(tx: Tx, fresh: dict[str, object]) -> RowMapping:
    """The app of the same owner, authority and client id, made from `fresh` if there is none: several processes may start at once."""
    insert_or_keep(tx, apps, fresh)
    same = (apps.c[name] == fresh[name] for name in ("owner", "authority", "client_id"))
    return tx.execute(select(apps).where(*same)).mappings().one()


def every_app(tx: Tx) -> Sequence[RowMapping]:
    return tx.execute(select(apps)).mappings().all()


def change_app(tx: Tx, app_id: str, values: dict[str, object]) -> None:
    tx.execute(update(apps).where(apps.c.id == app_id).values(values))


def set_app_state(tx: Tx, app_id: str, state: str) -> None:
    """`ok`, or `operator_fault` while the network refuses the app itself."""
    tx.execute(update(apps).where(apps.c.id == app_id, apps.c.state != state).values(state=state))


def is_app_at_fault(tx: Tx, app_id: str) -> bool:
    return bool(tx.execute(select(exists().where(apps.c.id == app_id, apps.c.state == "operator_fault"))).scalar())


# Grants and their token sets.


def next_consent(tx: Tx) -> int:
    """One more than ever before; taken inside the callback's claim."""
    insert_or_keep(tx, consent_counter, {"id": 1, "value": 0})
    tx.execute(update(consent_counter).where(consent_counter.c.id == 1).values(value=consent_counter.c.value + 1))
    return int(tx.execute(select(consent_counter.c.value).where(consent_counter.c.id == 1)).scalar_one())


def hold_or_make(tx: Tx, app_id: str, subject: str, fresh: dict[str, object]) -> RowMapping:
    """The grant of (app, subject), made from `fresh` if there is none, held until the transaction ends.

    Two first consents may come at once: one makes it, the other waits.
    """
    insert_or_keep(tx, grants, {"app_id": app_id, "subject": subject, **fresh})
    query = select(grants).where(grants.c.app_id == app_id, grants.c.subject == subject).with_for_update()
    return tx.execute(query).mappings().one()


def of_subject(tx: Tx, app_id: str, subject: str) -> RowMapping | None:
    """The grant of (app, subject), held until the transaction ends."""
    query = select(grants).where(grants.c.app_id == app_id, grants.c.subject == subject).with_for_update()
    return tx.execute(query).mappings().one_or_none()


def hold(tx: Tx, grant_id: str) -> RowMapping | None:
    """The grant, held until the transaction ends."""
    return tx.execute(select(grants).where(grants.c.id == grant_id).with_for_update()).mappings().one_or_none()


def grant(tx: Tx, grant_id: str) -> RowMapping | None:
    """The grant with its tokens' seal (`sealed`, None when they are gone)."""
    query = select(grants, token_sets.c.sealed).outerjoin(token_sets, token_sets.c.grant_id == grants.c.id)
    return tx.execute(query.where(grants.c.id == grant_id)).mappings().one_or_none()


def change_grant(tx: Tx, grant_id: str, values: dict[str, object]) -> None:
    tx.execute(update(grants).where(grants.c.id == grant_id).values(values))


def token_set(tx: Tx, grant_id: str) -> str | None:
    """The sealed blob."""
    return tx.execute(select(token_sets.c.sealed).where(token_sets.c.grant_id == grant_id)).scalar_one_or_none()


def put_token_set(tx: Tx, grant_id: str, version: int, sealed: str) -> None:
    values = {"version": version, "sealed": sealed, "key_id": key_id_of(sealed)}
    if tx.execute(update(token_sets).where(token_sets.c.grant_id == grant_id).values(values)).rowcount == 0:
        tx.execute(insert(token_sets).values(grant_id=grant_id, **values))


def abandoned(tx: Tx, before: datetime, now: datetime, limit: int) -> Sequence[RowMapping]:
    """Grants that nothing live stands on, consented before `before`, that nobody acts for."""
    backed = exists().where(reaches.c.grant_id == grants.c.id, backings.c.reach_id == reaches.c.id, backings.c.state == "live")
    # Of a live one `due_at` is the date of its renewal; of one that is being given back, that of the next try.
    waiting = or_(and_(grants.c.state != "revoking", grants.c.claim_id == ""), grants.c.due_at.is_(None), grants.c.due_at <= now)
    query = select(grants).where(grants.c.state != "gone", grants.c.consented_at <= before, ~backed, waiting)
    return tx.execute(query.order_by(grants.c.consented_at).limit(limit)).mappings().all()


def is_backed(tx: Tx, grant_id: str) -> bool:
    """Whether a live backing stands on the grant."""
    query = select(func.count()).select_from(backings.join(reaches, reaches.c.id == backings.c.reach_id))
    return bool(tx.execute(query.where(reaches.c.grant_id == grant_id, backings.c.state == "live")).scalar())


def claim_grant(tx: Tx, grant_id: str, *, version: int, now: datetime, values: dict[str, object]) -> bool:
    """Take a grant for one act, if it is as it was read and nobody else acts for it."""
    free = or_(grants.c.claim_id == "", grants.c.due_at <= now)
    query = update(grants).where(grants.c.id == grant_id, grants.c.version == version, free)
    return tx.execute(query.values(values)).rowcount == 1


def record_grant(tx: Tx, grant_id: str, claim_id: str, *, version: int, values: dict[str, object]) -> bool:
    """Write an act's outcome, only if the claim and the version are still ours."""
    query = update(grants).where(grants.c.id == grant_id, grants.c.claim_id == claim_id, grants.c.version == version)
    return tx.execute(query.values({"claim_id": "", "claim_kind": ""} | values)).rowcount == 1


def destroy(tx: Tx, grant_id: str) -> None:
    """Forget the tokens of a grant: its set, and those derived from it."""
    tx.execute(delete(token_sets).where(token_sets.c.grant_id == grant_id))
    tx.execute(update(reaches).where(reaches.c.grant_id == grant_id).values(sealed_token=""))


def others_alive(tx: Tx, grant_id: str, client_id: str, subject: str) -> bool:
    """Whether another grant of any owner speaks for the same login at the network: revoking would end it too (threat A20)."""
    query = (
        select(func.count())
        .select_from(grants.join(apps, apps.c.id == grants.c.app_id))
        .where(grants.c.id != grant_id, apps.c.client_id == client_id, grants.c.subject == subject, grants.c.state == "live")
    )
    return bool(tx.execute(query).scalar())


# What stands behind profiles.


def put_reach(tx: Tx, grant_id: str, kind: str, external_id: str, fresh_id: str, values: dict[str, object]) -> str:
    """Insert or renew what the grant can act on; its id. Its sealed token is written apart, for it is bound to that id."""
    row = {"id": fresh_id, "grant_id": grant_id, "kind": kind, "external_id": external_id, "sealed_token": ""}
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


def standing_reaches(tx: Tx, *, grant_id: str = "", due: datetime | None = None, limit: int = 1000) -> Sequence[RowMapping]:
    """Reaches with a live backing on a live grant, of this grant, or those due for examination; each with its grant's app and version."""
    alive = exists().where(backings.c.reach_id == reaches.c.id, backings.c.state == "live")
    query = select(reaches, grants.c.app_id).join(grants, grants.c.id == reaches.c.grant_id).where(grants.c.state == "live", alive)
    if grant_id:
        query = query.where(reaches.c.grant_id == grant_id)
    if due is not None:
        query = query.where(reaches.c.check_due_at <= due).order_by(reaches.c.check_due_at)
    return tx.execute(query.limit(limit)).mappings().all()


def claim_reaches(tx: Tx, ids: Sequence[str], *, due: datetime | None, until: datetime) -> Sequence[str]:
    """Take these for one examination; those of them that are ours. `due`: only those due then, None: whatever their date."""
    mine = reaches.c.id.in_(ids) if due is None else and_(reaches.c.id.in_(ids), reaches.c.check_due_at <= due)
    return tx.execute(update(reaches).where(mine).values(check_due_at=until).returning(reaches.c.id)).scalars().all()


def record_reach(tx: Tx, reach_id: str, *, begun: datetime, values: dict[str, object]) -> bool:
    """Write an examination's outcome, unless a later one has been written already."""
    return tx.execute(update(reaches).where(reaches.c.id == reach_id, reaches.c.checked_at <= begun).values(values)).rowcount == 1


def put_off(tx: Tx, ids: Sequence[str], until: datetime | None) -> None:
    """These are to be examined at another time."""
    tx.execute(update(reaches).where(reaches.c.id.in_(ids)).values(check_due_at=until))


def grants_behind(tx: Tx, profile_ids: Sequence[str]) -> tuple[str, ...]:
    """The grants that stand behind these profiles, severed backings left out."""
    query = select(reaches.c.grant_id).join(backings, backings.c.reach_id == reaches.c.id)
    return tuple(tx.execute(query.where(backings.c.profile_id.in_(profile_ids), backings.c.state == "live").distinct()).scalars())


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
    tx.execute(update(backings).where(backings.c.profile_id.in_(profile_ids)).values(state="severed"))


def profiles_on(tx: Tx, grant_id: str) -> tuple[str, ...]:
    """The profiles that have a live backing on this grant."""
    query = select(backings.c.profile_id).join(reaches, reaches.c.id == backings.c.reach_id)
    return tuple(tx.execute(query.where(reaches.c.grant_id == grant_id, backings.c.state == "live").distinct()).scalars())


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
