"""The LinkedIn adapter against LinkedIn's twin, and against prepared answers where no twin would be so odd."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2
import pytest

from hitchpost.errors import FixBy
from hitchpost.networks import restli
from hitchpost.networks.adapters.linkedin import LinkedIn
from hitchpost.networks.base import AppCredentials, Call, Consent, Kind, Login, Picked, Revocation, TokenSet
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from hitchpost_sandbox.app import Sandbox, build
from hitchpost_sandbox.apps import LINKEDIN_ALL_APP, LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, App, Option
from hitchpost_sandbox.clock import SandboxClock
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.people import Cast, LinkedInMember, Organization, OrganizationRole, Person
from hitchpost_sandbox.world import World
from tests.support.canned import Canned, CannedNetwork

BACK = "http://127.0.0.1:8420/api/social-connect/callback/linkedin"
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
MEMBER, PAGES = LinkedIn.logins
API = "api.linkedin.com"
INTROSPECTION = "www.linkedin.com/oauth/v2/introspectToken"


class LinkedInTown:
    """A person's browser, the adapter and the simulated LinkedIn, around one world. Pausing moves the world's clock."""

    def __init__(self, app: App, login: Login, cast: Cast | None = None, **options: Option) -> None:
        clock = SandboxClock(NOW)
        self.world = World(clock=clock) if cast is None else World(clock=clock, cast=cast)
        self.app = replace(app, options=options)
        self.world.register(self.app)
        self.login = login
        self.paused: list[float] = []
        self.adapter = LinkedIn(self._pause)
        self._sandbox: Sandbox = build(self.world)
        self._http = NetworkHttp(at="http://sandbox.test", transport=httpx2.ASGITransport(self._sandbox))

    async def _pause(self, seconds: float) -> None:
        self.paused.append(seconds)
        self.world.clock.forward(timedelta(seconds=seconds))

    def call(self, **changes: Any) -> Call:
        credentials = AppCredentials("capp", self.app.client_id, Secret(self.app.client_secret), self.app.variant)
        return Call(self._http, replace(credentials, **changes), self.login, self.world.clock.now())

    async def answer(self, person: str = "ada", decision: str = "allow", **changes: Any) -> dict[str, str]:
        """What the browser brings back from the consent page."""
        url = self.adapter.authorize_url(self.call(**changes), state="s", redirect_uri=BACK, challenge="unused", again=False)
        async with httpx2.AsyncClient(transport=httpx2.ASGITransport(self._sandbox)) as browser:
            sent = await browser.post(url, data={"person": person, "decision": decision})
        return {name: values[0] for name, values in parse_qs(urlsplit(sent.headers["location"]).query).items()}

    async def exchange(self, code: str, **changes: Any) -> Consent:
        verifier = Secret("v" * 64)
        return await self.adapter.exchange(self.call(**changes), code=Secret(code), redirect_uri=BACK, verifier=verifier)

    async def connect(self, person: str = "ada", **changes: Any) -> Consent:
        return await self.exchange((await self.answer(person, **changes))["code"], **changes)


def member_town(**options: Option) -> LinkedInTown:
    return LinkedInTown(LINKEDIN_MEMBER_APP, MEMBER, None, **options)


def pages_town(cast: Cast | None = None, **options: Option) -> LinkedInTown:
    return LinkedInTown(LINKEDIN_PAGES_APP, PAGES, cast, **options)


def cast_of(*roles: OrganizationRole) -> Cast:
    return Cast((Person("ada", "Ada Lantern", "ada@lantern.example", linkedin=LinkedInMember("ada", "Ada", "Lantern", roles=roles)),))


# Consent.


@pytest.mark.parametrize("app", [LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, LINKEDIN_ALL_APP], ids=lambda app: app.variant)
@pytest.mark.parametrize("login", [MEMBER, PAGES], ids=lambda login: login.key)
async def test_every_shape_of_app_tells_who_consented_and_what_was_granted(app: App, login: Login) -> None:
    consent = await LinkedInTown(app, login, verifier_breaks=True).connect()
    assert consent.subject.name == "Ada Lantern"
    assert consent.subject.image.startswith("https://media.licdn.com/")
    assert consent.granted == frozenset(login.scopes[app.variant])
    assert consent.missing == ()
    assert consent.tokens.access_expires_at == NOW + timedelta(seconds=5183999)
    assert consent.tokens.refresh is None


def test_an_app_asks_for_its_variants_scopes_and_each_login_has_its_own_first_one() -> None:
    assert (MEMBER.variants[0], PAGES.variants[0]) == ("A", "B")
    assert set(MEMBER.variants) == set(PAGES.variants) == set(MEMBER.scopes)
    assert MEMBER.asked(AppCredentials("c", "77", Secret("s"))) == MEMBER.scopes["A"]
    assert PAGES.asked(AppCredentials("c", "86", Secret("s"))) == PAGES.scopes["B"]


def test_A9_pkce_is_not_sent_where_it_breaks() -> None:
    town = member_town()
    url = town.adapter.authorize_url(town.call(), state="s", redirect_uri=BACK, challenge="c", again=True)
    query = parse_qs(urlsplit(url).query)
    assert urlsplit(url).path == "/www.linkedin.com/oauth/v2/authorization"
    assert set(query) == {"client_id", "redirect_uri", "response_type", "scope", "state"}
    assert query["scope"] == ["openid profile email w_member_social"]


async def test_scopes_are_read_with_commas_and_with_spaces() -> None:
    consent = await member_town(space_scopes=True).connect()
    assert consent.granted == frozenset(MEMBER.scopes["A"])


async def test_a_refresh_token_is_kept_when_linkedin_gives_one() -> None:
    tokens = (await pages_town(refresh_tokens=True).connect()).tokens
    assert tokens.refresh is not None
    assert tokens.refresh_expires_at == NOW + timedelta(days=365)


async def test_a_fresh_token_that_is_called_revoked_is_tried_again_after_a_pause() -> None:
    town = member_town(settles_after=5)
    assert (await town.connect()).subject.name == "Ada Lantern"
    assert town.paused == [2.0, 4.0]


async def test_A22_a_token_that_never_settles_is_linkedins_trouble_and_not_a_revocation() -> None:
    town = member_town(settles_after=60)
    with pytest.raises(Fault) as caught:
        await town.connect()
    assert (caught.value.kind, caught.value.code) == (FaultKind.TRANSIENT, "65601")
    assert town.paused == [2.0, 4.0, 6.0]


# Refusals at the consent page.


@pytest.mark.parametrize("at_sign_in", [False, True])
async def test_cancelling_is_no_fault(at_sign_in: bool) -> None:
    town = member_town(cancels_at_sign_in=at_sign_in)
    assert town.adapter.refusal(await town.answer(decision="deny")).kind is FaultKind.DECLINED


async def test_a_missing_product_is_the_operators_to_add_and_is_named() -> None:
    town = pages_town()
    fault = town.adapter.refusal(await town.answer(variant="A"))
    assert fault is not None
    assert fault.kind is FaultKind.MISCONFIGURED
    assert fault.detail == "it lacks the product “Sign In with LinkedIn using OpenID Connect”, which carries the permission openid"


def test_A14_nothing_of_a_description_is_repeated_but_a_scope_of_ours() -> None:
    answer = {"error": "invalid_scope_error", "error_description": "Scope &quot;<script>&quot; is not authorized"}
    fault = LinkedIn().refusal(answer)
    assert fault is not None
    assert fault.detail == "it lacks a product that carries one of the permissions asked for"
    assert "script" not in str(LinkedIn().refusal({"error": "<script>", "error_description": "<script>"}))


# Refusals at the token endpoint.


async def test_a_code_that_was_used_expired_or_belongs_elsewhere_is_refused() -> None:
    town = member_town()
    code = (await town.answer())["code"]
    await town.exchange(code)
    late = (await town.answer())["code"]
    town.world.clock.forward(timedelta(minutes=30))
    for spent in (code, late, "AQnothing"):
        with pytest.raises(Fault) as caught:
            await town.exchange(spent)
        assert caught.value.kind is FaultKind.REFUSED
    assert town.world.ledger.count(What.CODE_REFUSED, network="linkedin") == 3


async def test_an_older_wording_of_an_expired_code_is_understood() -> None:
    town = member_town(old_code_words=True)
    code = (await town.answer())["code"]
    town.world.clock.forward(timedelta(minutes=30))
    with pytest.raises(Fault) as caught:
        await town.exchange(code)
    assert caught.value.kind is FaultKind.REFUSED


async def test_a_wrong_client_secret_is_the_operators_fault() -> None:
    town = member_town()
    with pytest.raises(Fault) as caught:
        await town.connect(client_secret=Secret("wrong"))
    assert (caught.value.kind, caught.value.code) == (FaultKind.MISCONFIGURED, "invalid_client")


# The look.


async def test_a_member_app_offers_the_person_alone() -> None:
    town = member_town()
    listing = await town.adapter.look(town.call(), (await town.connect()).tokens)
    (ada,) = listing.candidates
    assert (ada.kind, ada.name, ada.id_scope, ada.verdict.usable) == (Kind.PERSON, "Ada Lantern", "app", True)
    assert (listing.empty, listing.remarks) == (None, ())


async def test_a_pages_app_offers_the_person_then_usable_pages_then_the_rest_with_the_role_found() -> None:
    town = pages_town()
    ada, labs, ltd, trust = (await town.adapter.look(town.call(), (await town.connect()).tokens)).candidates
    assert (ada.kind, ada.handle) == (Kind.PERSON, "ada-lantern")
    assert (labs.name, labs.handle, labs.tasks, labs.verdict.code) == ("Lantern Labs", "lantern-labs", ("CONTENT_ADMINISTRATOR",), "ok")
    assert (ltd.kind, ltd.external_id, ltd.id_scope, ltd.verdict.code) == (Kind.ORGANIZATION, "7700101", "global", "ok")
    assert ltd.image.startswith("https://media.licdn.com/")
    assert labs.image == ""
    assert (trust.name, trust.verdict.usable, trust.verdict.code) == ("Harbour Trust", False, "role_missing")
    assert "(analyst)" in trust.verdict.why
    assert "super admin" in trust.verdict.how


async def test_an_app_for_everything_offers_the_same_from_either_slot() -> None:
    for login in (MEMBER, PAGES):
        town = LinkedInTown(LINKEDIN_ALL_APP, login)
        listing = await town.adapter.look(town.call(), (await town.connect()).tokens)
        assert [one.name for one in listing.candidates] == ["Ada Lantern", "Lantern Labs", "Lantern Ltd", "Harbour Trust"]


async def test_somebody_without_pages_is_told_so_and_can_still_connect_themselves() -> None:
    town = pages_town()
    listing = await town.adapter.look(town.call(), (await town.connect("noor")).tokens)
    assert [one.kind for one in listing.candidates] == [Kind.PERSON]
    assert "lists no page on which you have a role" in listing.remarks[0]


async def test_a_list_of_several_pages_is_read_to_its_end() -> None:
    town = pages_town(max_count=5)
    listing = await town.adapter.look(town.call(), (await town.connect("mona")).tokens)
    pages = [one for one in listing.candidates if one.kind is Kind.ORGANIZATION]
    assert [page.name for page in pages] == [f"Branch {number:02d} Ltd" for number in range(1, 15)]
    assert len(town.world.ledger.read(what=What.CALL, path="/rest/organizationAcls")) == 3


async def test_several_roles_on_one_page_make_one_candidate() -> None:
    town = pages_town()
    listing = await town.adapter.look(town.call(), (await town.connect("cleo")).tokens)
    _, quill, old = listing.candidates
    assert (quill.name, quill.tasks, quill.verdict.usable) == ("Quill & Ink", ("ADMINISTRATOR", "CONTENT_ADMINISTRATOR"), True)
    assert (old.name, old.tasks, old.verdict.code) == ("Old Quill", ("ADMINISTRATOR (REVOKED)",), "role_revoked")


@pytest.mark.parametrize(
    ("role", "state", "code"),
    [
        ("ADMINISTRATOR", "APPROVED", "ok"),
        ("CONTENT_ADMINISTRATOR", "APPROVED", "ok"),
        ("CONTENT_ADMIN", "APPROVED", "ok"),
        ("DIRECT_SPONSORED_CONTENT_POSTER", "APPROVED", "ok"),
        ("ANALYST", "APPROVED", "role_missing"),
        ("CURATOR", "APPROVED", "role_missing"),
        ("RECRUITING_POSTER", "APPROVED", "role_missing"),
        ("LEAD_GEN_FORMS_MANAGER", "APPROVED", "role_missing"),
        ("SOMETHING_NEW", "APPROVED", "role_missing"),
        ("ADMINISTRATOR", "REQUESTED", "role_requested"),
        ("ADMINISTRATOR", "REJECTED", "role_revoked"),
        ("ADMINISTRATOR", "REVOKED", "role_revoked"),
    ],
)
async def test_a_role_decides_whether_a_page_can_be_used(role: str, state: str, code: str) -> None:
    town = pages_town(cast_of(OrganizationRole(Organization(1000001, "Example Bakery", "example-bakery"), role, state)))
    _, page = (await town.adapter.look(town.call(), (await town.connect()).tokens)).candidates
    assert (page.verdict.code, page.verdict.usable, page.name) == (code, code == "ok", "Example Bakery")


async def test_a_name_that_cannot_be_read_hides_no_page() -> None:
    town = pages_town(development_tier=True)
    listing = await town.adapter.look(town.call(), (await town.connect()).tokens)
    assert [one.name for one in listing.candidates][1:] == [
        "Lantern Ltd",
        "Page 7700102 (name not readable)",
        "Page 7700103 (name not readable)",
    ]
    assert [one.verdict.usable for one in listing.candidates] == [True, True, True, False]


async def test_a_revoked_row_that_forbids_the_whole_list_does_not_hide_the_approved_ones() -> None:
    town = pages_town(
        cast_of(
            OrganizationRole(Organization(1000001, "Example Bakery", "example-bakery")),
            OrganizationRole(Organization(1000002, "Old Bakery", "old-bakery"), state="REVOKED"),
        ),
        revoked_row_forbids=True,
    )
    listing = await town.adapter.look(town.call(), (await town.connect()).tokens)
    assert [one.name for one in listing.candidates] == ["Ada Lantern", "Example Bakery"]


async def test_B6_names_stay_what_they_are_and_do_no_harm() -> None:
    town = pages_town()
    hedda, *pages = (await town.adapter.look(town.call(), (await town.connect("hedda")).tokens)).candidates
    assert "<script>" in hedda.name
    assert all(page.verdict.usable for page in pages)


async def test_A22_a_scope_that_was_not_granted_makes_its_candidates_unusable_and_names_the_operator() -> None:
    town = pages_town()
    fewer = ("r_basicprofile", "rw_organization_admin", "w_member_social")
    ada, page, *_ = (await town.adapter.look(town.call(scopes=fewer), (await town.connect(scopes=fewer)).tokens)).candidates
    assert ada.verdict.usable
    assert (page.verdict.code, page.verdict.fix_by) == ("permission_missing", FixBy.OPERATOR)
    assert "w_organization_social" in page.verdict.why


async def test_A22_a_sign_in_app_that_may_not_share_offers_the_person_unusable() -> None:
    town = member_town()
    fewer = ("openid", "profile")
    (ada,) = (await town.adapter.look(town.call(scopes=fewer), (await town.connect(scopes=fewer)).tokens)).candidates
    assert (ada.verdict.usable, ada.verdict.code) == (False, "permission_missing")
    assert "Share on LinkedIn" in ada.verdict.how


async def test_a_revoked_token_ends_the_look_when_introspection_confirms_it() -> None:
    town = member_town()
    tokens = (await town.connect()).tokens
    town.world.authority("linkedin").revoke_grants("ada", town.app.client_id)
    with pytest.raises(Fault) as caught:
        await town.adapter.look(town.call(), tokens)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REVOKED, "65601")


async def test_an_expired_token_ends_the_look() -> None:
    town = member_town()
    tokens = (await town.connect()).tokens
    town.world.clock.forward(timedelta(days=60))
    with pytest.raises(Fault) as caught:
        await town.adapter.look(town.call(), tokens)
    assert (caught.value.kind, caught.value.code) == (FaultKind.REVOKED, "65602")


async def test_a_closed_version_is_the_operators_fault_and_never_the_persons() -> None:
    town = pages_town()
    tokens = (await town.connect()).tokens
    with pytest.raises(Fault) as caught:
        await town.adapter.look(town.call(version="202511"), tokens)
    assert (caught.value.kind, caught.value.code) == (FaultKind.MISCONFIGURED, "NONEXISTENT_VERSION")


async def test_a_spent_day_ends_at_midnight_utc() -> None:
    town = pages_town(member_calls=2)
    tokens = (await town.connect()).tokens
    with pytest.raises(Fault) as caught:
        await town.adapter.look(town.call(), tokens)
    assert caught.value.kind is FaultKind.THROTTLED
    assert caught.value.retry_at == datetime(2026, 11, 25, tzinfo=UTC)


# The choice.


async def test_what_was_picked_is_examined_again_and_the_grants_token_acts() -> None:
    town = pages_town()
    consent = await town.connect()
    picked = [Picked(Kind.ORGANIZATION, "7700101"), Picked(Kind.PERSON, consent.subject.id), Picked(Kind.ORGANIZATION, "7700103")]
    ltd, ada, trust = await town.adapter.derive(town.call(), consent.tokens, picked)
    assert (ltd.candidate.name, ltd.candidate.verdict.usable, ltd.token) == ("Lantern Ltd", True, None)
    assert (ada.candidate.name, ada.candidate.verdict.usable, ada.token) == ("Ada Lantern", True, None)
    assert (trust.candidate.name, trust.candidate.verdict.code) == ("Harbour Trust", "role_missing")


async def test_A18_a_page_whose_role_is_gone_and_another_person_cannot_be_attached() -> None:
    town = pages_town()
    tokens = (await town.connect()).tokens
    picked = [Picked(Kind.ORGANIZATION, "7700201"), Picked(Kind.PERSON, "s0mebody3l")]
    cafe, other = await town.adapter.derive(town.call(), tokens, picked)
    assert (cafe.candidate.verdict.usable, cafe.candidate.verdict.code) == (False, "not_visible")
    assert (other.candidate.verdict.usable, other.candidate.id_scope) == (False, "app")


# Taking back.


async def test_E8_revoking_ends_every_token_and_a_dead_one_counts_as_done() -> None:
    town = pages_town(refresh_tokens=True)
    tokens = (await town.connect()).tokens
    assert await town.adapter.revoke(town.call(), tokens, "") is Revocation.DONE
    assert town.world.authority("linkedin").living(person="ada") == ()
    assert await town.adapter.revoke(town.call(), tokens, "") is Revocation.DONE


async def test_a_refusal_to_revoke_is_believed_only_when_the_token_is_dead() -> None:
    refused = Canned({"error": "invalid_request", "error_description": "no"}, 400)
    tokens = TokenSet(Secret("AQXcanary"))
    town = member_town()
    for active in (False, True):
        network = CannedNetwork({"www.linkedin.com/oauth/v2/revoke": refused, INTROSPECTION: Canned({"active": active})})
        call = replace(town.call(), http=network.http())
        if active:
            with pytest.raises(Fault):
                await town.adapter.revoke(call, tokens, "")
        else:
            assert await town.adapter.revoke(call, tokens, "") is Revocation.ALREADY_DEAD


# Odd answers.


def call_to(network: CannedNetwork, login: Login = PAGES, variant: str = "C") -> Call:
    return Call(network.http(), AppCredentials("capp", "86", Secret("shhh"), variant), login, NOW)


@pytest.mark.parametrize("key", ["organization", "organizationTarget", "organizationalTarget"])
async def test_rows_are_read_whatever_they_call_their_organization(key: str) -> None:
    rows: list[dict[str, str]] = [
        {"role": "ADMINISTRATOR", "state": "APPROVED", key: "urn:li:organization:1000001"},
        {"role": "ADMINISTRATOR", "state": "APPROVED", key: "urn:li:organizationBrand:1000002"},
        {"role": "ADMINISTRATOR", "state": "APPROVED", key: "urn:li:school:3"},
    ]
    network = CannedNetwork(
        {
            f"{API}/v2/userinfo": Canned({"sub": "p3rs0nId01", "given_name": "Ada"}),
            f"{API}/rest/organizationAcls": Canned({"elements": rows, "paging": {"start": 0, "count": 10}}),
            f"{API}/rest/organizations/1000001": Canned(
                {"id": 1000001, "localizedName": "Example Bakery", "logoV2": {"cropped": "urn:li:digitalmediaAsset:D4"}}
            ),
            f"{API}/rest/organizations/1000002": Canned({"status": 404, "code": "NOT_FOUND"}, 404),
            f"{API}/rest/organizationsLookup": Canned({"results": {"1000002": {"localizedName": "Example Brand"}}}),
            f"{API}/rest/images/urn:li:image:D4": Canned("<html>", 502),
        }
    )
    listing = await LinkedIn().look(call_to(network), TokenSet(Secret("AQXcanary")))
    assert [(one.name, one.image, one.verdict.usable) for one in listing.candidates] == [
        ("Ada", "", True),
        ("Example Bakery", "", True),
        ("Example Brand", "", True),
    ]
    assert listing.remarks == ("LinkedIn lists something besides organizations; it cannot be connected.",)
    sent = {one.path.partition("/")[2]: one.headers for one in network.asked}
    assert sent["rest/organizationAcls"]["linkedin-version"] == "202609"
    assert sent["rest/organizationAcls"]["x-restli-protocol-version"] == "2.0.0"
    assert "linkedin-version" not in sent["v2/userinfo"]
    assert not any("AQXcanary" in urlencode(one.query) for one in network.asked)


async def test_a_list_that_is_forbidden_leaves_the_person_and_says_so() -> None:
    forbidden = Canned({"status": 403, "serviceErrorCode": 100, "code": "ACCESS_DENIED", "message": "no"}, 403)
    network = CannedNetwork({f"{API}/v2/userinfo": Canned({"sub": "p3rs0nId01", "name": "Ada"}), f"{API}/rest/organizationAcls": forbidden})
    listing = await LinkedIn().look(call_to(network), TokenSet(Secret("AQXcanary")))
    assert [one.name for one in listing.candidates] == ["Ada"]
    assert "did not show us your pages" in listing.remarks[0]


async def test_a_list_that_never_ends_is_cut_and_says_so() -> None:
    row = {"role": "ADMINISTRATOR", "state": "APPROVED", "organization": "urn:li:organization:1000001"}
    network = CannedNetwork(
        {
            f"{API}/v2/userinfo": Canned({"sub": "p3rs0nId01", "name": "Ada"}),
            f"{API}/rest/organizationAcls": Canned({"elements": [row] * 100}),
            f"{API}/rest/organizations/1000001": Canned({"id": 1000001, "localizedName": "Example Bakery"}),
        }
    )
    listing = await LinkedIn().look(call_to(network), TokenSet(Secret("AQXcanary")))
    assert len(listing.candidates) == 2
    assert listing.remarks == ("LinkedIn lists more pages than can be shown here.",)
    assert sum(one.path.endswith("organizationAcls") for one in network.asked) == restli.MAX_PAGES


@pytest.mark.parametrize(
    ("answer", "kind", "code"),
    [
        (Canned({"status": 401, "serviceErrorCode": 65600, "code": "INVALID_ACCESS_TOKEN"}, 401), FaultKind.REVOKED, "65600"),
        (Canned({"status": 401, "serviceErrorCode": 65601}, 401), FaultKind.REVOKED, "65601"),
        (Canned({"status": 401, "serviceErrorCode": 65602}, 401), FaultKind.REVOKED, "65602"),
        (Canned({"status": 401, "serviceErrorCode": 65604}, 401), FaultKind.UNINTELLIGIBLE, "65604"),
        (Canned({"message": "Empty oauth2_access_token", "serviceErrorCode": 401, "status": 401}, 401), FaultKind.UNINTELLIGIBLE, "401"),
        (Canned({"status": 401}, 401), FaultKind.UNINTELLIGIBLE, "http_401"),
        (Canned({"serviceErrorCode": 100, "status": 403}, 403), FaultKind.PERMISSION, "http_403"),
        (Canned({"status": 426, "code": "NONEXISTENT_VERSION"}, 426), FaultKind.MISCONFIGURED, "NONEXISTENT_VERSION"),
        (Canned("<html>Upgrade Required</html>", 426), FaultKind.MISCONFIGURED, "http_426"),
        (Canned({"status": 400, "code": "VERSION_MISSING"}, 400), FaultKind.MISCONFIGURED, "VERSION_MISSING"),
        (Canned({"status": 429, "serviceErrorCode": 101, "code": "TOO_MANY_REQUESTS"}, 429), FaultKind.THROTTLED, "TOO_MANY_REQUESTS"),
        (Canned("<html>slow down</html>", 429), FaultKind.THROTTLED, "http_429"),
        (Canned({"status": 500, "code": "INTERNAL_SERVER_ERROR"}, 500), FaultKind.TRANSIENT, "INTERNAL_SERVER_ERROR"),
        (Canned("<html>Bad Gateway</html>", 502), FaultKind.TRANSIENT, "http_502"),
        (Canned("", 503), FaultKind.TRANSIENT, "http_503"),
        (Canned("<html>Request denied</html>", 403), FaultKind.UNINTELLIGIBLE, "http_403"),
        (Canned("<html>Sign in</html>"), FaultKind.UNINTELLIGIBLE, "http_200"),
        (Canned({"status": 400, "code": "<script>"}, 400), FaultKind.UNINTELLIGIBLE, "http_400"),
        (Canned({"name": "Ada"}), FaultKind.UNINTELLIGIBLE, "no_sub"),
    ],
)
async def test_R6_every_answer_has_its_class_and_the_unknown_is_never_taken_for_revoked(answer: Canned, kind: FaultKind, code: str) -> None:
    network = CannedNetwork({f"{API}/v2/userinfo": answer, INTROSPECTION: Canned({"active": False})})
    with pytest.raises(Fault) as caught:
        await LinkedIn().look(call_to(network, MEMBER, "A"), TokenSet(Secret("AQXcanary")))
    assert (caught.value.kind, caught.value.code) == (kind, code)
    assert "AQXcanary" not in f"{caught.value!r} {caught.value.detail}"


async def test_R6_a_revocation_that_cannot_be_confirmed_is_not_believed_yet() -> None:
    revoked = Canned({"status": 401, "serviceErrorCode": 65601}, 401)
    for introspection in (Canned({"active": True}), Canned("<html>", 503)):
        network = CannedNetwork({f"{API}/v2/userinfo": revoked, INTROSPECTION: introspection})
        with pytest.raises(Fault) as caught:
            await LinkedIn().look(call_to(network, MEMBER, "A"), TokenSet(Secret("AQXcanary")))
        assert caught.value.kind is FaultKind.TRANSIENT
