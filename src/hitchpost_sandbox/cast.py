"""The default cast: one person for each situation that a connection can meet."""

from hitchpost_sandbox.people import (
    AdAccount,
    Board,
    Business,
    Cast,
    FacebookLogin,
    InstagramAccount,
    LinkedInMember,
    Organization,
    OrganizationRole,
    Page,
    Person,
    PinterestAccount,
    XAccount,
)

SCRIPT = '<script>alert("sandbox")</script>'
IMAGE = '"><img src=x onerror=alert(1)>'
BACKWARDS = "\u202eyrallag s'addeH\u202c"
LONG = "Extraordinarily " * 20 + "Long"

_BAKERY_ON_INSTAGRAM = InstagramAccount("17841400000000101", "lantern.bakery", "lantern-bakery-ig", "Lantern Bakery", followers=2410)
_EVENTS_ON_INSTAGRAM = InstagramAccount("17841400000000102", "lantern.events", "lantern-events-ig", "Lantern Events")

ADA = Person(
    "ada",
    "Ada Lantern",
    "ada@lantern.example",
    "owns Lantern: three Pages, a fourth through a business, two organizations that she may post for",
    facebook=FacebookLogin(
        "ada-fb",
        pages=(
            Page(
                "101755847768001",
                "Lantern Bakery",
                "lantern-bakery",
                "lanternbakery",
                "Bakery",
                instagram=_BAKERY_ON_INSTAGRAM,
            ),
            Page("101755847768002", "Lantern Books", "lantern-books", category="Bookstore"),
            Page("101755847768003", "Lantern Archive", "lantern-archive", "lanternarchive", "Library", tasks=("ANALYZE", "MODERATE")),
            Page(
                "101755847768004",
                "Lantern Events",
                "lantern-events",
                "lanternevents",
                "Event planner",
                instagram=_EVENTS_ON_INSTAGRAM,
                direct=False,
            ),
        ),
        businesses=(Business("201990000000011", "Lantern Group", owned=("101755847768001", "101755847768004")),),
    ),
    instagram=_BAKERY_ON_INSTAGRAM,
    x=XAccount(
        "1850000000000000101",
        "adalantern",
        "ada-x",
        "Ada Lantern",
        description="Bread, books and light.",
        url="https://lantern.example",
        verified_type="blue",
        subscription_type="Premium",
        pinned="The oven is on from six.",
    ),
    linkedin=LinkedInMember(
        "ada-lantern",
        "Ada",
        "Lantern",
        "Baker at Lantern",
        "ada-li",
        roles=(
            OrganizationRole(Organization(7700101, "Lantern Ltd", "lantern-ltd", "lantern-ltd", website="https://lantern.example")),
            OrganizationRole(Organization(7700102, "Lantern Labs", "lantern-labs"), "CONTENT_ADMINISTRATOR"),
            OrganizationRole(Organization(7700103, "Harbour Trust", "harbour-trust", "harbour-trust"), "ANALYST"),
        ),
    ),
    pinterest=PinterestAccount(
        "2783136121146310101",
        "lanternbakery",
        "ada-pin",
        "BUSINESS",
        "Lantern Bakery",
        "Bread, books and light.",
        "https://lantern.example",
        boards=(
            Board("549755810101", "Bread", "lanternbakery", description="What leaves the oven", pins=41),
            Board("549755810102", "Shop windows", "lanternbakery", pins=12),
            Board("549755810103", "Next season", "lanternbakery", "SECRET", pins=3),
            Board("549755810104", "Harbour market", "benharbour", collaborators=3, pins=77),
        ),
        businesses=("monamany",),
        ad_accounts=(
            AdAccount("549755880101", "Lantern ads", "lanternbakery"),
            AdAccount("549755880601", "Mona's ads", "monamany", ("ANALYST",)),
        ),
    ),
)

_CAFE_ON_INSTAGRAM = InstagramAccount("17841400000000201", "harbour.cafe", "harbour-cafe-ig", "Harbour Café")

