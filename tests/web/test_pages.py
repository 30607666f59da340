"""Every page of every room: escaped, without script or style of its own, nothing foreign, readable by keyboard and screen reader."""

import re
from collections.abc import Mapping
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import httpx2
import pytest
from starlette.requests import Request

import hitchpost.web
from hitchpost.errors import CATALOGUE, Problem
from hitchpost.web.back import Back
from hitchpost.web.pages import ROOMS, TONES, Mark, Pages, Viewer, Way, initials, tone
from tests.support.porch import Porch

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7*7 }}"
HOUSE = Path(hitchpost.web.__file__).parent.parent
ADA = Viewer("cada", HOSTILE, "ada@example.com", "csession", "token-of-ada")
NETWORK = {"provider": "facebook", "title": "Facebook", "opens": "Facebook"}
WORKSPACE = {"id": "cw", "name": HOSTILE, "owner_name": HOSTILE}
EXPECTED = {"id": "cp", "name": HOSTILE, "handle": HOSTILE, "image": "", "why": HOSTILE}
ROW = {"name": HOSTILE, "handle": HOSTILE, "kind": "page", "kind_text": "Page", "image": ""}
OFFER = {
    **ROW,
    "key": HOSTILE,
    "connected": True,
    "usable": True,
    "why": "",
    "how": "",
    "fix_by_text": "",
    "remark": HOSTILE,
    "expected": False,
    "perhaps": True,
}
UNUSABLE = {**OFFER, "usable": False, "why": HOSTILE, "how": HOSTILE, "fix_by_text": "You can mend this."}
LOGIN = {"key": "a", "title": HOSTILE, "asks": ("see",), "before": ("be",)}
FLOW: Mapping[str, Any] = {
    "network": NETWORK,
    "workspace": WORKSPACE,
    "connection_id": "cc",
    "form_token": "t",
    "account": ROW,
    "switch_account": HOSTILE,
    "again_url": "/connect/cc/again",
    "expected": None,
    "lost": (),
    "confirms": False,
}
PROFILE = {
    **ROW, "id": "cp", "provider": "facebook", "state": "expiring", "health_text": "Expires soon", "why": HOSTILE,
    "reconnect": "/api/social-connect/start?provider=x", "path": "/workspaces/cw/profiles/cp",
}  # fmt: skip
HEALTH = {
    "message": HOSTILE, "how": HOSTILE, "missing": (HOSTILE,), "can": ("read",), "checked": HOSTILE, "until": HOSTILE, "renews": True,
    "since": HOSTILE, "code": "access_expiring", "fix_by": "person", "reconnect_path": "/api/social-connect/start?provider=x",
}  # fmt: skip
PROSPECT = {"kept": False, "kept_for": (), "ends_at_network": False, "remove_app": HOSTILE}
PAGES: Mapping[str, Mapping[str, Any]] = {
    "web/stopped.html": {
        "problem": Problem("consent_denied", network=HOSTILE),
        "also": "Nothing was connected.",
        "ways": [Way("Again", "/again", post=True, fields={"a": HOSTILE}), Way("Home", "/")],
        "workspace_name": HOSTILE,
        "provider": "facebook",
    },
    "people/sign_in.html": {
        "form_token": "t",
        "email": HOSTILE,
        "problem": Problem("sign_in_refused"),
        "set_up": True,
        "back": Back("start", "x", "c" + "w" * 24),
    },
    "workspaces/setup.html": {"form_token": "t", "problem": None, "values": {"name": HOSTILE}},
    "connect/start.html": {
        **FLOW,
        "emergency": Problem("halted"),
        "expected": EXPECTED,
        "usual": "b",
        "role": "owner",
        "logins": [LOGIN, {**LOGIN, "key": "b"}],
    },
    "connect/moving.html": {"network": NETWORK, "workspace": WORKSPACE, "url": 'https://www.facebook.com/dialog?state=s&x="><script>'},
    "connect/progress.html": {**FLOW, "what": HOSTILE, "seconds": 2},
    "connect/choose.html": {
        **FLOW,
        "candidates": [OFFER, UNUSABLE],
        "remarks": [HOSTILE],
        "also": "Nothing was connected.",
        "searchable": True,
        "problem": Problem("selection_empty"),
        "q": HOSTILE,
    },
    "connect/other_account.html": {**FLOW, "expected": EXPECTED, "lost": [(HOSTILE, HOSTILE)]},
    "connect/nothing.html": {**FLOW, "why": HOSTILE, "how": HOSTILE},
    "connect/done.html": {**FLOW, "attached": [{**ROW, "renewed": True}]},
    "console/home.html": {
        "workspaces": [
            {
                **WORKSPACE,
                "role": "owner",
                "can_connect": True,
                "profiles": [PROFILE],
            }
        ],
        "networks": [NETWORK],
        "emergency": Problem("all_withdrawn"),
    },
    "console/profile.html": {
        "workspace": WORKSPACE,
        "one": PROFILE,
        "health": HEALTH,
        "can_connect": True,
        "can_disconnect": True,
        "can_check": True,
        "emergency": None,
        "form_token": "t",
    },
    "console/disconnect.html": {"workspace": WORKSPACE, "one": PROFILE, "prospect": PROSPECT, "form_token": "t"},
    "profiles/deletion.html": {"code": HOSTILE, "on": HOSTILE},
    "console/disconnected.html": {"one": PROFILE, "fate": "kept", "kept_for": (HOSTILE,), "remove_app": ""},
}


