"""The simulated networks' own fault words, each played on a real call: a listed row judges it, of the class that a person would give it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import pytest

from hitchpost.networks.base import Kind, Picked
from hitchpost.networks.errors import BEYOND, Fault, FaultKind
from hitchpost_sandbox import networks
from hitchpost_sandbox.faults import Fault as Script
from tests.witness.stage import Person
from tests.witness.table import facebook, instagram, pages, pinterest, x

TRANSIENT, THROTTLED, OPERATORS = FaultKind.TRANSIENT, FaultKind.THROTTLED, FaultKind.MISCONFIGURED
REFUSED, REVOKED, PERMISSION = FaultKind.REFUSED, FaultKind.REVOKED, FaultKind.PERMISSION
BLOCKED, NOT_UNDERSTOOD = FaultKind.BLOCKED, FaultKind.UNINTELLIGIBLE

MEANS: dict[str, dict[str, FaultKind]] = {
    "facebook": {
        **dict.fromkeys(("rate_limit", "17", "32", "341", "613", "368"), THROTTLED),
        **dict.fromkeys(("80000", "80001", "80002", "80003", "80004", "80005", "80006", "80008", "80009", "80014"), THROTTLED),
        **dict.fromkeys(("server_error", "1"), TRANSIENT),
        **dict.fromkeys(("190", "190/458", "190/460", "190/463", "190/467", "102"), REVOKED),
        **dict.fromkeys(("190/456", "190/457", "190/461", "190/462", "190/465", "190/466", "190/468"), REVOKED),
        **dict.fromkeys(("190/459", "190/464"), BLOCKED),
        **dict.fromkeys(("190/492", "10", "200", "100/33", "1/2853006", "200/2069030", "200/2069031", "200/2069033"), PERMISSION),
        "3": OPERATORS,
        **dict.fromkeys(("190/2069032", "2500"), NOT_UNDERSTOOD),
    },
    "instagram": {
        **dict.fromkeys(("rate_limit", "17", "32", "613", "80002"), THROTTLED),
        **dict.fromkeys(("server_error", "1", "-1/2207001"), TRANSIENT),
        **dict.fromkeys(("190", "190/458", "190/460", "190/463", "190/467"), REVOKED),
        **dict.fromkeys(("190/459", "190/464", "25/2207050"), BLOCKED),
        **dict.fromkeys(("10", "100", "100/33", "190/492", "not_business"), PERMISSION),
        "code_used": REFUSED,
        "invalid_platform_app": OPERATORS,
    },
    "x": {
        **dict.fromkeys(("rate_limit", "88", "rate-limit-exceeded", "daily_limit", "daily_app_limit"), THROTTLED),
        **dict.fromkeys(("server_error", "internal-error"), TRANSIENT),
        **dict.fromkeys(("unauthorized", "32", "89"), REVOKED),
        **dict.fromkeys(("forbidden", "not-authorized-for-resource"), PERMISSION),
        **dict.fromkeys(("client-not-enrolled", "oauth1-permissions", "unsupported-authentication"), OPERATORS),
        **dict.fromkeys(("credits-depleted", "credits", "usage-capped", "usage-capped/daily", "453", "app-suspended"), OPERATORS),
        **dict.fromkeys(("unauthorized_client", "invalid_client", "invalid_client/400"), OPERATORS),
        **dict.fromkeys(("user-suspended", "326", "64"), BLOCKED),
        **dict.fromkeys(("invalid_token", "invalid_code", "invalid_grant"), REFUSED),
    },
    "linkedin": {
        **dict.fromkeys(("rate_limit", "member_limit", "app_and_member_limit"), THROTTLED),
        **dict.fromkeys(("server_error", "503", "504", "internal_error"), TRANSIENT),
        # The network answers introspection in earnest: what it calls revoked and active at once is its own trouble.
        "65601": TRANSIENT,
        **dict.fromkeys(("65600", "65602"), REVOKED),
        **dict.fromkeys(("65604", "65604_as_documented", "400"), NOT_UNDERSTOOD),
        **dict.fromkeys(("403", "404", "bare_403"), PERMISSION),
        **dict.fromkeys(("426", "VERSION_MISSING", "invalid_client"), OPERATORS),
        "invalid_refresh_token": REFUSED,
    },
    "pinterest": {
        "rate_limit": THROTTLED,
        "server_error": TRANSIENT,
        "401/2": REVOKED,
        **dict.fromkeys(("401/3", "401/7", "401/29", "403/29", "403/403"), PERMISSION),
        **dict.fromkeys(("403/2625", "403/2626", "403/9", "429/9", "429/8/spam"), BLOCKED),
        "403/29/trial": OPERATORS,
        "401/283": REFUSED,
        "400/1": OPERATORS,
        # Only of things that connecting does not touch: in no row.
        **dict.fromkeys(("404/40", "404/2031"), NOT_UNDERSTOOD),
    },
}
AT_THE_TOKEN_ENDPOINT = {
    "code_used": "/oauth/access_token",
    "invalid_platform_app": "/oauth/access_token",
    "invalid_token": "/2/oauth2/token",
    "invalid_code": "/2/oauth2/token",
    "unauthorized_client": "/2/oauth2/token",
    "invalid_client": "*oauth*oken",
    "invalid_client/400": "/2/oauth2/token",
    "invalid_grant": "/2/oauth2/token",
    "invalid_refresh_token": "/oauth/v2/accessToken",
    "401/283": "/v5/oauth/token",
    "400/1": "/v5/oauth/token",
}
UNLISTED = {("pinterest", "404/40"), ("pinterest", "404/2031"), ("linkedin", "400")}


@dataclass(frozen=True, slots=True)
class Scene:
    """Ada's way to a network, and the call of the API that a word is played on."""

    person: Callable[[], Person]
    path: str
    act: Callable[[Person], Awaitable[object]]


