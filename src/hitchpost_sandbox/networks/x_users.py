"""X's user objects: the account itself, lookups of others, fields and expansions (fact sheet §3)."""

import re
from typing import Any

from starlette.responses import Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.networks import x_problems
from hitchpost_sandbox.people import Person, XAccount
from hitchpost_sandbox.twin import Visit

_FIELDS = (
    *("affiliation", "confirmed_email", "connection_status", "created_at", "description", "entities", "id", "is_identity_verified"),
    *("location", "most_recent_tweet_id", "name", "parody", "pinned_tweet_id", "profile_banner_url", "profile_image_url", "protected"),
    *("public_metrics", "receives_your_dm", "subscribes_to_you", "subscription", "subscription_type", "url", "username", "verified"),
    *("verified_followers_count", "verified_type", "withheld"),
)
_NEW_NAMES = ("most_recent_post_id", "pinned_post_id")
_EXPANSIONS = ("affiliation.user_id", "most_recent_tweet_id", "pinned_tweet_id", *_NEW_NAMES)
"""Either name may be asked for while X renames; which one answers bear is the app's switch (§3)."""
_MOST = 100
_ID, _USERNAME = re.compile(r"[0-9]{1,19}"), re.compile(r"[A-Za-z0-9_]{1,15}")


def me(visit: Visit, account: XAccount | None, app: App) -> Response:
    """The account that the token speaks for."""
    return _fault(visit) or _one(visit, app, account, account, "id", "")


def by_id(visit: Visit, account: XAccount | None, app: App) -> Response:
    """GET /2/users/{id}."""
    wanted = visit.params["id"]
    return _wrong_id(visit, "id", [wanted]) or _fault(visit) or _one(visit, app, account, _named(visit, id=wanted), "id", wanted)


def by_username(visit: Visit, account: XAccount | None, app: App) -> Response:
    """GET /2/users/by/username/{username}; capitals do not matter."""
    wanted = visit.params["username"]
    found = _named(visit, username=wanted)
    return _wrong_name(visit, "username", [wanted]) or _fault(visit) or _one(visit, app, account, found, "username", wanted)


def by_ids(visit: Visit, account: XAccount | None, app: App) -> Response:
    """GET /2/users?ids=: up to 100, joined by commas."""
    wanted = [one for one in visit.query.get("ids", "").split(",") if one]
    return _wrong_id(visit, "ids", wanted) or _fault(visit, "ids") or _many(visit, app, account, "ids", "id", wanted)


def by_usernames(visit: Visit, account: XAccount | None, app: App) -> Response:
    """GET /2/users/by?usernames=: up to 100, joined by commas."""
    wanted = [one for one in visit.query.get("usernames", "").split(",") if one]
    wrong = _wrong_name(visit, "usernames", wanted) or _fault(visit, "usernames")
    return wrong or _many(visit, app, account, "usernames", "username", wanted)


def follow(visit: Visit, account: XAccount | None, _app: App) -> Response:
    """POST /2/users/{id}/following, for Enterprise: only in one's own name."""
    if account is None or visit.params["id"] != account.id:
        other = visit.params["id"]
        message = f"The `id` query parameter value [{other}] must be the same as the authenticating user"
        return x_problems.invalid(visit, ("id", [other], message))
    return x_problems.said(visit, 200, {"data": {"following": True, "pending_follow": False}})


def verify_credentials(visit: Visit, account: XAccount | None, _app: App) -> Response:
    """The account in the words of API v1.1, for clients of OAuth 1.0a."""
    if account is None:
        return x_problems.unauthorized(visit)
    body: dict[str, Any] = {
        "id": int(account.id),
        "id_str": account.id,
        "name": account.name,
        "screen_name": account.username,
        "description": account.description,
        "url": account.url or None,
        "protected": account.protected,
        "verified": account.verified_type != "none",
        "followers_count": account.followers,
        "profile_image_url_https": _picture(account),
    }
    if visit.query.get("include_email") == "true" and (person := _owner(visit, account)) is not None:
        body["email"] = person.email
    return x_problems.said(visit, 200, body)


# What may be asked for.


def _fault(visit: Visit, *own: str) -> Response | None:
    """What is wrong with the query, if anything: a parameter, a field or an expansion that X does not have."""
    known = (*own, "expansions", "post.fields", "tweet.fields", "user.fields")
    for name in visit.query:
        if name not in known and not name.startswith("oauth_"):
            message = f"The query parameter [{name}] is not one of [{','.join(sorted(known))}]"
            return x_problems.invalid(visit, (name, [visit.query[name]], message))
    for name, allowed in (("user.fields", (*_FIELDS, *_NEW_NAMES)), ("expansions", _EXPANSIONS)):
        if unknown := [one for one in _asked(visit, name) if one not in allowed]:
            message = f"The `{name}` query parameter value [{unknown[0]}] is not one of [{','.join(allowed)}]"
            return x_problems.invalid(visit, (name, unknown, message))
    return None


def _asked(visit: Visit, name: str) -> list[str]:
    return [one for one in visit.query.get(name, "").split(",") if one]


def _wrong_id(visit: Visit, name: str, wanted: list[str]) -> Response | None:
    return _wrong(visit, name, wanted, _ID, "is not valid")


def _wrong_name(visit: Visit, name: str, wanted: list[str]) -> Response | None:
    return _wrong(visit, name, wanted, _USERNAME, f"does not match ^{_USERNAME.pattern}$")


