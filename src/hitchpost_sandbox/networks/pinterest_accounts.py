"""Pinterest's accounts: the one that a call acts for, the businesses linked to it, and the ad accounts that its person has a role on."""

from typing import Any

from hitchpost_sandbox.networks.pinterest_api import FORBIDDEN, NO_ACCOUNT, Acting, Said, call, environment, fails
from hitchpost_sandbox.networks.pinterest_boards import kept, page
from hitchpost_sandbox.people import AdAccount
from hitchpost_sandbox.twin import Visit

_CREATED = 1451431341
"""When every ad account was made, in Unix seconds; the cast does not say."""


async def _user_account(visit: Visit, acting: Acting) -> Said:
    """Counts and the business name may be null, the other texts may be empty (§3.1)."""
    account, boards = acting.account, kept(visit, acting)
    body = {
        "id": account.id,
        "username": account.username,
        "account_type": account.account_type,
        "business_name": account.business_name or None,
        "about": account.about,
        "profile_image": f"https://i.pinimg.com/600x600_R/{account.picture}.png",
        "website_url": account.website,
        "follower_count": 10,
        "following_count": 347,
        "monthly_views": 163 if account.account_type == "BUSINESS" else None,
        "pin_count": sum(board.pins for board in boards if board.owner == account.username),
        "board_count": len(boards),
    }
    return Said(200, body)


async def _businesses(visit: Visit, acting: Acting) -> Said:
    """A plain array without ids (§3.3)."""
    linked = []
    for person in visit.world.cast.people:
        account = person.pinterest
        if account is not None and account.username in acting.account.businesses:
            sizes = (("small", "30x30_RS"), ("medium", "75x75_RS"), ("large", "140x140_RS"), ("xlarge", "280x280_RS"))
            images = {f"image_{name}_url": f"https://i.pinimg.com/{size}/{account.picture}.png" for name, size in sizes}
            linked.append({"username": account.username} | images)
    return Said(200, linked)


async def _ad_accounts(visit: Visit, acting: Acting) -> Said:
    """`include_shared_accounts` false: only those that the account owns itself."""
    if environment(visit) == "sandbox":
        return fails(403, FORBIDDEN)
    shared = visit.query.get("include_shared_accounts", "true").lower() != "false"
    mine = [one for one in acting.account.ad_accounts if shared or one.owner == acting.account.username]
    return page(visit, [_told(visit, one) for one in mine])


async def _ad_account(visit: Visit, acting: Acting) -> Said:
    found = next((one for one in acting.account.ad_accounts if one.id == visit.params["ad_account_id"]), None)
    return fails(403, FORBIDDEN) if found is None or environment(visit) == "sandbox" else Said(200, _told(visit, found))


def _told(visit: Visit, ads: AdAccount) -> dict[str, Any]:
    people = (person.pinterest for person in visit.world.cast.people if person.pinterest is not None)
    owner_id = next((account.id for account in people if account.username == ads.owner), None)
    return {
        "id": ads.id,
        "name": ads.name,
        "owner": {"username": ads.owner, "id": owner_id},
        "country": ads.country,
        "currency": ads.currency,
        "permissions": list(ads.permissions),
        "created_time": _CREATED,
        "updated_time": _CREATED,
    }


user_account = call("user_accounts:read", read=_user_account, hidden=(403, NO_ACCOUNT))
"""GET /v5/user_account: PINNER or BUSINESS."""

businesses = call("user_accounts:read", read=_businesses)
"""GET /v5/user_account/businesses."""

ad_accounts = call("ads:read", read=_ad_accounts)
"""GET /v5/ad_accounts: those of the account and those that others share with it, with the person's roles."""

ad_account = call("ads:read", read=_ad_account)
"""GET /v5/ad_accounts/{ad_account_id}."""
