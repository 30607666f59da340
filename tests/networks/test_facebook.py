"""Facebook: what Ada, Mona and the others find after their consent, and what is said when something is missing."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from hitchpost.errors import FixBy
from hitchpost.networks.adapters.facebook import Facebook
from hitchpost.networks.base import Candidate, Kind, Listing, Picked, Revocation
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost_sandbox.apps import META_APP, App
from hitchpost_sandbox.ledger import What
from tests.support.canned import Canned, CannedNetwork
from tests.support.trip import NOON, Traveller, fresh_world

BAKERY, BOOKS, ARCHIVE, EVENTS = (f"10175584776800{n}" for n in (1, 2, 3, 4))
ALL_SCOPES = Facebook.logins[0].scopes[""]


def traveller(*, secret: str = "", scopes: tuple[str, ...] = (), app: App = META_APP) -> Traveller:
    world = fresh_world()
    world.register(app)
    adapter = Facebook()
    return Traveller(world, adapter, adapter.logins[0], app, secret=secret, scopes=scopes)


def meta_app(**options: bool) -> App:
    return App("meta", META_APP.client_id, META_APP.client_secret, options=options)


async def found_by(
    person: str, trip: Traveller | None = None, *, scopes: list[str] | None = None, targets: list[str] | None = None
) -> Listing:
    trip = trip or traveller()
    consent = await trip.connect(person, scopes=scopes, targets=targets)
    return await trip.adapter.look(trip.call, consent.tokens)


def by_id(listing: Listing) -> dict[str, Candidate]:
    assert len({(one.kind, one.external_id) for one in listing.candidates}) == len(listing.candidates)
    return {one.external_id: one for one in listing.candidates}


def test_A12_the_consent_page_asks_what_the_facts_say() -> None:
    page = urlsplit(traveller().consent_page())
    assert page.path == "/www.facebook.com/v25.0/dialog/oauth"
    asked = parse_qs(page.query)
    assert asked["scope"] == ["pages_show_list,business_management,pages_manage_posts,pages_read_engagement"]
    assert asked["redirect_uri"] == ["http://127.0.0.1:8420/api/social-connect/callback/facebook"]
    assert set(asked) == {"client_id", "redirect_uri", "response_type", "scope", "state"}


def test_asking_again_makes_facebook_offer_what_was_declined() -> None:
    assert parse_qs(urlsplit(traveller().consent_page(again=True)).query)["auth_type"] == ["rerequest"]


async def test_ada_s_consent_is_a_long_token_of_her_own_with_what_she_granted() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    assert consent.subject.name == "Ada Lantern"
    assert consent.subject.id.isdecimal()
    assert consent.subject.image.startswith("https://scontent.xx.fbcdn.net/")
    assert consent.missing == ()
    assert consent.tokens.scopes == consent.granted == frozenset(ALL_SCOPES) | {"public_profile"}
    assert consent.tokens.access_expires_at == NOON + timedelta(seconds=5183944)
    assert consent.tokens.refresh is None
    assert trip.world.ledger.count(What.CODE_REDEEMED) == 1


async def test_ada_finds_her_pages_and_the_one_of_her_business_best_first() -> None:
    listing = await found_by("ada")
    pages = by_id(listing)
    assert set(pages) == {BAKERY, BOOKS, ARCHIVE, EVENTS}
    assert listing.candidates[-1].external_id == ARCHIVE
    assert listing.empty is None
    assert listing.remarks == ()
    bakery = pages[BAKERY]
    assert (bakery.kind, bakery.name, bakery.handle, bakery.id_scope) == (Kind.PAGE, "Lantern Bakery", "lanternbakery", "global")
    assert bakery.image.startswith("https://scontent.xx.fbcdn.net/")
    assert "CREATE_CONTENT" in bakery.tasks
    assert bakery.verdict.usable
    assert pages[BOOKS].handle == ""


async def test_a_page_where_ada_may_not_publish_is_shown_with_who_can_mend_it() -> None:
    verdict = by_id(await found_by("ada"))[ARCHIVE].verdict
    assert (verdict.usable, verdict.code, verdict.fix_by) == (False, "missing_task", FixBy.PERSON)
    assert "Lantern Archive" in verdict.why
    assert "full control" in verdict.how


async def test_a_page_of_the_new_experience_counts_by_its_own_words() -> None:
    assert all(one.verdict.usable for one in (await found_by("cleo")).candidates)


async def test_mona_s_sixty_pages_are_all_there_by_three_answers() -> None:
    trip = traveller()
    listing = await found_by("mona", trip)
    assert len(by_id(listing)) == 60
    assert listing.remarks == ()
    assert trip.world.ledger.count(What.CALL, path="/v25.0/me/accounts") == 3


async def test_hostile_names_come_through_as_they_are() -> None:
    names = {one.name for one in (await found_by("hedda")).candidates}
    assert any("<img" in name for name in names)


@pytest.mark.parametrize(("person", "targets"), [("noor", None), ("ada", [])])
async def test_who_shares_no_page_is_told_why_and_what_to_tick(person: str, targets: list[str] | None) -> None:
    listing = await found_by(person, targets=targets)
    assert listing.candidates == ()
    assert listing.empty is not None
    assert listing.empty.code == "no_pages"
    assert "business" in listing.empty.how


async def test_only_the_ticked_page_comes_back() -> None:
    assert set(by_id(await found_by("ada", targets=[f"page:{BOOKS}"]))) == {BOOKS}


async def test_A22_without_the_right_to_publish_every_page_is_shown_and_none_can_be_picked() -> None:
    trip = traveller()
    consent = await trip.connect("ada", scopes=["pages_show_list", "business_management", "pages_read_engagement"])
    assert consent.missing == ("pages_manage_posts",)
    listing = await trip.adapter.look(trip.call, consent.tokens)
    assert len(listing.candidates) == 4
    for one in listing.candidates:
        assert (one.verdict.usable, one.verdict.code) == (False, "permission_missing")
        assert "pages_manage_posts" in one.verdict.why
    (derived,) = await trip.adapter.derive(trip.call, consent.tokens, [Picked(Kind.PAGE, BAKERY)])
    assert not derived.candidate.verdict.usable
    assert derived.token is None


async def test_A22_what_was_declined_is_offered_again_only_when_asked_again() -> None:
    trip = traveller()
    without = [scope for scope in ALL_SCOPES if scope != "pages_manage_posts"]
    assert (await trip.connect("ada", scopes=without)).missing == ("pages_manage_posts",)
    assert (await trip.connect("ada")).missing == ("pages_manage_posts",)
    assert (await trip.connect("ada", again=True)).missing == ()


async def test_without_the_list_permission_the_empty_list_names_it() -> None:
    listing = await found_by("ada", scopes=["pages_manage_posts", "pages_read_engagement", "business_management"])
    assert listing.candidates == ()
    assert listing.empty is not None
    assert (listing.empty.code, "pages_show_list" in listing.empty.why) == ("permission_missing", True)


async def test_a_declined_business_permission_costs_its_pages_and_is_remarked() -> None:
    listing = await found_by("ada", scopes=["pages_show_list", "pages_manage_posts", "pages_read_engagement"])
    assert set(by_id(listing)) == {BAKERY, BOOKS, ARCHIVE}
    assert "business_management" in listing.remarks[0]
    assert listing.candidates[0].verdict.usable


async def test_scopes_that_the_operator_left_out_are_the_operator_s() -> None:
    trip = traveller(scopes=("pages_show_list",))
    listing = await found_by("ada", trip)
    assert {one.verdict.code for one in listing.candidates} == {"permission_not_asked"}
    assert {one.verdict.fix_by for one in listing.candidates} == {FixBy.OPERATOR}
    assert listing.remarks == ()


async def test_the_picked_pages_get_tokens_of_their_own_without_a_date() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    picked = [Picked(Kind.PAGE, EVENTS), Picked(Kind.PAGE, BAKERY)]
    derived = await trip.adapter.derive(trip.call, consent.tokens, picked)
    assert [one.candidate.external_id for one in derived] == [EVENTS, BAKERY]
    tokens = [one.token for one in derived]
    assert all(tokens)
    assert len({token.reveal() for token in tokens if token} | {consent.tokens.access.reveal()}) == 3
    issued = [token for token in trip.world.authority("meta").living() if token.kind == "page"]
    assert {token.expires_at for token in issued} == {None}


async def test_A18_a_page_that_is_not_hers_gives_no_token() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    derived = await trip.adapter.derive(trip.call, consent.tokens, [Picked(Kind.PAGE, "101755847768031"), Picked(Kind.PAGE, "1")])
    assert [(one.candidate.verdict.usable, one.token) for one in derived] == [(False, None), (False, None)]
    assert [one.candidate.external_id for one in derived] == ["101755847768031", "1"]


async def test_A15_a_code_works_once() -> None:
    trip = traveller()
    code = (await trip.decide("ada"))["code"]
    await trip.redeem(code)
    with pytest.raises(Fault) as caught:
        await trip.redeem(code)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REFUSED, "100/36009")


async def test_an_old_code_is_refused_and_so_is_another_redirect_uri() -> None:
    trip = traveller()
    code = (await trip.decide("ada"))["code"]
    trip.redirect_uri += "/"
    with pytest.raises(Fault) as caught:
        await trip.redeem(code)
    assert caught.value.code == "100/36008"
    trip.world.clock.forward(timedelta(hours=1))
    with pytest.raises(Fault) as caught:
        await trip.redeem(code)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REFUSED, "100/36007")


async def test_a_wrong_secret_or_app_is_the_operator_s() -> None:
    trip = traveller(secret="not the secret")
    code = (await trip.decide("ada"))["code"]
    with pytest.raises(Fault) as caught:
        await trip.redeem(code)
    assert caught.value.kind is FaultKind.MISCONFIGURED
    assert "not the secret" not in str(caught.value)


async def test_cancelling_brings_back_the_state_and_no_code() -> None:
    back = await traveller().decide("ada", allow=False)
    assert (back["error"], back["state"]) == ("access_denied", "the-state")
    assert "code" not in back


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        ({"error": "access_denied", "error_code": "200", "error_description": "Permissions error"}, FaultKind.DECLINED),
        ({"error_code": "200", "error_message": "Permissions error"}, FaultKind.DECLINED),
        ({"error_code": "2", "error_message": "Service temporarily unavailable"}, FaultKind.TRANSIENT),
        ({"error_code": "1349126", "error_message": "App Not Setup"}, FaultKind.UNINTELLIGIBLE),
        ({"error_code": "<b>", "error_message": "<script>"}, FaultKind.UNINTELLIGIBLE),
        ({"error": "invalid_scope"}, FaultKind.MISCONFIGURED),
        ({}, FaultKind.UNINTELLIGIBLE),
    ],
)
def test_A14_a_return_without_a_code_is_a_refusal_or_a_fault_and_never_its_own_text(answer: dict[str, str], kind: FaultKind) -> None:
    fault = Facebook().refusal(answer)
    assert fault.kind is kind
    assert "<" not in str(fault)


async def test_an_app_that_demands_proofs_gets_them() -> None:
    trip = traveller(app=meta_app(require_appsecret_proof=True))
    consent = await trip.connect("ada")
    assert by_id(await trip.adapter.look(trip.call, consent.tokens))[BAKERY].verdict.usable
    assert await trip.adapter.revoke(trip.call, consent.tokens, "") is Revocation.DONE


async def test_a_token_without_a_date_has_none() -> None:
    consent = await traveller(app=meta_app(tokens_without_date=True)).connect("ada")
    assert consent.tokens.access_expires_at is None


@pytest.mark.parametrize("bare", [True, False])
async def test_E8_taking_back_ends_every_token_and_twice_is_said(bare: bool) -> None:
    trip = traveller(app=meta_app(bare_true=bare))
    consent = await trip.connect("ada")
    await trip.adapter.look(trip.call, consent.tokens)
    assert await trip.adapter.revoke(trip.call, consent.tokens, "") is Revocation.DONE
    assert trip.world.authority("meta").living() == ()
    assert await trip.adapter.revoke(trip.call, consent.tokens, "") is Revocation.ALREADY_DEAD
    with pytest.raises(Fault) as caught:
        await trip.adapter.look(trip.call, consent.tokens)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REVOKED, "190/458")


async def test_an_expired_token_is_over() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    trip.world.clock.forward(timedelta(days=61))
    with pytest.raises(Fault) as caught:
        await trip.adapter.look(trip.call, consent.tokens)
    assert caught.value.code == "190/463"


async def test_E5_no_token_secret_or_code_stands_in_any_address() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    await trip.adapter.look(trip.call, consent.tokens)
    assert all("access_token=" not in str(entry.facts) for entry in trip.world.ledger.read())
    assert trip.world.ledger.count(What.CALL, path="/v25.0/oauth/access_token", method="POST") == 2
    assert trip.world.ledger.count(What.CALL, path="/v25.0/oauth/access_token", method="GET") == 0


GRAPH = "graph.facebook.com/v25.0"


async def test_an_html_answer_to_the_code_is_not_understood() -> None:
    trip = traveller()
    trip.answer_with(CannedNetwork({f"{GRAPH}/oauth/access_token": Canned("<html>Facebook</html>")}))
    with pytest.raises(Fault) as caught:
        await trip.redeem("AQx")
    assert caught.value.kind is FaultKind.UNINTELLIGIBLE


async def test_a_business_that_fails_costs_only_its_own_pages() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    page = {"id": "1", "name": "One", "tasks": ["CREATE_CONTENT"], "access_token": "EAAone"}
    trip.answer_with(
        CannedNetwork(
            {
                f"{GRAPH}/me/accounts": Canned({"data": [page]}),
                f"{GRAPH}/me/businesses": Canned({"data": [{"id": "7", "name": "Sour"}, {"id": "8", "name": "Sweet"}]}),
                f"{GRAPH}/7/owned_pages": Canned({"error": {"code": 200, "message": "(#200)"}}, 403),
                f"{GRAPH}/7/client_pages": Canned("<html>", 500),
                f"{GRAPH}/8/owned_pages": Canned({"data": [{"id": "1", "name": "One"}, {"id": "2", "name": "Two"}]}),
                f"{GRAPH}/8/client_pages": Canned({"data": []}),
            }
        )
    )
    listing = await trip.adapter.look(trip.call, consent.tokens)
    assert listing.remarks == ("The Pages of the business “Sour” could not be read.",)
    assert by_id(listing)["1"].verdict.usable
    two = by_id(listing)["2"].verdict
    assert (two.usable, two.code) == (False, "role_missing")


async def test_a_token_that_dies_during_the_look_is_not_taken_for_a_failing_business() -> None:
    trip = traveller()
    consent = await trip.connect("ada")
    trip.answer_with(
        CannedNetwork(
            {
                f"{GRAPH}/me/accounts": Canned({"data": []}),
                f"{GRAPH}/me/businesses": Canned({"error": {"code": 190, "error_subcode": 460, "message": ""}}, 400),
            }
        )
    )
    with pytest.raises(Fault) as caught:
        await trip.adapter.look(trip.call, consent.tokens)
    assert caught.value.kind is FaultKind.REVOKED
