"""R7 in short: a server killed with -9 at any step of a connection loses nothing, leaves nothing half-done, and offers a way on."""

import contextlib
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from hitchpost.demo import programs, world
from hitchpost.demo.browser import Browser, Page
from hitchpost.demo.programs import Program
from hitchpost.demo.walk import consent
from hitchpost.secret import Secret
from tests.support.hopper import Hopper, hopping

PAGE = "/101755847768001"
"""Part of the address at which a picked Page is examined again."""


@dataclass(slots=True)
class Place:
    """A database on disk, a sandbox behind a hopper, and servers that come and go."""

    environment: dict[str, str]
    sandbox: Program
    hopper: Hopper
    key: Secret
    database: Path

    def count(self, sql: str) -> int:
        with contextlib.closing(sqlite3.connect(self.database)) as connection:
            return int(connection.execute(sql).fetchone()[0])

    def redeemed(self) -> int:
        return len(self.sandbox.json("/_sandbox/ledger?kind=code_redeemed"))

    @contextmanager
    def killed_while(self, held: str) -> Iterator[Program]:
        """A server that dies with -9 as soon as it waits for an answer of `held`, which never comes; the browser's error is let be."""
        self.hopper.held, self.hopper.loses = held, True
        self.hopper.reached.clear()
        self.hopper.gate.clear()
        with programs.server(self.environment) as server:

            def kill() -> None:
                self.hopper.reached.wait(30)
                server.process.kill()

            killer = threading.Thread(target=kill)
            killer.start()
            with contextlib.suppress(Exception):
                yield server
            killer.join()
            server.process.wait()
        self.hopper.gate.set()


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with programs.sandbox(programs.free_port()) as sandbox, hopping(sandbox.address) as hopper:
        environment = world.environment(tmp_path, programs.free_port(), sandbox) | {"HITCHPOST_NETWORKS_AT": hopper.address}
        yield Place(environment, sandbox, hopper, world.make(environment), tmp_path / "data" / "hitchpost.db")


def asked(browser: Browser, place: Place, server: Program) -> Page:
    """From the start page to the network's consent page, signing in on the way."""
    workspace_id = world.workspace_of(server.address, place.key)
    page = browser.open(f"{server.address}/api/social-connect/start?provider=facebook&workspaceId={workspace_id}")
    page = browser.submit(page, page.form("/sign-in"), [("email", world.EMAIL), ("password", world.PASSWORD)])
    return browser.follow(browser.submit(page, page.form("/api/social-connect/start"), []))


def connection_of(place: Place, server: Program) -> str:
    with contextlib.closing(sqlite3.connect(place.database)) as connection:
        return f"{server.address}/connect/{connection.execute('SELECT id FROM connect_sessions').fetchone()[0]}"


def attach_all(browser: Browser, page: Page) -> Page:
    form = page.form("/attach")
    return browser.follow(browser.submit(page, form, [(name, value) for name, value in form.boxes if name == "pick"]))


def test_R7_killed_while_exchanging_the_code_is_never_sent_again_and_the_person_starts_again(place: Place) -> None:
    browser = Browser()
    with place.killed_while("/oauth/access_token") as server:
        consent(browser, asked(browser, place, server), "ada")
    with programs.server(place.environment) as server:
        page = browser.follow(browser.open(connection_of(place, server)))
        assert page.code == "interrupted"
        assert (place.redeemed(), place.count("SELECT COUNT(*) FROM profiles")) == (0, 0)
        page = browser.follow(consent(browser, browser.follow(browser.submit(page, page.form("/again"), [])), "ada"))
        assert attach_all(browser, page).code == ""
        assert (place.redeemed(), place.count("SELECT COUNT(*) FROM profiles")) == (1, 3)
    browser.close()


def test_R7_killed_while_reading_the_profiles_it_goes_on_by_itself_after_the_start(place: Place) -> None:
    browser = Browser()
    with place.killed_while("/me/accounts") as server:
        browser.follow(consent(browser, asked(browser, place, server), "ada"))
    with programs.server(place.environment) as server:
        page = browser.follow(browser.open(connection_of(place, server)))
        assert attach_all(browser, page).code == ""
        assert (place.redeemed(), place.count("SELECT COUNT(*) FROM profiles")) == (1, 3)
    browser.close()


def test_R9_killed_while_attaching_nothing_is_half_attached_and_the_choice_stands(place: Place) -> None:
    browser = Browser()
    with place.killed_while(PAGE) as server:
        attach_all(browser, browser.follow(consent(browser, asked(browser, place, server), "ada")))
    tables = ("profiles", "backings", "reaches")
    assert [place.count(f"SELECT COUNT(*) FROM {table}") for table in tables] == [0, 0, 0]
    with programs.server(place.environment) as server:
        page = browser.follow(browser.open(connection_of(place, server)))
        assert attach_all(browser, page).code == ""
        assert [place.count(f"SELECT COUNT(*) FROM {table}") for table in tables] == [3, 3, 3]
        assert place.redeemed() == 1
    browser.close()
