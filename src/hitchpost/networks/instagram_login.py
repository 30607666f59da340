"""Instagram Login: one professional account, without a Page, at graph.instagram.com. Facts: docs/networks/instagram.md.

The consent speaks for an app-scoped id; what is attached is the global one (17841…).
"""

from collections.abc import Mapping
from datetime import timedelta

from hitchpost.networks import graph, oauth2
from hitchpost.networks.answers import words
from hitchpost.networks.base import Call, Candidate, Consent, Kind, Login, OAuthFacts, Renewal, Subject, TokenSet, Verdict
from hitchpost.networks.errors import Expected, Fault, FaultKind, Place, judge
from hitchpost.networks.http import Answer, Json
from hitchpost.secret import Secret

_SCOPES = ("instagram_business_basic", "instagram_business_content_publish")
_FIELDS = "id,user_id,username,name,account_type,profile_picture_url"
_PAGE = "docs/networks/instagram.md"
_TOKEN, _BACK, _API = f"{_PAGE}#at-the-token-endpoint", f"{_PAGE}#sent-back-from-the-consent-page", f"{_PAGE}#at-graphinstagramcom"
_CREDENTIALS = (
    "Whoever runs this server must copy the Instagram app id and secret again (they are not the Meta app's own): "
    "Instagram → API setup with Instagram login, at https://developers.facebook.com/apps."
)

# One row a line reads as the table it is.
# fmt: off
SENT_BACK: tuple[Expected, ...] = (
    Expected(("access_denied",), FaultKind.MISCONFIGURED, "the app is not reviewed yet, and this account is not one of its testers", _BACK,
             says="developer role", mark="not_a_tester",
             how="Whoever runs this server must get the app reviewed, or invite this account as a tester, which it accepts under "
                 "“Apps and websites”."),
)

# The token endpoint gives every failure the code 400; only its sentence tells these apart.
_WITH_THE_CODE: tuple[Expected, ...] = (
    Expected(("400",), FaultKind.MISCONFIGURED, "the Instagram app id or secret is wrong", _TOKEN, says="platform app",
             mark="platform_app", how=_CREDENTIALS),
    Expected(("400",), FaultKind.MISCONFIGURED, "the Instagram app secret is wrong", _TOKEN, says="client secret", mark="client_secret",
             how=_CREDENTIALS),
    Expected(("400",), FaultKind.REFUSED, "the code is not, or no longer, valid", _TOKEN, status="400"),
)

_NOT_ELIGIBLE = Expected(
    ("100",), FaultKind.PERMISSION, "the account is not professional any more, or its permission was taken back", _API,
    how="Switch it in the Instagram app under Settings → Account type and tools, then connect again.",
)
"""`IGApiException` without a subcode, when the account is not professional (seen in public code)."""

_EXPECTED: tuple[Expected, ...] = (*graph.EXPECTED, _NOT_ELIGIBLE)
# fmt: on

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
    version_form=graph.VERSION_FORM,
    expected={Place.TOKEN: (*_WITH_THE_CODE, *graph.AT_THE_TOKEN_ENDPOINT), Place.API: _EXPECTED},
    renewal=Renewal.SELF,
    renewable_after=timedelta(days=1),
    revocable=False,
    notices=True,
    # Its own secret, or that of the Meta app it belongs to: docs/networks/instagram.md#when-a-person-removes-the-app.
    notices_also_signed_by="meta",
)


_UNNAMED = "your Instagram account"
"""Whose name cannot be read, as a personal account's: its number would tell nobody anything."""


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
            raise judge(_WITH_THE_CODE, answer.status, body.get("code"), words(body, "error_message"))
    return _unwrapped(graph.settled(answer, call.now, graph.AT_THE_TOKEN_ENDPOINT))


async def exchange(call: Call, *, code: Secret, redirect_uri: str) -> Consent:
    """Code → token of an hour → token of 60 days, and whose it is. Raises Fault.

    A personal account gets no long token and no profile; its consent is kept for the hour, so that the person is told why.
    """
    short = _redeemed(await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=None), call)
    subject = oauth2.text(short, "user_id")
    granted = oauth2.split_scopes(short.get("permissions"))
    tokens = TokenSet(oauth2.sendable(oauth2.text(short, "access_token")), call.expires(3600), scopes=granted)
    name = handle = image = ""
    try:
        tokens = await _long_lived(call, tokens)
        me = await _me(call, tokens)
    except Fault as fault:
        if fault.row is not _NOT_ELIGIBLE:
            raise
    else:
        subject, name, handle, image = oauth2.text(me, "id"), words(me, "name"), words(me, "username"), words(me, "profile_picture_url")
    return Consent(
        tokens=tokens,
        subject=Subject(subject, name or handle or _UNNAMED, handle, image),
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
    long = oauth2.token_set(call, graph.settled(answer, call.now, _EXPECTED))
    return TokenSet(long.access, long.access_expires_at, scopes=short.scopes)


async def renewed(call: Call, tokens: TokenSet) -> TokenSet:
    """60 days more for a token that lives and is a day old. Raises Fault."""
    query = {"grant_type": "ig_refresh_token", "access_token": tokens.access.reveal()}
    body = graph.settled(await call.http.get(f"{graph.INSTAGRAM}/refresh_access_token", query=query), call.now, _EXPECTED)
    return oauth2.token_set(call, body)


async def _me(call: Call, tokens: TokenSet) -> Json:
    return _unwrapped(await graph.read(call, tokens.access, "me", fields=_FIELDS, host=graph.INSTAGRAM, table=_EXPECTED))


async def account(call: Call, tokens: TokenSet) -> Candidate:
    """The one account that the token speaks for, examined. Raises Fault."""
    try:
        me = await _me(call, tokens)
    except Fault as fault:
        if fault.row is not _NOT_ELIGIBLE:
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


_PERSONAL = Verdict.of(
    "personal_account",
    "This Instagram account is personal. Instagram lets only professional accounts (Business or Creator) be connected.",
    "Switch it in the Instagram app under Settings → Account type and tools, then connect again.",
)
