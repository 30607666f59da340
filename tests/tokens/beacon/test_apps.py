"""Configured apps: which network each serves, what is refused by the variable's name, and that an app once used stays readable."""

from dataclasses import replace

import pytest
from structlog.testing import capture_logs

from hitchpost.secret import Secret
from hitchpost.settings import AppSettings, BadSettings
from hitchpost.tokens.ring import BadRing
from tests.tokens.beacon.room import BEACON, Room

PAGES = AppSettings("beacon_pages", "pages-client", Secret("canary-pages-secret"))


def ways(room: Room, provider: str) -> list[tuple[str, str]]:
    return [(login.key, app.client_id) for login, app in room.keeper.logins(provider)]


async def test_an_app_serves_every_network_that_has_a_login_with_its_slot(room: Room) -> None:
    assert ways(room, "beacon") == ways(room, "harbour") == [("beacon", "beacon-client")]
    assert ways(room, "unheard-of") == []


async def test_the_operator_says_which_networks_an_app_serves(room: Room) -> None:
    await room.configure(replace(BEACON, providers=("harbour",)))
    assert ways(room, "beacon") == []
    assert ways(room, "harbour") == [("beacon", "beacon-client")]


async def test_two_slots_of_one_network_are_two_ways_in_the_adapters_order(room: Room) -> None:
    await room.configure(PAGES, BEACON)
    assert ways(room, "beacon") == [("beacon", "beacon-client"), ("beacon_pages", "pages-client")]


async def test_an_app_is_what_the_operator_wrote(room: Room) -> None:
    await room.configure(replace(BEACON, variant="B", scopes=("post", "read"), version="v9"))
    [(_, app)] = room.keeper.logins("beacon")
    assert (app.client_secret, app.variant, app.scopes, app.version) == (Secret("canary-client-secret"), "B", ("post", "read"), "v9")


async def test_starting_again_keeps_the_app_and_its_grants(room: Room) -> None:
    grant_id = await room.consented()
    await room.configure(BEACON)
    assert [row["id"] for row in await room.rows("SELECT id FROM apps")] == [room.app_id]
    assert await room.consented() == grant_id


async def test_a_new_secret_replaces_the_old_one_and_heals_the_app(room: Room) -> None:
    await room.run("UPDATE apps SET state = 'operator_fault'")
    await room.configure(BEACON)
    assert [row["state"] for row in await room.rows("SELECT state FROM apps")] == ["operator_fault"]
    await room.configure(replace(BEACON, client_secret=Secret("canary-new-secret")))
    assert room.keeper.app(room.app_id).client_secret == Secret("canary-new-secret")
    assert [row["state"] for row in await room.rows("SELECT state FROM apps")] == ["ok"]


async def test_another_client_id_is_another_app_and_the_older_one_stays_readable(room: Room) -> None:
    grant_id = await room.consented()
    await room.configure(replace(BEACON, client_id="second-client"))
    [(_, app)] = room.keeper.logins("beacon")
    assert app.id != room.app_id
    assert room.keeper.app(room.app_id).client_id == "beacon-client"
    assert await room.consented(app_id=app.id) != grant_id
    assert (await room.tokens(grant_id)).access == Secret("canary-access")


@pytest.mark.parametrize(
    ("app", "variable"),
    [
        (AppSettings("lighthouse", "id", Secret("s")), "HITCHPOST_APP_LIGHTHOUSE_"),
        (replace(BEACON, variant="C"), "HITCHPOST_APP_BEACON_VARIANT"),
        (replace(PAGES, variant="A"), "HITCHPOST_APP_BEACON_PAGES_VARIANT"),
        (replace(PAGES, providers=("harbour",)), "HITCHPOST_APP_BEACON_PAGES_PROVIDERS"),
        (replace(BEACON, providers=("beacon", "facebok")), "HITCHPOST_APP_BEACON_PROVIDERS"),
    ],
)
async def test_what_no_network_knows_is_refused_by_the_variables_name(room: Room, app: AppSettings, variable: str) -> None:
    with pytest.raises(BadSettings, match=variable) as caught:
        await room.configure(app)
    assert "canary" not in str(caught.value)


async def test_one_app_in_two_slots_is_refused_by_both_names(room: Room) -> None:
    with pytest.raises(BadSettings, match="HITCHPOST_APP_BEACON_CLIENT_ID and HITCHPOST_APP_BEACON_PAGES_CLIENT_ID"):
        await room.configure(BEACON, replace(PAGES, client_id="beacon-client"))


async def test_E1_a_stored_secret_that_was_changed_stops_the_start_with_a_sentence(room: Room) -> None:
    await room.run("UPDATE apps SET sealed_secret = 'v1.one.AAAA'")
    with pytest.raises(BadRing, match=f"beacon-client does not open: row {room.app_id} of apps"):
        await room.configure(BEACON)


@pytest.mark.parametrize(
    ("app", "sentence"),
    [
        (AppSettings("beakon", "id", Secret("")), "HITCHPOST_APP_BEAKON_…: no network has an app slot beakon (did you mean beacon?)"),
        (replace(BEACON, client_secret=Secret("")), "HITCHPOST_APP_BEACON_CLIENT_SECRET is missing: an app needs both"),
        (replace(BEACON, client_id=""), "HITCHPOST_APP_BEACON_CLIENT_ID is missing: an app needs both"),
        (replace(BEACON, version="banana"), "HITCHPOST_APP_BEACON_VERSION must be of the form v1"),
        (replace(PAGES, version="v1"), "HITCHPOST_APP_BEACON_PAGES_VERSION must be left out: this network's API has no versions"),
        (replace(BEACON, scopes=("read", '"post"')), "HITCHPOST_APP_BEACON_SCOPES: '\"post\"' cannot be a scope"),
    ],
)  # fmt: skip
async def test_a_setting_of_an_app_that_cannot_work_is_said_with_what_can(room: Room, app: AppSettings, sentence: str) -> None:
    with pytest.raises(BadSettings) as caught:
        await room.configure(app)
    assert str(caught.value).startswith(sentence)


async def test_a_scope_that_is_not_known_is_warned_of_with_the_nearest_and_asked_for(room: Room) -> None:
    with capture_logs() as logs:
        await room.configure(replace(BEACON, scopes=("post", "posts", "levitate")))
    assert [(one["setting"], one["detail"]) for one in logs if one["log_level"] == "warning"] == [
        ("HITCHPOST_APP_BEACON_SCOPES", "posts is not a scope that is known here (did you mean post?)"),
        ("HITCHPOST_APP_BEACON_SCOPES", "levitate is not a scope that is known here"),
    ]
    [(_, app)] = room.keeper.logins("beacon")
    assert app.scopes == ("post", "posts", "levitate")
