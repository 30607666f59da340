"""The pages that people see at a simulated network, all under a banner that says what they are."""

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.responses import HTMLResponse

from hitchpost_sandbox.ledger import What
from hitchpost_sandbox.twin import Twin, Visit

_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    # No form-action: Chromium holds it against the redirect back to the app too.
    "content-security-policy": "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
}
_templates = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"),
    autoescape=True,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)


_templates.filters["moment"] = lambda text: str(text)[:19].replace("T", " ")


def show(twin: Twin, template: str, status: int = 200, **values: object) -> HTMLResponse:
    """A page of this network from `templates/`."""
    return HTMLResponse(_templates.get_template(template).render(twin=twin, **values), status, _HEADERS)


def stopped(visit: Visit, heading: str, text: str, *, reason: str, status: int = 400, app: str = "") -> HTMLResponse:
    """The network's own error page, for what it never tells the app: nobody is sent back. `reason` goes to the ledger, not to the page."""
    visit.ledger.write(visit.twin.network, What.AUTHORIZE_REFUSED, app=app, reason=reason)
    return show(visit.twin, "stopped.html", status, heading=heading, text=text)


def panel(template: str, **values: object) -> HTMLResponse:
    """A page of the sandbox's own, with its one script."""
    policy = _HEADERS["content-security-policy"] + "; script-src 'self'; connect-src 'self'; form-action 'self'"
    return HTMLResponse(_templates.get_template(template).render(twin=None, **values), 200, _HEADERS | {"content-security-policy": policy})
