"""The sandbox's own plane: what tests in any language can ask of it and tell it, and how it refuses what it does not understand."""

from datetime import timedelta

import httpx2
import pytest

from hitchpost_sandbox import networks
from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import COUNTS, INSTAGRAM_APP, META_APP, X_APP
from hitchpost_sandbox.faults import Does
from hitchpost_sandbox.ledger import Entry, What
from hitchpost_sandbox.turns import Befallen, CannotBefall
from hitchpost_sandbox.world import World
from tests.sandbox.test_faults import ME, bearer, code_of, redeemed, signed_in
from tests.support.trip import NOON

TWINS = {twin.network: twin for twin in networks.found()}


async def test_consents_show_each_code_and_token_with_its_fate(world: World, caller: httpx2.AsyncClient) -> None:
    code = await code_of(caller)
    pair = (await redeemed(caller, code)).json()
    await redeemed(caller, code)
    form = {"grant_type": "refresh_token", "refresh_token": pair["refresh_token"]}
    await caller.post("/api.x.com/2/oauth2/token", data=form, auth=httpx2.BasicAuth(X_APP.client_id, X_APP.client_secret))
    world.clock.forward(timedelta(hours=1))
    (consent,) = (await caller.get("/_sandbox/consents", params={"person": "ada"})).json()
    assert (consent["authority"], consent["app"], consent["person"]) == ("x", X_APP.client_id, "ada")
    assert [(one["fate"], one["redeemed"], one["refused"]) for one in consent["codes"]] == [("used", 1, 1)]
    assert [(one["kind"], one["fate"], one["redeemed"]) for one in consent["tokens"]] == [
        ("access", "alive", 0),
        ("refresh", "rotated", 1),
        ("access", "alive", 0),
        ("refresh", "alive", 0),
    ]
    text = str(consent)
    assert not any(secret in text for secret in (code, pair["access_token"], pair["refresh_token"]))
    assert (await caller.get("/_sandbox/consents", params={"person": "ben"})).json() == []


async def test_the_clock_is_moved_stopped_and_let_go(caller: httpx2.AsyncClient) -> None:
    moved = (await caller.post("/_sandbox/clock", json={"days": 60, "hours": 1})).json()
    assert moved == {"now": (NOON + timedelta(days=60, hours=1)).isoformat(), "stands": True}
    assert (await caller.post("/_sandbox/clock", json={"run": True})).json()["stands"] is False
    assert (await caller.post("/_sandbox/clock", json={"stand": True})).json()["stands"] is True


