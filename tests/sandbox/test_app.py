"""The sandbox itself: how its networks are reached, what its own plane tells, and what it keeps apart."""

import json
import signal
import subprocess
import sys
import zlib
from datetime import timedelta
from pathlib import Path

import httpx2
import pytest
from starlette.responses import PlainTextResponse, Response

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_MEMBER_APP, META_APP, PINTEREST_APP, X_APP, App
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.twin import Route, Twin, Visit
from hitchpost_sandbox.world import World

CONSENT_PAGES = {
    "facebook": f"/www.facebook.com/v25.0/dialog/oauth?scope=pages_show_list&client_id={META_APP.client_id}",
    "instagram": f"/www.instagram.com/oauth/authorize?scope=instagram_business_basic&client_id={INSTAGRAM_APP.client_id}",
    "x": f"/x.com/i/oauth2/authorize?scope=users.read&code_challenge=c&client_id={X_APP.client_id}",
    "linkedin": f"/www.linkedin.com/oauth/v2/authorization?scope=openid&client_id={LINKEDIN_MEMBER_APP.client_id}",
    "pinterest": f"/www.pinterest.com/oauth/?scope=boards:read&client_id={PINTEREST_APP.client_id}",
}
BACK = "&response_type=code&state=s&redirect_uri=http%3A%2F%2F127.0.0.1%3A8420%2Fback"


async def test_a_network_is_reached_by_path_and_by_host(browser: httpx2.AsyncClient, world: World) -> None:
    by_path = await browser.get("/api.x.com/2/users/me")
    by_host = await browser.get("https://api.x.com/2/users/me")
    assert (by_path.status_code, by_path.content) == (by_host.status_code, by_host.content)
    calls = [(entry.facts["host"], entry.facts["path"]) for entry in world.ledger.read(what=What.CALL)]
    assert calls == [("api.x.com", "/2/users/me")] * 2


async def test_all_five_networks_are_found_by_their_files(browser: httpx2.AsyncClient) -> None:
    health = (await browser.get("/_sandbox/health")).json()
    assert health["status"] == "ok"
    assert set(health["networks"]) == {"facebook", "instagram", "x", "linkedin", "pinterest"}


async def test_no_two_networks_claim_one_host() -> None:
    hosts = [host for twin in networks.found() for host in twin.hosts]
    shared = {host for host in hosts if hosts.count(host) > 1}
    assert all("fbcdn" in host or "cdninstagram" in host for host in shared), shared


