"""Signing in with a browser: the form comes with a cookie, only that form is taken, and the way back is one of ours."""

from http.cookies import SimpleCookie

import httpx2
import pytest
from sqlalchemy import func, select

from hitchpost.people.models import browser_sessions
from tests.people.accounts import RIGHT, WRONG, Accounts, NewBrowser, form_on

NAME = "hitchpost_session"
LANTERN = "c" + "l" * 24


async def submit(
    browser: httpx2.AsyncClient, page: httpx2.Response, email: str = "ada@example.com", password: str = RIGHT
) -> httpx2.Response:
    return await browser.post("/sign-in", data={**form_on(page, "/sign-in"), "email": email, "password": password})


async def rows(accounts: Accounts) -> int:
    return await accounts.database.read(lambda tx: tx.execute(select(func.count()).select_from(browser_sessions)).scalar_one())


def set_cookie(answer: httpx2.Response) -> tuple[str, dict[str, object]]:
    """The one cookie that the answer sets: its name, and its value and attributes."""
    (line,) = answer.headers.get_list("set-cookie")
    ((name, morsel),) = SimpleCookie(line).items()
    return name, {"value": morsel.value, **{key: value for key, value in morsel.items() if value}}


async def test_ada_signs_in_and_goes_back_to_the_start_page_she_came_from(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    page = await browser.get("/sign-in", params={"to": "start", "provider": "x", "workspaceId": LANTERN})
    answer = await submit(browser, page)
    assert answer.status_code == 303
    assert answer.headers["location"] == f"/api/social-connect/start?provider=x&workspaceId={LANTERN}"
    assert "Ada" in (await browser.get("/sign-in")).text


async def test_the_form_comes_back_after_a_wrong_password_and_works_at_once(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    page = await browser.get("/sign-in", params={"to": "connection", "connection": LANTERN})
    again = await submit(browser, page, password=WRONG)
    assert again.status_code == 403
    assert again.headers["hitchpost-error"] == "sign_in_refused"
    assert WRONG not in again.text
    assert form_on(again, "/sign-in")["email"] == "ada@example.com"
    answer = await submit(browser, again)
    assert (answer.status_code, answer.headers["location"]) == (303, f"/connect/{LANTERN}")


async def test_F1_who_guesses_is_asked_to_wait_for_minutes(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    page = await browser.get("/sign-in")
    for _ in range(5):
        page = await submit(browser, page, password=WRONG)
    slowed = await submit(browser, page)
    assert (slowed.status_code, slowed.headers["hitchpost-error"]) == (429, "sign_in_slowed")
    assert "wait 1 min" in slowed.text


async def test_F2_the_page_is_the_same_for_a_wrong_name_and_a_wrong_password(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser, answers = new_browser(), []
    for email in ("ada@example.com", "ida@example.com"):
        answer = await submit(browser, await browser.get("/sign-in"), email, WRONG)
        answers.append((answer.status_code, answer.headers["hitchpost-error"], answer.text.replace(email, "")))
    assert answers[0] == answers[1]


async def test_B1_by_https_the_cookie_belongs_to_this_host_alone(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser("https://connect.example.com")
    page = await browser.get("/sign-in")
    signed_in = await submit(browser, page)
    out = await browser.post("/sign-out", data=form_on(await browser.get("/sign-in"), "/sign-out"))
    for answer in (page, signed_in, out):
        name, cookie = set_cookie(answer)
        assert name == f"__Host-{NAME}"
        assert (cookie["secure"], cookie["httponly"], str(cookie["samesite"]).lower(), cookie["path"]) == (True, True, "lax", "/")
        assert "domain" not in cookie


async def test_B1_on_this_machine_the_cookie_is_the_same_without_secure(accounts: Accounts, new_browser: NewBrowser) -> None:
    name, cookie = set_cookie(await new_browser().get("/sign-in"))
    assert name == NAME
    assert (cookie["httponly"], str(cookie["samesite"]).lower(), cookie["path"]) == (True, "lax", "/")
    assert not {"secure", "domain"} & cookie.keys()


async def test_B1_by_https_a_cookie_without_the_host_prefix_is_not_read(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser("https://connect.example.com")
    cookie = await accounts.sign_in()
    assert "Ada" in (await browser.get("/sign-in", headers={"cookie": f"__Host-{NAME}={cookie}"})).text
    assert "Ada" not in (await browser.get("/sign-in", headers={"cookie": f"{NAME}={cookie}"})).text


async def test_B1_of_two_cookies_of_the_name_neither_is_believed(accounts: Accounts, new_browser: NewBrowser) -> None:
    mine, planted = await accounts.sign_in(), await accounts.sign_in("cleo@example.com")
    page = await new_browser().get("/sign-in", headers={"cookie": f"{NAME}={planted}; {NAME}={mine}"})
    assert "Ada" not in page.text
    assert "Cleo" not in page.text


async def test_a_guests_page_makes_no_row_and_a_second_tab_keeps_the_cookie(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    first = await browser.get("/sign-in")
    second = await browser.get("/sign-in")
    assert str(set_cookie(first)[1]["value"]).startswith("g.")
    assert "set-cookie" not in second.headers
    assert await rows(accounts) == 0
    assert (await submit(browser, first)).status_code == 303


async def test_A21_a_guests_cookie_that_was_planted_is_dead_after_sign_in(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    planted = "g." + "p" * 43
    browser.cookies.set(NAME, planted, domain="127.0.0.1")
    answer = await submit(browser, await browser.get("/sign-in"))
    _, cookie = set_cookie(answer)
    assert cookie["value"] != planted
    assert await accounts.people.session_of(planted) is None


async def test_A21_B2_a_form_of_another_browser_signs_nobody_in(accounts: Accounts, new_browser: NewBrowser) -> None:
    attackers, victims = new_browser(), new_browser()
    await victims.get("/sign-in")
    foreign = await submit(victims, await attackers.get("/sign-in"), "cleo@example.com")
    assert (foreign.status_code, foreign.headers["hitchpost-error"]) == (403, "form_expired")
    assert await rows(accounts) == 0


@pytest.mark.parametrize("token", [None, "", "0" * 64])
async def test_B2_sign_in_without_the_forms_token_is_refused_and_the_form_works_again(
    accounts: Accounts, new_browser: NewBrowser, token: str | None
) -> None:
    browser = new_browser()
    await browser.get("/sign-in")
    data = {"email": "ada@example.com", "password": RIGHT} | ({} if token is None else {"form_token": token})
    refused = await browser.post("/sign-in", data=data)
    assert (refused.status_code, refused.headers["hitchpost-error"]) == (403, "form_expired")
    assert await rows(accounts) == 0
    assert (await submit(browser, refused)).status_code == 303


@pytest.mark.parametrize("token", [None, "", "0" * 64])
async def test_B2_sign_out_without_the_forms_token_changes_nothing(accounts: Accounts, new_browser: NewBrowser, token: str | None) -> None:
    browser = new_browser()
    await submit(browser, await browser.get("/sign-in"))
    refused = await browser.post("/sign-out", data={"other": "field"} if token is None else {"form_token": token})
    assert (refused.status_code, refused.headers["hitchpost-error"]) == (403, "form_expired")
    assert "Ada" in (await browser.get("/sign-in")).text


async def test_B2_the_token_of_the_sign_in_form_does_not_sign_out(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    await submit(browser, await browser.get("/sign-in"))
    page = await browser.get("/sign-in")
    refused = await browser.post("/sign-out", data={"form_token": form_on(page, "/sign-in")["form_token"]})
    assert refused.status_code == 403


async def test_a_browser_that_brings_no_cookie_back_is_told_so_and_not_sent_in_a_circle(
    accounts: Accounts, new_browser: NewBrowser
) -> None:
    page = await new_browser().get("/sign-in")
    blocked = await submit(new_browser(), page)
    assert (blocked.status_code, blocked.headers["hitchpost-error"]) == (400, "cookies_blocked")
    assert "Allow cookies" in blocked.text


async def test_signing_out_ends_the_session_and_takes_the_cookie_away(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    cookie = str(set_cookie(await submit(browser, await browser.get("/sign-in")))[1]["value"])
    out = await browser.post("/sign-out", data=form_on(await browser.get("/sign-in"), "/sign-out"))
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert NAME not in browser.cookies
    assert await accounts.people.session_of(cookie) is None
    assert (await browser.post("/sign-out", data={"form_token": "old"})).headers["location"] == "/sign-in"


async def test_who_is_signed_in_is_told_so_and_may_go_on_or_sign_in_as_another(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    await submit(browser, await browser.get("/sign-in"))
    page = await browser.get("/sign-in", params={"to": "connection", "connection": LANTERN})
    assert "ada@example.com" in page.text
    assert f'href="/connect/{LANTERN}"' in page.text
    assert (await submit(browser, page, "cleo@example.com")).status_code == 303
    assert len(accounts.ended) == 1
    assert "cleo@example.com" in (await browser.get("/sign-in")).text


async def test_A17_signing_in_leads_nowhere_but_to_our_own_places(accounts: Accounts, new_browser: NewBrowser) -> None:
    browser = new_browser()
    page = await browser.get("/sign-in", params={"to": "https://evil.example", "connection": "//evil.example"})
    data = {**form_on(page, "/sign-in"), "email": "ada@example.com", "password": RIGHT, "to": "connection", "connection": "/\\evil.example"}
    answer = await browser.post("/sign-in", data=data)
    assert answer.headers["location"] == "/"


async def test_other_methods_learn_which_ones_there_are(accounts: Accounts, new_browser: NewBrowser) -> None:
    answer = await new_browser().put("/sign-in")
    assert answer.status_code == 405
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD", "POST"}
