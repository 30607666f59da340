"""social-auth-core's backend for LinkedIn from before OpenID Connect: projections, e-mail finder, parameters in query and body at once."""

import pytest
from social_core.backends.linkedin import LinkedinOAuth2
from social_core.exceptions import AuthException

from hitchpost_sandbox.apps import LINKEDIN_MEMBER_APP, App
from hitchpost_sandbox.cast import ADA
from tests.judges.conftest import Outside
from tests.judges.strategy import backend, came_back

OLD_APP = App("linkedin", "75fromlongago", "sandbox-old-secret", scopes=frozenset({"r_liteprofile", "r_emailaddress", "w_member_social"}))


def judge(outside: Outside, app: App) -> object:
    outside.world.register(app)
    settings = {
        "KEY": app.client_id,
        "SECRET": app.client_secret,
        "SCOPE": ["r_emailaddress"],
        "FIELD_SELECTORS": ["emailAddress", "profilePicture(displayImage~:playableStreams)"],
    }
    return backend(LinkedinOAuth2, outside, {f"SOCIAL_AUTH_LINKEDIN_OAUTH2_{name}": value for name, value in settings.items()})


def test_an_old_app_reads_name_address_and_picture(outside: Outside) -> None:
    made = judge(outside, OLD_APP)
    response = came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    details = made.get_user_details(response)  # type: ignore[attr-defined]
    assert (details["first_name"], details["last_name"], details["email"]) == ("Ada", "Lantern", ADA.email)
    assert response["profilePicture"]["displayImage~"]["elements"][0]["identifiers"][0]["identifier"].startswith("https://media.licdn.com/")
    assert outside.world.ledger.count("code_redeemed", person="ada") == 1


def test_an_app_of_today_is_refused_the_old_scopes(outside: Outside) -> None:
    made = judge(outside, LINKEDIN_MEMBER_APP)
    with pytest.raises(AuthException):
        came_back(made, outside.allow(made.start()))  # type: ignore[attr-defined]
    assert outside.world.ledger.count("code_issued") == 0
