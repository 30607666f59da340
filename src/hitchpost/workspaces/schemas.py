"""What the public API answers about callers and workspaces, and how it says no. Answers hold these fields and no others (threat C6)."""

from collections.abc import Mapping
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
    provider: str = Field(default="", description="the network that it is about, where there is one")
    request_id: str = Field(default="", description="to be told to whoever runs the server, where something unforeseen happened")


def _integer(description: str) -> dict[str, Any]:
    return {"description": description, "schema": {"type": "integer"}}


_RATE_HEADERS = {
    "X-RateLimit-Limit": _integer("calls a minute and person"),
    "X-RateLimit-Remaining": _integer("what is left of them"),
    "X-RateLimit-Reset": _integer("when the budget is restored, in Unix seconds"),
}

_REFUSALS: Mapping[int, str] = {
    400: "The request must be adjusted; an unsupported provider, for one",
    401: "Missing API token",
    403: "Invalid API token, or a role that does not allow this",
    404: "No such workspace for the caller",
    413: "The body is too large",
    415: "The body is not JSON",
    429: "More calls than the limit allows",
    500: "Unknown error",
}


def _headers_of(status: int) -> dict[str, Any]:
    return {**_RATE_HEADERS, "Retry-After": _integer("seconds to wait")} if status == 429 else _RATE_HEADERS


RESPONSES: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody, "description": _REFUSALS[status], "headers": _headers_of(status)} for status in (401, 403, 429, 500)
}
"""What every call of the public API may answer beside its success: for FastAPI's `responses`."""

REFUSALS: Mapping[str, Any] = {
    str(status): {
        "description": description,
        "headers": _headers_of(status),
        "content": {"application/json": {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }
    for status, description in _REFUSALS.items()
}
"""The same in OpenAPI's own words, for a call on a workspace that takes a body and is described by hand."""
