"""What lower rooms tell the flow and ask of it, inside their own transactions: steps that `bootstrap` ties to them."""

from hitchpost.clock import Clock
from hitchpost.connect import repository
from hitchpost.connect.states import Status
from hitchpost.db.engine import Tx


def end_flows_of_browsers(tx: Tx, session_ids: tuple[str, ...]) -> None:
    """Step: a browser session that ends takes its open requests with it (threat A7)."""
    repository.end(tx, repository.of_browsers(session_ids), Status.EXPIRED, "authorization_expired")


def end_flows_of_member(tx: Tx, workspace_id: str, person_id: str) -> None:
    """Step: who lost rights in a workspace has nothing under way there any more (threats A25, C12)."""
    repository.end(tx, repository.of_member(workspace_id, person_id), Status.FAILED, "rights_lost")


def forget_person(tx: Tx, grant_id: str) -> None:
    """Step: what flows remember of whoever gave this grant goes, and those under way end."""
    repository.end(tx, repository.of_grant(grant_id), Status.FAILED, "access_revoked")
    repository.forget_found(tx, repository.of_grant(grant_id))


def flow_open(clock: Clock, tx: Tx, grant_id: str) -> bool:
    """Step: whether a connection under way still needs the grant."""
    return repository.flow_open(tx, grant_id, clock.now())


def take_over_all(clock: Clock, tx: Tx) -> None:
    """Step, when the only process of an installation starts: whoever held a claim is gone, so all of it is due at once."""
    repository.make_claims_due(tx, clock.now())
