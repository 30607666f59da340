"""The one cookie: its name, its attributes, and the form tokens of people who are not signed in.

A guest's cookie is a random value without a row, so showing a form changes nothing in the database.
"""

import hashlib
import hmac
import re
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request
from starlette.responses import Response

from hitchpost.errors import Problem
from hitchpost.ids import new_token
from hitchpost.secret import Secret
from hitchpost.settings import Settings

_NAME = "hitchpost_session"
_GUEST = "g."
_VALUE = re.compile(r"(?:g\.)?[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Guest:
    """A browser that may show a form before anybody signs in. `fresh`: its cookie is still to be set, by `SessionCookie.give`."""

    value: Secret
    fresh: bool

    @property
    def form_token(self) -> str:
        """What the form must bring back: derived from the cookie, so a page of another site cannot know it (threats A21, B2)."""
        return hmac.new(self.value.reveal().encode(), b"guest form", hashlib.sha256).hexdigest()


class SessionCookie:
    """Reads and sets the cookie. `__Host-` and Secure by https, so that no sibling host can plant it (RFC 6265bis §4.1.3.2; threat B1).

    On plain http, which is for this machine only, browsers refuse both: the name is then `hitchpost_session`.
    """

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.secure
        self.name = f"__Host-{_NAME}" if self._secure else _NAME

    def read(self, request: Request) -> str | None:
        """The cookie's value, or None. Two cookies of the name are none: one of them was planted."""
        pairs = (pair.partition("=") for header in request.headers.getlist("cookie") for pair in header.split(";"))
        values = [value.strip() for name, _, value in pairs if name.strip() == self.name]
        return values[0] if len(values) == 1 and _VALUE.fullmatch(values[0]) else None

    def guest(self, request: Request) -> Guest:
        """For a page with a form: the cookie that the browser holds already, or a fresh one. Works for session cookies too."""
        value = self.read(request)
        return Guest(Secret(value), fresh=False) if value else Guest(Secret(_GUEST + new_token()), fresh=True)

    def returning(self, request: Request) -> Guest:
        """For that form's POST. Raises Problem cookies_blocked when the browser did not bring the cookie back."""
        value = self.read(request)
        if value is None:
            raise Problem("cookies_blocked")
        return Guest(Secret(value), fresh=False)

    def give(self, response: Response, guest: Guest) -> None:
        """Set a fresh guest's cookie on the page with the form; it goes when the browser closes."""
        if guest.fresh:
            self._put(response, guest.value.reveal(), None)

    def set(self, response: Response, token: Secret, life: timedelta) -> None:
        """Set a session's cookie for the session's longest life."""
        self._put(response, token.reveal(), int(life.total_seconds()))

    def drop(self, response: Response) -> None:
        """Take the cookie away."""
        self._put(response, "", 0)

    def _put(self, response: Response, value: str, max_age: int | None) -> None:
        response.set_cookie(self.name, value, max_age=max_age, path="/", secure=self._secure, httponly=True, samesite="lax")
