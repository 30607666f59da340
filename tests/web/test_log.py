"""E5: no secret reaches the log, whatever it was called."""

import json
import logging
from io import StringIO

from hitchpost.secret import Secret
from hitchpost.web.log import set_up

CANARY = "canary-4d1c"


def test_E5_secrets_are_hidden_by_type_by_name_and_inside_addresses() -> None:
    written = StringIO()
    log = set_up("info", stream=written)
    log.info(
        "exchange",
        value=Secret(CANARY),
        access_token=CANARY,
        client_secret=CANARY,
        code=CANARY,
        state=CANARY,
        Authorization=CANARY,
        api_key=CANARY,
        url=f"https://api.example/cb?code={CANARY}&state={CANARY}&page=2",
        deep={"items": [{"refresh_token": CANARY}, f"client_secret={CANARY}"]},
        key="hp_abcdefgh_" + "k" * 40,
        network="x",
    )
    line = json.loads(written.getvalue())
    assert CANARY not in written.getvalue()
    assert "kkk" not in written.getvalue()
    assert (line["network"], line["url"]) == ("x", "https://api.example/cb?code=[hidden]&state=[hidden]&page=2")


def test_E5_libraries_log_through_the_same_sieve_and_http_clients_are_quiet() -> None:
    written = StringIO()
    set_up("info", stream=written)
    logging.getLogger("uvicorn.error").warning("odd target /cb?code=%s", CANARY)
    logging.getLogger("httpx2").info("GET https://api.example/me?access_token=%s", CANARY)
    logging.getLogger("uvicorn.access").info("GET /cb?code=%s", CANARY)
    assert [json.loads(line)["event"] for line in written.getvalue().splitlines()] == ["odd target /cb?code=[hidden]"]


def test_the_level_is_kept() -> None:
    written = StringIO()
    log = set_up("warning", stream=written)
    log.info("quiet")
    log.warning("heard")
    assert json.loads(written.getvalue())["event"] == "heard"


def test_R19_a_log_that_nobody_takes_any_more_stops_nothing() -> None:
    gone = StringIO()
    log = set_up("info", stream=gone)
    gone.close()
    log.info("nobody hears this")
    logging.getLogger("uvicorn.error").warning("nor this")
