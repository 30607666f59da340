"""The canary sweep (threats E1, E5, C4, C6): after journeys of every kind no secret stands in logs, database, pages, answers or errors."""

import io
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlencode

import pytest
from sqlalchemy import text

from hitchpost.db.engine import Tx
from hitchpost.demo.browser import refresh_target
from hitchpost.ids import new_api_key, new_token
from hitchpost.secret import Secret
from hitchpost.web.log import set_up
from hitchpost_sandbox.apps import WELL_KNOWN
from tests.security.canaries import Canaries, WatchedWorld, files_below
from tests.security.outside import CALLBACK, START, asked, cookie_of, logins_of
from tests.security.recording import Recording
from tests.support.clock import ManualClock
from tests.support.house import NETWORKS, PASSWORD, PUBLIC_URL, Browser, House, opened
from tests.support.people import Town, settled_town


@dataclass(slots=True)
class Sweep:
    """A house whose every word is written down, and the canaries that must not be among them."""

    town: Town
    record: Recording
    log: io.StringIO
    canaries: Canaries
    folder: Path

    @property
    def house(self) -> House:
        return self.town.house

    def kept(self) -> dict[str, bytes]:
        """What stays behind: the files of the database, and the log."""
        return files_below(self.folder / "data") | {"log": self.log.getvalue().encode()}

    def said(self) -> dict[str, bytes]:
        """What was answered: pages, errors, API; without the one page that leads to a network, and without Set-Cookie."""
        found = {}
        for number, one in enumerate(self.record.answers):
            shown = [f"{name}: {value}" for name, value in one.headers if name != "set-cookie"]
            if one.path == START or one.path.endswith("/again"):
                # Only these two may hold a state; what else they hold is searched by `moving`.
                continue
            found[f"{number} {one.method} {one.path} {one.status}"] = "\n".join(shown).encode() + b"\n\n" + one.body
        return found

    def moving(self) -> dict[str, bytes]:
        """The pages that lead to a network."""
        return {
            f"moving {place}": one.body for place, one in enumerate(self.record.answers) if one.path == START or one.path.endswith("/again")
        }


@pytest.fixture
async def sweep(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Sweep]:
    """A town in a watched world, its log at the most talkative level."""
    world, log = WatchedWorld(), io.StringIO()
    async with opened(tmp_path, clock, extra={"HITCHPOST_LOG_LEVEL": "debug"}, world=world) as house:
        set_up("debug", stream=log)
        record = Recording(house)
        world.canaries.add("password", PASSWORD)
        yield Sweep(await settled_town(house), record, log, world.canaries, tmp_path)


async def _verifiers(sweep: Sweep) -> None:
    """The verifiers of all trips that wait for an answer, which most networks never get to see."""
    keeper, place = sweep.house.services.tokens, ("authorization_requests", "sealed_verifier")
    rows = await sweep.house.rows("SELECT id, workspace_id, sealed_verifier FROM authorization_requests WHERE sealed_verifier <> ''")

    def unsealed(tx: Tx) -> list[Secret]:
        return [keeper.unseal(tx, str(row["workspace_id"]), *place, str(row["id"]), str(row["sealed_verifier"])) for row in rows]

    sweep.canaries.add("verifier", *(one.reveal() for one in await sweep.house.services.database.read(unsealed)))


async def _depart(sweep: Sweep, browser: Browser, provider: str, login: str = "") -> str:
    """To the network's address, with what was made for the trip told to the canaries."""
    page = await browser.start(provider, sweep.town.lantern)
    target = refresh_target(await browser.submit(page, page.form(START), [("login", login)] if login else []))
    sweep.canaries.add("state", asked(target)["state"])
    sweep.canaries.add("cookie", cookie_of(browser))
    await _verifiers(sweep)
    return target


