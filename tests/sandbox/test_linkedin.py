"""LinkedIn's twin: what LinkedIn does, also where it is odd, strict or silent."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from hitchpost_sandbox.app import build
from hitchpost_sandbox.apps import LINKEDIN_ALL_APP, LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World

BACK = "http://127.0.0.1:8420/api/social-connect/callback/linkedin"
WWW, API = "/www.linkedin.com", "/api.linkedin.com"
MEMBER = "openid profile email w_member_social"
PAGES = "r_basicprofile w_member_social rw_organization_admin r_organization_social w_organization_social"


@pytest.fixture
def world() -> World:
    return World(clock=SandboxClock(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)))


@pytest.fixture
async def browser(world: World) -> AsyncIterator[httpx2.AsyncClient]:
    transport = httpx2.ASGITransport(build(world))
    async with httpx2.AsyncClient(transport=transport, base_url="http://sandbox.test") as client:
        yield client


def switch(world: World, app: App, **options: Option) -> App:
    changed = replace(app, options=options)
    world.register(changed)
    return changed


def asked(app: App, scope: str, /, **other: str) -> str:
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": BACK, "scope": scope, "state": "s"} | other
    return f"{WWW}/oauth/v2/authorization?{urlencode(query)}"


def sent_back(answer: httpx2.Response) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    address = answer.headers["location"]
    assert address.startswith(BACK)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def consent(browser: httpx2.AsyncClient, app: App, scope: str, person: str = "ada") -> str:
    answer = await browser.post(asked(app, scope), data={"person": person, "decision": "allow"})
    return sent_back(answer)["code"]


async def redeem(browser: httpx2.AsyncClient, app: App, code: str, /, **other: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    return await browser.post(f"{WWW}/oauth/v2/accessToken", data=form | other)


async def granted(browser: httpx2.AsyncClient, app: App, scope: str, person: str = "ada") -> dict[str, Any]:
    answer = await redeem(browser, app, await consent(browser, app, scope, person))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def call(browser: httpx2.AsyncClient, path: str, token: str, version: str = "202609") -> httpx2.Response:
    return await browser.get(API + path, headers={"authorization": f"Bearer {token}", "linkedin-version": version})


async def about(browser: httpx2.AsyncClient, app: App, endpoint: str, token: str, **other: str) -> httpx2.Response:
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token} | other
    return await browser.post(f"{WWW}/oauth/v2/{endpoint}", data=form)


# Consent.


async def test_a_second_consent_with_the_same_scopes_is_silent_for_whoever_is_signed_in(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER))).status_code == 200
    await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert "code" in sent_back(await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER)))
    assert (await browser.get(asked(LINKEDIN_MEMBER_APP, "openid profile"))).status_code == 200, "other scopes are asked for"
    assert (await browser.head(asked(LINKEDIN_MEMBER_APP, MEMBER))).status_code == 200, "HEAD consents to nothing"


async def test_signing_out_is_the_only_way_to_become_another_member(browser: httpx2.AsyncClient, world: World) -> None:
    await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert (await browser.get(f"{WWW}/m/logout/")).status_code == 200
    assert "Who are you?" in (await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER))).text
    await consent(browser, LINKEDIN_MEMBER_APP, MEMBER, "ben")
    assert [entry.person for entry in world.ledger.read(network="linkedin", what=What.CONSENT_GIVEN)] == ["ada", "ben"]


async def test_cancelling_is_worded_by_where_it_happens(browser: httpx2.AsyncClient, world: World) -> None:
    answer = sent_back(await browser.post(asked(LINKEDIN_MEMBER_APP, MEMBER), data={"person": "ada", "decision": "deny"}))
    said = "The user cancelled the authorization"
    assert answer == {"error": "user_cancelled_authorize", "error_description": said, "state": "s"}
    app = switch(world, LINKEDIN_MEMBER_APP, cancels_at_sign_in=True)
    answer = sent_back(await browser.post(asked(app, MEMBER), data={"person": "ada", "decision": "deny"}))
    assert answer["error"] == "user_cancelled_login"


async def test_a_scope_whose_product_is_missing_comes_back_with_escaped_quotes(browser: httpx2.AsyncClient, world: World) -> None:
    answer = sent_back(await browser.get(asked(LINKEDIN_PAGES_APP, "openid profile")))
    assert answer["error"] == "unauthorized_scope_error"
    assert answer["error_description"] == "Scope &quot;openid&quot; is not authorized for your application"
    app = switch(world, LINKEDIN_PAGES_APP, ungranted_scope_page=True)
    assert (await browser.get(asked(app, "openid profile"))).status_code == 401


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"client_id": "77nobody"}, "Client_id doesn&#39;t match"),
        ({"redirect_uri": "https://elsewhere.example/back"}, "Redirect_uri doesn&#39;t match"),
        ({"redirect_uri": BACK + "#part"}, "Redirect_uri doesn&#39;t match"),
        ({"scope": "openid w_everything"}, "Invalid scope"),
    ],
)
async def test_some_mistakes_end_on_linkedins_own_page(
    browser: httpx2.AsyncClient, world: World, other: dict[str, str], words: str
) -> None:
    answer = await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER, **other))
    assert answer.status_code == 401
    assert words in answer.text
    assert world.ledger.count(What.AUTHORIZE_REFUSED, network="linkedin") == 1


# Tokens.


async def test_the_token_answer_has_commas_and_a_second_less_than_sixty_days(browser: httpx2.AsyncClient, world: World) -> None:
    body = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert body["expires_in"] == 5183999
    assert len(body["access_token"]) > 300
    assert "refresh_token" not in body
    app = switch(world, LINKEDIN_MEMBER_APP, space_scopes=True)
    assert (await granted(browser, app, MEMBER))["scope"] == "email openid profile w_member_social"


async def test_a_code_works_once_for_thirty_minutes_at_one_address(browser: httpx2.AsyncClient, world: World) -> None:
    code = await consent(browser, LINKEDIN_MEMBER_APP, MEMBER)
    other = await redeem(browser, LINKEDIN_MEMBER_APP, code, redirect_uri=BACK + "/")
    assert (other.status_code, other.json()["error"]) == (400, "invalid_redirect_uri")
    assert (await redeem(browser, LINKEDIN_MEMBER_APP, code)).status_code == 200
    again = await redeem(browser, LINKEDIN_MEMBER_APP, code)
    said = "Unable to retrieve access token: authorization code not found"
    assert (again.status_code, again.json()) == (401, {"error": "invalid_request", "error_description": said})
    late = await consent(browser, LINKEDIN_MEMBER_APP, MEMBER)
    world.clock.forward(timedelta(minutes=30))
    assert (await redeem(browser, LINKEDIN_MEMBER_APP, late)).json()["error"] == "invalid_redirect_uri"
    app = switch(world, LINKEDIN_MEMBER_APP, old_code_words=True)
    assert (await redeem(browser, app, late)).json()["error"] == "invalid_request"


async def test_the_client_authenticates_in_the_body_only(browser: httpx2.AsyncClient, world: World) -> None:
    app = LINKEDIN_MEMBER_APP
    code = await consent(browser, app, MEMBER)
    wrong = await redeem(browser, app, code, client_secret="wrong")
    assert (wrong.status_code, wrong.json()) == (401, {"error": "invalid_client", "error_description": "Client authentication failed"})
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": BACK}
    basic = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form, auth=(app.client_id, app.client_secret))
    assert basic.status_code == 400
    assert basic.json()["error_description"] == 'A required parameter "client_id" is missing'
    assert (await redeem(browser, switch(world, app, verifier_breaks=True), code, code_verifier="v" * 43)).status_code == 401
    for name in ("grant_type", "code", "redirect_uri"):
        answer = await redeem(browser, app, code, **{name: ""})
        assert (answer.status_code, answer.json()["error_description"]) == (400, f'A required parameter "{name}" is missing')


async def test_another_scope_set_kills_the_earlier_tokens_of_the_pair_and_the_same_set_does_not(browser: httpx2.AsyncClient) -> None:
    first = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    bens = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER, "ben")
    await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    assert (await call(browser, "/v2/userinfo", first["access_token"])).status_code == 200
    await consent(browser, LINKEDIN_MEMBER_APP, "openid profile")
    answer = await call(browser, "/v2/userinfo", first["access_token"])
    assert (answer.status_code, answer.json()["serviceErrorCode"], answer.json()["code"]) == (401, 65601, "REVOKED_ACCESS_TOKEN")
    assert (await call(browser, "/v2/userinfo", bens["access_token"])).status_code == 200


async def test_a_refresh_token_stays_the_same_and_never_lives_beyond_its_year(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, refresh_tokens=True)
    first = await granted(browser, app, PAGES)
    world.clock.forward(timedelta(days=350))
    form = {
        "grant_type": "refresh_token",
        "refresh_token": first["refresh_token"],
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    body = (await browser.post(f"{WWW}/oauth/v2/accessToken", data=form)).json()
    assert body["refresh_token"] == first["refresh_token"]
    assert body["refresh_token_expires_in"] == timedelta(days=15).total_seconds()
    assert body["expires_in"] == timedelta(days=15).total_seconds() - 1
    world.clock.forward(timedelta(days=15))
    late = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form)
    assert (late.status_code, late.json()["error"]) == (400, "invalid_request")
    missing = await browser.post(f"{WWW}/oauth/v2/accessToken", data=form | {"refresh_token": ""})
    assert missing.json()["error_description"] == 'A required parameter "refresh_token" is missing'


async def test_introspection_tells_active_revoked_expired_and_nothing_about_another_clients_token(
    browser: httpx2.AsyncClient, world: World
) -> None:
    app, token = LINKEDIN_MEMBER_APP, (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    body = (await about(browser, app, "introspectToken", token)).json()
    assert (body["active"], body["status"], body["auth_type"]) == (True, "active", "3L")
    assert body["scope"] == "email,openid,profile,w_member_social"
    assert (await about(browser, LINKEDIN_PAGES_APP, "introspectToken", token)).json() == {"active": False}
    assert (await about(browser, app, "introspectToken", token, client_secret="wrong")).status_code == 401
    assert (await about(browser, app, "introspectToken", token, client_id="77nobody")).status_code == 400
    assert (await about(browser, app, "introspectToken", "")).status_code == 400
    assert (await about(browser, app, "revoke", token)).status_code == 200
    assert (await about(browser, app, "introspectToken", token)).json() == {"active": False, "status": "revoked"}
    later = (await granted(browser, app, MEMBER))["access_token"]
    world.clock.forward(timedelta(days=60))
    assert (await about(browser, app, "introspectToken", later)).json() == {"active": False, "status": "expired"}
    bare = switch(world, app, bare_introspection=True)
    assert (await about(browser, bare, "introspectToken", later)).json() == {"active": False}


# OpenID Connect.


def decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


async def test_the_id_token_is_signed_by_the_published_key_and_carries_no_nonce(browser: httpx2.AsyncClient) -> None:
    body = await granted(browser, LINKEDIN_MEMBER_APP, MEMBER)
    head, said, signature = body["id_token"].split(".")
    facts = (await browser.get(f"{WWW}/oauth/.well-known/openid-configuration")).json()
    (key,) = (await browser.get(facts["jwks_uri"].removeprefix("https:/"))).json()["keys"]
    number, exponent = (int.from_bytes(decoded(key[name]), "big") for name in ("n", "e"))
    RSAPublicNumbers(exponent, number).public_key().verify(decoded(signature), f"{head}.{said}".encode(), PKCS1v15(), SHA256())
    claims = json.loads(decoded(said))
    assert (claims["iss"], claims["aud"]) == (facts["issuer"], LINKEDIN_MEMBER_APP.client_id)
    assert claims["exp"] == claims["iat"] + 3600
    assert "nonce" not in claims
    assert json.loads(decoded(head))["kid"] == key["kid"]
    assert "code_challenge_methods_supported" not in facts
    assert "revocation_endpoint" not in facts


async def test_userinfo_has_a_locale_object_an_expiring_picture_and_perhaps_an_address(browser: httpx2.AsyncClient, world: World) -> None:
    ada = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"])).json()
    assert (ada["name"], ada["locale"]) == ("Ada Lantern", {"country": "US", "language": "en"})
    assert ada["email"] == "ada@lantern.example"
    at = ada["picture"].removeprefix("https:/")
    assert (await browser.get(at)).headers["content-type"] == "image/png"
    cleo = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER, "cleo"))["access_token"])).json()
    assert "email" not in cleo
    app = switch(world, LINKEDIN_MEMBER_APP, locale_text=True)
    text = (await call(browser, "/v2/userinfo", (await granted(browser, app, MEMBER))["access_token"])).json()
    assert text["locale"] == "en-US"
    world.clock.forward(timedelta(days=30))
    assert (await browser.get(at)).status_code == 403


async def test_a_person_has_another_id_under_every_app(browser: httpx2.AsyncClient) -> None:
    info = (await call(browser, "/v2/userinfo", (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"])).json()
    me = (await call(browser, "/v2/me", (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"])).json()
    assert (me["localizedFirstName"], me["vanityName"]) == ("Ada", "ada-lantern")
    assert info["sub"] != me["id"]
    assert "picture" not in me


async def test_each_shape_of_app_has_its_own_way_to_say_who_it_is(browser: httpx2.AsyncClient) -> None:
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    answer = await call(browser, "/v2/me", member)
    said = {"status": 403, "serviceErrorCode": 100, "message": "Not enough permissions to access: me.GET.NO_VERSION"}
    assert (answer.status_code, answer.json()) == (403, said)
    pages = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await call(browser, "/v2/userinfo", pages)).status_code == 403
    both = (await granted(browser, LINKEDIN_ALL_APP, f"openid profile {PAGES}"))["access_token"]
    assert (await call(browser, "/v2/me", both)).json()["id"] == (await call(browser, "/v2/userinfo", both)).json()["sub"]


# The API's door.


async def test_tokens_are_refused_by_number(browser: httpx2.AsyncClient, world: World) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await browser.get(f"{API}/v2/me")).json()["serviceErrorCode"] == 65604
    assert (await call(browser, "/v2/me", "AQXnothing")).json()["code"] == "INVALID_ACCESS_TOKEN"
    assert (await browser.get(f"{API}/v2/me?oauth2_access_token={token}")).status_code == 200, "older clients send it so"
    world.clock.forward(timedelta(days=60))
    assert (await call(browser, "/v2/me", token)).json()["serviceErrorCode"] == 65602


async def test_a_fresh_token_may_be_called_revoked_for_some_seconds(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, settles_after=8)
    token = (await granted(browser, app, MEMBER))["access_token"]
    assert (await call(browser, "/v2/userinfo", token)).json()["serviceErrorCode"] == 65601
    assert (await about(browser, app, "introspectToken", token)).json()["active"] is True
    world.clock.forward(timedelta(seconds=8))
    assert (await call(browser, "/v2/userinfo", token)).status_code == 200


async def test_versions_are_demanded_and_end_by_the_sandboxs_clock(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, refresh_tokens=True, closed_versions="202605,202606")
    token = (await granted(browser, app, PAGES))["access_token"]
    acls = "/rest/organizationAcls?q=roleAssignee"
    missing = await browser.get(API + acls, headers={"authorization": f"Bearer {token}"})
    assert (missing.status_code, missing.json()["code"]) == (400, "VERSION_MISSING")
    for version, status in {"202601": 200, "202609": 200, "202511": 426, "202512": 426, "203001": 426, "202605": 426}.items():
        assert (await call(browser, acls, token, version)).status_code == status, version
    closed = (await call(browser, acls, token, "202511")).json()
    assert closed == {"status": 426, "code": "NONEXISTENT_VERSION", "message": "Requested version 20251101 is not active"}
    world.clock.forward(timedelta(days=53))
    assert (await call(browser, acls, token, "202601")).status_code == 426
    assert (await call(browser, "/v2/me", token, "202601")).status_code == 200, "the old API ignores versions"


async def test_the_development_tier_has_quotas_until_midnight_and_no_batches(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_PAGES_APP, development_tier=True, member_calls=2)
    token = (await granted(browser, app, PAGES))["access_token"]
    batch = await call(browser, "/rest/organizationsLookup?ids=List(7700101)", token)
    assert (batch.status_code, batch.json()["message"]) == (403, "Not enough permissions to access: organizationsLookup.BATCH_GET.20260901")
    assert (await call(browser, "/rest/me", token)).status_code == 200
    spent = await call(browser, "/rest/me", token)
    assert (spent.status_code, spent.json()["serviceErrorCode"], spent.json()["code"]) == (429, 101, "TOO_MANY_REQUESTS")
    assert "MEMBER DAY" in spent.json()["message"]
    assert "retry-after" not in spent.headers
    world.clock.forward(timedelta(hours=15))
    assert (await call(browser, "/rest/me", token)).status_code == 200


# Pages.


async def test_roles_are_rows_without_names_in_pages_of_ten(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "mona"))["access_token"]
    first = (await call(browser, "/rest/organizationAcls?q=roleAssignee", token)).json()
    assert len(first["elements"]) == 10
    assert first["paging"] == {"start": 0, "count": 10, "total": 14, "links": []}
    assert set(first["elements"][0]) == {"roleAssignee", "role", "state", "organization"}
    rest = (await call(browser, "/rest/organizationAcls?q=roleAssignee&start=10&count=100", token)).json()
    assert len(rest["elements"]) == 4
    noor = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "noor"))["access_token"]
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee", noor)).json()["elements"] == []


async def test_several_roles_on_one_page_are_several_rows_and_can_be_filtered(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "cleo"))["access_token"]
    rows = (await call(browser, "/rest/organizationAcls?q=roleAssignee", token)).json()["elements"]
    assert [(row["role"], row["state"]) for row in rows] == [
        ("ADMINISTRATOR", "APPROVED"),
        ("CONTENT_ADMINISTRATOR", "APPROVED"),
        ("ADMINISTRATOR", "REVOKED"),
    ]
    approved = (await call(browser, "/rest/organizationAcls?q=roleAssignee&state=APPROVED&role=ADMINISTRATOR", token)).json()
    assert len(approved["elements"]) == 1


async def test_the_finder_refuses_projections_and_tokens_without_its_scope(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    assert (await call(browser, "/rest/organizationAcls?q=roleAssignee&projection=(elements)", token)).status_code == 400
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    answer = await call(browser, "/rest/organizationAcls?q=roleAssignee", member)
    assert (answer.status_code, answer.json()["code"]) == (403, "ACCESS_DENIED")


async def test_a_page_is_read_by_its_administrators_only(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    ltd = (await call(browser, "/rest/organizations/7700101", token)).json()
    assert (ltd["id"], ltd["localizedName"], ltd["vanityName"]) == (7700101, "Lantern Ltd", "lantern-ltd")
    trust = await call(browser, "/rest/organizations/7700103", token)
    assert trust.status_code == 403
    assert "ADMIN_ONLY VisibilityReduction for urn:li:organization:7700103" in trust.json()["message"]
    assert (await call(browser, "/rest/organizations/1", token)).status_code == 404


async def test_a_lookup_answers_each_by_itself_and_wants_its_brackets_raw(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    body = (await call(browser, "/rest/organizationsLookup?ids=List(7700103,1)", token)).json()
    assert body["results"]["7700103"]["localizedName"] == "Harbour Trust"
    assert body["statuses"] == {"7700103": 200}
    assert body["errors"]["1"]["status"] == 404
    assert (await call(browser, "/rest/organizationsLookup?ids=List%287700103%29", token)).status_code == 400


async def test_a_logo_is_read_by_its_image_urn_and_served_for_a_while(browser: httpx2.AsyncClient) -> None:
    token = (await granted(browser, LINKEDIN_PAGES_APP, PAGES))["access_token"]
    ltd = (await call(browser, "/rest/organizations/7700101", token)).json()
    urn = ltd["logoV2"]["original"].replace("digitalmediaAsset", "image").replace(":", "%3A")
    image = (await call(browser, f"/rest/images/{urn}", token)).json()
    assert (image["status"], image["downloadUrlExpiresAt"]) == ("AVAILABLE", 1798102800000)
    assert (await browser.get(image["downloadUrl"].removeprefix("https:/"))).status_code == 200
    assert set((await call(browser, f"/rest/images/{urn}?fields=downloadUrl", token)).json()) == {"downloadUrl"}
    stranger = (await granted(browser, LINKEDIN_PAGES_APP, PAGES, "ben"))["access_token"]
    assert (await call(browser, f"/rest/images/{urn}", stranger)).status_code == 403
    member = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["access_token"]
    assert (await call(browser, f"/rest/images/{urn}", member)).status_code == 403
    assert (await call(browser, "/rest/images/urn%3Ali%3Ashare%3A1", token)).status_code == 400


async def test_an_unknown_path_is_json_at_the_api_and_a_page_elsewhere(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get(f"{API}/v2/nothing")).json()["code"] == "RESOURCE_NOT_FOUND"
    page = await browser.get(f"{WWW}/in/nobody")
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
