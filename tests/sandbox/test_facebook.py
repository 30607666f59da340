"""The simulated Facebook keeps Facebook's own words and odd ways, whoever calls."""

import hashlib
import hmac
from datetime import timedelta
from urllib.parse import urlencode, urlsplit

import pytest

from hitchpost_sandbox.apps import META_APP, App
from hitchpost_sandbox.ledger import What
from tests.support.facebook import APP_TOKEN, ARCHIVE, BACK, BAKERY, BOOKS, EVENTS, SCOPES, Outside, error

PROOF = "API calls from the server require an appsecret_proof argument"


async def test_the_way_back_carries_code_state_and_facebook_s_odd_fragment() -> None:
    answer = await Outside().dialog()
    assert answer.status_code == 302
    assert answer.headers["location"].startswith(f"{BACK}?code=AQ")
    assert answer.headers["location"].endswith("&state=s#_=_")


@pytest.mark.parametrize(
    ("query", "words", "reason"),
    [
        ({"client_id": "1"}, "Invalid App ID", "unknown_client"),
        ({"back": "https://elsewhere.example/back"}, "URL blocked", "redirect_uri"),
        ({"scope": "instagram_business_basic"}, "Invalid Scopes: instagram_business_basic", "scope"),
        ({"response_type": "id_token"}, "Invalid response_type: id_token", "response_type"),
    ],
)
async def test_a_wrong_request_is_told_to_the_person_and_sent_nowhere(query: dict[str, str], words: str, reason: str) -> None:
    outside = Outside()
    answer = await outside.dialog(**query)
    assert answer.status_code == 400
    assert words in answer.text
    assert outside.world.ledger.count(What.AUTHORIZE_REFUSED, reason=reason) == 1
    assert outside.world.ledger.count(What.CODE_ISSUED) == 0


async def test_the_redirect_uri_is_taken_byte_for_byte() -> None:
    outside = Outside(redirect_uris=(BACK,))
    assert (await outside.dialog()).status_code == 302
    assert (await outside.dialog(back=BACK + "/")).status_code == 400


async def test_the_consent_page_offers_pages_accounts_and_businesses_to_tick() -> None:
    query = urlencode({"client_id": META_APP.client_id, "redirect_uri": BACK, "state": "s", "scope": SCOPES})
    page = (await Outside().http.get(f"/www.facebook.com/dialog/oauth?{query}")).text
    for target in (f"page:{BAKERY}", f"page:{EVENTS}", "instagram:17841400000000101", "business:201990000000011"):
        assert f'value="{target}"' in page
    assert "instagram:17841400000000501" not in page


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"development_mode": True}, "error=access_denied&error_code=200&error_description=Permissions+error&error_reason=user_denied"),
        (
            {"development_mode": True, "legacy_dialog_errors": True},
            "error_code=200&error_message=Permissions+error",
        ),
    ],
)
async def test_an_app_in_development_looks_like_a_person_who_cancels(options: dict[str, bool], words: str) -> None:
    assert (await Outside(redirect_uris=(), **options).dialog()).headers["location"] == f"{BACK}?{words}&state=s#_=_"


@pytest.mark.parametrize("method", ["GET", "POST"])
@pytest.mark.parametrize("path", ["/oauth/access_token", "/v3.1/oauth/access_token", "/v26.0/oauth/access_token"])
async def test_codes_are_redeemed_by_get_and_post_at_every_version(method: str, path: str) -> None:
    outside = Outside()
    answer = await outside.redeem(await outside.code(), method=method, path=path)
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert answer.json()["access_token"].startswith("EAA")
    assert answer.json()["expires_in"] == 5179


async def test_a_used_code_is_refused_in_facebook_s_words_and_headers() -> None:
    outside = Outside()
    code = await outside.code()
    await outside.redeem(code)
    answer = await outside.redeem(code)
    assert answer.status_code == 400
    said = error(answer)
    assert said.pop("fbtrace_id")
    assert said == {"message": "This authorization code has been used.", "type": "OAuthException", "code": 100, "error_subcode": 36009}
    assert answer.headers["facebook-api-version"] == "v25.0"
    expected = 'OAuth "Facebook Platform" "invalid_code" "This authorization code has been used."'
    assert answer.headers["www-authenticate"] == expected


@pytest.mark.parametrize(
    ("given", "code", "subcode"),
    [
        ({"client_id": "1"}, 101, None),
        ({"client_secret": "wrong"}, 1, None),
        ({"redirect_uri": BACK + "/"}, 100, 36008),
        ({"code": "AQgarbage"}, 100, None),
        ({"grant_type": "fb_exchange_token", "fb_exchange_token": "EAAgarbage"}, 190, None),
    ],
)
async def test_each_wrong_field_at_the_token_endpoint_has_its_code(given: dict[str, str], code: int, subcode: int | None) -> None:
    outside = Outside()
    fields = {"code": await outside.code(), **given}
    said = error(await outside.redeem(**fields))
    assert (said["code"], said.get("error_subcode")) == (code, subcode)


