"""OAuth apps as their networks' developer consoles know them, and the well-known ones of the default world.

The secrets below open nothing but this simulation, so they may stand in code and be printed.
"""

import base64
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

_LOOPBACK = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")

Option = bool | int | str


COUNTS = frozenset(
    {
        "code_minutes",
        "settles_after",
        "app_calls",
        "daily_limit",
        "member_calls",
        "max_count",
        "images_processing",
        "calls_an_hour",
        "quota_total",
        "quota_usage",
        "page_limit",
    }
)
"""Options whose value is a number."""


@dataclass(frozen=True, slots=True)
class App:
    """One registered app. `authority`: `meta` (facebook, and instagram by its Pages), `instagram`, `x`, `linkedin` or `pinterest`.

    `scopes` empty: every scope of the network is allowed. `options`: switches that the authority or twin reads. `variant`: the shape of a
    LinkedIn app: `A` (member), `B` (pages) or `C` (both).
    `redirect_uris` empty: any `http` address on loopback, any port, is taken at the authorize step (the token step always
    demands the very same bytes).
    """

    authority: str
    client_id: str
    client_secret: str = field(repr=False)
    title: str = "Hitchpost"
    redirect_uris: tuple[str, ...] = ()
    scopes: frozenset[str] = frozenset()
    variant: str = ""
    options: Mapping[str, Option] = field(default_factory=dict)

    def accepts(self, redirect_uri: str) -> bool:
        """Whether the authorize step may send people to `redirect_uri`: byte for byte one of the registered ones."""
        if self.redirect_uris:
            return redirect_uri in self.redirect_uris
        try:
            parts = urlsplit(redirect_uri)
            host = parts.hostname or ""
        except ValueError:
            return False
        return parts.scheme == "http" and _LOOPBACK.fullmatch(host) is not None and not parts.fragment

    def secret_is(self, text: str) -> bool:
        """Whether `text` is the app's secret, compared in constant time."""
        return hmac.compare_digest(self.client_secret.encode(), text.encode("utf-8", "surrogatepass"))

    def allows(self, scope: str) -> bool:
        return not self.scopes or scope in self.scopes

    def on(self, option: str) -> bool:
        """Whether the switch `option` is set."""
        return bool(self.options.get(option, False))


def x_client_id(name: str) -> str:
    """A Client ID as X makes them: base64 of 20 characters and `:1:ci`."""
    return base64.urlsafe_b64encode(f"{name[:20]:-<20}:1:ci".encode()).rstrip(b"=").decode()


LINKEDIN_MEMBER = frozenset({"openid", "profile", "email", "w_member_social"})
LINKEDIN_PAGES = frozenset(
    {
        "r_basicprofile", "r_1st_connections_size", "w_member_social", "w_member_social_feed", "r_organization_social",
        "r_organization_social_feed", "r_organization_followers", "w_organization_social", "w_organization_social_feed",
        "rw_organization_admin", "r_member_profileAnalytics", "r_member_postAnalytics",
    }
)  # fmt: skip
LINKEDIN_ALL_IN_ONE = LINKEDIN_MEMBER | frozenset(
    {
        "r_basicprofile", "r_1st_connections_size", "r_ads", "rw_ads", "r_ads_reporting", "r_organization_admin",
        "rw_organization_admin", "r_organization_social", "w_organization_social",
    }
)  # fmt: skip

_OF_BUSINESSES = (
    "pages_show_list business_management pages_manage_posts pages_read_engagement read_insights instagram_basic instagram_content_publish"
)
META_CONFIGURATIONS = "; ".join(
    f"{number}={kind}: {_OF_BUSINESSES}"
    for number, kind in (("600177000000001", "user"), ("600177000000002", "system_user"), ("600177000000003", "system_user_60_days"))
)
META_APP = App("meta", "902177000000001", "sandbox-meta-secret-8d1c5b7a20f94e63", options={"configurations": META_CONFIGURATIONS})
INSTAGRAM_APP = App("instagram", "1402177000000002", "sandbox-instagram-secret-51f0c2d9")
X_APP = App("x", x_client_id("sandbox-x-hitchpost"), "sandbox-x-secret-kQ3vYw8ZrT1mN6pB4sD9fG2hJ7cL5xA0")
LINKEDIN_MEMBER_APP = App("linkedin", "77sandboxmembr", "WPL_AP1.sandboxMember.bWVtYmVy", scopes=LINKEDIN_MEMBER, variant="A")
LINKEDIN_PAGES_APP = App("linkedin", "86sandboxpages", "WPL_AP1.sandboxPages.cGFnZXM", scopes=LINKEDIN_PAGES, variant="B")
LINKEDIN_ALL_APP = App("linkedin", "78sandboxallin", "WPL_AP1.sandboxAllInOne.YWxs", scopes=LINKEDIN_ALL_IN_ONE, variant="C")
PINTEREST_APP = App("pinterest", "1502177", "sandbox-pinterest-secret-0c9a7e5d3b1f")

WELL_KNOWN = (META_APP, INSTAGRAM_APP, X_APP, LINKEDIN_MEMBER_APP, LINKEDIN_PAGES_APP, LINKEDIN_ALL_APP, PINTEREST_APP)
