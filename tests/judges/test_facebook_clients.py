"""facebook-sdk and python-facebook-api at the simulated Graph API."""

from datetime import timedelta
from urllib.parse import urlencode

import facebook
import pyfacebook
import pytest

from hitchpost_sandbox.apps import INSTAGRAM_APP, META_APP
from hitchpost_sandbox.cast import ADA
from tests.judges.conftest import BACK, Outside

SCOPES = ["public_profile", "pages_show_list", "pages_read_engagement", "business_management", "instagram_basic"]
PAGES = {page.id: page.name for page in ADA.facebook.pages if page.direct} if ADA.facebook else {}


@pytest.fixture
def sdk(outside: Outside, monkeypatch: pytest.MonkeyPatch) -> type[facebook.GraphAPI]:
    """facebook-sdk keeps its two addresses in its module."""
    monkeypatch.setattr(facebook, "FACEBOOK_GRAPH_URL", outside.at(facebook.FACEBOOK_GRAPH_URL))
    monkeypatch.setattr(facebook, "FACEBOOK_WWW_URL", outside.at(facebook.FACEBOOK_WWW_URL))
    return facebook.GraphAPI  # type: ignore[no-any-return]


def signed_in(sdk: type[facebook.GraphAPI], outside: Outside) -> facebook.GraphAPI:
    graph = sdk(version="3.1")
    code = outside.allow(graph.get_auth_url(META_APP.client_id, BACK, SCOPES))["code"]
    given = graph.get_access_token_from_code(code, BACK, META_APP.client_id, META_APP.client_secret)
    return sdk(access_token=given["access_token"], version="3.1")


def test_facebook_sdk_goes_from_the_dialog_to_every_page(sdk: type[facebook.GraphAPI], outside: Outside) -> None:
    graph = signed_in(sdk, outside)
    assert graph.get_object("me", fields="id,name")["name"] == ADA.name
    assert {page["id"]: page["name"] for page in graph.get_all_connections("me", "accounts", limit=1)} == PAGES
    assert outside.world.ledger.count("code_redeemed", app=META_APP.client_id) == 1


def test_facebook_sdk_reads_tokens_and_makes_them_longer(sdk: type[facebook.GraphAPI], outside: Outside) -> None:
    graph = signed_in(sdk, outside)
    app_token = graph.get_app_access_token(META_APP.client_id, META_APP.client_secret)
    assert app_token == graph.get_app_access_token(META_APP.client_id, META_APP.client_secret, offline=True)
    read = graph.debug_access_token(graph.access_token, META_APP.client_id, META_APP.client_secret)["data"]
    assert (read["is_valid"], read["app_id"], read["type"]) == (True, META_APP.client_id, "USER")
    longer = graph.extend_access_token(META_APP.client_id, META_APP.client_secret)
    assert longer["expires_in"] > timedelta(days=50).total_seconds()
    assert graph.get_version().startswith("2")


def test_facebook_sdk_understands_a_dead_token(sdk: type[facebook.GraphAPI], outside: Outside) -> None:
    graph = signed_in(sdk, outside)
    outside.world.clock.forward(timedelta(hours=3))
    with pytest.raises(facebook.GraphAPIError) as refused:
        graph.get_object("me")
    assert refused.value.code == 190


def pyfb(outside: Outside, **more: object) -> pyfacebook.GraphAPI:
    return pyfacebook.GraphAPI(
        app_id=META_APP.client_id,
        app_secret=META_APP.client_secret,
        base_url=outside.at("https://graph.facebook.com/"),
        authorization_url=outside.at("https://www.facebook.com/dialog/oauth"),
        access_token_url=outside.at("https://graph.facebook.com/oauth/access_token"),
        redirect_uri=BACK,
        **{"oauth_flow": True, "scope": SCOPES, **more},
    )


@pytest.fixture
def loopback_oauth(monkeypatch: pytest.MonkeyPatch) -> None:
    """oauthlib wants https for the redirect too; this is its own switch for a loopback one."""
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")


@pytest.mark.usefixtures("loopback_oauth")
def test_python_facebook_api_goes_from_the_dialog_to_a_page_token(outside: Outside) -> None:
    api = pyfb(outside)
    page, _ = api.get_authorization_url()
    back = outside.allow(page)
    token = api.exchange_user_access_token(f"{BACK}?{urlencode(back)}")
    assert token["access_token"]
    assert api.get_object("me", fields="id,name")["name"] == ADA.name
    found = api.get_full_connections("me", "accounts", count=None, limit=1, fields="id,name,tasks,access_token")["data"]
    assert {one["id"]: one["name"] for one in found} == PAGES
    long = api.exchange_long_lived_user_access_token()
    assert long["expires_in"] > timedelta(days=50).total_seconds()
    of_page = api.exchange_page_access_token(next(iter(PAGES)), long["access_token"])
    read = api.debug_token(of_page, f"{META_APP.client_id}|{META_APP.client_secret}")["data"]
    assert (read["type"], read["expires_at"], read["is_valid"]) == ("PAGE", 0, True)


@pytest.mark.usefixtures("loopback_oauth")
def test_python_facebook_api_understands_the_errors(outside: Outside) -> None:
    api = pyfb(outside, oauth_flow=False, access_token="not-a-token")
    with pytest.raises(pyfacebook.FacebookError) as refused:
        api.get_object("me")
    assert refused.value.code == 190
    app = pyfb(outside, oauth_flow=False, application_only_auth=True)
    assert app.access_token == f"{META_APP.client_id}|{META_APP.client_secret}"


@pytest.mark.usefixtures("loopback_oauth")
def test_python_facebook_apis_instagram_login_goes_all_the_way(outside: Outside) -> None:
    api = pyfacebook.BasicDisplayAPI(
        app_id=INSTAGRAM_APP.client_id,
        app_secret=INSTAGRAM_APP.client_secret,
        base_url=outside.at("https://graph.instagram.com/"),
        authorization_url=outside.at("https://api.instagram.com/oauth/authorize"),
        access_token_url=outside.at("https://api.instagram.com/oauth/access_token"),
        oauth_flow=True,
    )
    asked = {"redirect_uri": BACK, "scope": ["instagram_business_basic"]}
    page, _ = api.get_authorization_url(**asked)
    api.exchange_user_access_token(f"{BACK}?{urlencode(outside.allow(page))}", **asked)
    assert api.get_object("me", fields="id,username")["username"] == "lantern.bakery"
    long = api.exchange_long_lived_user_access_token()
    outside.world.clock.forward(timedelta(hours=25))
    again = api.refresh_access_token(long["access_token"])
    assert again["expires_in"] > timedelta(days=50).total_seconds()
