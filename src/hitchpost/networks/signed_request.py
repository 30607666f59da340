"""Meta's signed_request: what Facebook and Instagram call an app with when a person removes it or wants their data deleted.

base64url of HMAC-SHA256 over the encoded payload, a dot, base64url of the JSON payload, both without padding.
Source: docs/networks/facebook.md, "Deauthorize and data deletion".
"""

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from hitchpost.secret import Secret

_MAX = 4096


class NotSigned(Exception):
    """The text is not a request that one of these secrets has signed. Says no more: it comes from anybody."""


@dataclass(frozen=True, slots=True)
class Notice:
    """Whom it is about, by the id that counts for the app, and when the network wrote it; None when it does not say."""

    user_id: str
    issued_at: datetime | None


def read(text: str, secrets: Iterable[Secret]) -> Notice:
    """The notice in `text`. The signature is compared in constant time, and nothing is parsed before it holds. Raises NotSigned."""
    signature, dot, encoded = text.partition(".")
    if not dot or len(text) > _MAX or not text.isascii():
        raise NotSigned
    given = _decoded(signature)
    made = [hmac.new(one.reveal().encode(), encoded.encode(), hashlib.sha256).digest() for one in secrets]
    if not any([hmac.compare_digest(given, one) for one in made]):  # noqa: C419  (every one is compared)
        raise NotSigned
    try:
        payload = json.loads(_decoded(encoded))
        algorithm, user_id, issued = str(payload["algorithm"]), payload["user_id"], payload.get("issued_at")
        at = datetime.fromtimestamp(issued, UTC) if isinstance(issued, int) and not isinstance(issued, bool) else None
    except (ValueError, TypeError, KeyError, AttributeError, OverflowError, OSError, RecursionError):
        raise NotSigned from None
    # The algorithm is ours to choose, never the sender's: a signed payload that names another one is none of ours.
    if algorithm.upper() != "HMAC-SHA256" or not isinstance(user_id, str | int) or not str(user_id).isdecimal():
        raise NotSigned
    return Notice(str(user_id), at)


def _decoded(part: str) -> bytes:
    try:
        return base64.b64decode(part + "=" * (-len(part) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        raise NotSigned from None
