"""Cleo never sees any of Lantern, a role does what the table says, and no call reaches further than its key, person and configuration."""

import re
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest

from hitchpost.db.base import metadata
from hitchpost.ids import new_id
from hitchpost.networks.catalog import discover
from hitchpost.workspaces.roles import RIGHTS, Right, Role
from tests.security.outside import (
    CALLBACK,
    PUBLIC_API,
    START,
    asked,
    attached,
    back_from,
    counts,
    leave,
    logins_of,
    lose_rights,
    path_of,
    picks,
    routes_of,
)
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, PUBLIC_URL, opened
from tests.support.people import Town, settled_town

COLUMNS = sorted({column.name for table in metadata.tables.values() for column in table.columns})
URL_CALL = "social-profiles/connection-url"


def _camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


async def test_C1_C7_every_call_for_a_workspace_by_every_role_and_kind_of_id(town: Town) -> None:
    house = town.house
    admin = await house.person("ann@example.com", "Ann")
    await house.member(town.lantern, admin, Role.ADMIN)
    people = {Role.OWNER: town.ada, Role.ADMIN: admin, Role.CONNECTOR: town.ben, Role.VIEWER: town.vic, None: town.cleo}
    calls = {("POST", URL_CALL): Right.CONNECT, ("GET", "social-profiles"): Right.LIST}
    # A new call below the prefix has to be added here, with the right that it demands.
    personal = {("GET", "me"), ("GET", "workspaces")}
    found = {(one.method, one.path.removeprefix(f"{PUBLIC_API}/")) for one in await routes_of(house) if one.path.startswith(PUBLIC_API)}
    assert found - {(method, path) for method, path in found if method == "HEAD"} == set(calls) | personal
    for role, person in people.items():
        api = house.api(await house.key(person))
        for (method, path), right in calls.items():
            own = await _call(api, method, path, town.lantern)
            expected = 404 if role is None else 200 if right in RIGHTS[role] else 403
            assert own.status_code == expected, (role, path)
            absent = [
                await _call(api, method, path, one)
                for one in (new_id(), "x", town.lantern.upper(), f"{town.lantern} ", "../" + town.lantern)
            ]
            foreign = await _call(api, method, path, town.quill) if role is not None else own
            assert {(one.status_code, one.text) for one in absent} == {(foreign.status_code, foreign.text)}
            assert foreign.status_code == 404
            assert "Quill" not in foreign.text
            assert "Lantern" not in foreign.text


async def _call(api: httpx2.AsyncClient, method: str, path: str, workspace_id: str) -> httpx2.Response:
    body = {"provider": "x"} if method == "POST" else None
    return await api.request(method, path, params={"workspaceId": workspace_id}, json=body)


