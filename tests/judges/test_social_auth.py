"""social-auth-core's own backends for the five networks."""

import pytest
from social_core.backends.facebook import FacebookOAuth2
from social_core.backends.instagram import InstagramOAuth2
from social_core.backends.linkedin import LinkedinOpenIdConnect
from social_core.backends.pinterest import PinterestOAuth2
from social_core.backends.twitter_oauth2 import TwitterOAuth2
from social_core.exceptions import AuthConfigurationError, AuthException

from hitchpost_sandbox.apps import INSTAGRAM_APP, LINKEDIN_MEMBER_APP, META_APP, PINTEREST_APP, X_APP
from hitchpost_sandbox.cast import ADA
from tests.judges.conftest import Outside
from tests.judges.strategy import backend, came_back

JUDGES = {
    "facebook": (FacebookOAuth2, META_APP, {"SCOPE": ["public_profile", "pages_show_list"]}),
    "instagram": (InstagramOAuth2, INSTAGRAM_APP, {"SCOPE": ["instagram_business_basic"]}),
    "x": (TwitterOAuth2, X_APP, {"SCOPE": ["offline.access"]}),
    "linkedin": (LinkedinOpenIdConnect, LINKEDIN_MEMBER_APP, {"SCOPE": ["email"]}),
    "pinterest": (PinterestOAuth2, PINTEREST_APP, {"SCOPE": ["user_accounts:read", "boards:read"]}),
}


def judge(network: str, outside: Outside) -> object:
    kind, app, settings = JUDGES[network]
    name = f"SOCIAL_AUTH_{kind.name.upper().replace('-', '_')}"
    found = {"KEY": app.client_id, "SECRET": app.client_secret, **settings}
    return backend(kind, outside, {f"{name}_{key}": value for key, value in found.items()})


WHO = {
    "facebook": ("name", ADA.name),
    "instagram": ("user", None),
    "x": ("username", "adalantern"),
    "linkedin": ("email", ADA.email),
    "pinterest": ("username", "lanternbakery"),
}


@pytest.mark.parametrize("network", JUDGES)
def test_a_judge_signs_ada_in(network: str, outside: Outside) -> None:
    made = judge(network, outside)
    response = came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    field, value = WHO[network]
    assert response[field] == value if value else response[field]["username"] == "lantern.bakery"
    assert outside.world.ledger.count("code_redeemed", person="ada") == 1


@pytest.mark.parametrize("network", JUDGES)
def test_a_judge_understands_a_refusal(network: str, outside: Outside) -> None:
    made = judge(network, outside)
    with pytest.raises(AuthException):
        came_back(made, outside.deny(made.start()))  # type: ignore[attr-defined]
    assert outside.world.ledger.count("code_issued") == 0


@pytest.mark.parametrize("network", JUDGES)
def test_a_judge_understands_a_code_that_was_used(network: str, outside: Outside) -> None:
    first, second = judge(network, outside), judge(network, outside)
    back = outside.allow(first.start())  # type: ignore[attr-defined]
    came_back(first, back)
    second.start()  # type: ignore[attr-defined]
    with pytest.raises(AuthException):
        came_back(second, back)


def test_x_refuses_a_renewal_without_basic_as_the_library_sends_it(outside: Outside) -> None:
    made = judge("x", outside)
    response = came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    # The library names the confidential app in the body alone; X wants Basic, says 401, and the token stays good.
    with pytest.raises(AuthConfigurationError):
        made.refresh_token(response["refresh_token"])  # type: ignore[attr-defined]
    assert outside.world.ledger.count("token_rotated") == 0


def test_facebook_exchanges_for_a_long_token_and_takes_the_permissions_back(outside: Outside) -> None:
    made = judge("facebook", outside)
    response = came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    longer = made.refresh_token(response["access_token"])  # type: ignore[attr-defined]
    assert longer["expires_in"] > 50 * 86400
    made.revoke_token(longer["access_token"], response["id"])  # type: ignore[attr-defined]
    assert outside.world.ledger.count("token_revoked", person="ada") >= 2


def test_linkedins_id_token_is_checked_by_the_library_against_the_sandboxs_keys(outside: Outside) -> None:
    made = judge("linkedin", outside)
    response = came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    claims = made.id_token  # type: ignore[attr-defined]
    assert (claims["iss"], claims["aud"], claims["sub"]) == (
        "https://www.linkedin.com/oauth",
        LINKEDIN_MEMBER_APP.client_id,
        response["sub"],
    )