async def test_tokens_age_with_the_clock_and_versions_close(caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    await caller.post("/_sandbox/clock", json={"hours": 2})
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401


async def test_a_snapshot_brings_everything_back_the_time_too(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    await caller.post("/_sandbox/faults", json={"does": "html", "path": "/2/users/by"})
    assert (await caller.put("/_sandbox/snapshots/signed-in")).status_code == 204
    await caller.post("/_sandbox/turns", json={"network": "x", "turn": "suspended", "person": "ada"})
    await caller.post("/_sandbox/turns", json={"network": "x", "turn": "revoked", "person": "ada"})
    await caller.post("/_sandbox/clock", json={"hours": 5})
    await caller.delete("/_sandbox/faults")
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401
    seen = len(world.ledger.read())
    for _ in range(2):
        assert (await caller.post("/_sandbox/snapshots/signed-in/restore", json={})).status_code == 204
        assert (await caller.get(ME, headers=bearer(pair))).status_code == 200
        assert len(world.ledger.read()) < seen
        assert world.clock.now() == NOON
        assert len((await caller.get("/_sandbox/faults")).json()) == 1
    assert (await caller.get("/_sandbox/snapshots")).json() == ["signed-in"]
    assert (await caller.delete("/_sandbox/snapshots/signed-in")).status_code == 204
    assert (await caller.post("/_sandbox/snapshots/signed-in/restore", json={})).status_code == 404


async def test_a_reset_forgets_what_happened_and_keeps_snapshots(caller: httpx2.AsyncClient) -> None:
    pair = await signed_in(caller)
    await caller.put("/_sandbox/snapshots/before")
    await caller.post("/_sandbox/turns", json={"network": "x", "turn": "suspended", "person": "ada"})
    assert (await caller.post("/_sandbox/reset", json={})).status_code == 204
    assert (await caller.get("/_sandbox/ledger")).json() == []
    assert (await caller.get("/_sandbox/faults")).json() == []
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401
    assert (await caller.get("/_sandbox/snapshots")).json() == ["before"]


async def test_a_person_is_changed_or_moves_in(caller: httpx2.AsyncClient) -> None:
    mia = {"name": "Mia Muster", "email": "mia@muster.example", "x": {"id": "19", "username": "mia", "picture": "mia", "name": "Mia"}}
    assert (await caller.put("/_sandbox/cast/mia", json=mia)).json()["key"] == "mia"
    pair = await signed_in(caller, "mia")
    assert (await caller.get(ME, headers=bearer(pair))).json()["data"]["username"] == "mia"
    assert (await caller.put("/_sandbox/cast/mia", json={**mia, "x": None})).status_code == 200
    assert (await caller.get(ME, headers=bearer(pair))).status_code == 401


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("faults", {"does": "nonsense"}, "fault.does: 'nonsense' is not known; nearest: "),
        (
            "faults",
            {"does": "html", "network": "myspace"},
            "fault.network: 'myspace' is not known; known: facebook, instagram, linkedin, pinterest, x",
        ),
        ("faults", {"does": "slow", "secnds": 3}, "fault: 'secnds' is not known; nearest: seconds"),
        ("faults", {"does": "slow", "times": "often"}, "fault.times must be a whole number"),
        ("faults", {"does": "slow", "times": -1}, "not negative"),
        (
            "turns",
            {"network": "x", "turn": "nonsense", "person": "ada"},
            "turn.turn: 'nonsense' is not known; known: locked, password_changed, ",
        ),
        (
            "turns",
            {"network": "myspace", "turn": "revoked", "person": "ada"},
            "turn.network: 'myspace' is not known; known: facebook, instagram, ",
        ),
        ("turns", {"network": "x", "turn": "revoked", "person": "bne"}, "turn.person: 'bne' is not known; nearest: ben"),
        ("turns", {"network": "facebook", "turn": "page_removed", "person": "ada"}, "turn.target is missing: 'page_removed' needs it"),
        ("turns", {"network": "x", "turn": "permission_gone", "person": "ada"}, "turn.scope is missing: 'permission_gone' needs it"),
        ("turns", {"network": "x", "turn": "revoked"}, "turn.person is missing"),
        ("turns", {"network": "x", "turn": "revokd", "person": "ada"}, "turn.turn: 'revokd' is not known; nearest: revoked"),
        ("turns", {"network": "x", "turn": "revoked", "person": "ada", "target": "7"}, "turn.target: '7' is more than 'revoked' takes"),
        ("turns", {"network": "x", "turn": "revoked", "person": "ada", "app": "mine"}, "turn.app: 'mine' is not known; known: "),
        ("turns", {"network": "linkedin", "turn": "role_lost", "person": "ada", "target": "770101"}, "nearest: 7700101"),
        (
            "turns",
            {"network": "facebook", "turn": "revoked", "person": "ada", "detail": "stal"},
            "turn.detail: 'stal' is not known; nearest: stale",
        ),
        ("faults", {"does": "html", "person": "bne"}, "fault.person: 'bne' is not known; nearest: ben"),
        ("faults", {"does": "html", "host": "api.twitter.co"}, "fault.host: 'api.twitter.co' is not known; nearest: "),
        ("faults", {"does": "html", "method": "PSOT"}, "fault.method: 'PSOT' is not known; nearest: POST"),
        (
            "faults",
            {"does": "html", "path": "2/users/me"},
            "fault.path: '2/users/me' fits no path; paths begin with /, as in '/2/users/me'",
        ),
        ("faults", {"does": "190/460", "network": "x"}, "fault.does: '190/460' is a word of facebook and instagram, not of x"),
        ("faults", {"does": "html", "network": "x", "host": "i.pinimg.com"}, "fault.host: 'i.pinimg.com' is a host of pinterest, not of x"),
        ("turns", {"network": "x", "turn": "role_lost", "person": "ada"}, "turn.turn: 'role_lost' is a turn of facebook"),
        ("faults", {"does": "html", "app": "nobodys"}, "fault.app: 'nobodys' is not known; "),
        ("faults", {"does": "page_removed"}, "fault.target is missing: 'page_removed' needs it"),
        (
            "apps",
            {"authority": "linkedin", "client_id": "a", "client_secret": "b", "variant": "D"},
            "app.variant: 'D' is not known; known: A, B, C",
        ),
        ("clock", {"hours": -1}, "only moves forward"),
        ("clock", {"days": 1e12}, "clock"),
        ("clock", {"stand": True, "run": True}, "not both"),
        (
            "apps",
            {"authority": "myspace", "client_id": "a", "client_secret": "b"},
            "app.authority: 'myspace' is not known; known: instagram, linkedin, meta, ",
        ),
        (
            "apps",
            {"authority": "x", "client_id": "a", "client_secret": "b", "options": {"reuse_kills_famly": True}},
            "app.options: 'reuse_kills_famly' is not known; nearest: reuse_kills_family",
        ),
        ("apps", {"authority": "x", "client_id": "a"}, "app.client_secret is missing"),
        ("apps", {"authority": "x", "client_id": 7, "client_secret": "b"}, "app.client_id must be text"),
    ],
)
async def test_what_is_not_understood_is_refused_with_the_place_and_what_is_wanted(
    caller: httpx2.AsyncClient, path: str, body: dict[str, object], words: str
) -> None:
    answer = await caller.post(f"/_sandbox/{path}", json=body)
    assert answer.status_code == 400
    assert words in answer.json()["message"]


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("ledger?kid=call", "the query: 'kid' is not known; nearest: kind"),
        ("ledger?kind=cal", "kind: 'cal' is not known; nearest: call"),
        ("ledger?network=linkdin", "network: 'linkdin' is not known; nearest: linkedin"),
        ("ledger?person=adda", "person: 'adda' is not known; nearest: ada"),
        ("ledger?app=mine", "app: 'mine' is not known; "),
        ("ledger?after=first", "after: it must be a number, the 'seq' of an entry"),
        ("ledger?limit=-1", "limit: it must be a number, of entries"),
        ("consents?person=adda", "person: 'adda' is not known; nearest: ada"),
        ("consents?kind=call", "the query: 'kind' is not known; known: app, person"),
    ],
)
async def test_a_filter_that_nothing_could_fit_is_refused_it_is_no_empty_list(caller: httpx2.AsyncClient, path: str, words: str) -> None:
    answer = await caller.get(f"/_sandbox/{path}")
    assert answer.status_code == 400
    assert words in answer.json()["message"]


