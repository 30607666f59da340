"""What can go wrong, as data: a stable code, a sentence for people, who can fix it, and a way on.

One catalogue serves the API (JSON) and the pages (HTML): the code means the same in both.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class FixBy(StrEnum):
    """Who can mend it. `NOBODY`: nobody yet, trying again later is the cure."""

    CALLER = "caller"
    PERSON = "person"
    OPERATOR = "operator"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class Entry:
    """One row of the catalogue. Its sentences may name facts in braces; missing facts stay empty.

    `way` is for people on a page, and for programs too unless `call` is there.
    """

    status: int
    message: str
    fix_by: FixBy
    title: str
    way: str = ""
    retryable: bool = False
    call: str = ""


_C, _P, _O, _N = FixBy.CALLER, FixBy.PERSON, FixBy.OPERATOR, FixBy.NOBODY

# One row a line reads as the table it is.
# fmt: off
CATALOGUE: Mapping[str, Entry] = {
    # The public API, in its order of refusal.
    "missing_api_token": Entry(401, "Missing API token.", _C, "API key missing", "Send your key in the header X-API-Key."),
    "invalid_api_token": Entry(403, "Invalid API token.", _C, "API key refused", "Use a key that exists and is not revoked."),
    "rate_limited": Entry(429, "You've exceeded the request limit.", _C, "Too many requests", "Wait until X-RateLimit-Reset.", True),
    "body_too_large": Entry(413, "The request body is larger than {limit}.", _C, "Request too large"),
    "unsupported_media_type": Entry(415, "Send the body as application/json.", _C, "Wrong content type"),
    "malformed_json": Entry(400, "The body is not a JSON object: {detail}.", _C, "Malformed JSON"),
    "workspace_id_missing": Entry(400, "Name the workspace: ?workspaceId=… (see GET /workspaces).", _C, "Workspace missing"),
    "workspace_id_repeated": Entry(400, "Give workspaceId exactly once.", _C, "Workspace repeated"),
    "provider_missing": Entry(400, "Name the network in `provider`: one of {providers}.", _C, "Network missing"),
    "provider_unsupported": Entry(400, "Unsupported provider. `provider` is one of {providers}, in lower case.", _C, "Network unsupported"),
    "workspace_not_found": Entry(404, "There is no such workspace for you.", _C, "No such workspace",
                                 "Ask a member of the workspace for an invitation, or sign in with another account.",
                                 call="See GET /workspaces for those that there are for you."),
    "member_not_found": Entry(404, "They are not a member of this workspace.", _C, "No such member"),
    "key_not_found": Entry(404, "There is no such API key.", _C, "No such API key"),
    "role_insufficient": Entry(403, "Your role in this workspace ({role}) does not allow this. {helper} can do it or change your role.", _P,
                               "Your role does not allow this", "Ask {helper}."),
    "provider_not_configured": Entry(400, "{network} is not configured on this server. Whoever runs it must add an app for {network}.", _O,
                                     "{network} is not configured", "Tell whoever runs this server: docs/networks/{provider}.md says how."),
    "not_found": Entry(404, "There is nothing at this address.", _C, "Not found", "Check the address, or go home and start there.",
                       call="Check the address: /openapi.json lists the calls."),
    "method_not_allowed": Entry(405, "This address does not take {method}.", _C, "Method not allowed", "Go back and use the page's own buttons.",
                                call="See the header Allow for what it takes."),
    "bad_request": Entry(400, "The request could not be understood: {detail}.", _C, "Request not understood"),
    "body_too_slow": Entry(408, "The request body took too long to arrive.", _C, "Request too slow", "Send it again over a better line.", True),
    "headers_too_large": Entry(431, "The request's headers are too many or too long.", _C, "Headers too large"),
    "host_unknown": Entry(421, "This server does not answer to that host name. It is known as {public_url}.", _C, "Unknown host", "Open {public_url} instead."),
    "database_unavailable": Entry(503, "This server cannot reach or use its database just now.", _O, "The database does not answer",
                                  "Try again in a minute. If it stays so, tell whoever runs this server.", True),
    "unforeseen": Entry(500, "Something unforeseen happened here. Nothing was half-done; please try again. (request {request_id})", _N,
                        "Something unforeseen happened", "Try again. If it happens again, give the request id to whoever runs this server.", True),
    # Signing in and setting up.
    "sign_in_refused": Entry(403, "E-mail address and password do not match.", _P, "Not signed in", "Check both and try again."),
    "sign_in_slowed": Entry(429, "Too many tries. Please wait {minutes} min and try again.", _P, "Please wait a little", "", True),
    "cookies_blocked": Entry(400, "Your browser did not send back our cookie.", _P, "Cookies are blocked",
                             "Allow cookies for this site (private windows and strict tracking protection may block them), then try again."),
    "form_expired": Entry(403, "This form is no longer valid.", _P, "Please try once more", "Open the page again and repeat the last step.", True),
    "foreign_origin": Entry(403, "The request came from another site.", _P, "Request refused", "Open this server's own page and repeat the step there."),
    "setup_done": Entry(404, "This installation is already set up.", _P, "Already set up", "Sign in."),
    "setup_code_wrong": Entry(403, "That is not the set-up code.", _P, "Set-up code refused",
                              "The code is printed on the server's console when it starts."),
    "form_type_unsupported": Entry(415, "Send the form as application/x-www-form-urlencoded.", _C, "Wrong content type"),
    "form_incomplete": Entry(400, "{detail}", _P, "Please complete the form"),
    # The way from the start page to the attached profiles.
    "state_invalid": Entry(400, "This answer does not belong to a connection that is under way.", _P, "This link leads nowhere",
                           "Start again from your home page or with the link that you were given."),
    "other_browser": Entry(400, "This connection was started under another sign-in: in another browser, by another person, or here before you were signed out. It cannot be finished here. Nothing was connected.", _P,
                           "Started under another sign-in",
                           "If you started in another browser, go back to it. If you were signed out meanwhile, or the network's app has opened this browser on your phone, start again: open the link below in the browser that you want to use."),
    "link_incomplete": Entry(400, "This link is incomplete: it does not say which {missing} it is for.", _P, "The link is incomplete",
                             "Ask whoever gave it to you for the whole link; it may have been cut off when it was copied."),
    "link_network_unknown": Entry(400, "This link is for a network that this server does not know.", _P, "The link names no known network",
                                  "Ask whoever gave it to you for a right one."),
    "login_not_offered": Entry(400, "This server offers no such way of connecting {network}, or no longer. Nothing was started.", _P, "That way is not offered",
                               "Start again and pick one of the ways that the page shows.", True),
    "network_mismatch": Entry(400, "The answer came from another network than the one that was asked.", _P, "Answer refused", "Start again."),
    "consent_denied": Entry(400, "{network} reports that access was not granted. Nothing was connected.", _P, "You did not grant access",
                            "Try again and allow access, or leave it.", True),
    "cancelled": Entry(200, "You cancelled this connection. Nothing was connected.", _P, "Cancelled", "Start again whenever you like.", True),
    "authorization_expired": Entry(400, "This connection took longer than it may. Nothing was connected.", _P, "The connection expired",
                                   "Start again; it takes a minute.", True),
    "authorization_superseded": Entry(400, "A newer connection replaced this one.", _P, "Replaced by a newer connection", "Go on in the newer tab, or start again.", True),
    "interrupted": Entry(500, "The connection was interrupted on our side before it was finished. Nothing was connected.", _N,
                         "Interrupted", "Start again: {network} will ask you once more.", True),
    "code_refused": Entry(400, "{network} refused: {detail}. Nothing was connected.", _P, "{network} refused the code",
                          "Start again. A code lives for a short time and works once.", True),
    "app_misconfigured": Entry(502, "{network} rejects this server's app: {detail}. You cannot mend this.", _O, "This server's {network} app is misconfigured",
                               "Tell whoever runs this server, with this page's code."),
    "halted": Entry(503, "Whoever runs this server has stopped all use of people's access for now.", _O, "Stopped for an emergency",
                    "Nothing is lost. Ask whoever runs this server; it goes on when they say so.", True),
    "all_withdrawn": Entry(503, "Whoever runs this server has ended all access that people gave it, and for now nothing new can be connected.", _O,
                           "All access was ended",
                           "Ask whoever runs this server. When they let it go on, every profile has to be connected again.", True),
    "network_down": Entry(502, "{network} could not be reached or did not answer.", _N, "{network} does not answer", "Try again in a minute.", True),
    "network_trouble": Entry(502, "{network} reports a fault of its own.", _N, "{network} has trouble", "Try again in a few minutes.", True),
    "network_throttled": Entry(502, "{network} asks us to slow down.", _N, "{network} asks us to wait", "Try again {when}.", True),
    "network_unintelligible": Entry(502, "{network} answered in a way that we do not understand.", _N, "{network}'s answer was unclear", "Try again. If it stays so, tell whoever runs this server.", True),
    "permission_missing": Entry(400, "{network} does not allow what is needed: {detail}.", _P, "A permission is missing",
                                "Connect again and leave every permission ticked.", True),
    "access_revoked": Entry(400, "{network} does not accept the access any more: {detail}.", _P, "The access has ended", "Connect again.", True),
    "account_blocked": Entry(400, "{network} has blocked this account: {detail}.", _P, "{network} blocks this account",
                             "Sign in at {network}, follow what it asks there, then connect again.", True),
    "rights_lost": Entry(403, "You may no longer connect profiles in this workspace. Nothing was connected.", _P, "Your rights changed", "Ask an owner or admin of the workspace."),
    # How attached profiles stand.
    "access_expired": Entry(400, "The access that {network} gave has run out, and it cannot be renewed without you.", _P, "The access has run out", "Connect again."),
    "access_expiring": Entry(200, "The access that {network} gave ends on {until}, and it cannot be renewed without you.", _P, "The access ends soon",
                             "Connect again before then; nothing is interrupted if you do."),
    "refresh_answer_lost": Entry(400, "{network}'s answer to a renewal was lost on the way, and it does not accept the older access any more.", _P,
                                 "The access was lost in a renewal", "Connect again. Nothing else is affected."),
    "access_withdrawn": Entry(400, "Whoever runs this server has ended the access that {network} gave.", _P, "The access was ended from here",
                              "Ask whoever runs this server; then connect again."),
    "access_unreadable": Entry(500, "What this server has stored of the access that {network} gave was changed and does not open. {network} was not asked.", _O,
                               "The stored access cannot be read",
                               "Whoever runs this server can restore its row of token_sets from a backup. Or connect again, which replaces it."),
    "not_confirmed": Entry(400, "No confirmed access stands behind this profile.", _P, "Nobody has confirmed the access", "Connect again and pick this profile."),
    "profile_not_found": Entry(404, "There is no such profile in this workspace.", _C, "No such profile", "It may have been disconnected. Your home page lists those that there are.",
                               call="See GET /social-profiles for those that there are."),
    "signed_request_invalid": Entry(400, "The signed_request is not signed with this app's secret.", _O, "Signature refused",
                                    "Check the app's secret in the settings: docs/networks/{provider}.md says which one signs."),
    "selection_empty": Entry(400, "Pick at least one profile.", _P, "Nothing picked", "Tick what you want to connect."),
    "selection_foreign": Entry(400, "The selection names something that was not offered. Nothing was connected.", _P, "Selection refused", "Pick from the list."),
    "selection_unusable": Entry(400, "{name} cannot be connected: {detail}. Nothing was connected.", _P, "One of them cannot be connected", "Pick again."),
}
# fmt: on


class _Facts(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


class Problem(Exception):
    """A refusal or fault that its receiver can understand. `code` is a key of CATALOGUE.

    `facts` fill the sentence; they are shown to people, so they never hold a secret. The fact `way` replaces the catalogue's way on,
    where more is known than it; `network_code` is the network's own code, for whoever helps.
    """

    def __init__(self, code: str, **facts: str) -> None:
        self.code = code
        self.facts: Mapping[str, str] = facts
        super().__init__(f"{code}: {self.message}")

    @property
    def entry(self) -> Entry:
        return CATALOGUE[self.code]

    @property
    def status(self) -> int:
        return self.entry.status

    @property
    def message(self) -> str:
        return self._filled(self.entry.message)

    @property
    def title(self) -> str:
        return self._filled(self.entry.title)

    @property
    def way(self) -> str:
        return self.facts.get("way") or self._filled(self.entry.way)

    @property
    def how(self) -> str:
        """The way on for a program."""
        return self.facts.get("way") or self._filled(self.entry.call or self.entry.way)

    @property
    def network_code(self) -> str:
        """What the network itself calls it, named, for whoever helps; empty when no network has said anything."""
        code = self.facts.get("network_code", "")
        return f"{self.facts.get('network', '')} {code}" if code else ""

    def _filled(self, text: str) -> str:
        return text.format_map(_Facts(self.facts))

    def as_json(self) -> dict[str, str | bool]:
        """The API's error body: `message`, `code`, `fixBy`, `retryable`, and `how`, `provider`, `requestId` where known."""
        body: dict[str, str | bool] = {
            "message": self.message,
            "code": self.code,
            "fixBy": self.entry.fix_by.value,
            "retryable": self.entry.retryable,
        }
        if how := self.how:
            body["how"] = how
        if provider := self.facts.get("provider"):
            body["provider"] = provider
        if request_id := self.facts.get("request_id"):
            body["requestId"] = request_id
        return body
