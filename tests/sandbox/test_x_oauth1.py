"""X's older way in, OAuth 1.0a, signed by a library that nobody here wrote."""

from dataclasses import replace
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest
from oauthlib.oauth1 import Client

from hitchpost_sandbox.apps import X_APP, Option
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.ways import BACK

API = "https://api.x.com"


@pytest.fixture(params=["over the real address", "over the sandbox's address"])
def place(request: pytest.FixtureRequest) -> str:
    """Where the client believes that X is: what it signs."""
    return API if request.param == "over the real address" else "http://localhost:8421/api.x.com"


async def signed(browser: httpx2.AsyncClient, method: str, address: str, **known: str) -> httpx2.Response:
    """One call with an OAuth 1.0a header, wherever the address is really answered."""
    signer = Client(X_APP.client_id, client_secret=known.pop("client_secret", X_APP.client_secret), **known)
    _, headers, _ = signer.sign(address, http_method=method)
    return await browser.request(method, address.replace("https://", "/", 1), headers=headers)


def told(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 200, answer.text
    return dict(parse_qsl(answer.text))


async def decide(browser: httpx2.AsyncClient, token: str, decision: str = "allow", person: str = "ada") -> dict[str, str]:
    page = f"/api.x.com/oauth/authorize?{urlencode({'oauth_token': token})}"
    answer = await browser.post(page, data={"person": person, "decision": decision})
    assert answer.status_code == 302, answer.text
    assert answer.headers["location"].startswith(BACK)
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))


async def connected(browser: httpx2.AsyncClient, place: str = API) -> dict[str, str]:
    asked = told(await signed(browser, "POST", f"{place}/oauth/request_token", callback_uri=BACK))
    assert asked["oauth_callback_confirmed"] == "true"
    back = await decide(browser, asked["oauth_token"])
    assert back["oauth_token"] == asked["oauth_token"]
    pair = {"resource_owner_key": asked["oauth_token"], "resource_owner_secret": asked["oauth_token_secret"]}
    return told(await signed(browser, "POST", f"{place}/oauth/access_token", verifier=back["oauth_verifier"], **pair))


def owner(given: dict[str, str]) -> dict[str, str]:
    return {"resource_owner_key": given["oauth_token"], "resource_owner_secret": given["oauth_token_secret"]}


def switch(world: World, **options: Option) -> None:
    world.register(replace(X_APP, options=options))


async def test_three_steps_give_a_token_that_signs_for_ada_and_does_not_end(browser: httpx2.AsyncClient, world: World, place: str) -> None:
    given = await connected(browser, place)
    assert (given["user_id"], given["screen_name"]) == ("1850000000000000101", "adalantern")
    me = await signed(browser, "GET", f"{place}/2/users/me?user.fields=verified%2Curl", **owner(given))
    assert me.json()["data"]["username"] == "adalantern"
    assert me.headers["x-access-level"] == "read-write"
    old = await signed(browser, "GET", f"{place}/1.1/account/verify_credentials.json?include_email=true", **owner(given))
    assert (old.json()["screen_name"], old.json()["email"]) == ("adalantern", "ada@lantern.example")
    alive = [token for token in world.authority("x").tokens if token.kind == "oauth1"]
    assert [token.expires_at for token in alive] == [None]


async def test_a_refusal_comes_back_as_denied(browser: httpx2.AsyncClient, world: World) -> None:
    asked = told(await signed(browser, "POST", f"{API}/oauth/request_token", callback_uri=BACK))
    assert await decide(browser, asked["oauth_token"], "deny") == {"denied": asked["oauth_token"]}
    assert world.ledger.count(What.CONSENT_DENIED, person="ada") == 1


async def test_a_callback_that_is_not_registered_is_415(browser: httpx2.AsyncClient) -> None:
    answer = await signed(browser, "POST", f"{API}/oauth/request_token", callback_uri="https://elsewhere.example/back")
    wanted = {"code": 415, "message": "Callback URL not approved for this client application."}
    assert (answer.status_code, answer.json()) == (403, {"errors": [wanted]})


@pytest.mark.parametrize("path", ["/oauth/request_token", "/oauth/access_token"])
async def test_a_wrong_secret_authenticates_nobody(browser: httpx2.AsyncClient, path: str) -> None:
    answer = await signed(browser, "POST", API + path, callback_uri=BACK, client_secret="wrong", resource_owner_key="x")
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (401, 32)


async def test_a_changed_query_breaks_the_signature_and_a_dead_token_is_89(browser: httpx2.AsyncClient, world: World) -> None:
    given = await connected(browser)
    _, headers, _ = Client(X_APP.client_id, client_secret=X_APP.client_secret, **owner(given)).sign(f"{API}/2/users/me")
    changed = await browser.get("/api.x.com/2/users/me?user.fields=url", headers=headers)
    assert (changed.status_code, changed.json()["errors"][0]["code"]) == (401, 32)
    world.authority("x").revoke_grants("ada", X_APP.client_id)
    dead = await signed(browser, "GET", f"{API}/2/users/me", **owner(given))
    assert (dead.status_code, dead.json()["errors"][0]["code"]) == (401, 89)


async def test_a_verifier_counts_once_and_only_the_right_one(browser: httpx2.AsyncClient) -> None:
    asked = told(await signed(browser, "POST", f"{API}/oauth/request_token", callback_uri=BACK))
    early = await signed(browser, "POST", f"{API}/oauth/access_token", verifier="", **owner(asked))
    assert early.status_code == 401
    verifier = (await decide(browser, asked["oauth_token"]))["oauth_verifier"]
    wrong = await signed(browser, "POST", f"{API}/oauth/access_token", verifier="guessed", **owner(asked))
    assert (wrong.status_code, "oauth_verifier" in wrong.text) == (401, True)
    assert (await signed(browser, "POST", f"{API}/oauth/access_token", verifier=verifier, **owner(asked))).status_code == 200
    assert (await signed(browser, "POST", f"{API}/oauth/access_token", verifier=verifier, **owner(asked))).status_code == 401


async def test_a_request_token_of_nobody_ends_on_xs_own_page(browser: httpx2.AsyncClient) -> None:
    answer = await browser.get("/api.twitter.com/oauth/authenticate?oauth_token=nothing")
    assert (answer.status_code, "Whoa there!" in answer.text) == (400, True)


async def test_an_app_that_may_only_read_gives_tokens_that_only_read(browser: httpx2.AsyncClient, world: World) -> None:
    switch(world, read_only=True)
    given = await connected(browser)
    assert (await signed(browser, "GET", f"{API}/2/users/me", **owner(given))).headers["x-access-level"] == "read"
    scopes = [token.scopes for token in world.authority("x").tokens if token.kind == "oauth1"]
    assert scopes == [("tweet.read", "users.read")]
