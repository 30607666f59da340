"""LinkedIn: the person, and the organizations whose pages that person runs. Facts: docs/networks/linkedin.md.

Two apps may stand side by side, because the product that covers pages tolerates no other on its app. An app's variant says what it covers:
A the person (self-serve), B pages (Community Management), C both (Advertising).
"""

import asyncio
import html
import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial

from hitchpost.errors import FixBy
from hitchpost.networks import oauth2, organizations, restli
from hitchpost.networks.answers import part, words
from hitchpost.networks.base import (
    Adapter,
    Call,
    Candidate,
    Consent,
    Derived,
    Kind,
    Listing,
    Login,
    OAuthFacts,
    Picked,
    Renewal,
    Revocation,
    Subject,
    TokenSet,
    Verdict,
)
from hitchpost.networks.errors import Cause, Fault, FaultKind
from hitchpost.networks.http import Json, abreast
from hitchpost.secret import Secret

_OF_PAGES = ("r_basicprofile", "rw_organization_admin", "r_organization_social", "w_organization_social")
_SCOPES = {
    "A": ("openid", "profile", "email", "w_member_social"),
    "B": (*_OF_PAGES, "w_member_social"),
    "C": ("openid", "profile", "w_member_social", *_OF_PAGES),
}
"""One fixed set for each kind of app: consenting to another set kills the person's earlier tokens of that app."""

_SIGN_IN, _SHARE, _PAGES = "Sign In with LinkedIn using OpenID Connect", "Share on LinkedIn", "Community Management API"
_PRODUCTS = {"openid": _SIGN_IN, "profile": _SIGN_IN, "email": _SIGN_IN, "w_member_social": _SHARE}
"""What an operator must add to the app to be allowed a scope; every scope that is not named here comes with pages."""

_LISTING = ("rw_organization_admin", "r_organization_admin")
_EARLY = (2.0, 4.0, 6.0)
"""Seconds between tries while a token is only just issued and LinkedIn may not know it everywhere (5–10 s, seen in public code)."""

_OAUTH = OAuthFacts(authorize_url=restli.OAUTH + "/authorization", token_url=restli.OAUTH + "/accessToken")


