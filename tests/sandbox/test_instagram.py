"""The simulated Instagram Login keeps Instagram's own words and odd ways, whoever calls."""

from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2
import pytest

from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import INSTAGRAM_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.trip import NOON

BACK = "http://127.0.0.1:9999/back"
SCOPES = "instagram_business_basic,instagram_business_content_publish"
LONG = 5183944


class Outside:
    """A world with one Instagram app, and a client that is browser and server at once."""

    def __init__(self, **options: Option) -> None:
        self.app = App("instagram", INSTAGRAM_APP.client_id, INSTAGRAM_APP.client_secret, options=options)
        self.world = World(clock=SandboxClock(NOON), apps=[self.app])
        transport = httpx2.ASGITransport(app=build(self.world))
        self.http = httpx2.AsyncClient(transport=transport, base_url="http://localhost:8421")

    async def authorize(self, *, person: str = "ada", decision: str = "allow", **query: str) -> httpx2.Response:
        asked = {"client_id": self.app.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES, "state": "s"} | query
        return await self.http.post(f"/www.instagram.com/oauth/authorize?{urlencode(asked)}", data={"person": person, "decision": decision})

    async def code(self, person: str = "ada") -> str:
        answer = await self.authorize(person=person)
        return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]

    async def redeem(self, code: str, **more: str) -> httpx2.Response:
        form = {
            "client_id": self.app.client_id,
            "client_secret": self.app.client_secret,
            "grant_type": "authorization_code",
            "redirect_uri": BACK,
            "code": code,
            **more,
        }
        return await self.http.post("/api.instagram.com/oauth/access_token", data=form)

    async def short(self, person: str = "ada") -> str:
        token: str = (await self.redeem(await self.code(person))).json()["access_token"]
        return token

    async def longer(self, token: str, **more: str) -> httpx2.Response:
        query = {"grant_type": "ig_exchange_token", "client_secret": self.app.client_secret, "access_token": token, **more}
        return await self.http.get("/graph.instagram.com/access_token", params=query)

    async def renew(self, token: str) -> httpx2.Response:
        query = {"grant_type": "ig_refresh_token", "access_token": token}
        return await self.http.get("/graph.instagram.com/refresh_access_token", params=query)

    async def me(self, token: str, fields: str = "id,user_id,username,name,account_type") -> httpx2.Response:
        return await self.http.get("/graph.instagram.com/v25.0/me", params={"fields": fields, "access_token": token})


async def test_the_way_back_carries_code_state_and_instagram_s_odd_fragment() -> None:
    location = (await Outside().authorize()).headers["location"]
    assert location.startswith(f"{BACK}?code=")
    assert location.endswith("&state=s#_")


@pytest.mark.parametrize(
    ("query", "words", "reason"),
    [
        ({"client_id": "902177000000001"}, "Invalid platform app", "unknown_client"),
        ({"redirect_uri": "https://elsewhere.example/"}, "Invalid redirect_uri", "redirect_uri"),
        ({"scope": "instagram_basic"}, "Invalid scope: instagram_basic", "scope"),
        ({"response_type": ""}, "Invalid response_type", "response_type"),
    ],
)
async def test_a_wrong_request_is_told_to_the_person_and_sent_nowhere(query: dict[str, str], words: str, reason: str) -> None:
    outside = Outside()
    answer = await outside.authorize(**query)
    assert answer.status_code == 400
    assert words in answer.text
    assert outside.world.ledger.count(What.AUTHORIZE_REFUSED, reason=reason) == 1


async def test_who_is_not_a_tester_never_comes_back() -> None:
    outside = Outside(testers="harbour.cafe")
    assert "Insufficient developer role" in (await outside.authorize()).text
    assert (await outside.authorize(person="ben")).status_code == 302


async def test_only_people_with_an_account_are_offered() -> None:
    asked = urlencode({"client_id": INSTAGRAM_APP.client_id, "redirect_uri": BACK, "response_type": "code", "scope": SCOPES})
    page = (await Outside().http.get(f"/www.instagram.com/oauth/authorize?{asked}")).text
    assert "@lantern.bakery" in page
    assert "Noor" not in page


