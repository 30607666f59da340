"""Logs: one JSON object a line, from which secrets are taken by type, by name of the field, and out of addresses (E5)."""

import logging
import re
import sys
import traceback
from contextlib import suppress
from pathlib import Path
from typing import TextIO, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from hitchpost.secret import Secret

HIDDEN = "[hidden]"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SECRET_WORDS = frozenset(
    ("token", "tokens", "secret", "secrets", "password", "code", "state", "authorization", "cookie", "verifier", "apikey")
)
_IN_TEXT = re.compile(r"\b((?:\w+_)?(?:token|secret|password|code|state|verifier|proof))=[^&\s\"'<>]+", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic) [\w.~+/=-]{8,}", re.IGNORECASE)
_API_KEY = re.compile(r"\bhp_[0-9a-z]{8}_[0-9a-z]+")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hides Secrets, fields with a secret's name, and secrets in the queries of addresses and in messages."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: object, value: object) -> object:
    if isinstance(value, Secret) or (isinstance(name, str) and _names_a_secret(name)):
        return HIDDEN
    if isinstance(value, str):
        # Most are single words: methods, paths, ids.
        found = _BEARER.sub(rf"\1 {HIDDEN}", value) if " " in value else value
        return _API_KEY.sub(HIDDEN, _IN_TEXT.sub(rf"\1={HIDDEN}", found)) if "=" in found or "hp_" in found else found
    if isinstance(value, dict):
        return {inner: _hidden(inner, one) for inner, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden("", one) for one in value]
    return value


def placed(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: an exception is told by its type and places, ours and the libraries' alike (E6)."""
    told = event.pop("exc_info", None)
    error = told[1] if isinstance(told, tuple) else sys.exc_info()[1] if told is True else told
    return {**event, **places(error)} if isinstance(error, BaseException) else event


def places(error: BaseException) -> dict[str, object]:
    """Type and places of an error and of what caused it. Its text stays out: libraries put addresses and values into theirs."""
    kinds: list[str] = []
    cause: BaseException | None = error
    while cause is not None and len(kinds) < 5:
        kinds.append(type(cause).__qualname__)
        cause = cause.__cause__ or cause.__context__
    frames = traceback.extract_tb(error.__traceback__)[-8:]
    return {"error": kinds, "at": [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in frames]}


def _names_a_secret(name: str) -> bool:
    words = name.lower().replace("-", "_").split("_")
    return not _SECRET_WORDS.isdisjoint(words) or "api_key" in name.lower().replace("-", "_")


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that setting up again replaces it and leaves others alone."""


class _Steady:
    """A stream that takes what it can: a terminal that is gone must not make a transaction fail that wanted to say something."""

    def __init__(self, to: TextIO) -> None:
        self._to = to

    def write(self, text: str) -> int:
        with suppress(OSError, ValueError):
            self._to.write(text)
        return len(text)

    def flush(self) -> None:
        with suppress(OSError, ValueError):
            self._to.flush()


def set_up(level: str, *, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Sends our log and the libraries' to `stream` (standard error), at `level` (debug, info, warning, error) and above.

    uvicorn's access log is off (the Shell writes one without queries) and HTTP clients are quiet: their lines hold whole addresses.
    """
    to = cast("TextIO", _Steady(stream or sys.stderr))
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        placed,
        redact,
    ]
    handler = _Handler(to)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared, processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redact, _json]
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [other for other in root.handlers if not isinstance(other, _Handler)] + [handler]
    root.setLevel(max(_LEVELS[level], logging.INFO))
    logging.getLogger("uvicorn.access").disabled = True
    for chatty in ("httpx2", "httpcore2", "sqlalchemy", "asyncio"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    structlog.configure(
        processors=[*shared, _json],
        wrapper_class=structlog.make_filtering_bound_logger(_LEVELS[level]),
        logger_factory=structlog.WriteLoggerFactory(to),
        cache_logger_on_first_use=True,
    )
    logger: FilteringBoundLogger = structlog.get_logger()
    return logger


_json = structlog.processors.JSONRenderer(ensure_ascii=False)