class LinkedIn(Adapter):
    """`pause`: waits that many seconds between the early tries."""

    provider = "linkedin"
    title = "LinkedIn"
    mark = (
        "M3.5 9h4v12h-4zM5.5 3a2.2 2.2 0 0 1 0 4.4a2.2 2.2 0 0 1 0-4.4z"
        "M9.8 9h3.8v1.7c.7-1.3 2-2 3.6-2c3.1 0 4.5 2 4.5 5.3v7h-4v-6.3c0-1.8-.7-2.6-1.9-2.6c-1.3 0-2 .9-2 2.7V21h-4z"
    )
    colour = "#0a66c2"
    logins = (
        Login(
            key="member",
            slot="linkedin",
            authority="linkedin",
            title="As a person: your own profile",
            oauth=_OAUTH,
            scopes=_SCOPES,
            asks=("see your name, picture and e-mail address", "publish as you"),
            before=("In this browser, linkedin.com is signed in as the person to connect, or as nobody.",),
            variants=("A", "B", "C"),
            default_version=restli.DEFAULT_VERSION,
            version_form=restli.VERSION_FORM,
            expected=restli.JUDGED,
            renewal=Renewal.CONTINUOUS,
        ),
        Login(
            key="pages",
            slot="linkedin_pages",
            authority="linkedin",
            title="As pages: the organizations that you run, and your own profile",
            oauth=_OAUTH,
            scopes=_SCOPES,
            asks=(
                "see your name and picture",
                "see on which pages you have a role",
                "read what those pages have published",
                "publish as you and as the pages that you connect",
            ),
            before=(
                "You are super admin or content admin of the page.",
                "In this browser, linkedin.com is signed in as the person who is, or as nobody.",
            ),
            variants=("B", "A", "C"),
            default_version=restli.DEFAULT_VERSION,
            version_form=restli.VERSION_FORM,
            expected=restli.JUDGED,
            renewal=Renewal.CONTINUOUS,
        ),
    )
    sent_back = restli.SENT_BACK
    image_hosts = (".licdn.com",)
    switch_account = (
        "LinkedIn uses whoever is signed in at linkedin.com in this browser, often without asking. "
        "For another account, sign out at https://www.linkedin.com first, or use a private window, then connect again."
    )
    remove_app = (
        "Open https://www.linkedin.com/mypreferences/d/data-sharing-for-permitted-services (Permitted services) and remove the app there."
    )

    def __init__(self, pause: Callable[[float], Awaitable[None]] = asyncio.sleep) -> None:
        self._pause = pause

    def refusal(self, answer: Mapping[str, str]) -> Fault:
        fault = super().refusal(answer)
        # The quotes around the scope arrive HTML-escaped; only a scope of ours is repeated.
        named = re.search(r'Scope "(\w+)"', html.unescape(answer.get("error_description", "")))
        if fault.row is restli.UNAUTHORIZED_SCOPE and named and any(named[1] in asked for asked in _SCOPES.values()):
            return Fault(fault.kind, fault.code, f"it lacks {_product(named[1])}", row=fault.row)
        return fault

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        tokens = oauth2.token_set(call, await restli.redeem(call, code, redirect_uri))
        return Consent(
            tokens=tokens,
            subject=await self._introduced(call, tokens.access),
            granted=tokens.scopes,
            missing=tuple(scope for scope in call.login.asked(call.app) if tokens.scopes is not None and scope not in tokens.scopes),
        )

    async def _introduced(self, call: Call, token: Secret) -> Subject:
        """Whose token this is, asked patiently: the code is used up, so giving up costs the person another consent. Raises Fault."""
        for seconds in _EARLY:
            try:
                return await _member(call, token)
            except Fault as fault:
                if fault.kind not in (FaultKind.TRANSIENT, FaultKind.NOT_SENT):
                    raise
            await self._pause(seconds)
        return await _member(call, token)

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        person = _person(await _member(call, tokens.access), _unpermitted(call, tokens, "w_member_social"))
        if not _covers_pages(call):
            return Listing((person,))
        try:
            roles, remarks = await organizations.roles(call, tokens.access)
        except Fault as fault:
            if fault.kind is not FaultKind.PERMISSION:
                raise
            return Listing((person,), remarks=("LinkedIn did not show us your pages: this app or your account may not list them.",))
        pages = sorted(await _pages(call, tokens, roles), key=lambda one: (not one.verdict.usable, one.name.casefold()))
        return Listing((person, *pages), remarks=remarks)

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        found: dict[tuple[Kind, str], Candidate] = {}
        if any(one.kind is Kind.PERSON for one in picked):
            person = _person(await _member(call, tokens.access), _unpermitted(call, tokens, "w_member_social"))
            found[person.kind, person.external_id] = person
        wanted = {one.external_id for one in picked if one.kind is Kind.ORGANIZATION}
        if wanted:
            roles, _ = await organizations.roles(call, tokens.access, only=wanted)
            found |= {(page.kind, page.external_id): page for page in await _pages(call, tokens, roles)}
        # The Grant's own token acts for all of them.
        return tuple(Derived(found.get((one.kind, one.external_id)) or _gone(one)) for one in picked)

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        # Introspection costs no quota of the member's; pages take one list of roles, however many they are.
        said = await restli.introspected(call, tokens.access)
        if said.get("active") is not True:
            status = words(said, "status")
            cause: Cause = "expired" if status == "expired" else "revoked" if status == "revoked" else ""
            raise Fault(FaultKind.REVOKED, cause or "introspection", "LinkedIn counts the access as ended", cause=cause)
        tokens = replace(tokens, scopes=oauth2.split_scopes(said.get("scope")) or tokens.scopes)
        pages = {one.external_id for one in picked if one.kind is Kind.ORGANIZATION}
        roles, _ = await organizations.roles(call, tokens.access, only=pages) if pages else ({}, ())
        return tuple(Derived(_examined(call, tokens, one, roles)) for one in picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        return oauth2.token_set(call, await restli.renewed(call, tokens))

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        ended = [await restli.end(call, token) for token in (tokens.refresh, tokens.access) if token is not None]
        return Revocation.DONE if any(ended) else Revocation.ALREADY_DEAD


def _covers_pages(call: Call) -> bool:
    return not set(_LISTING).isdisjoint(call.login.asked(call.app))


def _product(scope: str) -> str:
    return f"the product “{_PRODUCTS.get(scope, _PAGES)}”, which carries the permission {scope}"


def _unpermitted(call: Call, tokens: TokenSet, scope: str) -> Verdict | None:
    """The verdict when publishing lacks its scope. Consent is all or nothing, so only the operator can have left it out."""
    granted = call.login.asked(call.app) if tokens.scopes is None else tokens.scopes
    if scope in granted:
        return None
    why = f"Publishing needs the permission {scope}, which LinkedIn did not grant to this server's app."
    how = f"Whoever runs this server must add {_product(scope)}, and ask for it; then connect again."
    return Verdict.of("permission_missing", why, how, fix_by=FixBy.OPERATOR, missing=(scope,))


async def _member(call: Call, token: Secret) -> Subject:
    """Who the token speaks for; the id counts for this app only. Raises Fault."""
    if "openid" in call.login.asked(call.app):
        me = await restli.read(call, token, "/v2/userinfo")
        person_id, given, family = oauth2.text(me, "sub"), words(me, "given_name"), words(me, "family_name")
        return Subject(person_id, words(me, "name") or f"{given} {family}".strip() or person_id, image=words(me, "picture"))
    me = await restli.read(call, token, "/v2/me")
    person_id, given, family = oauth2.text(me, "id"), words(me, "localizedFirstName"), words(me, "localizedLastName")
    image = await restli.picture(call, token, words(part(me, "profilePicture"), "displayImage"))
    return Subject(person_id, f"{given} {family}".strip() or person_id, words(me, "vanityName"), image)


def _person(member: Subject, lacking: Verdict | None) -> Candidate:
    return Candidate(Kind.PERSON, member.id, member.name, member.handle, member.image, id_scope="app", verdict=lacking or Verdict())


async def _pages(call: Call, tokens: TokenSet, roles: organizations.Roles) -> list[Candidate]:
    """A candidate for each organization, named and examined. Raises Fault."""
    lacking = _unpermitted(call, tokens, "w_organization_social")
    described = await restli.organizations(call, tokens.access, roles)
    logos = [words(part(body, "logoV2"), "cropped") or words(part(body, "logoV2"), "original") for body in described]
    images = await abreast(partial(restli.picture, call, tokens.access), logos)
    return [
        _page(page_id, body, image, held, lacking) for (page_id, held), body, image in zip(roles.items(), described, images, strict=True)
    ]


def _page(page_id: str, body: Json, image: str, held: Sequence[tuple[str, str]], lacking: Verdict | None) -> Candidate:
    name = words(body, "localizedName") or f"Page {page_id} (name not readable)"
    return Candidate(
        kind=Kind.ORGANIZATION,
        external_id=page_id,
        name=name,
        handle=words(body, "vanityName"),
        image=image,
        tasks=tuple(role if state == "APPROVED" else f"{role} ({state})" for role, state in held),
        verdict=lacking or organizations.standing(name, held),
    )


def _examined(call: Call, tokens: TokenSet, one: Picked, roles: organizations.Roles) -> Candidate:
    """What is known of it without reading its name."""
    if one.kind is Kind.PERSON:
        return _person(Subject(one.external_id, one.external_id), _unpermitted(call, tokens, "w_member_social"))
    if one.external_id not in roles:
        return _gone(one)
    return _page(one.external_id, {}, "", roles[one.external_id], _unpermitted(call, tokens, "w_organization_social"))


def _gone(picked: Picked) -> Candidate:
    """What was picked and is no longer there."""
    if picked.kind is Kind.PERSON:
        why = "LinkedIn now answers for another person than the one that was picked."
        verdict = Verdict.of("not_visible", why, "Connect again and pick from the new list.")
        return Candidate(picked.kind, picked.external_id, picked.external_id, id_scope="app", verdict=verdict)
    why = "You no longer have a role on this page."
    verdict = Verdict.of("not_visible", why, "Ask a super admin of the page, then connect again.")
    return Candidate(picked.kind, picked.external_id, picked.external_id, verdict=verdict)
