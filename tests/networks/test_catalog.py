"""The catalog finds every network by its file, and every network's facts can be trusted as they stand."""

import re
from collections.abc import Sequence
from dataclasses import FrozenInstanceError
from urllib.parse import urlsplit

import pytest

from hitchpost.networks.base import Adapter, AppCredentials, Call, Consent, Derived, Listing, Login, Picked, TokenSet
from hitchpost.networks.catalog import CONTRACT_ORDER, Catalog, discover
from hitchpost.secret import Secret

ADAPTERS = [pytest.param(adapter, id=adapter.provider) for adapter in discover()]
LOGINS = [pytest.param(login, id=f"{adapter.provider}-{login.key}") for adapter in discover() for login in adapter.logins]


class Sixth(Adapter):
    """A network that is not in the contract."""

    provider = "aardvark"
    title = "Aardvark"
    mark = "M0 0h24v24z"
    colour = "#112233"
    logins = ()
    image_hosts = ()
    switch_account = ""
    remove_app = ""

    async def exchange(self, call: Call, *, code: Secret, redirect_uri: str, verifier: Secret | None) -> Consent:
        raise AssertionError("not called here")

    async def look(self, call: Call, tokens: TokenSet) -> Listing:
        raise AssertionError("not called here")

    async def derive(self, call: Call, tokens: TokenSet, picked: Sequence[Picked]) -> tuple[Derived, ...]:
        raise AssertionError("not called here")


def test_the_five_networks_of_the_contract_are_found_in_its_order() -> None:
    assert discover().providers == CONTRACT_ORDER


def test_a_sixth_network_comes_after_them() -> None:
    catalog = Catalog([Sixth(), *discover()])
    assert catalog.providers == (*CONTRACT_ORDER, "aardvark")
    assert "aardvark" in catalog
    assert catalog["aardvark"].title == "Aardvark"


def test_a_provider_in_the_wrong_case_is_not_in_it() -> None:
    assert "X" not in discover()
    assert 5 not in discover()


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_a_mark_is_one_path_of_plain_drawing_commands(adapter: Adapter) -> None:
    assert re.fullmatch(r"[Mm][MmLlHhVvCcSsQqTtAaZz0-9 .,-]+", adapter.mark)
    assert re.fullmatch(r"#[0-9a-f]{6}", adapter.colour)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_people_are_told_how_to_switch_accounts_and_where_to_take_the_access_back(adapter: Adapter) -> None:
    assert adapter.switch_account.endswith(".")
    assert "https://" in adapter.remove_app


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_pictures_come_from_named_hosts_only(adapter: Adapter) -> None:
    assert adapter.image_hosts
    assert all(re.fullmatch(r"\.?[a-z0-9-]+(\.[a-z0-9-]+)+", host) for host in adapter.image_hosts)


@pytest.mark.parametrize("adapter", ADAPTERS)
def test_each_way_through_a_consent_has_its_own_key(adapter: Adapter) -> None:
    keys = [login.key for login in adapter.logins]
    assert keys
    assert len(set(keys)) == len(keys)


@pytest.mark.parametrize("login", LOGINS)
def test_D6_addresses_are_facts_that_no_row_and_no_call_can_move(login: Login) -> None:
    hostile = AppCredentials("capp", "@evil.example/", Secret("s"), variant=login.variants[0], version="v1")
    for url in (login.oauth.authorize_url, login.oauth.token_url):
        assert url.startswith("https://")
        assert urlsplit(url.format(version=hostile.version)).netloc == urlsplit(url).netloc
        assert "{" not in urlsplit(url).netloc
    with pytest.raises(FrozenInstanceError):
        login.oauth.token_url = "https://evil.example/"  # type: ignore[misc]


@pytest.mark.parametrize("login", LOGINS)
def test_an_api_with_versions_says_their_form_and_its_default_is_one(login: Login) -> None:
    assert bool(login.default_version) is bool(login.version_form)
    assert re.fullmatch(login.version_form, login.default_version)
    assert not login.version_form or not re.fullmatch(login.version_form, "banana")


@pytest.mark.parametrize("login", LOGINS)
def test_every_variant_of_an_app_has_its_scopes_and_people_are_told_what_is_asked(login: Login) -> None:
    for variant in login.variants:
        assert login.asked(AppCredentials("capp", "1", Secret("s"), variant=variant))
    assert login.asks
    assert login.title
