"""What the story of a connection tells: the frozen values that its pages show; pure."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Literal

from sqlalchemy import RowMapping

from hitchpost.connect.states import OPEN, Status
from hitchpost.networks.base import Candidate, Kind, Login, Picked, Subject, Verdict
from hitchpost.profiles.service import Profile

Shows = Literal["done", "expired", "stopped", "progress", "other_account", "nothing", "choose"]
"""What `/connect/<id>` can be; `expired` and `stopped` are pages of a Problem."""


@dataclass(frozen=True, slots=True)
class Visitor:
    """Who stands at the door, and in which browser: a signed-in person and the id of their browser session's row."""

    person_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Start:
    """The facts of a start page: which network, which workspace, whose, and the configured ways through the network's consent.

    `expected`: the profile that is to be connected again, if it is about one; `login`: the way that it was connected by.
    `emergency`: the code of what stops all use of people's access just now, or empty.
    """

    provider: str
    workspace_id: str
    workspace_name: str
    owner_name: str
    role: str
    logins: tuple[Login, ...]
    expected: Profile | None = None
    login: str = ""
    emergency: str = ""


@dataclass(frozen=True, slots=True)
class Departure:
    """Where the browser goes next, and what that network is called: `opens`.

    `url` holds the state: it is shown once, to the browser that asked, and never logged.
    """

    connection_id: str
    workspace_name: str
    opens: str
    url: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Trip:
    """One AuthorizationRequest without its secrets. `expected`: the profile to connect again, or empty.

    `lost`: the profiles that its consent cut off.
    """

    id: str
    connection_id: str
    number: int
    workspace_id: str
    person_id: str
    session_id: str
    app_id: str
    provider: str
    login: str
    redirect_uri: str
    status: Status
    code: str
    facts: Mapping[str, str]
    expected: str
    grant_id: str
    consent_seq: int
    claim_id: str
    due_at: datetime | None
    expires_at: datetime
    account: Subject | None
    account_picture: str
    remarks: tuple[str, ...]
    empty: Verdict | None
    lost: tuple[str, ...]
    attached: tuple[tuple[str, bool], ...]

    def is_open(self, now: datetime) -> bool:
        return self.status in OPEN and now < self.expires_at

    def claimed(self, now: datetime) -> bool:
        """Whether somebody is acting for it just now."""
        return self.claim_id != "" and self.due_at is not None and now < self.due_at

    def belongs_to(self, visitor: Visitor) -> bool:
        """The rule behind all of the flow: the same person in the same browser (threats A3, A4, A7)."""
        return self.person_id == visitor.person_id and self.session_id == visitor.session_id


@dataclass(frozen=True, slots=True)
class Offer:
    """One row of the choose page. `key` names it in the form; `connected`: the workspace has it already.

    `expected`: it is the profile that is to be connected again; `perhaps`: it may be, but another app's ids cannot prove it.
    """

    key: str
    candidate: Candidate
    picture: str
    connected: bool
    expected: bool = False
    perhaps: bool = False


@dataclass(frozen=True, slots=True)
class Scene:
    """What `/connect/<id>` shows: the trip, its workspace, and what there is to choose or what was attached.

    `expected`: the profile to connect again. `lost`: profiles that this consent cut off and that the person may know of, each with its
    workspace's name. `confirms`: whether the person may say that an account of another app is the same as the expected one.
    `emergency`: the code of what stops all use of people's access just now, or empty.
    """

    trip: Trip
    workspace_name: str
    owner_name: str
    offers: tuple[Offer, ...] = ()
    expected: Profile | None = None
    lost: tuple[tuple[str, str], ...] = ()
    confirms: bool = False
    emergency: str = ""

    def page(self, now: datetime) -> Shows:
        """Which page shows it at this moment."""
        trip, claimed = self.trip, self.trip.claimed(now)
        if trip.status is Status.ATTACHED:
            return "done"
        if trip.status in OPEN and now >= trip.expires_at and not claimed:
            return "expired"
        if trip.code and not (trip.status is Status.LOOKING and claimed):
            return "stopped"
        if trip.status is not Status.CHOOSING or claimed:
            return "progress"
        if self.other_account:
            return "other_account"
        return "choose" if self.offers else "nothing"

    @property
    def other_account(self) -> bool:
        """Whether the consent was given by somebody who does not have what was to be connected again (threat A19)."""
        return (
            self.trip.status is Status.CHOOSING
            and self.expected is not None
            and not any(one.expected or one.perhaps for one in self.offers)
        )


def key_of(kind: str, external_id: str) -> str:
    """The form's name of a candidate."""
    return f"{kind}:{external_id}"


def found_json(
    account: Subject, picture: str = "", remarks: tuple[str, ...] = (), empty: Verdict | None = None, lost: tuple[str, ...] = ()
) -> str:
    """The stored form of who consented, what the look remarked, and which profiles the consent cut off."""
    said = {"remarks": list(remarks), "empty": asdict(empty) if empty else None, "lost": list(lost)}
    return json.dumps({"account": asdict(account), "picture": picture, **said})


def candidate_of(row: RowMapping) -> Candidate:
    """A stored candidate; its picture stays apart, for it is ours by now."""
    return Candidate(
        Kind(row["kind"]),
        row["external_id"],
        row["name"],
        row["handle"],
        parent_id=row["parent_id"],
        id_scope="app" if row["id_scope"] == "app" else "global",
        verdict=Verdict.read(json.loads(row["verdict"])),
    )


def picked_of(row: RowMapping) -> Picked:
    return Picked(Kind(row["kind"]), row["external_id"], row["parent_id"])


def trip_of(row: RowMapping) -> Trip:
    """A stored request without its sealed and hashed columns."""
    found = json.loads(row["found"]) if row["found"] else {}
    return Trip(
        id=row["id"],
        connection_id=row["connect_session_id"],
        number=row["trip"],
        workspace_id=row["workspace_id"],
        person_id=row["person_id"],
        session_id=row["browser_session_id"],
        app_id=row["app_id"],
        provider=row["provider"],
        login=row["login"],
        redirect_uri=row["redirect_uri"],
        status=Status(row["status"]),
        code=row["code"],
        facts=json.loads(row["facts"]) if row["facts"] else {},
        expected=row["expected_profile_id"],
        grant_id=row["grant_id"],
        consent_seq=row["consent_seq"],
        claim_id=row["claim_id"],
        due_at=row["due_at"],
        expires_at=row["expires_at"],
        account=Subject(**found["account"]) if found.get("account") else None,
        account_picture=found.get("picture", ""),
        remarks=tuple(found.get("remarks", ())),
        empty=Verdict.read(found["empty"]) if found.get("empty") else None,
        lost=tuple(found.get("lost", ())),
        attached=tuple((one["profile"], one["renewed"]) for one in json.loads(row["outcome"])) if row["outcome"] else (),
    )
