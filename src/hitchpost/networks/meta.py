"""Facebook Login, as the adapters of Facebook and Instagram share it: one app, one consent, the Pages behind it.

Source: docs/networks/facebook.md.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from functools import partial

from hitchpost.networks import graph, oauth2
from hitchpost.networks.answers import part, words
from hitchpost.networks.base import Call, Consent, Login, OAuthFacts, Renewal, Revocation, Subject, TokenSet, Verdict
from hitchpost.networks.errors import Fault, FaultKind, Place
from hitchpost.networks.http import Json, abreast
from hitchpost.secret import Secret

_PAGE_FIELDS = "id,name,username,tasks,access_token,picture.type(large)"
_LINKED_FIELDS = _PAGE_FIELDS + ",instagram_business_account{id,username,name,profile_picture_url}"
_MAX_BUSINESSES = 100


def login(*, key: str, title: str, scopes: tuple[str, ...], asks: tuple[str, ...], before: tuple[str, ...]) -> Login:
    """A way through Facebook's dialog with the app in the slot `meta`."""
    oauth = OAuthFacts(
        authorize_url="https://www.facebook.com/{version}/dialog/oauth",
        token_url=graph.FACEBOOK + "/{version}/oauth/access_token",
        scopes_joined_by=",",
    )
    return Login(
        key=key,
        slot="meta",
        authority="meta",
        title=title,
        oauth=oauth,
        scopes={"": scopes},
        asks=asks,
        before=before,
        opens="Facebook",
        default_version=graph.DEFAULT_VERSION,
        version_form=graph.VERSION_FORM,
        expected={Place.TOKEN: graph.AT_THE_TOKEN_ENDPOINT, Place.API: graph.EXPECTED},
        renewal=Renewal.EXCHANGE,
        renewable_after=timedelta(days=1),
        notices=True,
    )


def again(wanted: bool) -> Mapping[str, str]:
    """What makes the dialog ask once more for permissions that were declined; without it they are skipped silently."""
    return {"auth_type": "rerequest"} if wanted else {}


async def exchange(call: Call, *, code: Secret, redirect_uri: str) -> Consent:
    """Code → token of an hour → token of about 60 days, whose it is, and what was granted. Raises Fault.

    The long-lived token comes first because Page tokens inherit their life from it.
    """
    answer = await oauth2.redeem(call, code=code, redirect_uri=redirect_uri, verifier=None)
    short = oauth2.token_set(call, graph.settled(answer, call.now, graph.AT_THE_TOKEN_ENDPOINT))
    long = await longer(call, short)
    me = await graph.read(call, long.access, "me", fields="id,name,picture.type(large)")
    granted = await permissions(call, long.access)
    subject = oauth2.text(me, "id")
    return Consent(
        tokens=TokenSet(long.access, long.access_expires_at, scopes=granted),
        subject=Subject(subject, words(me, "name") or subject, image=graph.picture(me)),
        granted=granted,
        missing=tuple(scope for scope in call.login.asked(call.app) if scope not in granted),
    )


async def permissions(call: Call, access: Secret) -> frozenset[str]:
    """What the person grants at this moment; each can be taken back by itself. Raises Fault."""
    listed = await graph.edge(call, access, "me", "permissions", fields="permission,status")
    return frozenset(words(one, "permission") for one in listed.items if one.get("status") == "granted")


async def longer(call: Call, tokens: TokenSet) -> TokenSet:
    """A token of about 60 days for one that lives; for one of 60 days, one whose end may be the same. Raises Fault."""
    answer = await oauth2.token_call(call, {"grant_type": "fb_exchange_token", "fb_exchange_token": tokens.access.reveal()})
    return oauth2.token_set(call, graph.settled(answer, call.now))


async def revoke(call: Call, tokens: TokenSet, subject: str) -> Revocation:
    """Ends the whole login of this person with this app: every user and Page token of it. Raises Fault.

    A Page token outlives the person's token that it was made from: when that is dead, the app itself ends what is left.
    """
    ended = await _removed(call, "me", tokens.access)
    if ended is Revocation.ALREADY_DEAD and subject:
        itself = Secret(f"{call.app.client_id}|{call.app.client_secret.reveal()}")
        try:
            return await _removed(call, subject, itself)
        except Fault as fault:
            # Nobody of this id is known to the app any more.
            if fault.kind is not FaultKind.PERMISSION:
                raise
    return ended


async def _removed(call: Call, person: str, token: Secret) -> Revocation:
    query = {"appsecret_proof": graph.proof(call, token)}
    answer = await call.http.send("DELETE", graph.address(call, person, "permissions"), query=query, bearer=token.reveal())
    if answer.ok and answer.body.strip() == b"true":
        return Revocation.DONE
    try:
        body = graph.settled(answer, call.now)
    except Fault as fault:
        if fault.kind is FaultKind.REVOKED:
            return Revocation.ALREADY_DEAD
        raise
    if body.get("success") is not True:
        raise Fault(FaultKind.UNINTELLIGIBLE, "no_success", "the answer does not say that the access ended")
    return Revocation.DONE


@dataclass(frozen=True, slots=True)
class Linked:
    """The professional Instagram account of a Page. All but the id may be empty."""

    id: str
    username: str
    name: str
    image: str


def linked(body: Json) -> Linked:
    """An Instagram account as graph.facebook.com shows it. Raises Fault UNINTELLIGIBLE without an id."""
    return Linked(oauth2.text(body, "id"), words(body, "username"), words(body, "name"), words(body, "profile_picture_url"))


