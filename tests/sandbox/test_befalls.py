"""What befalls people at the simulated networks, and networks themselves: every later call answers as the real one would."""

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from datetime import timedelta
from urllib.parse import quote

import httpx2
import pytest

from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_ALL_APP, META_APP, PINTEREST_APP, X_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.outgoing import Heard, Outgoing
from hitchpost_sandbox.playing import NoAnswer
from hitchpost_sandbox.world import World
from tests.support.trip import NOON
from tests.support.ways import BACK, VERIFIER, WAYS, authorize, code_of, connected, exchange, read

BAKERY, BOOKS = "101755847768001", "101755847768002"
PAGE = f"/graph.facebook.com/v25.0/{BAKERY}"
FB_ME = "/graph.facebook.com/v25.0/me"
IG_ME = "/graph.instagram.com/v25.0/me"
X_ME = "/api.x.com/2/users/me"
ACLS = "/api.linkedin.com/rest/organizationAcls?q=roleAssignee"
PIN_ME = "/api.pinterest.com/v5/user_account"


class Told:
    """An app's own server, as the networks call it: what it was told, and what it answers."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, dict[str, str]]] = []
        self.answer = Heard(200, '{"url": "https://app.example/deletion/1", "confirmation_code": "abc123"}')

    async def __call__(self, url: str, form: dict[str, str]) -> Heard:
        self.heard.append((url, form))
        return self.answer


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def world(told: Told) -> World:
    return World(clock=SandboxClock(NOON), outgoing=Outgoing(told))


async def turn(caller: httpx2.AsyncClient, network: str, word: str, person: str = "ada", **more: str) -> None:
    answer = await caller.post("/_sandbox/turns", json={"network": network, "turn": word, "person": person, **more})
    assert answer.status_code == 204, answer.text


def switch(world: World, app: App, **options: Option) -> None:
    world.register(replace(app, options=options))


# Every network alike.


@pytest.mark.parametrize("network", WAYS)
@pytest.mark.parametrize("acts", [False, True], ids=["before it acts", "after it has acted"])
async def test_a_token_endpoint_in_trouble_says_5xx_and_may_have_acted(
    world: World, caller: httpx2.AsyncClient, network: str, acts: bool
) -> None:
    code = await code_of(caller, network)
    world.faults.add(Fault("server_error", method="POST", path="*oken*", acts=acts))
    assert (await exchange(caller, network, code=code)).status_code >= 500
    assert world.ledger.count(What.CODE_REDEEMED) == int(acts)
    assert ((await exchange(caller, network, code=code)).status_code == 200) is not acts


@pytest.mark.parametrize("network", WAYS)
async def test_an_answer_may_be_lost_or_be_the_page_of_a_proxy(world: World, caller: httpx2.AsyncClient, network: str) -> None:
    code = await code_of(caller, network)
    world.faults.add(Fault("html", status=503))
    page = await exchange(caller, network, code=code)
    assert (page.status_code, "<html>" in page.text) == (503, True)
    world.faults.add(Fault("drop", acts=True))
    with pytest.raises(NoAnswer):
        await exchange(caller, network, code=code)
    assert world.ledger.count(What.CODE_REDEEMED) == 1


@pytest.mark.parametrize("network", WAYS)
async def test_a_replayed_code_revokes_what_it_gave_where_that_is_switched_on(
    world: World, caller: httpx2.AsyncClient, network: str
) -> None:
    switch(world, WAYS[network].app, replay_revokes=True)
    code = await code_of(caller, network)
    assert (await exchange(caller, network, code=code)).status_code == 200
    assert (await exchange(caller, network, code=code)).status_code >= 400
    assert world.ledger.count(What.TOKEN_REVOKED, reason="code_replayed") >= 1


@pytest.mark.parametrize("network", WAYS)
async def test_a_person_who_removes_the_app_ends_every_token_of_it(world: World, caller: httpx2.AsyncClient, network: str) -> None:
    token = (await connected(caller, network))["access_token"]
    await turn(caller, network, "revoked")
    assert world.ledger.count(What.TOKEN_REVOKED) >= 1
    assert (await read(caller, WAYS[network].reads[0], token)).status_code in (400, 401)


# Facebook.


async def facebook(caller: httpx2.AsyncClient) -> tuple[str, str]:
    """A user token and the bakery's Page token."""
    user = (await connected(caller, "facebook"))["access_token"]
    return user, (await read(caller, PAGE, user, fields="access_token")).json()["access_token"]


