"""How Meta's answers are read: by code and subcode, by cursor, with a proof, and never trusting what looks dead but is not."""

from datetime import timedelta

import pytest

from hitchpost.networks import graph
from hitchpost.networks.adapters.facebook import Facebook
from hitchpost.networks.base import AppCredentials, Call
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret
from tests.support.canned import Canned, CannedNetwork
from tests.support.clock import ManualClock

ME = "graph.facebook.com/v25.0/me"
TOKEN = Secret("EAAcanary")


def call_to(network: CannedNetwork, clock: ManualClock) -> Call:
    app = AppCredentials("capp", "138483919580948", Secret("shhh"))
    return Call(network.http(), app, Facebook.logins[0], clock.now())


def error(code: int, subcode: int = 0, *, message: str = "EAAcanary did it", transient: bool = False) -> dict[str, object]:
    body: dict[str, object] = {"message": message, "type": "OAuthException", "code": code, "fbtrace_id": "EJplcsCHuLu"}
    if subcode:
        body["error_subcode"] = subcode
    if transient:
        body["is_transient"] = True
    return {"error": body}


async def fault_of(answer: Canned, clock: ManualClock) -> Fault:
    with pytest.raises(Fault) as caught:
        await graph.read(call_to(CannedNetwork({ME: answer}), clock), TOKEN, "me")
    return caught.value


@pytest.mark.parametrize(
    ("code", "subcode", "status", "kind"),
    [
        (190, 0, 401, FaultKind.REVOKED),
        (190, 458, 400, FaultKind.REVOKED),
        (190, 460, 400, FaultKind.REVOKED),
        (190, 463, 400, FaultKind.REVOKED),
        (190, 467, 400, FaultKind.REVOKED),
        (190, 468, 400, FaultKind.REVOKED),
        (102, 0, 400, FaultKind.REVOKED),
        (190, 459, 400, FaultKind.BLOCKED),
        (190, 464, 400, FaultKind.BLOCKED),
        (190, 492, 400, FaultKind.PERMISSION),
        (190, 2069032, 400, FaultKind.UNINTELLIGIBLE),
        (10, 0, 403, FaultKind.PERMISSION),
        (200, 0, 403, FaultKind.PERMISSION),
        (299, 0, 400, FaultKind.PERMISSION),
        (100, 33, 400, FaultKind.PERMISSION),
        (3, 0, 400, FaultKind.MISCONFIGURED),
        (101, 0, 400, FaultKind.MISCONFIGURED),
        (4, 0, 400, FaultKind.THROTTLED),
        (17, 0, 400, FaultKind.THROTTLED),
        (32, 0, 400, FaultKind.THROTTLED),
        (613, 1996, 400, FaultKind.THROTTLED),
        (80001, 0, 400, FaultKind.THROTTLED),
        (80002, 0, 400, FaultKind.THROTTLED),
        (1, 0, 500, FaultKind.TRANSIENT),
        (2, 0, 400, FaultKind.TRANSIENT),
        (25, 2207050, 400, FaultKind.BLOCKED),
        (2500, 0, 400, FaultKind.UNINTELLIGIBLE),
        (999999, 0, 400, FaultKind.UNINTELLIGIBLE),
    ],
)
async def test_an_error_is_judged_by_code_and_subcode(code: int, subcode: int, status: int, kind: FaultKind, clock: ManualClock) -> None:
    fault = await fault_of(Canned(error(code, subcode), status), clock)
    assert fault.kind is kind
    assert "EAAcanary" not in f"{fault} {fault.code} {fault.detail}"


async def test_an_error_under_status_200_is_an_error(clock: ManualClock) -> None:
    assert (await fault_of(Canned(error(190, 460)), clock)).kind is FaultKind.REVOKED


async def test_what_the_network_calls_transient_is_never_taken_for_revoked(clock: ManualClock) -> None:
    assert (await fault_of(Canned(error(190, transient=True), 400), clock)).kind is FaultKind.TRANSIENT
    assert (await fault_of(Canned(error(4, transient=True), 400), clock)).kind is FaultKind.THROTTLED


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ("Error validating client secret.", 1),
        ("API calls from the server require an appsecret_proof argument", 100),
        ("Invalid appsecret_proof provided in the API argument", 100),
    ],
)
async def test_a_wrong_app_secret_is_the_operators(message: str, code: int, clock: ManualClock) -> None:
    assert (await fault_of(Canned(error(code, message=message), 400), clock)).kind is FaultKind.MISCONFIGURED