async def test_a_code_gives_a_token_of_an_hour_a_big_number_and_a_list() -> None:
    outside = Outside()
    body = (await outside.redeem(await outside.code())).json()
    assert set(body) == {"access_token", "user_id", "permissions"}
    assert isinstance(body["user_id"], int)
    assert body["user_id"] > 2**53
    assert body["permissions"] == SCOPES.split(",")
    outside.world.clock.forward(timedelta(hours=1))
    assert (await outside.me(body["access_token"])).json()["error"]["error_subcode"] == 463


async def test_the_documented_shape_is_a_switch() -> None:
    outside = Outside(wrapped_answers=True)
    (body,) = (await outside.redeem(await outside.code())).json()["data"]
    assert (isinstance(body["user_id"], str), body["permissions"]) == (True, SCOPES)
    assert (await outside.me(body["access_token"])).json()["data"][0]["username"] == "lantern.bakery"


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"client_id": "902177000000001"}, "Invalid platform app"),
        ({"code": "AQgarbage"}, "Matching code was not found or was already used"),
        ({"redirect_uri": BACK + "/"}, "Error validating verification code."),
        ({"client_secret": "wrong"}, "Error validating client secret."),
    ],
)
async def test_each_wrong_field_has_its_words_in_a_shape_of_its_own(given: dict[str, str], words: str) -> None:
    outside = Outside()
    answer = await outside.redeem(**{"code": await outside.code(), **given})
    assert answer.status_code == 400
    assert set(answer.json()) == {"error_type", "code", "error_message"}
    assert answer.json()["error_message"].startswith(words)


async def test_a_code_works_once_and_for_an_hour() -> None:
    outside = Outside()
    used, old = await outside.code(), await outside.code()
    await outside.redeem(used)
    assert (await outside.redeem(used)).json()["error_message"] == "This authorization code has been used"
    outside.world.clock.forward(timedelta(hours=1))
    assert (await outside.redeem(old)).json()["error_message"] == "Matching code was not found or was already used"


async def test_a_short_token_is_exchanged_for_sixty_days_with_the_secret() -> None:
    outside = Outside()
    short = await outside.short()
    assert (await outside.longer(short, client_secret="wrong")).json()["error"]["code"] == 1
    assert (await outside.longer(short, grant_type="other")).json()["error"]["type"] == "IGApiException"
    body = (await outside.longer(short)).json()
    assert (body["token_type"], body["expires_in"]) == ("bearer", LONG)
    assert body["access_token"].startswith("IGAA")


async def test_a_long_token_is_renewed_from_its_second_day_to_its_last() -> None:
    outside = Outside()
    long = (await outside.longer(await outside.short())).json()["access_token"]
    assert (await outside.renew(long)).status_code == 400
    outside.world.clock.forward(timedelta(hours=25))
    assert (await outside.renew(long)).json()["expires_in"] == LONG
    outside.world.clock.forward(timedelta(days=60))
    assert (await outside.renew(long)).json()["error"]["error_subcode"] == 463


async def test_the_profile_has_an_id_for_the_app_and_one_for_the_world() -> None:
    outside = Outside()
    token = await outside.short()
    body = (await outside.me(token)).json()
    assert (body["user_id"], body["account_type"]) == ("17841400000000101", "BUSINESS")
    assert body["id"] != body["user_id"]
    assert set((await outside.me(token, fields="")).json()) == {"id"}
    by_id = await outside.http.get("/graph.instagram.com/v25.0/17841400000000101", headers={"authorization": f"Bearer {token}"})
    assert by_id.json() == {"id": body["id"]}


async def test_a_personal_account_is_not_eligible() -> None:
    outside = Outside()
    token = await outside.short("piet")
    for answer in (await outside.me(token), await outside.longer(token)):
        said = answer.json()["error"]
        assert (answer.status_code, said["code"], said["type"]) == (400, 100, "IGApiException")
        assert said["message"] == "Unsupported request - method type: get"


async def test_a_token_of_facebook_cannot_be_parsed_and_debug_token_is_out_of_service() -> None:
    outside = Outside()
    answer = await outside.me("EAAxyz")
    assert (answer.status_code, answer.json()["error"]["code"]) == (401, 190)
    answer = await outside.http.get("/graph.instagram.com/v25.0/debug_token")
    assert answer.json()["error"]["message"] == "(#2) Service temporarily unavailable"
