"""What the public API answers about profiles."""

from pydantic import BaseModel, ConfigDict, Field


class ProfileBody(BaseModel):
    """A profile: the contract's four keys, then ours."""

    model_config = ConfigDict(extra="forbid")

    id: str = Field(examples=["cm1utmu9b000qr59cy6mupxsp"])
    provider: str = Field(examples=["facebook"])
    name: str = Field(examples=["Lantern Bakery"])
    image: str | None = Field(description="Address of the picture on this server, null when there is none.")
    handle: str | None = Field(description="The public name at the network, null when it has none.")
    kind: str = Field(description="What it is at its network: page, account, person or organization.", examples=["page"])
    health: str = Field(description="`healthy`, `expiring` or `reconnect_required`.", examples=["healthy"])
