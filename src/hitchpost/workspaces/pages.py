"""The set-up page: shown while nobody is there, and gone for ever after."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.people.auth import AFTER_SET_UP, SignedIn
from hitchpost.people.cookies import SessionCookie
from hitchpost.people.service import People
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.web.address import address_of
from hitchpost.web.forms import Form, check_form_token, read_form
from hitchpost.web.pages import Pages, Way, see_other
from hitchpost.workspaces.service import Workspaces
from hitchpost.workspaces.setup import SetUp

_SHOWN_AGAIN = ("name", "email", "workspace")
"""What a refused form brings back; the code and the password are typed again."""


def routes(workspaces: Workspaces, people: People, pages: Pages, settings: Settings) -> list[Route]:
    """`/setup`: the form and its answer, as one route, so that a 405 names both."""
    page = _SetUpPage(workspaces.setup, SignedIn(people, settings).cookie, pages, settings)
    return [Route("/setup", page.page, methods=["GET", "POST"])]


class _SetUpPage:
    def __init__(self, setup: SetUp, cookie: SessionCookie, pages: Pages, settings: Settings) -> None:
        self._setup, self._cookie, self._pages, self._trusted = setup, cookie, pages, settings.trusted_proxies

    async def page(self, request: Request) -> Response:
        """GET shows the empty form and changes nothing; POST makes the first person and workspace, and goes to sign in."""
        if request.method == "POST":
            return await self._finish(request)
        if not await self._setup.is_open():
            return self._done(request, Problem("setup_done"))
        return self._form(request)

    async def _finish(self, request: Request) -> Response:
        form = await read_form(request)
        try:
            check_form_token(form, self._cookie.returning(request).form_token)
            await self._setup.finish(
                code=Secret(form.get("code")),
                name=form.get("name"),
                email=form.get("email"),
                password=Secret(form.get("password")),
                workspace=form.get("workspace"),
                address=address_of(request, self._trusted),
            )
        except Problem as problem:
            return self._done(request, problem) if problem.code == "setup_done" else self._form(request, form, problem)
        return see_other(f"/sign-in?{AFTER_SET_UP}")

    def _done(self, request: Request, problem: Problem) -> Response:
        return self._pages.problem(request, problem, ways=[Way("Sign in", "/sign-in")])

    def _form(self, request: Request, form: Form | None = None, problem: Problem | None = None) -> Response:
        guest = self._cookie.guest(request)
        answer = self._pages.answer(
            request,
            "workspaces/setup.html",
            viewer=None,
            status=problem.status if problem else 200,
            form_token=guest.form_token,
            problem=problem,
            values={name: form.get(name) for name in _SHOWN_AGAIN} if form else {},
        )
        self._cookie.give(answer, guest)
        return answer
