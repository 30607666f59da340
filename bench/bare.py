"""The measure: a bare FastAPI route of the same shape as the connection-URL call, on the same server, with no work behind it."""

from typing import Annotated, Literal

from fastapi import Depends, FastAPI, Query
from fastapi.security import APIKeyHeader
from pydantic import BaseModel

app = FastAPI(openapi_url=None)
key_of = APIKeyHeader(name="X-API-Key")


class Asked(BaseModel):
    provider: Literal["facebook", "instagram", "x", "linkedin", "pinterest"]


class Url(BaseModel):
    url: str


@app.post("/api/_public/v1/social-profiles/connection-url")
async def connection_url(
    asked: Asked, key: Annotated[str, Depends(key_of)], workspace_id: Annotated[str, Query(alias="workspaceId")]
) -> Url:
    return Url(url=f"http://127.0.0.1/api/social-connect/start?provider={asked.provider}&workspaceId={workspace_id}")
