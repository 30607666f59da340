"""The five networks' ways through a consent, for callers that know none of them by heart."""

from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import httpx2

from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_ALL_APP, META_APP, PINTEREST_APP, X_APP, App

BACK = "http://127.0.0.1:8420/back"
VERIFIER = "v" * 43


@dataclass(frozen=True, slots=True)
class Way:
    """One network's way through a consent, as a caller goes it. `basic`: the app's credentials travel in the header."""

    app: App
    consent: str
    token: str
    reads: tuple[str, ...]
    scope: str
    basic: bool = False
    refresh: dict[str, str] = field(default_factory=dict)
    revoke: str = ""


WAYS = {
    "facebook": Way(
        META_APP,
        "/www.facebook.com/v25.0/dialog/oauth",
        "/graph.facebook.com/v25.0/oauth/access_token",
        (
            *("/graph.facebook.com/v25.0/me?fields=id,name", "/graph.facebook.com/v25.0/me/accounts?limit=1", "/graph.facebook.com/me"),
            *("/graph.facebook.com/v25.0/me/businesses", "/graph.facebook.com/v25.0/101755847768001?fields=access_token,tasks"),
            "/graph.facebook.com/v25.0/me/permissions",
        ),
        "pages_show_list,business_management",
    ),
    "instagram": Way(
        INSTAGRAM_APP,
        "/www.instagram.com/oauth/authorize",
        "/api.instagram.com/oauth/access_token",
        ("/graph.instagram.com/v25.0/me?fields=user_id,username", "/graph.instagram.com/refresh_access_token?grant_type=ig_refresh_token"),
        "instagram_business_basic",
    ),
    "x": Way(
        X_APP,
        "/x.com/i/oauth2/authorize",
        "/api.x.com/2/oauth2/token",
        ("/api.x.com/2/users/me", "/api.x.com/2/users/me?user.fields=nonsense", "/api.x.com/2/nowhere"),
        "tweet.read users.read offline.access",
        basic=True,
        refresh={"grant_type": "refresh_token"},
        revoke="/api.x.com/2/oauth2/revoke",
    ),
    "linkedin": Way(
        LINKEDIN_ALL_APP,
        "/www.linkedin.com/oauth/v2/authorization",
        "/www.linkedin.com/oauth/v2/accessToken",
        ("/api.linkedin.com/v2/userinfo", "/api.linkedin.com/v2/me", "/api.linkedin.com/rest/organizationAcls?q=roleAssignee"),
        "openid profile r_basicprofile rw_organization_admin",
        refresh={"grant_type": "refresh_token"},
        revoke="/www.linkedin.com/oauth/v2/revoke",
    ),
    "pinterest": Way(
        PINTEREST_APP,
        "/www.pinterest.com/oauth/",
        "/api.pinterest.com/v5/oauth/token",
        ("/api.pinterest.com/v5/user_account", "/api.pinterest.com/v5/boards?page_size=1", "/api.pinterest.com/v5/boards/1/sections"),
        "user_accounts:read boards:read",
        basic=True,
        refresh={"grant_type": "refresh_token"},
        revoke="/api.pinterest.com/v5/oauth/token/revoke",
    ),
}


def authorize(network: str, state: str = "s", **more: str) -> str:
    """The consent page's address at a sandbox."""
    way = WAYS[network]
    query = {"client_id": way.app.client_id, "redirect_uri": BACK, "response_type": "code", "scope": way.scope, "state": state, **more}
    if network == "x":
        query |= {"code_challenge": VERIFIER, "code_challenge_method": "plain"}
    return f"{way.consent}?{urlencode(query)}"


async def code_of(client: httpx2.AsyncClient, network: str, person: str = "ada", **more: str) -> str:
    """The code that the person's consent gives."""
    answer = await client.post(authorize(network, **more), data={"person": person, "decision": "allow"})
    assert answer.status_code == 302, answer.text
    return dict(parse_qsl(urlsplit(answer.headers["location"]).query))["code"]


async def exchange(client: httpx2.AsyncClient, network: str, **form: str) -> httpx2.Response:
    """One call to the token endpoint with the app's credentials where they belong."""
    way = WAYS[network]
    given = {"grant_type": "authorization_code", "redirect_uri": BACK, "code_verifier": VERIFIER} | form
    if way.basic:
        return await client.post(way.token, data=given, auth=httpx2.BasicAuth(way.app.client_id, way.app.client_secret))
    return await client.post(way.token, data=given | {"client_id": way.app.client_id, "client_secret": way.app.client_secret})


async def connected(client: httpx2.AsyncClient, network: str, person: str = "ada") -> dict[str, Any]:
    """The token answer at the end of a consent."""
    answer = await exchange(client, network, code=await code_of(client, network, person))
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def read(client: httpx2.AsyncClient, path: str, token: str, **query: str) -> httpx2.Response:
    """A read with the token in the header; LinkedIn's version comes along."""
    return await client.get(path, params=query or None, headers={"authorization": f"Bearer {token}", "linkedin-version": "202609"})
