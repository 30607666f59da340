"""Calls at graph.facebook.com as far as connecting needs them, from the token endpoint to objects, lists and revoking.

What a token sees is what the person ticked and has a role on (`facebook_seen`); everything else is 100/33, as if it did not exist.
"""

from datetime import UTC, datetime

from starlette.responses import RedirectResponse, Response

from hitchpost_sandbox import graph, graph_nodes
from hitchpost_sandbox.graph import Caller, GraphError
from hitchpost_sandbox.graph_nodes import Asked
from hitchpost_sandbox.networks import facebook_debug, facebook_logins, facebook_tokens
from hitchpost_sandbox.networks.facebook_logins import SYSTEM
from hitchpost_sandbox.networks.facebook_seen import EDGES, Seen
from hitchpost_sandbox.twin import Visit

PATHS = graph.paths(
    "/oauth/access_token",
    "/debug_token",
    "/{id}",
    "/{id}/permissions",
    "/{id}/permissions/{permission}",
    *(f"/{{id}}/{edge}" for edge in ("content_publishing_limit", "picture", *EDGES)),
)
"""What `call` answers with more than an error."""
_NEVER = datetime.min.replace(tzinfo=UTC)


async def call(visit: Visit) -> Response:
    """Everything at graph.facebook.com."""
    version = graph.VERSIONS[-1]
    given = await graph.parameters(visit)
    try:
        version, parts = graph.route(visit, given)
        if parts == ["oauth", "access_token"]:
            return await facebook_tokens.token(visit, version, given)
        return _answer(visit, version, parts, given)
    except GraphError as error:
        return graph.refused(visit, version, given, error)


def _answer(visit: Visit, version: str, parts: list[str], given: dict[str, str]) -> Response:
    """One call after the version. Raises GraphError."""
    if parts == ["debug_token"]:
        return graph.answer(version, {"data": facebook_debug.inspected(visit, given)})
    who = graph.caller(visit, given)
    _count(visit, who)
    # For callers that cannot say DELETE, the Graph takes it as a parameter of a POST.
    method = given.get("method", "").upper() or visit.method if visit.method == "POST" else visit.method
    if parts[1:2] == ["permissions"] and method == "DELETE":
        return _revoked(visit, version, who, parts)
    if method not in ("GET", "HEAD") or not parts:
        raise graph.no_such("/".join(parts), method.lower())
    if who.token is None:
        raise graph.no_such(parts[0])
    seen = Seen(visit, who.token, version)
    if len(parts) == 1:
        return graph.answer(version, seen.node(parts[0]).shown(graph_nodes.fields(given.get("fields", "")), alone=True))
    if parts[1] == "permissions" and len(parts) < 4 and seen.is_self(parts[0]):
        wanted = parts[2] if len(parts) == 3 else given.get("permission", "")
        found = [one for one in seen.permissions() if wanted in ("", one["permission"]) and given.get("status", "") in ("", one["status"])]
        return graph.answer(version, {"data": found})
    if parts[1:] == ["content_publishing_limit"] and seen.account(parts[0]) is not None:
        seen.need("instagram_content_publish")
        return graph.answer(version, graph_nodes.publishing_limit(who.app, given))
    if parts[1:] == ["picture"]:
        return _picture(visit, version, seen, parts[0], given)
    nodes = seen.edge(parts[0], "/".join(parts[1:]))
    return graph.answer(version, graph_nodes.listed(visit, given, "/".join([version, *parts]), nodes))


def _count(visit: Visit, who: Caller) -> None:
    """What is used up: of the app's calls, of the Page's or system user's own, of the person's. Raises GraphError."""
    token = who.token
    business = ""
    if token is not None and token.kind == "page":
        business = token.subject
    elif token is not None and token.kind == SYSTEM:
        business = facebook_logins.system_user_id(visit.world.cast[token.person], token.client_id)
    visit.said |= graph.metered(visit, who, business)
    if token is not None and visit.authority.memory.get("throttled", {}).get(token.person, _NEVER) > visit.clock.now():
        raise GraphError(
            17, "(#17) User request limit reached", headers={"x-app-usage": '{"call_count":100,"total_time":64,"total_cputime":58}'}
        )


def _picture(visit: Visit, version: str, seen: Seen, thing: str, given: dict[str, str]) -> Response:
    """The edge `picture`: the picture itself, or its description with `redirect=false`."""
    said: dict[str, str] = {name: given[name] for name in ("type", "width", "height") if name in given}
    shown = seen.node(thing).shown({"picture": Asked(said=said)})
    if given.get("redirect", "").lower() in ("0", "false"):
        return graph.answer(version, shown["picture"])
    host, _, path = shown["picture"]["data"]["url"].removeprefix("https://").partition("/")
    return RedirectResponse(visit.reach(host, f"/{path}"), 302)


def _revoked(visit: Visit, version: str, who: Caller, parts: list[str]) -> Response:
    """DELETE /{user}/permissions[/{permission}], by the person's token or the app's own; a system user's ends what its business granted."""
    if who.token is not None and who.token.kind == SYSTEM and parts[0] == "me":
        visit.authority.revoke_family(who.token.consented.family, because="app_removed")
        return graph.answer(version, True if who.app.on("bare_true") else {"success": True})
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