def subcode(answer: httpx2.Response) -> tuple[int, int | None]:
    error = answer.json()["error"]
    return error["code"], error.get("error_subcode")


@pytest.mark.parametrize(
    ("word", "expected"), [("revoked", 458), ("checkpoint", 459), ("password_changed", 460), ("unconfirmed", 464), ("logged_out", 467)]
)
async def test_facebook_says_why_a_token_died_for_the_person_and_for_their_pages(
    caller: httpx2.AsyncClient, word: str, expected: int
) -> None:
    user, page = await facebook(caller)
    await turn(caller, "facebook", word)
    for token in (user, page):
        assert subcode(await read(caller, FB_ME, token)) == (190, expected)
    inspected = await caller.get(
        "/graph.facebook.com/debug_token", params={"input_token": user, "access_token": f"{META_APP.client_id}|{META_APP.client_secret}"}
    )
    assert inspected.json()["data"]["error"]["subcode"] == expected


async def test_who_loses_the_role_loses_the_pages_token_and_its_field(caller: httpx2.AsyncClient) -> None:
    user, page = await facebook(caller)
    await turn(caller, "facebook", "role_lost", target=BAKERY)
    assert subcode(await read(caller, FB_ME, page)) == (190, 492)
    assert "access_token" not in (await read(caller, PAGE, user, fields="access_token,tasks")).json()


