"""What Facebook remembers of each person and app: permissions given and declined, what was ticked, the Page tokens made from it.

Facebook and Instagram through Facebook share it when they share an app: it is one login. What a business granted by a configuration
with a system user's token is a login of its own, one for each consent.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.authority import Authority, Consented, Token
from hitchpost_sandbox.consent import Target
from hitchpost_sandbox.people import Person, scoped_number
from hitchpost_sandbox.world import World

AUTOMATIC = "public_profile"
GRANTED, DECLINED, EXPIRED = "granted", "declined", "expired"
LONG, SYSTEM = "long_user", "system_user"
"""Kinds of token beside `user` (a short one) and `page`."""
_DATA_ACCESS = timedelta(days=90)


@dataclass(slots=True)
class Login:
    """`permissions`: name → `granted`, `declined`, `expired`. `targets`: ticked last. `page_tokens`: (user token, Page id) → token."""

    permissions: dict[str, str] = field(default_factory=lambda: {AUTOMATIC: GRANTED})
    targets: tuple[str, ...] = ()
    page_tokens: dict[tuple[str, str], Token] = field(default_factory=dict)

    def has(self, permission: str) -> bool:
        return self.permissions.get(permission) == GRANTED

    def shares(self, kind: str, thing: str) -> bool:
        """Whether the person ticked this Page, Instagram account or business."""
        return f"{kind}:{thing}" in self.targets

    def decide(self, asked: Sequence[str], ticked: Sequence[str], *, again: bool) -> tuple[str, ...]:
        """Note the answer to the dialog. What was declined before stays so unless the app asks `again`. Returns what is granted of it."""
        for scope in asked:
            if again or self.permissions.get(scope) != DECLINED:
                self.permissions[scope] = GRANTED if scope in ticked else DECLINED
        return tuple(scope for scope in asked if self.has(scope))


@dataclass(frozen=True, slots=True)
class Configuration:
    """A login configuration of the app's dashboard. `system`: it gives a system user's token, `dated`: one of sixty days."""

    scopes: tuple[str, ...]
    system: bool = False
    dated: bool = False


@dataclass(frozen=True, slots=True)
class BusinessLogin:
    """What came of a configuration with a system user's token."""

    login: Login
    redirect_uri: str
    dated: bool


def configuration(app: App, config_id: str) -> Configuration | None:
    """The app's configuration with this id, out of its option `configurations`: `id=user: scope scope; id=system_user: scope`."""
    for one in str(app.options.get("configurations", "")).split(";"):
        name, _, rest = one.partition("=")
        if name.strip() == config_id:
            kind, _, scopes = rest.partition(":")
            kind = kind.strip()
            return Configuration(tuple(scopes.replace(",", " ").split()), kind.startswith(SYSTEM), kind == f"{SYSTEM}_60_days")
    return None


def note_business(authority: Authority, given: Consented, chosen: Configuration, redirect_uri: str) -> None:
    """Remember that this consent is a business's."""
    login = Login(dict.fromkeys(given.scopes, GRANTED), given.targets)
    authority.memory.setdefault("businesses", {})[given.family] = BusinessLogin(login, redirect_uri, chosen.dated)


def business(authority: Authority, given: Consented) -> BusinessLogin | None:
    """The business's login that a consent began; None for a person's."""
    found: BusinessLogin | None = authority.memory.get("businesses", {}).get(given.family)
    return found


def of_businesses(authority: Authority) -> frozenset[str]:
    """The families that what befalls a person does not touch."""
    return frozenset(authority.memory.get("businesses", {}))


def note_how(authority: Authority, given: Consented, auth_type: str, auth_nonce: str) -> None:
    """Remember how the app asked, for `metadata` of debug_token."""
    said = {name: value for name, value in (("auth_type", auth_type), ("auth_nonce", auth_nonce)) if value}
    if said:
        authority.memory.setdefault("how", {})[given.family] = said


def how(authority: Authority, given: Consented) -> dict[str, str]:
    """How the app asked for this consent; empty when it said nothing."""
    found: dict[str, str] = authority.memory.get("how", {}).get(given.family, {})
    return found


def data_access_ends(given: Consented) -> int:
    """When the permissions of a consent must be given again, in Unix seconds."""
    return int((given.at + _DATA_ACCESS).timestamp())


def _logins(authority: Authority) -> dict[tuple[str, str], Login]:
    logins: dict[tuple[str, str], Login] = authority.memory.setdefault("logins", {})
    return logins


def login(authority: Authority, client_id: str, person: str) -> Login:
    """The login of this person with this app; an empty one when there was none."""
    return _logins(authority).setdefault((client_id, person), Login())


def of_token(authority: Authority, token: Token) -> Login:
    """The login behind a token: the business's that it came from, or the person's."""
    own = business(authority, token.consented)
    return own.login if own is not None else login(authority, token.client_id, token.person)


def known(authority: Authority, client_id: str, person: str) -> bool:
    """Whether this person has ever met this app's dialog, and the app was not removed since."""
    return (client_id, person) in _logins(authority) or bool(authority.living(person=person, client_id=client_id))


def forget(authority: Authority, client_id: str, person: str) -> None:
    """The person removed the app, or the app itself: every token dies, and nothing is remembered."""
    authority.revoke_grants(person, client_id, because="app_removed")
    _logins(authority).pop((client_id, person), None)


def user_id(person: Person, client_id: str) -> str:
    """The app-scoped id of a person."""
    return scoped_number("meta", person.key, client_id, first="102")


def system_user_id(person: Person, client_id: str) -> str:
    """The id of the system user that stands for this person's business in the app."""
    return scoped_number("meta system user", person.key, client_id, first="122")


def has_role(app: App, person: Person) -> bool:
    """Whether the person is named in the app's option `app_roles`."""
    return person.key in str(app.options.get("app_roles", "")).replace(",", " ").split()


def onboard(world: World, person: Person) -> tuple[str, ...]:
    """Make the personal accounts that are linked to the person's Pages professional; returns them as targets."""
    if person.facebook is None:
        return ()
    personal = {page.instagram.id for page in person.facebook.pages if page.instagram and not page.instagram.professional}
    pages = tuple(
        replace(page, instagram=replace(page.instagram, account_type="BUSINESS"))
        if page.instagram and page.instagram.id in personal
        else page
        for page in person.facebook.pages
    )
    changed: dict[str, object] = {"facebook": replace(person.facebook, pages=pages)}
    if person.instagram and person.instagram.id in personal:
        changed["instagram"] = replace(person.instagram, account_type="BUSINESS")
    if personal:
        world.change(person.key, **changed)
    return tuple(f"instagram:{one}" for one in sorted(personal))


def targets(person: Person) -> list[Target]:
    """Everything that the dialog lets this person tick."""
    if person.facebook is None:
        return []
    pages = person.facebook.pages
    accounts = {page.instagram.id: page.instagram for page in pages if page.instagram and page.instagram.professional}
    return [
        *(Target(f"page:{page.id}", page.name, "Pages") for page in pages),
        *(Target(f"instagram:{account.id}", f"@{account.username}", "Instagram accounts") for account in accounts.values()),
        *(Target(f"business:{business.id}", business.name, "Businesses") for business in person.facebook.businesses),
    ]
