"""Facebook: one consent gives every Page that the person shared, each with its own token. Facts: docs/networks/facebook.md."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from hitchpost.networks import graph, meta, oauth2
from hitchpost.networks.base import Adapter, Call, Candidate, Consent, Derived, Kind, Listing, Picked, Revocation, TokenSet, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.networks.http import abreast
from hitchpost.secret import Secret

_NEEDED = ("pages_show_list", "pages_manage_posts", "pages_read_engagement")
_ENOUGH = frozenset({"CREATE_CONTENT", "PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MANAGE", "PROFILE_PLUS_FULL_CONTROL"})
"""Tasks that allow publishing: the classic one, and those of Pages in the new experience."""

_NO_PAGES = Verdict.of(
    "no_pages",
    "Facebook showed us no Page. Only Pages can be connected, not a personal profile.",
    "Connect again, choose “Edit access” and tick the Page and also the business that owns it. "
    "If you manage no Page yet, create one or ask its owner for content access.",
)


class Facebook(Adapter):
    """Facebook Login (classic): Pages, their roles, and Page tokens that outlive the person's own."""

    provider = "facebook"
    title = "Facebook"
    mark = "M10 22v-8H7v-4h3V8c0-3.3 2-5 5-5h2v4h-2c-.7 0-1 .4-1 1v2h3l-.5 4H14v8z"
    colour = "#0866ff"
    logins = (
        meta.login(
            key="facebook",
            title="Facebook",
            scopes=("pages_show_list", "business_management", "pages_manage_posts", "pages_read_engagement"),
            asks=(
                "see the Pages that you manage, also those that belong to a business",
                "read what those Pages have published and how it was received",
                "publish on the Pages that you connect",
            ),
            before=(
                "You have full control of the Page, or content access to it.",
                "When Facebook asks what to share, tick the Page and also the business that owns it.",
            ),
        ),
    )
    sent_back = graph.SENT_BACK
    image_hosts = (".fbcdn.net", ".fbsbx.com", "graph.facebook.com")
    switch_account = "Facebook uses the account signed in here. For another one, sign out at https://www.facebook.com, then connect again."
    remove_app = (
        "Open https://www.facebook.com/settings?tab=business_tools (Business Integrations, or Apps and Websites) and remove the app there."
    )

    def authorize_url(self, call: Call, *, state: str, redirect_uri: str, challenge: str, again: bool) -> str:
        return oauth2.authorize_url(call, state=state, redirect_uri=redirect_uri, challenge=challenge, extra=meta.again(again))

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        return await meta.exchange(call, code=code, redirect_uri=redirect_uri)

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        lacking = oauth2.unpermitted(call, tokens.scopes, _NEEDED)
        if lacking and (denied := oauth2.unpermitted(call, tokens.scopes, ("pages_show_list",))):
            return Listing((), empty=denied)
        pages = await meta.pages(call, tokens, accounts=False)
        candidates = sorted((_candidate(page, lacking) for page in pages.found), key=lambda one: not one.verdict.usable)
        return Listing(tuple(candidates), empty=None if candidates else _NO_PAGES, remarks=pages.remarks)

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        lacking = oauth2.unpermitted(call, tokens.scopes, _NEEDED)
        return tuple(await abreast(partial(_derived, call, tokens, lacking), picked))

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        return await self.derive(call, replace(tokens, scopes=await meta.permissions(call, tokens.access)), picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        return await meta.longer(call, tokens)

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        return await meta.revoke(call, tokens, subject)


def _candidate(page: meta.Page, lacking: Verdict | None) -> Candidate:
    return Candidate(
        kind=Kind.PAGE,
        external_id=page.id,
        name=page.name,
        handle=page.username,
        image=page.image,
        tasks=page.tasks or (),
        verdict=lacking or page.role(_ENOUGH),
    )


async def _derived(call: Call, tokens: TokenSet, lacking: Verdict | None, picked: Picked) -> Derived:
    try:
        page = await meta.page(call, tokens, picked.external_id, accounts=False)
    except Fault as fault:
        if fault.kind is not FaultKind.PERMISSION:
            raise
        return Derived(Candidate(Kind.PAGE, picked.external_id, picked.external_id, verdict=meta.out_of_sight("Page")))
    candidate = _candidate(page, lacking)
    return Derived(candidate, page.token if candidate.verdict.usable else None)
