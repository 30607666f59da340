"""What every answer carries and no answer may: found by crawling all routes and whole journeys, as guest, as member, as program."""

import re
from collections.abc import AsyncIterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Tx
from hitchpost.demo.browser import refresh_target
from hitchpost.ids import new_id, new_token
from hitchpost.settings import BadSettings, read_settings
from tests.security.outside import CALLBACK, PUBLIC_API, START, OpenRoute, counts, form_token, path_of, raw, routes_of
from tests.security.recording import Recording, Seen
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, PASSWORD, PUBLIC_URL, Browser, House, opened
from tests.support.people import Town, settled_town

HTTPS_URL = "https://hitchpost.test"
PROGRAMS = ("/api/_public/", "/api/v1/")
NETWORKS_CALL = "/api/networks/"
JSON_WORLD = (*PROGRAMS, NETWORKS_CALL, "/openapi.json", "/health")
ELSEWHERE = re.compile(r"(?:https?:)?//", re.IGNORECASE)


def _filled(route: OpenRoute, **known: str) -> str:
    ids = {name: new_id() for name in ("id", "profileId", "workspace", "profile")}
    values = {**ids, "provider": "x", "name": new_token(), "authority": "meta", "app": new_id(), "code": new_token()} | known
    return route.filled(**{name: value for name, value in values.items() if f"{{{name}}}" in route.path})


async def crawl(town: Town) -> Recording:
    """Every route by every method as guest, as Ada and with her key; every network's journey, denial and error; what is not there."""
    record = Recording(town.house)
    ada, guest, api = await town.browser("ada"), town.house.browser(), town.house.api(await town.house.key(town.ada))
    for provider in NETWORKS:
        await ada.settle(await ada.open(await ada.consent(await ada.depart(provider, town.lantern), allow=False)))
        await ada.attach(await ada.arrive(provider, town.lantern))
        await ada.open(f"{CALLBACK}/{provider}?code=stray-code&state={new_token()}")
    for route in await routes_of(town.house):
        for client in (ada.client, guest.client, api):
            for method in {route.method, "OPTIONS", "DELETE"}:
                await client.request(method, _filled(route), headers={"Origin": PUBLIC_URL}, follow_redirects=False)
    for path in ("/nowhere", "/api/_public/v1/nowhere", "/static/../../etc/passwd", "/connect/x", "//evil.example/", "/api/_public"):
        await guest.client.get(PUBLIC_URL + path, follow_redirects=False)
    await guest.client.get(f"{PUBLIC_URL}/sign-in", headers={"Host": "evil.example"})
    picture = re.search(r"/pictures/[\w-]+", "".join(ada.seen))
    assert picture
    await guest.client.get(PUBLIC_URL + picture[0])
    home = await ada.open("/")
    await ada.submit(home, home.form("/sign-out"), [])
    return record


@pytest.fixture
async def answers(town: Town) -> list[Seen]:
    """All that a crawl has seen of us."""
    return (await crawl(town)).answers


async def test_B1_B3_B4_B5_B8_B9_every_answer_of_a_crawl_obeys_the_rules_of_browsers(answers: list[Seen]) -> None:
    assert len(answers) > 150
    for one in answers:
        place = f"{one.method} {one.path} {one.status}"
        _framing(one, place)
        _redirects(one, place)
        _referrer_and_caches(one, place)
        _cookies(one, place)
        assert not [name for name, _ in one.headers if name.startswith("access-control-")], place
        assert "server" not in dict(one.headers), place


def _framing(one: Seen, place: str) -> None:
    policy = one.one("content-security-policy")
    assert "frame-ancestors 'none'" in policy, place
    assert "default-src 'none'" in policy, place
    assert not re.search(r"unsafe|\*|https?:", policy), place
    assert (one.one("x-frame-options"), one.one("x-content-type-options")) == ("DENY", "nosniff"), place


def _redirects(one: Seen, place: str) -> None:
    assert one.status not in (301, 302, 307, 308), place
    if one.status == 303:
        assert one.one("location").startswith("/"), place
        assert not one.one("location").startswith("//"), place
        assert not re.search(r"(code|state|token)=", one.one("location")), place


def _referrer_and_caches(one: Seen, place: str) -> None:
    callback = one.path.startswith(CALLBACK) and one.method in ("GET", "HEAD")
    assert one.one("referrer-policy") == "no-referrer" if callback else one.one("referrer-policy") in ("same-origin", "no-referrer"), place
    if not one.path.startswith(("/static/", "/pictures/")):
        assert one.one("cache-control") == "no-store", place
    assert b"stray-code" not in one.body, place