async def test_C1_every_page_with_an_id_is_absent_for_everybody_but_the_browser_it_belongs_to(town: Town) -> None:
    ada = await town.browser("ada")
    connection = path_of((await ada.arrive("facebook", town.lantern)).url).removeprefix("/connect/")
    pages = [one for one in await routes_of(town.house) if "{id}" in one.path and one.method == "GET"]
    assert pages
    for who in ("ada", "ben", "vic", "cleo"):
        other = await town.browser(who)
        for route in pages:
            seen = [await other.open(route.filled(id=one)) for one in (connection, new_id(), town.lantern, "x", "c" * 25, "%00")]
            assert {(page.status, page.code) for page in seen} == {(404, "not_found")}
            assert not [page for page in seen if "Lantern" in page.text]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_C1_C7_what_cleo_and_vic_see_of_lantern(town: Town, provider: str) -> None:
    ada = await town.browser("ada")
    await ada.attach(await ada.arrive(provider, town.lantern))
    names = {str(row["name"]) for row in await town.house.rows("SELECT name FROM profiles")}
    assert names
    cleo, vic = await town.browser("cleo"), await town.browser("vic")
    hers, his = await cleo.open("/"), await vic.open("/")
    api = town.house.api(await town.house.key(town.cleo))
    answers = [(await api.get(path)).text for path in ("me", "workspaces", f"social-profiles?workspaceId={town.quill}")]
    for text in (hers.text, *answers):
        assert not [name for name in names if name in text]
        assert "Lantern" not in text
    assert all(name in his.text for name in names)
    assert START not in vic.seen[-1]
    await ada.open("/")
    assert START in ada.seen[-1]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_C2_ids_roles_and_statuses_cannot_be_sent(town: Town, provider: str) -> None:
    everything = dict.fromkeys([*COLUMNS, *map(_camel, COLUMNS)], town.quill) | {
        "person_id": town.cleo,
        "role": "owner",
        "status": "attached",
    }
    # A start may name the profile that it is about; a foreign one is refused.
    foreign = everything.pop("profileId")
    mine = {"provider": provider, "workspaceId": town.lantern}
    api = town.house.api(await town.house.key(town.ada))
    answer = await api.post(URL_CALL, params={**everything, "workspaceId": town.lantern}, json=everything | {"provider": provider})
    assert answer.json() == {"url": f"{PUBLIC_URL}{START}?provider={provider}&workspaceId={town.lantern}"}
    ada = await town.browser("ada")
    page = await ada.start(provider, town.lantern)
    refused = await ada.submit(page, page.form(START), [*mine.items(), ("profileId", foreign)])
    assert (refused.status, refused.code) == (404, "profile_not_found")
    await ada.submit(page, page.form(START), list((everything | mine | {"login": ""}).items()))
    (row,) = await town.house.rows("SELECT workspace_id, person_id, provider, status, grant_id, trip FROM authorization_requests")
    expected = {"workspace_id": town.lantern, "person_id": town.ada, "provider": provider, "status": "departed", "grant_id": "", "trip": 1}
    assert row == expected
    page = await ada.arrive(provider, town.lantern)
    chosen = [("pick", key) for key in picks(page)]
    sent = [*chosen, *((name, value) for name, value in everything.items() if name not in ("pick", "form_token"))]
    assert (await ada.submit(page, page.form("/attach"), sent)).code == ""
    rows = await town.house.rows("SELECT DISTINCT workspace_id, provider, attached_by FROM profiles")
    assert rows == [{"workspace_id": town.lantern, "provider": provider, "attached_by": town.ada}]
    assert {row["role"] for row in await town.house.rows(f"SELECT role FROM members WHERE person_id = '{town.cleo}'")} == {"owner"}
    assert len(await town.house.rows("SELECT 1 FROM members")) == 4


@pytest.mark.parametrize("provider", NETWORKS)
async def test_C3_the_workspace_of_the_call_comes_from_one_place(town: Town, provider: str) -> None:
    api = town.house.api(await town.house.key(town.ada))
    body = {"provider": provider, "workspaceId": town.quill, "workspace_id": town.quill}
    own = await api.post(f"{URL_CALL}?workspaceId={town.lantern}", json=body)
    assert asked(own.json()["url"])["workspaceId"] == town.lantern
    foreign = await api.post(f"{URL_CALL}?workspaceId={town.quill}", json=body | {"workspaceId": town.lantern})
    assert foreign.status_code == 404
    for query in (f"workspaceId={town.lantern}&workspaceId={town.quill}", f"workspaceId={town.lantern}&workspaceId={town.lantern}"):
        assert (await api.post(f"{URL_CALL}?{query}", json=body)).json()["code"] == "workspace_id_repeated"
    twice = await (await town.browser("ada")).open(f"{START}?provider={provider}&workspaceId={town.lantern}&workspaceId={town.quill}")
    assert (twice.status, twice.code) == (400, "bad_request")


async def test_C6_the_public_apis_answers_name_no_secret_and_nothing_of_the_rows_insides(town: Town) -> None:
    ada = await town.browser("ada")
    for provider in NETWORKS:
        await ada.attach(await ada.arrive(provider, town.lantern))
    api = town.house.api(await town.house.key(town.ada))
    listed = (await api.get(f"social-profiles?workspaceId={town.lantern}")).json()
    assert {one["provider"] for one in listed} == set(NETWORKS)
    allowed = {"id", "provider", "name", "image", "handle", "kind", "health", "healthDetails"}
    assert {name for one in listed for name in one} == allowed
    assert set((await api.get("me")).json()) == {"id", "name", "email"}
    assert {name for one in (await api.get("workspaces")).json() for name in one} == {"id", "name", "userCount", "role"}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_C8_a_network_that_is_not_configured_falls_back_to_nobodys_app(tmp_path: Path, clock: ManualClock, provider: str) -> None:
    slots = {login.slot for login in discover()[provider].logins}
    nothing = {f"HITCHPOST_APP_{slot.upper()}_CLIENT_{part}": "" for slot in slots for part in ("ID", "SECRET")}
    async with opened(tmp_path, clock, extra=nothing) as house:
        town = await settled_town(house)
        api, ada = house.api(await house.key(town.ada)), await town.browser("ada")
        called = await api.post(f"{URL_CALL}?workspaceId={town.lantern}", json={"provider": provider})
        assert (called.status_code, called.json()["code"]) == (400, "provider_not_configured")
        start, home = await ada.start(provider, town.lantern), await ada.open("/")
        assert (start.status, start.code) == (400, "provider_not_configured")
        assert f"provider={provider}&" not in ada.seen[-1]
        assert home.status == 200
        fields = dict(home.form("/sign-out").fields) | {"provider": provider, "workspaceId": town.lantern}
        assert (await ada.post(START, fields)).code == "provider_not_configured"
        assert await house.rows("SELECT 1 FROM authorization_requests") == []
        assert house.ledger.read() == ()


