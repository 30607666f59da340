"""Watches a Mortal from outside: after every step from the rows and the networks' ledger, after recovery row by row against the ledger."""

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from hitchpost.connect.states import OPEN, Status
from hitchpost.workspaces.roles import Right, Role, allows
from hitchpost_sandbox.cast import DEFAULT
from hitchpost_sandbox.grants import Token
from hitchpost_sandbox.ledger import Entry, What
from hitchpost_sandbox.people import Person
from tests.faults.mortal import Mortal

CAST = ("ada", "ben", "cleo")
"""Who has accounts at the networks in this play."""
AUTHORITIES = {"meta": "app_removed", "x": "revoked", "linkedin": "revoked"}
"""Where an access can be given back, and what the ledger calls it when we do."""
Row = Mapping[str, Any]

_TABLES = {
    "profiles": "SELECT id, workspace_id, provider, kind, external_id, name, state FROM profiles",
    "backings": "SELECT b.profile_id, b.reach_id, b.state, b.confirmed_by, b.confirmed_at, r.grant_id, r.kind, r.external_id, "
    "r.sealed_token, r.verdict FROM backings b JOIN reaches r ON r.id = b.reach_id",
    "grants": "SELECT g.id, g.subject, g.state, g.cause, g.code, g.version, g.consent_seq, g.claim_id, a.client_id, a.authority, "
    "t.version AS sealed_version FROM grants g JOIN apps a ON a.id = g.app_id LEFT JOIN token_sets t ON t.grant_id = g.id",
    "reaches": "SELECT id, grant_id, sealed_token, verdict FROM reaches",
    "requests": "SELECT id, status, code, claim_id, grant_id, connect_session_id FROM authorization_requests",
    "members": "SELECT workspace_id, person_id, role FROM members",
    "events": "SELECT id, workspace_id, actor FROM events WHERE type IN ('profile.attached', 'profile.renewed')",
}
Rows = dict[str, list[Row]]


@dataclass(frozen=True, slots=True)
class Choice:
    """What one member, in the browser where the flow began, has confirmed and selected. `casts`: who consented in that flow."""

    workspace_id: str
    provider: str
    person_id: str
    casts: frozenset[str]
    keys: frozenset[str]


def reachable(person: Person, provider: str) -> set[str]:
    """The ids that a person of the cast can truly act on at a network; those that only an app knows (LinkedIn's person) left out."""
    pages = person.facebook.pages if person.facebook else ()
    match provider:
        case "facebook":
            return {page.id for page in pages}
        case "instagram":
            return {page.instagram.id for page in pages if page.instagram}
        case "x":
            return {person.x.id} if person.x else set()
        case "pinterest":
            return {person.pinterest.id} if person.pinterest else set()
    return {str(one.organization.id) for one in person.linkedin.roles} if person.linkedin else set()


REACHABLE = {
    (key, provider): reachable(DEFAULT[key], provider)
    for key in CAST
    for provider in ("facebook", "instagram", "x", "linkedin", "pinterest")
}


