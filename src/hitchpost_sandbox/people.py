"""Who lives at the networks: people with their pages, accounts, organizations and boards, as plain data.

One person is the same human everywhere and has at most one login per network; None means no account there. Every thing with a
picture has a `picture`: the stem that its address ends in and that the picture server draws from.
"""

import hashlib
import re
from dataclasses import dataclass, field

from hitchpost_sandbox.reading import one_of

TASKS = frozenset(
    {
        "ANALYZE", "ADVERTISE", "MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE", "MANAGE_LEADS", "MODERATE_COMMUNITY",
        "VIEW_MONETIZATION_INSIGHTS", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MANAGE", "PROFILE_PLUS_MODERATE",
        "PROFILE_PLUS_ANALYZE", "PROFILE_PLUS_ADVERTISE", "PROFILE_PLUS_MESSAGING", "PROFILE_PLUS_FULL_CONTROL",
        "PROFILE_PLUS_FACEBOOK_ACCESS",
    }
)  # fmt: skip
"""Those that facebook_business, Meta's own SDK, knows (seen in November 2026)."""
FULL_TASKS = ("ANALYZE", "ADVERTISE", "MESSAGING", "MODERATE", "CREATE_CONTENT", "MANAGE")
_BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"


_KEY = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True, slots=True)
class InstagramAccount:
    """`id`: the account's global id (`17841…`). `account_type`: `BUSINESS`, `MEDIA_CREATOR` or `PERSONAL`."""

    id: str
    username: str
    picture: str
    name: str = ""
    account_type: str = "BUSINESS"
    followers: int = 120
    follows: int = 80
    media: int = 42

    def __post_init__(self) -> None:
        one_of("account_type", self.account_type, ("BUSINESS", "MEDIA_CREATOR", "PERSONAL"))

    @property
    def professional(self) -> bool:
        return self.account_type != "PERSONAL"


@dataclass(frozen=True, slots=True)
class Page:
    """A Facebook Page as one person sees it. `tasks`: that person's tasks on it; none means no Page token.

    `instagram`: the account linked to it, professional or not (a personal one is invisible to the API).
    `direct` False: missing in /me/accounts, reached only through a business.
    """

    id: str
    name: str
    picture: str
    username: str = ""
    category: str = "Local business"
    tasks: tuple[str, ...] = FULL_TASKS
    instagram: InstagramAccount | None = None
    direct: bool = True
    followers: int = 120

    def __post_init__(self) -> None:
        for task in self.tasks:
            one_of("tasks", task, TASKS)


@dataclass(frozen=True, slots=True)
class Business:
    """A Meta business portfolio: ids of the Pages it owns and of the Pages it manages for clients."""

    id: str
    name: str
    owned: tuple[str, ...] = ()
    client: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class FacebookLogin:
    """One person's login; its id is made from the person's key, another for each app."""

    picture: str
    pages: tuple[Page, ...] = ()
    businesses: tuple[Business, ...] = ()


@dataclass(frozen=True, slots=True)
class XAccount:
    """`suspended`: calls answer 403 user-suspended. `pinned`: the text of a pinned post. Values that are empty are left out of answers."""

    id: str
    username: str
    picture: str
    name: str
    created_at: str = "2013-12-14T04:35:55.000Z"
    description: str = ""
    url: str = ""
    protected: bool = False
    verified_type: str = "none"
    subscription_type: str = "None"
    followers: int = 583
    suspended: bool = False
    pinned: str = ""


@dataclass(frozen=True, slots=True)
class Organization:
    """A LinkedIn page. `picture` empty: it has no logo. `primary_type`: `NONE` or `BRAND`, which has a `parent`: another's id."""

    id: int
    name: str
    vanity: str
    picture: str = ""
    primary_type: str = "NONE"
    parent: int = 0
    website: str = ""
    description: str = ""
    followers: int = 1234


@dataclass(frozen=True, slots=True)
class OrganizationRole:
    """One row of organizationAcls: one role in one state; an organization may have several."""

    organization: Organization
    role: str = "ADMINISTRATOR"
    state: str = "APPROVED"


