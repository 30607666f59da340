"""What clients from before API v5 still ask: the same consent under another address, credentials in the body, `/v1/me/`.

Pinterest has retired API v1; the network sheet does not describe it. It is here because well-known client libraries still speak it.
"""

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox.grants import Refused
from hitchpost_sandbox.networks.pinterest_api import FAILED
from hitchpost_sandbox.twin import Visit


async def token(visit: Visit) -> Response:
    """POST /v1/oauth/token: a code for an access token without a date; id and secret stand in the body."""
    form = await visit.fields()
    app = visit.authority.app(form.get("client_id", ""))
    if app is None or not app.secret_is(form.get("client_secret", "")):
        return _refusal(401, *FAILED)
    if form.get("grant_type") != "authorization_code":
        return _refusal(400, 1, "Invalid request: grant_type")
    try:
        given = visit.authority.redeem(form.get("code", ""), app, form.get("redirect_uri", ""))
    except Refused:
        return _refusal(401, 283, "The authorization grant is invalid")
    issued = visit.authority.issue(given, "production_access", life=None, look=lambda text: f"pina_{text}")
    visit.token = issued
    return JSONResponse({"access_token": issued.value, "token_type": "bearer", "scope": list(given.scopes)})


async def me(visit: Visit) -> Response:
    """GET /v1/me/: who the token speaks for; the token stands in the query or in the header."""
    try:
        found = visit.authority.find(visit.bearer() or visit.query.get("access_token", ""), "production_access")
    except Refused:
        return _refusal(401, *FAILED)
    visit.token = found
    person = visit.world.cast[found.person]
    if person.pinterest is None:
        return _refusal(401, *FAILED)
    first, _, last = person.name.partition(" ")
    address = f"https://www.pinterest.com/{person.pinterest.username}/"
    return JSONResponse({"data": {"id": person.pinterest.id, "url": address, "first_name": first, "last_name": last}})


def _refusal(status: int, code: int, message: str) -> Response:
    return JSONResponse({"status": "failure", "code": code, "message": message, "data": None}, status)