@pytest.mark.parametrize(
    ("body", "status", "kind"),
    [
        ("<html>Sorry, something went wrong.</html>", 200, FaultKind.UNINTELLIGIBLE),
        ("<html>Sorry, something went wrong.</html>", 502, FaultKind.TRANSIENT),
        ("<html>Slow down</html>", 429, FaultKind.THROTTLED),
        ('{"id": "10', 200, FaultKind.UNINTELLIGIBLE),
        ("[1]", 200, FaultKind.UNINTELLIGIBLE),
        ("", 302, FaultKind.UNINTELLIGIBLE),
        ({"error": "a word"}, 400, FaultKind.UNINTELLIGIBLE),
    ],
)
async def test_an_answer_that_is_not_what_was_promised_is_said_so(body: object, status: int, kind: FaultKind, clock: ManualClock) -> None:
    assert (await fault_of(Canned(body, status), clock)).kind is kind


async def test_a_throttle_says_when_to_come_back(clock: ManualClock) -> None:
    usage = '{"1":[{"type":"pages","estimated_time_to_regain_access":0},{"type":"pages","estimated_time_to_regain_access":7}]}'
    fault = await fault_of(Canned(error(80001), 400, {"x-business-use-case-usage": usage}), clock)
    assert fault.retry_at == clock.now() + timedelta(minutes=7)
    assert (await fault_of(Canned(error(80001), 400, {"x-business-use-case-usage": "[]"}), clock)).retry_at == clock.now() + timedelta(
        hours=1
    )


async def test_E5_the_token_travels_in_a_header_with_a_proof_and_in_no_address(clock: ManualClock) -> None:
    network = CannedNetwork({ME: Canned({"id": "1"})})
    await graph.read(call_to(network, clock), TOKEN, "me", fields="id")
    (asked,) = network.asked
    assert asked.headers["authorization"] == "Bearer EAAcanary"
    # printf EAAcanary | openssl dgst -sha256 -hmac shhh
    assert asked.query == {"fields": "id", "appsecret_proof": "37b00181aff91c923a1a8d2fa2e86335530ebf3df2e8d3d715d5bee66830f6ff"}


async def test_an_id_cannot_lead_the_call_to_another_address(clock: ManualClock) -> None:
    network = CannedNetwork({})
    with pytest.raises(Fault):
        await graph.read(call_to(network, clock), TOKEN, "1/../../debug_token?input_token=x")
    assert network.asked[0].path == "graph.facebook.com/v25.0/1/../../debug_token?input_token=x"
    assert "input_token" not in network.asked[0].query


def listed(*ids: str, after: str, more: bool) -> Canned:
    paging = {"cursors": {"before": "b", "after": after}, **({"next": "https://elsewhere.example/?access_token=EAAcanary"} if more else {})}
    return Canned({"data": [{"id": one} for one in ids], "paging": paging})


async def test_a_list_is_read_by_its_cursors_and_not_by_the_address_that_holds_the_token(clock: ManualClock) -> None:
    network = CannedNetwork(
        {f"{ME}/accounts": [listed("1", "2", after="c1", more=True), listed(after="c2", more=True), listed("3", after="c3", more=False)]}
    )
    edge = await graph.edge(call_to(network, clock), TOKEN, "me", "accounts", fields="id")
    assert [item["id"] for item in edge.items] == ["1", "2", "3"]
    assert not edge.cut
    assert [asked.query.get("after") for asked in network.asked] == [None, "c1", "c2"]
    assert {asked.path for asked in network.asked} == {f"{ME}/accounts"}


async def test_D4_a_list_that_never_ends_is_cut_and_said_so(clock: ManualClock) -> None:
    endless = CannedNetwork({f"{ME}/accounts": [listed(str(n), after=f"c{n}", more=True) for n in range(100)]})
    edge = await graph.edge(call_to(endless, clock), TOKEN, "me", "accounts", fields="id")
    assert edge.cut
    assert len(endless.asked) == graph.MAX_PAGES
    circle = CannedNetwork({f"{ME}/accounts": listed("1", after="same", more=True)})
    assert (await graph.edge(call_to(circle, clock), TOKEN, "me", "accounts", fields="id")).cut
    assert len(circle.asked) == 2


async def test_a_list_without_data_is_not_an_empty_list(clock: ManualClock) -> None:
    with pytest.raises(Fault) as caught:
        await graph.edge(call_to(CannedNetwork({f"{ME}/accounts": Canned({})}), clock), TOKEN, "me", "accounts", fields="id")
    assert caught.value.kind is FaultKind.UNINTELLIGIBLE
