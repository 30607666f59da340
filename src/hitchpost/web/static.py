"""Our own stylesheet, script and drawings, served from memory under names that change with their content; nothing foreign is loaded."""

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from hitchpost.errors import Problem

_TYPES = {".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}


class Static:
    """The files of one folder, read once."""

    def __init__(self, folder: Path) -> None:
        self._urls: dict[str, str] = {}
        self._files: dict[str, tuple[bytes, str]] = {}
        for path in sorted(folder.iterdir()):
            if media_type := _TYPES.get(path.suffix):
                content = path.read_bytes()
                name = f"{path.stem}.{hashlib.sha256(content).hexdigest()[:8]}{path.suffix}"
                self._urls[path.name] = f"/static/{name}"
                self._files[name] = content, media_type

    def url(self, name: str) -> str:
        """The path of `app.css` and the like, with its hash. Raises KeyError for a file that is not there."""
        return self._urls[name]

    def route(self) -> Route:
        """The route that serves them all."""
        return Route("/static/{name}", self._answer)

    async def _answer(self, request: Request) -> Response:
        found = self._files.get(request.path_params["name"])
        if found is None:
            raise Problem("not_found")
        content, media_type = found
        return Response(content, media_type=media_type, headers={"Cache-Control": "public, max-age=31536000, immutable"})
