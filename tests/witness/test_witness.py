"""Page, twin and adapter agree three ways on every documented example, and each disagreement is seen."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from hitchpost.networks.adapters.x import X
from hitchpost.networks.errors import FaultKind
from tests.witness import stage
from tests.witness.pages import Example, examples
from tests.witness.table import CONSENTS, WITNESSES

NETWORKS = ("facebook", "instagram", "x", "linkedin", "pinterest")
EXAMPLES = {one.place: one for network in NETWORKS for one in examples(network)}
BY_PLACE = {one.place: one for one in WITNESSES}


def test_every_example_has_a_witness_and_every_witness_an_example() -> None:
    assert sorted(EXAMPLES) == sorted([*BY_PLACE, *CONSENTS])
    assert len(BY_PLACE) == len(WITNESSES)


@pytest.mark.parametrize("place", [place for place in EXAMPLES if place in BY_PLACE])
async def test_page_twin_and_adapter_agree(place: str) -> None:
    await stage.play(EXAMPLES[place], BY_PLACE[place])


@pytest.mark.parametrize("place", [place for place in EXAMPLES if place in CONSENTS])
async def test_page_twin_and_adapter_agree_on_a_consent(place: str) -> None:
    example, (witness, decision, means) = EXAMPLES[place], CONSENTS[place]
    person, _ = witness.traveller()
    address = urlsplit(person.consent_page())
    _, host, *parts = address.path.split("/")
    sent = dict(parse_qsl(address.query))
    assert (host, "/" + "/".join(parts)) == (example.asked.host, example.asked.path)
    assert set(sent) == set(example.asked.names)
    answer = await person.browser.post(person.consent_page(), data={"person": "ada", "decision": decision})
    assert answer.status_code == example.status
    back, page = urlsplit(answer.headers["location"]), urlsplit(example.location.replace("…/", "https://page.example/"))
    told, documented = dict(parse_qsl(back.query)), dict(parse_qsl(page.query))
    assert set(told) >= set(documented), told
    assert page.fragment in ("", back.fragment)
    for name in ("error", "error_reason"):
        assert told.get(name) == documented.get(name)
    for seen in (told, documented):
        assert _meaning(person, seen) == means


def _meaning(person: stage.Person, answer: dict[str, str]) -> str:
    if "code" in answer:
        return "code"
    fault = person.adapter.refusal(answer)
    return "declined" if fault.kind is FaultKind.DECLINED else f"fault {fault.kind.value}"


PLACE = "x: Who it is #1"


def changed(example: Example, **facts: Any) -> Example:
    return replace(example, **facts)


def broken() -> Iterator[tuple[str, Example, str]]:
    good = EXAMPLES[PLACE]
    data = good.body["data"]
    yield "a name that the network does not have", changed(good, body={"data": {**data, "handle": "x"}}), "lacks handle"
    yield "a field that the page forgets", changed(good, body={"data": {k: v for k, v in data.items() if k != "name"}}), "has name beside"
    yield "another status", changed(good, status=201), "status 200"
    yield "another kind of value", changed(good, body={"data": {**data, "verified": "yes"}}), "is bool, not str"
    yield "another address", changed(good, asked=replace(good.asked, path="/2/users/by")), "no such request"
    yield "a parameter that is not sent", changed(good, asked=replace(good.asked, names={"fields": ""})), "no such request"


@pytest.mark.parametrize(("what", "example", "said"), list(broken()), ids=[what for what, _, _ in broken()])
async def test_a_page_that_is_wrong_is_seen(what: str, example: Example, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        await stage.play(example, BY_PLACE[PLACE])


async def test_an_adapter_that_understands_something_else_is_seen() -> None:
    class Deaf(X):
        async def exchange(self, *args: Any, **kwargs: Any) -> Any:
            await super().exchange(*args, **kwargs)
            return "nothing"

    with pytest.raises(AssertionError, match="takes the twin's answer as “nothing”"):
        await stage.play(EXAMPLES[PLACE], replace(BY_PLACE[PLACE], adapter=Deaf))


def test_a_page_that_cannot_be_read_says_where() -> None:
    head = "\n## Requests and answers\n\nSeen in 2026.\n\n**It.**\n\n```\n"
    wrong = {"→ 200 {}": "an answer without a request", "GET api.x.com/2": "must be whole", "GET https://x.com/a\n→ 200 {": "no JSON"}
    for block, said in wrong.items():
        with pytest.raises(ValueError, match=said):
            examples("x", f"{head}{block}\n```\n")
    with pytest.raises(ValueError, match="no date"):
        examples("x", "\n## Requests and answers\n")
