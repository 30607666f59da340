"""E8: former tokens that the network does not end keep neither each other nor the present one alive, and none is forgotten unended."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from hitchpost.networks.base import Call, Revocation, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.tokens.revoke import STOPPING, Fate, Revoke
from tests.tokens.beacon.network import Beacon, consent
from tests.tokens.beacon.room import Room, opened

AGAIN = timedelta(hours=7)


class Picky(Beacon):
    """A network that fails to end these tokens, by answering so, or by saying nothing at all (None)."""

    def __init__(self, kept: dict[str, FaultKind | None]) -> None:
        super().__init__()
        self.kept = kept

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        name = tokens.access.reveal()
        # A call takes a moment: whose time is over does not get there.
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        if name not in self.kept:
            return await super().revoke(call, tokens, subject)
        if (kind := self.kept[name]) is None:
            await asyncio.Event().wait()
        assert kind is not None
        raise Fault(kind, "http_500")


async def connected(room: Room, *names: str) -> str:
    for name in names:
        grant_id = await room.consented(consent(access=name, refresh=None))
    return grant_id


@pytest.mark.parametrize("kind", [FaultKind.TRANSIENT, FaultKind.FATE_UNKNOWN, FaultKind.UNINTELLIGIBLE, FaultKind.BLOCKED])
async def test_E8_one_that_always_fails_keeps_no_other_alive_and_is_tried_again(room: Room, kind: FaultKind) -> None:
    grant_id, network = await connected(room, "one", "two", "three", "present"), Picky({"two": kind})
    async with opened(room.database, room.clock, network=network) as process:
        assert await process.keeper.end(grant_id) is Fate.REVOKING
        assert sorted(network.revoked) == ["one", "present", "three"]
        assert network.revoked[-1] == "present"
        network.kept.clear()
        network.revoked.clear()
        room.clock.forward(AGAIN)
        assert await process.keeper.end(grant_id) is Fate.REVOKED
        # What has ended is asked no more, but for the last one, by which some networks end the whole login.
        assert network.revoked == ["two", "present"]


async def test_E8_however_many_always_fail_the_others_end_and_the_network_is_not_hammered(room: Room) -> None:
    failing = [f"bad {number}" for number in range(7)]
    grant_id = await connected(room, *failing, "good", "present")
    network = Picky(dict.fromkeys(failing, FaultKind.TRANSIENT))
    async with opened(room.database, room.clock, network=network) as process:
        for _ in range(4):
            assert await process.keeper.end(grant_id) is Fate.REVOKING
            room.clock.forward(AGAIN)
        assert set(network.revoked) == {"good", "present"}
        network.kept.clear()
        room.clock.forward(AGAIN)
        assert await process.keeper.end(grant_id) is Fate.REVOKED
        assert set(network.revoked) == {*failing, "good", "present"}


@pytest.mark.parametrize("kind", STOPPING)
async def test_R17_a_network_that_says_not_now_is_asked_nothing_more(room: Room, kind: FaultKind) -> None:
    grant_id, network = await connected(room, "one", "two", "present"), Picky({"one": kind, "two": kind})
    async with opened(room.database, room.clock, network=network) as process:
        assert await process.keeper.end(grant_id) is Fate.REVOKING
        assert network.revoked == []


async def test_E8_the_silence_of_some_leaves_time_for_the_others_and_the_present(room: Room) -> None:
    network, (login, app) = Picky({"one": None, "two": None}), room.keeper.logins("beacon")[0]
    one, two, three = (consent(access=name).tokens for name in ("one", "two", "three"))
    tokens = replace(consent(access="present").tokens, former=(one, two, three))
    claimed = Revoke(app.id, 1, "ada", 1, room.clock.now(), Fate.DESTROYED, (network, login, app, tokens), within=0.8)
    http = NetworkHttp("http://sandbox.test")
    done = await claimed.act(http, room.clock)
    await http.close()
    assert network.revoked == ["three", "present"]
    assert (done.fate, done.former) == (None, (one, two))
    assert done.fault is not None
    assert done.fault.kind is FaultKind.FATE_UNKNOWN