async def test_old_codes_and_old_tokens_are_over() -> None:
    outside = Outside()
    code, short = await outside.code(), await outside.token(long=False)
    outside.world.clock.forward(timedelta(hours=2))
    assert error(await outside.redeem(code))["error_subcode"] == 36007
    said = error(await outside.redeem("", grant_type="fb_exchange_token", fb_exchange_token=short))
    assert (said["code"], said["error_subcode"]) == (190, 463)
    assert "Session has expired on" in said["message"]


async def test_a_token_is_read_from_header_query_and_its_oauth_spelling() -> None:
    outside = Outside()
    token = await outside.token()
    by_query = (await outside.get("/v25.0/me", access_token=token, fields="id,name")).json()
    by_header = (await outside.get("/v25.0/me", token, fields="id,name")).json()
    by_oauth = (await outside.http.get("/graph.facebook.com/me?fields=id,name", headers={"authorization": f"OAuth {token}"})).json()
    assert by_query == by_header == by_oauth
    assert by_query["name"] == "Ada Lantern"


async def test_calls_without_or_with_an_unreadable_token_are_told_so() -> None:
    outside = Outside()
    assert error(await outside.get("/v25.0/me"))["code"] == 2500
    answer = await outside.get("/v25.0/me", "IGAAxyz")
    assert (answer.status_code, error(answer)["code"]) == (401, 190)
    assert "Cannot parse access token" in error(answer)["message"]


async def test_a_version_that_never_was_is_unknown_and_a_retired_one_is_served_by_the_oldest_left() -> None:
    outside = Outside()
    token = await outside.token()
    assert error(await outside.get("/v99.0/me", token))["message"] == "Unknown path components: /me"
    assert (await outside.get("/v3.1/me", token)).headers["facebook-api-version"] == "v21.0"
    assert (await outside.get("/v26.0/me", token)).headers["facebook-api-version"] == "v26.0"
    outside.world.clock.forward(timedelta(days=59))
    assert (await outside.get("/v21.0/me", token)).headers["facebook-api-version"] == "v22.0"


async def test_a_proof_is_checked_when_it_comes_and_demanded_when_the_app_says_so() -> None:
    outside = Outside(require_appsecret_proof=True)
    token = await outside.token()
    proof = hmac.new(META_APP.client_secret.encode(), token.encode(), hashlib.sha256).hexdigest()
    assert (await outside.get("/v25.0/me", token, appsecret_proof=proof)).status_code == 200
    assert error(await outside.get("/v25.0/me", token))["message"] == PROOF
    relaxed = Outside()
    wrong = error(await relaxed.get("/v25.0/me", await relaxed.token(), appsecret_proof=proof))
    assert (wrong["code"], wrong["type"]) == (100, "GraphMethodException")


async def test_people_have_another_id_for_every_app() -> None:
    outside = Outside()
    other = App("meta", "902177000000077", "other")
    mine = (await outside.get("/v25.0/me", await outside.token())).json()["id"]
    outside.world.register(other)
    outside.app = other
    theirs = (await outside.get("/v25.0/me", await outside.token())).json()["id"]
    assert mine.isdecimal()
    assert theirs.isdecimal()
    assert mine != theirs


async def test_pages_come_in_small_answers_with_cursors_and_a_next_that_holds_the_token() -> None:
    outside = Outside()
    token = await outside.token(person="mona")
    first = (await outside.get("/v25.0/me/accounts", token, fields="id", limit="100")).json()
    assert len(first["data"]) == 25
    assert token in first["paging"]["next"]
    assert first["paging"]["next"].startswith("http://localhost:8421/graph.facebook.com/v25.0/me/accounts?")
    second = (await outside.http.get(first["paging"]["next"])).json()
    third = (await outside.get("/v25.0/me/accounts", token, fields="id", after=second["paging"]["cursors"]["after"])).json()
    assert len({page["id"] for body in (first, second, third) for page in body["data"]}) == 60
    assert "next" not in third["paging"]


async def test_pages_show_facebook_s_default_fields_and_only_those_asked_for() -> None:
    outside = Outside()
    token = await outside.token()
    plain = (await outside.get("/v25.0/me/accounts", token)).json()["data"]
    assert {page["id"] for page in plain} == {BAKERY, BOOKS, ARCHIVE}
    assert set(plain[0]) == {"access_token", "category", "category_list", "name", "id", "tasks"}
    nested = "id,picture.type(large),instagram_business_account{username}"
    bakery, books, _ = (await outside.get("/v25.0/me/accounts", token, fields=nested)).json()["data"]
    assert set(bakery) == {"id", "picture", "instagram_business_account"}
    assert bakery["instagram_business_account"] == {"id": "17841400000000101", "username": "lantern.bakery"}
    assert "instagram_business_account" not in books
    assert error(await outside.get("/v25.0/me", token, fields="owned_pages"))["message"].startswith(
        "(#100) Tried accessing nonexisting field"
    )


async def test_pages_of_a_business_overlap_with_the_person_s_own() -> None:
    outside = Outside()
    token = await outside.token()
    (business,) = (await outside.get("/v25.0/me/businesses", token)).json()["data"]
    owned = (await outside.get(f"/v25.0/{business['id']}/owned_pages", token, fields="id,access_token")).json()["data"]
    assert [page["id"] for page in owned] == [BAKERY, EVENTS]
    assert (await outside.get(f"/v25.0/{business['id']}/client_pages", token)).json() == {"data": []}


