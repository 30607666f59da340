"""The objects at graph.facebook.com as far as connecting needs them: people, permissions, Pages, businesses, Instagram accounts.

What a token sees is what the person ticked and has a role on; everything else is 100/33, as if it did not exist.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

from starlette.responses import RedirectResponse, Response

from hitchpost_sandbox import graph, graph_nodes
from hitchpost_sandbox.authority import Refused, Token
from hitchpost_sandbox.graph import Caller, GraphError
from hitchpost_sandbox.graph_nodes import Node
from hitchpost_sandbox.networks import facebook_logins
from hitchpost_sandbox.networks.facebook_logins import Login
from hitchpost_sandbox.people import Business, FacebookLogin, InstagramAccount, Page, Person
from hitchpost_sandbox.twin import Visit

LONG = "long_user"
_PICTURES = "https://scontent.xx.fbcdn.net/v/t39.30808-1"
_PICTURE_LIFE = timedelta(days=14)
_DATA_ACCESS = timedelta(days=90)
_NEVER = datetime.min.replace(tzinfo=UTC)
_PAGE_DEFAULT = ("access_token", "category", "category_list", "name", "id", "tasks")


_OF_PAGES = (
    "fan_count", "followers_count", "verification_status", "connected_instagram_account", "business", "owner_business",
    "has_transitioned_to_new_page_experience", "user_access_expire_time", "temporary_status", "about", "website", "emails", "phone",
)  # fmt: skip
_OF_ACCOUNTS = ("biography", "website", "owner_business", "is_published", "has_profile_pic")


class _Seen:
    """What one caller sees: the person behind the token, the login, and the nodes that follow from them."""

    def __init__(self, visit: Visit, token: Token) -> None:
        self.visit = visit
        self.token = token
        self.person: Person = visit.world.cast[token.person]
        self.facebook = self.person.facebook or FacebookLogin("nobody")
        self.login: Login = facebook_logins.login(visit.authority, token.client_id, token.person)

    def need(self, permission: str) -> None:
        """Raises GraphError 10 without the permission."""
        if not self.login.has(permission):
            raise GraphError(10, f"(#10) This endpoint requires the '{permission}' permission or feature", status=403)

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
            end = None if self.token.kind == LONG else self.token.expires_at
            life = None if end is None else end - self.visit.clock.now()
            made = self.visit.authority.issue(self.token.consented, "page", life=life, subject=page.id, look=lambda text: f"EAA{text * 3}")
            self.login.page_tokens[self.token.value, page.id] = made
        return made.value

    def user_node(self) -> Node:
        user_id = facebook_logins.user_id(self.person, self.token.client_id)
        email = self.person.email if self.login.has("email") else None
        picture = self._picture(self.facebook.picture)
        return Node("User", {"id": user_id, "name": self.person.name, "email": email, "picture": picture}, ("name", "id"))

    def page_node(self, page: Page) -> Node:
        linked = page.instagram
        seen = linked is not None and self._account_is_seen(linked)
        values: dict[str, object] = {
            # Known to the network, and without a value in this cast.
            **dict.fromkeys(_OF_PAGES),
            "id": page.id,
            "name": page.name,
            "username": page.username or None,
            "category": page.category,
            "category_list": [{"id": "2500", "name": page.category}],
            "tasks": list(page.tasks),
            "access_token": lambda: self.page_token(page),
            "picture": self._picture(page.picture),
            "link": f"https://www.facebook.com/{page.username or page.id}",
            "is_published": True,
            "instagram_business_account": self.account_node(linked) if linked is not None and seen else None,
        }
        return Node("Page", values, _PAGE_DEFAULT)

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

    def _account_is_seen(self, account: InstagramAccount) -> bool:
        return account.professional and self.login.has("instagram_basic") and self.login.shares("instagram", account.id)

    def _picture(self, stem: str) -> dict[str, object]:
        ends = int((self.visit.clock.now() + _PICTURE_LIFE).timestamp())
        address = f"{_PICTURES}/{stem}_200x200.png?oe={ends:X}"
        return {"data": {"height": 200, "is_silhouette": False, "url": address, "width": 200}}


async def answer(visit: Visit, version: str, parts: list[str]) -> Response:
    """One call after the version. Raises GraphError."""
    given = await graph.parameters(visit)
    if parts == ["debug_token"]:
        return graph.answer(version, {"data": _inspected(visit, given)})
    who = graph.caller(visit, given)
    visit.said |= graph.metered(visit, who)
    if who.token is not None and visit.authority.memory.get("throttled", {}).get(who.token.person, _NEVER) > visit.clock.now():
        raise GraphError(
            17, "(#17) User request limit reached", headers={"x-app-usage": '{"call_count":100,"total_time":64,"total_cputime":58}'}
        )
    if parts[1:2] == ["permissions"] and visit.method == "DELETE":
        return _revoked(visit, version, who, parts)
    if visit.method not in ("GET", "HEAD") or not parts:
        raise graph.no_such("/".join(parts), visit.method.lower())
    if who.token is None:
        raise graph.no_such(parts[0])
    seen = _Seen(visit, who.token)
    if len(parts) == 1:
        return graph.answer(version, _node(seen, parts[0]).shown(graph_nodes.fields(given.get("fields", ""))))
    if parts[1:] == ["permissions"] and _is_self(seen, parts[0]):
        return graph.answer(version, {"data": [{"permission": name, "status": status} for name, status in seen.login.permissions.items()]})
    if parts[1:] == ["content_publishing_limit"] and seen.account(parts[0]) is not None:
        seen.need("instagram_content_publish")
        return graph.answer(version, graph_nodes.publishing_limit(who.app, given))
    if parts[1:] == ["picture"]:
        shown = _node(seen, parts[0]).shown(graph_nodes.fields("picture"))
        return RedirectResponse(shown["picture"]["data"]["url"], 302)
    return graph.answer(version, graph_nodes.listed(visit, given, "/".join([version, *parts]), _edge(seen, parts)))


def _is_self(seen: _Seen, thing: str) -> bool:
    return seen.token.kind != "page" and thing in ("me", facebook_logins.user_id(seen.person, seen.token.client_id))


def _node(seen: _Seen, thing: str) -> Node:
    if _is_self(seen, thing):
        return seen.user_node()
    if thing == "me":
        thing = seen.token.subject
    if (page := seen.page(thing)) is not None:
        return seen.page_node(page)
    if (account := seen.account(thing)) is not None:
        return seen.account_node(account)
    if (business := seen.business(thing)) is not None:
        return _business_node(business)
    raise graph.no_such(thing)


def _business_node(business: Business) -> Node:
    return Node("Business", {"id": business.id, "name": business.name}, ("id", "name"))


def _edge(seen: _Seen, parts: list[str]) -> list[Node]:
    thing, edge = parts[0], "/".join(parts[1:])
    if _is_self(seen, thing) and edge == "accounts":
        seen.need("pages_show_list")
        return [seen.page_node(page) for page in seen.facebook.pages if page.direct and seen.login.shares("page", page.id)]
    if _is_self(seen, thing) and edge == "businesses":
        seen.need("business_management")
        return [_business_node(one) for one in seen.facebook.businesses if seen.login.shares("business", one.id)]
    if edge in ("owned_pages", "client_pages") and _is_self(seen, thing):
        raise GraphError(100, f"(#100) Tried accessing nonexisting field ({edge}) on node type (User)")
    if edge in ("owned_pages", "client_pages"):
        seen.need("business_management")
        business = seen.business(thing)
        if business is None:
            raise graph.no_such(thing)
        ids = business.owned if edge == "owned_pages" else business.client
        return [seen.page_node(page) for page_id in ids if (page := seen.page(page_id)) is not None]
    raise GraphError(2500, f"Unknown path components: /{edge}")


def _revoked(visit: Visit, version: str, who: Caller, parts: list[str]) -> Response:
    """DELETE /{user}/permissions[/{permission}], by the person's token or the app's own."""
    key = _person_of(visit, who, parts[0])
    login = facebook_logins.login(visit.authority, who.app.client_id, key)
    if len(parts) == 3:
        login.permissions.pop(parts[2], None)
        visit.authority.take_scope(key, parts[2], client_id=who.app.client_id)
    else:
        facebook_logins.forget(visit.authority, who.app.client_id, key)
    return graph.answer(version, True if who.app.on("bare_true") else {"success": True})


def _person_of(visit: Visit, who: Caller, thing: str) -> str:
    if who.token is not None and who.token.kind != "page" and thing == "me":
        return who.token.person
    for person in visit.world.cast.people:
        if facebook_logins.user_id(person, who.app.client_id) == thing and (who.token is None or who.token.person == person.key):
            return person.key
    raise graph.no_such(thing, "delete")


def _inspected(visit: Visit, given: Mapping[str, str]) -> dict[str, object]:
    """debug_token: what a token is, asked by its own app. A dead one is no error; it says so inside."""
    asking = graph.app_of(visit, given.get("access_token", "") or visit.bearer())
    if asking is None:
        raise GraphError(
            100, "(#100) You must provide an app access token, or a user access token that is an owner or developer of the app"
        )
    asked = graph.app_of(visit, given.get("input_token", ""))
    if asked is not None and asked.client_id == asking.client_id:
        return {"app_id": asked.client_id, "type": "APP", "application": asked.title, "is_valid": True, "scopes": []}
    try:
        token = visit.authority.find(given.get("input_token", ""))
    except Refused as refused:
        error = graph.dead(visit, refused)
        said: dict[str, object] = {"code": error.code, "message": error.message}
        said |= {"subcode": error.subcode} if error.subcode else {}
        return {"app_id": asking.client_id, "is_valid": False, "scopes": [], "error": said}
    if token.client_id != asking.client_id:
        message = "(#100) The App_id in the input_token did not match the Viewing App"
        return {"is_valid": False, "scopes": [], "error": {"code": 100, "message": message}}
    login = facebook_logins.login(visit.authority, token.client_id, token.person)
    scopes = [name for name, status in login.permissions.items() if status == facebook_logins.GRANTED]
    body: dict[str, object] = {
        "app_id": token.client_id,
        "type": "PAGE" if token.kind == "page" else "USER",
        "application": asking.title,
        "data_access_expires_at": _unix(token.consented.at + _DATA_ACCESS),
        "expires_at": _unix(token.expires_at) if token.expires_at else 0,
        "is_valid": True,
        "scopes": scopes,
        "granular_scopes": [_granular(scope, login) for scope in scopes if scope != facebook_logins.AUTOMATIC],
        "user_id": facebook_logins.user_id(visit.world.cast[token.person], token.client_id),
    }
    body |= {"issued_at": _unix(token.issued_at)} if token.kind != "user" else {}
    return body | ({"profile_id": token.subject} if token.kind == "page" else {})


def _granular(scope: str, login: Login) -> dict[str, object]:
    kind = "business" if scope == "business_management" else scope.partition("_")[0].removesuffix("s")
    ids = [target.partition(":")[2] for target in login.targets if target.startswith(f"{kind}:")]
    return {"scope": scope, "target_ids": ids} if ids else {"scope": scope}


def _unix(moment: datetime) -> int:
    return int(moment.timestamp())
