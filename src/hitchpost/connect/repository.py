"""Reads and conditional updates of the flow: every change of status is `UPDATE … WHERE status = …`, and one changed row is the claim."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, RowMapping, Select, and_, delete, func, insert, or_, select, update

from hitchpost.connect.models import authorization_requests as requests
from hitchpost.connect.models import candidates, connect_sessions
from hitchpost.connect.states import OPEN, Status
from hitchpost.db.engine import Tx


def add_session(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(connect_sessions).values(row))


def add_request(tx: Tx, row: dict[str, object]) -> None:
    tx.execute(insert(requests).values(row))


def by_state(tx: Tx, state_hash: str) -> RowMapping | None:
    return tx.execute(select(requests).where(requests.c.state_hash == state_hash)).mappings().one_or_none()


def by_id(tx: Tx, request_id: str) -> RowMapping | None:
    return tx.execute(select(requests).where(requests.c.id == request_id)).mappings().one_or_none()


def newest(tx: Tx, connection_id: str) -> RowMapping | None:
    """The newest trip of a ConnectSession: its status is the session's."""
    query = select(requests).where(requests.c.connect_session_id == connection_id).order_by(requests.c.trip.desc()).limit(1)
    return tx.execute(query).mappings().one_or_none()


def next_trip(tx: Tx, connection_id: str) -> int:
    """The number of a ConnectSession's next trip; nobody else takes one until this transaction ends."""
    tx.execute(select(connect_sessions.c.id).where(connect_sessions.c.id == connection_id).with_for_update())
    return int(tx.execute(select(func.max(requests.c.trip)).where(requests.c.connect_session_id == connection_id)).scalar_one()) + 1


def claim(
    tx: Tx, request_id: str, claim_id: str, *, was: Status, becomes: Status, now: datetime, until: datetime, consent_seq: int | None = None
) -> bool:
    """Take the request for one act, if it stands at `was`, is not expired, and nobody else acts for it."""
    free = or_(requests.c.claim_id == "", requests.c.due_at <= now)
    values: dict[str, object] = {"status": becomes, "claim_id": claim_id, "due_at": until}
    if consent_seq is not None:
        values["consent_seq"] = consent_seq
    query = update(requests).where(requests.c.id == request_id, requests.c.status == was, requests.c.expires_at > now, free)
    return tx.execute(query.values(values)).rowcount == 1


def record(tx: Tx, request_id: str, claim_id: str, *, was: Status, values: dict[str, object]) -> bool:
    """Write the outcome of an act, only if the claim is still ours; frees the claim unless `values` say otherwise."""
    query = update(requests).where(requests.c.id == request_id, requests.c.claim_id == claim_id, requests.c.status == was)
    return tx.execute(query.values({"claim_id": "", "due_at": None} | values)).rowcount == 1


def end(tx: Tx, condition: ColumnElement[bool], status: Status, code: str, facts: str = "") -> int:
    """End every open request that `condition` names; how many. The verifier goes with it."""
    values = {"status": status, "code": code, "facts": facts, "claim_id": "", "due_at": None, "sealed_verifier": ""}
    return tx.execute(update(requests).where(requests.c.status.in_(OPEN), condition).values(values)).rowcount


def grants_of_open(tx: Tx, condition: ColumnElement[bool]) -> tuple[str, ...]:
    """The grants that these open requests have brought, in no order."""
    query = select(requests.c.grant_id).where(requests.c.status.in_(OPEN), requests.c.grant_id != "", condition)
    return tuple(tx.execute(query.distinct()).scalars())


def of_request(request_id: str) -> ColumnElement[bool]:
    return requests.c.id == request_id


def of_connection(connection_id: str) -> ColumnElement[bool]:
    return requests.c.connect_session_id == connection_id


def of_browsers(session_ids: Collection[str]) -> ColumnElement[bool]:
    return requests.c.browser_session_id.in_(session_ids)


def of_member(workspace_id: str, person_id: str) -> ColumnElement[bool]:
    return and_(requests.c.workspace_id == workspace_id, requests.c.person_id == person_id)


def of_grant(grant_id: str) -> ColumnElement[bool]:
    return requests.c.grant_id == grant_id


