"""`hitchpost demo --walk`: the whole journey by itself for every network, over HTTP only, saying what happened."""

import httpx2

from hitchpost.demo import world
from hitchpost.demo.browser import Browser, Page
from hitchpost.demo.programs import DemoFailed
from hitchpost.demo.world import Running


def walk(running: Running, person: str = "ada") -> int:
    """Connect every configured network as the sandbox's `person`; print what happened and the attached profiles.

    0, or 1 after saying what broke.
    """
    workspace_id = world.workspace_of(running.public_url, running.key)
    browser = Browser()
    failed, ways = [], dict[str, str]()
    try:
        for provider in providers_of(running):
            try:
                attached = ", then ".join(connect(running, browser, workspace_id, provider, person, ways))
            except DemoFailed as failure:
                failed.append(provider)
                print(f"✗ {provider}: {failure}")
            else:
                print(f"✓ {provider}: {attached}")
    finally:
        browser.close()
    listed = api(running, "GET", f"social-profiles?workspaceId={workspace_id}")
    print(f"\n{len(listed)} profiles attached:")
    for profile in listed:
        told = f"{profile['name']:<24} {profile['health']:<9} {ways.get(profile['id'], ''):<9} {profile['id']}"
        print(f"  {profile['provider']:<10} {profile['kind']:<13} {told}")
    missing = {one["provider"] for one in listed} ^ set(providers_of(running))
    if failed or missing:
        print(f"\nbroken: {', '.join(sorted(set(failed) | missing))}")
        return 1
    return 0


def providers_of(running: Running) -> list[str]:
    """The configured networks, as the server says."""
    found: list[str] = running.server.json("/health")["providers"]
    return found


def api(running: Running, method: str, path: str, body: dict[str, str] | None = None) -> list[dict[str, str]]:
    """One call of the public API. Raises DemoFailed with the API's own sentence."""
    url = f"{running.public_url}/api/_public/v1/{path}"
    answer = httpx2.request(method, url, headers={"X-API-Key": running.key.reveal()}, json=body, trust_env=False)
    if answer.status_code != 200:
        raise DemoFailed(f"{method} {path.partition('?')[0]} answered {answer.status_code}: {answer.text[:300]}")
    found = answer.json()
    return found if isinstance(found, list) else [found]


def connect(
    running: Running, browser: Browser, workspace_id: str, provider: str, person: str, ways: dict[str, str] | None = None
) -> list[str]:
    """Walk a network by each of its logins, one after the other; a few words about each.

    `ways` takes the login by which each new profile came, by its id: one person may stand there once for each of a network's apps.
    """
    url = api(running, "POST", f"social-profiles/connection-url?workspaceId={workspace_id}", {"provider": provider})[0]["url"]
    page = browser.open(url)
    if "/sign-in" in page.url:
        page = browser.submit(page, page.form("/sign-in"), [("email", world.EMAIL), ("password", world.PASSWORD)])
    logins = [value for name, value in page.form("/api/social-connect/start").boxes if name == "login"]
    said, ways = [], {} if ways is None else ways
    for login in logins or [""]:
        said.append(attach(browser, browser.open(url), login, person))
        for profile in api(running, "GET", f"social-profiles?workspaceId={workspace_id}"):
            ways.setdefault(profile["id"], login)
    return said


def attach(browser: Browser, page: Page, login: str, person: str) -> str:
    """Start page, consent, choice, done; what was picked."""
    page = browser.follow(browser.submit(page, page.form("/api/social-connect/start"), [("login", login)] if login else []))
    if not any(form.action.endswith("/attach") for form in page.forms):
        page = browser.follow(consent(browser, page, person))
    choice = page.form("/attach")
    picks = [(name, value) for name, value in choice.boxes if name == "pick"]
    if not picks:
        raise DemoFailed(f"there is nothing to pick: {page.text[:300]}")
    page = browser.follow(browser.submit(page, choice, picks))
    if page.status != 200 or page.code:
        raise DemoFailed(f"attaching ended at {page.status} {page.code}: {page.text[:300]}")
    return f"{len(picks)} picked and attached" + (f" (login {login})" if login else "")


def consent(browser: Browser, page: Page, person: str) -> Page:
    """Allow everything at the sandbox's consent page as `person`."""
    for form in page.forms:
        if any(name == "person" for name, _ in form.fields + form.boxes):
            return browser.submit(page, form, [("person", person), ("decision", "allow")])
    raise DemoFailed(f"the network's page asks for nobody's consent ({page.status}): {page.text[:300]}")
