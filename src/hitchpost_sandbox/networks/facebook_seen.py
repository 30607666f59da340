"""What one token sees at graph.facebook.com: people, Pages, businesses, Instagram accounts, and the edges between them.

It is what the person ticked and has a role on; a system user sees what its business's consent ticked.
"""

from collections.abc import Mapping
from datetime import timedelta

from hitchpost_sandbox import graph, graph_nodes
from hitchpost_sandbox.authority import Token
from hitchpost_sandbox.graph import GraphError
from hitchpost_sandbox.graph_nodes import Asked, Node, Value
from hitchpost_sandbox.networks import facebook_logins, facebook_tokens
from hitchpost_sandbox.networks.facebook_logins import LONG, SYSTEM, Login
from hitchpost_sandbox.people import Business, FacebookLogin, InstagramAccount, Page, Person
from hitchpost_sandbox.twin import Visit

_PICTURES = "https://scontent.xx.fbcdn.net/v/t39.30808-1"
_PICTURE_LIFE = timedelta(days=14)
_SIZES = {"small": 50, "square": 50, "normal": 100, "album": 50, "large": 200}
_PAGE_DEFAULT = ("access_token", "category", "category_list", "name", "id", "tasks")

# Known to the network, and without a value in this cast: asked for they are left out, as real ones without a value or permission are.
_OF_PEOPLE = (
    "middle_name", "name_format", "age_range", "birthday", "gender", "hometown", "location", "locale", "timezone", "languages", "link",
    "verified", "updated_time", "username", "bio", "about", "website", "cover", "education", "work", "significant_other", "installed",
    "is_verified", "profile_pic", "third_party_id", "token_for_business", "client_business_id", "ids_for_business",
)  # fmt: skip
_OF_PAGES = (
    "user_access_expire_time", "temporary_status", "about", "website", "emails", "phone", "bio", "description", "cover", "location",
    "hours", "single_line_address", "store_number", "parent_page", "page_token", "rating_count", "overall_star_rating",
    "talking_about_count", "were_here_count", "checkins", "new_like_count", "unread_message_count", "country_page_likes", "start_info",
    "founded", "mission", "company_overview", "perms", "connected_page_backed_instagram_account", "whatsapp_number", "birthday",
)  # fmt: skip
_OF_ACCOUNTS = ("biography", "website", "owner_business", "is_published", "has_profile_pic", "legacy_instagram_user_id")
_OF_BUSINESSES = ("created_time", "link", "primary_page", "profile_picture_uri", "timezone_id", "vertical", "updated_time")

_EDGES_OF_SELF = {"accounts": "pages_show_list", "assigned_pages": "pages_show_list", "businesses": "business_management"}
"""Each with the permission that it needs."""
_EDGES_OF_BUSINESSES = ("owned_pages", "client_pages")
_PENDING = ("pending_owned_pages", "pending_client_pages")
_OF_ADVERTISING = ("instagram_accounts", "page_backed_instagram_accounts")
EDGES = (*_EDGES_OF_SELF, *_EDGES_OF_BUSINESSES, *_PENDING, *_OF_ADVERTISING)


