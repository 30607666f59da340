"""The call is the contract's: the served document says the same, fuzzers find nothing, and a generated client makes the call."""

import copy
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx2
import yaml

from tests.support.house import PUBLIC_URL
from tests.support.people import Town
from tests.support.programs import Served

CONTRACT = Path(__file__).parent / "connection-url.openapi.yaml"
PATH = "/api/_public/v1/social-profiles/connection-url"
SILENT = {"title", "description", "summary", "example", "examples", "tags", "operationId", "minLength"}


def resolved(document: dict[str, Any], part: Any) -> Any:
    """`part` with its refs followed and what says nothing to programs dropped."""
    if isinstance(part, dict):
        if "$ref" in part:
            target: Any = document
            for step in part["$ref"].removeprefix("#/").split("/"):
                target = target[step]
            return resolved(document, target)
        return {str(name): resolved(document, value) for name, value in part.items() if name not in SILENT}
    return [resolved(document, one) for one in part] if isinstance(part, list) else part


async def served_document(town: Town) -> dict[str, Any]:
    async with httpx2.AsyncClient(transport=town.house.wire, base_url=PUBLIC_URL) as client:
        document: dict[str, Any] = (await client.get("/openapi.json")).json()
        return document


async def test_the_served_document_describes_the_call_as_the_contract_does(town: Town) -> None:
    contract = yaml.safe_load(CONTRACT.read_text())
    served = await served_document(town)
    wanted = resolved(contract, contract["paths"]["/social-profiles/connection-url"]["post"])
    found = resolved(served, served["paths"][PATH]["post"])
    extra = set(found["responses"]) - set(wanted["responses"])
    assert extra == {"401", "403", "404", "413", "415", "429"}
    found = copy.deepcopy(found)
    for status in extra:
        del found["responses"][status]
    for status in ("400", "500"):
        assert found["responses"][status].pop("content")
        found["responses"][status].pop("headers", None)
    found["responses"]["200"].pop("headers", None)
    assert found.pop("security") == [{"ApiKeyAuth": []}] == contract["security"]
    assert found == wanted
    assert (
        resolved(served, served["components"]["securitySchemes"]["ApiKeyAuth"]) == contract["components"]["securitySchemes"]["ApiKeyAuth"]
    )


async def test_the_enum_stays_the_contracts_five(town: Town) -> None:
    served = await served_document(town)
    body = served["paths"][PATH]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert body["properties"]["provider"]["enum"] == ["facebook", "instagram", "x", "linkedin", "pinterest"]


def _schemathesis(served: Served, document: str, *extra: str) -> subprocess.CompletedProcess[str]:
    command = [
        str(Path(sys.executable).parent / "schemathesis"), "run", document, "--header", f"X-API-Key: {served.key}", "--phases",
        "examples,coverage,fuzzing", "--max-examples", "60", "--seed", "20261124", "--workers", "1",
        "--suppress-health-check", "all", *extra,
    ]  # fmt: skip
    return subprocess.run(command, capture_output=True, text=True, check=False, cwd=served.folder)


def test_schemathesis_finds_nothing_with_the_served_document(served: Served) -> None:
    done = _schemathesis(served, f"{served.url}/openapi.json")
    assert done.returncode == 0, done.stdout[-6000:]


def test_schemathesis_finds_nothing_with_the_contract_but_what_its_silence_makes_unsatisfiable(served: Served) -> None:
    unsatisfiable = "status_code_conformance,positive_data_acceptance"
    done = _schemathesis(served, str(CONTRACT), "--url", f"{served.url}/api/_public/v1", "--exclude-checks", unsatisfiable)
    assert done.returncode == 0, done.stdout[-6000:]


def test_a_client_generated_from_the_contract_makes_the_call(served: Served, tmp_path: Path) -> None:
    tool = str(Path(sys.executable).parent / "openapi-python-client")
    made = subprocess.run(
        [tool, "generate", "--path", str(CONTRACT), "--output-path", str(tmp_path / "client"), "--meta", "none"],
        capture_output=True, text=True, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert made.returncode == 0, made.stdout + made.stderr
    package = tmp_path / "client"
    program = f"""
import sys
sys.path.insert(0, {str(tmp_path)!r})
from client import AuthenticatedClient
from client.api import default
import pkgutil, importlib
module = importlib.import_module("client.api.default." + next(m.name for m in pkgutil.iter_modules(default.__path__)))
import client.models as models
body = next(value for name, value in vars(models).items() if name.endswith("Body") and isinstance(value, type))
enum = next(value for name, value in vars(models).items() if name.endswith("Provider"))
api = AuthenticatedClient(base_url={served.url!r} + "/api/_public/v1", token={served.key!r}, prefix="", auth_header_name="X-API-Key")
answer = module.sync(client=api, workspace_id={served.workspace_id!r}, body=body(provider=enum("instagram")))
print(answer.url)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert package.is_dir()
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == f"{served.url}/api/social-connect/start?provider=instagram&workspaceId={served.workspace_id}"
