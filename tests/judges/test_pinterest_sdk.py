"""Pinterest's own SDK at the simulated API v5."""

from datetime import timedelta

import pytest
import requests
from openapi_generated.pinterest_client.api.ad_accounts_api import AdAccountsApi
from openapi_generated.pinterest_client.api.user_account_api import UserAccountApi
from openapi_generated.pinterest_client.configuration import Configuration
from openapi_generated.pinterest_client.exceptions import ApiException
from pinterest.client import PinterestSDKClient
from pinterest.organic.boards import Board
from pinterest.utils.refresh_access_token import get_new_access_token
from pinterest.utils.sdk_exceptions import SdkException

from hitchpost_sandbox.apps import PINTEREST_APP
from hitchpost_sandbox.cast import ADA
from tests.judges.conftest import BACK, Outside

# The SDK has no code exchange of its own: people make the first pair by hand, as its README tells them.
SCOPES = "user_accounts:read,boards:read,boards:write,pins:read,pins:write"


def first_pair(outside: Outside, person: str = "ada", scope: str = SCOPES) -> dict[str, str]:
    page = f"https://www.pinterest.com/oauth/?client_id={PINTEREST_APP.client_id}&redirect_uri={BACK}&response_type=code&scope={scope}"
    answer = requests.post(
        outside.at("https://api.pinterest.com/v5/oauth/token"),
        auth=(PINTEREST_APP.client_id, PINTEREST_APP.client_secret),
        data={"grant_type": "authorization_code", "code": outside.allow(page, person)["code"], "redirect_uri": BACK},
        timeout=10,
    )
    found: dict[str, str] = answer.json()
    return found


def client(outside: Outside, token: str) -> PinterestSDKClient:
    return PinterestSDKClient(configuration=Configuration(host=outside.at("https://api.pinterest.com/v5"), access_token=token))


def test_the_sdk_reads_the_account_and_its_boards(outside: Outside) -> None:
    made = client(outside, first_pair(outside)["access_token"])
    account = UserAccountApi(made).user_account_get()
    assert (account.username, str(account.account_type)) == ("lanternbakery", "BUSINESS")
    boards, _ = Board.get_all(page_size=25, client=made)
    # Secret boards need a permission of their own.
    assert ADA.pinterest
    assert {one.name for one in boards} == {board.name for board in ADA.pinterest.boards if board.privacy != "SECRET"}
    assert Board(board_id=boards[0].id, client=made).name == boards[0].name


def test_the_sdk_makes_a_board(outside: Outside) -> None:
    made = client(outside, first_pair(outside)["access_token"])
    board = Board.create(name="From the SDK", description="made by a judge", client=made)
    assert board.name == "From the SDK"
    with pytest.raises(ApiException) as refused:
        Board.create(name="From the SDK", description="again", client=made)
    assert refused.value.status == 400


def test_the_sdk_renews_and_understands_a_dead_refresh_token(outside: Outside) -> None:
    pair = first_pair(outside)
    host = outside.at("https://api.pinterest.com/v5")
    ask = {"app_id": PINTEREST_APP.client_id, "app_secret": PINTEREST_APP.client_secret, "host": host}
    token = get_new_access_token(refresh_access_token=pair["refresh_token"], **ask)
    assert UserAccountApi(client(outside, token)).user_account_get().username == "lanternbakery"
    with pytest.raises(SdkException) as refused:
        get_new_access_token(refresh_access_token=pair["refresh_token"], **ask)
    assert refused.value.status == 401


def test_the_sdk_understands_a_token_at_its_end(outside: Outside) -> None:
    made = client(outside, first_pair(outside)["access_token"])
    outside.world.clock.forward(timedelta(days=31))
    with pytest.raises(ApiException) as refused:
        UserAccountApi(made).user_account_get()
    assert refused.value.status == 401


def test_the_sdk_reads_ad_accounts_and_businesses_and_an_account_with_little_in_it(outside: Outside) -> None:
    made = client(outside, first_pair(outside, scope=f"{SCOPES},ads:read")["access_token"])
    listed = AdAccountsApi(made).ad_accounts_list()["items"]
    ads = [AdAccountsApi(made).ad_accounts_get(one["id"]) for one in listed]
    roles = [(one.owner.username, [str(role) for role in one.permissions]) for one in ads]
    assert roles == [("lanternbakery", ["OWNER"]), ("monamany", ["ANALYST"])]
    assert UserAccountApi(made).user_account_get(ad_account_id=ads[1].id).username == "monamany"
    assert [one.username for one in UserAccountApi(made).linked_business_accounts_get()] == ["monamany"]
    # Without a text about itself, a website or a business name.
    bare = UserAccountApi(client(outside, first_pair(outside, "noor")["access_token"])).user_account_get()
    assert (bare.username, bare.about) == ("noorempty", "")
