"""What networks are known to say, row by row: an answer made from a row is judged by that row, by the adapter that meets it in earnest."""

import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import pytest

from hitchpost.errors import CATALOGUE, FixBy
from hitchpost.networks.adapters.linkedin import LinkedIn
from hitchpost.networks.base import Adapter, AppCredentials, Call, Login, TokenSet
from hitchpost.networks.catalog import discover
from hitchpost.networks.errors import BEYOND, Expected, Fault, FaultKind, Place, judge
from hitchpost.networks.http import NetworkHttp
from hitchpost.secret import Secret
from tests.networks.sixth.adapter import Commons
from tests.support.canned import Canned, CannedNetwork
from tests.support.trip import NOON

NETWORKS: tuple[Adapter, ...] = (*discover(), Commons())
TOKENS = TokenSet(Secret("the-access"), refresh=Secret("the-refresh"))
DEAD = {"www.linkedin.com/oauth/v2/introspectToken": Canned({"active": False})}


@dataclass(frozen=True, slots=True)
class Said:
    """One thing that a network says, made from a row: what must be judged by that row, and by none before it."""

    adapter: Adapter
    login: Login
    place: Place
    row: Expected
    status: int
    code: str

    @property
    def text(self) -> str:
        return f"the-access: Sorry, {self.row.says.upper()}." if self.row.says else "the-access, in the network's own words"

    def __str__(self) -> str:
        return f"{self.adapter.provider}-{self.login.key}-{self.place.name.lower()}-{self.status}-{self.code}-{self.row.mark}"


def codes_of(row: Expected) -> Iterator[str]:
    for one in row.codes:
        if one.endswith("/*"):
            yield one.removesuffix("/*")
            yield one.replace("*", "7")
        elif ends := re.fullmatch(r"(\d+)-(\d+)", one):
            yield ends[2]
            yield f"{ends[2]}/7"
        else:
            yield one


def everything() -> Iterator[Said]:
    for adapter in NETWORKS:
        for login in adapter.logins:
            for place, rows in {Place.CONSENT: adapter.sent_back, **login.expected}.items():
                for row in rows:
                    for code in [*codes_of(row)] or [""]:
                        yield Said(adapter, login, place, row, int((row.status or "400").partition("-")[0]), code)


SAID = [*everything()]


def graph_words(said: Said) -> Any:
    if said.code == "400":
        return {"error_type": "OAuthException", "code": 400, "error_message": said.text}
    number = said.code.removeprefix("is_transient").strip("/") or "190"
    code, _, subcode = number.partition("/")
    error = {"message": said.text, "type": "OAuthException", "code": int(code), "fbtrace_id": "EJplcsCHuLu"}
    if subcode:
        error["error_subcode"] = int(subcode)
    if said.code.startswith("is_transient"):
        error["is_transient"] = True
    return {"error": error}


def linkedin_words(said: Said) -> Any:
    number = {"serviceErrorCode": int(said.code)} if said.code.isdecimal() else {"code": said.code} if said.code else {}
    return {"status": said.status, "message": said.text, **number}


def pinterest_words(said: Said) -> Any:
    return {"code": int(said.code), "message": said.text, "status": "failure"}


def x_words(said: Said) -> Any:
    if said.code.isdecimal():
        return {"errors": [{"code": int(said.code), "message": said.text}]}
    if said.code in ("unauthorized", "forbidden"):
        return {"title": said.code.capitalize(), "type": "about:blank", "detail": said.text}
    return {"title": "Some title", "type": f"https://api.twitter.com/2/problems/{said.code}", "detail": said.text}


def oauth_words(said: Said) -> Any:
    return {"error": said.code, "error_description": said.text}


WORDS: dict[str, Callable[[Said], Any]] = {
    "facebook": graph_words,
    "instagram": graph_words,
    "linkedin": linkedin_words,
    "pinterest": pinterest_words,
    "x": x_words,
    "commons": oauth_words,
}
SPEAK_OAUTH = {("linkedin", Place.TOKEN), ("linkedin", Place.INTROSPECTION), ("x", Place.TOKEN)}