async def test_a_long_ledger_is_read_page_by_page_or_from_its_end(world: World, caller: httpx2.AsyncClient) -> None:
    for number in range(25):
        world.ledger.write("x" if number % 2 else "linkedin", What.CALL, path=f"/{number}")

    async def asked(query: str) -> list[int]:
        return [entry["seq"] for entry in (await caller.get(f"/_sandbox/ledger?{query}")).json()]

    assert await asked("limit=3") == [23, 24, 25]
    assert await asked("limit=3&network=x") == [20, 22, 24]
    assert await asked("limit=3&after=0") == [1, 2, 3]
    assert await asked("limit=3&after=3&network=x") == [4, 6, 8]
    assert await asked("limit=3&after=24") == [25]
    assert await asked("limit=100") == list(range(1, 26))
    assert await asked("limit=0") == []
    pages: list[int] = []
    last = 0
    while page := await asked(f"limit=10&after={last}"):
        pages, last = [*pages, *page], page[-1]
    assert pages == await asked("") == list(range(1, 26))


def test_a_ledger_that_has_forgotten_its_beginning_is_read_in_pages_too() -> None:
    ledger = World().ledger
    ledger.back([Entry(seq, "", "x", What.CALL, "", "") for seq in range(91, 101)], 100)

    def asked(after: int | None = None, before: int | None = None, limit: int | None = None) -> list[int]:
        return [entry.seq for entry in ledger.read(after=after, before=before, limit=limit)]

    assert asked(after=0, limit=2) == [91, 92]
    assert asked(after=95, limit=2) == [96, 97]
    assert asked(limit=2) == [99, 100]
    assert asked(before=95, limit=2) == [93, 94]
    assert asked(before=50) == asked(before=0) == asked(after=100) == asked(after=500) == []
    assert asked(before=500) == list(range(91, 101))


