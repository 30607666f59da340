"""Forms as browsers send them without JavaScript: urlencoded, small, strict UTF-8, and with this session's token."""

import hmac
from collections.abc import Mapping, Sequence
from urllib.parse import parse_qsl

from starlette.requests import Request

from hitchpost.errors import Problem

MAX_BYTES = 64 * 1024
MAX_FIELDS = 1000
MEDIA_TYPE = "application/x-www-form-urlencoded"


class Form:
    """What was sent, in order. Its repr names fields only: values may be passwords."""

    __slots__ = ("_fields",)

    def __init__(self, fields: Mapping[str, Sequence[str]]) -> None:
        self._fields = fields

    def get(self, name: str) -> str:
        """The field's first value, empty when it is absent."""
        return next(iter(self._fields.get(name, ())), "")

    def all(self, name: str) -> list[str]:
        """Every value of a repeated field."""
        return list(self._fields.get(name, ()))

    def __repr__(self) -> str:
        return f"Form({', '.join(self._fields)})"


async def read_form(request: Request) -> Form:
    """The request's form. Raises Problem form_type_unsupported, body_too_large or bad_request."""
    if request.headers.get("content-type", "").partition(";")[0].strip().lower() != MEDIA_TYPE:
        raise Problem("form_type_unsupported")
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BYTES:
            raise Problem("body_too_large", limit="64 KiB")
    return parse_form(bytes(body))


def parse_form(body: bytes) -> Form:
    """The form in `body`. Raises Problem bad_request for too many fields, broken UTF-8 or a NUL (which no database of ours can store)."""
    try:
        text = body.decode("utf-8")
        pairs = parse_qsl(text, keep_blank_values=True, encoding="utf-8", errors="strict", max_num_fields=MAX_FIELDS)
    except UnicodeDecodeError:
        raise Problem("bad_request", detail="the form is not valid UTF-8") from None
    except ValueError:
        raise Problem("bad_request", detail=f"the form has more than {MAX_FIELDS} fields") from None
    fields: dict[str, list[str]] = {}
    for name, value in pairs:
        if "\x00" in name or "\x00" in value:
            raise Problem("bad_request", detail="the form holds a NUL character")
        fields.setdefault(name, []).append(value)
    return Form(fields)


def check_form_token(form: Form, expected: str) -> None:
    """Raises Problem form_expired unless the form holds exactly this session's token (B2), compared in constant time."""
    given = form.all("form_token")
    if not expected or len(given) != 1 or not hmac.compare_digest(given[0].encode(), expected.encode()):
        raise Problem("form_expired")