BEN = Person(
    "ben",
    "Ben Harbour",
    "ben@harbour.example",
    "a client with one of everything",
    facebook=FacebookLogin(
        "ben-fb", pages=(Page("101755847768021", "Harbour Café", "harbour-cafe", "harbourcafe", "Café", instagram=_CAFE_ON_INSTAGRAM),)
    ),
    instagram=_CAFE_ON_INSTAGRAM,
    x=XAccount("1850000000000000201", "benharbour", "ben-x", "Ben Harbour"),
    linkedin=LinkedInMember(
        "ben-harbour",
        "Ben",
        "Harbour",
        "Café owner",
        "ben-li",
        roles=(OrganizationRole(Organization(7700201, "Harbour Café", "harbour-cafe", "harbour-cafe-li")),),
    ),
    pinterest=PinterestAccount(
        "2783136121146310201", "benharbour", "ben-pin", boards=(Board("549755810104", "Harbour market", "benharbour", collaborators=3),)
    ),
)

_QUILL_ON_INSTAGRAM = InstagramAccount("17841400000000301", "quill.and.ink", "quill-ig", "Quill & Ink", "MEDIA_CREATOR")

CLEO = Person(
    "cleo",
    "Cleo Quill",
    "cleo@quill.example",
    "another tenant, whose things Ada must never meet",
    facebook=FacebookLogin(
        "cleo-fb",
        pages=(
            Page("101755847768031", "Quill & Ink", "quill-ink", "quillandink", "Stationery shop", instagram=_QUILL_ON_INSTAGRAM),
            Page(
                "101755847768032",
                "Quill Letters",
                "quill-letters",
                category="Publisher",
                tasks=("PROFILE_PLUS_CREATE_CONTENT", "PROFILE_PLUS_MODERATE", "PROFILE_PLUS_ANALYZE"),
            ),
        ),
    ),
    instagram=_QUILL_ON_INSTAGRAM,
    x=XAccount("1850000000000000301", "cleoquill", "cleo-x", "Cleo Quill", protected=True),
    linkedin=LinkedInMember(
        "cleo-quill",
        "Cleo",
        "Quill",
        "Writer",
        email_shared=False,
        roles=(
            OrganizationRole(Organization(7700301, "Quill & Ink", "quill-and-ink", "quill-li")),
            OrganizationRole(Organization(7700301, "Quill & Ink", "quill-and-ink", "quill-li"), "CONTENT_ADMINISTRATOR"),
            OrganizationRole(Organization(7700302, "Old Quill", "old-quill"), state="REVOKED"),
        ),
    ),
    pinterest=PinterestAccount(
        "2783136121146310301",
        "cleoquill",
        "cleo-pin",
        boards=(Board("549755810301", "Letters", "cleoquill"), Board("549755810302", "Promotions", "cleoquill", ads_only=True)),
    ),
)

NOOR = Person(
    "noor",
    "Noor Empty",
    "noor@empty.example",
    "has accounts but nothing to manage: no Pages, no organizations, no boards, no Instagram",
    facebook=FacebookLogin("noor-fb"),
    x=XAccount("1850000000000000401", "noorempty", "noor-x", "Noor Empty", followers=0),
    linkedin=LinkedInMember("noor-empty", "Noor", "Empty", picture="noor-li"),
    pinterest=PinterestAccount("2783136121146310401", "noorempty", "noor-pin"),
)

_PIET_ON_INSTAGRAM = InstagramAccount("17841400000000501", "pietfietst", "piet-ig", "Piet", "PERSONAL")

PIET = Person(
    "piet",
    "Piet Personal",
    "piet@personal.example",
    "his Page is linked to a personal Instagram account, which no app may use",
    facebook=FacebookLogin(
        "piet-fb",
        pages=(Page("101755847768051", "Piet's Bikes", "piets-bikes", "pietsbikes", "Bicycle shop", instagram=_PIET_ON_INSTAGRAM),),
    ),
    instagram=_PIET_ON_INSTAGRAM,
    x=XAccount("1850000000000000501", "pietpersonal", "piet-x", "Piet Personal", suspended=True),
    linkedin=LinkedInMember("piet-personal", "Piet", "Personal", "Cyclist"),
    pinterest=PinterestAccount("2783136121146310501", "pietpersonal", "piet-pin", boards=(Board("549755810501", "Bikes", "pietpersonal"),)),
)