async def test_whoever_is_gone_from_the_cast_is_still_found_in_the_ledger(world: World, caller: httpx2.AsyncClient) -> None:
    world.ledger.write("x", What.CONSENT_LEFT, app="an-old-app", person="zoe")
    found = (await caller.get("/_sandbox/ledger", params={"person": "zoe", "app": "an-old-app"})).json()
    assert [entry["person"] for entry in found] == ["zoe"]


@pytest.mark.parametrize(
    ("person", "words"),
    [
        ({"x": {"id": "19", "username": "AdaLantern", "picture": "m", "name": "M"}}, "person.x.username: 'AdaLantern' is taken by 'ada'"),
        ({"facebook": {"picture": "m", "pages": [{"id": "1", "name": "P", "picture": "p", "tasks": ["MODERATOR"]}]}}, "nearest: MODERATE"),
        ({"pinterst": None}, "person: 'pinterst' is not known; nearest: pinterest"),
        ({"instagram": {"id": "1", "username": "m", "picture": "m", "account_type": "BUSNESS"}}, "nearest: BUSINESS"),
    ],
)
async def test_nobody_moves_in_with_what_is_taken_or_unknown(caller: httpx2.AsyncClient, person: dict[str, object], words: str) -> None:
    answer = await caller.put("/_sandbox/cast/mia", json={"name": "Mia", "email": "mia@muster.example", **person})
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert "mia" not in {one["key"] for one in (await caller.get("/_sandbox/cast")).json()}


async def test_what_is_not_there_is_refused_with_what_is(caller: httpx2.AsyncClient) -> None:
    path = await caller.get("/_sandbox/legder")
    assert (path.status_code, path.json()["message"].partition(", ")[0]) == (
        404,
        "the path: '/_sandbox/legder' is not known; nearest: /_sandbox/ledger",
    )
    method = await caller.post("/_sandbox/ledger", json={})
    assert (method.status_code, method.json()) == (405, {"message": "/_sandbox/ledger takes GET, HEAD, not POST"})
    assert set(method.headers["allow"].split(", ")) == {"GET", "HEAD"}
    host = await caller.get("/api.twiter.com/2/users/me")
    assert host.status_code == 404
    assert "the host: 'api.twiter.com' is not known; nearest: api.twitter.com" in host.json()["message"]


@pytest.mark.parametrize("path", ["health", "ledger", "consents", "networks", "cast", "apps", "faults", "clock", "snapshots", "nowhere"])
async def test_its_json_ends_with_a_newline(caller: httpx2.AsyncClient, path: str) -> None:
    answer = await caller.get(f"/_sandbox/{path}")
    assert answer.text.endswith(("}\n", "]\n"))
    assert int(answer.headers["content-length"]) == len(answer.content)


