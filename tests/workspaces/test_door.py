"""The Door: who is let in, what is counted, and what everybody else is told; over HTTP, with the Shell around it as on a real server."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from hitchpost.errors import Problem
from hitchpost.ids import new_api_key, new_id
from hitchpost.settings import read_settings
from hitchpost.web.log import set_up
from hitchpost.web.problems import exception_handlers
from hitchpost.web.shell import Shell
from hitchpost.workspaces import api
from hitchpost.workspaces.auth import Door, admission_of, seat
from hitchpost.workspaces.roles import Right, Role, allows
from tests.workspaces.conftest import World

V1 = "/api/_public/v1"


async def _seated(request: Request) -> Response:
    """A call on a workspace that needs the right named in the path."""
    place = seat(admission_of(request), request.scope["query_string"], Right(request.path_params["right"]))
    return JSONResponse({"workspace": place.workspace_name})


async def _broken(request: Request) -> Response:
    raise RuntimeError("unforeseen")


@asynccontextmanager
async def served(
    world: World, *, limit: int = 60, proxies: str = "", address: str = "198.51.100.7", key: str = ""
) -> AsyncIterator[httpx2.AsyncClient]:
    """A client of the server. `address`: whence it comes; `key`: what it sends in X-API-Key."""
    app = FastAPI(openapi_url=None, docs_url=None, redoc_url=None)
    for kind, handler in exception_handlers(None).items():
        app.add_exception_handler(kind, handler)
    app.include_router(api.router(world.workspaces))
    app.router.routes += [Route(f"{V1}/seated/{{right}}", _seated, methods=["GET", "POST"]), Route(f"{V1}/broken", _broken)]
    settings = read_settings({"HITCHPOST_RATE_LIMIT": str(limit), "HITCHPOST_TRUSTED_PROXIES": proxies}).settings
    door = Door(app, world.workspaces, world.clock, settings)
    shell = Shell(door, settings=settings, pages=None, log=set_up("info"), clock=world.clock)
    transport = httpx2.ASGITransport(app=shell, raise_app_exceptions=False, client=(address, 4711))
    headers = {"X-API-Key": key} if key else {}
    async with httpx2.AsyncClient(transport=transport, base_url=settings.public_url, headers=headers) as client:
        yield client


def refused(answer: httpx2.Response) -> tuple[int, str, str]:
    """Status, code and message of a refusal, which is JSON of the one shape."""
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert isinstance(body["message"], str)
    return answer.status_code, body["code"], body["message"]


MISSING = (401, "missing_api_token", "Missing API token.")
INVALID = (403, "invalid_api_token", "Invalid API token.")
SPENT = (429, "rate_limited", "You've exceeded the request limit.")


async def test_a_key_says_who_calls_and_which_workspaces_are_theirs(world: World) -> None:
    async with served(world, key=(await world.key(world.ben)).reveal()) as client:
        me = await client.get(f"{V1}/me")
        assert (me.status_code, me.json()) == (200, {"id": world.ben, "name": "Ben", "email": "ben@example.com"})
        workspaces = await client.get(f"{V1}/workspaces")
        assert workspaces.json() == [{"id": world.lantern, "name": "Lantern", "userCount": 2, "role": "viewer"}]


async def test_C4_no_key_is_401_and_any_bad_key_the_same_403(world: World) -> None:
    revoked = (await world.key(world.ada)).reveal()
    await world.workspaces.revoke_key((await world.workspaces.keys_of(world.ada))[0].id)
    async with served(world) as client:
        for headers in ({}, {"X-API-Key": ""}):
            assert refused(await client.get(f"{V1}/me", headers=headers)) == MISSING
        answers = [await client.get(f"{V1}/me", headers={"X-API-Key": key}) for key in (revoked, new_api_key(), "nonsense", "hp_", "a, b")]
        assert {refused(answer) for answer in answers} == {INVALID}
        assert len({answer.content for answer in answers}) == 1


async def test_a_refusal_says_the_way_on_and_where_a_key_belongs_that_came_elsewhere(world: World) -> None:
    key = (await world.key(world.ada)).reveal()
    async with served(world) as client:
        bare = (await client.get(f"{V1}/me")).json()
        bearer = (await client.get(f"{V1}/me", headers={"Authorization": f"Bearer {key}"})).json()
        assert bare["how"] == "Send your key in the header X-API-Key."
        assert bearer == {**bare, "how": "Send your key in the header X-API-Key; in Authorization it is not looked at."}
        query = f"workspaceId={new_id()}"
        foreign = (await client.get(f"{V1}/seated/list?{query}", headers={"X-API-Key": key})).json()
        assert (foreign["code"], foreign["how"]) == ("workspace_not_found", "See GET /workspaces for those that there are for you.")
        # Where the catalogue knows no way on, there is no field.
        repeated = (await client.get(f"{V1}/seated/list?{query}&{query}", headers={"X-API-Key": key})).json()
        assert (repeated["code"], "how" in repeated) == ("workspace_id_repeated", False)


async def test_C4_two_keys_in_one_call_are_none(world: World) -> None:
    key = (await world.key(world.ada)).reveal()
    async with served(world) as client:
        assert refused(await client.get(f"{V1}/me", headers=[("X-API-Key", key), ("X-API-Key", key)])) == INVALID


async def test_C5_a_key_in_the_query_the_body_or_another_header_is_not_read_and_not_logged(
    world: World, capfd: pytest.CaptureFixture[str]
) -> None:
    key = (await world.key(world.ada)).reveal()
    async with served(world) as client:
        for name in ("api_key", "apiKey", "X-API-Key", "x-api-key", "key", "access_token"):
            assert refused(await client.get(f"{V1}/me", params={name: key})) == MISSING
        assert refused(await client.get(f"{V1}/me", headers={"Authorization": f"Bearer {key}"})) == MISSING
        assert refused(await client.post(f"{V1}/me", json={"api_key": key})) == MISSING
        assert (await client.get(f"{V1}/me", headers={"X-API-Key": key})).status_code == 200
    logged = "".join(capfd.readouterr())
    assert f"{V1}/me" in logged
    assert key not in logged


async def test_B2_cookies_mean_nothing_to_the_public_api(world: World) -> None:
    key = (await world.key(world.ada)).reveal()
    async with served(world) as client:
        cookies = {"Cookie": f"hitchpost_session={'x' * 43}; X-API-Key={key}"}
        assert refused(await client.get(f"{V1}/me", headers=cookies)) == MISSING
        answer = await client.get(f"{V1}/me", headers={**cookies, "X-API-Key": key})
        assert answer.json()["id"] == world.ada
        assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("path", ["/me", "/workspaces", "/seated/list", "/nowhere", "/broken", "", "//me"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD"])
async def test_C1_nothing_below_the_prefix_answers_without_a_key(world: World, method: str, path: str) -> None:
    async with served(world) as client:
        answer = await client.request(method, V1 + path)
        assert answer.status_code == 401
        assert answer.headers["www-authenticate"]


async def test_the_limit_stands_on_every_answer_and_the_61st_call_of_a_minute_is_refused(world: World) -> None:
    key = (await world.key(world.ada)).reveal()
    reset = str(int(world.clock.now().timestamp()) + 60)
    async with served(world, key=key) as client:
        for left in range(59, -1, -1):
            answer = await client.get(f"{V1}/me")
            assert answer.status_code == 200
            found = [answer.headers[f"x-ratelimit-{name}"] for name in ("limit", "remaining", "reset")]
            assert found == ["60", str(left), reset]
            assert "retry-after" not in answer.headers
        world.clock.forward(timedelta(seconds=13.5))
        answer = await client.get(f"{V1}/me")
        assert refused(answer) == SPENT
        assert (answer.headers["x-ratelimit-remaining"], answer.headers["x-ratelimit-reset"]) == ("0", reset)
        assert answer.headers["retry-after"] == "47"
        world.clock.forward(timedelta(seconds=46.5))
        assert (await client.get(f"{V1}/me")).status_code == 200


async def test_the_budget_is_the_persons_whichever_key_and_address_they_use(world: World) -> None:
    keys = [(await world.key(world.ada)).reveal() for _ in range(3)]
    statuses = []
    for number, key in enumerate(keys):
        async with served(world, limit=2, key=key, address=f"198.51.100.{number}") as client:
            statuses.append((await client.get(f"{V1}/me")).status_code)
    assert statuses == [200, 200, 200]  # three servers, each counting for itself
    async with served(world, limit=2) as client:
        for key, expected in zip(keys, (200, 200, 429), strict=True):
            assert (await client.get(f"{V1}/me", headers={"X-API-Key": key})).status_code == expected
        bens = (await world.key(world.ben)).reveal()
        assert (await client.get(f"{V1}/me", headers={"X-API-Key": bens})).status_code == 200


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("DELETE", "/me", 405),
        ("GET", "/broken", 500),
        ("GET", "/seated/list", 400),
        ("POST", "/seated/list?x", 400),
    ],
)
async def test_the_limit_stands_on_the_framework_s_own_answers_too(world: World, method: str, path: str, status: int) -> None:
    async with served(world, key=(await world.key(world.ada)).reveal()) as client:
        answer = await client.request(method, V1 + path)
        assert answer.status_code == status
        assert refused(answer)
        assert {f"x-ratelimit-{name}" for name in ("limit", "remaining", "reset")} <= set(answer.headers)
        assert answer.headers["x-request-id"]


async def test_what_is_not_below_the_prefix_is_neither_refused_nor_counted(world: World) -> None:
    async with served(world) as client:
        answer = await client.get("/somewhere/else")
        assert answer.status_code == 404
        assert "x-ratelimit-limit" not in answer.headers


async def test_C9_a_rotating_forwarding_header_does_not_buy_another_budget(world: World) -> None:
    async with served(world, limit=3) as client:
        answers = [
            await client.get(f"{V1}/me", headers={"X-Forwarded-For": f"203.0.113.{n}", "Forwarded": f"for=203.0.113.{n}"}) for n in range(5)
        ]
        assert [answer.status_code for answer in answers] == [401, 401, 401, 429, 429]
        assert refused(answers[-1]) == SPENT


async def test_C9_guessing_keys_is_limited_by_address_and_leaves_the_neighbour_with_a_key_alone(world: World) -> None:
    key = (await world.key(world.ada)).reveal()
    async with served(world, limit=3) as client:
        statuses = [(await client.get(f"{V1}/me", headers={"X-API-Key": new_api_key()})).status_code for _ in range(5)]
        assert statuses == [403, 403, 403, 429, 429]
        assert (await client.get(f"{V1}/me", headers={"X-API-Key": key})).status_code == 200


async def test_C9_behind_a_configured_proxy_the_callers_are_told_apart(world: World) -> None:
    async with served(world, limit=1, proxies="198.51.100.0/24") as client:
        for caller, expected in (("203.0.113.1", 401), ("203.0.113.2", 401), ("203.0.113.1", 429), ("9.9.9.9, 203.0.113.2", 429)):
            assert (await client.get(f"{V1}/me", headers={"X-Forwarded-For": caller})).status_code == expected


async def test_C9_an_ipv6_caller_has_one_budget_for_the_whole_network_it_commands(world: World) -> None:
    async with served(world, limit=1, proxies="198.51.100.7") as client:
        for caller, expected in (("2001:db8:1:2::1", 401), ("2001:db8:1:2:ffff::9", 429), ("2001:db8:1:3::1", 401)):
            assert (await client.get(f"{V1}/me", headers={"X-Forwarded-For": caller})).status_code == expected


WORKSPACE_QUERIES: Mapping[str, tuple[str, str]] = {
    "absent": ("", "workspace_id_missing"),
    "empty": ("workspaceId=", "workspace_id_missing"),
    "another name": ("workspaceID={lantern}&workspace_id={lantern}", "workspace_id_missing"),
    "twice": ("workspaceId={lantern}&workspaceId={harbour}", "workspace_id_repeated"),
    "twice the same": ("workspaceId={lantern}&workspaceId={lantern}", "workspace_id_repeated"),
    "twice, once disguised": ("workspaceId={lantern}&workspace%49d={harbour}", "workspace_id_repeated"),
    "once empty": ("workspaceId=&workspaceId={lantern}", "workspace_id_repeated"),
    "foreign": ("workspaceId={harbour}", "workspace_not_found"),
    "unknown": ("workspaceId={unknown}", "workspace_not_found"),
    "malformed": ("workspaceId=../{lantern}", "workspace_not_found"),
    "upper case": ("workspaceId={upper}", "workspace_not_found"),
    "not UTF-8": ("workspaceId=%ff%00", "workspace_not_found"),
    "a list": ("workspaceId[]={lantern}", "workspace_id_missing"),
}


@pytest.mark.parametrize("case", WORKSPACE_QUERIES)
async def test_C3_one_source_for_the_workspace_and_C1_a_foreign_one_is_absent(world: World, case: str) -> None:
    query, code = WORKSPACE_QUERIES[case]
    names = {"lantern": world.lantern, "harbour": world.harbour, "unknown": new_id(), "upper": world.lantern.upper()}
    async with served(world, key=(await world.key(world.ada)).reveal()) as client:
        answer = await client.get(f"{V1}/seated/list?{query.format(**names)}")
        assert refused(answer)[:2] == (Problem(code).status, code)
        assert answer.json() == Problem(code).as_json()


async def test_C3_a_workspace_in_the_body_is_not_looked_at(world: World) -> None:
    async with served(world, key=(await world.key(world.ada)).reveal()) as client:
        answer = await client.post(f"{V1}/seated/list?workspaceId={world.lantern}&colour=blue", json={"workspaceId": world.harbour})
        assert answer.json() == {"workspace": "Lantern"}


@pytest.mark.parametrize("role", [*Role, None], ids=str)
async def test_C7_a_call_needs_the_right_and_C1_a_seat_for_every_role_and_right(world: World, role: Role | None) -> None:
    person_id = await world.member(role) if role else world.cleo
    async with served(world, key=(await world.key(person_id)).reveal()) as client:
        for right in Right:
            answer = await client.get(f"{V1}/seated/{right}?workspaceId={world.lantern}")
            if role is None:
                assert refused(answer)[:2] == (404, "workspace_not_found")
            elif allows(role, right):
                assert answer.json() == {"workspace": "Lantern"}
            else:
                status, code, message = refused(answer)
                assert (status, code) == (403, "role_insufficient")
                assert "Ada" in message
                assert f"({role})" in message


async def test_C12_over_http_a_removed_member_s_key_finds_the_workspace_no_more(world: World) -> None:
    async with served(world, key=(await world.key(world.ben)).reveal()) as client:
        url = f"{V1}/seated/list?workspaceId={world.lantern}"
        assert (await client.get(url)).status_code == 200
        await world.workspaces.remove_member(world.lantern, world.ben)
        assert refused(await client.get(url))[:2] == (404, "workspace_not_found")
        assert (await client.get(f"{V1}/workspaces")).json() == []


async def test_C6_answers_hold_the_documented_fields_and_no_others(world: World) -> None:
    app = FastAPI()
    app.include_router(api.router(world.workspaces))
    described: Any = app.openapi()
    schemas = described["components"]["schemas"]
    assert all(schema["additionalProperties"] is False for schema in schemas.values() if schema["type"] == "object")
    assert {name: set(schemas[name]["properties"]) for name in ("Me", "Workspace", "ErrorBody")} == {
        "Me": {"id", "name", "email"},
        "Workspace": {"id", "name", "userCount", "role"},
        "ErrorBody": {"message", "code", "fixBy", "retryable", "how", "provider", "requestId"},
    }
    assert described["components"]["securitySchemes"]["ApiKeyAuth"] == {
        "type": "apiKey", "in": "header", "name": "X-API-Key", "description": "a person's API key",
    }  # fmt: skip
    for path in ("/me", "/workspaces"):
        call = described["paths"][V1 + path]["get"]
        assert set(call["responses"]) == {"200", "401", "403", "429", "500"}
        assert call["security"] == [{"ApiKeyAuth": []}]