@dataclass(frozen=True, slots=True)
class LinkedInMember:
    """`picture` empty: no photo. `email_shared` False: `email` is left out even with the scope."""

    vanity: str
    given_name: str
    family_name: str
    headline: str = ""
    picture: str = ""
    email_shared: bool = True
    roles: tuple[OrganizationRole, ...] = ()


@dataclass(frozen=True, slots=True)
class Board:
    """`privacy`: PUBLIC, PROTECTED or SECRET. `owner`: a username; another's than the account's own makes it a group board."""

    id: str
    name: str
    owner: str
    privacy: str = "PUBLIC"
    description: str = ""
    pins: int = 5
    collaborators: int = 0
    ads_only: bool = False
    created_at: str = "2024-01-01T20:10:40"

    def __post_init__(self) -> None:
        one_of("privacy", self.privacy, ("PUBLIC", "PROTECTED", "SECRET"))


@dataclass(frozen=True, slots=True)
class AdAccount:
    """An ad account as one person sees it. `owner`: the username of the business whose it is.

    `permissions`: that person's roles: `OWNER`, `ADMIN`, `ANALYST`, `CAMPAIGN_MANAGER`, or others, which allow no acting for the owner.
    """

    id: str
    name: str
    owner: str
    permissions: tuple[str, ...] = ("OWNER",)
    country: str = "IE"
    currency: str = "EUR"


@dataclass(frozen=True, slots=True)
class PinterestAccount:
    """`account_type`: PINNER or BUSINESS. `businesses`: usernames of the business accounts linked to it."""

    id: str
    username: str
    picture: str
    account_type: str = "PINNER"
    business_name: str = ""
    about: str = ""
    website: str = ""
    boards: tuple[Board, ...] = ()
    businesses: tuple[str, ...] = ()
    ad_accounts: tuple[AdAccount, ...] = ()

    def __post_init__(self) -> None:
        one_of("account_type", self.account_type, ("PINNER", "BUSINESS"))


@dataclass(frozen=True, slots=True)
class Person:
    """One human of the cast. `key` is what the consent form's field `person` and the ledger call them; `remark` is for the panel."""

    key: str
    name: str
    email: str
    remark: str = ""
    facebook: FacebookLogin | None = None
    instagram: InstagramAccount | None = None
    x: XAccount | None = None
    linkedin: LinkedInMember | None = None
    pinterest: PinterestAccount | None = None

    def __post_init__(self) -> None:
        # It stands in selectors of the consent page and in cookies, and empty it would mean everybody.
        if not _KEY.fullmatch(self.key):
            raise ValueError("'key' is made of ASCII letters, digits, '.', '_' and '-', and begins with a letter")


@dataclass(frozen=True, slots=True)
class Cast:
    """Everybody, in the order in which consent pages offer them."""

    people: tuple[Person, ...]
    _by_key: dict[str, Person] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_by_key", {person.key: person for person in self.people})

    def __getitem__(self, key: str) -> Person:
        """The person with this key. Raises KeyError."""
        return self._by_key[key]

    def __contains__(self, key: object) -> bool:
        return key in self._by_key

    def having(self, person: Person) -> "Cast":
        """The same cast with this person in the place of the one with their key, or as the last."""
        if person.key not in self._by_key:
            return Cast((*self.people, person))
        return Cast(tuple(person if one.key == person.key else one for one in self.people))


def scoped_number(what: str, person: str, client_id: str, *, first: str, digits: int = 17) -> str:
    """A decimal id as Meta gives it: the same for one person and app, another for another app, so two apps cannot compare notes."""
    number = int.from_bytes(hashlib.sha256(f"{what}|{person}|{client_id}".encode()).digest()[:12], "big")
    width = digits - len(first)
    return first + str(number % 10**width).zfill(width)


def scoped_word(what: str, person: str, client_id: str, *, size: int = 10) -> str:
    """A person id as LinkedIn gives it (letters and digits), the same for one person and app and another for another app."""
    number = int.from_bytes(hashlib.sha256(f"{what}|{person}|{client_id}".encode()).digest()[:16], "big")
    letters = []
    for _ in range(size):
        number, rest = divmod(number, 62)
        letters.append(_BASE62[rest])
    return "".join(letters)
