"""Why a network lets something be used or not, as data: a stable code, a sentence for people, a way on, and who can take it.

Such a code stands beside those of `errors.CATALOGUE` in a profile's health and in events; one code of both lists means the same in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hitchpost.errors import FixBy


@dataclass(frozen=True, slots=True)
class Grounds:
    """One row. `says`, `way`, `fix_by` hold where the adapter knows no more of the case.

    `usable`: it is a remark about what can be used. `out_of_reach`: the access does not cover the profile at all any more; else it may still
    be read. `formerly`: what stored verdicts may call it.
    """

    says: str
    way: str = ""
    fix_by: FixBy = FixBy.PERSON
    usable: bool = False
    out_of_reach: bool = False
    formerly: tuple[str, ...] = ()


# One row a line reads as the table it is.
# fmt: off
VERDICTS: Mapping[str, Grounds] = {
    "ok": Grounds("It can be used.", usable=True),
    "no_boards": Grounds("It has no board yet. Every pin goes to a board, so create one before the first pin.", usable=True),
    "permission_missing": Grounds("A permission that is needed was not granted.", "Connect again and allow everything that is asked."),
    "permission_not_asked": Grounds("This server does not ask for a permission that is needed.",
                                    "Whoever runs this server must add it to the app's list of scopes.", FixBy.OPERATOR),
    "account_blocked": Grounds("The network has blocked the account.", "Sign in at the network, follow what it asks there, then connect again."),
    "missing_task": Grounds("The tasks that the person has on the page do not allow publishing.",
                            "Ask someone with full control of the page to give you content access, then connect again."),
    "role_missing": Grounds("The person has no role on the page, or none that allows publishing.",
                            "Ask whoever manages the page at the network for a role that may publish, then connect again.", formerly=("missing_role",)),
    "role_requested": Grounds("The person's role on the page is requested and not approved yet.",
                              "Ask whoever manages the page at the network to approve it, then connect again.", out_of_reach=True),
    "role_revoked": Grounds("The person's role on the page was taken back or declined.",
                            "Ask whoever manages the page at the network for a role that may publish, then connect again.", out_of_reach=True),
    "not_visible": Grounds("The network does not show it to this person any more.", "Connect again and tick it; if it is not offered, ask whoever manages it.",
                           out_of_reach=True),
    "other_account": Grounds("The consent was given for another account.", "Switch to this account at the network, then connect again.", out_of_reach=True),
    "personal_account": Grounds("The account is personal; the network lets only professional ones be connected.",
                                "Switch it to a professional account at the network, then connect again.", out_of_reach=True),
    "no_linked_account": Grounds("No professional account is linked to the page, or none that the person shares.",
                                 "Link one to the page at the network, then connect again and tick both.", out_of_reach=True),
    "no_pages": Grounds("The network showed no page.", "Connect again and tick the page and the business that owns it.", out_of_reach=True),
    "unlisted": Grounds("It was stored by another version of this server, for a reason that this one does not list.",
                        "Follow the sentence beside it, or have the profile checked now."),
}
# fmt: on

NOW_CALLED: Mapping[str, str] = {former: code for code, row in VERDICTS.items() for former in row.formerly}
"""The code that took an older one's place."""