@dataclass(frozen=True, slots=True)
class Page:
    """A Page as one person sees it. `tasks` None: not told. `token` None: the person has no role that gives one."""

    id: str
    name: str
    username: str
    image: str
    tasks: tuple[str, ...] | None
    token: Secret | None
    linked: Linked | None

    def role(self, enough: frozenset[str]) -> Verdict:
        """Whether the person's role on this Page allows publishing: one of the tasks in `enough`, and a token."""
        if self.tasks is not None and not enough.intersection(self.tasks):
            return Verdict.of(
                "missing_task",
                f"Your role on the Page “{self.name}” does not allow publishing.",
                "Ask someone with full control of the Page to give you content access, then connect again.",
            )
        if self.token is None:
            return Verdict.of(
                "role_missing",
                f"Facebook gives no access to the Page “{self.name}” through your account.",
                "Ask someone with full control of the Page to give you a role on the Page itself, then connect again.",
            )
        return Verdict()


def _page(body: Json) -> Page:
    token, tasks, account = words(body, "access_token"), body.get("tasks"), part(body, "instagram_business_account")
    return Page(
        id=oauth2.text(body, "id"),
        name=words(body, "name") or oauth2.text(body, "id"),
        username=words(body, "username"),
        image=graph.picture(body),
        tasks=tuple(task for task in tasks if isinstance(task, str)) if isinstance(tasks, list) else None,
        token=oauth2.sendable(token) if token else None,
        linked=linked(account) if account else None,
    )


def _merged(one: Page, other: Page) -> Page:
    """Two listings of one Page: each knows what it was told, the first wins."""
    return Page(
        id=one.id,
        name=one.name,
        username=one.username or other.username,
        image=one.image or other.image,
        tasks=other.tasks if one.tasks is None else one.tasks,
        token=one.token or other.token,
        linked=one.linked or other.linked,
    )


async def page(call: Call, tokens: TokenSet, page_id: str, *, accounts: bool) -> Page:
    """One Page, read with the Grant's token. Raises Fault (PERMISSION when it is not visible to this person any more)."""
    return _page(await graph.read(call, tokens.access, page_id, fields=_LINKED_FIELDS if accounts else _PAGE_FIELDS))


@dataclass(frozen=True, slots=True)
class Pages:
    """The Pages behind a consent, each once, and sentences about what could not be read."""

    found: tuple[Page, ...]
    remarks: tuple[str, ...]


async def pages(call: Call, tokens: TokenSet, *, accounts: bool) -> Pages:
    """The Pages of the person, and those that only their businesses list. Raises Fault, but not for one failing business."""
    fields = _LINKED_FIELDS if accounts else _PAGE_FIELDS
    own = await graph.edge(call, tokens.access, "me", "accounts", fields=fields)
    remarks = ["Facebook lists more Pages than can be shown here."] if own.cut else []
    theirs = await _of_businesses(call, tokens, fields, remarks)
    found: dict[str, Page] = {}
    for body in (*own.items, *theirs):
        read = _page(body)
        found[read.id] = _merged(found[read.id], read) if read.id in found else read
    return Pages(tuple(found.values()), tuple(remarks))


async def _of_businesses(call: Call, tokens: TokenSet, fields: str, remarks: list[str]) -> list[Json]:
    if "business_management" not in call.login.asked(call.app):
        return []
    if tokens.scopes is not None and "business_management" not in tokens.scopes:
        remarks.append("Pages that belong to a business could not be read: the permission business_management was not granted.")
        return []
    try:
        businesses = await graph.edge(call, tokens.access, "me", "businesses", fields="id,name")
    except Fault as fault:
        if fault.kind is FaultKind.REVOKED:
            raise
        remarks.append("Your businesses could not be read, so Pages that belong to one may be missing here.")
        return []
    if businesses.cut or len(businesses.items) > _MAX_BUSINESSES:
        remarks.append(f"Only the Pages of your first {_MAX_BUSINESSES} businesses were read.")
    edges = [(business, name) for business in businesses.items[:_MAX_BUSINESSES] for name in ("owned_pages", "client_pages")]
    listed = await abreast(partial(_of_business, call, tokens, fields), edges)
    remarks += dict.fromkeys(remark for _, remark in listed if remark)
    return [body for bodies, _ in listed for body in bodies]


async def _of_business(call: Call, tokens: TokenSet, fields: str, of: tuple[Json, str]) -> tuple[tuple[Json, ...], str]:
    """The Pages on one edge of one business, and a remark when it failed or was cut."""
    business, edge = of
    name = words(business, "name") or words(business, "id")
    try:
        listed = await graph.edge(call, tokens.access, oauth2.text(business, "id"), edge, fields=fields)
    except Fault as fault:
        if fault.kind is FaultKind.REVOKED:
            raise
        return (), f"The Pages of the business “{name}” could not be read."
    return listed.items, f"The business “{name}” has more Pages than can be shown here." if listed.cut else ""


def out_of_sight(what: str) -> Verdict:
    """The verdict on something picked that the network does not show to this person any more."""
    return Verdict.of(
        "not_visible",
        f"Facebook does not show us this {what} any more: it was unlinked or not shared, or your role on its Page ended.",
        "Connect again and tick it; if it is not offered, ask someone with full control of the Page.",
    )
