"""The OAuth dance as every network's facts steer it."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hitchpost.errors import FixBy
from hitchpost.networks import oauth2
from hitchpost.networks.base import Adapter, AppCredentials, Call, Login, OAuthFacts, TokenSet
from hitchpost.networks.catalog import discover
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from tests.support.canned import Canned, CannedNetwork

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
BACK = "https://connect.example.com/api/social-connect/callback/example"
FACTS = OAuthFacts("https://example.com/authorize", "https://api.example.com/token")
LOGIN = Login("example", "example", "example", "Example", FACTS, {"": ("read", "write")}, ("read",))
APP = AppCredentials("capp", "client/1", Secret("the-app-secret"))
TOKEN = "api.example.com/token"
LOGINS = [pytest.param(adapter, login, id=f"{adapter.provider}-{login.key}") for adapter in discover() for login in adapter.logins]


def call_of(login: Login = LOGIN, http: NetworkHttp | None = None, app: AppCredentials = APP) -> Call:
    return Call(http or NetworkHttp(), app, login, NOW)


def with_facts(**changes: Any) -> Login:
    return replace(LOGIN, oauth=replace(FACTS, **changes))


def test_A9_the_challenge_is_that_of_rfc_7636_appendix_b() -> None:
    assert oauth2.challenge_of("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk") == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(("adapter", "login"), LOGINS)
def test_A9_a_network_gets_s256_or_no_challenge_at_all(adapter: Adapter, login: Login) -> None:
    url = adapter.authorize_url(call_of(login), state="the-state", redirect_uri=BACK, challenge="the-challenge", again=False)
    query = dict(parse_qsl(urlsplit(url).query))
    assert query.get("code_challenge") == ("the-challenge" if login.oauth.pkce else None)
    assert query.get("code_challenge_method") == ("S256" if login.oauth.pkce else None)


@pytest.mark.parametrize(("adapter", "login"), LOGINS)
def test_A12_the_authorize_address_holds_each_parameter_once_and_only_what_was_stored(adapter: Adapter, login: Login) -> None:
    hostile = replace(APP, client_id="1&redirect_uri=https://evil.example/&scope=all#")
    url = adapter.authorize_url(call_of(login, app=hostile), state="s&state=other", redirect_uri=BACK, challenge="c", again=False)
    pairs = parse_qsl(urlsplit(url).query, keep_blank_values=True, strict_parsing=True)
    query = dict(pairs)
    assert len(pairs) == len(query)
    assert query[login.oauth.client_id_param] == hostile.client_id
    assert query["redirect_uri"] == BACK
    assert query["state"] == "s&state=other"
    assert query["response_type"] == "code"
    assert query["scope"] == login.oauth.scopes_joined_by.join(login.asked(hostile))
    assert urlsplit(url).netloc == urlsplit(login.oauth.authorize_url).netloc
    assert urlsplit(url).fragment == ""


def test_blanks_are_written_as_x_documents_them() -> None:
    assert "scope=read%20write" in oauth2.authorize_url(call_of(), state="s", redirect_uri=BACK, challenge="")


def test_the_operators_scopes_replace_the_usual_ones() -> None:
    url = oauth2.authorize_url(call_of(app=replace(APP, scopes=("read",))), state="s", redirect_uri=BACK, challenge="")
    assert dict(parse_qsl(urlsplit(url).query))["scope"] == "read"


async def redeemed(login: Login) -> tuple[Any, CannedNetwork]:
    network = CannedNetwork({TOKEN: Canned({"access_token": "at"})})
    call = call_of(login, network.http())
    await oauth2.redeem(call, code=Secret("the-code"), redirect_uri=BACK, verifier=Secret("the-verifier"))
    return network.asked[0], network


async def test_a_secret_in_the_body_is_nowhere_else() -> None:
    asked, _ = await redeemed(with_facts(client_auth="body"))
    assert asked.method == "POST"
    assert asked.form["client_secret"] == "the-app-secret"
    assert asked.form["code"] == "the-code"
    assert asked.form["redirect_uri"] == BACK
    assert "code_verifier" not in asked.form
    assert "authorization" not in asked.headers
    assert asked.query == {}


async def test_a_secret_by_basic_is_not_in_the_body() -> None:
    asked, _ = await redeemed(with_facts(client_auth="basic", pkce=True, extra_token={"more": "1"}))
    assert asked.headers["authorization"] == "Basic Y2xpZW50LzE6dGhlLWFwcC1zZWNyZXQ="
    assert "client_secret" not in asked.form
    assert asked.form["client_id"] == "client/1"
    assert asked.form["code_verifier"] == "the-verifier"
    assert asked.form["more"] == "1"


async def test_each_code_is_sent_exactly_once() -> None:
    network = CannedNetwork({TOKEN: Canned({"error": "temporarily_unavailable"}, 503)})
    await oauth2.redeem(call_of(http=network.http()), code=Secret("the-code"), redirect_uri=BACK, verifier=None)
    assert len(network.asked) == 1


@pytest.mark.parametrize(
    ("said", "read"),
    [
        ("a b", frozenset("ab")),
        ("a,b", frozenset("ab")),
        ("a, b ", frozenset("ab")),
        (["a", "b"], frozenset("ab")),
        ("", frozenset()),
        (None, None),
        (7, None),
    ],
)
def test_scopes_are_read_however_they_are_joined(said: object, read: frozenset[str] | None) -> None:
    assert oauth2.split_scopes(said) == read


@pytest.mark.parametrize("value", [None, "", "soon", -1, 0, [], {}, 10**30, float("inf"), float("nan"), "1e3"])
def test_a_life_that_makes_no_sense_is_no_date(value: object) -> None:
    tokens = oauth2.token_set(call_of(), {"access_token": "at", "expires_in": value})
    assert tokens.access_expires_at is None


def test_a_token_answer_is_read_tolerantly() -> None:
    tokens = oauth2.token_set(
        call_of(),
        {"access_token": "at", "expires_in": "3600", "refresh_token": "rt", "refresh_token_expires_in": 5184000, "scope": "a,b", "new": 1},
    )
    assert tokens.access.reveal() == "at"
    assert tokens.access_expires_at == NOW + timedelta(hours=1)
    assert tokens.refresh == Secret("rt")
    assert tokens.refresh_expires_at == NOW + timedelta(days=60)
    assert tokens.scopes == frozenset("ab")


def test_E7_a_refresh_token_that_is_not_there_is_not_invented() -> None:
    for body in ({}, {"refresh_token": None}, {"refresh_token": ""}, {"refresh_token": 5}):
        assert oauth2.token_set(call_of(), {"access_token": "at", **body}).refresh is None


@pytest.mark.parametrize("body", [{}, {"access_token": ""}, {"access_token": None}, {"access_token": True}, {"access_token": ["at"]}])
def test_no_access_token_is_no_consent(body: Mapping[str, Any]) -> None:
    with pytest.raises(Fault) as caught:
        oauth2.token_set(call_of(), dict(body))
    assert caught.value.kind is FaultKind.UNINTELLIGIBLE


ODD = ["t\u00f6k\u00e9n", "abc\ndef", "abc\r\nX-Injected: 1", "\ud800x", "abc\x00", "abc\x7f", "\u200babc"]


@pytest.mark.parametrize("odd", ODD, ids=ascii)
@pytest.mark.parametrize("name", ["access_token", "refresh_token"])
def test_R6_a_token_that_no_header_can_carry_is_no_token(name: str, odd: str) -> None:
    with pytest.raises(Fault) as caught:
        oauth2.token_set(call_of(), {"access_token": "at", "refresh_token": "rt", name: odd})
    assert (caught.value.kind, caught.value.code) == (FaultKind.UNINTELLIGIBLE, "odd_token")
    assert odd not in f"{caught.value}"


@pytest.mark.parametrize(("adapter", "login"), LOGINS)
async def test_R6_every_network_is_held_to_that(adapter: Adapter, login: Login) -> None:
    tokens = {"access_token": ODD[0], "refresh_token": "rt", "expires_in": 3600, "user_id": "1", "scope": "", "permissions": ""}
    http = CannedNetwork({}, Canned(tokens)).http()
    with pytest.raises(Fault, match="odd_token"):
        await adapter.exchange(call_of(login, http), code=Secret("c"), redirect_uri=BACK, verifier=Secret("v" * 43))


async def test_R6_a_page_token_that_no_header_can_carry_is_no_token() -> None:
    facebook = discover()["facebook"]
    pages = Canned({"data": [{"id": "1", "name": "Page", "tasks": ["CREATE_CONTENT"], "access_token": ODD[0]}]})
    with pytest.raises(Fault, match="odd_token"):
        await facebook.look(call_of(facebook.logins[0], CannedNetwork({}, pages).http()), TokenSet(Secret("at")))


def test_A22_what_was_asked_but_not_granted_is_named() -> None:
    assert oauth2.ungranted(call_of(), frozenset({"read"})) == ("write",)
    assert oauth2.ungranted(call_of(), None) == ()


def test_A22_a_needed_permission_that_was_unticked_is_the_persons_to_mend() -> None:
    verdict = oauth2.unpermitted(call_of(), frozenset({"read"}), ("write",))
    assert verdict is not None
    assert (verdict.usable, verdict.code, verdict.fix_by) == (False, "permission_missing", FixBy.PERSON)
    assert "write" in verdict.why
    assert oauth2.unpermitted(call_of(), None, ("write",)) is None


def test_A22_a_needed_permission_that_is_never_asked_is_the_operators_to_mend() -> None:
    call = call_of(app=replace(APP, scopes=("read",)))
    for granted in (None, frozenset({"read"})):
        verdict = oauth2.unpermitted(call, granted, ("write",))
        assert verdict is not None
        assert (verdict.code, verdict.fix_by) == ("permission_not_asked", FixBy.OPERATOR)
