"""What people, networks and machines do in the state machine's play: one method for each thing, with what must not come of it."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import parse_qsl, urlencode, urljoin, urlsplit

from hitchpost.demo.browser import Page, refresh_target
from hitchpost.networks.errors import Fault as NetworkFault
from hitchpost.workspaces.roles import Right, Role
from hitchpost_sandbox import networks
from hitchpost_sandbox.faults import Fault
from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.playing import befall
from hitchpost_sandbox.turns import Befallen, CannotBefall
from tests.faults.mortal import Act, Mortal
from tests.faults.watch import Choice, Watch
from tests.support.house import PUBLIC_URL, Browser

PEOPLE = ("ada", "ben", "cleo", "mallory")
PLACES = ("lantern", "quill", "den")
OWNERS = {"lantern": "ada", "quill": "cleo", "den": "mallory"}
START = "/api/social-connect/start"
TWINS = {twin.network: twin for twin in networks.found()}
API_HOSTS = {"facebook": "graph.facebook.com", "x": "api.x.com", "linkedin": "api.linkedin.com", "pinterest": "api.pinterest.com"}
AUTHORITY = {"facebook": "meta", "instagram": "meta", "x": "x", "linkedin": "linkedin", "pinterest": "pinterest"}


@dataclass(slots=True, eq=False)
class Seat:
    """One person signed in, in one browser."""

    who: str


@dataclass(slots=True, eq=False)
class Tab:
    """A browser, as far as the play knows who sits there."""

    browser: Browser
    seat: Seat | None = None


@dataclass(slots=True, eq=False)
class Connection:
    """A flow as it was begun. `casts`: whose codes came back to it rightly."""

    id: str
    seat: Seat
    tab: Tab
    provider: str
    place: str
    casts: set[str] = field(default_factory=set)


@dataclass(slots=True, eq=False)
class Trip:
    """One departure to a network. `backs`: the addresses that it sent people back to."""

    connection: Connection
    url: str
    arrived: bool = False
    backs: list[str] = field(default_factory=list)


class Play:
    """The people of three workspaces, their browsers, and every flow that they began."""

    def __init__(self, mortal: Mortal, watch: Watch) -> None:
        self.mortal, self.watch = mortal, watch
        self.ids: dict[str, str] = {}
        self.keys: dict[str, str] = {}
        self.tabs: list[Tab] = []
        self.trips: list[Trip] = []

    @property
    def connections(self) -> list[Connection]:
        return list(dict.fromkeys(trip.connection for trip in self.trips))

    async def set_up(self) -> None:
        house = self.mortal.house
        for who in PEOPLE:
            self.ids[who] = await house.person(f"{who}@example.com", who.title())
            self.keys[who] = await house.key(self.ids[who])
        for place, owner in OWNERS.items():
            self.ids[place] = await house.workspace(place.title(), self.ids[owner])
        await house.member(self.ids["lantern"], self.ids["ben"], Role.CONNECTOR)
        for who in PEOPLE:
            self.tabs.append(Tab(house.browser()))
            await self.sign_in(self.tabs[-1], who)

    # Sessions and seats.

    async def sign_in(self, tab: Tab, who: str) -> None:
        page = await tab.browser.sign_in(f"{who}@example.com")
        if page.status == 200 and (tab.seat is None or tab.seat.who != who):
            tab.seat = Seat(who)

    async def sign_out(self, tab: Tab) -> None:
        page = await tab.browser.open("/")
        for form in page.forms:
            if form.action.endswith("/sign-out"):
                await tab.browser.submit(page, form, [])
                tab.seat = None

    async def seat(self, who: str, place: str, role: Role | None) -> None:
        """Whoever runs the installation adds a member, changes a role, or (None) takes somebody out; never the owner."""
        if OWNERS[place] == who:
            return
        workspaces, ids = self.mortal.house.services.workspaces, (self.ids[place], self.ids[who])
        known = await self.watch.may(ids[1], ids[0], Right.LIST)
        if role is None:
            if known:
                await workspaces.remove_member(*ids)
        elif known:
            await workspaces.set_role(*ids, role)
        else:
            await workspaces.add_member(*ids, role)

    async def may(self, seat: Seat | None, place: str, right: Right) -> bool:
        return seat is not None and await self.watch.may(self.ids[seat.who], self.ids[place], right)

    # The way.

    async def begin(self, tab: Tab, provider: str, place: str) -> Trip | None:
        """Start, and confirm; None when there is no way on. Who may not gets no form, and nothing is stored."""
        before = await self._requests()
        page = await tab.browser.start(provider, self.ids[place])
        forms = [one for one in page.forms if one.action.endswith(START)]
        if not await self.may(tab.seat, place, Right.CONNECT):
            assert not forms, "who has no right to connect is offered to"
            assert await self._requests() == before
            return None
        if not forms or tab.seat is None:
            return None
        return self._departed(await tab.browser.submit(page, forms[0], []), tab, tab.seat, provider, place)

    async def again(self, tab: Tab, trip: Trip) -> Trip | None:
        """A further trip of the same connection, in whichever browser tries."""
        mine, page = trip.connection, await self._connection_page(tab, trip.connection)
        forms = [one for one in page.forms if one.action.endswith("/again")]
        if not forms:
            return None
        assert mine.seat is tab.seat, "another browser or person was shown a connection"
        moved = self._departed(await tab.browser.submit(page, forms[0], []), tab, mine.seat, mine.provider, mine.place)
        if moved is not None:
            moved.connection = mine
        return moved

    def _departed(self, moving: Page, tab: Tab, seat: Seat, provider: str, place: str) -> Trip | None:
        if not moving.refresh:
            return None
        trip = Trip(Connection("", seat, tab, provider, place), refresh_target(moving))
        self.trips.append(trip)
        return trip

    async def consent(self, browser: Browser, trip: Trip, cast: str, *, allow: bool = True) -> str:
        """Somebody decides at the network, in any browser; where it sends that browser back to, or nothing."""
        url = trip.url
        for _ in range(6):
            answer = await browser.client.get(url, follow_redirects=False)
            if answer.is_redirect:
                url = urljoin(url, answer.headers["location"])
                if url.startswith(PUBLIC_URL):
                    trip.backs.append(url)
                    return url
                continue
            page = browser._page(answer)
            if not any(name == "person" for form in page.forms for name, _ in form.fields + form.boxes):
                return ""
            url = await browser.consent(page, cast, allow=allow)
            trip.backs.append(url)
            return url
        return ""

    async def arrive(self, tab: Tab, trip: Trip, url: str, changed: str = "") -> Page:
        """Open the network's answer, perhaps changed on the way. What is not this browser's, or not as it was sent, reaches no network."""
        mine, address = trip.connection, self._mutated(url, changed)
        rightly = mine.seat is tab.seat and changed in ("", "other code", "thrice") and not trip.arrived
        rightly = rightly and await self.may(tab.seat, mine.place, Right.CONNECT)
        query = dict(parse_qsl(urlsplit(address).query))
        if rightly:
            trip.arrived = True
            given = self.mortal.world.authority(AUTHORITY[mine.provider]).whose(query.get("code", ""))
            if given is not None:
                mine.casts.add(given.person)
        seq = len(self.mortal.world.ledger.read())
        page = await tab.browser.open(address)
        if changed == "thrice":
            await asyncio.gather(*(tab.browser.open(address) for _ in range(2)))
        if not rightly:
            sent = [one for one in self.mortal.world.ledger.read(after=seq) if one.what in (What.CODE_REDEEMED, What.CODE_REFUSED)]
            assert not sent, "a code was sent although the answer was not this browser's, or not what this flow waited for"
        if "/connect/" in urlsplit(page.url).path and rightly:
            mine.id = mine.id or urlsplit(page.url).path.split("/")[2]
        return await self._settled(tab, page)

    def _mutated(self, url: str, changed: str) -> str:
        parts = urlsplit(url)
        query = parse_qsl(parts.query, keep_blank_values=True)
        others = [dict(parse_qsl(urlsplit(back).query)) for trip in self.trips for back in trip.backs if back != url]
        path = parts.path
        match changed:
            case "no state":
                query = [pair for pair in query if pair[0] != "state"]
            case "two states":
                query += [pair for pair in query if pair[0] == "state"]
            case "wrong state":
                query = [(name, value[:-1] + ("A" if value[-1:] != "A" else "B") if name == "state" else value) for name, value in query]
            case "other network":
                path = path.rpartition("/")[0] + ("/pinterest" if path.endswith("/x") else "/x")
            case "other issuer":
                query.append(("iss", "https://issuer.example"))
            case "other code":
                code = next((other["code"] for other in reversed(others) if "code" in other), "")
                query = [(name, code if name == "code" and code else value) for name, value in query]
        return f"{PUBLIC_URL}{path}?{urlencode(query)}"

    async def select(self, tab: Tab, trip: Trip, how: str) -> None:
        """Pick and attach in this browser; `how`: all, first, foreign (what was not offered), forged (without ever seeing the page)."""
        mine, page = trip.connection, await self._connection_page(tab, trip.connection)
        forms = [one for one in page.forms if one.action.endswith("/attach")]
        assert not forms or mine.seat is tab.seat, "another browser or person was shown a choice"
        if how == "forged" and mine.id:
            home = await tab.browser.open("/")
            tokens = [pair for form in home.forms for pair in form.fields if pair[0] == "form_token"]
            offered = await self.mortal.house.rows("SELECT DISTINCT kind, external_id FROM candidates")
            keys = [f"{row['kind']}:{row['external_id']}" for row in offered]
            if mine.seat is not tab.seat:
                await tab.browser.post(f"/connect/{mine.id}/attach", {"pick": keys, **dict(tokens)})
            return
        if not forms:
            return
        keys = list(dict.fromkeys(value for name, value in forms[0].boxes + forms[0].fields if name == "pick"))
        if how == "foreign":
            every = await self.mortal.house.rows("SELECT DISTINCT kind, external_id FROM candidates")
            keys = [key for row in every if (key := f"{row['kind']}:{row['external_id']}") not in keys] or ["page:1"]
        elif how == "first":
            keys = keys[:1]
        if how != "foreign" and await self.may(tab.seat, mine.place, Right.CONNECT):
            ids = (self.ids[mine.place], mine.provider, self.ids[mine.seat.who])
            self.watch.choices.append(Choice(*ids, frozenset(mine.casts), frozenset(keys)))
        await tab.browser.submit(page, forms[0], [("pick", key) for key in keys], drop=("pick",))

    async def cancel(self, tab: Tab, trip: Trip) -> None:
        page = await self._connection_page(tab, trip.connection)
        for form in page.forms:
            if form.action.endswith("/cancel"):
                assert trip.connection.seat is tab.seat
                await tab.browser.submit(page, form, [])

    async def connect(self, tab: Tab, provider: str, place: str, cast: str, how: str) -> None:
        """The whole way without a stop."""
        trip = await self.begin(tab, provider, place)
        url = await self.consent(tab.browser, trip, cast) if trip else ""
        if trip and url:
            await self.arrive(tab, trip, url)
            await self.select(tab, trip, how)

    async def _connection_page(self, tab: Tab, connection: Connection) -> Page:
        if not connection.id:
            return await tab.browser.open("/")
        page = await self._settled(tab, await tab.browser.open(f"/connect/{connection.id}"))
        if connection.seat is not tab.seat and tab.seat is not None:
            assert page.status == 404 or "/sign-in" in page.url, "a connection was shown to another browser or person"
        return page

    async def _settled(self, tab: Tab, page: Page) -> Page:
        """Follow refreshes of ours, a few: a claim that a dead process left is waited for by nobody."""
        assert page.status != 500 or page.code == "interrupted", page.text
        for _ in range(3):
            if not page.refresh or not page.url.startswith(PUBLIC_URL):
                break
            await self.mortal.house.services.looks.settled()
            page = await tab.browser.open(refresh_target(page))
        return page

    async def _requests(self) -> int:
        return len(await self.mortal.house.rows("SELECT id FROM authorization_requests"))

    # Profiles.

    async def profiles(self) -> Sequence[dict[str, object]]:
        return await self.mortal.house.rows("SELECT id, workspace_id, name, state FROM profiles ORDER BY id")

    async def disconnect(self, who: str, number: int) -> None:
        """By the API, rightly or not."""
        profiles = await self.profiles()
        if not profiles:
            return
        one = profiles[number % len(profiles)]
        may = await self.watch.may(self.ids[who], str(one["workspace_id"]), Right.DISCONNECT)
        async with self.mortal.house.own(self.keys[who]) as own:
            answer = await own.delete(f"social-profiles/{one['id']}?workspaceId={one['workspace_id']}")
        if not may:
            assert answer.status_code in (403, 404)
            assert await self.profiles() == profiles, "disconnected by somebody without the right"
        elif one["state"] == "attached":
            assert answer.is_success, answer.text

    async def peek(self, who: str, tab: Tab, number: int) -> None:
        """Ask for a profile with an id that may be somebody else's, by API, by page, and through one's own workspace."""
        profiles = await self.profiles()
        if not profiles:
            return
        one = profiles[number % len(profiles)]
        place, api = str(one["workspace_id"]), f"social-profiles/{one['id']}/health?workspaceId="
        member = await self.watch.may(self.ids[who], place, Right.LIST)
        async with self.mortal.house.own(self.keys[who]) as own:
            # Who was taken out a moment ago is out within a second; a second passes.
            self.mortal.house.forward(timedelta(seconds=2))
            answers = [await own.get(f"{api}{place}")]
            answers += [await own.get(f"{api}{self.ids[mine]}") for mine in PLACES if OWNERS[mine] == who and self.ids[mine] != place]
        told = answers[0].is_success
        assert told == (member and one["state"] == "attached"), answers[0].text
        assert all(answer.status_code == 404 for answer in answers[1:]), "a foreign id was read through one's own workspace"
        page = await tab.browser.open(f"/workspaces/{place}/profiles/{one['id']}")
        if tab.seat is not None and not await self.watch.may(self.ids[tab.seat.who], place, Right.LIST):
            assert page.status == 404 or "/sign-in" in page.url
            assert str(one["name"]) not in page.text or "/sign-in" in page.url
        async with self.mortal.house.api(self.keys[who]) as api_caller:
            for name in PLACES:
                listed = await api_caller.get(f"social-profiles?workspaceId={self.ids[name]}")
                assert listed.is_success == await self.watch.may(self.ids[who], self.ids[name], Right.LIST)
                theirs = {row["id"] for row in profiles if row["workspace_id"] == self.ids[name]}
                assert not listed.is_success or {row["id"] for row in listed.json()} <= theirs

    async def use(self, number: int) -> None:
        """Somebody needs working tokens of a grant now."""
        grants = await self.mortal.house.rows("SELECT id FROM grants ORDER BY id")
        if grants:
            with suppress(NetworkFault):
                await self.mortal.house.services.tokens.fresh(str(grants[number % len(grants)]["id"]))

    async def check(self, number: int) -> None:
        profiles = await self.profiles()
        if profiles:
            with suppress(NetworkFault):
                await self.mortal.house.services.tokens.examine(str(profiles[number % len(profiles)]["id"]))

    # Networks and time.

    async def turn(self, network: str, word: str, cast: str, target: str) -> None:
        self.watch.turned = True
        with suppress(CannotBefall, KeyError):
            await befall(self.mortal.world, TWINS[network], word, Befallen(cast, target=target))

    def trouble(self, network: str, does: str, path: str, skip: int, *, acts: bool) -> None:
        # Of all calls only the server's own are spoiled: what befalls people at the consent page is another story.
        host = API_HOSTS[network] if path == "*" else ""
        self.mortal.world.faults.add(Fault(does, network=network, host=host, path=path, skip=skip, acts=acts))

    def meanwhile(self, path: str, act: Act) -> None:
        self.mortal.passage.meanwhile = (path, act)

    async def sweep(self) -> None:
        services = self.mortal.house.services
        await services.engine.run_due()
        await services.tokens.settled()
        await services.looks.settled()

    async def fair(self) -> None:
        """No trouble is left at the networks, and nothing is about to happen."""
        self.mortal.world.faults.clear()
        self.mortal.doom.disarm()
        self.mortal.passage.meanwhile = None

    async def tidy(self) -> None:
        """Fair weather, most of an hour, and two sweeps: then nobody keeps tokens that nobody needs, but what waits for its next try."""
        await self.fair()
        self.mortal.house.forward(timedelta(minutes=40))
        for _ in range(2):
            await self.sweep()
        left = [row for row in self.watch.unneeded(await self.watch.rows()) if row["state"] != "revoking"]
        assert not left, "a sweep has left tokens that nobody needs"

    async def settle(self) -> None:
        """Fair weather and two days of sweeps."""
        await self.fair()
        for minutes in (3, 3, 12, 30, 60, 60, 120, 300, 600, 900, 900, 5):
            self.mortal.house.forward(timedelta(minutes=minutes))
            await self.sweep()
        for _ in range(3):
            self.mortal.house.forward(timedelta(minutes=11))
            await self.sweep()
        await self.watch.settled()