@dataclass(slots=True)
class Watch:
    """One for a Mortal's whole existence.

    `choices`: what was rightly chosen in the step under way. `turned`: something befell people at a network in it.
    `outliving`: what lives on at a network beyond our reach, counted at each settling.
    `lost`: the families of which an answer may have been lost, by a kill or a fault, when tokens were given (the window).
    """

    mortal: Mortal
    choices: list[Choice] = field(default_factory=list)
    turned: bool = False
    lost: set[str] = field(default_factory=set)
    casts: dict[str, str] = field(default_factory=dict)
    families: set[str] = field(default_factory=set)
    newest: dict[str, tuple[str, str]] = field(default_factory=dict)
    outliving: Counter[str] = field(default_factory=Counter)
    _blocked: bool = False
    _was: Rows = field(default_factory=dict)
    _seq: int = 0

    async def rows(self) -> Rows:
        """All that is judged, in one view of the database."""
        return {name: list(await self.mortal.house.rows(sql)) for name, sql in _TABLES.items()}

    async def may(self, person_id: str, workspace_id: str, right: Right) -> bool:
        """Whether the member's row says so just now."""
        return _may(await self.mortal.house.rows(_TABLES["members"]), person_id, workspace_id, right)

    def entries(self) -> tuple[Entry, ...]:
        """What happened at the networks since the last judgement."""
        return self.mortal.world.ledger.read(after=self._seq)

    async def glance(self) -> None:
        """In the midst of a step: flows that are over now must stay so."""
        self._was["requests"] = list(await self.mortal.house.rows(_TABLES["requests"]))

    async def judge(self, *, killed: bool, interrupted: bool) -> None:
        """After a step. Raises AssertionError with the rule that is broken."""
        now, entries = await self.rows(), self.entries()
        if killed or any(one.what is What.FAULT for one in entries):
            self.lost |= {str(one.facts["family"]) for one in entries if one.what is What.TOKEN_ISSUED}
        await self._learn(now)
        self._judge_profiles(now)
        self._judge_backings(now)
        self._judge_grants(now)
        self._judge_requests(now)
        self._judge_networks(now, entries, interrupted)
        self._was, self._seq, self.choices, self.turned = now, self._seq + len(entries), [], False

    async def _learn(self, now: Rows) -> None:
        """Whose tokens each grant holds, as the network knows it; never anybody else's later."""
        for grant in now["grants"]:
            if grant["sealed_version"] is not None:
                self.newest[grant["id"]] = await self._tokens(grant["id"])
                given = self.mortal.world.authority(grant["authority"]).whose(self.newest[grant["id"]][0])
                assert given is not None, "a grant holds a token that its network never gave"
                self.families.add(given.family)
                assert self.casts.setdefault(grant["id"], given.person) == given.person, "a grant holds another person's token"

    async def _tokens(self, grant_id: str) -> tuple[str, str]:
        keeper = self.mortal.house.services.tokens
        tokens = await self.mortal.house.services.database.read(lambda tx: keeper.tokens_of(tx, grant_id))
        return tokens.access.reveal(), tokens.refresh.reveal() if tokens.refresh else ""

    def _judge_profiles(self, now: Rows) -> None:
        were = {row["id"] for row in self._was.get("profiles", []) if row["state"] == "attached"}
        for row in now["profiles"]:
            if row["state"] == "attached" and row["id"] not in were:
                assert self._chosen(row), "a profile is in a workspace that nobody selected it for"
        known = {row["id"] for row in self._was.get("events", [])}
        for row in now["events"]:
            if row["id"] not in known:
                assert _may(now["members"], row["actor"], row["workspace_id"], Right.CONNECT), "attached by somebody without the right"

    def _chosen(self, profile: Row) -> list[Choice]:
        key, place = f"{profile['kind']}:{profile['external_id']}", (profile["workspace_id"], profile["provider"])
        return [one for one in self.choices if (one.workspace_id, one.provider) == place and key in one.keys]

    def _judge_backings(self, now: Rows) -> None:
        were = {
            (row["profile_id"], row["reach_id"], row["confirmed_by"], row["confirmed_at"]) for row in _live(self._was.get("backings", []))
        }
        profiles, grants = _by_id(now["profiles"]), _by_id(now["grants"])
        for row in _live(now["backings"]):
            profile, grant = profiles[row["profile_id"]], grants[row["grant_id"]]
            assert profile["state"] == "attached", "an access stands behind a profile that was disconnected"
            if (row["profile_id"], row["reach_id"], row["confirmed_by"], row["confirmed_at"]) in were:
                continue
            cast, provider = self.casts.get(row["grant_id"], ""), profile["provider"]
            mine = [one for one in self._chosen(profile) if one.person_id == row["confirmed_by"] and cast in one.casts]
            assert mine, "an access stands behind a profile without a member's confirmation and selection in one browser"
            own = row["external_id"] == grant["subject"] if row["kind"] == "person" else row["external_id"] in REACHABLE[cast, provider]
            assert own, "somebody else's profile was attached by this person's consent"

    def _judge_grants(self, now: Rows) -> None:
        backed, were = {row["grant_id"] for row in _live(now["backings"])}, _by_id(self._was.get("grants", []))
        for row in now["grants"]:
            match row["state"]:
                case "live":
                    assert row["sealed_version"] == row["version"], "a live grant without its tokens, or with older ones"
                case "gone":
                    left = [one for one in now["reaches"] if one["grant_id"] == row["id"] and one["sealed_token"]]
                    assert row["sealed_version"] is None, "tokens were kept of a grant that is gone"
                    assert not left, "derived tokens were kept of a grant that is gone"
                    assert row["id"] not in backed, "a profile stands on a grant that is gone"
                case "revoking":
                    assert row["id"] not in backed, "a profile stands on an access that is being given back"
                case "reconnect":
                    assert row["code"], "an access ended and nobody says why"
                    assert row["cause"] not in ("revoked", "unknown") or row["id"] not in backed, "not severed"
            if row["id"] in were:
                before = were[row["id"]]
                assert (row["version"], row["consent_seq"]) >= (before["version"], before["consent_seq"]), "a grant went back in time"

    def _judge_requests(self, now: Rows) -> None:
        were = _by_id(self._was.get("requests", []))
        for row in now["requests"]:
            before = were.get(row["id"])
            self._blocked |= row["code"] == "account_blocked"
            if before is not None and Status(before["status"]) not in OPEN:
                assert row["status"] == before["status"], "a flow that was over went on"

    def _judge_networks(self, now: Rows, entries: Iterable[Entry], interrupted: bool) -> None:
        backed = {row["grant_id"] for row in _live(now["backings"])}
        used = {(row["client_id"], self.casts.get(row["id"])) for row in now["grants"] if row["state"] == "live" and row["id"] in backed}
        for one in entries:
            assert one.what is not What.BROKEN, "the sandbox broke"
            assert not (one.what is What.CODE_REFUSED and one.facts["reason"] == "used"), "a code was sent twice"
            if one.what is What.TOKEN_REVOKED:
                why = one.facts["reason"]
                assert why != "code_replayed", "a code was sent twice"
                assert why != "refresh_reused" or one.facts["family"] in self.lost, "a refresh token was used twice, and no answer was lost"
                if why == AUTHORITIES.get(one.network) and not self.turned and not interrupted:
                    assert (one.app, one.person) not in used, "an access was revoked that a profile stands on"

    # After everything has settled.

    def unneeded(self, now: Rows) -> list[Row]:
        """Grants that hold tokens although no live backing and no open flow needs them."""
        backed = {row["grant_id"] for row in _live(now["backings"])}
        flows = {row["grant_id"] for row in now["requests"] if Status(row["status"]) in OPEN}
        return [row for row in now["grants"] if row["sealed_version"] is not None and row["id"] not in backed | flows]

    async def settled(self) -> None:
        """Our state equals the ledger: after fair weather, time, and sweeps."""
        now = await self.rows()
        assert not [row for row in now["grants"] + now["requests"] if row["claim_id"]], "a claim was left behind"
        assert not [row for row in now["requests"] if Status(row["status"]) in OPEN], "a flow is stuck"
        assert not self.unneeded(now), "tokens are kept that nobody needs"
        assert not [row for row in now["grants"] if row["state"] == "revoking"], "an access is still being given back"
        alive = {token.value: token for name in self.mortal.world.authorities for token in self.mortal.world.authority(name).living()}
        live = [row for row in now["grants"] if row["state"] == "live"]
        # A blocked account may be freed again: its access is kept, and its profiles say what is asked of the person there.
        told = {row["grant_id"] for row in now["reaches"] if json.loads(row["verdict"])["code"] == "account_blocked"}
        for row in live:
            for value in await self._tokens(row["id"]):
                assert not value or value in alive or row["id"] in told, (
                    f"{row['authority']}: we take a token for alive that its network has ended"
                )
        owned = {(row["client_id"], self.casts[row["id"]]) for row in live}
        self._judge_strays([token for token in alive.values() if (token.client_id, token.person) not in owned])
        await self._judge_health(now)

    def _judge_strays(self, strays: Iterable[Token]) -> None:
        authority_of = {app.client_id: app.authority for app in self.mortal.world.apps}
        for token in strays:
            name, family = authority_of[token.client_id], token.consented.family
            if name not in AUTHORITIES or family in self.lost:
                continue
            if family not in self.families and self._blocked:
                # The network gave tokens and then would not say whose they are: the flow failed, and what it had in hand was dropped.
                self.outliving["tokens dropped by a flow that a blocked account ended"] += 1
                continue
            told = [
                f"{one.seq} {one.what} {one.person} {one.facts}"
                for one in self.mortal.world.ledger.read()
                if one.facts.get("family") == family
            ]
            raise AssertionError("\n".join([f"{name}: a {token.kind} token lives that nobody holds", *told]))

    async def _judge_health(self, now: Rows) -> None:
        grants = _by_id(now["grants"])
        standing = {row["profile_id"] for row in _live(now["backings"]) if grants[row["grant_id"]]["state"] == "live"}
        places = sorted({row["workspace_id"] for row in now["members"]})
        for one in await self.mortal.house.services.profiles.of_workspaces(places):
            if one.id not in standing:
                assert (one.health.state, bool(one.health.code)) == ("reconnect_required", True), "a profile without access is called well"

    def count(self) -> Counter[str]:
        """What this world has seen, for the tally."""
        rows, entries = self._was, self.mortal.world.ledger
        return Counter(
            {
                "profiles": len(rows["profiles"]), "grants": len(rows["grants"]), "flows": len(rows["requests"]),
                "codes redeemed": entries.count("code_redeemed"), "tokens issued": entries.count("token_issued"),
                "tokens rotated": entries.count("token_rotated"), "tokens revoked": entries.count("token_revoked"),
                "faults": entries.count("fault"), "turns": entries.count("turn"), "families lost in the window": len(self.lost),
                **self.outliving,
            }
        )  # fmt: skip


def _by_id(rows: Iterable[Row]) -> dict[str, Row]:
    return {row["id"]: row for row in rows}


def _live(rows: Iterable[Row]) -> list[Row]:
    return [row for row in rows if row["state"] == "live"]


def _may(members: Iterable[Row], person_id: str, workspace_id: str, right: Right) -> bool:
    roles = [row["role"] for row in members if (row["person_id"], row["workspace_id"]) == (person_id, workspace_id)]
    return any(allows(Role(role), right) for role in roles)