def act(said: Said, http: NetworkHttp) -> Awaitable[object]:
    """What the server does where the network may say this."""
    adapter, call = said.adapter, Call(http, AppCredentials("capp", "1", Secret("shhh")), said.login, NOON)
    if said.place is Place.TOKEN:
        return adapter.exchange(call, code=Secret("the-code"), redirect_uri="https://hitchpost.example/", verifier=Secret("v" * 43))
    if said.place is Place.INTROSPECTION:
        return adapter.examine(call, TOKENS, [])
    if said.login.key == "instagram":
        # A look makes a verdict of a personal account; a renewal hears the same and says so.
        return adapter.refresh(call, TOKENS)
    return adapter.look(call, TOKENS)


async def heard(said: Said) -> Fault:
    if said.place is Place.CONSENT:
        old = re.match(r"-?\d|is_transient", said.code)
        error, description = ("error_code", "error_message") if old else ("error", "error_description")
        return said.adapter.refusal({error: said.code, description: said.text, "state": "the-state"})
    words = oauth_words if (said.adapter.provider, said.place) in SPEAK_OAUTH else WORDS[said.adapter.provider]
    about_token = DEAD if said.place is Place.API else {}
    with pytest.raises(Fault) as caught:
        await act(said, CannedNetwork(about_token, Canned(words(said), said.status)).http())
    return caught.value


@pytest.mark.parametrize("said", SAID, ids=str)
async def test_R6_what_a_row_tells_of_is_judged_by_that_very_row(said: Said) -> None:
    fault = await heard(said)
    assert fault.row == said.row, f"{fault} was judged by the row {fault.row}"
    assert (fault.kind, fault.how, fault.cause) == (said.row.kind, said.row.how, said.row.cause)
    # Nothing of the network's own text goes further.
    problem = fault.explained(network="Network", provider="network")
    assert "the-access" not in f"{fault} {problem.message} {problem.way} {dict(problem.facts)}"


ENDING = (FaultKind.REFUSED, FaultKind.REVOKED)
PASSING = (408, 425, 429, 500, 503)
NO = [one for one in SAID if one.row.kind in ENDING and one.place is not Place.CONSENT]


@pytest.mark.parametrize("said", NO, ids=str)
async def test_R6_a_status_of_trouble_ends_nothing_whatever_the_code_says(said: Said) -> None:
    for status in PASSING:
        fault = await heard(replace(said, status=status))
        assert fault.kind not in ENDING, f"{status} with {said.code} ends the access"
        assert fault.retryable or fault.kind in (FaultKind.MISCONFIGURED, FaultKind.PERMISSION, FaultKind.BLOCKED)


RENEWED = [one for one in NO if one.login.tries(TOKENS) and (one.place is Place.TOKEN or one.login.key == "instagram")]


@pytest.mark.parametrize("said", RENEWED, ids=str)
async def test_R6_a_renewal_that_meets_a_status_of_trouble_ends_nothing(said: Said) -> None:
    words = oauth_words if (said.adapter.provider, said.place) in SPEAK_OAUTH else WORDS[said.adapter.provider]
    for status in PASSING:
        http = CannedNetwork({}, Canned(words(said), status)).http()
        with pytest.raises(Fault) as caught:
            await said.adapter.refresh(Call(http, AppCredentials("capp", "1", Secret("shhh")), said.login, NOON), TOKENS)
        assert caught.value.row is not None, "the network was not asked"
        assert caught.value.kind not in ENDING


ROWS = {f"{said.adapter.provider} {said.place.name} {said.row}": (said.adapter, said.row) for said in SAID}
NAMES_ITS_DETAIL = (FaultKind.MISCONFIGURED, FaultKind.REFUSED, FaultKind.REVOKED, FaultKind.PERMISSION, FaultKind.BLOCKED)


@pytest.mark.parametrize("name", ROWS)
def test_a_row_says_what_is_wrong_who_can_mend_it_how_and_whence_it_is_known(name: str) -> None:
    adapter, row = ROWS[name]
    problem = Fault(row.kind, "", row.detail, row=row).explained(network=adapter.title, provider=adapter.provider)
    assert bool(row.detail) or row.kind not in NAMES_ITS_DETAIL
    assert row.detail in problem.message or row.kind is FaultKind.UNINTELLIGIBLE
    assert problem.way
    assert "{" not in problem.message + problem.way
    # Each page named here is checked for its heading by the docs, which link to it.
    assert re.fullmatch(r"docs/networks/[a-z]+\.md#[a-z0-9-]+|RFC \d+ §[\d.]+", row.source)
    assert row.says == row.says.lower()
    assert bool(row.says) == bool(row.mark)


