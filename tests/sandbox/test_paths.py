"""A fault at a path that no network has is refused, as every typo is; one at a path that clients call never is."""

import re
from fnmatch import fnmatchcase

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitchpost_sandbox import networks
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.paths import LONGEST, fitting, shown
from hitchpost_sandbox.world import World
from tests.support.ways import connected

TWINS = {twin.network: twin for twin in networks.found()}
PATHS = [path for twin in TWINS.values() for path in twin.paths()]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"path": "/nothing/here"}, "fault.path: '/nothing/here' is not known; nearest: /"),
        ({"path": "/nothing"}, "fault.path: '/nothing' is not known; nearest: /"),
        ({"path": "/2/user/me"}, "fault.path: '/2/user/me' is not known; nearest: /2/users/me, /2/users/*, "),
        ({"path": "/v25.0/me/acounts"}, "fault.path: '/v25.0/me/acounts' is not known; nearest: /v*/*/accounts, "),
        ({"path": "/rest/organisations/*"}, "nearest: /rest/organizations/*"),
        ({"path": "/api.x.com/2/user/me"}, "fault.path: '/2/user/me' is not known; nearest: /2/users/me, "),
        ({"path": "/v5/boards", "network": "x"}, "fault.path: '/v5/boards' is a path of pinterest, not of x"),
        ({"path": "/2/users/me", "host": "x.com"}, "known: /i/oauth2/authorize, /oauth/authenticate, /oauth/authorize"),
        ({"path": "/api.x.com/2/users/me", "host": "x.com"}, "it is a path at api.x.com, and fault.host says 'x.com'"),
        ({"path": "/api.x.com/2/users/me", "network": "pinterest"}, "'api.x.com' is a host of x, not of pinterest"),
        ({"path": "/2/tweets", "does": "answer", "status": 201}, "fault.path: '/2/tweets' is not known; nearest: "),
        ({"path": "/" + "*a" * LONGEST}, "is not known; nearest: /"),
    ],
)
async def test_a_path_that_no_network_has_is_refused_with_the_nearest_there_are(
    world: World, caller: httpx2.AsyncClient, fault: dict[str, object], words: str
) -> None:
    answer = await caller.post("/_sandbox/faults", json={"does": "rate_limit", **fault})
    assert answer.status_code == 400
    assert words in answer.json()["message"]
    assert world.faults.scripts == ()


@pytest.mark.parametrize(
    ("path", "call"),
    [
        ("/2/users/me", "/api.x.com/2/users/me"),
        ("/2/users/2244994945", "/api.x.com/2/users/2244994945"),
        ("/api.x.com/2/users/me", "/api.x.com/2/users/me"),
        ("/API.X.com/2/users/*", "/api.x.com/2/users/me"),
        ("https://api.x.com/2/users/me", "/api.x.com/2/users/me"),
        ("/graph.facebook.com/v*/me/accounts", "/graph.facebook.com/v25.0/me/accounts"),
        ("/v25.0/101755847768001", "/graph.facebook.com/v25.0/101755847768001"),
        ("/v25.0/me/accounts/", "/graph.facebook.com/v25.0/me/accounts/"),
        ("/me/accounts", "/graph.facebook.com/me/accounts"),
        ("/v2[0-9].0/*/picture", "/graph.facebook.com/v25.0/me/picture"),
        ("/refresh_access_token", "/graph.instagram.com/refresh_access_token"),
        ("/rest/organizations/7700101", "/api.linkedin.com/rest/organizations/7700101"),
        ("/rest/image?/urn*", "/api.linkedin.com/rest/images/urn:li:image:1"),
        ("*/oauth/token", "/api.pinterest.com/v5/oauth/token"),
        ("*oken*", "/api.pinterest.com/v5/oauth/token"),
        ("/profile_images/*", "/pbs.twimg.com/profile_images/1/ada_normal.png"),
        ("/v/t39.30808-1/ada_50x50.png", "/scontent.xx.fbcdn.net/v/t39.30808-1/ada_50x50.png"),
        ("/v/t51.2885-15/ada.png", "/scontent.cdninstagram.com/v/t51.2885-15/ada.png"),
        ("/dms/image/v2/D4E03AQ/ada.png", "/media.licdn.com/dms/image/v2/D4E03AQ/ada.png"),
        ("/600x600_R/ada.png", "/i.pinimg.com/600x600_R/ada.png"),
        ("/150x150/*-1.png", "/i.pinimg.com/150x150/1-1.png"),
        ("*", "/www.facebook.com/dialog/oauth"),
    ],
)
async def test_a_path_that_clients_call_is_taken_and_spoiled_however_it_is_written(
    world: World, caller: httpx2.AsyncClient, path: str, call: str
) -> None:
    assert (await caller.post("/_sandbox/faults", json={"does": "answer", "status": 418, "path": path})).status_code == 201
    assert (await caller.get(call)).status_code == 418


