"""G1: what Meta tells of people who leave is believed when this app's secret signed it, acted on once, and ends no newer consent."""

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from urllib.parse import urlsplit

import httpx2
import pytest

from hitchpost.db.base import metadata
from hitchpost.db.engine import Tx
from hitchpost_sandbox.apps import INSTAGRAM_APP, META_APP, X_APP, App
from hitchpost_sandbox.outgoing import Heard
from hitchpost_sandbox.signed_request import signed
from tests.profiles.test_health import connected, health, listed
from tests.support.house import PUBLIC_URL, House
from tests.support.people import Town, settled_town

LOGINS = [("facebook", "facebook", META_APP, "meta"), ("instagram", "instagram", INSTAGRAM_APP, "instagram")]
CANARIES = ("Lantern Bakery", "lanternbakery", "adalantern", "Ada Lantern")


class Post:
    """Carries what the sandbox's networks tell to the server itself."""

    def __init__(self, house: House) -> None:
        self._house, self.sent, self.answers = house, list[tuple[str, dict[str, str]]](), list[str]()
        house.world.outgoing.tell = self.tell  # type: ignore[method-assign]

    async def tell(self, url: str, form: dict[str, str]) -> Heard:
        self.sent.append((url, form))
        async with httpx2.AsyncClient(transport=self._house.wire) as client:
            answer = await client.post(url, data=form)
        self.answers.append(answer.text)
        return Heard(answer.status_code, answer.text)


def address(app: App, authority: str, what: str) -> str:
    return f"{PUBLIC_URL}/api/networks/{authority}/{app.client_id}/{what}"


def registered(house: House, app: App, authority: str) -> None:
    """The app's portal names our addresses, as its page in the docs says."""
    there = next(one for one in house.world.apps if one.client_id == app.client_id)
    addresses = {"deauthorize_url": address(app, authority, "deauthorize"), "deletion_url": address(app, authority, "data-deletion")}
    house.world.register(replace(there, options={**there.options, **addresses}))


async def told(house: House, url: str, secret: str, **payload: object) -> httpx2.Response:
    fields: dict[str, object] = {"algorithm": "HMAC-SHA256", "issued_at": int(house.clock.now().timestamp()), "user_id": "1"} | payload
    async with httpx2.AsyncClient(transport=house.wire) as client:
        return await client.post(url, data={"signed_request": signed(secret, fields)})


async def subject_of(house: House) -> str:
    (row,) = await house.rows("SELECT subject FROM grants")
    return str(row["subject"])


@pytest.mark.parametrize(("provider", "network", "app", "authority"), LOGINS)
@pytest.mark.parametrize("turn", ["revoked", "data_deletion"])
async def test_G1_who_removes_the_app_is_disconnected_at_once(
    any_house: House, provider: str, network: str, app: App, authority: str, turn: str
) -> None:
    town, post = await settled_town(any_house), Post(any_house)
    registered(any_house, app, authority)
    profiles = await connected(town, provider, login=provider)
    any_house.clock.forward(timedelta(seconds=any_house.world.clock.now().timestamp() - any_house.clock.now().timestamp() + 60))
    await any_house.befall(network, turn)
    assert [urlsplit(url).path.rpartition("/")[2] for url, _ in post.sent] == ["deauthorize" if turn == "revoked" else "data-deletion"]
    assert await any_house.rows("SELECT * FROM token_sets") == []
    assert await any_house.rows("SELECT * FROM reaches WHERE sealed_token <> ''") == []
    if turn == "revoked":
        assert {one["health"] for one in await listed(town)} == {"reconnect_required"}
        assert (await health(town, profiles[0]["id"])).json()["code"] == "access_revoked"
        return
    assert await listed(town) == []
    everything = [await any_house.rows(f"SELECT * FROM {table}") for table in ("grants", "reaches", "profiles", "authorization_requests")]
    for canary in CANARIES:
        assert canary not in json.dumps(everything, default=str)
    (said,) = [str(one.facts["answer"]) for one in any_house.ledger.read() if "deletion" in str(one.facts.get("kind", ""))]
    assert said.startswith("accepted: ")
    answer = json.loads(post.answers[0])
    status = await any_house.browser().open(answer["url"])
    assert answer["confirmation_code"] in status.text
    assert "Your data is deleted" in status.text


