"""R2: whoever comes late with a network's answer, his lease long over, changes nothing that is newer."""

import asyncio
import os
import signal
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from urllib.parse import parse_qs

import httpx2
import pytest

from hitchpost.networks.base import TokenSet
from hitchpost.tokens.service import Fresh
from hitchpost_sandbox.apps import X_APP
from hitchpost_sandbox.faults import Fault
from tests.conftest import Scale
from tests.faults.held import Held, until
from tests.faults.stage import ENGINES, TWO_HOURS, Stage, place, staged

BEYOND_THE_LEASE = timedelta(minutes=3)
NO, PAIR, CONSENT, NOBODY = "a late no", "a late pair", "a new consent", "nobody else"
"""What the holder's answer is late for: another process has renewed and the answer is a no, or another pair; the person has consented
anew; nobody has done anything, and it is as good as ever."""
AT_ONCE = 20


def sent(request: httpx2.Request) -> str:
    """The refresh token that a call sends."""
    return parse_qs(request.content.decode()).get("refresh_token", [""])[0]


def late_pair(request: httpx2.Request) -> httpx2.Response:
    body = {"token_type": "bearer", "expires_in": 7200, "access_token": f"late-{sent(request)}", "refresh_token": f"older-{sent(request)}"}
    return httpx2.Response(200, json=body)


@dataclass(slots=True)
class Trial:
    """One grant whose holder is late. `kind`: what he is late for."""

    kind: str
    grant_id: str
    number: int
    refresh: str
    held: "asyncio.Task[Fresh] | None" = None


def words(tokens: TokenSet) -> tuple[str, str]:
    assert tokens.refresh is not None
    return tokens.access.reveal(), tokens.refresh.reveal()


async def judged(stage: Stage, trial: Trial) -> None:
    """The newest tokens stand, they live at the network, and who asked late got those."""
    assert trial.held is not None
    (row,) = await stage.rows("SELECT state, claim_id, version FROM grants WHERE id = :id", id=trial.grant_id)
    assert (row["state"], row["claim_id"]) == ("live", ""), trial.kind
    held = words(await stage.tokens_of(trial.grant_id))
    living = {one.value for one in stage.x.living(person=f"person-{trial.number}")}
    assert set(held) <= living, f"{trial.kind}: what stands is dead at the network"
    newest = [one for one in stage.x.tokens if one.person == f"person-{trial.number}" and one.kind == "refresh"][-1]
    assert held[1] == newest.value, f"{trial.kind}: an older token overwrote a newer one"
    answer = await trial.held
    assert answer.version == row["version"]
    assert answer.tokens.access.reveal() == held[0], f"{trial.kind}: the late one was given something older"


@pytest.mark.parametrize("engine", ENGINES)
async def test_R2_a_late_holder_overwrites_nothing_newer(tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale) -> None:
    rounds = scale(short=2, full=50)
    async with staged(tmp_path, await place(request, engine), apps=(X_APP,)) as stage:
        held = Held()
        late = await stage.another(held)
        grants = await stage.people(AT_ONCE)
        overwritten = 0
        for _ in range(rounds):
            stage.forward(TWO_HOURS)
            held.hold()
            trials: dict[str, Trial] = {}
            for number, grant_id in enumerate(grants):
                refresh = words(await stage.tokens_of(grant_id))[1]
                trials[refresh] = Trial((NO, PAIR, CONSENT, NOBODY)[number % 4], grant_id, number, refresh)
            held.name = lambda call, trials=trials: trials[sent(call)].kind  # type: ignore[misc]
            # A no: the network hears of the call when another has renewed. A pair: it would have given two, as some networks do.
            held.before = lambda call, trials=trials: trials[sent(call)].kind in (NO, PAIR)  # type: ignore[misc]
            held.after = lambda call, trials=trials: trials[sent(call)].kind in (CONSENT, NOBODY)  # type: ignore[misc]
            held.late = lambda call, trials=trials: late_pair(call) if trials[sent(call)].kind == PAIR else None  # type: ignore[misc]
            for one in trials.values():
                one.held = asyncio.create_task(late.tokens.fresh(one.grant_id))
            await until(lambda: held.waiting == AT_ONCE)
            stage.forward(BEYOND_THE_LEASE)
            held.let_go(NOBODY)
            await asyncio.gather(*(one.held for one in trials.values() if one.held and one.kind == NOBODY))
            anew = [one.number for one in trials.values() if one.kind == CONSENT]
            await stage.services.database.begin(lambda tx, anew=anew: [stage.consented(tx, number) for number in anew])  # type: ignore[misc]
            assert await stage.services.tokens.renew_due() == AT_ONCE // 2
            for kind in (NO, PAIR, CONSENT):
                held.let_go(kind)
            await asyncio.gather(*(one.held for one in trials.values() if one.held))
            for one in trials.values():
                await judged(stage, one)
                overwritten += 1
        await late.close()
        assert await stage.rows("SELECT 1 FROM events WHERE type = 'profile.reconnect_required'") == []
        print(f"\n{engine}: {overwritten} late answers, none changed anything newer")


@pytest.mark.parametrize("engine", ENGINES)
async def test_R2_a_process_that_was_stopped_in_the_act_overwrites_nothing_newer(
    tmp_path: Path, request: pytest.FixtureRequest, engine: str, scale: Scale
) -> None:
    async with staged(tmp_path, await place(request, engine), apps=(X_APP,)) as stage:
        (grant_id,) = await stage.people(1)
        for turn in range(scale(short=2, full=20)):
            kind = (NO, CONSENT)[turn % 2]
            stage.forward(TWO_HOURS)
            script = stage.world.faults.add(Fault("hold", network="x", path="*/oauth2/token", acts=kind == CONSENT))
            child = stage.child(act="fresh", grant=grant_id, callers=3, checkpoints=False)
            child.ready()
            await until(lambda script=script: script.holding == 1)  # type: ignore[misc]
            os.kill(child.process.pid, signal.SIGSTOP)
            stage.forward(BEYOND_THE_LEASE)
            if kind == CONSENT:
                await stage.services.database.begin(lambda tx: stage.consented(tx, 0))
            else:
                assert await stage.services.tokens.renew_due() == 1
            newest = words(await stage.tokens_of(grant_id))
            stage.world.faults.remove(script.id)
            os.kill(child.process.pid, signal.SIGCONT)
            code, (said,) = child.ended()
            assert code == 0
            # Its answer was a no, or older than what stands: whoever asked it is given what stands.
            assert said["faults"] == []
            assert words(await stage.tokens_of(grant_id)) == newest
            assert {one.value for one in stage.x.living(person="person-0")} >= set(newest)
            (row,) = await stage.rows("SELECT state, claim_id, version FROM grants")
            assert (row["state"], row["claim_id"]) == ("live", "")
            assert {version for version, _ in said["got"]} == {row["version"]}