@pytest.mark.parametrize(("edge", "scope"), [("accounts", "email"), ("businesses", "pages_show_list")])
async def test_an_edge_without_its_permission_is_refused(edge: str, scope: str) -> None:
    outside = Outside()
    assert error(await outside.get(f"/v25.0/me/{edge}", await outside.token(scope=scope)))["code"] == 10


async def test_a_page_token_acts_as_the_page_and_lives_as_long_as_what_it_came_from() -> None:
    outside = Outside()
    tokens = {}
    for long in (False, True):
        user = await outside.token(long=long)
        tokens[long] = (await outside.get(f"/v25.0/{BAKERY}", user, fields="access_token")).json()["access_token"]
    assert (await outside.get("/v25.0/me", tokens[True], fields="name")).json()["name"] == "Lantern Bakery"
    outside.world.clock.forward(timedelta(days=100))
    assert (await outside.get("/v25.0/me", tokens[True])).status_code == 200
    assert error(await outside.get("/v25.0/me", tokens[False]))["error_subcode"] == 463


async def test_what_is_not_shared_does_not_exist() -> None:
    outside = Outside()
    token = await outside.token()
    for thing in ("1", "201990000000099", "17841400000000501"):
        said = error(await outside.get(f"/v25.0/{thing}", token))
        assert (said["code"], said["error_subcode"], said["type"]) == (100, 33, "GraphMethodException")
    strange = (await outside.get("/v25.0/101755847768031", token)).json()
    assert "access_token" not in strange


async def test_debug_token_tells_the_app_what_a_token_is() -> None:
    outside = Outside()
    user = await outside.token()
    page = (await outside.get(f"/v25.0/{BAKERY}", user, fields="access_token")).json()["access_token"]
    said = (await outside.get("/v25.0/debug_token", input_token=user, access_token=APP_TOKEN)).json()["data"]
    assert (said["type"], said["app_id"], said["is_valid"]) == ("USER", META_APP.client_id, True)
    assert {"scope": "pages_show_list", "target_ids": [BAKERY, BOOKS, ARCHIVE, EVENTS]} in said["granular_scopes"]
    said = (await outside.get("/v25.0/debug_token", input_token=page, access_token=APP_TOKEN)).json()["data"]
    assert (said["type"], said["profile_id"], said["expires_at"]) == ("PAGE", BAKERY, 0)
    answer = await outside.get("/v25.0/debug_token", input_token="EAAgarbage", access_token=APP_TOKEN)
    assert answer.status_code == 200
    assert (answer.json()["data"]["is_valid"], answer.json()["data"]["scopes"]) == (False, [])
    assert error(await outside.get("/v25.0/debug_token", input_token=user, access_token=user))["code"] == 100


async def test_one_permission_can_be_taken_back_and_then_all_of_them() -> None:
    outside = Outside()
    token = await outside.token()
    headers = {"authorization": f"Bearer {token}"}
    assert (await outside.http.delete("/graph.facebook.com/v25.0/me/permissions/pages_manage_posts", headers=headers)).json() == {
        "success": True
    }
    left = {one["permission"] for one in (await outside.get("/v25.0/me/permissions", token)).json()["data"]}
    assert left == {"public_profile", "pages_show_list", "business_management", "instagram_basic"}
    me = (await outside.get("/v25.0/me", token)).json()["id"]
    answer = await outside.http.delete(f"/graph.facebook.com/v25.0/{me}/permissions", params={"access_token": APP_TOKEN})
    assert answer.json() == {"success": True}
    assert error(await outside.get("/v25.0/me", token))["error_subcode"] == 458


async def test_pictures_are_served_until_their_address_expires() -> None:
    outside = Outside()
    token = await outside.token()
    address = urlsplit((await outside.get("/v25.0/me", token, fields="picture")).json()["picture"]["data"]["url"])
    path = f"/{address.netloc}{address.path}?{address.query}"
    assert (await outside.http.get(path)).headers["content-type"] == "image/png"
    outside.world.clock.forward(timedelta(days=30))
    assert (await outside.http.get(path)).status_code == 403


async def test_a_reset_forgets_what_was_declined() -> None:
    outside = Outside()
    query = urlencode({"client_id": META_APP.client_id, "redirect_uri": BACK, "state": "s", "scope": "email"})
    await outside.http.post(f"/www.facebook.com/dialog/oauth?{query}", data={"person": "ada", "decision": "allow", "shown": "scope"})
    declined = {"permission": "email", "status": "declined"}
    assert declined in (await outside.get("/v25.0/me/permissions", await outside.token(scope="email"))).json()["data"]
    outside.world.reset()
    assert declined not in (await outside.get("/v25.0/me/permissions", await outside.token(scope="email"))).json()["data"]


async def test_the_network_is_found_by_host_name_too() -> None:
    outside = Outside()
    answer = await outside.http.get("/v25.0/me", headers={"host": "graph.facebook.com"})
    assert error(answer)["code"] == 2500
