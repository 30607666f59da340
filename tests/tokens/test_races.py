"""Many at once: one grant, one data key, the newest consent; and the end of a grant is acted on by one process alone."""

import asyncio
from datetime import timedelta

from hitchpost.db.engine import Database
from hitchpost.ids import random_bytes
from hitchpost.networks.base import Consent, Subject, TokenSet
from hitchpost.secret import Secret
from hitchpost.tokens.cipher import Place
from hitchpost.tokens.ring import Ring
from hitchpost.tokens.vault import Vault
from tests.support.clock import ManualClock
from tests.support.house import House
from tests.support.people import settled_town

MANY = 20
IN_ANY_ORDER = [(7 * number) % MANY + 1 for number in range(MANY)]


async def test_twenty_consents_of_one_person_at_once_are_one_grant_and_the_last_claimed_stands(any_house: House) -> None:
    keeper, database = any_house.services.tokens, any_house.services.database
    app_id = keeper.logins("x")[0][1].id

    async def record(seq: int) -> str:
        given = Consent(TokenSet(Secret(f"access-{seq}"), refresh=Secret(f"refresh-{seq}")), Subject("1850000000000000101", f"Ada {seq}"))
        return await database.begin(lambda tx: keeper.record_consent(tx, app_id=app_id, consent=given, consent_seq=seq))

    grants = await asyncio.gather(*(record(seq) for seq in IN_ANY_ORDER))
    assert len(set(grants)) == 1
    (row,) = await any_house.rows(
        "SELECT g.name, g.consent_seq, g.version, t.version AS tokens FROM grants g JOIN token_sets t ON t.grant_id = g.id"
    )
    assert (row["name"], row["consent_seq"], row["tokens"]) == (f"Ada {MANY}", MANY, row["version"])
    kept = await database.read(lambda tx: keeper.tokens_of(tx, grants[0]))
    assert (kept.access, kept.refresh) == (Secret(f"access-{MANY}"), Secret(f"refresh-{MANY}"))


async def test_twenty_processes_that_seal_an_owners_first_secret_at_once_share_one_data_key(
    any_database: Database, clock: ManualClock
) -> None:
    ring, place = Ring("one", {"one": random_bytes(32)}), Place("clantern", "token_sets", "sealed", "cgrant")

    async def seal(number: int) -> str:
        return await any_database.begin(lambda tx: Vault(ring, clock).seal(tx, place, Secret(f"canary {number}")))

    sealed = await asyncio.gather(*(seal(number) for number in range(MANY)))
    opened = await any_database.read(lambda tx: [Vault(ring, clock).open(tx, place, text) for text in sealed])
    assert opened == [Secret(f"canary {number}") for number in range(MANY)]
    assert len(await any_database.read(lambda tx: tx.exec_driver_sql("SELECT owner FROM data_keys").all())) == 1


async def test_E8_sweeps_at_once_end_a_grant_once(any_house: House) -> None:
    town = await settled_town(any_house)
    browser = await town.browser("ada")
    await browser.arrive("x", town.lantern)
    any_house.clock.forward(timedelta(minutes=40))
    asked = any_house.ledger.count("call", path="/2/oauth2/revoke")
    ended = await asyncio.gather(*(any_house.services.tokens.sweep_abandoned() for _ in range(5)))
    assert sum(ended) == 1
    # Both tokens of the grant, once each.
    assert any_house.ledger.count("call", path="/2/oauth2/revoke") - asked == 2
