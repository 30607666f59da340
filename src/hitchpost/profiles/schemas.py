"""What the public API answers about profiles. Answers hold these fields and no others (threat C6)."""

from datetime import datetime
from typing import Literal

from pydantic import Field

from hitchpost.errors import FixBy
from hitchpost.tokens.service import Fate, State
from hitchpost.workspaces.schemas import Answer


class HealthBody(Answer):
    """How a profile stands, why, and who can do what about it. Moments are ISO 8601, UTC."""

    state: State = Field(
        description="`healthy`; `expiring`: ends at `until` and cannot renew itself; `missing_permissions`: named in `missing`, or a role "
        "at the network; `network_trouble`: the network has not answered since `since`, nothing is lost; `reconnect_required`"
    )
    code: str | None = Field(
        description="why, stable, for programs: a code of docs/errors.md, of an error or of what an examination finds; null when healthy",
        examples=["access_expiring"],
    )
    message: str | None = Field(description="why, a sentence for people")
    how: str | None = Field(description="what to do, a sentence for people")
    fix_by: FixBy | None = Field(description="who can do it")
    until: datetime | None = Field(description="when the access ends unless it is renewed; null when the network names no end")
    renews: bool = Field(description="whether this server renews it by itself")
    missing: list[str] = Field(description="permissions that were not granted, in the network's words", examples=[["pages_manage_posts"]])
    since: datetime | None = Field(description="since when the network has been in trouble")
    checked_at: datetime | None = Field(description="when the network last confirmed it")
    can: list[str] = Field(description="what may be done now, of `read` and `publish`", examples=[["read", "publish"]])
    emergency: str | None = Field(
        description="`halted` or `all_withdrawn` while whoever runs the server has stopped all use of people's access: nothing can be done "
        "then, whatever the state; else null"
    )
    reconnect_url: str | None = Field(description="the page where a member connects it again, when that is the cure")


class ProfileBody(Answer):
    """A profile: the contract's four keys, then ours."""

    id: str = Field(examples=["cm1utmu9b000qr59cy6mupxsp"])
    provider: str = Field(examples=["facebook"])
    name: str = Field(examples=["Lantern Bakery"])
    image: str | None = Field(description="Address of the picture on this server, null when there is none.")
    handle: str | None = Field(description="The public name at the network, null when it has none.")
    kind: str = Field(description="What it is at its network: page, account, person or organization.", examples=["page"])
    health: State = Field(description="the state of `healthDetails`", examples=["healthy"])
    health_details: HealthBody


class DisconnectedBody(Answer):
    """What became of a disconnected profile's access."""

    id: str
    provider: str
    state: Literal["detached"] = "detached"
    access: Fate = Field(
        description="`revoked` at the network; `revoking`: the network could not be reached and is asked again until done; `destroyed` "
        "here, because the network does not let a server end it, see `removeApp`; `unreadable`: what is stored of it does not open, so "
        "this server can neither use nor end it, see `removeApp`; `shared`: destroyed here, while the login at the network "
        "lives on for another workspace; `kept`, because other profiles need it; `pending`: a connection under way "
        "may still use it, and it ends with that, within 15 minutes, if nothing comes of it"
    )
    kept_for: list[str] = Field(
        description="names (and networks) of other profiles of the caller's workspaces that still use the same access"
    )
    remove_app: str | None = Field(description="where a person takes the access back at the network, a sentence")
