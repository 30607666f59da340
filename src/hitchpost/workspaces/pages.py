"""The set-up page: shown while nobody is there, and gone for ever after."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.people.auth import SignedIn
from hitchpost.secret import Secret
from hitchpost.settings import Settings
from hitchpost.web.address import address_of
from hitchpost.web.forms import Form, check_form_token, read_form
from hitchpost.web.pages import Pages, Way, see_other
from hitchpost.workspaces.setup import SetUp

_SHOWN_AGAIN = ("name", "email", "workspace")
"""What a refused form brings back; the code and the password are typed again."""


class SetUpPages:
    """`/setup`. `signed_in` lends the cookie by which guests' forms are known."""

    def __init__(self, setup: SetUp, signed_in: SignedIn, pages: Pages, settings: Settings) -> None:
        self._setup, self._cookie, self._pages, self._trusted = setup, signed_in.cookie, pages, settings.trusted_proxies

    def routes(self) -> list[Route]:
        """The form and its answer."""
        return [Route("/setup", self.show, methods=["GET"]), Route("/setup", self.finish, methods=["POST"])]

    async def show(self, request: Request) -> Response:
        """The empty form; changes nothing."""
        if not await self._setup.is_open():
            return self._done(request, Problem("setup_done"))
        return self._form(request)

    async def finish(self, request: Request) -> Response:
        """Check the form, make the first person and workspace, and go to sign in."""
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
        return see_other("/sign-in")

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