async def _journeys(sweep: Sweep, provider: str) -> None:
    """Success, renewal, a hostile person, denial, a stray answer, another browser's answer, a wrong app secret, a used code."""
    ada = await sweep.town.browser("ada")
    denied = await ada.open(await _depart(sweep, ada, provider))
    await ada.settle(await ada.open(await ada.consent(denied, allow=False)))
    for login in logins_of(sweep.house, provider):
        for person in ("hedda", "ada"):
            browser = await sweep.town.browser("ada")
            back = await browser.consent(await browser.open(await _depart(sweep, browser, provider, login.key)), person)
            page = await browser.settle(await browser.open(back))
            if any(form.action.endswith("/attach") and form.boxes for form in page.forms):
                await browser.attach(page)
            await browser.open(back)
            await (await sweep.town.browser("ben")).open(back)
    guest = sweep.house.browser()
    await guest.open(f"{CALLBACK}/{provider}?{urlencode({'code': _stray(sweep, 'code'), 'state': _stray(sweep, 'state')})}")
    ben = await sweep.town.browser("ben")
    page = await ben.open(await _depart(sweep, ben, provider))
    _spoil_secrets(sweep, provider)
    failed = await ben.settle(await ben.open(await ben.consent(page, "ben")))
    assert failed.code == "app_misconfigured"
    home = await ada.open("/")
    await ada.submit(home, home.form("/sign-out"), [])


def _stray(sweep: Sweep, kind: str) -> str:
    """A value of this kind that nobody issued."""
    value = new_token()
    sweep.canaries.add(kind, value)
    return value


def _spoil_secrets(sweep: Sweep, provider: str) -> None:
    """The networks expect other app secrets from now on."""
    authorities = {login.authority for login in logins_of(sweep.house, provider)}
    for app in WELL_KNOWN:
        if app.authority in authorities:
            sweep.house.world.register(replace(app, client_secret=f"rotated-{new_token()}"))


async def _api_calls(sweep: Sweep) -> None:
    """Right and wrong keys, in the header and where they do not belong; wrong passwords; an error inside."""
    key, wrong = await sweep.house.key(sweep.town.ada), new_api_key()
    sweep.canaries.add("api key", key, wrong)
    workspace = f"workspaceId={sweep.town.lantern}"
    for given in (key, wrong, key.upper(), key[:-1], f"Bearer {key}"):
        api = sweep.house.api(given)
        for path in ("me", "workspaces", f"social-profiles?{workspace}", f"social-profiles?{workspace}&api_key={key}&access_token={key}"):
            await api.get(path)
        for body in ({"provider": "x"}, {"provider": key, "key": key}, {"provider": {"deep": key}}):
            await api.post(f"social-profiles/connection-url?{workspace}&key={key}", json=body)
    await sweep.house.api(key).get(f"{key}/{key}")
    typed = "a-wrong-password-canary"
    sweep.canaries.add("password", typed)
    await sweep.house.browser().sign_in("ada@example.com", typed)
    # Typed into the wrong field it is shown to who typed it, and kept nowhere.
    sweep.canaries.add("mistyped", mistyped := "my-password-canary@wrong.field")
    await sweep.house.browser().sign_in(mistyped, typed)


async def _break_inside(sweep: Sweep) -> None:
    """A callback, a sign-in and a call that end in something unforeseen, with their secrets in hand."""
    browser = await sweep.town.browser("ada")
    key = await sweep.house.key(sweep.town.ada)
    sweep.canaries.add("api key", key)
    page = await browser.open(await _depart(sweep, browser, "facebook"))
    back = await browser.consent(page, "ada")
    sign_in = await browser.open("/sign-in")
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("ALTER TABLE token_sets RENAME TO gone")))
    assert (await browser.open(back)).status == 500
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("ALTER TABLE browser_sessions RENAME TO lost")))
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("ALTER TABLE api_keys RENAME TO missing")))
    sweep.house.services.workspaces.forget_callers()
    fields = [("email", "ada@example.com"), ("password", PASSWORD)]
    assert (await browser.submit(sign_in, sign_in.form("/sign-in"), fields)).status == 500
    assert (await sweep.house.api(key).get("me")).status_code == 500


