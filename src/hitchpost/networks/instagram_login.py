"""Instagram Login: one professional account, without a Page, at graph.instagram.com. Facts: docs/networks/instagram.md.

The consent speaks for an app-scoped id; what is attached is the global one (17841…).
"""

from collections.abc import Mapping
from datetime import timedelta

from hitchpost.networks import graph, oauth2
from hitchpost.networks.answers import words
from hitchpost.networks.base import Call, Candidate, Consent, Kind, Login, OAuthFacts, Renewal, Subject, TokenSet, Verdict
from hitchpost.networks.errors import Expected, Fault, FaultKind, judge
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

_SCOPES = ("instagram_business_basic", "instagram_business_content_publish")
_FIELDS = "id,user_id,username,name,account_type,profile_picture_url"
_SOURCE = "docs/networks/instagram.md#answers-and-errors"

LOGIN = Login(
    key="instagram",
    slot="instagram",
    authority="instagram",
    title="Through Instagram: one account, no Page needed",
    oauth=OAuthFacts(
        authorize_url="https://www.instagram.com/oauth/authorize",
        token_url="https://api.instagram.com/oauth/access_token",  # noqa: S106  (an address)
        scopes_joined_by=",",
    ),
    scopes={"": _SCOPES},
    asks=("see the account's name and picture", "read what it has published", "publish on it"),
    before=("The Instagram account is professional (Business or Creator).",),
    default_version=graph.DEFAULT_VERSION,
    renewal=Renewal.SELF,
    renewable_after=timedelta(days=1),
    revocable=False,
    notices=True,
)

_TOLD_BY_WORDS = {"platform app": "platform_app", "client secret": "client_secret"}
"""The token endpoint gives every failure the code 400; only its sentence tells these apart: words in it → code of ours."""

_EXPECTED = (
    Expected(lambda _, code: code == "platform_app", FaultKind.MISCONFIGURED, "the Instagram app id or secret is wrong", _SOURCE),
    Expected(lambda _, code: code == "client_secret", FaultKind.MISCONFIGURED, "the Instagram app secret is wrong", _SOURCE),
    Expected(lambda _, code: code == "code", FaultKind.REFUSED, "the code is not, or no longer, valid", _SOURCE),
)

_NOT_ELIGIBLE = "100"
"""graph.instagram.com answers `IGApiException` 100 without a subcode when the account is not professional (seen in public code)."""


def again(wanted: bool) -> Mapping[str, str]:
    """Asks for credentials although signed in, so that the consent page is shown in any case."""
    return {"force_reauth": "true"} if wanted else {}


def _unwrapped(body: Json) -> Json:
    """The answer, documented as `{"data": [{…}]}` and flat in practice; a flat one may hold numbers beyond 2^53."""
    data = body.get("data")
    return data[0] if isinstance(data, list) and data and isinstance(data[0], dict) else body


def _redeemed(answer: Answer, call: Call) -> Json:
    if not answer.ok:
        body = answer.json()
        if "error_type" in body:
            message = words(body, "error_message")
            told = (code for said, code in _TOLD_BY_WORDS.items() if said in message)
            raise judge(_EXPECTED, answer.status, next(told, "code" if answer.status == 400 else f"http_{answer.status}"))
    return _unwrapped(graph.settled(answer, call.now, graph.AT_THE_TOKEN_ENDPOINT))


async def exchange(call: Call, *, code: Secret, redirect_uri: str) -> Consent:
    """Code → token of an hour → token of 60 days, and whose it is. Raises Fault.

    A personal account gets no long token and no profile; its consent is kept for the hour, so that the person is told why.
    """
    short = _redeemed(await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=None), call)
    subject = oauth2.text(short, "user_id")
    granted = oauth2.split_scopes(short.get("permissions"))
    tokens = TokenSet(Secret(oauth2.text(short, "access_token")), call.expires(3600), scopes=granted)
    name = handle = image = ""
    try:
        tokens = await _long_lived(call, tokens)
        me = await _me(call, tokens)
    except Fault as fault:
        if fault.code != _NOT_ELIGIBLE:
            raise
    else:
        subject, name, handle, image = oauth2.text(me, "id"), words(me, "name"), words(me, "username"), words(me, "profile_picture_url")
    return Consent(
        tokens=tokens,
        subject=Subject(subject, name or handle or subject, handle, image),
        granted=granted,
        missing=tuple(scope for scope in call.login.asked(call.app) if granted is not None and scope not in granted),
    )


async def _long_lived(call: Call, short: TokenSet) -> TokenSet:
    # This endpoint is documented with secret and token in the query, by GET only: the one address of ours that holds them.
    query = {
        "grant_type": "ig_exchange_token",
        "client_secret": call.app.client_secret.reveal(),
        "access_token": short.access.reveal(),
    }
    answer = await call.http.get(f"{graph.INSTAGRAM}/access_token", query=query)
    long = oauth2.token_set(call, graph.settled(answer, call.now))
    return TokenSet(long.access, long.access_expires_at, scopes=short.scopes)


async def renewed(call: Call, tokens: TokenSet) -> TokenSet:
    """60 days more for a token that lives and is a day old. Raises Fault REFUSED where Instagram says no to this very token."""
    query = {"grant_type": "ig_refresh_token", "access_token": tokens.access.reveal()}
    try:
        body = graph.settled(await call.http.get(f"{graph.INSTAGRAM}/refresh_access_token", query=query), call.now)
    except Fault as fault:
        if fault.code == _NOT_ELIGIBLE:
            raise Fault(
                FaultKind.PERMISSION, fault.code, "the account is not professional any more, or its permission was taken back"
            ) from None
        raise
    return oauth2.token_set(call, body)


async def _me(call: Call, tokens: TokenSet) -> Json:
    return _unwrapped(await graph.read(call, tokens.access, "me", fields=_FIELDS, host=graph.INSTAGRAM))


async def account(call: Call, tokens: TokenSet) -> Candidate:
    """The one account that the token speaks for, examined. Raises Fault."""
    try:
        me = await _me(call, tokens)
    except Fault as fault:
        if fault.code != _NOT_ELIGIBLE:
            raise
        return Candidate(Kind.ACCOUNT, "-", "Your Instagram account", verdict=_PERSONAL)
    username, account_type = words(me, "username"), words(me, "account_type").casefold()
    account_id = oauth2.text(me, "user_id")
    return Candidate(
        kind=Kind.ACCOUNT,
        external_id=account_id,
        name=words(me, "name") or username or account_id,
        handle=username,
        image=words(me, "profile_picture_url"),
        verdict=_PERSONAL if account_type == "personal" else oauth2.unpermitted(call, tokens.scopes, _SCOPES) or Verdict(),
    )


_PERSONAL = Verdict(
    usable=False,
    code="personal_account",
    why="This Instagram account is personal. Instagram lets only professional accounts (Business or Creator) be connected.",
    how="Switch it in the Instagram app under Settings → Account type and tools, then connect again.",
)
