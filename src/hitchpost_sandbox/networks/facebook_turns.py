"""What befalls people and Pages at the simulated Facebook, behind the app's back."""

from dataclasses import replace
from datetime import timedelta

from hitchpost_sandbox import turns
from hitchpost_sandbox.networks import facebook_logins
from hitchpost_sandbox.people import FacebookLogin, Person
from hitchpost_sandbox.signed_request import DEAUTHORIZE, DELETION, tell
from hitchpost_sandbox.turns import Befallen, CannotBefall, Turn, account_of
from hitchpost_sandbox.world import World


def _dies(because: str, says: str) -> Turn:
    """What befalls a person ends the person's tokens; those of a business's system user live on."""

    async def play(world: World, whom: Befallen) -> None:
        authority = world.authority("meta")
        for app in authority.apps:
            if whom.app in ("", app.client_id):
                spared = facebook_logins.of_businesses(authority)
                authority.revoke_grants(whom.person, app.client_id, spared=spared, because=because)

    return Turn(says, play)


async def _removed(world: World, whom: Befallen, kind: str = DEAUTHORIZE) -> None:
    """The app goes, then Facebook tells its server."""
    account_of(world, whom, "facebook", FacebookLogin)
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.forget(authority, app.client_id, whom.person)
            user_id = facebook_logins.user_id(world.cast[whom.person], app.client_id)
            await tell(world, "facebook", app, whom, kind, user_id, app.client_secret)


async def _deletion(world: World, whom: Befallen) -> None:
    await _removed(world, whom, DELETION)


async def _permission_gone(world: World, whom: Befallen) -> None:
    if not whom.scope:
        raise CannotBefall("'scope' must name the permission that goes")
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.login(authority, app.client_id, whom.person).permissions[whom.scope] = facebook_logins.DECLINED
    authority.take_scope(whom.person, whom.scope, client_id=whom.app)


async def _permission_expires(world: World, whom: Befallen) -> None:
    await _permission_gone(world, whom)
    authority = world.authority("meta")
    for app in authority.apps:
        if whom.app in ("", app.client_id) and facebook_logins.known(authority, app.client_id, whom.person):
            facebook_logins.login(authority, app.client_id, whom.person).permissions[whom.scope] = facebook_logins.EXPIRED


async def _page_removed(world: World, whom: Befallen) -> None:
    """The Page is deleted: it is gone for everybody who had a part in it."""
    _demand_page(world, whom)
    for person in world.cast.people:
        if person.facebook and any(page.id == whom.target for page in person.facebook.pages):
            left = tuple(page for page in person.facebook.pages if page.id != whom.target)
            world.change(person.key, facebook=replace(person.facebook, pages=left))
    _end_page_tokens(world, whom.target, "", "page_removed")


async def _role_lost(world: World, whom: Befallen) -> None:
    login = _demand_page(world, whom)
    pages = tuple(replace(page, tasks=()) if page.id == whom.target else page for page in login.pages)
    world.change(whom.person, facebook=replace(login, pages=pages))
    _end_page_tokens(world, whom.target, whom.person, "role_lost")


def _demand_page(world: World, whom: Befallen) -> FacebookLogin:
    login = account_of(world, whom, "facebook", FacebookLogin)
    if all(page.id != whom.target for page in login.pages):
        raise CannotBefall(f"'{whom.person}' has no Page '{whom.target}': name its id as 'target'")
    return login


def _pages(person: Person) -> list[str]:
    return [page.id for page in person.facebook.pages] if person.facebook else []


def _end_page_tokens(world: World, page_id: str, person: str, because: str) -> None:
    authority = world.authority("meta")
    for token in authority.living(person=person):
        if token.kind == "page" and token.subject == page_id:
            authority.revoke(token.value, because=because)


async def _throttled(world: World, whom: Befallen) -> None:
    """The person's calls are used up for an hour."""
    account_of(world, whom, "facebook", FacebookLogin)
    world.authority("meta").memory.setdefault("throttled", {})[whom.person] = world.clock.now() + timedelta(hours=1)


async def _restored(world: World, whom: Befallen) -> None:
    world.authority("meta").memory.get("throttled", {}).pop(whom.person, None)


TURNS = {
    turns.REVOKED: Turn("the person removes the app: all tokens die (190/458), and the app's deauthorize_url is called, signed", _removed),
    "data_deletion": Turn("the same, and the person wants their data deleted: the app's deletion_url is called, signed", _deletion),
    turns.PASSWORD_CHANGED: _dies("password_changed", "the person changes the password: all tokens die (190/460)"),
    "checkpoint": _dies("checkpoint", "the person must sign in and mend something: all tokens die (190/459)"),
    "unconfirmed": _dies("unconfirmed", "the account is not confirmed any more: all tokens die (190/464)"),
    "logged_out": _dies("logged_out", "the person's session is ended: all tokens die (190/467)"),
    turns.PERMISSION_GONE: Turn("the person takes back the permission `scope`", _permission_gone, scoped=True),
    "permission_expired": Turn("the permission `scope` was not used for 90 days and expires", _permission_expires, scoped=True),
    turns.PAGE_REMOVED: Turn("the Page `target` is deleted (100/33)", _page_removed, turns.having(_pages)),
    turns.ROLE_LOST: Turn("the person loses every task on the Page `target` (190/492 for its token)", _role_lost, turns.having(_pages)),
    "throttled": Turn("the person's calls are used up for an hour (17)", _throttled),
    "restored": Turn("the throttle is lifted", _restored),
}
