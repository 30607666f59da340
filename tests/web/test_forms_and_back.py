"""Forms are small and ours; the way back is a name, never a URL."""

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hitchpost.errors import Problem
from hitchpost.web.back import Back
from hitchpost.web.forms import check_form_token, parse_form
from hitchpost.web.pages import see_other
from tests.support.porch import Porch

WORKSPACE = "c" + "w" * 24
BYPASSES = (
    "https://evil.example",
    "http://evil.example",
    "//evil.example",
    "///evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "\\/evil.example",
    "https:evil.example",
    "https:/evil.example",
    "javascript:alert(1)",
    "data:text/html,x",
    "//127.0.0.1:8420@evil.example",
    "/%2f%2fevil.example",
    "/%5cevil.example",
    "/.evil.example",
    "//evil%00.example",
    "%2f%2fevil.example",
    "https://127.0.0.1:8420.evil.example",
    "/\t/evil.example",
    "/\n/evil.example",
    " //evil.example",
    "\x00//evil.example",
    "https://evil.example?127.0.0.1:8420",
    "https://evil.example#127.0.0.1:8420",
    "?x=//evil",
    "evil.example",
    "@evil.example",
    "/../..//evil.example",
    "〱evil.example",
    "/／evil.example",
    "ht\ntp://evil.example",
    "vbscript:x",
    "file:///etc/passwd",
    "home\n",
    "start/../..",
    "START",
    "connection//evil.example",
    "c" + "w" * 24 + "/../x",
    "C" + "w" * 24,
    "c" + "w" * 23 + "/",
)


@pytest.mark.parametrize("spelling", BYPASSES)
def test_A17_no_spelling_of_a_url_survives_as_a_way_back(spelling: str) -> None:
    for field in ("to", "provider", "workspaceId", "connection"):
        start = {"to": "start", "provider": "x", "workspaceId": WORKSPACE, field: spelling}
        back = Back.read(start)
        assert back == Back() or (back.route == "start" and field == "connection")
        connection = {"to": "connection", "connection": WORKSPACE, field: spelling}
        assert Back.read(connection).path() in ("/", f"/connect/{WORKSPACE}")


@given(st.dictionaries(st.sampled_from(["to", "provider", "workspaceId", "connection"]), st.text(max_size=40)))
def test_A17_whatever_is_sent_leads_to_a_path_of_ours(fields: dict[str, str]) -> None:
    assert see_other(Back.read(fields).path()).status_code == 303


@pytest.mark.parametrize(
    "back", [Back(), Back("start", provider="linkedin", workspace_id=WORKSPACE), Back("connection", connection=WORKSPACE)]
)
def test_a_way_back_is_found_again_from_its_fields_and_its_query(back: Back) -> None:
    assert Back.read(back.fields()) == back
    assert Back.read(httpx2.QueryParams(back.query())) == back


def test_the_start_page_keeps_network_and_workspace() -> None:
    back = Back.read({"to": "start", "provider": "x", "workspaceId": WORKSPACE})
    assert back.path() == f"/api/social-connect/start?provider=x&workspaceId={WORKSPACE}"


@pytest.mark.parametrize("path", ["//evil.example", "/\\evil.example", "https://evil.example", "", "hello", "/a\r\nb", "/ä"])
def test_A17_a_redirect_to_anywhere_else_cannot_be_written(path: str) -> None:
    with pytest.raises(ValueError, match="path of our own"):
        see_other(path)


def test_B9_a_redirect_after_a_form_drops_the_body_and_is_not_stored() -> None:
    answer = see_other("/connect/x")
    assert (answer.status_code, answer.headers["location"], answer.headers["cache-control"]) == (303, "/connect/x", "no-store")


@pytest.mark.parametrize(
    "body", [b"", b"form_token=", b"form_token=wrong", b"form_token=good&form_token=good", b"form_token=go%C3%B6d", b"Form_token=good"]
)
def test_B2_a_form_without_exactly_this_sessions_token_is_refused(body: bytes) -> None:
    with pytest.raises(Problem, match="form_expired"):
        check_form_token(parse_form(body), "good")


def test_B2_an_empty_expectation_is_never_met() -> None:
    with pytest.raises(Problem, match="form_expired"):
        check_form_token(parse_form(b"form_token="), "")
    check_form_token(parse_form(b"form_token=good"), "good")


def test_a_form_gives_first_and_all_values_and_hides_them_in_its_repr() -> None:
    form = parse_form(b"pick=page%3A1&pick=page%3A2&password=s3cret&name=Ada+L%C3%BC")
    assert (form.get("pick"), form.all("pick"), form.get("absent"), form.get("name")) == ("page:1", ["page:1", "page:2"], "", "Ada Lü")
    assert "s3cret" not in repr(form)


@pytest.mark.parametrize("body", [b"a=%FF", b"\xff=1", b"a=%ED%A0%80", b"a=%00", b"%00=a", b"a=1&" * 1001])
def test_C11_a_form_is_strict_text_and_has_few_fields(body: bytes) -> None:
    with pytest.raises(Problem, match="bad_request"):
        parse_form(body)


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=x", "application/json", "text/plain", ""])
async def test_B2_a_form_is_urlencoded_or_nothing(porch: Porch, client: httpx2.AsyncClient, kind: str) -> None:
    answer = await client.post("/act", content=b"what=x", headers={"Content-Type": kind})
    assert (answer.status_code, answer.headers["hitchpost-error"]) == (415, "form_type_unsupported")
    assert porch.done == []
