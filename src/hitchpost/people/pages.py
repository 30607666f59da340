"""Signing in and out in the browser. Whatever goes wrong, the form comes back with a sentence and works at once."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.people.auth import AFTER_SET_UP, SignedIn, viewer_of
from hitchpost.people.service import People
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.web.address import address_of
from hitchpost.web.back import Back
from hitchpost.web.forms import check_form_token, read_form
from hitchpost.web.pages import Pages, see_other


def routes(people: People, pages: Pages, settings: Settings) -> list[Route]:
    """`/sign-in` and `/sign-out`."""
    signing = _Signing(people, pages, settings)
    return [
        Route("/sign-in", signing.sign_in, methods=["GET", "POST"]),
        Route("/sign-out", signing.sign_out, methods=["POST"]),
    ]


class _Signing:
    def __init__(self, people: People, pages: Pages, settings: Settings) -> None:
        self._people, self._pages, self._settings = people, pages, settings
        self._signed_in = SignedIn(people, settings)
        self._cookie = self._signed_in.cookie

    async def sign_in(self, request: Request) -> Response:
        """GET shows the form, for somebody who is signed in also who that is and the way on, and changes nothing.

        POST checks the form against the cookie that was given with it, then the password; then back to where the person came from.
        """
        if request.method != "POST":
            return await self._form(request, Back.read(request.query_params))
        form = await read_form(request)
        back, email = Back.read(form), form.get("email")[:254]
        try:
            check_form_token(form, self._cookie.returning(request).form_token)
            token, _ = await self._people.sign_in(
                email,
                Secret(form.get("password")),
                address=address_of(request, self._settings.trusted_proxies),
                cookie=self._cookie.read(request),
            )
        except Problem as problem:
            return await self._form(request, back, email=email, problem=problem)
        answer = see_other(back.path())
        self._cookie.set(answer, token, self._people.longest_life)
        return answer

    async def sign_out(self, request: Request) -> Response:
        """End the session and take its cookie away. A guest is where signing out leads already."""
        form = await read_form(request)
        session = await self._signed_in.session(request)
        answer = see_other("/sign-in")
        if session is not None:
            try:
                check_form_token(form, session.form_token)
            except Problem as problem:
                return self._pages.problem(request, problem, viewer=viewer_of(session))
            await self._people.sign_out(session)
            self._cookie.drop(answer)
        return answer

    async def _form(self, request: Request, back: Back, *, email: str = "", problem: Problem | None = None) -> Response:
        viewer = await self._signed_in.viewer(request)
        guest = self._cookie.guest(request)
        answer = self._pages.answer(
            request,
            "people/sign_in.html",
            viewer=viewer,
            status=problem.status if problem else 200,
            form_token=guest.form_token,
            email=email,
            problem=problem,
            back=back,
            set_up=request.url.query == AFTER_SET_UP,
        )
        self._cookie.give(answer, guest)
        return answer
