"""Profiles: attach, list and picture what a workspace may post as. A profile keeps its id through every renewal."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import RowMapping

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.events import service as events
from hitchpost.ids import digest, new_id, new_token
from hitchpost.networks.base import Adapter, AppCredentials, Derived
from hitchpost.networks.errors import Fault
from hitchpost.networks.http import NetworkHttp
from hitchpost.profiles import repository
from hitchpost.profiles.pictures import MAX_PICTURE, content_type_of, may_fetch
from hitchpost.tokens.service import TokenKeeper

PICTURES_AT_ONCE = 8
UNUSED_PICTURES_KEPT = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Profile:
    """An attached profile as people and callers see it. `picture`: the name under which we serve it, or empty."""

    id: str
    workspace_id: str
    provider: str
    kind: str
    name: str
    handle: str
    picture: str
    health: str


@dataclass(frozen=True, slots=True)
class Attached:
    """The outcome of an attach: `renewed` when the workspace had the profile before, attached or detached."""

    profile_id: str
    renewed: bool


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture: type by its content, never by what the network said."""

    content_type: str
    content: bytes


def id_scope_of(scope: str, app: AppCredentials) -> str:
    """The stored form of an adapter's id scope: '' or `app:<client id>`."""
    return "" if scope == "global" else f"app:{app.client_id}"


class Profiles:
    """The room's service."""

    picture_seconds = 20.0
    """How long one look may wait for its pictures: what a claim has left when the listing took all of its time."""

    def __init__(self, database: Database, clock: Clock, tokens: TokenKeeper, http: NetworkHttp) -> None:
        self._database = database
        self._clock = clock
        self._tokens = tokens
        self._http = http

    def attach(
        self,
        tx: Tx,
        *,
        workspace_id: str,
        provider: str,
        app: AppCredentials,
        grant_id: str,
        derived: Derived,
        picture: str,
        person_id: str,
    ) -> Attached:
        """Step: the candidate becomes a Profile, or renews it in place with the same id; its backing and event in the same commit."""
        candidate, now = derived.candidate, self._clock.now()
        scope = id_scope_of(candidate.id_scope, app)
        identity = {"workspace_id": workspace_id, "provider": provider, "kind": str(candidate.kind), "id_scope": scope}
        fresh: dict[str, object] = {
            "id": new_id(),
            **identity,
            "external_id": candidate.external_id,
            "name": "",
            "handle": "",
            "picture": "",
        }
        new = repository.add(tx, {**fresh, "state": "detached", "attached_at": now, "attached_by": person_id})
        known = repository.find(tx, workspace_id, provider, candidate.kind, scope, candidate.external_id)
        profile_id, was = str(known["id"]), known["state"]
        shown: dict[str, object] = {"name": candidate.name, "handle": candidate.handle, "state": "attached"}
        repository.renew(tx, profile_id, shown | ({"picture": picture} if picture else {}))
        self._tokens.back(tx, profile_id=profile_id, grant_id=grant_id, derived=derived, confirmed_by=person_id)
        kind = "profile.renewed" if was == "attached" else "profile.attached"
        facts: dict[str, str | int | bool | list[str]] = {"provider": provider, "name": candidate.name, "kind": str(candidate.kind)}
        events.record(tx, workspace_id=workspace_id, type=kind, subject=profile_id, actor=person_id, facts=facts, now=now)
        return Attached(profile_id, renewed=not new)

    async def of_workspaces(self, workspace_ids: Sequence[str]) -> tuple[Profile, ...]:
        """The attached profiles of these workspaces, by provider and name, with their health."""
        return await self._database.read(lambda tx: self._listed(tx, repository.attached(tx, workspace_ids)))

    def by_ids(self, tx: Tx, ids: Sequence[str]) -> tuple[Profile, ...]:
        """Step: these profiles, by name."""
        return self._listed(tx, repository.by_ids(tx, ids))

    def _listed(self, tx: Tx, rows: Sequence[RowMapping]) -> tuple[Profile, ...]:
        standing = self._tokens.standing(tx, [str(row["id"]) for row in rows])
        return tuple(
            Profile(
                row["id"],
                row["workspace_id"],
                row["provider"],
                row["kind"],
                row["name"],
                row["handle"],
                row["picture"],
                standing[row["id"]].state,
            )
            for row in rows
        )

    def connected(self, tx: Tx, workspace_id: str, provider: str) -> frozenset[tuple[str, str, str]]:
        """Step: the identities (kind, id scope, external id) that the workspace has attached at this network."""
        rows = repository.attached(tx, [workspace_id])
        return frozenset((row["kind"], row["id_scope"], row["external_id"]) for row in rows if row["provider"] == provider)

    async def keep_pictures(self, adapter: Adapter, urls: Iterable[str]) -> Mapping[str, str]:
        """Story: fetch and store what may be fetched; picture names by url. What fails is left out: a picture never stops a connection."""
        sources = {url: digest(f"{adapter.provider} {url}") for url in urls if url and may_fetch(url, adapter.image_hosts)}
        known = await self._database.read(lambda tx: repository.picture_names(tx, sources.values()))
        missing = [(url, source) for url, source in sources.items() if source not in known]
        gate = asyncio.Semaphore(PICTURES_AT_ONCE)

        new: list[tuple[str, Picture]] = []

        async def fetched(url: str, source: str) -> None:
            async with gate:
                if picture := await self._fetch(url):
                    new.append((source, picture))

        with suppress(TimeoutError):
            async with asyncio.timeout(self.picture_seconds):
                await asyncio.gather(*(fetched(url, source) for url, source in missing))
        if new:
            known |= await self._database.begin(lambda tx: self._stored(tx, new))
        return {url: known[source] for url, source in sources.items() if source in known}

    def _stored(self, tx: Tx, found: Sequence[tuple[str, Picture]]) -> dict[str, str]:
        now = self._clock.now()
        return {
            source: repository.add_picture(tx, new_token(), source, picture.content_type, picture.content, now) for source, picture in found
        }

    async def _fetch(self, url: str) -> Picture | None:
        try:
            answer = await self._http.send("GET", url, max_bytes=MAX_PICTURE)
        except Fault:
            return None
        kind = content_type_of(answer.body) if answer.status == 200 else None
        return Picture(kind, answer.body) if kind else None

    async def picture(self, name: str) -> Picture | None:
        """The stored picture of this name."""
        row = await self._database.read(lambda tx: repository.picture(tx, name))
        return None if row is None else Picture(row["content_type"], row["content"])

    def drop_unused_pictures(self, tx: Tx, kept: Iterable[str]) -> int:
        """Step: forget pictures that nothing shows any more; `kept`: those that open flows still show."""
        return repository.drop_unused_pictures(tx, self._clock.now() - UNUSED_PICTURES_KEPT, kept)
