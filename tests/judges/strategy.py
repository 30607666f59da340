"""The little that social-auth-core wants of a web framework: settings, a session, the data of a request."""

from collections.abc import Mapping
from typing import Any, ClassVar

from social_core.storage import BaseStorage, NonceMixin
from social_core.strategy import BaseStrategy

from tests.judges.conftest import BACK, Outside


class Nonces(NonceMixin):  # type: ignore[misc]  # the library is not typed
    """Values that count once, in memory; unguessable, so that tests may share them."""

    known: ClassVar[set[tuple[str, int, str]]] = set()

    @classmethod
    def use(cls, server_url: str, timestamp: int, salt: str) -> bool:
        cls.known.add((server_url, timestamp, salt))
        return True

    @classmethod
    def consume(cls, server_url: str, timestamp: int, salt: str) -> bool:
        found = (server_url, timestamp, salt) in cls.known
        cls.known.discard((server_url, timestamp, salt))
        return found


class Storage(BaseStorage):  # type: ignore[misc]
    nonce = Nonces


class Framework(BaseStrategy):  # type: ignore[misc]  # the library is not typed
    """`answers`: the query that the browser came back with. Whoever is authenticated is what the network said of them."""

    def __init__(self, settings: Mapping[str, object]) -> None:
        super().__init__(storage=Storage)
        self.settings = dict(settings)
        self.session: dict[str, object] = {}
        self.answers: dict[str, str] = {}

    def get_setting(self, name: str) -> object:
        return self.settings[name]

    def request_data(self, merge: bool = True) -> dict[str, str]:
        return self.answers

    def build_absolute_uri(self, path: str | None = None) -> str:
        return BACK

    def redirect(self, url: str) -> str:
        return url

    def session_get(self, name: str, default: object = None) -> object:
        return self.session.get(name, default)

    def session_set(self, name: str, value: object) -> None:
        self.session[name] = value

    def session_pop(self, name: str) -> object:
        return self.session.pop(name, None)

    def authenticate(self, backend: object, *args: object, **kwargs: object) -> object:
        return kwargs["response"]


def backend(kind: type, outside: Outside, settings: Mapping[str, object]) -> Any:
    """The library's backend as it is, but that every address lies at the sandbox."""

    class AtTheSandbox(kind):  # type: ignore[misc]
        def request(self, url: str, **kwargs: Any) -> Any:
            return super().request(outside.at(url), **kwargs)

    return AtTheSandbox(Framework(settings), redirect_uri=BACK)


def came_back(made: Any, answers: dict[str, str]) -> Any:
    """The browser is back with these answers; what the library makes of them."""
    made.strategy.answers = answers
    made.data = answers
    return made.complete()
