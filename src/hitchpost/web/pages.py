"""Pages: one place that turns a template and its facts into an HTML answer, always escaped, and a Problem into a page with a way on."""

import hashlib
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, PrefixLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from hitchpost.errors import Problem
from hitchpost.web.static import Static

ROOMS = ("web", "people", "workspaces", "connect", "profiles", "console")
TONES = 6
"""How many background colours app.css has for initials."""


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who looks at the page. `form_token` goes into every form that changes something."""

    person_id: str
    name: str
    email: str
    session_id: str
    form_token: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Mark:
    """How a network shows itself: its title, one SVG path in a 24 × 24 box, and `#rrggbb`."""

    title: str
    path: str
    colour: str


@dataclass(frozen=True, slots=True)
class Way:
    """A way on from a page that stopped: a link, or (`post`) a small form with hidden `fields`; the viewer's form token is added."""

    label: str
    href: str
    post: bool = False
    fields: Mapping[str, str] = field(default_factory=dict)


def initials(name: str) -> str:
    """One or two capital letters that stand for a name without a picture; `·` when it has no letter or digit."""
    words = [[char for char in word if unicodedata.category(char)[0] in "LN"] for word in name.split()]
    letters = [word[0] for word in words if word]
    return "".join((letters[0], letters[-1]) if len(letters) > 1 else letters).upper() or "·"


def tone(name: str) -> int:
    """A number below TONES that stays the same for the same name."""
    return hashlib.sha256(name.encode("utf-8", "replace")).digest()[0] % TONES


def see_other(path: str) -> Response:
    """303 to a path of our own, so that a body is never carried on (B9). Raises ValueError for anything but a local path (A17)."""
    if not path.startswith("/") or path.startswith(("//", "/\\")) or not path.isascii() or not path.isprintable():
        raise ValueError("a redirect leads to a path of our own")
    return Response(status_code=303, headers={"Location": path, "Cache-Control": "no-store"})


class Pages:
    """Renders `<room>/<file>.html`. `banner` stands on every page when it is not empty; `catalog_marks` are the networks' marks."""

    def __init__(self, *, public_url: str, banner: str = "", catalog_marks: Mapping[str, Mark] | None = None) -> None:
        self.static = Static(Path(__file__).parent / "static")
        house = Path(__file__).parent.parent
        self._environment = Environment(
            loader=PrefixLoader({room: FileSystemLoader(house / room / "templates") for room in ROOMS}),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            auto_reload=False,
            cache_size=-1,
        )
        self._environment.filters.update(initials=initials, tone=tone)
        self._environment.globals.update(static=self.static.url, marks=catalog_marks or {}, banner=banner, public_url=public_url)

    def answer(
        self,
        request: Request,
        template: str,
        *,
        viewer: Viewer | None,
        status: int = 200,
        headers: Mapping[str, str] | None = None,
        **context: object,
    ) -> HTMLResponse:
        """The page; a `problem` in the context also names its code in the header `Hitchpost-Error`."""
        request_id = getattr(request.state, "request_id", "")
        body = self._environment.get_template(template).render(viewer=viewer, request_id=request_id, **context)
        problem = context.get("problem")
        named = {"Hitchpost-Error": problem.code} if isinstance(problem, Problem) else {}
        return HTMLResponse(body, status, {**named, **(headers or {})})

    def problem(
        self,
        request: Request,
        problem: Problem,
        *,
        viewer: Viewer | None = None,
        headers: Mapping[str, str] | None = None,
        ways: Sequence[Way] = (),
        workspace_name: str = "",
        provider: str = "",
        also: str = "",
        **context: object,
    ) -> HTMLResponse:
        """The page that says what stopped, who can mend it, and where to go on. `also`: what follows from it where it stopped."""
        return self.answer(
            request,
            "web/stopped.html",
            viewer=viewer,
            status=problem.status,
            headers=headers,
            problem=problem,
            ways=ways,
            workspace_name=workspace_name,
            provider=provider or problem.facts.get("provider", ""),
            also=also,
            **context,
        )