def of_workspace(workspace_id: str) -> ColumnElement[bool]:
    return requests.c.workspace_id == workspace_id


def forget_found(tx: Tx, condition: ColumnElement[bool]) -> None:
    """Delete what these flows found: who consented, and what could be attached."""
    tx.execute(delete(candidates).where(candidates.c.request_id.in_(select(requests.c.id).where(condition))))
    tx.execute(update(requests).where(condition).values(found="", facts=""))


def beyond_cap(tx: Tx, person_id: str, cap: int) -> ColumnElement[bool]:
    """The person's open requests but the `cap` newest."""
    query = select(requests.c.id).where(requests.c.person_id == person_id, requests.c.status.in_(OPEN))
    open_ids = tx.execute(query.order_by(requests.c.created_at.desc(), requests.c.id.desc())).scalars().all()
    return requests.c.id.in_(open_ids[cap:])


def expired(now: datetime) -> ColumnElement[bool]:
    """Open requests past their life that nobody acts for."""
    return and_(requests.c.expires_at <= now, or_(requests.c.claim_id == "", requests.c.due_at <= now))


def interrupted(now: datetime) -> ColumnElement[bool]:
    """Exchanges whose claim ran out: the code may have been sent, so it is never sent again."""
    return and_(requests.c.status == Status.EXCHANGING, requests.c.due_at <= now)


def make_claims_due(tx: Tx, now: datetime) -> None:
    """End the lease of every claim; its holder could still record, if it lived."""
    tx.execute(update(requests).where(requests.c.claim_id != "", requests.c.status.in_(OPEN)).values(due_at=now))


def due_looks(tx: Tx, now: datetime, limit: int) -> Sequence[str]:
    """Requests whose look is due: lost with a process, or asked for again."""
    query = select(requests.c.id).where(requests.c.status == Status.LOOKING, requests.c.due_at <= now, requests.c.expires_at > now)
    return tx.execute(query.order_by(requests.c.due_at).limit(limit)).scalars().all()


def flow_open(tx: Tx, grant_id: str, now: datetime) -> bool:
    """Whether a request that can still lead to a profile uses this grant."""
    query = select(func.count()).select_from(requests)
    return bool(tx.execute(query.where(requests.c.grant_id == grant_id, requests.c.status.in_(OPEN), requests.c.expires_at > now)).scalar())


def forget(tx: Tx, before: datetime, candidates_before: datetime) -> int:
    """Delete ended requests created before `before`, and the candidates of those ended before `candidates_before`; how many requests."""
    ended = requests.c.status.not_in(OPEN)
    old = select(requests.c.id).where(ended, requests.c.expires_at < candidates_before)
    tx.execute(delete(candidates).where(candidates.c.request_id.in_(old)))
    count = tx.execute(delete(requests).where(ended, requests.c.created_at < before)).rowcount
    alive = select(requests.c.connect_session_id)
    tx.execute(delete(connect_sessions).where(connect_sessions.c.created_at < before, connect_sessions.c.id.not_in(alive)))
    return count


def replace_candidates(tx: Tx, request_id: str, rows: Iterable[dict[str, object]]) -> None:
    tx.execute(delete(candidates).where(candidates.c.request_id == request_id))
    listed = list(rows)
    if listed:
        tx.execute(insert(candidates), listed)


def offered(tx: Tx, request_id: str) -> Sequence[RowMapping]:
    """The candidates of a request, in the adapter's order."""
    return tx.execute(select(candidates).where(candidates.c.request_id == request_id).order_by(candidates.c.position)).mappings().all()


def withdraw(tx: Tx, request_id: str, kind: str, external_id: str, verdict: str) -> None:
    """Mark a candidate as unusable after all."""
    query = update(candidates).where(candidates.c.request_id == request_id, candidates.c.kind == kind)
    tx.execute(query.where(candidates.c.external_id == external_id).values(usable=False, verdict=verdict))


def shown_pictures() -> Select[tuple[str]]:
    """A query for the pictures that open flows show."""
    return select(candidates.c.picture).where(candidates.c.picture != "")


def conclude(tx: Tx, request_id: str, outcome: str) -> None:
    """Keep what was attached, for the done page."""
    tx.execute(update(requests).where(requests.c.id == request_id).values(outcome=outcome))
