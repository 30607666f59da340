"""The connection-URL call as the public document describes it, equal to the contract's, with its further answers."""

from collections.abc import Mapping
from typing import Any

PATH = "/api/_public/v1/social-profiles/connection-url"

PROVIDERS = ("facebook", "instagram", "x", "linkedin", "pinterest")
"""The contract's five; a further network that an installation adds is accepted without being in this list."""

REFUSALS = {
    "400": "Unsupported provider, or another parameter missing or wrong",
    "404": "No such workspace for the caller",
    "413": "The body is larger than 64 KiB",
    "415": "The body is not application/json",
}
"""What this call may answer beside what every call of the public API may."""


def operation(refusals: Mapping[str, Any]) -> dict[str, Any]:
    """The OpenAPI operation; `refusals`: the documented error answers by status."""
    return {
        "summary": "Generate social connection URL",
        "operationId": "connection_url",
        "tags": ["social profiles"],
        "description": "Returns a browser URL that starts connecting a social network to a workspace. Open it while signed in, "
        "approve at the network, and pick the profiles.",
        "security": [{"ApiKeyAuth": []}],
        "parameters": [
            {
                "in": "query", "name": "workspaceId", "required": True, "description": "The workspace. Get one from `GET /workspaces`.",
                "schema": {"type": "string", "minLength": 1},
            }
        ],
        "requestBody": {
            "required": True,
            "content": {
                "application/json": {
                    "schema": {
                        "type": "object",
                        "required": ["provider"],
                        "properties": {
                            "provider": {
                                "type": "string", "enum": list(PROVIDERS), "description": "The network to connect.", "example": "instagram",
                            }
                        },
                    }
                }
            },
        },
        "responses": {
            "200": {
                "description": "Success",
                "content": {
                    "application/json": {
                        "schema": {
                            "type": "object",
                            "properties": {
                                "url": {"type": "string", "description": "Browser URL to open while signed in. It holds no secret."}
                            },
                            "required": ["url"],
                        }
                    }
                },
            },
            **refusals,
        },
    }  # fmt: skip
