"""LinkedIn's organizations: which roles a person holds on their pages, and which of them may publish. Facts: docs/networks/linkedin.md."""

import re
from collections.abc import Collection, Mapping, Sequence

from hitchpost.networks import restli
from hitchpost.networks.answers import words
from hitchpost.networks.base import Call, Verdict
from hitchpost.networks.errors import Fault, FaultKind
from hitchpost.secret import Secret

_POSTING = frozenset({"ADMINISTRATOR", "CONTENT_ADMINISTRATOR", "CONTENT_ADMIN", "DIRECT_SPONSORED_CONTENT_POSTER"})
"""Roles that may publish; LinkedIn itself writes the second one both ways."""
_TARGETS = ("organization", "organizationTarget", "organizationalTarget")
"""What a row calls its organization, by LinkedIn's mood (seen in public code)."""
_ORGANIZATION = re.compile(r"urn:li:organization(?:Brand)?:(\d{1,19})")
_MAX_ORGANIZATIONS = 100

Roles = Mapping[str, Sequence[tuple[str, str]]]
"""Organization id → the roles held on its page, each with its state."""


async def roles(call: Call, token: Secret, only: Collection[str] | None = None) -> tuple[Roles, tuple[str, ...]]:
    """The roles on each organization (one row of LinkedIn's is one role), of `only` when given; and remarks. Raises Fault."""
    finder = "/rest/organizationAcls?q=roleAssignee"
    try:
        rows = await restli.elements(call, token, finder)
    except Fault as fault:
        if fault.kind is not FaultKind.PERMISSION:
            raise
        # One revoked row whose organization cannot be read has made the whole list fail (seen in public code).
        rows = await restli.elements(call, token, finder + "&state=APPROVED")
    held: dict[str, list[tuple[str, str]]] = {}
    unknown = 0
    for row in rows.items:
        target = _ORGANIZATION.fullmatch(next((words(row, name) for name in _TARGETS if name in row), ""))
        if target is None:
            unknown += 1
        elif only is None or target[1] in only:
            held.setdefault(target[1], []).append((words(row, "role"), words(row, "state")))
    remarks = []
    if not held and not unknown:
        remarks.append("LinkedIn lists no page on which you have a role. Ask a super admin of the page for one, then connect again.")
    if rows.cut or len(held) > _MAX_ORGANIZATIONS:
        remarks.append("LinkedIn lists more pages than can be shown here.")
    if unknown:
        remarks.append("LinkedIn lists something besides organizations; it cannot be connected.")
    return dict(list(held.items())[:_MAX_ORGANIZATIONS]), tuple(remarks)


def standing(name: str, held: Sequence[tuple[str, str]]) -> Verdict:
    """Whether one of the roles held on a page may publish; if not, which were found."""
    approved = {role for role, state in held if state == "APPROVED"}
    if approved & _POSTING:
        return Verdict()
    ask = "Ask a super admin of the page to make you content admin or super admin, then connect again."
    if approved:
        found = ", ".join(sorted(role.replace("_", " ").lower() for role in approved))
        return Verdict.of("role_missing", f"Your role on the page “{name}” ({found}) does not allow publishing.", ask)
    if any(state == "REQUESTED" for _, state in held):
        how = "Ask a super admin of the page to approve it, then connect again."
        return Verdict.of("role_requested", f"Your role on the page “{name}” is requested and not approved yet.", how)
    return Verdict.of("role_revoked", f"Your role on the page “{name}” was taken back or declined.", ask)