async def test_a_wrong_method_is_told_the_right_ones(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/api.x.com/2/oauth2/token")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize("network", CONSENT_PAGES)
async def test_a_consent_page_says_that_it_is_simulated_and_runs_no_ones_markup(browser: httpx2.AsyncClient, network: str) -> None:
    page = await browser.get(CONSENT_PAGES[network] + BACK)
    assert page.status_code == 200, page.text
    assert "not the real one" in page.text
    assert "<script" not in page.text
    assert "<img" not in page.text
    assert "&lt;script&gt;" in page.text
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("network", CONSENT_PAGES)
@pytest.mark.parametrize(
    ("form", "field"),
    [({"decision": "allow"}, "person"), ({"person": "nobody", "decision": "allow"}, "person"), ({"person": "ada"}, "decision")],
)
async def test_a_form_that_makes_no_sense_grants_nothing(
    browser: httpx2.AsyncClient, world: World, network: str, form: dict[str, str], field: str
) -> None:
    answer = await browser.post(CONSENT_PAGES[network] + BACK, data=form)
    assert answer.status_code == 400
    assert f"'{field}'" in answer.text
    assert world.ledger.count(What.CONSENT_GIVEN) == 0


async def test_opening_a_consent_page_grants_nothing(browser: httpx2.AsyncClient, world: World) -> None:
    for address in CONSENT_PAGES.values():
        await browser.get(address + BACK + "&person=ada&decision=allow")
        await browser.head(address + BACK)
    assert world.ledger.count(What.CONSENT_GIVEN) == 0
    assert world.ledger.count(What.AUTHORIZE_SHOWN) == 2 * len(CONSENT_PAGES)


async def test_ada_unticks_and_only_the_rest_is_granted(browser: httpx2.AsyncClient, world: World) -> None:
    address = CONSENT_PAGES["facebook"].replace("pages_show_list", "pages_show_list,pages_manage_posts") + BACK
    form = {"person": "ada", "decision": "allow", "shown": ["scope", "target"], "scope": ["pages_show_list"], "target": []}
    assert (await browser.post(address, data=form)).status_code == 302
    (entry,) = world.ledger.read(what=What.CONSENT_GIVEN)
    assert entry.person == "ada"
    assert "pages_manage_posts" not in entry.facts["scopes"]  # type: ignore[operator]
    assert entry.facts["targets"] == []


async def test_a_program_that_ticks_nothing_grants_everything_of_its_person(browser: httpx2.AsyncClient, world: World) -> None:
    await browser.post(CONSENT_PAGES["facebook"] + BACK, data={"person": "mona", "decision": "allow"})
    (entry,) = world.ledger.read(what=What.CONSENT_GIVEN)
    targets = entry.facts["targets"]
    assert isinstance(targets, list)
    assert sum("101755847768" in target for target in targets) >= 60


async def test_nobody_can_share_what_is_another_persons(browser: httpx2.AsyncClient, world: World) -> None:
    await browser.post(CONSENT_PAGES["facebook"] + BACK, data={"person": "ada", "decision": "allow"})
    (adas,) = world.ledger.read(what=What.CONSENT_GIVEN, person="ada")
    await browser.post(CONSENT_PAGES["facebook"] + BACK, data={"person": "cleo", "decision": "allow", "target": adas.facts["targets"]})
    (cleos,) = world.ledger.read(what=What.CONSENT_GIVEN, person="cleo")
    assert cleos.facts["targets"] == []


async def test_pictures_are_small_real_pngs_and_the_same_every_time(browser: httpx2.AsyncClient) -> None:
    first = await browser.get("/pbs.twimg.com/profile_images/1/ada-x_normal.png")
    again = await browser.get("https://pbs.twimg.com/profile_images/1/ada-x_normal.png")
    large = await browser.get("/pbs.twimg.com/profile_images/1/ada-x_400x400.png")
    other = await browser.get("/pbs.twimg.com/profile_images/1/ben-x_normal.png")
    assert first.headers["content-type"] == "image/png"
    assert first.content.startswith(b"\x89PNG\r\n\x1a\n")
    assert first.content == again.content
    assert first.content != other.content
    assert large.content[16:24] == (400).to_bytes(4, "big") * 2
    body = large.content[large.content.index(b"IDAT") + 4 :]
    assert len(zlib.decompressobj().decompress(body)) == 400 * (400 * 3 + 1)
    assert len(large.content) < 10_000


async def test_heddas_picture_is_an_svg(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/pbs.twimg.com/profile_images/1/hedda-svg-x_normal.png")
    assert answer.headers["content-type"] == "image/svg+xml"
    assert b"<script>" in answer.content


@pytest.mark.parametrize("signed", ["e={:d}", "oe={:x}"])
async def test_a_signed_picture_address_goes_dead(browser: httpx2.AsyncClient, world: World, signed: str) -> None:
    address = "/pbs.twimg.com/a.png?" + signed.format(int(world.clock.now().timestamp()) + 60)
    assert (await browser.get(address)).status_code == 200
    world.clock.forward(timedelta(seconds=60))
    assert (await browser.get(address)).status_code == 403


async def test_the_clock_never_runs_back(world: World) -> None:
    with pytest.raises(ValueError, match="forward"):
        world.clock.forward(timedelta(seconds=-1))


def redeemed_twice(world: World, **options: bool) -> int:
    """How many tokens of a consent live after its code came a second time."""
    authority = world.authority("sixth")
    app = App("sixth", "client", "secret", options=options)
    authority.register(app)
    given = authority.consent(app, "ada", ["read"])
    code = authority.open_code(given, "http://127.0.0.1/back", life=timedelta(minutes=1))
    authority.issue(authority.redeem(code, app, "http://127.0.0.1/back"), "access", life=None)
    with pytest.raises(Exception, match="used"):
        authority.redeem(code, app, "http://127.0.0.1/back")
    return len(authority.living(family=given.family))


async def test_a_replayed_code_kills_what_it_gave_only_where_the_network_is_that_strict(world: World) -> None:
    assert redeemed_twice(world) == 1
    assert redeemed_twice(world, replay_revokes=True) == 0


async def test_an_app_with_registered_addresses_takes_only_their_very_bytes() -> None:
    app = App("x", "id", "secret", redirect_uris=("https://post.example/back",))
    assert app.accepts("https://post.example/back")
    for other in ("https://post.example/back/", "https://post.example/back?a=1", "http://127.0.0.1/back", ""):
        assert not app.accepts(other)


async def test_an_app_without_registered_addresses_takes_loopback_only() -> None:
    for good in ("http://127.0.0.1:8420/back", "http://localhost/back", "http://[::1]:1/back"):
        assert X_APP.accepts(good)
    for bad in ("https://127.0.0.1/back", "http://127.0.0.1.evil.example/", "http://localhost@evil.example/", "http://[", "/back", ""):
        assert not X_APP.accepts(bad)


async def test_the_ledger_answers_programs_by_network_kind_person_and_place(browser: httpx2.AsyncClient) -> None:
    await browser.post(CONSENT_PAGES["x"] + BACK, data={"person": "ben", "decision": "deny"})
    await browser.post(CONSENT_PAGES["pinterest"] + BACK, data={"person": "ben", "decision": "deny"})
    denied = (await browser.get("/_sandbox/ledger?kind=consent_denied")).json()
    assert [entry["network"] for entry in denied] == ["x", "pinterest"]
    assert (await browser.get("/_sandbox/ledger?network=x&kind=consent_denied&person=ben")).json() == denied[:1]
    assert (await browser.get(f"/_sandbox/ledger?kind=consent_denied&after={denied[0]['seq']}")).json() == denied[1:]
    assert (await browser.get("/_sandbox/ledger?after=yesterday")).status_code == 400


async def test_an_app_registered_over_http_is_known_at_once(browser: httpx2.AsyncClient) -> None:
    app = {"authority": "x", "client_id": "mine", "client_secret": "s", "redirect_uris": ["https://post.example/back"]}
    assert (await browser.post("/_sandbox/apps", json=app)).status_code == 201
    assert "mine" in [one["client_id"] for one in (await browser.get("/_sandbox/apps")).json()]
    address = CONSENT_PAGES["x"].replace(X_APP.client_id, "mine") + BACK.replace(
        "http%3A%2F%2F127.0.0.1%3A8420", "https%3A%2F%2Fpost.example"
    )
    assert (await browser.get(address)).status_code == 200


@pytest.mark.parametrize(
    "body",
    [b"{", b"[]", b"{}", b'{"authority":"x","client_id":1}', b'{"authority":"x","client_id":"a","client_secret":"b","redirect_uris":"c"}'],
)
async def test_an_app_that_makes_no_sense_is_refused_in_words(browser: httpx2.AsyncClient, body: bytes) -> None:
    answer = await browser.post("/_sandbox/apps", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == 400
    assert answer.json()["message"]


async def test_reset_forgets_what_happened_and_later_apps(browser: httpx2.AsyncClient, world: World) -> None:
    await browser.post("/_sandbox/apps", json={"authority": "x", "client_id": "mine", "client_secret": "s"})
    await browser.get(CONSENT_PAGES["x"] + BACK)
    assert (await browser.post("/_sandbox/reset", json={})).status_code == 204
    assert world.ledger.read() == ()
    assert world.authority("x").app("mine") is None
    assert world.authority("x").app(X_APP.client_id) is not None


async def test_a_foreign_page_can_neither_read_nor_change_the_sandbox(browser: httpx2.AsyncClient, world: World) -> None:
    rebound = await browser.get("/_sandbox/ledger", headers={"host": "rebound.example"})
    assert rebound.status_code == 400
    await browser.get(CONSENT_PAGES["x"] + BACK)
    simple = await browser.post("/_sandbox/reset", content=b"{}", headers={"content-type": "text/plain"})
    assert simple.status_code == 400
    assert world.ledger.count(What.AUTHORIZE_SHOWN) == 1


async def test_the_first_page_names_networks_people_and_apps(browser: httpx2.AsyncClient) -> None:
    page = await browser.get("/")
    assert "Pinterest" in page.text
    assert "Noor Empty" in page.text
    assert X_APP.client_id in page.text
    assert "<script>" not in page.text
    cast = (await browser.get("/_sandbox/cast")).json()
    assert [person["key"] for person in cast] == ["ada", "ben", "cleo", "noor", "piet", "mona", "hedda"]


async def test_a_sixth_network_is_one_more_twin(world: World) -> None:
    async def hello(visit: Visit) -> Response:
        return PlainTextResponse(f"{visit.params['word']} at {visit.host}, beside {visit.reach('sixth.example', '/b')}")

    async def lost(_visit: Visit) -> Response:
        return PlainTextResponse("nothing here", 404)

    sixth = Twin("sixth", "Sixth", "sixth", (Route(("sixth.example",), "GET", "/v{version}/{word:path}", hello),), lost)
    app = build(world, (*networks.found(), sixth))
    async with httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://localhost:8421") as browser:
        assert (await browser.get("/sixth.example/v1/good/day")).text == "good/day at sixth.example, beside /sixth.example/b"
        assert (await browser.get("https://sixth.example/v1/x")).text == "x at sixth.example, beside https://sixth.example/b"
        assert (await browser.get("/sixth.example/other")).status_code == 404


def test_the_sandbox_knows_nothing_of_the_product_and_no_heavy_library() -> None:
    program = (
        "import sys, hitchpost_sandbox.__main__ as sandbox; sandbox.networks.found();"
        "print([name for name in sys.modules if name.split('.')[0] in ('hitchpost', 'fastapi', 'pydantic', 'sqlalchemy')])"
    )
    assert subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_the_program_says_where_it_listens_and_answers_on_both_loopback_names(tmp_path: Path) -> None:
    apps = tmp_path / "apps.json"
    apps.write_text(json.dumps([{"authority": "x", "client_id": "from-a-file", "client_secret": "s"}]))
    command = [sys.executable, "-m", "hitchpost_sandbox", "--port", "0", "--apps", str(apps)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = process.stdout.readline().removeprefix("sandbox: ").strip()
            assert address.startswith("http://localhost:")
            with httpx2.Client(trust_env=False) as client:
                for place in (address, address.replace("localhost", "127.0.0.1")):
                    assert client.get(f"{place}/_sandbox/health").json()["status"] == "ok"
                assert "from-a-file" in client.get(f"{address}/_sandbox/apps").text
        finally:
            process.terminate()
    assert process.returncode == -signal.SIGTERM


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--host", "0.0.0.0"], "--anywhere"),
        (["--host", "sandbox.example"], "--anywhere"),
        (["--apps", "no-such-file.json"], "no-such-file.json"),
        (["--also", "no_such_module"], "no_such_module"),
    ],
)
def test_arguments_that_cannot_be_followed_are_refused_in_one_sentence(arguments: list[str], words: str) -> None:
    run = subprocess.run([sys.executable, "-m", "hitchpost_sandbox", *arguments], capture_output=True, text=True, check=False)
    assert run.returncode == 2
    assert words in run.stderr
    assert "Traceback" not in run.stderr
