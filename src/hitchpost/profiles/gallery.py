"""Gallery: profiles' pictures, fetched once from where an adapter says, and served from our own origin."""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Select

from hitchpost.clock import Clock
from hitchpost.db.engine import Database, Tx
from hitchpost.ids import digest, new_token
from hitchpost.networks.base import Adapter
from hitchpost.networks.errors import Fault
from hitchpost.networks.http import NetworkHttp
from hitchpost.profiles import repository
from hitchpost.profiles.pictures import MAX_PICTURE, content_type_of, may_fetch

AT_ONCE = 8
UNUSED_KEPT = timedelta(days=1)
SECONDS = 20.0
"""How long one look may wait for its pictures: what a claim has left when the listing took all of its time."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A stored picture: type by its content, never by what the network said."""

    content_type: str
    content: bytes


class Gallery:
    """Part of the room's service. `seconds`: how long one keeping may take."""

    def __init__(self, database: Database, clock: Clock, http: NetworkHttp, *, seconds: float = SECONDS) -> None:
        self._database, self._clock, self._http, self._seconds = database, clock, http, seconds

    async def keep(self, adapter: Adapter, urls: Iterable[str]) -> Mapping[str, str]:
        """Story: fetch and store what may be fetched; picture names by url. What fails is left out: a picture never stops a connection."""
        sources = {url: digest(f"{adapter.provider} {url}") for url in urls if url and may_fetch(url, adapter.image_hosts)}
        known = await self._database.read(lambda tx: repository.picture_names(tx, sources.values()))
        missing = [(url, source) for url, source in sources.items() if source not in known]
        gate = asyncio.Semaphore(AT_ONCE)

        new: list[tuple[str, Picture]] = []

        async def fetched(url: str, source: str) -> None:
            async with gate:
                if picture := await self._fetch(url):
                    new.append((source, picture))

        with suppress(TimeoutError):
            async with asyncio.timeout(self._seconds):
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

    def drop_unused(self, tx: Tx, kept: Select[tuple[str]]) -> int:
        """Step: forget pictures that nothing shows any more; `kept` finds the names that open flows still show.

        A query, not names: there may be more of them than a statement takes (32,767 on PostgreSQL).
        """
        return repository.drop_unused_pictures(tx, self._clock.now() - UNUSED_KEPT, kept)
