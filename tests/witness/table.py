"""One witness for each documented example: the scene in which the network gives that answer, and what the adapter must make of it."""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import timedelta

from hitchpost.networks.adapters.facebook import Facebook
from hitchpost.networks.adapters.instagram import Instagram
from hitchpost.networks.adapters.linkedin import LinkedIn
from hitchpost.networks.adapters.pinterest import Pinterest
from hitchpost.networks.adapters.x import X
from hitchpost.networks.base import Adapter, Kind, Login, Picked
from hitchpost_sandbox import networks
from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, META_APP, PINTEREST_APP, X_APP, App
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.playing import befall
from hitchpost_sandbox.turns import Befallen
from tests.witness.stage import Person, Witness

Act = Callable[[Person], Awaitable[object]]
CONSENT, TOKENS, REVOKED = "Consent", "TokenSet", "Revocation"


# What people and adapters do.


async def connect(person: Person) -> object:
    return await person.connect("ada")


async def look(person: Person) -> object:
    return await person.adapter.look(person.call, (await person.connect("ada")).tokens)


async def renew(person: Person) -> object:
    tokens = (await person.connect("ada")).tokens
    person.world.clock.forward(person.login.renewable_after + timedelta(hours=1))
    return await person.adapter.refresh(person.call, tokens)


async def renew_late(person: Person) -> object:
    tokens = (await person.connect("ada")).tokens
    person.world.clock.forward(timedelta(days=400))
    return await person.adapter.refresh(person.call, tokens)


async def take_back(person: Person) -> object:
    return type(await person.adapter.revoke(person.call, (await person.connect("ada")).tokens, "")).__name__


async def reuse_the_code(person: Person) -> object:
    code = (await person.decide("ada"))["code"]
    await person.redeem(code)
    return await person.redeem(code)


async def made_up_code(person: Person) -> object:
    return await person.redeem("made-up")


async def old_code(person: Person) -> object:
    code = (await person.decide("ada"))["code"]
    person.world.clock.forward(timedelta(hours=1))
    return await person.redeem(code)


def spoilt(does: str, act: Act, **filters: object) -> Act:
    """The same with a fault waiting."""

    async def acted(person: Person) -> object:
        person.world.faults.add(Fault(does, **filters))  # type: ignore[arg-type]
        return await act(person)

    return acted


def after(turn: str, network: str, **facts: str) -> Act:
    """A look after something befell Ada."""

    async def acted(person: Person) -> object:
        tokens = (await person.connect("ada")).tokens
        twin = next(one for one in networks.found() if one.network == network)
        await befall(person.world, twin, turn, Befallen("ada", **facts))
        person.world.clock.forward(timedelta(seconds=1))
        return await person.adapter.look(person.call, tokens)

    return acted


def with_secret(secret: str, act: Act) -> Act:
    async def acted(person: Person) -> object:
        app = next(one for one in person.world.apps if one.client_id == person.app.client_id)
        person.world.register(replace(app, client_secret=secret))
        return await act(person)

    return acted


def derived(*picked: Picked) -> Act:
    async def acted(person: Person) -> object:
        tokens = (await person.connect("ada")).tokens
        found = await person.adapter.derive(person.call, tokens, picked)
        return f"derived {sum(one.candidate.verdict.usable for one in found)} of {len(found)}"

    return acted


# Who they are.


def _of(network: str, adapter: Callable[[], Adapter], login: Login, app: App) -> Callable[..., Witness]:
    def witness(place: str, act: Act, means: str, *, on: App | None = None, login: Login = login, **options: object) -> Witness:
        return Witness(f"{network}: {place}", adapter, login, replace(on or app, options=options), act, means)  # type: ignore[arg-type]

    return witness


def patient_linkedin() -> LinkedIn:
    async def at_once(_seconds: float) -> None:
        return None

    return LinkedIn(pause=at_once)


facebook = _of("facebook", Facebook, Facebook.logins[0], META_APP)
instagram = _of("instagram", Instagram, Instagram.logins[1], INSTAGRAM_APP)
x = _of("x", X, X.logins[0], X_APP)
member = _of("linkedin", patient_linkedin, LinkedIn.logins[0], LINKEDIN_MEMBER_APP)
pages = _of("linkedin", patient_linkedin, LinkedIn.logins[1], LINKEDIN_PAGES_APP)
pinterest = _of("pinterest", Pinterest, Pinterest.logins[0], PINTEREST_APP)

ACCOUNTS = {"path": "*/me/accounts"}
ME_X = {"path": "/2/users/me"}
INFO = {"path": "/v2/userinfo", "times": 0}
ACLS = {"path": "/rest/organizationAcls"}
PIN = {"path": "/v5/user_account"}
ORGANIZATION = Picked(Kind.ORGANIZATION, "7700101")

