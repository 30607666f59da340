"""Logs: one JSON object a line, from which secrets are taken by type, by name of the field, and out of addresses (E5)."""

import logging
import re
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from hitchpost.secret import Secret

HIDDEN = "[hidden]"
_LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
_SECRET_WORDS = frozenset(
    ("token", "tokens", "secret", "secrets", "password", "code", "state", "authorization", "cookie", "verifier", "apikey")
)
_IN_TEXT = re.compile(r"\b((?:\w+_)?(?:token|secret|password|code|state|verifier|proof))=[^&\s\"'<>]+", re.IGNORECASE)
_API_KEY = re.compile(r"\bhp_[0-9a-z]{8}_[0-9a-z]+")


def redact(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """A structlog processor: hides Secrets, fields with a secret's name, and secrets in the queries of addresses and in messages."""
    return {name: _hidden(name, value) for name, value in event.items()}


def _hidden(name: object, value: object) -> object:
    if isinstance(value, Secret) or (isinstance(name, str) and _names_a_secret(name)):
        return HIDDEN
    if isinstance(value, str):
        return _API_KEY.sub(HIDDEN, _IN_TEXT.sub(rf"\1={HIDDEN}", value)) if "=" in value or "hp_" in value else value
    if isinstance(value, dict):
        return {inner: _hidden(inner, one) for inner, one in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [_hidden("", one) for one in value]
    return value


def _names_a_secret(name: str) -> bool:
    words = name.lower().replace("-", "_").split("_")
    return not _SECRET_WORDS.isdisjoint(words) or "api_key" in name.lower().replace("-", "_")


class _Handler(logging.StreamHandler[TextIO]):
    """Ours, so that setting up again replaces it and leaves others alone."""


def set_up(level: str, *, stream: TextIO | None = None) -> FilteringBoundLogger:
    """Sends our log and the libraries' to `stream` (standard error), at `level` (debug, info, warning, error) and above.

    uvicorn's access log is off (the Shell writes one without queries) and HTTP clients are quiet: their lines hold whole addresses.
    """
    to = stream or sys.stderr
    shared: list[structlog.typing.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
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
