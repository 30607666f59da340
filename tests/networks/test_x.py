"""The X adapter against X's twin, and against prepared answers where no twin would be so odd."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from hitchpost.errors import FixBy
from hitchpost.networks import oauth2
from hitchpost.networks.adapters.x import X
from hitchpost.networks.base import Candidate, Consent, Kind, Picked, Revocation, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from hitchpost_sandbox.apps import X_APP, Option
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.canned import Canned, CannedNetwork
from tests.support.trip import NOON, Traveller, fresh_world

LOGIN = X.logins[0]
ME = "api.x.com/2/users/me"
TOKEN = "api.x.com/2/oauth2/token"
REVOKE = "api.x.com/2/oauth2/revoke"
VERIFIER = "v" * 43
ASKED = frozenset(LOGIN.scopes[""])
USER = {"data": {"id": "2244994945", "name": "Ada", "username": "ada"}}
GRANT = {"token_type": "bearer", "expires_in": 7200, "access_token": "the-access", "refresh_token": "the-refresh", "scope": " ".join(ASKED)}


class AtX(Traveller):
    """X demands PKCE of everybody."""

    def __init__(self, world: World, *, secret: str = "", scopes: tuple[str, ...] = ()) -> None:
        super().__init__(world, X(), LOGIN, X_APP, secret=secret, scopes=scopes)

    def consent_page(self, *, again: bool = False) -> str:
        challenge = oauth2.challenge_of(VERIFIER)
        return self.adapter.authorize_url(self.call, state="the-state", redirect_uri=self.redirect_uri, challenge=challenge, again=again)

    async def redeem(self, code: str, verifier: str = VERIFIER) -> Consent:
        return await self.adapter.exchange(self.call, code=Secret(code), redirect_uri=self.redirect_uri, verifier=Secret(verifier))

    async def only(self, tokens: TokenSet) -> Candidate:
        (candidate,) = (await self.adapter.look(self.call, tokens)).candidates
        return candidate

    def reads(self) -> int:
        return len(self.world.ledger.read(network="x", what=What.CALL, path="/2/users/me"))


@pytest.fixture
async def ada() -> AsyncIterator[AtX]:
    traveller = AtX(fresh_world())
    yield traveller
    await traveller.browser.aclose()


def switched(**options: Option) -> AtX:
    world = fresh_world()
    world.register(replace(X_APP, options=options))
    return AtX(world)


def canned(answers: Mapping[str, Canned | list[Canned]], scopes: tuple[str, ...] = ()) -> tuple[AtX, CannedNetwork]:
    traveller, network = AtX(fresh_world(), scopes=scopes), CannedNetwork(answers)
    traveller.answer_with(network)
    return traveller, network


def tokens_with(*scopes: str) -> TokenSet:
    return TokenSet(Secret("the-access"), refresh=Secret("the-refresh"), scopes=frozenset(scopes))


async def fault_of(traveller: AtX) -> Fault:
    with pytest.raises(Fault) as caught:
        await traveller.redeem("the-code")
    return caught.value


async def test_ada_connects_her_account(ada: AtX) -> None:
    consent = await ada.connect("ada")
    assert (consent.subject.id, consent.subject.name, consent.subject.handle) == ("1850000000000000101", "Ada Lantern", "adalantern")
    assert consent.subject.image.endswith("/ada-x_400x400.png")
    assert (consent.granted, consent.missing) == (ASKED, ())
    assert consent.tokens.access_expires_at == NOON + timedelta(hours=2)
    assert consent.tokens.refresh
    candidate = await ada.only(consent.tokens)
    assert (candidate.kind, candidate.external_id, candidate.id_scope) == (Kind.ACCOUNT, consent.subject.id, "global")
    assert (candidate.verdict.usable, candidate.verdict.why) == (True, "")
    assert [entry.person for entry in ada.world.ledger.read(what=What.CODE_REDEEMED)] == ["ada"]


async def test_looking_after_a_consent_is_not_billed_again(ada: AtX) -> None:
    consent = await ada.connect("ada")
    first, again = await ada.only(consent.tokens), await ada.only(consent.tokens)
    assert ada.reads() == 1
    unremembered = await ada.only(replace(consent.tokens, extras={}))
    assert first == again == unremembered
    assert ada.reads() == 2


async def test_what_was_picked_is_examined_with_a_token_that_must_live(ada: AtX) -> None:
    consent = await ada.connect("ada")
    picked = [Picked(Kind.ACCOUNT, consent.subject.id), Picked(Kind.ACCOUNT, "1850000000000000201")]
    own, other = await ada.adapter.derive(ada.call, consent.tokens, picked)
    assert own.candidate.verdict.usable
    assert own.token is None
    assert (other.candidate.verdict.usable, other.candidate.verdict.code) == (False, "other_account")
    ada.world.authority("x").revoke_grants("ada", X_APP.client_id)
    with pytest.raises(Fault) as caught:
        await ada.adapter.derive(ada.call, consent.tokens, picked)
    assert caught.value.kind is FaultKind.REVOKED


async def test_a_declined_consent_is_no_fault(ada: AtX) -> None:
    back = await ada.decide("ada", allow=False)
    assert back == {"error": "access_denied", "state": "the-state"}
    assert ada.adapter.refusal(back).kind is FaultKind.DECLINED


async def test_A8_a_code_of_one_start_is_worthless_in_another(ada: AtX) -> None:
    back = await ada.decide("ada")
    with pytest.raises(Fault) as caught:
        await ada.redeem(back["code"], verifier="w" * 43)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REFUSED, "invalid_request/code_verifier")
    assert ada.world.ledger.read(what=What.TOKEN_ISSUED) == ()


async def test_a_code_works_once(ada: AtX) -> None:
    back = await ada.decide("ada")
    await ada.redeem(back["code"])
    with pytest.raises(Fault) as caught:
        await ada.redeem(back["code"])
    assert (caught.value.kind, caught.value.code) == (FaultKind.REFUSED, "invalid_request/code")


async def test_a_code_lives_for_thirty_seconds(ada: AtX) -> None:
    back = await ada.decide("ada")
    ada.world.clock.forward(timedelta(seconds=31))
    with pytest.raises(Fault) as caught:
        await ada.redeem(back["code"])
    assert caught.value.kind is FaultKind.REFUSED


async def test_a_wrong_client_secret_is_the_operators_fault() -> None:
    traveller = AtX(fresh_world(), secret="not-the-secret")
    back = await traveller.decide("ada")
    with pytest.raises(Fault) as caught:
        await traveller.redeem(back["code"])
    assert (caught.value.kind, caught.value.code) == (FaultKind.MISCONFIGURED, "unauthorized_client")


async def test_a_suspended_account_is_blocked(ada: AtX) -> None:
    with pytest.raises(Fault) as caught:
        await ada.connect("piet")
    assert (caught.value.kind, caught.value.code) == (FaultKind.BLOCKED, "user-suspended")


@pytest.mark.parametrize(("option", "code"), [("not_enrolled", "client-forbidden"), ("no_credits", "credits-depleted")])
async def test_an_app_without_credits_or_enrolment_is_the_operators_fault(option: str, code: str) -> None:
    with pytest.raises(Fault) as caught:
        await switched(**{option: True}).connect("ada")
    assert (caught.value.kind, caught.value.code) == (FaultKind.MISCONFIGURED, code)


async def test_the_new_names_of_fields_change_nothing() -> None:
    traveller = switched(new_field_names=True)
    assert (await traveller.connect("ada")).subject.handle == "adalantern"


async def test_a_protected_account_connects_with_a_remark(ada: AtX) -> None:
    candidate = await ada.only((await ada.connect("cleo")).tokens)
    assert candidate.verdict.usable
    assert "protected" in candidate.verdict.why


async def test_a_hostile_name_arrives_as_it_is(ada: AtX) -> None:
    consent = await ada.connect("hedda")
    assert "<script>" in consent.subject.name
    assert consent.tokens.extras["name"] == consent.subject.name


async def test_too_many_reads_wait_for_the_windows_end(ada: AtX) -> None:
    consent = await ada.connect("ada")
    bare = replace(consent.tokens, extras={})
    for _ in range(74):
        await ada.only(bare)
    with pytest.raises(Fault) as caught:
        await ada.only(bare)
    assert caught.value.kind is FaultKind.THROTTLED
    assert caught.value.retry_at == NOON + timedelta(minutes=15)


async def test_A22_an_answer_that_grants_less_names_what_is_missing() -> None:
    granted = "tweet.read users.read offline.access"
    traveller, _ = canned({TOKEN: Canned(GRANT | {"scope": granted}), ME: Canned(USER)})
    consent = await traveller.redeem("the-code")
    assert consent.missing == ("tweet.write", "media.write")
    verdict = (await traveller.only(consent.tokens)).verdict
    assert (verdict.usable, verdict.code, verdict.fix_by) == (False, "permission_missing", FixBy.PERSON)
    assert "tweet.write" in verdict.why


async def test_A22_an_app_that_never_asks_to_post_is_the_operators_to_mend() -> None:
    traveller = AtX(fresh_world(), scopes=("tweet.read", "users.read", "offline.access"))
    verdict = (await traveller.only((await traveller.connect("ada")).tokens)).verdict
    assert (verdict.usable, verdict.code, verdict.fix_by) == (False, "permission_not_asked", FixBy.OPERATOR)


async def test_without_media_write_text_can_still_be_posted() -> None:
    traveller, _ = canned({ME: Canned(USER)})
    verdict = (await traveller.only(tokens_with(*(ASKED - {"media.write"})))).verdict
    assert verdict.usable
    assert "media.write" in verdict.why


async def test_a_token_that_may_not_read_the_account_lacks_a_permission() -> None:
    traveller = AtX(fresh_world(), scopes=("tweet.write", "offline.access"))
    with pytest.raises(Fault) as caught:
        await traveller.connect("ada")
    assert caught.value.kind is FaultKind.PERMISSION


async def test_E8_disconnecting_ends_both_tokens(ada: AtX) -> None:
    consent = await ada.connect("ada")
    assert await ada.adapter.revoke(ada.call, consent.tokens, "") is Revocation.DONE
    assert ada.world.authority("x").living(person="ada") == ()
    assert {entry.facts["token_kind"] for entry in ada.world.ledger.read(what=What.TOKEN_REVOKED)} == {"access", "refresh"}


async def test_E8_tokens_that_x_no_longer_knows_are_dead_already() -> None:
    dead = Canned({"error": "invalid_request", "error_description": "Value passed for the token was invalid."}, 400)
    traveller, network = canned({REVOKE: dead})
    assert await traveller.adapter.revoke(traveller.call, tokens_with(), "") is Revocation.ALREADY_DEAD
    assert [asked.form["token"] for asked in network.asked] == ["the-refresh", "the-access"]


@pytest.mark.parametrize(("status", "kind"), [(503, FaultKind.TRANSIENT), (429, FaultKind.THROTTLED)])
async def test_E8_a_revocation_that_x_did_not_take_is_to_be_tried_again(status: int, kind: FaultKind) -> None:
    traveller, _ = canned({REVOKE: Canned("down", status)})
    with pytest.raises(Fault) as caught:
        await traveller.adapter.revoke(traveller.call, tokens_with(), "")
    assert (caught.value.kind, caught.value.retryable) == (kind, True)


OLD, NEW = "https://api.twitter.com/2/problems/", "https://api.x.com/2/problems/"
BLANK = {"type": "about:blank"}


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, BLANK | {"title": "Unauthorized", "status": 401, "detail": "Unauthorized"}, FaultKind.REVOKED, "unauthorized"),
        (401, {"errors": [{"code": 89, "message": "Invalid or expired token."}]}, FaultKind.REVOKED, "89"),
        (401, {"errors": [{"code": 32, "message": "Could not authenticate you."}]}, FaultKind.REVOKED, "32"),
        (403, {"title": "Unsupported Authentication", "type": OLD + "unsupported-authentication"}, FaultKind.MISCONFIGURED, None),
        (403, BLANK | {"title": "Forbidden", "status": 403, "detail": "Forbidden"}, FaultKind.PERMISSION, "forbidden"),
        (403, {"title": "Forbidden", "type": NEW + "oauth1-permissions"}, FaultKind.MISCONFIGURED, None),
        (403, {"type": NEW + "client-forbidden", "reason": "client-not-enrolled"}, FaultKind.MISCONFIGURED, "client-forbidden"),
        (403, {"errors": [{"code": 453, "message": "You currently have access to a subset"}]}, FaultKind.MISCONFIGURED, "453"),
        (403, {"type": OLD + "user-suspended"}, FaultKind.BLOCKED, "user-suspended"),
        (403, {"errors": [{"code": 64, "message": "Your account is suspended"}]}, FaultKind.BLOCKED, "64"),
        (403, {"errors": [{"code": 326, "message": "temporarily locked"}]}, FaultKind.BLOCKED, "326"),
        (403, {"type": NEW + "app-suspended"}, FaultKind.MISCONFIGURED, "app-suspended"),
        (402, {"account_id": 1, "title": "CreditsDepleted", "type": OLD + "credits"}, FaultKind.MISCONFIGURED, "credits"),
        (402, {"title": "Payment Required", "status": 402, "type": NEW + "credits-depleted"}, FaultKind.MISCONFIGURED, "credits-depleted"),
        (402, "no credits", FaultKind.MISCONFIGURED, "http_402"),
        (429, BLANK | {"title": "Too Many Requests", "status": 429}, FaultKind.THROTTLED, "http_429"),
        (429, {"errors": [{"code": 88, "message": "Rate limit exceeded"}]}, FaultKind.THROTTLED, "88"),
        (429, "slow down", FaultKind.THROTTLED, "http_429"),
        (429, {"type": NEW + "usage-capped", "period": "Monthly"}, FaultKind.MISCONFIGURED, "usage-capped"),
        (503, BLANK | {"title": "Service Unavailable", "status": 503}, FaultKind.TRANSIENT, "http_503"),
        (500, "<html>", FaultKind.TRANSIENT, "http_500"),
        (401, "<html>", FaultKind.UNINTELLIGIBLE, "http_401"),
        (401, {"title": "Something New"}, FaultKind.UNINTELLIGIBLE, "http_401"),
        (403, "<html>", FaultKind.UNINTELLIGIBLE, "http_403"),
        (302, "", FaultKind.UNINTELLIGIBLE, "http_302"),
        (200, {"errors": [{"title": "Forbidden", "type": OLD + "user-suspended"}]}, FaultKind.BLOCKED, "user-suspended"),
        (200, {}, FaultKind.UNINTELLIGIBLE, "http_200"),
        (200, {"data": {"id": "1", "name": "no username"}}, FaultKind.UNINTELLIGIBLE, "no_username"),
        (200, "<html>", FaultKind.UNINTELLIGIBLE, "http_200"),
    ],
)
async def test_what_the_api_answers_is_told_apart(status: int, body: Any, kind: FaultKind, code: str | None) -> None:
    traveller, _ = canned({TOKEN: Canned(GRANT), ME: Canned(body, status)})
    fault = await fault_of(traveller)
    assert fault.kind is kind
    assert code in (None, fault.code)


@pytest.mark.parametrize(
    ("status", "error", "description", "kind", "code"),
    [
        (400, "invalid_request", "Value passed for the authorization code was invalid.", FaultKind.REFUSED, "invalid_request/code"),
        (
            400,
            "invalid_request",
            "Value passed for the redirect uri did not match the uri of the authorization code.",
            FaultKind.REFUSED,
            "invalid_request/redirect_uri",
        ),
        (
            400,
            "invalid_request",
            "Value passed for the code verifier did not match the code challenge.",
            FaultKind.REFUSED,
            "invalid_request/code_verifier",
        ),
        (400, "invalid_request", "Missing required parameter [client_id].", FaultKind.MISCONFIGURED, "invalid_request/missing"),
        (400, "invalid_request", "Value passed for the token was invalid.", FaultKind.REFUSED, "invalid_request/token"),
        (400, "invalid_grant", "Value passed for the token was invalid.", FaultKind.REFUSED, "invalid_grant"),
        (401, "unauthorized_client", "Missing valid authorization header", FaultKind.MISCONFIGURED, "unauthorized_client"),
        (401, "invalid_client", "", FaultKind.MISCONFIGURED, "invalid_client"),
        (400, "invalid_client", "", FaultKind.MISCONFIGURED, "invalid_client"),
        (400, "invalid_request", "Something else.", FaultKind.UNINTELLIGIBLE, "invalid_request"),
        (400, "<b>markup</b>", "", FaultKind.UNINTELLIGIBLE, "http_400"),
        (429, "whatever", "", FaultKind.THROTTLED, "whatever"),
        (503, "whatever", "", FaultKind.TRANSIENT, "whatever"),
    ],
)
async def test_what_the_token_endpoint_answers_is_told_apart(status: int, error: str, description: str, kind: FaultKind, code: str) -> None:
    traveller, network = canned({TOKEN: Canned({"error": error, "error_description": description}, status)})
    fault = await fault_of(traveller)
    assert (fault.kind, fault.code) == (kind, code)
    assert len(network.asked) == 1


async def test_R17_a_spent_day_outlasts_the_window() -> None:
    now = int(NOON.timestamp())
    headers = {
        "x-rate-limit-remaining": "0",
        "x-rate-limit-reset": str(now + 600),
        "x-user-limit-24hour-remaining": "0",
        "x-user-limit-24hour-reset": str(now + 40_000),
        "x-app-limit-24hour-remaining": "7",
        "x-app-limit-24hour-reset": str(now + 80_000),
    }
    traveller, _ = canned({TOKEN: Canned(GRANT), ME: Canned({"title": "Too Many Requests"}, 429, headers)})
    assert (await fault_of(traveller)).retry_at == datetime.fromtimestamp(now + 40_000, UTC)


async def test_a_token_answer_without_a_token_is_unintelligible() -> None:
    bodies: list[object] = [{}, "<html>", [1]]
    for body in bodies:
        traveller, _ = canned({TOKEN: Canned(body)})
        assert (await fault_of(traveller)).kind is FaultKind.UNINTELLIGIBLE


async def test_E5_secrets_travel_in_headers_and_bodies_and_stand_in_no_fault() -> None:
    traveller, network = canned({TOKEN: Canned(GRANT), ME: Canned({"title": "the-access the-code"}, 403)})
    fault = await fault_of(traveller)
    assert all(not ({"the-code", "the-access", VERIFIER} & set(asked.query.values())) for asked in network.asked)
    assert network.asked[1].headers["authorization"] == "Bearer the-access"
    for secret in ("the-code", "the-access", "the-refresh", VERIFIER):
        assert secret not in f"{fault!r} {fault.detail}"


@pytest.mark.parametrize(
    ("named", "taken"),
    [
        ("https://pbs.twimg.com/profile_images/1/a_normal.jpg", "https://pbs.twimg.com/profile_images/1/a_400x400.jpg"),
        ("https://pbs.twimg.com/profile_images/1/a_normal_b.png", "https://pbs.twimg.com/profile_images/1/a_normal_b.png"),
        (None, ""),
    ],
)
async def test_the_larger_picture_is_taken(named: str | None, taken: str) -> None:
    user = USER["data"] | ({"profile_image_url": named} if named else {})
    traveller, _ = canned({TOKEN: Canned(GRANT), ME: Canned({"data": user})})
    assert (await traveller.redeem("the-code")).subject.image == taken
