"""Made-up people in any number, the same for the same seed: for loads, paging and long lists."""

import random

from hitchpost_sandbox.people import (
    Board,
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

_GIVEN = ("Alma", "Bo", "Carla", "Dion", "Edda", "Femi", "Gita", "Hugo", "Ines", "Juri", "Kaya", "Liv", "Milo", "Nora", "Odin", "Pia")
_FAMILY = ("Anker", "Birke", "Cramer", "Dorn", "Eber", "Falk", "Gras", "Hafen", "Igel", "Jung", "Kran", "Linde", "Moor", "Nebel", "Otter")
_TRADES = (
    "Bakery",
    "Bikes",
    "Books",
    "Florist",
    "Garage",
    "Gym",
    "Hotel",
    "Museum",
    "Music",
    "Optics",
    "Pottery",
    "Sailing",
    "Tea",
    "Yoga",
)


def crowd(size: int, *, seed: int = 0) -> tuple[Person, ...]:
    """`size` people with one account at each network; their keys are `crowd-1` and on."""
    dice = random.Random(seed)  # noqa: S311 - made-up names, not secrets
    return tuple(_one(number, dice) for number in range(1, size + 1))


def _one(number: int, dice: random.Random) -> Person:
    given, family, trade = dice.choice(_GIVEN), dice.choice(_FAMILY), dice.choice(_TRADES)
    key, name, firm = f"crowd-{number}", f"{given} {family}", f"{family} {trade}"
    handle = f"{given}{family}{number}".lower()
    account = InstagramAccount(f"178410001{number:08}", f"{handle}.ig", f"{key}-ig", firm)
    page = Page(f"1027{number:011}", firm, f"{key}-page", category=trade, instagram=account)
    return Person(
        key,
        name,
        f"{handle}@crowd.example",
        "one of the crowd",
        facebook=FacebookLogin(f"{key}-fb", pages=(page,)),
        instagram=account,
        x=XAccount(f"19{number:017}", handle[:15] if len(handle) <= 15 else f"crowd{number}", f"{key}-x", name),
        linkedin=LinkedInMember(
            f"{handle}",
            given,
            family,
            f"Owner of {firm}",
            f"{key}-li",
            roles=(OrganizationRole(Organization(88000000 + number, firm, handle)),),
        ),
        pinterest=PinterestAccount(
            f"29{number:017}", f"pin{number}{family}".lower(), f"{key}-pin", boards=(Board(f"66{number:010}", trade, handle),)
        ),
    )
