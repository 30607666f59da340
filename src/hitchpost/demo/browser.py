"""A browser without a screen: follows pages, forms and redirects as a person without JavaScript would."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import httpx2

from hitchpost.demo.programs import DemoFailed

Fields = list[tuple[str, str]]


@dataclass(slots=True)
class FormOnPage:
    """A form as it stands on a page: ticked boxes and filled fields only, submit buttons apart."""

    method: str
    action: str
    fields: Fields = field(default_factory=list)
    boxes: Fields = field(default_factory=list)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[FormOnPage] = []
        self.refresh = ""
        self.text: list[str] = []
        self._form: FormOnPage | None = None
        self._silent = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = FormOnPage(given.get("method", "get").lower(), given.get("action", ""))
            self.forms.append(self._form)
        elif tag == "meta" and given.get("http-equiv", "").lower() == "refresh":
            self.refresh = given.get("content", "")
        elif tag == "input" and self._form is not None and given.get("name") and "disabled" not in given:
            self._input(self._form, given)
        elif tag in ("style", "script", "title"):
            self._silent += 1

    def _input(self, form: FormOnPage, given: Mapping[str, str]) -> None:
        pair = (given["name"], given.get("value", ""))
        kind = given.get("type", "text")
        if kind in ("checkbox", "radio"):
            form.boxes.append(pair)
            if "checked" in given:
                form.fields.append(pair)
        elif kind not in ("submit", "button", "image"):
            form.fields.append(pair)

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag in ("style", "script", "title"):
            self._silent -= 1

    def handle_data(self, data: str) -> None:
        if not self._silent and data.strip():
            self.text.append(" ".join(data.split()))


@dataclass(frozen=True, slots=True)
class Page:
    """A page that the browser stands on."""

    url: str
    status: int
    code: str
    forms: list[FormOnPage]
    refresh: str
    text: str

    def form(self, action_ends: str) -> FormOnPage:
        """The form whose action ends so. Raises DemoFailed with the page's words when there is none."""
        for form in self.forms:
            if urljoin(self.url, form.action).partition("?")[0].endswith(action_ends):
                return form
        raise DemoFailed(f"the page {self.url.partition('?')[0]} ({self.status} {self.code}) has no such form: {self.text[:300]}")


def read_page(url: str, status: int, code: str, html: str) -> Page:
    """The page in an answer; `code`: its Hitchpost-Error."""
    reader = _Reader()
    reader.feed(html)
    return Page(url, status, code, reader.forms, reader.refresh, " ".join(reader.text))


def filled(form: FormOnPage, changed: Fields, drop: tuple[str, ...] = ()) -> dict[str, list[str]]:
    """The form's own fields but those named in `changed` or `drop`, and `changed`, as they are sent."""
    names = {name for name, _ in changed} | set(drop)
    sent: dict[str, list[str]] = {}
    for name, value in [pair for pair in form.fields if pair[0] not in names] + changed:
        sent.setdefault(name, []).append(value)
    return sent


def refresh_target(page: Page) -> str:
    """Where the page moves on to by itself."""
    target = page.refresh.partition(";")[2].partition("=")[2].strip()
    return urljoin(page.url, target) if target else page.url


class Browser:
    """One cookie jar. `follow` refreshes as browsers do, within `patience` seconds."""

    def __init__(self, patience: float = 30.0) -> None:
        self._client = httpx2.Client(trust_env=False, timeout=30.0, follow_redirects=True)
        self._patience = patience

    def close(self) -> None:
        self._client.close()

    def open(self, url: str) -> Page:
        """GET a page, redirects followed."""
        return self._page(self._client.get(url))

    def submit(self, page: Page, form: FormOnPage, changed: Fields) -> Page:
        """Send a form with its own fields but those named in `changed`, and `changed`."""
        return self._page(self._client.post(urljoin(page.url, form.action or page.url), data=filled(form, changed)))

    def follow(self, page: Page) -> Page:
        """Go where the page's refresh leads, again and again, until a page stands still."""
        deadline = time.monotonic() + self._patience
        while page.refresh:
            seconds = page.refresh.partition(";")[0]
            if time.monotonic() > deadline:
                raise DemoFailed(f"the page {page.url.partition('?')[0]} goes on refreshing: {page.text[:300]}")
            time.sleep(min(float(seconds or 0), 0.2))
            page = self.open(refresh_target(page))
        return page

    def _page(self, answer: httpx2.Response) -> Page:
        return read_page(str(answer.url), answer.status_code, answer.headers.get("Hitchpost-Error", ""), answer.text)
