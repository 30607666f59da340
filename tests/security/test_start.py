"""Opening a start URL, whoever sent it: nobody's account moves anywhere, and nothing leaves for a network without a person's POST."""

import pytest

from hitchpost.demo.browser import refresh_target
from hitchpost.ids import new_id
from tests.security.outside import PUBLIC_API, START, asked, counts, form_token, leave, raw
from tests.support.house import NETWORKS, PUBLIC_URL
from tests.support.people import Town


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A1_a_start_url_of_a_foreign_workspace_is_absent_and_leads_to_no_network(town: Town, provider: str) -> None:
    browser, before = await town.browser("ada"), await counts(town.house)
    own = await browser.start(provider, town.lantern)
    for workspace_id in (town.quill, new_id(), "Lantern"):
        opened = await browser.start(provider, workspace_id)
        posted = await browser.submit(own, own.form(START), [("workspaceId", workspace_id)])
        for page in (opened, posted):
            assert (page.status, page.code, page.refresh) == (404, "workspace_not_found", "")
            assert "Quill" not in page.text
    assert await counts(town.house) == before
    assert town.house.ledger.read() == ()


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A1_a_member_without_the_right_is_told_who_can_help(town: Town, provider: str) -> None:
    browser, before = await town.browser("vic"), await counts(town.house)
    home = await browser.open("/")
    opened = await browser.start(provider, town.lantern)
    fields = {"provider": provider, "workspaceId": town.lantern, "form_token": form_token(home)}
    for page in (opened, await browser.post(START, fields)):
        assert (page.status, page.code) == (403, "role_insufficient")
        assert "Ada" in page.text
    assert await counts(town.house) == before
    assert town.house.ledger.read() == ()


async def test_A1_signed_out_a_start_url_leads_to_sign_in_whether_the_workspace_exists_or_not(town: Town) -> None:
    for workspace_id in (town.lantern, new_id()):
        page = await town.house.browser().start("x", workspace_id)
        assert page.url.startswith(f"{PUBLIC_URL}/sign-in")
    assert town.house.ledger.read() == ()


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A2_the_start_page_names_network_workspace_owner_and_person_and_only_its_form_leaves(town: Town, provider: str) -> None:
    browser, before = await town.browser("ben"), await counts(town.house)
    page = await browser.start(provider, town.lantern)
    assert (page.status, page.refresh) == (200, "")
    title = town.house.services.catalog[provider].title
    for fact in (title, "Lantern", "owned by Ada", "Signed in as Ben"):
        assert fact in page.text
    fields = {"provider": provider, "workspaceId": town.lantern}
    for tokens in ([], [""], ["0" * 64], [form_token(page)] * 2):
        refused = await browser.post(START, {**fields, "form_token": tokens})
        assert (refused.status, refused.code) == (403, "form_expired")
    assert await counts(town.house) == before
    assert town.house.ledger.read() == ()