async def test_what_the_sandbox_does_not_have_can_be_answered_at_a_host_that_is_named(caller: httpx2.AsyncClient) -> None:
    fault = {"does": "answer", "status": 201, "host": "api.x.com", "path": "/2/tweets", "body": '{"data": {"id": "1"}}'}
    assert (await caller.post("/_sandbox/faults", json=fault)).status_code == 201
    assert (await caller.post("/api.x.com/2/tweets", json={"text": "Hello"})).json() == {"data": {"id": "1"}}


async def test_every_path_that_is_answered_well_is_one_that_faults_may_name(world: World, caller: httpx2.AsyncClient) -> None:
    for network in TWINS:
        pair = await connected(caller, network)
        if network == "facebook":
            bearer = {"authorization": f"Bearer {pair['access_token']}"}
            for edge in ("", "/accounts", "/assigned_pages", "/businesses", "/permissions", "/permissions/email", "/picture"):
                for start in ("/v25.0", ""):
                    assert (await caller.get(f"/graph.facebook.com{start}/me{edge}", headers=bearer)).status_code < 400, edge
    calls = [(entry.network, entry.facts) for entry in world.ledger.read(what=What.CALL) if int(str(entry.facts["status"])) < 400]
    assert len(calls) > 20
    for network, facts in calls:
        assert fitting(str(facts["path"]), TWINS[network].paths(str(facts["host"]))), facts


@given(st.data())
def test_no_pattern_that_fits_a_real_path_is_taken_for_one_that_fits_none(data: st.DataObject) -> None:
    route = data.draw(st.sampled_from(PATHS))
    number = st.integers(0, 10**17).map(str)
    part = st.text("abz19_-.~:(),[]*é ", min_size=1, max_size=5)
    kinds = {":int": number, ":path": st.text("abz19/_-.", max_size=9), "": part}
    path = re.sub(r"\{\w+?(:\w+)?\}", lambda found: data.draw(kinds[found[1] or ""]), route)
    pieces = []
    for letter in path:
        written = data.draw(st.sampled_from(["same", "same", "same", "one", "of", "none of", "star"]))
        pieces.append({"same": f"[{letter}]", "one": "?", "of": f"[{letter}Q]", "none of": "[!Q]", "star": "*"}[written])
        if written == "same" and letter not in "[]*?!":
            pieces[-1] = letter
    pattern = "".join(pieces)
    if fnmatchcase(path, pattern):
        assert route in fitting(pattern, [route])


@given(st.sampled_from(PATHS), st.sampled_from(["Q", "?Q", "[Q]", "*Q*"]))
def test_a_pattern_with_a_letter_that_a_route_does_not_have_fits_only_where_something_is_free(route: str, strange: str) -> None:
    fits = bool(fitting(f"{shown(route.partition('{')[0])}{strange}*", [route]))
    assert fits <= ("{" in route)