WITNESSES = (
    facebook("Code, then long-lived token #1", connect, CONSENT),
    facebook("Code, then long-lived token #2", reuse_the_code, "fault refused"),
    facebook("Code, then long-lived token #3", with_secret("another", connect), "fault misconfigured"),
    facebook("Code, then long-lived token #4", connect, CONSENT),
    facebook("Code, then long-lived token #5", connect, CONSENT),
    facebook("Pages #1", look, "listing"),
    facebook("Pages #2", after("revoked", "facebook"), "fault revoked"),
    facebook("Pages #3", after("password_changed", "facebook"), "fault revoked"),
    facebook("Pages #4", spoilt("17", look, **ACCOUNTS), "fault throttled"),
    facebook("Pages #5", spoilt("10", look, **ACCOUNTS), "fault permission"),
    facebook("Pages #6", spoilt("server_error", look, **ACCOUNTS), "fault transient"),
    facebook("Pages #7", look, "listing"),
    facebook("Pages #8", look, "listing"),
    facebook("Taking back #1", take_back, REVOKED),
    instagram("Code #1", connect, CONSENT, wrapped_answers=True),
    instagram("Code #2", connect, CONSENT),
    instagram("Code #3", made_up_code, "fault refused"),
    instagram("Long-lived token #1", connect, CONSENT),
    instagram("Renewing it #1", renew, TOKENS),
    instagram("Renewing it #2", spoilt("100", renew, path="/refresh_access_token"), "fault permission"),
    instagram("Renewing it #3", renew_late, "fault revoked"),
    instagram("The account #1", look, "listing"),
    instagram("The account #2", after("password_changed", "instagram"), "fault revoked"),
    x("Code → tokens #1", connect, CONSENT),
    x("Code → tokens #2", made_up_code, "fault refused"),
    x("Code → tokens #3", with_secret("another", connect), "fault misconfigured"),
    x("Renewing them #1", renew, TOKENS),
    x("Renewing them #2", renew_late, "fault refused"),
    x("Who it is #1", connect, CONSENT),
    x("Who it is #2", spoilt("unauthorized", connect, **ME_X), "fault revoked"),
    x("Who it is #3", spoilt("credits-depleted", connect, **ME_X), "fault misconfigured"),
    x("Who it is #4", spoilt("client-not-enrolled", connect, **ME_X), "fault misconfigured"),
    x("Who it is #5", spoilt("user-suspended", connect, **ME_X), "fault blocked"),
    x("Who it is #6", spoilt("rate_limit", connect, **ME_X), "fault throttled"),
    x("Who it is #7", spoilt("server_error", connect, **ME_X), "fault transient"),
    x("Taking back #1", take_back, REVOKED),
    member("Code → token #1", connect, CONSENT),
    member("Code → token #2", reuse_the_code, "fault refused"),
    member("Code → token #3", old_code, "fault refused"),
    member("Code → token #4", with_secret("another", connect), "fault misconfigured"),
    pages("Renewing it #1", renew, TOKENS, refresh_tokens=True),
    pages("Renewing it #2", renew_late, "fault refused", refresh_tokens=True),
    member("Who it is #1", connect, CONSENT),
    member("Who it is #2", after("revoked", "linkedin"), "fault revoked"),
    member("Who it is #3", spoilt("65602", connect, **INFO), "fault revoked"),
    member("Who it is #4", spoilt("server_error", connect, **INFO), "fault transient"),
    pages("Who it is #5", connect, CONSENT),
    pages("Who it is #6", after("permission_gone", "linkedin", scope="r_basicprofile"), "fault permission"),
    pages("Pages #1", look, "listing"),
    pages("Pages #2", spoilt("426", look, **ACLS), "fault misconfigured"),
    pages("Pages #3", spoilt("rate_limit", look, **ACLS), "fault throttled"),
    pages("Pages #4", derived(ORGANIZATION), "derived 1 of 1", development_tier=True),
    pages("Pages #5", derived(Picked(Kind.ORGANIZATION, "7700102")), "derived 1 of 1", development_tier=True),
    pages("Pages #6", look, "listing"),
    pages("Pages #7", look, "listing"),
    member("Is it alive, and taking back #1", after("revoked", "linkedin"), "fault revoked"),
    member("Is it alive, and taking back #2", take_back, REVOKED),
    pinterest("Code → tokens #1", connect, CONSENT),
    pinterest("Code → tokens #2", reuse_the_code, "fault refused"),
    pinterest("Code → tokens #3", with_secret("another", connect), "fault misconfigured"),
    pinterest("Renewing them #1", renew, TOKENS),
    pinterest("Renewing them #2", renew_late, "fault refused"),
    pinterest("Who it is #1", connect, CONSENT),
    pinterest("Who it is #2", spoilt("401/2", connect, **PIN), "fault revoked"),
    pinterest("Who it is #3", spoilt("401/3", connect, **PIN), "fault permission"),
    pinterest("Who it is #4", after("disapproved", "pinterest"), "fault blocked"),
    pinterest("Who it is #5", spoilt("rate_limit", connect, **PIN), "fault throttled"),
    pinterest("Who it is #6", spoilt("server_error", connect, **PIN), "fault transient"),
    pinterest("Boards #1", look, "listing"),
)

CONSENTS: dict[str, tuple[Witness, str, str]] = {
    witness.place: (witness, decision, means)
    for witness, decision, means in (
        (facebook("Consent #1", connect, ""), "allow", "code"),
        (facebook("Consent #2", connect, ""), "deny", "declined"),
        (instagram("Consent through Instagram #1", connect, ""), "allow", "code"),
        (instagram("Consent through Instagram #2", connect, ""), "deny", "declined"),
        (x("Consent #1", connect, ""), "allow", "code"),
        (x("Consent #2", connect, ""), "deny", "declined"),
        (member("Consent #1", connect, ""), "allow", "code"),
        (member("Consent #2", connect, ""), "deny", "declined"),
        (member("Consent #3", connect, "", on=replace(LINKEDIN_MEMBER_APP, scopes=frozenset({"openid"}))), "allow", "fault misconfigured"),
        (pinterest("Consent #1", connect, ""), "allow", "code"),
        (pinterest("Consent #2", connect, ""), "deny", "declined"),
    )
}
"""The trips to a consent page: what the person decides, and what the adapter makes of what comes back."""
