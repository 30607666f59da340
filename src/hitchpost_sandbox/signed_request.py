"""Meta's signed_request, and the calls that Meta makes with it to an app's own server when a person removes the app or wants data deleted.

Format: base64url of the signature, a dot, base64url of the JSON payload, both without padding; HMAC-SHA256 over the encoded payload.
"""

import base64
import hashlib
import hmac
import json
from datetime import timedelta
from urllib.parse import urlsplit

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.turns import Befallen, CannotBefall
from hitchpost_sandbox.world import World

DEAUTHORIZE, DELETION = "deauthorize", "data_deletion"
SPOILED = ("bad_signature", "stale", "unknown_person")
"""How a call may be made wrong on purpose: the `detail` of a turn."""
_STALE = timedelta(days=3)


def signed(secret: str, payload: dict[str, object]) -> str:
    """The form field's value."""
    encoded = _part(json.dumps(payload, separators=(",", ":")).encode())
    return f"{_part(hmac.new(secret.encode(), encoded.encode(), hashlib.sha256).digest())}.{encoded}"


def _part(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


async def tell(world: World, network: str, app: App, whom: Befallen, kind: str, user_id: str, secret: str) -> None:
    """Call the address that the app has registered for `kind`, if any, and write down what it answered. Raises CannotBefall."""
    if whom.detail and whom.detail not in SPOILED:
        raise CannotBefall(f"'detail' spoils the call and is one of: {', '.join(SPOILED)}")
    url = str(app.options.get("deauthorize_url" if kind == DEAUTHORIZE else "deletion_url", ""))
    if not url:
        return
    issued = world.clock.now() - (_STALE if whom.detail == "stale" else timedelta())
    payload: dict[str, object] = {
        "algorithm": "HMAC-SHA256",
        "expires": int((issued + timedelta(hours=1)).timestamp()),
        "issued_at": int(issued.timestamp()),
        "user_id": "102000000000000000"[: len(user_id)] if whom.detail == "unknown_person" else user_id,
    }
    text = signed(f"not-{secret}" if whom.detail == "bad_signature" else secret, payload)
    era = world.era
    heard = await world.outgoing.tell(url, {"signed_request": text})
    if world.era != era:
        return
    answer = heard.text if kind == DEAUTHORIZE or heard.status != 200 else _judged(heard.text)
    world.ledger.write(
        network, What.TOLD, app=app.client_id, person=whom.person, kind=kind, url=url, status=heard.status, answer=answer[:500]
    )


def _judged(text: str) -> str:
    """What Meta makes of the answer to a deletion: it wants a JSON object with the address of a status page and a confirmation code."""
    try:
        said = json.loads(text)
        url, code = said["url"], said["confirmation_code"]
    except (ValueError, TypeError, KeyError):
        return "not accepted: JSON with `url` and `confirmation_code` is wanted"
    if not isinstance(url, str) or not isinstance(code, str) or urlsplit(url).scheme not in ("https", "http"):
        return "not accepted: `url` must be an address and `confirmation_code` text"
    return f"accepted: {url} {code}"
