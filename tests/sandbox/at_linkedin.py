"""What the tests of LinkedIn's twin do at it again and again."""

from dataclasses import replace
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import httpx2

from hitchpost_sandbox.apps import App, Option
from hitchpost_sandbox.world import World

BACK = "http://127.0.0.1:8420/api/social-connect/callback/linkedin"
WWW, API = "/www.linkedin.com", "/api.linkedin.com"
MEMBER = "openid profile email w_member_social"
PAGES = "r_basicprofile w_member_social rw_organization_admin r_organization_social w_organization_social"


def switch(world: World, app: App, **options: Option) -> App:
    changed = replace(app, options=options)
    world.register(changed)
    return changed


def asked(app: App, scope: str, /, **other: str) -> str:
    query = {"response_type": "code", "client_id": app.client_id, "redirect_uri": BACK, "scope": scope, "state": "s"} | other
    return f"{WWW}/oauth/v2/authorization?{urlencode(query)}"


def sent_back(answer: httpx2.Response, to: str = BACK) -> dict[str, str]:
    assert answer.status_code == 302, answer.text
    address = answer.headers["location"]
    assert address.startswith(to)
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}


async def consent(browser: httpx2.AsyncClient, app: App, scope: str, person: str = "ada") -> str:
    answer = await browser.post(asked(app, scope), data={"person": person, "decision": "allow"})
    return sent_back(answer)["code"]


async def redeem(browser: httpx2.AsyncClient, app: App, code: str, /, **other: str) -> httpx2.Response:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": app.client_id,
        "client_secret": app.client_secret,
    }
    return await browser.post(f"{WWW}/oauth/v2/accessToken", data=form | other)


async def granted(browser: httpx2.AsyncClient, app: App, scope: str, person: str = "ada") -> dict[str, Any]:
    answer = await redeem(browser, app, await consent(browser, app, scope, person))
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


async def call(browser: httpx2.AsyncClient, path: str, token: str, version: str = "202609") -> httpx2.Response:
    return await browser.get(API + path, headers={"authorization": f"Bearer {token}", "linkedin-version": version})


async def about(browser: httpx2.AsyncClient, app: App, endpoint: str, token: str, **other: str) -> httpx2.Response:
    form = {"client_id": app.client_id, "client_secret": app.client_secret, "token": token} | other
    return await browser.post(f"{WWW}/oauth/v2/{endpoint}", data=form)