@pytest.mark.parametrize(("provider", "network", "app", "authority"), LOGINS)
async def test_G1_what_is_not_signed_with_this_apps_secret_changes_nothing(
    town: Town, provider: str, network: str, app: App, authority: str
) -> None:
    await connected(town, provider, login=provider)
    house, user = town.house, await subject_of(town.house)
    for what in ("deauthorize", "data-deletion"):
        url = address(app, authority, what)
        refused = [
            await told(house, url, X_APP.client_secret, user_id=user),
            await told(house, url, app.client_secret, user_id=user, algorithm="none"),
            await told(house, url, app.client_secret, user_id=user, algorithm="HMAC-SHA1"),
            await told(house, url, app.client_secret, user_id=""),
            await told(house, url, app.client_secret, user_id=["1"]),
        ]
        good = signed(app.client_secret, {"algorithm": "HMAC-SHA256", "user_id": user})
        signature, _, payload = good.partition(".")
        async with httpx2.AsyncClient(transport=house.wire) as client:
            texts = ("", ".", f"{signature}.", f".{payload}", payload, f"{signature[:-2]}AA.{payload}", f"{good}x", "ä.ü", "a" * 9000)
            refused += [await client.post(url, data={"signed_request": text}) for text in texts]
        assert {(one.status_code, one.json()["code"]) for one in refused} == {(400, "signed_request_invalid")}
        stranger = await told(house, address(X_APP, authority, what), X_APP.client_secret, user_id=user)
        assert (stranger.status_code, stranger.json()["code"]) == (404, "not_found")
    assert {one["health"] for one in await listed(town)} == {"healthy"}
    assert await house.rows("SELECT * FROM deletions") == []


async def test_G1_ten_copies_act_once_and_say_the_same(town: Town) -> None:
    await connected(town, "facebook")
    house, user = town.house, await subject_of(town.house)
    answers = [await told(house, address(META_APP, "meta", "data-deletion"), META_APP.client_secret, user_id=user) for _ in range(10)]
    assert {one.text for one in answers} == {answers[0].text}
    events = await house.rows("SELECT subject FROM events WHERE type = 'profile.data_deleted'")
    assert len(events) == len({row["subject"] for row in events}) > 0
    nobody = await told(house, address(META_APP, "meta", "data-deletion"), META_APP.client_secret, user_id="123")
    assert nobody.json()["confirmation_code"] != answers[0].json()["confirmation_code"]


async def test_G1_an_old_notice_does_not_end_a_newer_consent(town: Town) -> None:
    house = town.house
    await connected(town, "facebook")
    user, then = await subject_of(house), int(house.clock.now().timestamp())
    house.forward(timedelta(hours=1))
    await connected(town, "facebook")
    for late in (then, int(house.clock.now().timestamp()) - 60):
        answer = await told(house, address(META_APP, "meta", "deauthorize"), META_APP.client_secret, user_id=user, issued_at=late)
        assert answer.status_code == 200
    assert {one["health"] for one in await listed(town)} == {"healthy"}
    # Where clocks may deceive, the network is asked instead.
    assert await house.services.tokens.examine_due() > 0
    assert {one["health"] for one in await listed(town)} == {"healthy"}


def everything(tx: Tx) -> str:
    """Every cell of every table, as text."""
    return "\n".join(str(tuple(row)) for table in metadata.sorted_tables for row in tx.execute(table.select()))


async def test_G1_after_a_deletion_nothing_that_is_stored_names_the_person_or_their_pages(any_house: House) -> None:
    town, house = await settled_town(any_house), any_house
    await connected(town, "facebook")
    await house.befall("facebook", "page_removed", target="101755847768001")
    house.forward(timedelta(days=1, hours=6))
    await house.services.tokens.examine_due()
    names = {str(row["name"]) for row in await house.rows("SELECT name FROM profiles UNION SELECT name FROM grants")}
    ids = {str(row["id"]) for row in await house.rows("SELECT external_id AS id FROM profiles UNION SELECT subject FROM grants")}
    before = await house.services.database.read(everything)
    assert {one for one in names | ids if one in before} == names | ids
    kept = await house.rows("SELECT id, type FROM events ORDER BY id")
    answer = await told(house, address(META_APP, "meta", "data-deletion"), META_APP.client_secret, user_id=await subject_of(house))
    assert answer.status_code == 200
    after = await house.services.database.read(everything)
    assert {one for one in names | ids if one in after} == set()
    # What happened stays on record, without the names.
    assert {str(row["id"]) for row in kept} <= {str(row["id"]) for row in await house.rows("SELECT id FROM events")}


async def test_a_person_whose_data_was_deleted_may_come_again_as_somebody_new(town: Town) -> None:
    before: Mapping[str, object] = (await connected(town, "facebook"))[0]
    house, user = town.house, await subject_of(town.house)
    await told(house, address(META_APP, "meta", "data-deletion"), META_APP.client_secret, user_id=user)
    again = await connected(town, "facebook")
    assert {one["health"] for one in again} == {"healthy"}
    assert before["id"] not in {one["id"] for one in again}


@pytest.mark.parametrize("code", ["0" * 24, "x", "%00", "..%2f", "'"])
async def test_a_status_page_of_an_unknown_deletion_is_not_there(house: House, code: str) -> None:
    page = await house.browser().open(f"/data-deletion/{code}")
    assert (page.status, page.code) == (404, "not_found")
