"""Beacon, a network of the tests: one authority with two app slots, met under two names, that remembers what it was asked to revoke."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import ClassVar

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
)
from hitchpost.networks.errors import Fault
from hitchpost.secret import Secret

_OAUTH = OAuthFacts("https://beacon.example/authorize", "https://beacon.example/token")


def _login(slot: str, variants: tuple[str, ...] = ("",)) -> Login:
    scopes: Mapping[str, tuple[str, ...]] = dict.fromkeys(variants, ("post",))
    version, form = ("v1", r"v\d") if len(variants) > 1 else ("", "")
    return Login(
        slot, slot, "beacon", slot.title(), _OAUTH, scopes, ("post for you",), variants=variants, renewal=Renewal.ROTATING,
        default_version=version, version_form=form,
    )  # fmt: skip


class Beacon(Adapter):
    """`faults`: what the next revokes raise, in turn. `meanwhile`: what happens elsewhere while a call is under way.

    `answers`: what the next refreshes give or raise; after them each gives a new pair of two hours and half a year. `looks`: what the
    next examinations raise, in turn; `looked`: with which access tokens it was asked for one.
    """

    provider = "beacon"
    title = "Beacon"
    mark, colour = "M0 0h24v24H0z", "#123456"
    logins: ClassVar[tuple[Login, ...]] = (_login("beacon", ("A", "B")), _login("beacon_pages"))
    image_hosts = ()
    switch_account = remove_app = ""

    def __init__(self) -> None:
        self.revoked: list[str] = []
        self.faults: list[Fault] = []
        self.refreshed: list[str] = []
        self.answers: list[TokenSet | Fault] = []
        self.looks: list[Fault] = []
        self.looked: list[str] = []
        self.meanwhile: Callable[[], Awaitable[None]] | None = None

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        raise AssertionError("these tests begin after the exchange")

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        raise AssertionError("these tests look at nothing")

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        raise AssertionError("these tests derive nothing")

    async def examine(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        self.looked.append(tokens.access.reveal())
        if self.meanwhile:
            await self.meanwhile()
        if self.looks:
            raise self.looks.pop(0)
        return tuple(page(one.external_id) for one in picked)

    async def refresh(self, call: Call, tokens: TokenSet) -> TokenSet:
        assert tokens.refresh is not None
        self.refreshed.append(tokens.refresh.reveal())
        if self.meanwhile:
            await self.meanwhile()
        answer = self.answers.pop(0) if self.answers else pair(call.now, len(self.refreshed))
        if isinstance(answer, Fault):
            raise answer
        return answer

    async def revoke(self, call: Call, tokens: TokenSet, subject: str) -> Revocation:
        self.revoked.append(tokens.access.reveal())
        if self.meanwhile:
            await self.meanwhile()
        if self.faults:
            raise self.faults.pop(0)
        return Revocation.DONE


class Harbour(Beacon):
    """The second name: the same authority and slot as Beacon's first, as Instagram through Facebook Login. Never looked at by itself."""

    provider = "harbour"
    title = "Harbour"
    logins = (replace(_login("beacon", ("A", "B")), examined_every=None),)


def pair(now: datetime, number: int) -> TokenSet:
    """The pair that a refresh gives: an access token of two hours, a refresh token of half a year."""
    access, refresh = Secret(f"canary-access-{number}"), Secret(f"canary-refresh-{number}")
    return TokenSet(access, now + timedelta(hours=2), refresh, now + timedelta(days=182), frozenset({"post"}))


def consent(
    subject: str = "ada-at-beacon", access: str = "canary-access", refresh: str | None = "canary-refresh", name: str = "Ada"
) -> Consent:
    """What an exchange gave."""
    tokens = TokenSet(Secret(access), refresh=Secret(refresh) if refresh else None, scopes=frozenset({"post"}))
    return Consent(tokens, Subject(subject, name), frozenset({"post"}))


def page(external_id: str = "page-1", token: str | None = "canary-page") -> Derived:
    """A Page that acts with a token of its own, or with the grant's."""
    return Derived(Candidate(Kind.PAGE, external_id, "Lantern's page", tasks=("CREATE",)), Secret(token) if token else None)
