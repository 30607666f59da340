"""What the public API answers about callers and workspaces, and how it says no. Answers hold these fields and no others (threat C6)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_camel

from hitchpost.errors import FixBy
from hitchpost.workspaces.roles import Role


class Answer(BaseModel):
    """Field names as JSON writes them, and nothing that is not named."""

    model_config = ConfigDict(alias_generator=to_camel, validate_by_name=True, extra="forbid", frozen=True)


class Me(Answer):
    """The person behind the API key."""

    id: str
    name: str
    email: str


class Workspace(Answer):
    """A workspace of the person behind the API key, with their role in it."""

    id: str
    name: str
    user_count: int = Field(description="how many members it has")
    role: Role


class ErrorBody(Answer):
    """Why a call was refused or failed, and who can mend it."""

    message: str = Field(description="a sentence for people")
    code: str = Field(description="stable, for programs")
    fix_by: FixBy = Field(description="who can mend it; `nobody`: try again later")
    retryable: bool = Field(description="whether the same call may succeed later")
    how: str = Field(default="", description="the way on, a sentence for people, where there is one")
    provider: str = Field(default="", description="the network that it is about, where there is one")
    request_id: str = Field(default="", description="to be told to whoever runs the server, where something unforeseen happened")


def _integer(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer"}}


_RATE_HEADERS = {
    "X-RateLimit-Limit": _integer("calls a minute and person"),
    "X-RateLimit-Remaining": _integer("what is left of them"),
    "X-RateLimit-Reset": _integer("when the budget is restored, in Unix seconds"),
}

RESPONSES: dict[int | str, dict[str, Any]] = {
    401: {"model": ErrorBody, "description": "Missing API token", "headers": _RATE_HEADERS},
    403: {"model": ErrorBody, "description": "Invalid API token, or a role that does not allow this", "headers": _RATE_HEADERS},
    429: {
        "model": ErrorBody,
        "description": "More calls than the limit allows",
        "headers": {**_RATE_HEADERS, "Retry-After": _integer("seconds to wait")},
    },
    500: {"model": ErrorBody, "description": "Unknown error", "headers": _RATE_HEADERS},
}
"""What every call of the public API may answer beside its success: for FastAPI's `responses`."""