async def test_A2_the_form_token_of_one_person_is_nothing_in_anothers_browser(town: Town) -> None:
    ada, ben = await town.browser("ada"), await town.browser("ben")
    stolen = form_token(await ada.start("x", town.lantern))
    refused = await ben.post(START, {"provider": "x", "workspaceId": town.lantern, "form_token": stolen})
    assert (refused.status, refused.code) == (403, "form_expired")


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A11_opening_the_start_url_uses_up_nothing_and_goes_nowhere(town: Town, provider: str) -> None:
    browser, before = await town.browser("ada"), await counts(town.house)
    url = f"{PUBLIC_URL}{START}?provider={provider}&workspaceId={town.lantern}"
    for headers in ({}, {"Sec-Purpose": "prefetch"}, {"Sec-Fetch-Dest": "image", "Sec-Fetch-Site": "cross-site"}):
        page = await browser.open(url, headers=headers)
        assert (page.status, page.refresh) == (200, "")
    head = await browser.client.head(url, follow_redirects=False)
    assert "location" not in head.headers
    assert await counts(town.house) == before
    assert town.house.ledger.read() == ()
    # The link still works for the person.
    assert (await browser.depart(provider, town.lantern)).status == 200
    assert len(town.house.ledger.read(what="authorize_shown")) == 1


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A12_parameters_of_the_caller_reach_no_network(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    clean = asked(await leave(browser, provider, town.lantern))
    hostile = {
        "scope": "everything", "redirect_uri": "https://evil.example/take", "client_id": "evil", "client_key": "evil", "state": "chosen",
        "response_type": "token", "code_challenge": "chosen", "code_challenge_method": "plain", "auth_type": "evil", "url": "https://evil.example",
    }  # fmt: skip
    query = "&".join(f"{name}={value}" for name, value in hostile.items())
    page = await browser.open(f"{START}?provider={provider}&workspaceId={town.lantern}&{query}")
    fields = {name: value for name, value in page.form(START).fields if name not in hostile} | hostile
    left = refresh_target(await browser.post(f"{START}?{query}", fields))
    fresh = {"state", "code_challenge"}
    assert {name: value for name, value in asked(left).items() if name not in fresh} == {
        name: value for name, value in clean.items() if name not in fresh
    }
    assert "chosen" not in left
    assert "evil" not in left
    assert clean["redirect_uri"] == f"{PUBLIC_URL}/api/social-connect/callback/{provider}"


FORWARDED = {
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Proto": "https",
    "X-Forwarded-Port": "444",
    "Forwarded": "host=evil.example;proto=https",
    "X-Original-URL": "https://evil.example/",
    "X-Host": "evil.example",
}


@pytest.mark.parametrize("provider", NETWORKS)
async def test_A13_forwarding_headers_decide_neither_url_nor_redirect_uri(town: Town, provider: str) -> None:
    api = town.house.api(await town.house.key(town.ada))
    call = f"social-profiles/connection-url?workspaceId={town.lantern}"
    answer = await api.post(call, json={"provider": provider}, headers=FORWARDED)
    assert answer.json() == {"url": f"{PUBLIC_URL}{START}?provider={provider}&workspaceId={town.lantern}"}
    browser = await town.browser("ada")
    browser.client.headers.update(FORWARDED)
    left = await leave(browser, provider, town.lantern)
    assert asked(left)["redirect_uri"] == f"{PUBLIC_URL}/api/social-connect/callback/{provider}"
    assert all("evil.example" not in text for text in browser.seen)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example", "evil.example:8420", "127.0.0.1", "127.0.0.1:8421", "127.0.0.1:8420.evil.example", "a/?x=",
        "127.0.0.1:8420@evil.example", "evil.example#127.0.0.1:8420", "localhost.evil.example:8420", "", "127.0.0.1:8420, evil.example",
        "[::ffff:1.2.3.4]:8420",
    ],
)  # fmt: skip
async def test_A13_a_host_that_is_not_ours_is_refused(town: Town, host: str) -> None:
    key = await town.house.key(town.ada)
    headers = {"Host": host, "X-API-Key": key, "Content-Type": "application/json"}
    call = f"{PUBLIC_API}/social-profiles/connection-url"
    posted = await raw(town.house.app, "POST", call, headers, f"workspaceId={town.lantern}", b'{"provider": "x"}')
    opened = await raw(town.house.app, "GET", "/sign-in", headers)
    for answer in (posted, opened):
        assert 400 <= answer.status < 500
        assert "location" not in answer.headers
        assert "evil.example" not in answer.body


async def test_A13_another_loopback_name_is_led_to_the_public_url_and_nowhere_else(town: Town) -> None:
    answer = await raw(town.house.app, "GET", "//evil.example/..", {"Host": "localhost:8420"})
    assert answer.status == 303
    assert answer.headers["location"].startswith(f"{PUBLIC_URL}/")
    absolute = await raw(town.house.app, "GET", "http://evil.example/sign-in", {"Host": "127.0.0.1:8420"})
    assert absolute.status == 400