@pytest.mark.parametrize("name", ROWS)
def test_R6_the_classes_are_never_confused(name: str) -> None:
    _, row = ROWS[name]
    entry = CATALOGUE[Fault(row.kind, "").problem]
    whose = {
        FaultKind.TRANSIENT: FixBy.NOBODY,
        FaultKind.THROTTLED: FixBy.NOBODY,
        FaultKind.UNINTELLIGIBLE: FixBy.NOBODY,
        FaultKind.MISCONFIGURED: FixBy.OPERATOR,
    }
    assert entry.fix_by is whose.get(row.kind, FixBy.PERSON)
    # How an access ended is told of ended ones only.
    assert not row.cause or row.kind is FaultKind.REVOKED
    if entry.fix_by is FixBy.OPERATOR and row.how:
        assert row.how.startswith("Whoever runs this server must")


def test_a_row_that_another_one_hides_is_noticed() -> None:
    one = next(said for said in SAID if said.code == "190/463" and said.place is Place.API)
    rows = one.login.expected[Place.API]
    dead = next(row for row in rows if "190/*" in row.codes)
    assert judge(rows, 400, "190/463").row == one.row
    assert judge((dead, *rows), 400, "190/463").row == dead != one.row


@pytest.mark.parametrize("adapter", NETWORKS, ids=lambda one: one.provider)
def test_R6_what_stands_in_no_row_ends_nothing(adapter: Adapter) -> None:
    tables = [adapter.sent_back, *(rows for login in adapter.logins for rows in login.expected.values())]
    for rows in tables:
        for status in (301, 400, 401, 418, 429, 500, 503, 599):
            fault = judge(rows, status, "something_new")
            if fault.row in BEYOND:
                assert fault.retryable
            else:
                # Where a status alone is enough, it is never the end of an access.
                assert fault.kind in (FaultKind.MISCONFIGURED, FaultKind.PERMISSION, FaultKind.THROTTLED)


def test_a_row_prints_itself_as_people_search_for_it() -> None:
    row = Expected(("29", "190/*"), FaultKind.BLOCKED, "", "docs", status="403", says="trial access", mark="trial")
    assert str(row) == "status 403 · `29`, `190/*` · “trial access”"
    assert str(Expected((), FaultKind.BLOCKED, "", "docs", status="500-599")) == "status 500-599"
    assert str(Expected((), FaultKind.BLOCKED, "", "docs")) == "anything else"


@pytest.mark.parametrize(
    ("wanted", "fitting", "others"),
    [
        ("190/463", ("190/463",), ("190", "190/4631", "1190/463", "190/463/7")),
        ("190", ("190",), ("190/463", "1901", "19")),
        ("190/*", ("190", "190/463", "190/463/7"), ("1901", "19", "is_transient/190")),
        ("200-299", ("200", "299", "200/2069030"), ("199", "300", "2000", "20", "200-299x")),
        ("-1/*", ("-1", "-1/2207001"), ("1", "-10")),
        ("client-forbidden", ("client-forbidden",), ("client", "client-forbidden-too")),
    ],
)
def test_a_code_fits_as_it_is_written(wanted: str, fitting: tuple[str, ...], others: tuple[str, ...]) -> None:
    row = Expected((wanted,), FaultKind.BLOCKED, "", "docs")
    assert all(row.fits(400, code) for code in fitting)
    assert not any(row.fits(400, code) for code in others)


@pytest.mark.parametrize("code", ["<script>", "x" * 200, "a b", "", None, True, {"code": 190}, "190/463/7/9", "pâté"])
def test_D4_what_is_no_plain_short_code_is_not_repeated(code: object) -> None:
    assert judge((), 400, code).code == "http_400"


async def test_linkedin_may_name_the_scope_and_keeps_the_row() -> None:
    told = {"error": "unauthorized_scope_error", "error_description": "Scope &quot;w_member_social&quot; is not authorized"}
    fault = LinkedIn().refusal(told)
    assert (fault.kind, fault.network_code) == (FaultKind.MISCONFIGURED, "unauthorized_scope_error")
    assert "w_member_social" in fault.detail
    assert "Products" in fault.how
