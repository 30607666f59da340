"""Facebook Login and its Graph: permissions that can be unticked, Pages that can be, tokens exchanged for longer ones.

The dialog: `facebook_dialog`; tokens: `facebook_tokens`; the Graph: `facebook_graph`; app options and errors: `facebook_words`;
turns: `facebook_turns`.
"""

from starlette.responses import Response

from hitchpost_sandbox import pages
from hitchpost_sandbox.networks import facebook_turns, facebook_words
from hitchpost_sandbox.networks.facebook_dialog import dialog
from hitchpost_sandbox.networks.facebook_graph import PATHS, call
from hitchpost_sandbox.twin import Route, Twin, Visit


async def lost(visit: Visit) -> Response:
    """www.facebook.com has no other page here."""
    return pages.show(visit.twin, "stopped.html", 404, heading="This page isn't available", text="The link you followed may be broken.")


_WEB = ("www.facebook.com", "m.facebook.com", "web.facebook.com")

TWIN = Twin(
    network="facebook",
    title="Facebook",
    authority="meta",
    routes=(
        Route(_WEB, "GET POST", "/dialog/oauth", dialog),
        Route(_WEB, "GET POST", "/dialog/oauth/", dialog),
        Route(_WEB, "GET POST", "/{version}/dialog/oauth", dialog),
        Route(_WEB, "GET POST", "/{version}/dialog/oauth/", dialog),
        Route(("graph.facebook.com",), "GET POST DELETE", "/{path:path}", call, PATHS),
    ),
    lost=lost,
    picture_hosts=("scontent.xx.fbcdn.net",),
    picture_path="/v/{rest:path}.png",
    colour="#0866ff",
    allow="Continue",
    cancel="Cancel",
    scope_words=facebook_words.SCOPES,
    errors=facebook_words.ERRORS,
    turns=facebook_turns.TURNS,
    switches=facebook_words.SWITCHES,
)
