"""What Facebook remembers of each person and app: permissions given and declined, what was ticked, the Page tokens made from it.

Facebook and Instagram through Facebook share it when they share an app: it is one login.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from hitchpost_sandbox.authority import Authority, Token
from hitchpost_sandbox.consent import Target
from hitchpost_sandbox.people import Person, scoped_number

AUTOMATIC = "public_profile"
GRANTED, DECLINED, EXPIRED = "granted", "declined", "expired"


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


def _logins(authority: Authority) -> dict[tuple[str, str], Login]:
    logins: dict[tuple[str, str], Login] = authority.memory.setdefault("logins", {})
    return logins


def login(authority: Authority, client_id: str, person: str) -> Login:
    """The login of this person with this app; an empty one when there was none."""
    return _logins(authority).setdefault((client_id, person), Login())


def known(authority: Authority, client_id: str, person: str) -> bool:
    """Whether this person has ever met this app's dialog, and the app was not removed since."""
    return (client_id, person) in _logins(authority)


def forget(authority: Authority, client_id: str, person: str) -> None:
    """The person removed the app, or the app itself: every token dies, and nothing is remembered."""
    authority.revoke_grants(person, client_id, because="app_removed")
    _logins(authority).pop((client_id, person), None)


def user_id(person: Person, client_id: str) -> str:
    """The app-scoped id of a person."""
    return scoped_number("meta", person.key, client_id, first="102")


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