async def test_a_page_that_is_deleted_does_not_exist_for_anybody(caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    await turn(caller, "facebook", "page_removed", target=BAKERY)
    assert subcode(await read(caller, PAGE, user)) == (100, 33)
    listed = (await read(caller, f"{FB_ME}/accounts", user)).json()["data"]
    assert BAKERY not in {one["id"] for one in listed}
    assert BOOKS in {one["id"] for one in listed}


async def test_a_permission_that_is_taken_back_is_declined_and_its_edge_refused(caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    await turn(caller, "facebook", "permission_gone", scope="pages_show_list")
    assert subcode(await read(caller, f"{FB_ME}/accounts", user))[0] == 10
    listed = (await read(caller, f"{FB_ME}/permissions", user)).json()["data"]
    assert {"permission": "pages_show_list", "status": "declined"} in listed


async def test_a_throttled_person_waits_an_hour_and_sees_the_usage(world: World, caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    await turn(caller, "facebook", "throttled")
    refused = await read(caller, FB_ME, user)
    assert subcode(refused)[0] == 17
    assert json.loads(refused.headers["x-app-usage"])["call_count"] == 100
    world.clock.forward(timedelta(hours=1))
    assert (await read(caller, FB_ME, user)).status_code == 200


async def test_usage_climbs_to_a_hundred_and_then_the_app_is_refused(world: World, caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    switch(world, META_APP, calls_an_hour=4)
    answers = [await read(caller, FB_ME, user) for _ in range(5)]
    assert [json.loads(one.headers["x-app-usage"])["call_count"] for one in answers] == [25, 50, 75, 100, 100]
    assert subcode(answers[-1])[0] == 4


def opened(form: dict[str, str], secret: str) -> dict[str, object]:
    """The payload of a signed_request. Raises AssertionError for another signature."""
    signature, _, payload = form["signed_request"].partition(".")
    made = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    assert base64.urlsafe_b64encode(made).rstrip(b"=").decode() == signature, "signed with another secret"
    found: dict[str, object] = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return found


@pytest.mark.parametrize(("network", "app"), [("facebook", META_APP), ("instagram", INSTAGRAM_APP)])
async def test_meta_tells_the_app_that_a_person_removed_it(
    world: World, caller: httpx2.AsyncClient, told: Told, network: str, app: App
) -> None:
    switch(world, app, deauthorize_url="http://localhost:9/deauthorize")
    await connected(caller, network)
    await turn(caller, network, "revoked")
    ((url, form),) = told.heard
    assert url == "http://localhost:9/deauthorize"
    payload = opened(form, app.client_secret)
    assert (payload["algorithm"], payload["issued_at"]) == ("HMAC-SHA256", int(NOON.timestamp()))
    assert str(payload["user_id"]).isdecimal()
    assert [entry.facts["status"] for entry in world.ledger.read(what=What.TOLD)] == [200]


@pytest.mark.parametrize(("network", "app"), [("facebook", META_APP), ("instagram", INSTAGRAM_APP)])
@pytest.mark.parametrize("detail", ["bad_signature", "stale", "unknown_person"])
async def test_the_call_can_be_spoiled_in_the_ways_an_app_must_refuse(
    world: World, caller: httpx2.AsyncClient, told: Told, network: str, app: App, detail: str
) -> None:
    switch(world, app, deauthorize_url="http://localhost:9/deauthorize", deletion_url="http://localhost:9/delete")
    await connected(caller, network)
    await turn(caller, network, "data_deletion", detail=detail)
    ((_, form),) = told.heard
    if detail == "bad_signature":
        with pytest.raises(AssertionError, match="another secret"):
            opened(form, app.client_secret)
        return
    payload = opened(form, app.client_secret)
    age = int(NOON.timestamp()) - int(str(payload["issued_at"]))
    assert (age > 86400, str(payload["user_id"]).endswith("0" * 12)) == (detail == "stale", detail == "unknown_person")


@pytest.mark.parametrize(
    ("said", "verdict"),
    [
        (
            Heard(200, '{"url": "https://app.example/deletion/1", "confirmation_code": "abc123"}'),
            "accepted: https://app.example/deletion/1 abc123",
        ),
        (Heard(200, "ok"), "not accepted"),
        (Heard(200, '{"url": "nowhere", "confirmation_code": "abc123"}'), "not accepted"),
        (Heard(0, "ConnectionRefusedError"), "ConnectionRefusedError"),
    ],
)
async def test_a_deletion_expects_an_address_and_a_code(
    world: World, caller: httpx2.AsyncClient, told: Told, said: Heard, verdict: str
) -> None:
    switch(world, META_APP, deletion_url="http://localhost:9/delete")
    told.answer = said
    await connected(caller, "facebook")
    await turn(caller, "facebook", "data_deletion")
    (entry,) = world.ledger.read(what=What.TOLD)
    assert (entry.facts["kind"], entry.facts["status"]) == ("data_deletion", said.status)
    assert str(entry.facts["answer"]).startswith(verdict)


async def test_instagram_may_sign_with_metas_secret(world: World, caller: httpx2.AsyncClient, told: Told) -> None:
    switch(world, INSTAGRAM_APP, deauthorize_url="http://localhost:9/deauthorize", meta_secret="the-meta-secret")
    await connected(caller, "instagram")
    await turn(caller, "instagram", "revoked")
    assert opened(told.heard[0][1], "the-meta-secret")


async def test_only_loopback_is_called_unless_told_otherwise(world: World, caller: httpx2.AsyncClient, told: Told) -> None:
    switch(world, META_APP, deauthorize_url="https://app.example/deauthorize")
    await connected(caller, "facebook")
    await turn(caller, "facebook", "revoked")
    assert told.heard == []
    assert [entry.facts["status"] for entry in world.ledger.read(what=What.TOLD)] == [0]
    assert (await Outgoing(told).tell("https://app.example/", {})).status == 0
    assert (await Outgoing(told, anywhere=True).tell("https://app.example/", {})).status == 200


async def test_a_token_may_come_without_a_date(world: World, caller: httpx2.AsyncClient) -> None:
    switch(world, META_APP, tokens_without_date=True)
    assert "expires_in" not in await connected(caller, "facebook")


async def test_a_permission_may_expire_unused(caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    await turn(caller, "facebook", "permission_expired", scope="business_management")
    listed = (await read(caller, f"{FB_ME}/permissions", user)).json()["data"]
    assert {"permission": "business_management", "status": "expired"} in listed
    assert subcode(await read(caller, f"{FB_ME}/businesses", user))[0] == 10


async def test_a_page_in_the_new_experience_names_its_tasks_otherwise(world: World, caller: httpx2.AsyncClient) -> None:
    login = world.cast["ada"].facebook
    assert login is not None
    tasks = ("PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MESSAGING")
    world.change("ada", facebook=replace(login, pages=(replace(login.pages[0], tasks=tasks), *login.pages[1:])))
    user, page = await facebook(caller)
    assert (await read(caller, PAGE, user, fields="tasks")).json()["tasks"] == list(tasks)
    assert page


async def test_one_business_fails_and_the_others_do_not(world: World, caller: httpx2.AsyncClient) -> None:
    user, _ = await facebook(caller)
    business = (await read(caller, f"{FB_ME}/businesses", user)).json()["data"][0]["id"]
    world.faults.add(Fault("server_error", path=f"*/{business}/owned_pages"))
    assert (await read(caller, f"/graph.facebook.com/v25.0/{business}/owned_pages", user)).status_code == 500
    assert (await read(caller, f"/graph.facebook.com/v25.0/{business}/client_pages", user)).status_code == 200


# Instagram.


async def test_instagram_takes_the_redirect_uri_byte_for_byte(world: World, caller: httpx2.AsyncClient) -> None:
    world.register(replace(INSTAGRAM_APP, redirect_uris=(BACK + "/",)))
    assert (await caller.post(authorize("instagram"), data={"person": "ada", "decision": "allow"})).status_code == 400
    allowed = await caller.post(authorize("instagram", redirect_uri=BACK + "/"), data={"person": "ada", "decision": "allow"})
    assert allowed.headers["location"].startswith(BACK + "/?code=")


async def test_without_its_permission_a_long_token_is_not_renewed(world: World, caller: httpx2.AsyncClient) -> None:
    short = (await connected(caller, "instagram"))["access_token"]
    query = {"grant_type": "ig_exchange_token", "client_secret": INSTAGRAM_APP.client_secret, "access_token": short}
    long = (await caller.get("/graph.instagram.com/access_token", params=query)).json()["access_token"]
    world.clock.forward(timedelta(days=2))
    await turn(caller, "instagram", "permission_gone", scope="instagram_business_basic")
    asked = {"grant_type": "ig_refresh_token", "access_token": long}
    assert subcode(await caller.get("/graph.instagram.com/refresh_access_token", params=asked))[0] == 10


async def test_a_profile_may_lack_name_and_picture(world: World, caller: httpx2.AsyncClient) -> None:
    account = world.cast["ada"].instagram
    assert account is not None
    world.change("ada", instagram=replace(account, name="", picture=""))
    token = (await connected(caller, "instagram"))["access_token"]
    shown = (await read(caller, IG_ME, token, fields="id,username,name,profile_picture_url")).json()
    assert set(shown) == {"id", "username"}


@pytest.mark.parametrize(
    ("network", "scope"),
    [
        ("facebook", "pages_show_list,instagram_basic,instagram_content_publish"),
        ("instagram", "instagram_business_basic,instagram_business_content_publish"),
    ],
)
async def test_what_may_still_be_published_today_is_told(world: World, caller: httpx2.AsyncClient, network: str, scope: str) -> None:
    address = f"/graph.{network}.com/v25.0/17841400000000101/content_publishing_limit"
    token = (await exchange(caller, network, code=await code_of(caller, network, scope=scope))).json()["access_token"]
    whole = (await read(caller, address, token, fields="quota_usage,config")).json()["data"]
    assert whole == [{"quota_usage": 0, "config": {"quota_total": 100, "quota_duration": 86400}}]
    switch(world, WAYS[network].app, quota_total=50, quota_usage=50)
    assert (await read(caller, address, token)).json()["data"] == [{"quota_usage": 50}]
    without = (await connected(caller, network, "ben"))["access_token"]
    assert (await read(caller, address.replace("0101", "0201"), without)).status_code in (400, 403)


async def test_an_account_that_turns_personal_is_not_for_this_api(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "instagram"))["access_token"]
    await turn(caller, "instagram", "turned_creator")
    assert (await read(caller, IG_ME, token, fields="account_type")).json()["account_type"] == "MEDIA_CREATOR"
    await turn(caller, "instagram", "turned_personal")
    error = (await read(caller, IG_ME, token)).json()["error"]
    assert (error["code"], error["type"]) == (100, "IGApiException")


@pytest.mark.parametrize(("word", "expected"), [("revoked", 458), ("checkpoint", 459), ("password_changed", 460), ("logged_out", 467)])
async def test_instagram_says_why_a_token_died(caller: httpx2.AsyncClient, word: str, expected: int) -> None:
    token = (await connected(caller, "instagram"))["access_token"]
    await turn(caller, "instagram", word)
    assert subcode(await read(caller, IG_ME, token)) == (190, expected)


async def test_an_account_is_seen_through_its_page_and_gone_with_a_token_of_nobody(caller: httpx2.AsyncClient) -> None:
    code = await code_of(caller, "facebook", scope="pages_show_list,instagram_basic")
    token = (await exchange(caller, "facebook", code=code)).json()["access_token"]
    listed = (await read(caller, f"{FB_ME}/accounts", token, fields="id,instagram_business_account{id,username}")).json()["data"]
    linked = next(one["instagram_business_account"] for one in listed if one["id"] == BAKERY)
    assert linked["username"] == "lantern.bakery"
    assert (await read(caller, f"/graph.facebook.com/v25.0/{linked['id']}", token, fields="username")).status_code == 200
    assert subcode(await read(caller, "/graph.facebook.com/v25.0/17841400000009999", token)) == (100, 33)


# X.


async def test_x_suspends_locks_and_restores_an_account(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "x"))["access_token"]
    await turn(caller, "x", "suspended")
    assert (await read(caller, X_ME, token)).json()["type"].endswith("user-suspended")
    await turn(caller, "x", "restored")
    await turn(caller, "x", "locked")
    assert (await read(caller, X_ME, token)).json()["errors"][0]["code"] == 326
    await turn(caller, "x", "restored")
    assert (await read(caller, X_ME, token)).status_code == 200


async def test_an_account_on_x_may_become_protected_and_premium(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "x", "ben"))["access_token"]
    for word in ("protected", "premium"):
        await turn(caller, "x", word, "ben")
    shown = (await read(caller, X_ME, token, **{"user.fields": "protected,subscription_type"})).json()["data"]
    assert (shown["protected"], shown["subscription_type"]) == (True, "Premium")


async def test_a_spending_limit_and_an_app_that_may_only_read_are_the_apps_fault(world: World, caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "x"))["access_token"]
    switch(world, X_APP, spending_limit=True)
    assert (await read(caller, X_ME, token)).json()["title"] == "UsageCapExceeded"
    world.faults.add(Fault("oauth1-permissions"))
    assert (await read(caller, X_ME, token)).json()["type"].endswith("oauth1-permissions")


async def test_a_refresh_answer_is_lost_after_the_rotation_and_its_token_is_spent(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await connected(caller, "x")
    world.faults.add(Fault("drop", acts=True, where={"grant_type": "refresh_token"}))
    with pytest.raises(NoAnswer):
        await exchange(caller, "x", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    again = await exchange(caller, "x", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (again.status_code, again.json()["error_description"]) == (400, "Value passed for the token was invalid.")


async def test_an_access_taken_back_in_the_settings_is_unauthorized_and_refreshes_nothing(caller: httpx2.AsyncClient) -> None:
    pair = await connected(caller, "x")
    await turn(caller, "x", "revoked")
    assert (await read(caller, X_ME, pair["access_token"])).status_code == 401
    assert (await exchange(caller, "x", grant_type="refresh_token", refresh_token=pair["refresh_token"])).status_code == 400


# LinkedIn.


async def test_a_role_that_is_taken_back_stays_as_a_revoked_row(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "linkedin"))["access_token"]
    await turn(caller, "linkedin", "role_lost", target="7700101")
    rows = {one["organization"]: one["state"] for one in (await read(caller, ACLS, token)).json()["elements"]}
    assert rows["urn:li:organization:7700101"] == "REVOKED"
    assert rows["urn:li:organization:7700102"] == "APPROVED"
    await turn(caller, "linkedin", "page_removed", target="7700101")
    assert "7700101" not in (await read(caller, ACLS, token)).text


async def test_a_member_who_revokes_is_told_by_number(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "linkedin"))["access_token"]
    await turn(caller, "linkedin", "revoked")
    assert (await read(caller, "/api.linkedin.com/v2/me", token)).json()["serviceErrorCode"] == 65601


async def test_an_image_is_processed_before_it_is_available_or_fails(world: World, caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "linkedin"))["access_token"]
    asset = (await read(caller, "/api.linkedin.com/v2/me", token)).json()["profilePicture"]["displayImage"].rpartition(":")[2]
    address = f"/api.linkedin.com/rest/images/urn:li:image:{asset}"
    switch(world, LINKEDIN_ALL_APP, images_processing=2)
    seen = [(await read(caller, address, token)).json()["status"] for _ in range(3)]
    assert seen == ["PROCESSING", "PROCESSING", "AVAILABLE"]
    switch(world, LINKEDIN_ALL_APP, images_fail=True)
    assert (await read(caller, address, token)).json() == {"id": f"urn:li:image:{asset}", "status": "PROCESSING_FAILED"}


# Pinterest.


@pytest.mark.parametrize(("word", "expected"), [("disapproved", (403, 2625)), ("under_review", (403, 2626)), ("spam_blocked", (429, 9))])
async def test_pinterest_holds_an_account_back_until_it_is_restored(
    caller: httpx2.AsyncClient, word: str, expected: tuple[int, int]
) -> None:
    token = (await connected(caller, "pinterest"))["access_token"]
    await turn(caller, "pinterest", word)
    refused = await read(caller, PIN_ME, token)
    assert (refused.status_code, refused.json()["code"]) == expected
    await turn(caller, "pinterest", "restored")
    assert (await read(caller, PIN_ME, token)).status_code == 200


async def test_a_new_password_ends_every_token_of_a_pinterest_account(caller: httpx2.AsyncClient) -> None:
    pair = await connected(caller, "pinterest")
    await turn(caller, "pinterest", "password_changed")
    assert (await read(caller, PIN_ME, pair["access_token"])).json()["code"] == 2
    dead = await exchange(caller, "pinterest", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (dead.status_code, dead.json()["code"]) == (401, 283)


async def test_a_reset_secret_leaves_tokens_alive_and_mints_no_new_ones(world: World, caller: httpx2.AsyncClient) -> None:
    pair = await connected(caller, "pinterest")
    world.register(replace(PINTEREST_APP, client_secret="another"))
    assert (await read(caller, PIN_ME, pair["access_token"])).status_code == 200
    refused = await exchange(caller, "pinterest", grant_type="refresh_token", refresh_token=pair["refresh_token"])
    assert (refused.status_code, refused.json()["code"]) == (401, 2)


async def test_a_board_is_made_once_and_removed(caller: httpx2.AsyncClient, world: World) -> None:
    code = await code_of(caller, "pinterest", scope="boards:read,boards:write,user_accounts:read")
    token = (await exchange(caller, "pinterest", code=code)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    made = await caller.post("/api.pinterest.com/v5/boards", json={"name": "New", "privacy": "PUBLIC"}, headers=headers)
    assert (made.status_code, made.json()["name"]) == (201, "New")
    for wrong in ({"name": "New"}, {"name": " "}, {"name": "Odd", "privacy": "HIDDEN"}):
        refused = await caller.post("/api.pinterest.com/v5/boards", json=wrong, headers=headers)
        assert (refused.status_code, refused.json()["code"]) == (400, 1)
    plain = (await connected(caller, "pinterest"))["access_token"]
    denied = await caller.post("/api.pinterest.com/v5/boards", json={"name": "B"}, headers={"authorization": f"Bearer {plain}"})
    assert (denied.status_code, denied.json()["code"]) == (401, 3)
    await turn(caller, "pinterest", "page_removed", target=made.json()["id"])
    gone = await read(caller, f"/api.pinterest.com/v5/boards/{made.json()['id']}/sections", token)
    assert (gone.status_code, gone.json()["code"]) == (404, 40)


async def test_a_pinner_may_become_a_business(caller: httpx2.AsyncClient) -> None:
    token = (await connected(caller, "pinterest", "ben"))["access_token"]
    await turn(caller, "pinterest", "type_changed", "ben")
    assert (await read(caller, PIN_ME, token)).json()["account_type"] == "BUSINESS"


# The browser is somebody else's, or goes away.


@pytest.mark.parametrize("network", ["x", "pinterest"])
async def test_whoever_the_browser_is_signed_in_as_is_who_consents(world: World, caller: httpx2.AsyncClient, network: str) -> None:
    await turn(caller, network, "signed_in_as", "ada", target="ben")
    await connected(caller, network, "ada")
    assert [given.person for given in world.ledger.read(what=What.CONSENT_GIVEN)] == ["ben"]
    await turn(caller, network, "signed_in_as", "ada", target="ada")
    await connected(caller, network, "ada")
    assert [given.person for given in world.ledger.read(what=What.CONSENT_GIVEN)] == ["ben", "ada"]
    wrong = {"network": network, "turn": "signed_in_as", "person": "ada", "target": "nobody"}
    assert (await caller.post("/_sandbox/turns", json=wrong)).status_code == 400


@pytest.mark.parametrize("network", WAYS)
async def test_a_closed_tab_brings_nothing_back(world: World, caller: httpx2.AsyncClient, network: str) -> None:
    answer = await caller.post(authorize(network), data={"person": "ada", "decision": "close"})
    assert (answer.status_code, "location" in answer.headers) == (200, False)
    assert world.ledger.count(What.CONSENT_LEFT, network=network, person="ada") == 1
    assert world.ledger.count(What.CONSENT_GIVEN) == world.ledger.count(What.CONSENT_DENIED) == 0


@pytest.mark.parametrize("network", ["x", "pinterest"])
async def test_basic_may_be_form_encoded_as_rfc_6749_wants_it(caller: httpx2.AsyncClient, network: str) -> None:
    # As Auth.js writes it (oauth4webapi, ClientSecretBasic): hyphens and the like become escapes too.
    way, code = WAYS[network], await code_of(caller, network)
    encoded = [quote(text, safe="").replace("-", "%2D").replace("_", "%5F") for text in (way.app.client_id, way.app.client_secret)]
    form = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER, "code": code}
    assert (await caller.post(way.token, data=form, auth=httpx2.BasicAuth(*encoded))).status_code == 200
