"""The Pinterest adapter against Pinterest's twin, and against prepared answers where no twin would be so odd."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from hitchpost.errors import FixBy
from hitchpost.networks.adapters.pinterest import Pinterest
from hitchpost.networks.base import Candidate, Kind, Picked, Revocation, TokenSet, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from hitchpost_sandbox.apps import PINTEREST_APP, Option
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.world import World
from tests.support.canned import Canned, CannedNetwork
from tests.support.trip import NOON, Traveller, fresh_world

LOGIN = Pinterest.logins[0]
TOKEN = "api.pinterest.com/v5/oauth/token"
ACCOUNT = "api.pinterest.com/v5/user_account"
BOARDS = "api.pinterest.com/v5/boards"
ASKED = frozenset(LOGIN.scopes[""])
ADA = {"id": "2783136121146310101", "username": "lanternbakery", "business_name": "Lantern Bakery"}
GRANT = {"access_token": "the-access", "refresh_token": "the-refresh", "token_type": "bearer", "scope": " ".join(ASKED)}
TOKENS = TokenSet(Secret("the-access"), scopes=ASKED)


class AtPinterest(Traveller):
    """What a look says about the only candidate."""

    def __init__(self, world: World, *, secret: str = "", scopes: tuple[str, ...] = ()) -> None:
        super().__init__(world, Pinterest(), LOGIN, PINTEREST_APP, secret=secret, scopes=scopes)

    async def only(self, tokens: TokenSet = TOKENS) -> Candidate:
        (candidate,) = (await self.adapter.look(self.call, tokens)).candidates
        return candidate

    async def verdict(self, person: str) -> Verdict:
        return (await self.only((await self.connect(person)).tokens)).verdict


@pytest.fixture
async def ada() -> AsyncIterator[AtPinterest]:
    traveller = AtPinterest(fresh_world())
    yield traveller
    await traveller.browser.aclose()


def switched(**options: Option) -> AtPinterest:
    world = fresh_world()
    world.register(replace(PINTEREST_APP, options=options))
    return AtPinterest(world)


def canned(answers: Mapping[str, Canned | list[Canned]]) -> tuple[AtPinterest, CannedNetwork]:
    traveller, network = AtPinterest(fresh_world()), CannedNetwork({ACCOUNT: Canned(ADA)} | dict(answers))
    traveller.answer_with(network)
    return traveller, network


async def test_ada_connects_her_business(ada: AtPinterest) -> None:
    consent = await ada.connect("ada")
    assert (consent.subject.id, consent.subject.name, consent.subject.handle) == (ADA["id"], "Lantern Bakery", "lanternbakery")
    assert consent.subject.image.startswith("https://i.pinimg.com/")
    assert (consent.granted, consent.missing) == (ASKED, ())
    assert consent.tokens.access_expires_at == NOON + timedelta(days=30)
    assert consent.tokens.refresh_expires_at == NOON + timedelta(days=60)
    candidate = await ada.only(consent.tokens)
    assert (candidate.kind, candidate.external_id, candidate.id_scope) == (Kind.ACCOUNT, consent.subject.id, "global")
    assert candidate.verdict.usable
    # Her secret board is hers to see, not the app's.
    assert candidate.verdict.why == "Pins can go to 3 boards, 1 of them shared with it by others."
    assert [entry.person for entry in ada.world.ledger.read(what=What.CODE_REDEEMED)] == ["ada"]


async def test_a_personal_account_goes_by_its_username(ada: AtPinterest) -> None:
    assert (await ada.connect("ben")).subject.name == "benharbour"


async def test_an_account_without_boards_connects_with_a_remark(ada: AtPinterest) -> None:
    verdict = await ada.verdict("noor")
    assert (verdict.usable, verdict.code) == (True, "no_boards")
    assert "create one" in verdict.why


async def test_a_board_for_advertisements_is_not_counted(ada: AtPinterest) -> None:
    assert (await ada.verdict("cleo")).why == "Pins can go to 1 board."


async def test_many_boards_are_counted_page_by_page() -> None:
    pages = [
        Canned({"items": [{"id": "1", "owner": {"username": "lanternbakery"}}] * 250, "bookmark": "b1"}),
        Canned({"items": [{"id": "2"}] * 250, "bookmark": "b2"}),
        Canned({"items": [{"id": "3"}], "bookmark": None}),
    ]
    traveller, network = canned({BOARDS: pages})
    assert (await traveller.only()).verdict.why == "Pins can go to 501 boards."
    asked = [one.query for one in network.asked if one.path == BOARDS]
    assert [query.get("bookmark") for query in asked] == [None, "b1", "b2"]
    assert {query["page_size"] for query in asked} == {"250"}


async def test_bookmarks_that_never_end_are_not_followed_for_ever() -> None:
    endless = [Canned({"items": [{"id": str(number)}], "bookmark": f"b{number}"}) for number in range(50)]
    traveller, network = canned({BOARDS: endless})
    assert (await traveller.only()).verdict.why == "Pins can go to more than 10 boards."
    assert len([one for one in network.asked if one.path == BOARDS]) == 10


async def test_a_bookmark_that_repeats_itself_ends_the_list() -> None:
    traveller, network = canned({BOARDS: Canned({"items": [{"id": "1"}], "bookmark": "same"})})
    await traveller.only()
    assert len([one for one in network.asked if one.path == BOARDS]) == 2


@pytest.mark.parametrize(
    "boards", [Canned("down", 503), Canned({"code": 8, "message": "rate"}, 429), Canned("<html>"), Canned({"items": 5})]
)
async def test_boards_that_cannot_be_read_just_now_do_not_stop_a_connection(boards: Canned) -> None:
    traveller, _ = canned({BOARDS: boards})
    verdict = (await traveller.only()).verdict
    assert verdict.usable
    assert "could not be read" in verdict.why


async def test_a_token_that_dies_between_account_and_boards_is_dead() -> None:
    traveller, _ = canned({BOARDS: Canned({"code": 2, "message": "Authentication failed."}, 401)})
    with pytest.raises(Fault) as caught:
        await traveller.only()
    assert caught.value.kind is FaultKind.REVOKED


async def test_A22_fewer_permissions_than_asked_are_named() -> None:
    traveller = switched(withholds="pins:write boards:read")
    consent = await traveller.connect("ada")
    assert consent.missing == ("boards:read", "pins:write")
    verdict = (await traveller.only(consent.tokens)).verdict
    assert (verdict.usable, verdict.code, verdict.fix_by) == (False, "permission_missing", FixBy.PERSON)
    assert "pins:write" in verdict.why


async def test_A22_an_app_that_never_asks_to_pin_is_the_operators_to_mend() -> None:
    traveller = AtPinterest(fresh_world(), scopes=("user_accounts:read", "boards:read"))
    verdict = await traveller.verdict("ada")
    assert (verdict.code, verdict.fix_by) == ("permission_not_asked", FixBy.OPERATOR)


async def test_what_was_picked_is_examined_with_a_token_that_must_live(ada: AtPinterest) -> None:
    consent = await ada.connect("ada")
    picked = [Picked(Kind.ACCOUNT, consent.subject.id), Picked(Kind.ACCOUNT, "2783136121146310201")]
    own, other = await ada.adapter.derive(ada.call, consent.tokens, picked)
    assert own.candidate.verdict.usable
    assert own.token is None
    assert (other.candidate.verdict.usable, other.candidate.verdict.code) == (False, "other_account")
    # What a new password does at Pinterest.
    ada.world.authority("pinterest").revoke_grants("ada", PINTEREST_APP.client_id)
    with pytest.raises(Fault) as caught:
        await ada.adapter.derive(ada.call, consent.tokens, picked)
    assert caught.value.kind is FaultKind.REVOKED


async def test_a_declined_consent_is_no_fault(ada: AtPinterest) -> None:
    back = await ada.decide("ada", allow=False)
    assert back == {"error": "access_denied", "state": "the-state"}
    assert ada.adapter.refusal(back).kind is FaultKind.DECLINED


async def test_a_code_works_once(ada: AtPinterest) -> None:
    back = await ada.decide("ada")
    await ada.redeem(back["code"])
    with pytest.raises(Fault) as caught:
        await ada.redeem(back["code"])
    assert (caught.value.kind, caught.value.code) == (FaultKind.REFUSED, "283")


async def test_a_wrong_app_secret_is_the_operators_fault_and_not_a_dead_token() -> None:
    traveller = AtPinterest(fresh_world(), secret="not-the-secret")
    back = await traveller.decide("ada")
    with pytest.raises(Fault) as caught:
        await traveller.redeem(back["code"])
    assert (caught.value.kind, caught.value.code) == (FaultKind.MISCONFIGURED, "2")


async def test_an_app_of_any_age_gets_a_refresh_token_that_renews_itself() -> None:
    consent = await switched(before_september_2025=True).connect("ada")
    assert consent.tokens.refresh_expires_at == NOON + timedelta(days=60)


async def test_the_life_that_pinterest_names_is_the_one_that_counts() -> None:
    traveller, _ = canned({TOKEN: Canned(GRANT | {"expires_in": 86400, "refresh_token_expires_in": 31536000})})
    consent = await traveller.redeem("the-code")
    assert consent.tokens.access_expires_at == NOON + timedelta(days=1)
    assert consent.tokens.refresh_expires_at == NOON + timedelta(days=365)


async def test_E8_pinterest_offers_no_revocation_and_people_are_told_where_to_go(ada: AtPinterest) -> None:
    consent = await ada.connect("ada")
    assert await ada.adapter.revoke(ada.call, consent.tokens, "") is Revocation.UNSUPPORTED
    assert "https://www.pinterest.com/settings" in ada.adapter.remove_app


async def test_a_hostile_name_arrives_as_it_is(ada: AtPinterest) -> None:
    assert "<script>" in (await ada.connect("hedda")).subject.name


TRIAL = (
    "Apps with Trial access may not create Pins in production https://api.pinterest.com - "
    "use API Sandbox https://api-sandbox.pinterest.com instead."
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "code"),
    [
        (401, {"code": 2, "message": "Authentication failed."}, FaultKind.REVOKED, "2"),
        (401, {"code": 2, "message": "Authentication failed.", "status": "failure"}, FaultKind.REVOKED, "2"),
        (401, {"code": 3, "message": "Your token does not have sufficient permissions"}, FaultKind.PERMISSION, "3"),
        (401, {"code": 7, "message": "Not authorized to access board or Pin."}, FaultKind.PERMISSION, "7"),
        (401, {"code": 29, "message": "You are not permitted to access that resource."}, FaultKind.PERMISSION, "29"),
        (403, {"code": 29, "message": "You are not permitted to access that resource."}, FaultKind.PERMISSION, "29"),
        (403, {"code": 29, "message": TRIAL}, FaultKind.MISCONFIGURED, "29/trial"),
        (403, {"code": 403, "message": "Not authorized to access the user account."}, FaultKind.PERMISSION, "403"),
        (403, {"code": 2625, "message": "disapproved"}, FaultKind.BLOCKED, "2625"),
        (403, {"code": 2626, "message": "under review"}, FaultKind.BLOCKED, "2626"),
        (429, {"code": 8, "message": "This request exceeded a rate limit."}, FaultKind.THROTTLED, "8"),
        (429, {"code": 8, "message": "No.", "message_detail": "Spam detected"}, FaultKind.BLOCKED, "8/spam"),
        (429, {"code": 9, "message": "Sorry! You've hit a block (Pins)"}, FaultKind.BLOCKED, "9"),
        (429, "slow down", FaultKind.THROTTLED, "http_429"),
        (500, {"code": 500, "message": "Oops"}, FaultKind.TRANSIENT, "500"),
        (503, "<html>", FaultKind.TRANSIENT, "http_503"),
        (401, "<html>", FaultKind.UNINTELLIGIBLE, "http_401"),
        (401, {"code": 283, "message": "The authorization grant is invalid"}, FaultKind.UNINTELLIGIBLE, "283"),
        (401, {"code": 99, "message": "new"}, FaultKind.UNINTELLIGIBLE, "99"),
        (401, {"code": True}, FaultKind.UNINTELLIGIBLE, "http_401"),
        (200, {"username": "no id"}, FaultKind.UNINTELLIGIBLE, "no_id"),
        (200, "<html>", FaultKind.UNINTELLIGIBLE, "http_200"),
        (307, "", FaultKind.UNINTELLIGIBLE, "http_307"),
    ],
)
async def test_what_the_api_answers_is_told_apart(status: int, body: Any, kind: FaultKind, code: str) -> None:
    traveller, _ = canned({ACCOUNT: Canned(body, status)})
    with pytest.raises(Fault) as caught:
        await traveller.only()
    assert (caught.value.kind, caught.value.code) == (kind, code)


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (401, {"code": 283, "message": "The authorization grant is invalid"}, FaultKind.REFUSED),
        (401, {"code": 2, "message": "Authentication failed."}, FaultKind.MISCONFIGURED),
        (400, {"code": 1, "message": "Invalid request: …"}, FaultKind.MISCONFIGURED),
        (429, {}, FaultKind.THROTTLED),
        (503, {}, FaultKind.TRANSIENT),
        (401, {}, FaultKind.UNINTELLIGIBLE),
        (200, {}, FaultKind.UNINTELLIGIBLE),
    ],
)
async def test_what_the_token_endpoint_answers_is_told_apart(status: int, body: Any, kind: FaultKind) -> None:
    traveller, network = canned({TOKEN: Canned(body, status)})
    with pytest.raises(Fault) as caught:
        await traveller.redeem("the-code")
    assert caught.value.kind is kind
    assert len(network.asked) == 1


@pytest.mark.parametrize("reset", ["90", str(int(NOON.timestamp()) + 90)])
async def test_R17_a_limit_is_waited_for(reset: str) -> None:
    traveller, _ = canned({ACCOUNT: Canned({"code": 8, "message": "rate"}, 429, {"x-ratelimit-reset": reset})})
    with pytest.raises(Fault) as caught:
        await traveller.only()
    assert caught.value.retry_at == NOON + timedelta(seconds=90)


async def test_scopes_are_asked_with_commas_and_the_exchange_by_basic(ada: AtPinterest) -> None:
    assert "scope=user_accounts%3Aread%2Cboards%3Aread%2C" in ada.consent_page()
    traveller, network = canned({TOKEN: Canned(GRANT)})
    await traveller.redeem("the-code")
    sent = network.asked[0]
    assert sent.headers["authorization"].startswith("Basic ")
    assert sent.form["continuous_refresh"] == "true"
    assert "client_secret" not in sent.form


async def test_E5_secrets_travel_in_headers_and_bodies_and_stand_in_no_fault() -> None:
    traveller, network = canned({TOKEN: Canned(GRANT), ACCOUNT: Canned({"code": 2, "message": "the-access"}, 401)})
    with pytest.raises(Fault) as caught:
        await traveller.redeem("the-code")
    assert all(asked.query == {} for asked in network.asked)
    for secret in ("the-code", "the-access", "the-refresh"):
        assert secret not in f"{caught.value!r} {caught.value.detail}"