def _many_page(number: int) -> Page:
    linked = InstagramAccount(f"178414000000006{number:02d}", f"mona.branch.{number:02d}", f"mona-ig-{number:02d}", f"Branch {number:02d}")
    return Page(
        f"1017558477686{number:02d}",
        f"Mona's Branch {number:02d}",
        f"mona-branch-{number:02d}",
        f"monabranch{number:02d}",
        instagram=linked if number % 2 else None,
    )


MONA = Person(
    "mona",
    "Mona Many",
    "mona@many.example",
    "so much of everything that every list has several pages",
    facebook=FacebookLogin("mona-fb", pages=tuple(_many_page(number) for number in range(1, 61))),
    instagram=InstagramAccount("17841400000000699", "mona.many", "mona-ig", "Mona Many", "MEDIA_CREATOR"),
    x=XAccount("1850000000000000601", "monamany", "mona-x", "Mona Many", verified_type="business"),
    linkedin=LinkedInMember(
        "mona-many",
        "Mona",
        "Many",
        "Head of branches",
        "mona-li",
        roles=tuple(
            OrganizationRole(Organization(7700600 + number, f"Branch {number:02d} Ltd", f"branch-{number:02d}", f"branch-li-{number:02d}"))
            for number in range(1, 15)
        ),
    ),
    pinterest=PinterestAccount(
        "2783136121146310601",
        "monamany",
        "mona-pin",
        "BUSINESS",
        "Mona Many",
        boards=(*(Board(f"5497558106{number:02d}", f"Board {number:02d}", "monamany") for number in range(1, 61)),),
        ad_accounts=(AdAccount("549755880601", "Mona's ads", "monamany"),),
    ),
)

_HOSTILE_ON_INSTAGRAM = InstagramAccount("17841400000000701", "hedda.hostile", "hedda-svg-ig", SCRIPT)

HEDDA = Person(
    "hedda",
    f"Hedda {SCRIPT}",
    "hedda@hostile.example",
    "names that are markup, run backwards or never end; pictures that are SVG",
    facebook=FacebookLogin(
        "hedda-svg-fb",
        pages=(
            Page("101755847768071", f"Hedda {IMAGE}", "hedda-svg-page", "heddahostile", IMAGE, instagram=_HOSTILE_ON_INSTAGRAM),
            Page("101755847768072", BACKWARDS, "hedda-svg-backwards"),
            Page("101755847768073", LONG, "hedda-svg-long"),
        ),
    ),
    instagram=_HOSTILE_ON_INSTAGRAM,
    x=XAccount("1850000000000000701", "heddahostile", "hedda-svg-x", f"{SCRIPT}{BACKWARDS}", description=IMAGE, url="javascript:alert(1)"),
    linkedin=LinkedInMember(
        "hedda-hostile",
        SCRIPT,
        IMAGE,
        BACKWARDS,
        "hedda-svg-li",
        roles=(
            OrganizationRole(Organization(7700701, f"{IMAGE} Ltd", "hedda-ltd", "hedda-svg-ltd")),
            OrganizationRole(Organization(7700702, LONG, "hedda-long", primary_type="BRAND", parent=7700701)),
        ),
    ),
    pinterest=PinterestAccount(
        "2783136121146310701",
        "heddahostile",
        "hedda-svg-pin",
        "BUSINESS",
        f"{SCRIPT} Ltd",
        IMAGE,
        "javascript:alert(1)",
        boards=(Board("549755810701", IMAGE, "heddahostile", description=SCRIPT), Board("549755810702", BACKWARDS, "heddahostile")),
    ),
)

DEFAULT = Cast((ADA, BEN, CLEO, NOOR, PIET, MONA, HEDDA))