def _wrong(visit: Visit, name: str, wanted: list[str], form: re.Pattern[str], why: str) -> Response | None:
    if not 1 <= len(wanted) <= _MOST:
        return x_problems.invalid(
            visit, (name, wanted, f"The number of values in the `{name}` query parameter list is not between 1 and {_MOST}")
        )
    odd = next((one for one in wanted if not form.fullmatch(one)), None)
    if odd is None:
        return None
    return x_problems.invalid(visit, (name, [odd], f"The `{name}` query parameter value [{odd}] {why}"))


# What is told.


def _named(visit: Visit, *, id: str = "", username: str = "") -> XAccount | None:  # noqa: A002 - X's own word
    accounts = [person.x for person in visit.world.cast.people if person.x is not None]
    return next((one for one in accounts if one.id == id or (username and one.username.lower() == username.lower())), None)


def _owner(visit: Visit, account: XAccount) -> Person | None:
    return next((person for person in visit.world.cast.people if person.x is not None and person.x.id == account.id), None)


def _one(visit: Visit, app: App, caller: XAccount | None, account: XAccount | None, parameter: str, wanted: str) -> Response:
    """`data`, or 200 with nothing but `errors` for who is not found (§4.1, partial success)."""
    if account is None or (account.suspended and account != caller):
        return x_problems.said(visit, 200, {"errors": [_missed(visit, account, parameter, wanted)]})
    user, refused = _user(visit, app, account, own=caller is not None and account.id == caller.id)
    return x_problems.said(visit, 200, {"data": user} | _more(visit, app, [account], refused))


def _many(visit: Visit, app: App, caller: XAccount | None, parameter: str, kind: str, wanted: list[str]) -> Response:
    found, users, errors = [], [], []
    for one in wanted:
        account = _named(visit, **{kind: one})
        if account is None or account.suspended:
            errors.append(_missed(visit, account, parameter, one))
            continue
        user, refused = _user(visit, app, account, own=caller is not None and account.id == caller.id)
        found.append(account)
        users.append(user)
        errors += refused
    return x_problems.said(visit, 200, ({"data": users} if users else {}) | _more(visit, app, found, errors))


def _missed(visit: Visit, account: XAccount | None, parameter: str, wanted: str) -> dict[str, object]:
    suspended = account is not None
    return {
        "value": wanted,
        "detail": f"User has been suspended: [{wanted}]." if suspended else f"Could not find user with {parameter}: [{wanted}].",
        "title": "Forbidden" if suspended else "Not Found Error",
        "resource_type": "user",
        "parameter": parameter,
        "resource_id": wanted,
        "type": x_problems.type_of(visit, "resource-not-found"),
    }


def _user(visit: Visit, app: App, account: XAccount, *, own: bool) -> tuple[dict[str, Any], list[dict[str, object]]]:
    """A user object with the fields asked for, and an error for each that the token may not see."""
    new_names = app.on("new_field_names")
    everything: dict[str, Any] = {
        "created_at": account.created_at,
        "description": account.description,
        "profile_image_url": _picture(account),
        "protected": account.protected,
        "public_metrics": {
            "followers_count": account.followers,
            "following_count": 48,
            "post_count" if new_names else "tweet_count": 1405,
            "listed_count": 2,
        },
        # Real only for the account itself (§3).
        "subscription_type": account.subscription_type if own else None,
        "url": account.url,
        "verified": account.verified_type != "none",
        "verified_type": account.verified_type,
        "pinned_post_id" if new_names else "pinned_tweet_id": _pinned_id(account),
    }
    always = {"id": account.id, "name": account.name, "username": account.username}
    asked = [*_asked(visit, "user.fields"), *(name for name in _asked(visit, "expansions") if name in everything)]
    refused = []
    if "confirmed_email" in asked:
        owner = _owner(visit, account)
        if own and owner is not None and visit.token is not None and "users.email" in visit.token.scopes:
            everything["confirmed_email"] = owner.email
        else:
            refused.append(_unseen(visit, account))
    return always | {name: everything[name] for name in asked if everything.get(name) not in (None, "")}, refused


def _unseen(visit: Visit, account: XAccount) -> dict[str, object]:
    return {
        "title": "Field Authorization Error",
        "detail": f"Sorry, you are not authorized to access 'confirmed_email' on the User with id : [{account.id}].",
        "section": "data",
        "field": "confirmed_email",
        "resource_type": "user",
        "parameter": "id",
        "resource_id": account.id,
        "value": account.id,
        "type": x_problems.type_of(visit, "not-authorized-for-field"),
    }


def _more(visit: Visit, app: App, accounts: list[XAccount], errors: list[dict[str, object]]) -> dict[str, object]:
    """`includes` for the expansion of pinned posts, and `errors`, where there are any."""
    new_names = app.on("new_field_names")
    more: dict[str, object] = {}
    if {"pinned_tweet_id", "pinned_post_id"} & set(_asked(visit, "expansions")):
        history = "edit_history_post_ids" if new_names else "edit_history_tweet_ids"
        pinned = [{"id": _pinned_id(one), "text": one.pinned, history: [_pinned_id(one)]} for one in accounts if one.pinned]
        if pinned:
            more["includes"] = {"posts" if new_names else "tweets": pinned}
    return more | ({"errors": errors} if errors else {})


def _picture(account: XAccount) -> str:
    return f"https://pbs.twimg.com/profile_images/{account.id}/{account.picture}_normal.png"


def _pinned_id(account: XAccount) -> str:
    """The id of the pinned post: the account's own with another beginning; empty when nothing is pinned."""
    return f"19{account.id[2:]}" if account.pinned else ""
