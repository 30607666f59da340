"""Reads and conditional updates of apps, grants, reaches and backings.

Who writes more than one row locks them in one order, or PostgreSQL ends one of two who wait for each other: grants by id; then profiles
by kind and external id, and the requests of connections; then what belongs to those grants, first reaches by id, then backings; gates
last. Reaches and backings are written by nobody but who holds their grant; the scheduled look alone claims reaches without it, at its
gate, and waits for none.
"""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import RowMapping, and_, delete, exists, func, insert, or_, select, text, update

from hitchpost.db.engine import Tx
from hitchpost.db.keep import insert_or_keep
from hitchpost.tokens.cipher import key_id_of
from hitchpost.tokens.closures import are_shut
from hitchpost.tokens.freshness import UNREADABLE
from hitchpost.tokens.models import apps, backings, consent_counter, data_keys, grants, halt, reaches, token_sets

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


def hold_data_keys(tx: Tx) -> None:
    """Nobody else makes or wraps a data key until the transaction ends. SQLite's immediate transactions are that already."""
    if tx.dialect.name == "postgresql":
        tx.execute(text("LOCK TABLE data_keys IN SHARE ROW EXCLUSIVE MODE"))


def rewrap_data_key(tx: Tx, owner: str, was: str, becomes: str, key_id: str) -> int:
    """Replace a wrapped data key, unless somebody else has; how many rows changed."""
    query = update(data_keys).where(data_keys.c.owner == owner, data_keys.c.wrapped == was)
    return tx.execute(query.values(wrapped=becomes, key_id=key_id)).rowcount


def drop_data_key(tx: Tx, owner: str) -> bool:
    return tx.execute(delete(data_keys).where(data_keys.c.owner == owner)).rowcount == 1


USE, EVERYTHING = 1, 2
"""What can be halted: all use of people's access; and, with everything being given back, the coming of any new one."""


def halted_since(tx: Tx, what: int = USE) -> datetime | None:
    return tx.execute(select(halt.c.since).where(halt.c.id == what)).scalar_one_or_none()


def set_halt(tx: Tx, since: datetime | None, what: int = USE) -> None:
    insert_or_keep(tx, halt, {"id": what, "since": None})
    tx.execute(update(halt).where(halt.c.id == what).values(since=since))


def everything_revoking(tx: Tx, now: datetime) -> int:
    """Sever every backing and make every grant due to be given back at once, whoever acts for it; how many grants."""
    # Grants first, in one order, as everybody who attaches takes them.
    tx.execute(select(grants.c.id).where(grants.c.state != "gone").order_by(grants.c.id).with_for_update())
    tx.execute(update(backings).values(state="severed"))
    values = {
        "state": "revoking",
        "cause": "revoked",
        "code": "access_withdrawn",
        "claim_id": "",
        "claim_kind": "",
        "claims": 0,
        "trouble_since": None,
        "due_at": now,
    }
    return tx.execute(update(grants).where(grants.c.state != "gone").values(values)).rowcount


def apps_to_revoke_at(tx: Tx) -> Sequence[str]:
    """The apps that have grants to be given back."""
    return tx.execute(select(grants.c.app_id).where(grants.c.state == "revoking").distinct()).scalars().all()


def count_revoking(tx: Tx) -> int:
    """How many grants are being given back."""
    return int(tx.execute(select(func.count()).select_from(grants).where(grants.c.state == "revoking")).scalar_one())


def left_to_revoke(tx: Tx, app_id: str, limit: int) -> Sequence[str]:
    query = select(grants.c.id).where(grants.c.state == "revoking", grants.c.app_id == app_id).order_by(grants.c.due_at)
    return tx.execute(query.limit(limit)).scalars().all()


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


def note_app(tx: Tx, app_id: str, word: str, *, holds: bool) -> None:
    """Whether this word is one of the app's state, a set of words; `ok` when it is empty."""
    if (word in app_state(tx, app_id).split()) is holds:
        return
    query = select(apps.c.state).where(apps.c.id == app_id).with_for_update()
    words = set(tx.execute(query).scalar_one().split()) - {"ok", word} | ({word} if holds else set())
    change_app(tx, app_id, {"state": " ".join(sorted(words)) or "ok"})


def app_state(tx: Tx, app_id: str) -> str:
    return str(tx.execute(select(apps.c.state).where(apps.c.id == app_id)).scalar_one())


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


def hold_all(tx: Tx, grant_ids: Sequence[str]) -> None:
    """These grants, held until the transaction ends."""
    tx.execute(select(grants.c.id).where(grants.c.id.in_(grant_ids)).order_by(grants.c.id).with_for_update()).all()


def grant(tx: Tx, grant_id: str) -> RowMapping | None:
    """The grant with its tokens' seal (`sealed`, None when they are gone)."""
    query = select(grants, token_sets.c.sealed).outerjoin(token_sets, token_sets.c.grant_id == grants.c.id)
    return tx.execute(query.where(grants.c.id == grant_id)).mappings().one_or_none()


def change_grant(tx: Tx, grant_id: str, values: dict[str, object]) -> None:
    tx.execute(update(grants).where(grants.c.id == grant_id).values(values))


def opens_again(tx: Tx, grant_id: str) -> None:
    """The grant's tokens can be read after all: that they could not is no trouble any more."""
    query = update(grants).where(grants.c.id == grant_id, grants.c.trouble == UNREADABLE)
    tx.execute(query.values(trouble="", trouble_since=None))


def token_set(tx: Tx, grant_id: str) -> str | None:
    """The sealed blob."""
    return tx.execute(select(token_sets.c.sealed).where(token_sets.c.grant_id == grant_id)).scalar_one_or_none()


def put_token_set(tx: Tx, grant_id: str, version: int, sealed: str) -> None:
    values = {"version": version, "sealed": sealed, "key_id": key_id_of(sealed)}
    if tx.execute(update(token_sets).where(token_sets.c.grant_id == grant_id).values(values)).rowcount == 0:
        tx.execute(insert(token_sets).values(grant_id=grant_id, **values))


def abandoned(tx: Tx, before: datetime, now: datetime, limit: int, bucket: str) -> Sequence[RowMapping]:
    """Grants that nothing live stands on, consented before `before`, that nobody acts for, of apps whose gate `bucket` is not closed."""
    backed = exists().where(reaches.c.grant_id == grants.c.id, backings.c.reach_id == reaches.c.id, backings.c.state == "live")
    # Of a live one `due_at` is the date of its renewal; of one that is being given back, that of the next try.
    waiting = or_(and_(grants.c.state != "revoking", grants.c.claim_id == ""), grants.c.due_at.is_(None), grants.c.due_at <= now)
    old = or_(grants.c.consented_at <= before, grants.c.state == "revoking")
    # Those of a network that is left alone must not keep others' from their turn.
    query = select(grants).where(grants.c.state != "gone", old, ~backed, waiting, ~are_shut(grants.c.app_id, bucket, now))
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
