"""Settings: what is left out follows from what is said, and what cannot be used is refused in plain words with what can."""

import pytest

from hitchpost.settings import BadSettings, read_settings


@pytest.mark.parametrize(
    ("bind", "url"),
    [
        ("127.0.0.1:8439", "http://127.0.0.1:8439"),
        ("127.0.0.2:8439", "http://127.0.0.2:8439"),
        ("[::1]:8439", "http://[::1]:8439"),
        # Sandboxes are at localhost: a server of that name would have its cookies sent to them.
        ("localhost:8439", "http://127.0.0.1:8439"),
        ("127.0.0.1:0", "http://127.0.0.1:8420"),
    ],
)
def test_the_public_url_follows_where_the_server_listens_on_this_machine(bind: str, url: str) -> None:
    assert read_settings({"HITCHPOST_BIND": bind}).settings.public_url == url
    said = {"HITCHPOST_BIND": bind, "HITCHPOST_PUBLIC_URL": "https://connect.example.com"}
    assert read_settings(said).settings.public_url == "https://connect.example.com"


@pytest.mark.parametrize("bind", ["0.0.0.0:8420", "[::]:8420", "192.168.1.5:8420"])
def test_who_listens_for_other_machines_must_say_by_which_address(bind: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read_settings({"HITCHPOST_BIND": bind})
    assert str(refusal.value).startswith(f"HITCHPOST_BIND: {bind} can be reached from other machines, so set HITCHPOST_PUBLIC_URL")
    assert read_settings({"HITCHPOST_BIND": bind, "HITCHPOST_PUBLIC_URL": "http://127.0.0.1:80"}).settings.bind == bind


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("LOG_LEVEL", "loud", "must be debug, info, warning or error"),
        ("NETWORKS_AT_INSECURE", "yess", "must be true or false"),
        ("PUBLIC_URL_INSECURE", "2", "must be true or false"),
        ("RATE_LIMIT", "many", "must be a whole number from 1 to 1000000"),
        ("RATE_LIMIT", "0", "must be a whole number from 1 to 1000000"),
        ("RENEWALS_A_MINUTE", "-1", "must be a whole number from 0 to 100000"),
        ("SESSION_HOURS", "1.5", "must be a whole number from 1 to 2160"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,proxy", "must be addresses or networks such as 10.0.0.0/8, separated by commas"),
        ("BIND", "8420", "must be an address and a port, such as 127.0.0.1:8420"),
    ],
)
def test_what_a_setting_cannot_be_is_said_with_what_it_can(name: str, value: str, sentence: str) -> None:
    with pytest.raises(BadSettings) as refusal:
        read_settings({f"HITCHPOST_{name}": value})
    assert str(refusal.value) == f"HITCHPOST_{name}: {sentence}"
