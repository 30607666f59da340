"""Commons, an invented sixth network: one consent is one account. Facts: docs/networks/commons.md."""

from collections.abc import Sequence

from hitchpost.networks import oauth2
from hitchpost.networks.base import Adapter, Call, Candidate, Consent, Derived, Kind, Listing, Login, OAuthFacts, Picked, Subject, TokenSet
from hitchpost.networks.errors import Expected, Fault, FaultKind, Place, judge
from hitchpost.networks.http import Answer
from hitchpost.secret import Secret

_API = "https://api.commons.example"
_SOURCE = "docs/networks/commons.md#answers-and-errors"

EXPECTED: tuple[Expected, ...] = (
    Expected(("invalid_client",), FaultKind.MISCONFIGURED, "the client id or the client secret is wrong", _SOURCE),
    Expected(("invalid_grant",), FaultKind.REFUSED, "the code is wrong, was used before, or is too old", _SOURCE),
    Expected(("invalid_token",), FaultKind.REVOKED, "the access has expired or was taken back", _SOURCE),
)

_LOGIN = Login(
    key="commons",
    slot="commons",
    authority="commons",
    title="Commons",
    oauth=OAuthFacts(
        authorize_url="https://www.commons.example/authorize",
        token_url=f"{_API}/token",
        client_auth="basic",
        pkce=True,
        scopes_joined_by=",",
    ),
    scopes={"": ("profile", "write")},
    asks=("see the account's name and picture", "publish notes"),
    expected={Place.TOKEN: EXPECTED, Place.API: EXPECTED},
)


class Commons(Adapter):
    """OAuth 2.0 with PKCE; the account is the subject and the only candidate."""

    provider = "commons"
    title = "Commons"
    mark = "M12 4a8 8 0 1 0 5.7 13.7l-2.1-2.1a5 5 0 1 1 0-7.2l2.1-2.1A8 8 0 0 0 12 4z"
    colour = "#2f6f4f"
    logins = (_LOGIN,)
    image_hosts = ("pictures.commons.example",)
    switch_account = "Commons asks each time which account to use."
    remove_app = "Open https://www.commons.example/apps and remove the app there."

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        answer = await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=verifier)
        if not answer.ok:
            raise _fault(answer)
        tokens = oauth2.token_set(call, answer.json())
        one = await _account(call, tokens.access)
        subject = Subject(one.external_id, one.name, one.handle, one.image)
        return Consent(tokens, subject, tokens.scopes, oauth2.ungranted(call, tokens.scopes))

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        return Listing((await _account(call, tokens.access),))

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        one = await _account(call, tokens.access)
        return tuple(Derived(one) for _ in picked)


async def _account(call: Call, access: Secret) -> Candidate:
    """The account that the token speaks for. Raises Fault."""
    answer = await call.http.get(f"{_API}/account", bearer=access.reveal())
    if not answer.ok:
        raise _fault(answer)
    body = answer.json()
    name, handle, image = (oauth2.text(body, key) for key in ("name", "handle", "picture"))
    return Candidate(Kind.ACCOUNT, oauth2.text(body, "id"), name, handle, image)


def _fault(answer: Answer) -> Fault:
    return judge(EXPECTED, answer.status, answer.json().get("error"))
