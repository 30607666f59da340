"""Leaving: a person has taken the app's access back at the network, or wants everything about them gone."""

from collections.abc import Callable
from datetime import datetime

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.events import service as events
from hitchpost.networks.signed_request import Notice
from hitchpost.profiles import repository
from hitchpost.secret import Secret
from hitchpost.tokens.service import TokenKeeper

_CODE = 24


class Leaving:
    """`on_forgotten(tx, grant_id)`: told in the transaction that forgets a person, so that higher rooms forget them too."""

    def __init__(self, database: Database, clock: Clock, tokens: TokenKeeper, *, on_forgotten: Callable[[Tx, str], None]) -> None:
        self._database, self._clock, self._tokens, self._on_forgotten = database, clock, tokens, on_forgotten

    def app(self, authority: str, client_id: str) -> tuple[str, tuple[Secret, ...]] | None:
        """The id of the installation's app and the secrets that its notices may be signed with; None for an unknown one."""
        return self._tokens.noticed_app(authority, client_id)

    async def removed(self, app_id: str, notice: Notice) -> None:
        """Story: the person removed the app. A notice that is older than their newest consent says nothing any more."""
        await self._database.begin(lambda tx: self._tokens.taken_back(tx, app_id, notice.user_id, notice.issued_at))

    async def delete(self, app_id: str, notice: Notice) -> str:
        """Story: the same, and what names the person is replaced by a mark that only this installation can make; the confirmation code.

        The same person gets the same code again, whether there was anything to delete or not.
        """

        def forget(tx: Tx) -> str:
            now, code = self._clock.now(), self._tokens.mark(tx, "deletion", f"{app_id} {notice.user_id}")[:_CODE]
            grant_id = self._tokens.taken_back(tx, app_id, notice.user_id, notice.issued_at)
            if grant_id:
                alone = self._tokens.standing_alone(tx, grant_id)
                self._on_forgotten(tx, grant_id)
                self._tokens.forget(tx, grant_id)
                events.forget(tx, alone, ("name", "was", "becomes"))
                for row in repository.in_order(repository.by_ids(tx, alone)):
                    mark = self._tokens.mark(tx, "profile", f"{row['id']} {row['external_id']}")
                    forgotten: dict[str, object] = {
                        "external_id": mark,
                        "name": "Deleted profile",
                        "handle": "",
                        "picture": "",
                        "state": "detached",
                    }
                    repository.renew(tx, row["id"], forgotten)
                    facts: dict[str, events.Fact] = {"provider": row["provider"]}
                    place, kind = row["workspace_id"], "profile.data_deleted"
                    events.record(tx, workspace_id=place, type=kind, subject=row["id"], actor="-", facts=facts, now=now)
            repository.keep_deletion(tx, code, app_id, now)
            return code

        return await self._database.begin(forget)

    async def deletion(self, code: str) -> datetime | None:
        """When the deletion with this code was carried out; None for an unknown code."""
        return await self._database.read(lambda tx: repository.deletion(tx, code)) if code.isalnum() and code.isascii() else None
