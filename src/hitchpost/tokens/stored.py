"""A grant's tokens at rest: one sealed blob in its place, so that it cannot tear and no query of grants meets it."""

from datetime import datetime

from hitchpost.db.engine import Tx
from hitchpost.networks.base import TokenSet
from hitchpost.tokens import freshness, outcomes, repository
from hitchpost.tokens.cipher import SealBroken
from hitchpost.tokens.vault import Vault, tokens_place


def tokens_at_rest(tx: Tx, vault: Vault, grant_id: str) -> TokenSet | None:
    """Step: the tokens in clear, in memory only; None when they are destroyed. Raises SealBroken."""
    sealed = repository.token_set(tx, grant_id)
    return None if sealed is None else opened(tx, vault, grant_id, sealed)


def opened(tx: Tx, vault: Vault, grant_id: str, sealed: str) -> TokenSet:
    """Step: the same, of a seal that was read with the grant's row already. Raises SealBroken."""
    return freshness.read(vault.open(tx, tokens_place(grant_id), sealed))


def note_unreadable(tx: Tx, vault: Vault, grant_id: str, now: datetime) -> None:
    """Step: the grant's health tells that its tokens do not open, unless a consent has healed them meanwhile."""
    row = repository.hold(tx, grant_id)
    try:
        tokens_at_rest(tx, vault, grant_id)
    except SealBroken:
        if row is not None and row["state"] == "live":
            repository.change_grant(tx, grant_id, outcomes.unreadable(row, now))


def put_to_rest(tx: Tx, vault: Vault, grant_id: str, version: int, tokens: TokenSet) -> None:
    """Step: these are the grant's tokens now, of this version."""
    repository.put_token_set(tx, grant_id, version, vault.seal(tx, tokens_place(grant_id), freshness.written(tokens)))
