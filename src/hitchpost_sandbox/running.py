"""Running: a handle on a sandbox at an address, in this process or another one, with nothing but the standard library.

sandbox = Running("http://localhost:8421")
back = sandbox.allow(authorize_url, person="ada")
sandbox.fault("rate_limit", network="x", skip=2)
"""

import contextlib
import http.client
import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html.parser import HTMLParser
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

from hitchpost_sandbox.reading import unknown

TIMEOUT = 30.0
_MOST = 4000
"""Bytes of a refusal that are read."""
_HOST = re.compile(r"(?:\w+://)?[^/?#]*")


class SandboxRefused(Exception):
    """The sandbox did not do what was asked; the message is its own sentence."""


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Where a network sends the browser is what a test wants to see, not to follow."""

    def redirect_request(self, *_args: object, **_kwargs: object) -> None:
        return None


_opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirects)


@dataclass(frozen=True, slots=True)
class Sent:
    """Where a network sent the browser after the person's decision. `url`: that address. `query`: its query, each name once."""

    url: str
    query: Mapping[str, str]

    @property
    def error(self) -> str:
        """The network's word for a refusal, such as `access_denied`; empty when it gave a code."""
        return self.query.get("error", "")

    @property
    def code(self) -> str:
        """The authorization code, for the token endpoint. Raises SandboxRefused when the network gave none."""
        if "code" not in self.query:
            raise SandboxRefused(f"the network gave no code: {self.url}")
        return self.query["code"]


class _Text(HTMLParser):
    """What a page says in its main part, without what only looks after it."""

    def __init__(self) -> None:
        super().__init__()
        self._inside = False
        self.words: list[str] = []

    def handle_starttag(self, tag: str, _attributes: object) -> None:
        self._inside = self._inside or tag == "main"

    def handle_endtag(self, tag: str) -> None:
        self._inside = self._inside and tag != "main"
        if tag == "h1" and self.words:
            self.words[-1] += ":"

    def handle_data(self, data: str) -> None:
        if self._inside and data.strip():
            self.words.append(" ".join(data.split()))


def _sentence(answer: Any) -> str:
    """What an answer says in words: of a page its text, of anything else the beginning."""
    said: str = answer.read(100_000).decode("utf-8", "replace")
    if "html" in answer.headers.get("content-type", ""):
        page = _Text()
        page.feed(said)
        said = " ".join(page.words) or f"a page with the status {answer.status}"
    return said.strip()[:500] or f"an empty answer with the status {answer.status}"