async def look(person: Person) -> object:
    return await person.adapter.look(person.call, (await person.connect("ada")).tokens)


async def examine(person: Person) -> object:
    # X is not asked again for what the exchange has just read.
    return await person.adapter.examine(person.call, (await person.connect("ada")).tokens, [Picked(Kind.ACCOUNT, "1")])


async def renew(person: Person) -> object:
    # A look makes a verdict of a personal account; a renewal hears the same and says so.
    return await person.adapter.refresh(person.call, (await person.connect("ada")).tokens)


SCENES = {
    "facebook": Scene(lambda: facebook("", look, "").traveller()[0], "/v*/me/accounts", look),
    "instagram": Scene(lambda: instagram("", look, "").traveller()[0], "/refresh_access_token", renew),
    "x": Scene(lambda: x("", look, "").traveller()[0], "/2/users/me", examine),
    "linkedin": Scene(lambda: pages("", look, "").traveller()[0], "/v2/*", look),
    "pinterest": Scene(lambda: pinterest("", look, "").traveller()[0], "/v5/user_account", look),
}
PLAYED = [(network, word) for network, words in MEANS.items() for word in words]


def test_every_fault_word_of_every_network_has_its_class_here() -> None:
    assert {twin.network: set(twin.errors) for twin in networks.found()} == {network: set(words) for network, words in MEANS.items()}


@pytest.mark.parametrize(("network", "word"), PLAYED)
async def test_a_networks_own_word_is_judged_by_a_listed_row_of_the_right_class(network: str, word: str) -> None:
    scene = SCENES[network]
    person = scene.person()
    path = AT_THE_TOKEN_ENDPOINT.get(word, scene.path)
    # Of two reads of X, the first belongs to the exchange.
    person.world.faults.add(Script(word, network=network, path=path, skip=int(path == "/2/users/me"), times=0))
    with pytest.raises(Fault) as caught:
        await scene.act(person)
    fault = caught.value
    assert fault.kind is MEANS[network][word]
    if fault.kind not in (THROTTLED, TRANSIENT) and (network, word) not in UNLISTED:
        assert fault.row not in BEYOND
    await person.browser.aclose()