def _cookies(one: Seen, place: str) -> None:
    for cookie in one.all("set-cookie"):
        name, _, rest = cookie.partition("=")
        attributes = {part.strip().lower() for part in rest.split(";")[1:]}
        assert name == "hitchpost_session", place
        assert {"httponly", "samesite=lax", "path=/"} <= attributes, place
        assert not [part for part in attributes if part.startswith("domain")], place
        assert re.fullmatch(r"(?:g\.)?[\w-]{43}|\"\"", rest.partition(";")[0]), place


class _Resources(HTMLParser):
    """What a browser would load, or run, for a page."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.inline: list[str] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self.loaded += [given[name] for name in ("src", "srcset", "data", "poster", "background", "formaction") if name in given]
        if tag in ("link", "use", "image"):
            self.loaded.append(given.get("href", ""))
        if tag == "form":
            self.loaded.append(given.get("action", ""))
        self.inline += [name for name in given if name.startswith("on") or name == "style"]
        self.inline += [tag] if tag == "style" or (tag == "script" and "src" not in given) or tag in ("iframe", "object", "base") else []


async def test_B4_no_page_loads_or_posts_to_anything_foreign_nor_runs_anything_inline(answers: list[Seen]) -> None:
    pages = [one for one in answers if one.is_page and one.body]
    assert len(pages) > 50
    for page in pages:
        found = _Resources(page.text)
        assert not [url for url in found.loaded if ELSEWHERE.match(url) or ":" in url.partition("/")[0]], page.path
        assert found.inline == [], page.path


@pytest.mark.parametrize("provider", NETWORKS)
async def test_B4_B5_the_callback_sends_the_browser_to_a_clean_address(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    back = await browser.consent(await browser.depart(provider, town.lantern))
    answer = await browser.client.get(back, follow_redirects=False)
    assert (answer.status_code, answer.headers["referrer-policy"], answer.headers["cache-control"]) == (303, "no-referrer", "no-store")
    assert re.fullmatch(r"/connect/c[0-9a-z]{24}", answer.headers["location"])
    page = await browser.settle(await browser.open(answer.headers["location"]))
    assert "?" not in page.url


@pytest.fixture
async def secure_house(tmp_path: Path, clock: ManualClock) -> AsyncIterator[House]:
    """The house as people reach it by https."""
    async with opened(tmp_path, clock, extra={"HITCHPOST_PUBLIC_URL": HTTPS_URL}) as house:
        yield house


async def test_B1_B11_by_https_every_cookie_is_bound_to_the_host_and_every_answer_says_so(secure_house: House) -> None:
    town = await settled_town(secure_house)
    record, browser = Recording(secure_house), secure_house.browser()
    page = await browser.open(f"{HTTPS_URL}/sign-in")
    fields = {"form_token": form_token(page), "email": "ada@example.com", "password": PASSWORD}
    home = await browser.post(f"{HTTPS_URL}/sign-in", fields)
    assert path_of(home.url) == "/"
    start = await browser.open(f"{HTTPS_URL}{START}?provider=x&workspaceId={town.lantern}")
    assert (await browser.submit(start, start.form(START), [])).refresh
    await browser.submit(home, home.form("/sign-out"), [])
    await browser.open(f"{HTTPS_URL}/nowhere")
    cookies = [cookie for one in record.answers for cookie in one.all("set-cookie")]
    assert len(cookies) >= 3
    for cookie in cookies:
        assert cookie.startswith("__Host-hitchpost_session=")
        attributes = {part.strip().lower() for part in cookie.split(";")[1:]}
        assert {"secure", "httponly", "samesite=lax", "path=/"} <= attributes
        assert not [part for part in attributes if part.startswith("domain")]
    assert {one.one("strict-transport-security") for one in record.answers} == {"max-age=63072000"}, "empty where there is none"


async def test_B1_a_cookie_that_a_sibling_host_planted_is_nobodys(town: Town) -> None:
    browser = await town.browser("ada")
    true = next(cookie.value for cookie in browser.client.cookies.jar)
    for header in (
        f"hitchpost_session={true}; hitchpost_session={new_token()}",
        f"__Host-hitchpost_session={true}",
        f"HITCHPOST_SESSION={true}",
    ):
        answer = await town.house.browser().client.get(f"{PUBLIC_URL}/", headers={"Cookie": header}, follow_redirects=False)
        assert answer.headers["location"] == "/sign-in"


@pytest.mark.parametrize(
    ("url", "more", "starts"),
    [
        ("http://hitchpost.test", {}, False),
        ("http://10.0.0.1", {}, False),
        ("http://127.0.0.1.evil.example", {}, False),
        ("http://hitchpost.test", {"HITCHPOST_PUBLIC_URL_INSECURE": "true"}, True),
        ("http://127.0.0.1:8420", {}, True),
        ("http://[::1]:8420", {}, True),
        ("https://hitchpost.test", {}, True),
    ],
)
def test_B11_plain_http_on_a_name_that_is_not_this_machine_refuses_to_start(url: str, more: dict[str, str], starts: bool) -> None:
    env = {"HITCHPOST_PUBLIC_URL": url} | more
    if starts:
        assert read_settings(env).settings.public_url == url
    else:
        with pytest.raises(BadSettings, match="HITCHPOST_PUBLIC_URL"):
            read_settings(env)


FROM_ELSEWHERE: tuple[dict[str, str], ...] = (
    {"Origin": "https://evil.example"},
    {"Origin": "null"},
    {"Origin": "http://localhost:8420"},
    {"Origin": f"{PUBLIC_URL}.evil.example"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": PUBLIC_URL, "Sec-Fetch-Site": "cross-site"},
)


async def test_B2_no_form_is_taken_without_its_token_or_from_another_site_or_as_another_type(town: Town) -> None:
    browser = await town.browser("ada")
    connection = path_of((await browser.arrive("x", town.lantern)).url).removeprefix("/connect/")
    token, before = form_token(await browser.open("/")), await counts(town.house)
    unsafe = [one for one in await routes_of(town.house) if one.method not in ("GET", "HEAD", "OPTIONS")]
    assert len(unsafe) >= 8
    for route in unsafe:
        url = _filled(route, id=connection)
        if route.path.startswith((*PROGRAMS, NETWORKS_CALL)):
            continue
        if route.path == "/setup":
            # It is over for ever once somebody is there, whoever asks and however.
            assert (await browser.post(url, {"form_token": token})).status in (403, 404)
            continue
        fields = {
            "provider": "x",
            "workspaceId": town.lantern,
            "email": "cleo@example.com",
            "password": "whatever-it-is",
            "pick": "account:1",
        }
        for wrong in ({}, {"form_token": ""}, {"form_token": new_token()}):
            refused = await browser.post(url, fields | wrong)
            assert (refused.status, refused.code) == (403, "form_expired"), url
        for headers in FROM_ELSEWHERE:
            refused = await browser.post(url, fields | {"form_token": token}, headers=headers)
            assert (refused.status, refused.code) == (403, "foreign_origin"), url
        for kind in ("text/plain", "application/json", "multipart/form-data; boundary=b", ""):
            answer = await browser.client.post(url, content=f"form_token={token}", headers={"Content-Type": kind})
            assert answer.status_code == 415, url
    assert await counts(town.house) == before
    assert path_of((await browser.open("/")).url) == "/"


async def test_B2_the_routes_of_programs_do_not_look_at_cookies(town: Town) -> None:
    browser = await town.browser("ada")
    for route in (one for one in await routes_of(town.house) if one.path.startswith(PROGRAMS)):
        answer = await browser.client.request(route.method, f"{_filled(route)}?workspaceId={town.lantern}", json={"provider": "x"})
        assert (answer.status_code, answer.json()["code"]) == (401, "missing_api_token")


HOSTILE = ("<script>alert", "<img src=x", '"><img', "javascript:alert", "onerror=alert(1)>")


@pytest.mark.parametrize("provider", NETWORKS)
async def test_B6_names_that_are_markup_are_shown_as_text_and_svg_pictures_are_not_served(town: Town, provider: str) -> None:
    record, browser = Recording(town.house), await town.browser("ada")
    page = await browser.arrive(provider, town.lantern, "hedda")
    await browser.attach(page)
    await browser.open("/")
    api = town.house.api(await town.house.key(town.ada))
    listed = (await api.get(f"social-profiles?workspaceId={town.lantern}")).json()
    pages = [one.text for one in record.answers if one.is_page]
    assert "&lt;script&gt;" in "".join(pages) or "&lt;img" in "".join(pages)
    for shown in pages:
        assert not [markup for markup in HOSTILE if markup in shown]
        found = _Resources(shown)
        assert found.inline == []
        assert all(url.startswith(("/", "#")) or url == "" for url in found.loaded)
    for name in {name for shown in pages for name in re.findall(r"/pictures/[\w-]+", shown)} | {
        path_of(one["image"]) for one in listed if one["image"]
    }:
        picture = await browser.client.get(PUBLIC_URL + name)
        assert picture.headers["content-type"] in ("image/png", "image/jpeg", "image/gif", "image/webp")
        assert picture.headers["x-content-type-options"] == "nosniff"
        assert b"<svg" not in picture.content


UNUSUAL_PATHS = [
    "/api/_public/v1/me", "//api/_public/v1/me", "/api//_public/v1/me", "/API/_public/v1/me", "/api/_public/v1/me/",
    "/api/_public/v1/me;x", "/api/_public/../_public/v1/me", "/static/../api/_public/v1/me", "/static/%2e%2e/api/_public/v1/me",
    "/x@127.0.0.1/api/_public/v1/me", "/api/_public/v1/me%00", "/api/_public%2fv1/me", "/sign-in/../api/_public/v1/workspaces",
    "/api/_public/v1/me?", "/./api/_public/v1/me",
]  # fmt: skip


@pytest.mark.parametrize("path", UNUSUAL_PATHS)
async def test_B7_no_spelling_of_a_path_finds_the_api_without_a_key(town: Town, path: str) -> None:
    for host in ("127.0.0.1:8420", "127.0.0.1:8420/static", "a/?x="):
        answer = await raw(town.house.app, "GET", path, {"Host": host})
        assert answer.status in (400, 401, 404, 421)
        assert "ada@example.com" not in answer.body


@pytest.mark.parametrize(
    "path", ["//connect/{id}", "/connect//{id}", "/connect/{id}/", "/connect/{id};x", "/connect/./{id}", "/%2e/connect/{id}"]
)
async def test_B7_no_spelling_of_a_path_finds_another_browsers_connection(town: Town, path: str) -> None:
    ada, cleo = await town.browser("ada"), await town.browser("cleo")
    connection = path_of((await ada.arrive("x", town.lantern)).url).removeprefix("/connect/")
    cookie = {"Cookie": f"hitchpost_session={next(one.value for one in cleo.client.cookies.jar)}", "Host": "127.0.0.1:8420"}
    answer = await raw(town.house.app, "GET", path.format(id=connection), cookie)
    assert answer.status == 404
    assert "Lantern" not in answer.body


async def test_B8_a_foreign_page_gets_no_leave_to_read_anything(town: Town) -> None:
    api = town.house.api(await town.house.key(town.ada))
    headers = {"Origin": "https://evil.example", "Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "x-api-key"}
    for route in await routes_of(town.house):
        for method in ("OPTIONS", "GET"):
            answer = await api.request(method, _filled(route), headers=headers, follow_redirects=False)
            assert not [name for name in answer.headers if name.lower().startswith("access-control-")]


@pytest.mark.parametrize("provider", NETWORKS)
async def test_B9_leaving_after_a_post_is_a_page_that_moves_on(town: Town, provider: str) -> None:
    browser = await town.browser("ada")
    page = await browser.start(provider, town.lantern)
    form = page.form(START)
    answer = await browser.client.post(PUBLIC_URL + START, data=dict(form.fields), follow_redirects=False)
    assert answer.status_code == 200
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "location" not in answer.headers


BYPASSES = [
    "https://evil.example", "//evil.example", "/\\evil.example", "\\\\evil.example", "///evil.example", "http:evil.example",
    "https:/evil.example", "javascript:alert(1)", "data:text/html,x", "//evil.example/%2f..", "/%2f/evil.example", "/%5cevil.example",
    "https://127.0.0.1:8420@evil.example", "http://127.0.0.1:8420.evil.example", "/.evil.example", "./evil", "../evil",
    "?x=//evil.example", "#//evil.example", "%2f%2fevil.example", "/\t/evil.example", "/\r\nLocation: //evil.example",
    "\u2044\u2044evil.example", "\uff0f\uff0fevil.example", "evil.example", "@evil.example", "//evil%00.example", "//evil.example:80",
    "HTTPS://EVIL.EXAMPLE", " //evil.example", "\x01//evil.example", "//[::1]/", "//0x7f.1/", "/..//evil.example",
    "start/../..//evil.example", "connection//evil.example", "home?next=//evil.example", "start&to=//evil.example",
    "https://evil.example/start", "//evil.example\\@127.0.0.1:8420",
]  # fmt: skip


async def test_A17_forty_spellings_of_elsewhere_all_lead_home_after_signing_in(town: Town) -> None:
    browser: Browser = await town.browser("ada")
    assert len(set(BYPASSES)) >= 40
    for spelling in BYPASSES:
        page = await browser.client.get(f"{PUBLIC_URL}/sign-in", params={"to": spelling, "next": spelling, "connection": spelling})
        assert "evil.example" not in page.text
    names = ("to", "next", "return", "returnTo", "redirect", "redirect_uri", "url", "back", "connection", "provider", "workspaceId")
    for spelling in BYPASSES[::4]:
        sign_in = await browser.open("/sign-in")
        fields = dict.fromkeys(names, spelling) | {"email": "ada@example.com", "password": PASSWORD}
        for to in (spelling, "start", "connection"):
            sent = dict(sign_in.form("/sign-in").fields) | fields | {"to": to}
            answer = await browser.client.post(f"{PUBLIC_URL}/sign-in", data=sent, follow_redirects=False)
            assert (answer.status_code, answer.headers["location"]) == (303, "/")
            sign_in = await browser.open("/sign-in")


async def test_A21_nobody_is_signed_in_by_another_site_and_a_planted_cookie_is_dead_after_signing_in(town: Town) -> None:
    browser = town.house.browser()
    fields = {"email": "cleo@example.com", "password": PASSWORD}
    for more in ({}, {"form_token": new_token()}):
        assert (await browser.post("/sign-in", fields | more)).status in (400, 403)
    planted = f"g.{new_token()}"
    browser.client.cookies.set("hitchpost_session", planted, domain="127.0.0.1", path="/")
    await browser.sign_in("ada@example.com")
    first = next(one.value for one in browser.client.cookies.jar)
    await browser.sign_in("ada@example.com")
    second = next(one.value for one in browser.client.cookies.jar)
    assert len({planted, first, second}) == 3
    for dead in (planted, first):
        answer = await town.house.browser().client.get(
            f"{PUBLIC_URL}/", headers={"Cookie": f"hitchpost_session={dead}"}, follow_redirects=False
        )
        assert answer.headers["location"] == "/sign-in"


async def test_E6_an_error_on_any_route_answers_with_an_id_and_nothing_of_the_inside(town: Town) -> None:
    browser, api = await town.browser("ada"), town.house.api(await town.house.key(town.ada))
    token = form_token(await browser.open("/"))

    def ruin(tx: Tx) -> None:
        for table in ("browser_sessions", "people", "api_keys", "members", "pictures"):
            tx.execute(text(f"ALTER TABLE {table} RENAME TO gone_{table}"))

    await town.house.services.database.begin(ruin)
    town.house.services.workspaces.forget_callers()
    broken = 0
    for route in await routes_of(town.house):
        client = api if route.path.startswith(PROGRAMS) else browser.client
        body = {"form_token": token} if route.method == "POST" and client is not api else None
        answer = await client.request(route.method, _filled(route), follow_redirects=False, data=body)
        assert answer.headers["x-request-id"]
        for inside in ("Traceback", "sqlite", "SELECT", "sqlalchemy", "site-packages", ".py", "gone_", "no such table"):
            assert inside not in answer.text, route
        if answer.status_code == 500:
            broken += 1
            if route.path.startswith(JSON_WORLD):
                assert (answer.json()["code"], bool(answer.json()["requestId"])) == ("unforeseen", True)
            elif route.method != "HEAD":
                assert answer.headers["x-request-id"] in answer.text
    assert broken >= 12


async def test_B9_the_moving_page_leads_to_the_network_that_was_named_and_nowhere_else(town: Town) -> None:
    browser = await town.browser("ada")
    for provider in NETWORKS:
        page = await browser.start(provider, town.lantern)
        target = refresh_target(await browser.submit(page, page.form(START), []))
        login = town.house.services.catalog[provider].logins[0]
        host = login.oauth.authorize_url.removeprefix("https://").partition("/")[0]
        assert target.startswith(f"{town.house.services.settings.networks_at}/{host}/")
    assert (await browser.open(f"{PUBLIC_API}/me")).status == 401