class Running:
    """A running sandbox. Every method raises SandboxRefused with the sandbox's sentence, or OSError when nobody answers."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")
        self._hosts: frozenset[str] | None = None

    # The networks.

    def at(self, real: str) -> str:
        """Where a network's real address is reached here: `at("https://api.x.com/2/users/me")` is `http://localhost:8421/api.x.com/2/users/me`.

        A host that no network has is refused.
        """
        if real == self.url or real.startswith(self.url + "/"):
            return real
        if self._hosts is None:
            self._hosts = frozenset(host for network in self.networks().values() for host in network["hosts"])
        place = real.removeprefix("https://").lstrip("/")
        host = _HOST.findall(place)[0]
        if host.lower() not in self._hosts:
            raise SandboxRefused(unknown("the host", host, self._hosts))
        return f"{self.url}/{place}"

    def networks(self) -> dict[str, dict[str, Any]]:
        """By network its `hosts` and `authority`, and what can be asked for by name: `errors`, `turns`, `switches`, `scopes`."""
        found: dict[str, dict[str, Any]] = self._asked("GET", "networks")
        return found

    def allow(
        self, consent_page: str, person: str = "ada", *, scopes: Iterable[str] | None = None, targets: Iterable[str] | None = None
    ) -> Sent:
        """The person allows on this consent page (its real address or the sandbox's): where the browser is sent.

        None: everything that is offered is ticked; a list: what it names alone, such as `targets=["page:101755847768001"]`.
        """
        form: list[tuple[str, str]] = [("person", person), ("decision", "allow")]
        for name, ticked in (("scope", scopes), ("target", targets)):
            if ticked is not None:
                form += [("shown", name), *((name, one) for one in ticked)]
        return self._decided(consent_page, form)

    def deny(self, consent_page: str, person: str = "ada") -> Sent:
        """The person cancels: where the browser is sent."""
        return self._decided(consent_page, [("person", person), ("decision", "deny")])

    def leave(self, consent_page: str, person: str = "ada") -> None:
        """The person closes the tab: the network sends nobody back."""
        try:
            with _opener.open(self._decision(consent_page, [("person", person), ("decision", "close")]), timeout=TIMEOUT) as answer:
                answer.read()
        except urllib.error.HTTPError as answer:
            with answer:
                raise SandboxRefused(f"there was no consent page to leave: {_sentence(answer)}") from None

    def _decision(self, consent_page: str, form: list[tuple[str, str]]) -> urllib.request.Request:
        return urllib.request.Request(self.at(consent_page), urlencode(form).encode())  # noqa: S310 - the sandbox's own address

    def _decided(self, consent_page: str, form: list[tuple[str, str]]) -> Sent:
        try:
            with _opener.open(self._decision(consent_page, form), timeout=TIMEOUT) as answer:
                raise SandboxRefused(f"the network sent nobody back: {_sentence(answer)}")
        except urllib.error.HTTPError as answer:
            with answer:
                where = answer.headers.get("location", "")
                if answer.code not in (302, 303) or not where:
                    raise SandboxRefused(f"the network sent nobody back: {_sentence(answer)}") from None
        return Sent(where, dict(parse_qsl(urlsplit(where).query)))

    # What goes wrong.

    def fault(self, does: str, **filters: Any) -> int:
        """Put a [fault](#faults) on the list, its fields by name: `fault("rate_limit", network="x", skip=2)`; its number."""
        number: int = self._asked("POST", "faults", {"does": does, **filters})["id"]
        return number

    def faults(self) -> list[dict[str, Any]]:
        """Every fault with its `id` and counts: `fitted`, `spoiled`, `holding`, `over`."""
        found: list[dict[str, Any]] = self._asked("GET", "faults")
        return found

    def release(self, number: int) -> None:
        """Take a fault away and let go what it holds."""
        self._asked("DELETE", f"faults/{number}")

    def clear_faults(self) -> None:
        """Take all faults away and let go what they hold."""
        self._asked("DELETE", "faults")

    def turn(self, network: str, turn: str, person: str = "ada", **more: str) -> None:
        """Something befalls a person now: `turn("linkedin", "role_lost", "ada", target="7700101")`.

        `more`: `app`, `target`, `scope`, `detail`.
        """
        self._asked("POST", "turns", {"network": network, "turn": turn, "person": person, **more})

    # The time.

    def forward(self, **span: float) -> str:
        """Move the clock by `days`, `hours`, `minutes`, `seconds`, whose sum counts; the time it then is, in ISO form."""
        now: str = self._asked("POST", "clock", span)["now"]
        return now

    def stand(self) -> None:
        """Stop the clock: time passes by `forward` alone."""
        self._asked("POST", "clock", {"stand": True})

    def run(self) -> None:
        """Let the clock go on with the machine, from where it is."""
        self._asked("POST", "clock", {"run": True})

    # What happened.

    def ledger(self, **filters: str | int) -> list[dict[str, Any]]:
        """Everything that happened, oldest first; `filters`: `network`, `kind`, `app`, `person`, `after` (a `seq`), `limit`.

        `limit`: at most so many, the newest ones; with `after` the first ones behind it: `ledger(limit=1000, after=0)` is the first page,
        and its last `seq` the `after` of the next.
        """
        found: list[dict[str, Any]] = self._asked("GET", "ledger?" + urlencode(filters))
        return found

    def consents(self, **filters: str) -> list[dict[str, Any]]:
        """Every consent with the fate of its `codes` and `tokens`; `filters`: `person`, `app`."""
        found: list[dict[str, Any]] = self._asked("GET", "consents?" + urlencode(filters))
        return found

    # The world.

    def app(self, authority: str, client_id: str, client_secret: str, **more: Any) -> None:
        """Register an [app](#apps), or change one: `app("x", "my-app", "my-secret", redirect_uris=["https://a.example/back"])`.

        `more`: its other fields by name. An app of a client id that is known is replaced, not amended.
        """
        self._asked("POST", "apps", {"authority": authority, "client_id": client_id, "client_secret": client_secret, **more})

    def apps(self) -> list[dict[str, Any]]:
        """Every app with its fields, `client_id` and `client_secret` among them."""
        found: list[dict[str, Any]] = self._asked("GET", "apps")
        return found

    def person(self, key: str, **accounts: Any) -> None:
        """Let a [person](#people) move in, or change one.

        `accounts`: the other fields by name: `person("mia", name="Mia", email="mia@a.example", x={"id": "19", "username": "mia", "picture":
        "mia", "name": "Mia"})`. Somebody of a key that is known is replaced, not amended: an account that is left out is gone.
        """
        self._asked("PUT", f"cast/{quote(key, safe='')}", accounts)

    def keep(self, name: str) -> None:
        """Keep everything as it is now, the time too, under a name."""
        self._asked("PUT", f"snapshots/{quote(name, safe='')}", {})

    def restore(self, name: str) -> None:
        """Make everything as it was when the snapshot was kept, the time too."""
        self._asked("POST", f"snapshots/{quote(name, safe='')}/restore", {})

    def forget(self, name: str) -> None:
        """Drop a snapshot."""
        self._asked("DELETE", f"snapshots/{quote(name, safe='')}")

    def snapshots(self) -> list[str]:
        """The names of the snapshots that are kept."""
        found: list[str] = self._asked("GET", "snapshots")
        return found

    def reset(self) -> None:
        """Forget everything that happened, and every later app, person and fault; the clock and snapshots stay."""
        self._asked("POST", "reset", {})

    def _asked(self, method: str, path: str, body: object = None) -> Any:
        sent = None if body is None else json.dumps(body).encode()
        try:
            request = urllib.request.Request(  # noqa: S310 - the sandbox's own address
                f"{self.url}/_sandbox/{path}", sent, {"content-type": "application/json"}, method=method
            )
            with _opener.open(request, timeout=TIMEOUT) as answer:
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as refused:
            with refused:
                said = refused.read(_MOST).decode("utf-8", "replace")
            with contextlib.suppress(ValueError, KeyError, TypeError):
                raise SandboxRefused(json.loads(said)["message"]) from None
            page = "html" in refused.headers.get("content-type", "")
            words = "" if page else ": " + " ".join(said.split())[:100]
            raise SandboxRefused(f"no sandbox answers at {self.url}, but something with {refused.code}{words}") from None
        except (ValueError, http.client.HTTPException) as error:
            # An address that is none, a page, another protocol.
            raise SandboxRefused(f"no sandbox answers at {self.url} ({type(error).__name__})") from None
