"""The consent page that all twins share: who you are, what you tick, allow or deny; the same fields for people and for programs.

A program posts `person` (a key of the cast) and `decision` (`allow`, `deny`, or `close`: the tab) to the authorize address, query
included. `scope` and `target`, repeated, narrow the grant; leaving one out grants everything offered, unless a field `shown` names it,
as the page does.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from starlette.responses import PlainTextResponse, Response

from hitchpost_sandbox import pages
from hitchpost_sandbox.apps import App
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.reading import unknown
from hitchpost_sandbox.turns import SIGNED_IN_AS
from hitchpost_sandbox.twin import Visit

SIGNED_IN = "sandbox_signed_in"
"""The cookie of a network that remembers who is signed in; its value is the person's key."""


@dataclass(frozen=True, slots=True)
class Target:
    """One thing a person may share or not: a Page, an account, a business. `id` is what the form posts and the grant remembers."""

    id: str
    title: str
    group: str


@dataclass(frozen=True, slots=True)
class Decision:
    """What the person decided. When denied, `scopes` and `targets` are empty."""

    allowed: bool
    person: Person
    scopes: tuple[str, ...] = ()
    targets: tuple[str, ...] = ()


def _no_targets(_person: Person) -> Sequence[Target]:
    return ()


async def ask(
    visit: Visit,
    app: App,
    *,
    redirect_uri: str,
    scopes: Sequence[str],
    people: Iterable[Person],
    handle: Callable[[Person], str],
    targets: Callable[[Person], Sequence[Target]] = _no_targets,
    may_untick: bool = False,
    fixed: frozenset[str] = frozenset(),
    remembers: bool = False,
    afresh: bool = False,
) -> Decision | Response:
    """Show the consent page (GET, HEAD) or read the decision (POST); a POST that makes no sense answers 400 in plain words.

    `people`: who has an account here. `handle`: how the network calls a person (`@adalantern`). `targets`: what that person may share.
    `may_untick`: single scopes can be refused, all but the `fixed` ones. `remembers`: whoever decided last in this browser is signed in:
    the page begins with them, and a form that names nobody is theirs; unless the app wants people to sign in `afresh`.
    """
    offered = tuple(people)
    known = visit.request.cookies.get(SIGNED_IN, "") if remembers else ""
    signed_in = "" if afresh else next((one.key for one in offered if one.key == known), "")
    if visit.method != "POST":
        visit.ledger.write(visit.twin.network, What.AUTHORIZE_SHOWN, app=app.client_id, scopes=list(scopes), redirect_uri=redirect_uri)
        return pages.show(
            visit.twin,
            "consent.html",
            app=app,
            scopes=scopes,
            people=[
                (person, handle(person), _grouped(targets(person))) for person in sorted(offered, key=lambda one: one.key != signed_in)
            ],
            signed_in=signed_in,
            afresh=afresh,
            sharing=any(targets(person) for person in offered),
            may_untick=may_untick,
            fixed=fixed,
            redirect_uri=redirect_uri,
        )
    form = await visit.form()
    key = form.get("person", [""])[-1] or signed_in
    person = next((one for one in offered if one.key == key), None)
    if person is not None and (other := visit.authority.memory.get(SIGNED_IN_AS, {}).get(key)):
        # A grant belongs to the account that the browser is signed in with, whoever sits before it.
        person = next((one for one in offered if one.key == other), None)
    choice = form.get("decision", [""])[-1]
    if person is None:
        return PlainTextResponse(unknown("field 'person'", key, [one.key for one in offered]), 400)
    if choice not in ("allow", "deny", "close"):
        return PlainTextResponse("field 'decision' must be 'allow', 'deny' or 'close'", 400)
    if wrong := _not_offered(form, scopes, [target.id for one in offered for target in targets(one)], may_untick=may_untick):
        return PlainTextResponse(wrong, 400)
    if choice == "close":
        visit.ledger.write(visit.twin.network, What.CONSENT_LEFT, app=app.client_id, person=person.key)
        return PlainTextResponse("The tab is closed. Nobody is sent back.")
    if remembers:
        visit.said["set-cookie"] = f"{SIGNED_IN}={person.key}; Path={visit.prefix or '/'}; HttpOnly; SameSite=Lax"
    if choice == "deny":
        visit.ledger.write(visit.twin.network, What.CONSENT_DENIED, app=app.client_id, person=person.key)
        return Decision(False, person)
    granted = _narrowed(form, "scope", scopes) if may_untick else tuple(scopes)
    return Decision(
        True,
        person,
        tuple(scope for scope in scopes if scope in granted or scope in fixed),
        _narrowed(form, "target", [target.id for target in targets(person)]),
    )


def _not_offered(form: dict[str, list[str]], scopes: Sequence[str], targets: Sequence[str], *, may_untick: bool) -> str:
    """What is wrong with the ticks of a form, in a sentence: something that the page does not offer; empty when nothing is.

    `targets`: of everybody who is offered, since the page posts the hidden boxes of the others too.
    """
    offered: dict[str, Sequence[str]] = {"shown": ("scope", "target"), "scope": scopes, "target": targets}
    for name, known in offered.items():
        if stray := [value for value in form.get(name, []) if value not in known]:
            return unknown(f"field '{name}'", stray[0], known)
    ticks_scopes = "scope" in form or "scope" in form.get("shown", [])
    if ticks_scopes and not may_untick and set(form.get("scope", [])) < set(scopes):
        return "field 'scope': here nobody can untick a single permission; leave it out"
    return ""


def _narrowed(form: dict[str, list[str]], name: str, offered: Sequence[str]) -> tuple[str, ...]:
    """The ticked ones of `offered`; all of them when the form neither ticks any nor says that it has shown them."""
    ticked = form.get(name, [])
    if not ticked and name not in form.get("shown", []):
        return tuple(offered)
    return tuple(one for one in offered if one in ticked)


def _grouped(targets: Sequence[Target]) -> dict[str, list[Target]]:
    groups: dict[str, list[Target]] = {}
    for target in targets:
        groups.setdefault(target.group, []).append(target)
    return groups
