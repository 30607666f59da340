"""Instagram, two ways: through Facebook Login (every professional account linked to a Page) or through Instagram Login (one account).

Both end at the same global id (17841…). Facts: docs/networks/instagram.md.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from hitchpost.networks import graph, instagram_login, meta, oauth2
from hitchpost.networks.base import Adapter, Call, Candidate, Consent, Derived, Kind, Listing, Picked, Revocation, TokenSet, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import abreast
from hitchpost.secret import Secret

_NEEDED = ("instagram_basic", "pages_show_list", "pages_read_engagement", "instagram_content_publish")
_ENOUGH = frozenset({"CREATE_CONTENT", "MANAGE", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MANAGE", "PROFILE_PLUS_FULL_CONTROL"})
_ACCOUNT_FIELDS = "id,username,name,profile_picture_url"

_NO_ACCOUNT = Verdict.of(
    "no_linked_account",
    "Facebook showed us no Instagram account, because it showed us no Page.",
    "Connect again, choose “Edit access” and tick the Page, the Instagram account and also the business that owns them. "
    "The Instagram account must be professional (Business or Creator) and linked to the Page.",
)


class Instagram(Adapter):
    """Professional accounts, by the login that the operator configured; `call.login.key` says which one was used."""

    provider = "instagram"
    title = "Instagram"
    mark = (
        "M7 2h10a5 5 0 0 1 5 5v10a5 5 0 0 1-5 5H7a5 5 0 0 1-5-5V7a5 5 0 0 1 5-5z"
        "M7 4a3 3 0 0 0-3 3v10a3 3 0 0 0 3 3h10a3 3 0 0 0 3-3V7a3 3 0 0 0-3-3z"
        "M12 7a5 5 0 0 1 0 10a5 5 0 0 1 0-10zM12 9a3 3 0 0 0 0 6a3 3 0 0 0 0-6zM17.2 5.5a1.3 1.3 0 0 1 0 2.6a1.3 1.3 0 0 1 0-2.6z"
    )
    colour = "#d62976"
    logins = (
        meta.login(
            key="facebook",
            title="Through Facebook: accounts that are linked to a Page",
            scopes=("instagram_basic", "pages_show_list", "pages_read_engagement", "business_management", "instagram_content_publish"),
            asks=(
                "see the Instagram accounts of the Pages that you manage, also those that belong to a business",
                "read what those accounts have published",
                "publish on the Instagram accounts that you connect",
            ),
            before=(
                "The Instagram account is professional (Business or Creator) and linked to a Facebook Page.",
                "You have full control of that Page, or content access to it.",
                "When Facebook asks what to share, tick the Page, the Instagram account and also the business that owns them.",
            ),
        ),
        instagram_login.LOGIN,
    )
    sent_back = (*instagram_login.SENT_BACK, *graph.SENT_BACK)
    image_hosts = (".cdninstagram.com", ".fbcdn.net", "graph.facebook.com")
    switch_account = (
        "The account that this browser is signed in with is used. To use another one, sign out at https://www.instagram.com "
        "(or https://www.facebook.com, when you connect through Facebook) and connect again."
    )
    remove_app = (
        "Open https://www.instagram.com/accounts/manage_access/ (Apps and websites) and remove the app there; "
        "if you connected through Facebook, at https://www.facebook.com/settings?tab=business_tools."
    )

    def authorize_url(self, call: Call, *, state: str, redirect_uri: str, challenge: str, again: bool) -> str:
        extra = instagram_login.again(again) if _direct(call) else meta.again(again)
        return oauth2.authorize_url(call, state=state, redirect_uri=redirect_uri, challenge=challenge, extra=extra)

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        if _direct(call):
            return await instagram_login.exchange(call, code=code, redirect_uri=redirect_uri)
        return await meta.exchange(call, code=code, redirect_uri=redirect_uri)

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        if _direct(call):
            return Listing((await instagram_login.account(call, tokens),))
        lacking = oauth2.unpermitted(call, tokens.scopes, _NEEDED)
        if lacking and (denied := oauth2.unpermitted(call, tokens.scopes, ("pages_show_list", "instagram_basic"))):
            return Listing((), empty=denied)
        pages = await meta.pages(call, tokens, accounts=True)
        examined = await abreast(partial(_examined, call, tokens.access, lacking), pages.found)
        best_first = sorted(examined, key=lambda one: (not one.verdict.usable, one.kind is Kind.PAGE))
        # One account may stand behind two Pages: the one that can be used is kept.
        once = {(one.kind, one.external_id): one for one in reversed(best_first)}
        return Listing(tuple(reversed(once.values())), empty=None if once else _NO_ACCOUNT, remarks=pages.remarks)

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        if _direct(call):
            found = await instagram_login.account(call, tokens)
            return tuple(Derived(found if one.external_id == found.external_id else _gone(one)) for one in picked)
        lacking = oauth2.unpermitted(call, tokens.scopes, _NEEDED)
        return tuple(await abreast(partial(_derived, call, tokens, lacking), picked))

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        if not _direct(call):
            tokens = replace(tokens, scopes=await meta.permissions(call, tokens.access))
        return await self.derive(call, tokens, picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        return await instagram_login.renewed(call, tokens) if _direct(call) else await meta.longer(call, tokens)

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        return Revocation.UNSUPPORTED if _direct(call) else await meta.revoke(call, tokens, subject)


def _direct(call: Call) -> bool:
    return call.login.key == instagram_login.LOGIN.key


async def _examined(call: Call, token: Secret, lacking: Verdict | None, page: meta.Page) -> Candidate:
    """The account behind a Page; or the Page itself, unusable, when it has none."""
    if page.linked is None:
        why = f"The Page “{page.name}” shows us no professional Instagram account."
        how = (
            "Link the account in the Page's settings under “Linked accounts”; a personal account must first be switched "
            "to a professional one in the Instagram app. If it is linked already, connect again and tick the Instagram account too."
        )
        return Candidate(
            Kind.PAGE,
            page.id,
            page.name,
            page.username,
            page.image,
            tasks=page.tasks or (),
            verdict=Verdict.of("no_linked_account", why, how),
        )
    account = page.linked
    if not account.username:
        try:
            account = await _read(call, token, account.id)
        except Fault as fault:
            if fault.kind is not FaultKind.PERMISSION:
                raise
            return _gone(Picked(Kind.ACCOUNT, account.id, page.id))
    return Candidate(
        kind=Kind.ACCOUNT,
        external_id=account.id,
        name=account.name or account.username or account.id,
        handle=account.username,
        image=account.image,
        parent_id=page.id,
        tasks=page.tasks or (),
        verdict=lacking or page.role(_ENOUGH),
    )


async def _read(call: Call, token: Secret, account_id: str) -> meta.Linked:
    return meta.linked(await graph.read(call, token, account_id, fields=_ACCOUNT_FIELDS))


def _gone(picked: Picked) -> Candidate:
    return Candidate(
        Kind.ACCOUNT, picked.external_id, picked.external_id, parent_id=picked.parent_id, verdict=meta.out_of_sight("Instagram account")
    )


async def _derived(call: Call, tokens: TokenSet, lacking: Verdict | None, picked: Picked) -> Derived:
    """The account read once more with the very Page token that will publish on it."""
    try:
        page = await meta.page(call, tokens, picked.parent_id, accounts=True)
        if page.linked is None or page.linked.id != picked.external_id:
            return Derived(_gone(picked))
        if page.token is None:
            return Derived(await _examined(call, tokens.access, lacking, page))
        account = await _read(call, page.token, picked.external_id)
    except Fault as fault:
        if fault.kind is not FaultKind.PERMISSION:
            raise
        return Derived(_gone(picked))
    candidate = await _examined(call, page.token, lacking, replace(page, linked=account))
    return Derived(candidate, page.token if candidate.verdict.usable else None)