class Markup(HTMLParser):
    """The tags of a page with their attributes, and the ids that labels name."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))


@pytest.fixture
def pages() -> Pages:
    marks = {"facebook": Mark("Facebook", "M0 0h24v24H0z", "#0866ff")}
    return Pages(public_url="http://127.0.0.1:8420", banner=HOSTILE, catalog_marks=marks)


def shown(pages: Pages, template: str, viewer: Viewer | None = ADA) -> str:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    return bytes(pages.answer(request, template, viewer=viewer, **PAGES[template]).body).decode()


def test_every_template_is_looked_at_here() -> None:
    found = {f"{room}/{path.name}" for room in ROOMS for path in (HOUSE / room / "templates").glob("*.html")}
    assert found - {"web/base.html", "web/parts.html"} == set(PAGES)


@pytest.mark.parametrize("template", PAGES)
def test_B6_names_from_outside_are_text(pages: Pages, template: str) -> None:
    text = shown(pages, template)
    assert "<script>alert" not in text
    assert "<img src=x" not in text
    assert "{{ 7*7 }}" in text
    for tag, attributes in Markup(text).tags:
        assert not [name for name in attributes if name.startswith("on") or name == "style"], tag


@pytest.mark.parametrize("template", PAGES)
def test_B4_pages_load_from_our_own_origin_only(pages: Pages, template: str) -> None:
    for tag, attributes in Markup(shown(pages, template)).tags:
        for name in ("src", "srcset", "action", "formaction", "poster", "data"):
            assert attributes.get(name, "/").startswith("/"), (tag, attributes)
        if tag == "link":
            assert attributes["href"].startswith("/static/")
        if tag in ("iframe", "object", "embed", "style", "base"):
            pytest.fail(f"{template} holds <{tag}>")
        if tag == "script":
            assert attributes["src"].startswith("/static/")


@pytest.mark.parametrize("template", PAGES)
def test_each_field_has_a_label_and_each_changing_form_a_token(pages: Pages, template: str) -> None:
    text = shown(pages, template)
    tags = Markup(text).tags
    labelled = {attributes["for"] for tag, attributes in tags if tag == "label" and "for" in attributes}
    for tag, attributes in tags:
        if tag == "input" and attributes["type"] not in ("hidden", "checkbox", "radio"):
            assert attributes["id"] in labelled
    posts = re.findall(r'<form[^>]*method="post"[^>]*>.*?</form>', text, re.DOTALL)
    assert all('name="form_token"' in form for form in posts)
    assert text.count("<h1") == 1
    assert 'lang="en"' in text
    assert 'href="#content"' in text


@pytest.mark.parametrize("template", [name for name in PAGES if name.startswith("connect/")])
def test_the_flow_says_network_workspace_and_who_is_signed_in(pages: Pages, template: str) -> None:
    text = shown(pages, template)
    assert "Facebook" in text
    assert text.count("&lt;script&gt;alert(1)") >= 2
    assert "Signed in as" in text


def test_A2_the_start_page_names_the_four_facts_and_leaves_by_its_form_only(pages: Pages) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    facts: dict[str, Any] = {
        **FLOW,
        "workspace": {"id": "cw", "name": "Lantern", "owner_name": "Olga Owner"},
        "logins": [LOGIN],
        "role": "admin",
        "emergency": None,
    }
    ada = Viewer("cada", "Ada", "ada@example.com", "csession", "token-of-ada")
    text = bytes(pages.answer(request, "connect/start.html", viewer=ada, **facts).body).decode()
    for fact in ("Facebook", "Lantern", "Olga Owner", "ada@example.com", "Nothing is connected until"):
        assert fact in text
    assert 'name="login"' not in text
    links = [attributes["href"] for tag, attributes in Markup(text).tags if tag == "a"]
    assert set(links) == {"/", "#content"}


def test_a_page_that_moves_on_names_the_whole_address(pages: Pages) -> None:
    tags = Markup(shown(pages, "connect/moving.html")).tags
    url = PAGES["connect/moving.html"]["url"]
    assert [a["content"] for tag, a in tags if tag == "meta" and a.get("http-equiv") == "refresh"] == [f"0;url={url}"]
    assert url in [a.get("href") for tag, a in tags if tag == "a"]


@pytest.mark.parametrize("code", CATALOGUE)
def test_every_problem_has_a_page_with_its_code_and_a_way_on(pages: Pages, code: str) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    answer = pages.problem(request, Problem(code, network="Facebook", detail=HOSTILE))
    text = bytes(answer.body).decode()
    assert (answer.status_code, answer.headers["hitchpost-error"]) == (CATALOGUE[code].status, code)
    assert "<script>alert" not in text
    assert 'class="button primary" href="/"' in text


def test_A14_markup_in_a_networks_words_stays_text(pages: Pages) -> None:
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": []})
    page = pages.problem(request, Problem("app_misconfigured", network="Facebook", detail=HOSTILE), viewer=ADA)
    assert b"<script>alert" not in page.body


def test_initials_stand_for_a_missing_picture() -> None:
    assert [initials(name) for name in ("Ada Lantern", "ada", "Ada Maria de Lantern", "", "<> !!", "«Ölberg»", "漢字 本")] == [
        "AL",
        "A",
        "AL",
        "·",
        "·",
        "Ö",
        "漢本",
    ]
    assert all(0 <= tone(name) < TONES for name in ("", "Ada", "\ud800"))


async def test_own_files_are_served_by_hash_for_ever_and_nothing_else(porch: Porch, client: httpx2.AsyncClient, pages: Pages) -> None:
    for name, kind in (("app.css", "text/css"), ("search.js", "text/javascript"), ("logo.svg", "image/svg+xml")):
        answer = await client.get(pages.static.url(name))
        assert answer.status_code == 200
        assert answer.headers["content-type"].startswith(kind)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    for path in ("/static/app.css", "/static/app.00000000.css", "/static/..%2fpages.py", "/static/%2e%2e/pages.py"):
        assert (await client.get(path)).status_code == 404


def test_the_stylesheet_is_small_and_loads_nothing() -> None:
    css = (HOUSE / "web/static/app.css").read_text()
    assert len(css.encode()) <= 14 * 1024
    assert "url(" not in css
    assert "@import" not in css
    assert "prefers-color-scheme: dark" in css


def _luminance(colour: str) -> float:
    digits = colour.lstrip("#")
    digits = "".join(2 * char for char in digits) if len(digits) == 3 else digits
    channels = [int(digits[place : place + 2], 16) / 255 for place in (0, 2, 4)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_has_enough_contrast_in_both_schemes(scheme: str) -> None:
    """WCAG 2.2 AA: 4.5 for text, 3 for the edges of fields."""
    css = (HOUSE / "web/static/app.css").read_text()
    light, dark = re.findall(r":root \{(.*?)\}", css, re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", light))
    if scheme == "dark":
        colours |= dict(re.findall(r"--([\w-]+): (#\w+);", dark))
    pairs = [(ink, on, 4.5) for ink in ("ink", "muted", "accent") for on in ("ground", "surface", "sunken", "accent-wash")]
    pairs += [(ink, f"{ink}-wash", 4.5) for ink in ("good", "warn", "bad")] + [
        ("on-accent", "accent", 4.5),
        ("on-accent", "accent-strong", 4.5),
    ]
    pairs += [("warn", "sunken", 4.5), ("ink", "bad-wash", 4.5), ("field-line", "surface", 3.0)]
    for ink, on, least in pairs:
        high, low = sorted((_luminance(colours[ink]), _luminance(colours[on])), reverse=True)
        assert (high + 0.05) / (low + 0.05) >= least, (ink, on)
