"""A wire that keeps every answer of ours as it was sent, redirects and cookies included, so that whole journeys can be searched."""

from dataclasses import dataclass

import httpx2

from tests.support.house import House


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer of ours. `headers`: names in lower case, in order, with repeats."""

    method: str
    path: str
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given == name]

    def one(self, name: str) -> str:
        """The only header of this name; empty when there is none."""
        (value,) = self.all(name) or [""]
        return value

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def is_page(self) -> bool:
        return self.one("content-type").startswith("text/html")


class Recording(httpx2.AsyncBaseTransport):
    """Stands in for a house's wire. `answers`: ours, oldest first; the networks' pages are not ours and not kept."""

    def __init__(self, house: House) -> None:
        self._wire, self._public_url = house.wire, house.services.settings.public_url
        self.answers: list[Seen] = []
        house.wire = self

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        response = await self._wire.handle_async_request(request)
        if str(request.url).startswith(self._public_url):
            body = await response.aread()
            headers = tuple((name.lower(), value) for name, value in response.headers.multi_items())
            self.answers.append(Seen(request.method, request.url.path, response.status_code, headers, body))
        return response
