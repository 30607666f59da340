"""Instagram by both logins: which accounts Ada and the others find, and what is said about those that cannot be connected."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from hitchpost.networks.adapters.instagram import Instagram
from hitchpost.networks.base import Candidate, Kind, Listing, Picked, Revocation
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost_sandbox.apps import INSTAGRAM_APP, META_APP, App
from tests.support.canned import Canned, CannedNetwork
from tests.support.trip import NOON, Traveller, fresh_world

THROUGH_FACEBOOK, DIRECT = Instagram.logins
BAKERY_PAGE, BOOKS_PAGE, EVENTS_PAGE = "101755847768001", "101755847768002", "101755847768004"
BAKERY, EVENTS = "17841400000000101", "17841400000000102"
GRAPH = "graph.facebook.com/v25.0"


def through_facebook() -> Traveller:
    return Traveller(fresh_world(), Instagram(), THROUGH_FACEBOOK, META_APP)


def direct(*, client_id: str = INSTAGRAM_APP.client_id, secret: str = "", **options: bool) -> Traveller:
    world = fresh_world()
    world.register(App("instagram", INSTAGRAM_APP.client_id, INSTAGRAM_APP.client_secret, options=options))
    app = App("instagram", client_id, INSTAGRAM_APP.client_secret)
    return Traveller(world, Instagram(), DIRECT, app, secret=secret)


async def found(trip: Traveller, person: str, *, scopes: list[str] | None = None, targets: list[str] | None = None) -> Listing:
    consent = await trip.connect(person, scopes=scopes, targets=targets)
    return await trip.adapter.look(trip.call, consent.tokens)


def by_key(listing: Listing) -> dict[tuple[Kind, str], Candidate]:
    keyed = {(one.kind, one.external_id): one for one in listing.candidates}
    assert len(keyed) == len(listing.candidates)
    return keyed


# Through Facebook


async def test_ada_finds_the_accounts_of_her_pages_each_once_though_two_lists_show_it() -> None:
    listing = await found(through_facebook(), "ada")
    usable = [one for one in listing.candidates if one.verdict.usable]
    assert {one.external_id: one.parent_id for one in usable} == {BAKERY: BAKERY_PAGE, EVENTS: EVENTS_PAGE}
    assert listing.candidates[: len(usable)] == tuple(usable)
    bakery = by_key(listing)[Kind.ACCOUNT, BAKERY]
    assert (bakery.name, bakery.handle, bakery.id_scope) == ("Lantern Bakery", "lantern.bakery", "global")
    assert bakery.image.startswith("https://scontent.cdninstagram.com/")


async def test_a_page_without_a_linked_account_is_shown_with_how_to_mend_it() -> None:
    page = by_key(await found(through_facebook(), "ada"))[Kind.PAGE, BOOKS_PAGE]
    assert (page.name, page.verdict.usable, page.verdict.code) == ("Lantern Books", False, "no_linked_account")
    assert "Linked accounts" in page.verdict.how


async def test_piet_s_personal_account_is_invisible_here_and_the_page_says_what_may_be_wrong() -> None:
    (page,) = (await found(through_facebook(), "piet")).candidates
    assert (page.kind, page.verdict.code) == (Kind.PAGE, "no_linked_account")
    assert "personal" in page.verdict.how


async def test_mona_s_branches_come_all_with_an_account_or_a_reason() -> None:
    keyed = by_key(await found(through_facebook(), "mona"))
    assert sum(kind is Kind.ACCOUNT for kind, _ in keyed) == 30
    assert sum(kind is Kind.PAGE for kind, _ in keyed) == 30


async def test_who_shares_no_page_is_told_what_to_tick() -> None:
    listing = await found(through_facebook(), "noor")
    assert listing.candidates == ()
    assert listing.empty is not None
    assert (listing.empty.code, "professional" in listing.empty.how) == ("no_linked_account", True)


async def test_an_account_that_was_not_ticked_is_said_to_be_missing() -> None:
    listing = await found(through_facebook(), "ada", targets=[f"page:{BAKERY_PAGE}"])
    assert [(one.kind, one.verdict.code) for one in listing.candidates] == [(Kind.PAGE, "no_linked_account")]


async def test_A22_without_the_right_to_publish_no_account_can_be_picked() -> None:
    trip = through_facebook()
    granted = [scope for scope in THROUGH_FACEBOOK.scopes[""] if scope != "instagram_content_publish"]
    consent = await trip.connect("ada", scopes=granted)
    assert consent.missing == ("instagram_content_publish",)
    accounts = [one for one in (await trip.adapter.look(trip.call, consent.tokens)).candidates if one.kind is Kind.ACCOUNT]
    assert {one.verdict.code for one in accounts} == {"permission_missing"}


async def test_without_the_right_to_see_accounts_the_empty_list_names_it() -> None:
    granted = [scope for scope in THROUGH_FACEBOOK.scopes[""] if scope != "instagram_basic"]
    listing = await found(through_facebook(), "ada", scopes=granted)
    assert listing.empty is not None
    assert "instagram_basic" in listing.empty.why


async def test_the_picked_account_acts_with_its_page_s_token() -> None:
    trip = through_facebook()
    consent = await trip.connect("ada")
    (derived,) = await trip.adapter.derive(trip.call, consent.tokens, [Picked(Kind.ACCOUNT, EVENTS, EVENTS_PAGE)])
    assert derived.candidate.handle == "lantern.events"
    assert derived.token is not None
    token = trip.world.authority("meta").find(derived.token.reveal())
    assert (token.kind, token.subject, token.expires_at) == ("page", EVENTS_PAGE, None)


async def test_A18_an_account_that_is_not_behind_that_page_gives_no_token() -> None:
    trip = through_facebook()
    consent = await trip.connect("ada")
    foreign = [Picked(Kind.ACCOUNT, EVENTS, BAKERY_PAGE), Picked(Kind.ACCOUNT, "17841400000000301", "101755847768031")]
    derived = await trip.adapter.derive(trip.call, consent.tokens, foreign)
    assert [(one.candidate.verdict.code, one.token) for one in derived] == [("not_visible", None)] * 2


async def test_facebook_and_instagram_of_one_app_are_one_login() -> None:
    trip = through_facebook()
    consent = await trip.connect("ada")
    assert await trip.adapter.revoke(trip.call, consent.tokens, "") is Revocation.DONE
    assert trip.world.authority("meta").living() == ()


async def test_one_account_behind_two_pages_is_offered_once_and_usable() -> None:
    trip = through_facebook()
    consent = await trip.connect("ada")
    account = {"id": "17841499", "username": "one.account"}
    no_role = {"id": "1", "name": "No role", "tasks": ["ANALYZE"], "access_token": "EAA1", "instagram_business_account": account}
    role = {"id": "2", "name": "Role", "tasks": ["MANAGE"], "access_token": "EAA2", "instagram_business_account": account}
    lists = {f"{GRAPH}/me/accounts": Canned({"data": [no_role, role]}), f"{GRAPH}/me/businesses": Canned({"data": []})}
    trip.answer_with(CannedNetwork(lists))
    (only,) = (await trip.adapter.look(trip.call, consent.tokens)).candidates
    assert (only.parent_id, only.verdict.usable, only.name) == ("2", True, "one.account")


async def test_an_account_of_which_only_the_id_came_is_asked_for_its_name() -> None:
    trip = through_facebook()
    consent = await trip.connect("ada")
    pages = [
        {"id": str(n), "name": "Page", "tasks": ["MANAGE"], "access_token": "EAA", "instagram_business_account": {"id": f"1784149{n}"}}
        for n in (1, 2)
    ]
    lists = {
        f"{GRAPH}/me/accounts": Canned({"data": pages}),
        f"{GRAPH}/me/businesses": Canned({"data": []}),
        f"{GRAPH}/17841491": Canned({"id": "17841491", "username": "first"}),
        f"{GRAPH}/17841492": Canned({"error": {"code": 100, "error_subcode": 33, "message": "Unsupported get request."}}, 400),
    }
    trip.answer_with(CannedNetwork(lists))
    first, second = (await trip.adapter.look(trip.call, consent.tokens)).candidates
    assert (first.handle, first.verdict.usable) == ("first", True)
    assert (second.external_id, second.verdict.code) == ("17841492", "not_visible")


# Through Instagram


def test_A12_instagram_s_consent_page_asks_what_the_facts_say() -> None:
    page = urlsplit(direct().consent_page())
    assert page.path == "/www.instagram.com/oauth/authorize"
    asked = parse_qs(page.query)
    assert asked["scope"] == ["instagram_business_basic,instagram_business_content_publish"]
    assert set(asked) == {"client_id", "redirect_uri", "response_type", "scope", "state"}
    assert parse_qs(urlsplit(direct().consent_page(again=True)).query)["force_reauth"] == ["true"]


@pytest.mark.parametrize("wrapped", [False, True])
async def test_both_shapes_of_instagram_s_answers_mean_the_same(wrapped: bool) -> None:
    trip = direct(wrapped_answers=wrapped)
    consent = await trip.connect("ada")
    assert int(consent.subject.id) > 2**53
    assert (consent.subject.name, consent.subject.handle) == ("Lantern Bakery", "lantern.bakery")
    assert consent.tokens.access_expires_at == NOON + timedelta(seconds=5183944)
    assert consent.granted == frozenset(DIRECT.scopes[""])
    assert consent.missing == ()
    (account,) = (await trip.adapter.look(trip.call, consent.tokens)).candidates
    assert (account.kind, account.external_id, account.id_scope, account.parent_id) == (Kind.ACCOUNT, BAKERY, "global", "")
    assert account.verdict.usable
    (derived,) = await trip.adapter.derive(trip.call, consent.tokens, [Picked(Kind.ACCOUNT, BAKERY)])
    assert (derived.candidate, derived.token) == (account, None)


async def test_A24_both_logins_name_one_account_by_one_id() -> None:
    (account,) = (await found(direct(), "ada")).candidates
    assert (account.kind, account.external_id) in by_key(await found(through_facebook(), "ada"))


@pytest.mark.parametrize("said_as_type", [False, True])
async def test_piet_s_personal_account_is_shown_with_how_to_make_it_professional(said_as_type: bool) -> None:
    trip = direct(personal_as_type=said_as_type)
    consent = await trip.connect("piet")
    assert consent.subject.id.isdecimal()
    (account,) = (await trip.adapter.look(trip.call, consent.tokens)).candidates
    assert (account.verdict.usable, account.verdict.code) == (False, "personal_account")
    assert "Instagram app" in account.verdict.how


async def test_A22_an_unticked_permission_is_named() -> None:
    trip = direct()
    consent = await trip.connect("ada", scopes=["instagram_business_basic"])
    assert consent.missing == ("instagram_business_content_publish",)
    (account,) = (await trip.adapter.look(trip.call, consent.tokens)).candidates
    assert (account.verdict.code, "instagram_business_content_publish" in account.verdict.why) == ("permission_missing", True)


async def test_A18_only_the_account_that_consented_can_be_picked() -> None:
    trip = direct()
    consent = await trip.connect("ada")
    (derived,) = await trip.adapter.derive(trip.call, consent.tokens, [Picked(Kind.ACCOUNT, "17841400000000301")])
    assert (derived.candidate.verdict.usable, derived.token) == (False, None)


async def test_A15_a_code_works_once_here_too() -> None:
    trip = direct()
    code = (await trip.decide("ada"))["code"]
    await trip.redeem(code)
    with pytest.raises(Fault) as caught:
        await trip.redeem(code)
    assert caught.value.kind is FaultKind.REFUSED


@pytest.mark.parametrize(("client_id", "secret"), [(META_APP.client_id, ""), (INSTAGRAM_APP.client_id, "wrong")])
async def test_the_meta_app_s_credentials_or_a_wrong_secret_are_the_operator_s(client_id: str, secret: str) -> None:
    trip = direct(client_id=client_id, secret=secret)
    with pytest.raises(Fault) as caught:
        await trip.redeem("AQx")
    assert caught.value.kind is FaultKind.MISCONFIGURED
    assert caught.value.code in ("400/platform_app", "400/client_secret")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (Canned("<html>Instagram</html>"), FaultKind.UNINTELLIGIBLE),
        (Canned("<html>Instagram</html>", 503), FaultKind.TRANSIENT),
        (Canned({"error_type": "OAuthException", "code": 500, "error_message": "IGAAcanary"}, 500), FaultKind.TRANSIENT),
        (Canned({"error_type": "OAuthException", "code": 400, "error_message": "IGAAcanary"}, 400), FaultKind.REFUSED),
        (Canned({"access_token": "IGAA", "permissions": []}), FaultKind.UNINTELLIGIBLE),
        (Canned({"data": []}), FaultKind.UNINTELLIGIBLE),
    ],
)
async def test_an_odd_answer_to_the_code_is_judged_and_not_repeated(answer: Canned, kind: FaultKind) -> None:
    trip = direct()
    trip.answer_with(CannedNetwork({"api.instagram.com/oauth/access_token": answer}))
    with pytest.raises(Fault) as caught:
        await trip.redeem("AQx")
    assert caught.value.kind is kind
    assert "IGAAcanary" not in f"{caught.value} {caught.value.code} {caught.value.detail}"


async def test_cancelling_brings_back_instagram_s_own_words() -> None:
    back = await direct().decide("ada", allow=False)
    assert back == {
        "error": "access_denied",
        "error_reason": "user_denied",
        "error_description": "The user denied your request",
        "state": "the-state",
    }


def test_who_is_no_tester_of_an_unreviewed_app_is_sent_to_the_operator() -> None:
    back = {"error": "access_denied", "error_description": "Insufficient developer role"}
    fault = Instagram().refusal(back)
    assert fault is not None
    assert fault.kind is FaultKind.MISCONFIGURED
    assert Instagram().refusal({"error": "access_denied", "error_description": "The user denied your request"}).kind is FaultKind.DECLINED
    assert Instagram().refusal({"error_code": "200", "error_message": "Permissions error"}).kind is FaultKind.DECLINED


async def test_E8_instagram_offers_no_way_to_take_access_back() -> None:
    trip = direct()
    consent = await trip.connect("ada")
    assert await trip.adapter.revoke(trip.call, consent.tokens, "") is Revocation.UNSUPPORTED
    assert "instagram.com" in Instagram.remove_app


async def test_E5_the_token_goes_in_a_header_where_instagram_allows_it() -> None:
    trip = direct()
    consent = await trip.connect("ada")
    network = CannedNetwork({"graph.instagram.com/v25.0/me": Canned({"id": "1", "user_id": "17841400000000101"})})
    trip.answer_with(network)
    await trip.adapter.look(trip.call, consent.tokens)
    (asked,) = network.asked
    assert consent.tokens.access.reveal() not in str(asked.query)
    assert asked.headers["authorization"] == f"Bearer {consent.tokens.access.reveal()}"
