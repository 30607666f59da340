"""LinkedIn's twin: consent, native PKCE and id tokens, also where LinkedIn is odd, strict or silent."""

import base64
import json
from dataclasses import replace

import httpx2
import pytest
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicNumbers
from cryptography.hazmat.primitives.hashes import SHA256

from hitchpost_sandbox.apps import LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, App
from hitchpost_sandbox.authority import s256
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.sandbox.at_linkedin import (
    BACK,
    MEMBER,
    WWW,
    asked,
    consent,
    granted,
    redeem,
    sent_back,
    switch,
)

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


async def test_the_state_may_come_back_altered_by_a_switch(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, alters_state=True)
    answer = sent_back(await browser.post(asked(app, MEMBER), data={"person": "ada", "decision": "allow"}))
    assert answer["state"] != "s"
    denied = sent_back(await browser.post(asked(app, MEMBER), data={"person": "ada", "decision": "deny"}))
    assert denied["state"] != "s"
    bare = sent_back(await browser.post(asked(app, MEMBER, state=""), data={"person": "ada", "decision": "allow"}))
    assert "state" not in bare


async def test_extended_login_and_other_parameters_change_nothing(browser: httpx2.AsyncClient) -> None:
    more = {"enable_extended_login": "true", "prompt": "none", "code_challenge": "c" * 43, "code_challenge_method": "S256"}
    page = await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER, **more))
    assert (page.status_code, "Who are you?" in page.text) == (200, True)
    code = sent_back(await browser.post(asked(LINKEDIN_MEMBER_APP, MEMBER, **more), data={"person": "ada", "decision": "allow"}))["code"]
    assert (await redeem(browser, LINKEDIN_MEMBER_APP, code)).status_code == 200, "PKCE is not looked at"


async def test_an_ungranted_scope_may_have_its_other_word(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, invalid_scope_word=True)
    assert sent_back(await browser.get(asked(app, "r_liteprofile")))["error"] == "invalid_scope_error"


async def test_a_registered_address_is_matched_without_its_query(browser: httpx2.AsyncClient, world: World) -> None:
    world.register(replace(LINKEDIN_MEMBER_APP, redirect_uris=("https://app.example/back?a=1",)))
    page = await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER, redirect_uri="https://app.example/back?b=2"))
    assert page.status_code == 200
    assert (await browser.get(asked(LINKEDIN_MEMBER_APP, MEMBER, redirect_uri="https://app.example/back/"))).status_code == 401


# Native PKCE.

NATIVE, VERIFIER = "http://127.0.0.1:51234/any", "v" * 43


def native(app: App, **other: str) -> str:
    pkce = {"redirect_uri": NATIVE, "code_challenge": s256(VERIFIER), "code_challenge_method": "S256"}
    return asked(app, MEMBER, **(pkce | other)).replace("/oauth/v2/", "/oauth/native-pkce/")


async def test_a_program_on_the_members_machine_needs_a_verifier_and_no_secret(browser: httpx2.AsyncClient, world: World) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, native_pkce=True, verifier_breaks=True)

    async def exchanged(**other: str) -> httpx2.Response:
        code = sent_back(await browser.post(native(app), data={"person": "ada", "decision": "allow"}), NATIVE)["code"]
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": NATIVE, "client_id": app.client_id}
        return await browser.post(f"{WWW}/oauth/v2/accessToken", data=form | {"code_verifier": VERIFIER} | other)

    assert (await exchanged()).json()["expires_in"] == 5183999
    wrong = await exchanged(code_verifier="w" * 43)
    assert (wrong.status_code, wrong.json()["error"]) == (400, "invalid_redirect_uri")
    assert (await exchanged(code_verifier="")).json()["error_description"] == 'A required parameter "client_secret" is missing'
    assert (await exchanged(client_secret="wrong")).status_code == 401
    assert (await exchanged(client_secret=app.client_secret, code_verifier="")).status_code == 400, "a secret stands for no verifier"
    # A code of the standard flow wants the secret, whatever verifier comes with it.
    code = await consent(browser, app, MEMBER)
    assert (await redeem(browser, app, code, client_secret="", code_verifier=VERIFIER)).status_code == 400


@pytest.mark.parametrize(
    "other",
    [
        {"redirect_uri": "http://localhost:51234/any"},
        {"redirect_uri": "https://127.0.0.1/any"},
        {"redirect_uri": "http://127.0.0.1:x/any#"},
        {"code_challenge": ""},
        {"code_challenge_method": "plain"},
        {"client_id": "77nobody"},
    ],
)
async def test_native_pkce_is_strict_and_ends_on_linkedins_own_page(
    browser: httpx2.AsyncClient, world: World, other: dict[str, str]
) -> None:
    app = switch(world, LINKEDIN_MEMBER_APP, native_pkce=True)
    assert (await browser.get(native(app))).status_code == 200
    assert (await browser.get(native(app, **other))).status_code == 401


async def test_native_pkce_is_closed_until_linkedin_enables_it(browser: httpx2.AsyncClient) -> None:
    assert (await browser.get(native(LINKEDIN_MEMBER_APP))).status_code == 401


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


async def test_id_tokens_may_name_the_issuer_of_2023_and_have_a_plain_header(browser: httpx2.AsyncClient, world: World) -> None:
    before = (await granted(browser, LINKEDIN_MEMBER_APP, MEMBER))["id_token"].split(".")
    app = switch(world, LINKEDIN_MEMBER_APP, old_issuer=True, plain_id_token=True)
    after = (await granted(browser, app, MEMBER))["id_token"].split(".")
    assert [json.loads(decoded(said))["iss"] for _, said, _ in (before, after)] == [
        "https://www.linkedin.com/oauth",
        "https://www.linkedin.com",
    ]
    assert json.loads(decoded(before[0]))["zip"] == "RS256"
    assert set(json.loads(decoded(after[0]))) == {"typ", "kid", "alg"}