class Seen:
    """What one caller sees: the person behind the token, the login, and the nodes that follow from them."""

    def __init__(self, visit: Visit, token: Token, version: str) -> None:
        self.visit = visit
        self.token = token
        self.version = version
        self.person: Person = visit.world.cast[token.person]
        self.facebook = self.person.facebook or FacebookLogin("nobody")
        self.login: Login = facebook_logins.of_token(visit.authority, token)
        self.self_id = (facebook_logins.system_user_id if token.kind == SYSTEM else facebook_logins.user_id)(self.person, token.client_id)

    def need(self, permission: str) -> None:
        """Raises GraphError 10 without the permission."""
        if not self.login.has(permission):
            raise GraphError(10, f"(#10) This endpoint requires the '{permission}' permission or feature", status=403)

    def is_self(self, thing: str) -> bool:
        """Whether `thing` is whom the token speaks for; a Page's token speaks for no person."""
        return self.token.kind != "page" and thing in ("me", self.self_id)

    def node(self, thing: str) -> Node:
        """The object with this id. Raises GraphError 100/33."""
        if self.is_self(thing):
            return self.user_node()
        if thing == "me":
            thing = self.token.subject
        if (page := self.page(thing)) is not None:
            return self.page_node(page)
        if (account := self.account(thing)) is not None:
            return self.account_node(account)
        if (business := self.business(thing)) is not None:
            return self.business_node(business)
        raise graph.no_such(thing)

    def edge(self, thing: str, name: str) -> list[Node]:
        """What stands at an edge. Raises GraphError."""
        if self.is_self(thing):
            return self._edge_of_self(name)
        if (business := self.business(thing)) is not None:
            self.need("business_management")
            if name in _EDGES_OF_BUSINESSES:
                ids = business.owned if name == "owned_pages" else business.client
                return [self.page_node(page) for page_id in ids if (page := self.page(page_id)) is not None]
            if name in _PENDING:
                return []
        node = self.node(thing)
        if node.kind == "Page" and name in _OF_ADVERTISING:
            # Objects of advertising, of which nobody here has any.
            return []
        raise graph_nodes.nonexisting(name, node.kind)

    def _edge_of_self(self, name: str) -> list[Node]:
        if name not in _EDGES_OF_SELF:
            raise graph_nodes.nonexisting(name, "User")
        self.need(_EDGES_OF_SELF[name])
        if name == "businesses":
            return [self.business_node(one) for one in self.facebook.businesses if self.login.shares("business", one.id)]
        pages = [page for page in self.facebook.pages if (page.direct if name == "accounts" else page.tasks)]
        return [self.page_node(page) for page in pages if self.login.shares("page", page.id)]

    def page(self, page_id: str) -> Page | None:
        """A ticked Page; one of the person's own, or one that a business of theirs lists without a role for them."""
        mine = next((page for page in self.facebook.pages if page.id == page_id), None)
        if mine is not None:
            return mine if self.login.shares("page", page_id) else None
        others = (page for one in self.visit.world.cast.people if one.facebook for page in one.facebook.pages if page.id == page_id)
        strange = next(others, None)
        return None if strange is None else Page(strange.id, strange.name, strange.picture, strange.username, strange.category, tasks=())

    def business(self, business_id: str) -> Business | None:
        theirs = (one for one in self.facebook.businesses if one.id == business_id)
        return next((one for one in theirs if self.login.shares("business", one.id)), None)

    def page_token(self, page: Page) -> str | None:
        """One token for each Page, person and app; it lives as long as the user token it came from, or for ever from a long one."""
        if self.token.kind == "page":
            return self.token.value if self.token.subject == page.id else None
        if not page.tasks or not self.login.has("pages_show_list"):
            return None
        made = self.login.page_tokens.get((self.token.value, page.id))
        if made is None or made.dead is not None:
            end = None if self.token.kind in (LONG, SYSTEM) else self.token.expires_at
            life = None if end is None else end - self.visit.clock.now()
            made = self.visit.authority.issue(self.token.consented, "page", life=life, subject=page.id, look=facebook_tokens.look)
            self.login.page_tokens[self.token.value, page.id] = made
        return made.value

    def user_node(self) -> Node:
        first, _, last = self.person.name.partition(" ")
        values: dict[str, object] = {
            **dict.fromkeys(_OF_PEOPLE),
            "id": self.self_id,
            "name": self.person.name,
            "first_name": first,
            "last_name": last or None,
            "short_name": first,
            "email": self.person.email if self.login.has("email") else None,
            "picture": lambda asked: self.picture(self.facebook.picture, asked),
            "accounts": self._edge_field("me", "accounts"),
            "businesses": self._edge_field("me", "businesses"),
            "assigned_pages": self._edge_field("me", "assigned_pages"),
            "permissions": {"data": self.permissions()},
        }
        if self.token.kind == SYSTEM:
            shared = [one.id for one in self.facebook.businesses if self.login.shares("business", one.id)]
            name = f"{self.person.name}'s system user"
            values |= {"name": name, "first_name": None, "last_name": None, "short_name": None, "email": None}
            values |= {"client_business_id": shared[0] if shared else None}
        return Node("User", values, ("name", "id"))

    def permissions(self) -> list[dict[str, str]]:
        return [{"permission": name, "status": status} for name, status in self.login.permissions.items()]

    def page_node(self, page: Page) -> Node:
        linked = page.instagram
        account = self.account_node(linked) if linked is not None and self._account_is_seen(linked) else None
        owner = next((one for one in self.facebook.businesses if page.id in one.owned and self.business(one.id)), None)
        business = self.business_node(owner) if owner is not None and self.login.has("business_management") else None
        values: dict[str, object] = {
            **dict.fromkeys(_OF_PAGES),
            "id": page.id,
            "name": page.name,
            "username": page.username or None,
            "category": page.category,
            "category_list": [{"id": "2500", "name": page.category}],
            "tasks": list(page.tasks),
            "access_token": lambda _asked: self.page_token(page),
            "picture": lambda asked: self.picture(page.picture, asked),
            "link": f"https://www.facebook.com/{page.username or page.id}",
            "is_published": True,
            "fan_count": page.followers,
            "followers_count": page.followers,
            "verification_status": "not_verified",
            "has_transitioned_to_new_page_experience": any(task.startswith("PROFILE_PLUS_") for task in page.tasks),
            "business": business,
            "owner_business": business,
            "instagram_business_account": account,
            "connected_instagram_account": account,
        }
        return Node("Page", values, _PAGE_DEFAULT, alone=("name", "id"))

    def account(self, account_id: str) -> InstagramAccount | None:
        """A ticked professional account that is linked to one of the person's ticked Pages."""
        linked = (page.instagram for page in self.facebook.pages if page.instagram and self.login.shares("page", page.id))
        return next((one for one in linked if one.id == account_id and self._account_is_seen(one)), None)

    def account_node(self, account: InstagramAccount) -> Node:
        ends = int((self.visit.clock.now() + _PICTURE_LIFE).timestamp())
        values: dict[str, object] = {
            **dict.fromkeys(_OF_ACCOUNTS),
            "id": account.id,
            "ig_id": account.id[-10:],
            "username": account.username,
            "name": account.name or None,
            "profile_picture_url": f"https://scontent.cdninstagram.com/v/t51.2885-15/{account.picture}.png?oe={ends:X}",
            "followers_count": account.followers,
            "follows_count": account.follows,
            "media_count": account.media,
        }
        return Node("IGUser", values, ("id",))

    def business_node(self, business: Business) -> Node:
        values: dict[str, object] = {
            **dict.fromkeys(_OF_BUSINESSES),
            "id": business.id,
            "name": business.name,
            "verification_status": "not_verified",
            "owned_pages": self._edge_field(business.id, "owned_pages"),
            "client_pages": self._edge_field(business.id, "client_pages"),
        }
        return Node("Business", values, ("id", "name"))

    def picture(self, stem: str, asked: Asked) -> Value:
        """`picture`, with `type`, `width` and `height` of its modifiers, and `{url}` of its braces."""
        ends = int((self.visit.clock.now() + _PICTURE_LIFE).timestamp())
        size = _SIZES.get(asked.said.get("type", ""), 50)
        width = _number(asked.said, "width") or _number(asked.said, "height") or size
        height = _number(asked.said, "height") or width
        address = f"{_PICTURES}/{stem}_{width}x{height}.png?oe={ends:X}"
        return graph_nodes.narrowed({"data": {"height": height, "is_silhouette": False, "url": address, "width": width}}, asked.below)

    def _edge_field(self, thing: str, name: str) -> object:
        return graph_nodes.edge(self.visit, f"{self.version}/{thing}/{name}", lambda: self.edge(thing, name))

    def _account_is_seen(self, account: InstagramAccount) -> bool:
        return account.professional and self.login.has("instagram_basic") and self.login.shares("instagram", account.id)


def _number(said: Mapping[str, str], name: str) -> int:
    text = said.get(name, "")
    return min(int(text), 2048) if text.isdecimal() and len(text) < 6 else 0