@pytest.mark.parametrize("provider", NETWORKS)
async def test_C12_a_deactivated_person_is_out_by_session_key_and_open_flow(town: Town, provider: str) -> None:
    browser, api = await town.browser("ben"), town.house.api(await town.house.key(town.ben))
    back = await back_from(browser, provider, town.lantern, "ben")
    call = f"{URL_CALL}?workspaceId={town.lantern}"
    assert (await api.post(call, json={"provider": provider})).status_code == 200
    await lose_rights(town, "deactivated")
    assert (await api.post(call, json={"provider": provider})).status_code == 403
    assert path_of((await browser.open("/")).url) == "/sign-in"
    assert (await browser.open(back)).code == "other_browser"
    assert (await browser.sign_in("ben@example.com")).code == "sign_in_refused"
    assert await attached(town.house, town.lantern) == []
    assert town.house.ledger.count("code_redeemed") == 0


ADDRESSES = re.compile(r"(^|_)(url|uri|host|endpoint|issuer|origin|address|base)(_|$)")


async def test_C13_D6_nothing_that_can_be_sent_or_stored_names_where_a_credential_goes(town: Town) -> None:
    stored = {
        f"{table.name}.{column.name}" for table in metadata.tables.values() for column in table.columns if ADDRESSES.search(column.name)
    }
    assert stored == {"authorization_requests.redirect_uri"}
    document = (await town.house.browser().client.get(f"{PUBLIC_URL}/openapi.json")).json()
    taken: set[str] = set()
    for path in document["paths"].values():
        for operation in path.values():
            taken |= {one["name"] for one in operation.get("parameters", ())}
            schema = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
            taken |= set(schema.get("properties", {}))
    assert taken == {"workspaceId", "provider", "profileId"}
    # Ids of stored things and addresses of the caller's never meet in one form either.
    forms = {one.path for one in await routes_of(town.house) if one.method == "POST"}
    assert {path for path in forms if "{id}" in path} == {f"/connect/{{id}}/{act}" for act in ("attach", "again", "look", "cancel")}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_D6_no_request_moves_a_networks_addresses(town: Town, provider: str) -> None:
    evil = "https://evil.example/token"
    names = (
        "iss",
        "issuer",
        "token_endpoint",
        "authorization_endpoint",
        "token_url",
        "networks_at",
        "api_domain",
        "accounts-server",
        "url",
    )
    ada = await town.browser("ada")
    page = await ada.start(provider, town.lantern)
    moving = await ada.submit(page, page.form(START), [(name, evil) for name in names])
    assert "evil.example" not in moving.refresh
    back = (await back_from(ada, provider, town.lantern)).partition("#")[0]
    others = "&".join(f"{name}={evil}" for name in names if name != "iss")
    await ada.attach(await ada.settle(await ada.open(f"{back}&{others}")))
    assert await attached(town.house, town.lantern)
    known = {
        urlsplit(url).hostname for login in logins_of(town.house, provider) for url in (login.oauth.authorize_url, login.oauth.token_url)
    }
    called = {str(entry.facts["host"]) for entry in town.house.ledger.read(what="call")}
    assert known & called
    assert not [host for host in called if "evil" in host]


async def test_C1_the_callback_of_a_network_that_nobody_knows_is_absent(town: Town) -> None:
    ada, before = await town.browser("ada"), await counts(town.house)
    state = asked(await leave(ada, "x", town.lantern))["state"]
    for provider in ("X", "twitter", "x.com", "facebook,x", "..", "%2e"):
        page = await ada.open(f"{CALLBACK}/{provider}?code=c&state={state}")
        assert (page.status, page.code) == (404, "not_found")
    assert await counts(town.house) == before | {"authorization_requests": 1, "connect_sessions": 1}
