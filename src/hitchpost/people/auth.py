"""Who is signed in: what other rooms' pages ask of a request."""

from starlette.requests import Request

from hitchpost.people.cookies import SessionCookie
from hitchpost.people.service import People, Session
from hitchpost.settings import Settings
from hitchpost.web.pages import Viewer

AFTER_SET_UP = "after=setup"
"""The query with which the set-up leads to the sign-in page. It shows a sentence and does nothing."""


class SignedIn:
    """Finds the session and the person behind a request's cookie; nothing else of a request says who somebody is."""

    def __init__(self, people: People, settings: Settings) -> None:
        self._people, self.cookie = people, SessionCookie(settings)

    async def session(self, request: Request) -> Session | None:
        """The session, for who must know how long it lasts (`expires_at`); None for a guest."""
        return await self._people.session_of(self.cookie.read(request))

    async def viewer(self, request: Request) -> Viewer | None:
        """The person as pages show them; None for a guest."""
        session = await self.session(request)
        return viewer_of(session) if session else None


def viewer_of(session: Session) -> Viewer:
    """The session as pages show it."""
    return Viewer(session.person.id, session.person.name, session.person.email, session.id, session.form_token)