@pytest.mark.parametrize("path", ["faults", "turns", "clock", "apps", "reset", "snapshots/a/restore"])
async def test_B1_a_foreign_page_cannot_post_to_it(caller: httpx2.AsyncClient, path: str) -> None:
    plain = await caller.post(f"/_sandbox/{path}", content=b"{}", headers={"content-type": "text/plain"})
    assert (plain.status_code, plain.json()) == (400, {"message": "send application/json"})
    assert (await caller.post(f"/_sandbox/{path}", json={}, headers={"host": "evil.example"})).status_code == 400


@pytest.mark.parametrize("network", TWINS)
async def test_every_error_that_a_network_names_is_answered_in_its_words(world: World, caller: httpx2.AsyncClient, network: str) -> None:
    twin = TWINS[network]
    assert {"rate_limit", "server_error"} <= set(twin.errors)
    assert not (set(twin.errors) | set(twin.turns)) & (set(Does) - {"rate_limit", "server_error"})
    assert not set(twin.errors) & set(twin.turns)
    host = sorted(twin.hosts)[0]
    for name in twin.errors:
        assert (await caller.post("/_sandbox/faults", json={"does": name, "network": network})).status_code == 201
        answer = await caller.get(f"/{host}/anything")
        assert 400 <= answer.status_code < 600, name
        assert answer.headers["content-type"].startswith("application/"), name
    assert world.ledger.count(What.BROKEN) == 0
    assert world.ledger.count(What.FAULT) == len(twin.errors)


@pytest.mark.parametrize("network", TWINS)
async def test_every_turn_befalls_ada_or_says_what_it_needs(world: World, network: str) -> None:
    build(world)
    twin = TWINS[network]
    for name, turn in twin.turns.items():
        assert turn.says, name
        wanted = next((need for need in ("`target`", "`scope`") if need in turn.says), "")
        if wanted:
            with pytest.raises(CannotBefall, match=wanted.strip("`")):
                await turn.play(world, Befallen("ada"))
        else:
            await turn.play(world, Befallen("ada"))


@pytest.mark.parametrize(
    ("network", "word", "more"),
    [("x", "locked", {}), ("linkedin", "role_lost", {"target": "1"}), ("pinterest", "type_changed", {})],
)
async def test_nothing_befalls_an_account_that_nobody_has(
    world: World, caller: httpx2.AsyncClient, network: str, word: str, more: dict[str, str]
) -> None:
    world.change("ada", **{network: None})
    answer = await caller.post("/_sandbox/turns", json={"network": network, "turn": word, "person": "ada", **more})
    assert answer.status_code == 400
    assert answer.json()["message"].removeprefix("turn.person: ") == f"'ada' has no account at {network}"


@pytest.mark.parametrize("network", TWINS)
async def test_what_can_be_asked_for_is_listed(caller: httpx2.AsyncClient, network: str) -> None:
    listed = (await caller.get("/_sandbox/networks")).json()[network]
    twin = TWINS[network]
    assert set(listed["errors"]) == set(twin.errors)
    assert set(listed["turns"]) == set(twin.turns)
    assert set(listed["switches"]) == set(twin.switches)
    assert all(listed[part][name] for part in ("errors", "turns", "switches") for name in listed[part])


@pytest.mark.parametrize(("network", "app"), [("facebook", META_APP), ("instagram", INSTAGRAM_APP)])
async def test_an_app_may_be_registered_with_every_switch_of_its_network(caller: httpx2.AsyncClient, network: str, app: object) -> None:
    switches = {name: 7 if name in COUNTS else True for name in TWINS[network].switches}
    body = {"authority": TWINS[network].authority, "client_id": "1", "client_secret": "s", "options": switches}
    assert (await caller.post("/_sandbox/apps", json=body)).status_code == 201
