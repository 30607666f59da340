"""What nobody should send, and what must not leak from one test into the next: the sandbox says no in a sentence, and forgets whole."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta

import httpx2
import pytest

from hitchpost_sandbox.apps import META_APP, PINTEREST_APP, X_APP
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.outgoing import Heard, Outgoing, is_loopback
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.playing import NoAnswer
from hitchpost_sandbox.reading import Misread
from hitchpost_sandbox.world import World
from hitchpost_sandbox.worldfile import from_toml
from tests.sandbox.test_faults import X_CONSENT
from tests.support.ways import WAYS, code_of, connected, exchange

ME = "/api.x.com/2/users/me"


async def told(caller: httpx2.AsyncClient, path: str, body: object, *, method: str = "POST") -> httpx2.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await caller.request(method, f"/_sandbox/{path}", content=content, headers={"content-type": "application/json"})


# One test does not reach into the next.


@pytest.mark.parametrize("ends", ["reset", "snapshots/then/restore"])
async def test_a_call_that_is_held_across_a_reset_acts_in_no_world(world: World, caller: httpx2.AsyncClient, ends: str) -> None:
    world.keep("then")
    script = world.faults.add(Fault("hold", network="x"))
    held = asyncio.create_task(code_of(caller, "x"))
    while not script.holding:
        await asyncio.sleep(0)
    await told(caller, ends, {})
    with pytest.raises(NoAnswer):
        await held
    assert world.ledger.read() == ()
    assert world.authority("x").codes == ()


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=b"])
@pytest.mark.parametrize("ends", ["reset", "restore"])
async def test_a_call_whose_body_comes_after_a_reset_acts_in_no_world(
    world: World, caller: httpx2.AsyncClient, ends: str, kind: str
) -> None:
    world.keep("then")
    fields = {"person": "ada", "decision": "allow"}
    parts = [f'--b\r\ncontent-disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in fields.items()]
    first, second = (*parts[:1], parts[1] + "--b--\r\n") if "multipart" in kind else ("person=ada&", "decision=allow")

    async def late() -> AsyncIterator[bytes]:
        yield first.encode()
        if ends == "reset":
            world.reset()
        else:
            world.restore("then")
        yield second.encode()

    with pytest.raises(NoAnswer):
        await caller.post(X_CONSENT, content=late(), headers={"content-type": kind})
    assert world.ledger.read() == ()
    assert world.authority("x").codes == ()
    whole = (first + second).encode()
    assert (await caller.post(X_CONSENT, content=whole, headers={"content-type": kind})).status_code == 302


async def test_a_clock_that_stands_comes_back_with_the_snapshot_as_it_was(world: World) -> None:
    running = World()
    running.keep("running")
    running.clock.stand()
    running.keep("standing")
    running.restore("running")
    assert not running.clock.stands
    running.restore("standing")
    assert running.clock.stands


async def test_the_clock_ends_before_the_calendar_does(world: World, caller: httpx2.AsyncClient) -> None:
    for move in ({"days": 2_912_000}, {"days": 1e6}, {"days": 1e300}, {"seconds": 1e19}):
        assert (await told(caller, "clock", move)).status_code == 400
    assert (await caller.get("/_sandbox/health")).status_code == 200
    world.clock.forward(timedelta(days=365 * 100))


# What befalls a person befalls what they have just allowed, too.


@pytest.mark.parametrize("name", sorted(WAYS))
async def test_a_code_does_not_survive_what_ended_everything_else(world: World, caller: httpx2.AsyncClient, name: str) -> None:
    # Only who has connected can remove the app.
    await connected(caller, name)
    code = await code_of(caller, name)
    assert (await told(caller, "turns", {"network": name, "turn": "revoked", "person": "ada"})).status_code == 204
    assert not (await exchange(caller, name, code=code)).is_success
    assert world.ledger.count("code_revoked") == 1


# Nonsense is refused in a sentence, and nothing of it stays.

HALF = b'"\\ud800"'
NONSENSE = [
    ("faults", b'{"does": "slow", "seconds": NaN}'),
    ("faults", b'{"does": "slow", "seconds": 1e400}'),
    ("faults", b'{"does": "slow", "seconds": 1' + b"0" * 400 + b"}"),
    ("faults", b'{"does": "answer", "status": 200, "body": ' + HALF + b"}"),
    ("faults", '{"does": "html", "headers": {"x": "中"}}'.encode()),
    ("faults", b'{"does": "html", "headers": {"x": "a\\r\\nb: c"}}'),
    ("faults", b'{"does": "html", "headers": {"content-length": "1"}}'),
    ("turns", b'{"network": "x", "turn": "revoked", "person": "ada", "detail": ' + HALF + b"}"),
    ("turns", b"[" * 100_000),
    ("turns", b'{"network": "' + b"x" * 1_100_000 + b'"}'),
    ("apps", b'{"authority": "meta", "client_id": "1", "client_secret": "s", "options": {"calls_an_hour": "abc"}}'),
    ("apps", b'{"authority": "linkedin", "client_id": "1", "client_secret": "s", "options": {"max_count": -3}}'),
    ("cast/a%5Dx", b'{"name": "M", "email": "m@example.com"}'),
    ("cast/7", b'{"name": "M", "email": "m@example.com"}'),
]


@pytest.mark.parametrize(("path", "body"), NONSENSE, ids=range(len(NONSENSE)))
async def test_nonsense_on_the_plane_is_refused_and_leaves_nothing(caller: httpx2.AsyncClient, path: str, body: bytes) -> None:
    answer = await told(caller, path, body, method="PUT" if path.startswith("cast") else "POST")
    assert (answer.status_code, set(answer.json())) == (400, {"message"})
    for page in ("faults", "cast", "ledger", "health", "apps"):
        assert (await caller.get(f"/_sandbox/{page}")).status_code == 200
    assert (await caller.get("/_sandbox/faults")).json() == []


BODIES = [
    ("/graph.facebook.com/v25.0/me", {"content-type": "application/json"}, b'{"access_token": ' + HALF + b"}"),
    ("/graph.facebook.com/v25.0/me", {"content-type": "application/json"}, b"[" * 100_000),
    ("/graph.facebook.com/v25.0/me", {"content-type": "multipart/form-data; boundary=b; charset=undefined"}, b"--b--\r\n"),
    (ME, {"authorization": "Basic é"}, b""),
    ("/graph.facebook.com/v25.0/me/accounts?limit=" + "9" * 5000, {}, b""),
    ("/api.pinterest.com/v5/boards?page_size=" + "9" * 5000, {}, b""),
]


@pytest.mark.parametrize(("path", "headers", "body"), BODIES, ids=range(len(BODIES)))
async def test_nonsense_at_a_network_is_never_an_unplanned_500(
    world: World, caller: httpx2.AsyncClient, path: str, headers: dict[str, str], body: bytes
) -> None:
    coded = [(name.encode(), value.encode("latin-1")) for name, value in headers.items()]
    answer = await caller.request("POST" if body else "GET", path, content=body or None, headers=coded)
    assert answer.status_code < 500
    assert world.ledger.count("broken") == 0


async def test_nothing_that_a_caller_sends_ends_a_header(caller: httpx2.AsyncClient) -> None:
    secret = META_APP.client_secret
    query = f"client_id={META_APP.client_id}&client_secret={secret}&grant_type=x%0d%0aX-Injected:%20yes"
    answer = await caller.get(f"/graph.facebook.com/v25.0/oauth/access_token?{query}")
    assert "x-injected" not in answer.headers
    assert "\r" not in answer.headers["www-authenticate"]


async def test_a_word_of_one_network_leaves_the_others_alone(world: World, caller: httpx2.AsyncClient) -> None:
    assert (await told(caller, "faults", {"does": "locked"})).status_code == 201
    assert (await caller.get("/api.linkedin.com/v2/userinfo")).status_code == 401
    assert [script.spoiled for script in world.faults.scripts] == [0]


@pytest.mark.parametrize(
    "url",
    [
        "file://localhost/etc/hostname",
        "data://localhost/,x",
        "http://[",
        "http://localhost:x/",
        "http://localhost/\r\nX: y",
        "http://[::1%40a.evil.test]/",
        "http://[::1%25lo]/",
        "http://a.evil.test\\@127.0.0.1/",
        "http://127.0.0.1\\@a.evil.test/",
        "http://a.evil.test@127.0.0.1/",
        "http://127.0.0.1%2f@localhost/",
    ],
)
async def test_networks_call_nothing_but_http(url: str) -> None:
    async def never(_url: str, _form: dict[str, str]) -> Heard:
        raise AssertionError("something was called")

    assert (await Outgoing(never).tell(url, {})).status == 0
    assert (await Outgoing(never, anywhere=True).tell(url, {})).status == 0


@pytest.mark.parametrize("host", ["::1%40a.evil.test", "::1%lo", "127.0.0.1.evil.test", "a.evil.test"])
def test_a_zone_makes_no_loopback(host: str) -> None:
    assert is_loopback("::1")
    assert not is_loopback(host)


@pytest.mark.parametrize("key", ["", "7", "a]x", "mia muster", "中", "a" * 65])
def test_a_key_is_plain(key: str) -> None:
    with pytest.raises(ValueError, match="'key'"):
        Person(key, "Mia", "mia@example.com")
    with pytest.raises(Misread):
        from_toml(f'[[people]]\nkey = "{key}"\nname = "M"\nemail = "m@example.com"\n')


async def test_a_host_in_the_path_is_found_in_any_case(caller: httpx2.AsyncClient) -> None:
    assert (await caller.get("/Graph.Facebook.com/v25.0/me")).json()["error"]["code"] == 2500


async def test_pictures_run_nothing_on_the_panels_origin(caller: httpx2.AsyncClient) -> None:
    answer = await caller.get("/pbs.twimg.com/svg.png")
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"


# Small truths.


async def test_a_list_goes_back_as_it_went_forward(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "facebook", person="mona"))["access_token"]
    path = "/graph.facebook.com/v25.0/me/accounts"
    first = (await caller.get(path, params={"access_token": token, "fields": "id", "limit": "10"})).json()
    second = (await caller.get(first["paging"]["next"])).json()
    assert "previous" not in first["paging"]
    again = (await caller.get(second["paging"]["previous"])).json()
    assert again["data"] == first["data"]


async def test_an_injected_error_names_the_version_that_was_asked(world: World, caller: httpx2.AsyncClient) -> None:
    world.faults.add(Fault("17", network="facebook"))
    assert (await caller.get("/graph.facebook.com/v25.0/me")).headers["facebook-api-version"] == "v25.0"
    world.faults.add(Fault("80002", network="facebook"))
    assert '"instagram"' in (await caller.get("/graph.facebook.com/v25.0/me")).headers["x-business-use-case-usage"]


async def test_an_apps_own_token_is_of_type_app(caller: httpx2.AsyncClient) -> None:
    own = f"{META_APP.client_id}|{META_APP.client_secret}"
    answer = await caller.get("/graph.facebook.com/v25.0/debug_token", params={"access_token": own, "input_token": own})
    assert (answer.json()["data"]["type"], answer.json()["data"]["is_valid"]) == ("APP", True)


async def test_ending_a_token_at_x_needs_credentials(caller: httpx2.AsyncClient) -> None:
    assert (await caller.post("/api.x.com/2/oauth2/revoke", data={"token": "z"})).status_code == 401
    assert X_APP.client_secret != PINTEREST_APP.client_secret