@pytest.mark.parametrize("provider", NETWORKS)
async def test_E1_E5_C6_no_secret_of_a_networks_journeys_stands_anywhere(
    sweep: Sweep, provider: str, capfd: pytest.CaptureFixture[str]
) -> None:
    await _journeys(sweep, provider)
    canaries = sweep.canaries
    assert canaries.count("code") >= 3
    assert canaries.count("token") >= 2
    assert canaries.count("verifier") >= 4
    assert canaries.count("state") >= 4
    assert canaries.count("app secret") > len(WELL_KNOWN)
    printed = capfd.readouterr()
    places = sweep.kept() | sweep.said() | {"stdout": printed.out.encode(), "stderr": printed.err.encode()}
    assert {"hitchpost.db", "hitchpost.db-wal", "log"} <= set(places)
    assert '"event": "request"' in sweep.log.getvalue()
    assert canaries.found_in(places) == set()
    assert canaries.found_in(sweep.moving(), but=("state",)) == set()


async def test_E5_C4_C5_no_key_password_or_error_leaves_a_secret_behind(sweep: Sweep, capfd: pytest.CaptureFixture[str]) -> None:
    await _api_calls(sweep)
    await _break_inside(sweep)
    printed = capfd.readouterr()
    places = sweep.kept() | sweep.said() | {"stdout": printed.out.encode(), "stderr": printed.err.encode()}
    assert '"event": "unforeseen"' in sweep.log.getvalue()
    assert sweep.canaries.count("api key") == 3
    assert {kind for kind, place in sweep.canaries.found_in(places)} == {"mistyped"}
    assert {place.partition(" ")[2] for _, place in sweep.canaries.found_in(places)} == {"POST /sign-in 403"}
    assert sweep.canaries.found_in(sweep.moving(), but=("state",)) == set()


async def test_E5_the_log_keeps_no_query_of_the_callback(sweep: Sweep) -> None:
    await sweep.house.browser().open(f"{CALLBACK}/x?code={_stray(sweep, 'code')}&state={_stray(sweep, 'state')}")
    line = next(line for line in sweep.log.getvalue().splitlines() if "callback" in line)
    assert '"path": "/api/social-connect/callback/' in line
    assert "?" not in line
    assert "code=" not in line


async def test_the_sweep_finds_a_canary_wherever_one_is_planted(sweep: Sweep) -> None:
    ada = await sweep.town.browser("ada")
    target = await _depart(sweep, ada, "x")
    state, planted = asked(target)["state"], _stray(sweep, "code")
    # The page that moves on holds the state, and is the one place that may.
    assert {kind for kind, _ in sweep.canaries.found_in(sweep.moving())} == {"state"}
    assert sweep.canaries.found_in(sweep.kept() | sweep.said()) == set()
    # In a log line that its filter does not know.
    set_up("debug", stream=sweep.log).info("planted", note=f"it was {planted}")
    assert sweep.canaries.found_in(sweep.kept()) == {("code", "log")}
    # In a row that was deleted again: the journal still has it.
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("UPDATE grants SET name = :it"), {"it": state}))
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("CREATE TABLE planted (it TEXT)")))
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("INSERT INTO planted VALUES (:it)"), {"it": state}))
    await sweep.house.services.database.begin(lambda tx: tx.execute(text("DELETE FROM planted")))
    assert ("state", "hitchpost.db-wal") in sweep.canaries.found_in(sweep.kept())
    # On a page of ours, percent-encoded too.
    mark = "canary/with space"
    sweep.canaries.add("token", mark)
    await ada.client.get(f"{PUBLIC_URL}/sign-in", params={"to": "home"})
    assert "token" not in {kind for kind, _ in sweep.canaries.found_in(sweep.said())}
    page = await ada.open("/sign-in")
    await ada.submit(page, page.form("/sign-in"), [("email", mark), ("password", "x")])
    assert "token" in {kind for kind, _ in sweep.canaries.found_in(sweep.said())}


def test_E5_a_secret_hides_itself_wherever_a_program_may_put_it() -> None:
    log, canaries, secret = io.StringIO(), Canaries(), new_token()
    canaries.add("token", secret)
    held = Secret(secret)
    logger = set_up("debug", stream=log)
    logger.info(
        f"{held} {held!r}", held=held, listed=[held], mapped={"a": held}, access_token=secret, url=f"https://a.example/?code={secret}"
    )
    assert canaries.found_in({"log": log.getvalue().encode(), "text": f"{held}{[held]}".encode()}) == set()
