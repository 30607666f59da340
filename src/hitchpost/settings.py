"""Every setting, read once from HITCHPOST_… variables. Bad configuration refuses to start and names the setting.

Each secret may come as HITCHPOST_<NAME>_FILE instead; unknown names are refused.
"""

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal, get_args, get_origin
from urllib.parse import urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from hitchpost.secret import Secret

PREFIX = "HITCHPOST_"
_APP = re.compile(r"APP_([A-Z0-9]+(?:_[A-Z0-9]+)*?)_(CLIENT_ID|CLIENT_SECRET|VARIANT|SCOPES|VERSION|PROVIDERS)")


class BadSettings(Exception):
    """The configuration cannot be used; the message names each setting and what it should be."""


@dataclass(frozen=True, slots=True)
class AppSettings:
    """The credentials of one OAuth app as configured (HITCHPOST_APP_<SLOT>_…); empty: not given."""

    slot: str
    client_id: str
    client_secret: Secret
    variant: str = ""
    scopes: tuple[str, ...] = ()
    version: str = ""
    providers: tuple[str, ...] = ()


def is_loopback(url: str) -> bool:
    """Whether the URL's host is this machine by name or address."""
    host = urlsplit(url).hostname or ""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _origin(value: object) -> str:
    text = str(value).rstrip("/")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.path or parts.query or parts.fragment or parts.username:
        raise ValueError("must be an origin such as https://connect.example.com, without path")
    return text


def _base(value: object) -> str:
    text = str(value).rstrip("/")
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username):
        raise ValueError("must be an absolute http(s) URL, or empty")
    return text


def _bind(value: object) -> str:
    match = re.fullmatch(r"\S+:(\d{1,5})", str(value))
    if not match or int(match[1]) > 65535:
        raise ValueError("must be an address and a port, such as 127.0.0.1:8420")
    return match[0]


def _networks(value: object) -> tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]:
    try:
        return tuple(ipaddress.ip_network(part.strip()) for part in str(value).split(",") if part.strip())
    except ValueError:
        raise ValueError("must be addresses or networks such as 10.0.0.0/8, separated by commas") from None


def _url_of(bind: str) -> str:
    """Where browsers on this machine find who listens there. Raises BadSettings where others find them too: by which name is not known."""
    host, _, port = bind.rpartition(":")
    if not is_loopback(f"http://{bind}"):
        raise BadSettings(
            f"{PREFIX}BIND: {bind} can be reached from other machines, so set {PREFIX}PUBLIC_URL to the address that people's browsers use"
        )
    # A port that is not known yet leaves the default; and the name localhost is left to sandboxes, which would be sent our cookies there.
    if port.strip("0") == "":
        return DEFAULT_URL
    return f"http://{host if host.startswith(('[', '127.')) else '127.0.0.1'}:{port}"


DEFAULT_URL = "http://127.0.0.1:8420"


class Settings(BaseModel):
    """All settings but the apps' credentials; the field's name in upper case is the variable after HITCHPOST_."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True, hide_input_in_errors=True)

    public_url: Annotated[str, BeforeValidator(_origin)] = Field(
        default=DEFAULT_URL,
        description="the address people's browsers use; every URL we hand out starts with it; default: where `bind` is on this machine",
    )
    public_url_insecure: bool = Field(default=False, description="allow a public URL with plain http that is not this machine")
    bind: Annotated[str, BeforeValidator(_bind)] = Field(default="127.0.0.1:8420", description="address and port to listen on")
    database_url: Secret = Field(
        default=Secret(""), description="sqlite:///path or postgresql://…; default: hitchpost.db in the data directory"
    )
    data_dir: Path = Field(default=Path(".hitchpost/data"), description="where the SQLite database lives")
    key_ring: Secret = Field(default=Secret(""), description="the key ring itself, `id:base64,…`, the first is used for new seals")
    key_dir: Path = Field(
        default=Path(".hitchpost/keys"), description="where the first run makes the key ring; keep it apart from the data and its backups"
    )
    networks_at: Annotated[str, BeforeValidator(_base)] = Field(
        default="", description="a sandbox's address: every network is then reached at <base>/<real host>/<real path>"
    )
    networks_at_insecure: bool = Field(
        default=False, description="allow networks_at to be plain http or this machine; shows a banner on every page"
    )
    trusted_proxies: Annotated[tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...], BeforeValidator(_networks)] = Field(
        default=(), description="addresses (CIDR, comma-separated) whose X-Forwarded-For is believed"
    )
    rate_limit: int = Field(default=60, ge=1, le=1_000_000, description="public API calls a minute and person")
    renewals_a_minute: int = Field(
        default=0, ge=0, le=100_000, description="token renewals a minute for each app; 0 lets each app keep a little above its normal pace"
    )
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="debug, info, warning or error")
    session_idle_hours: int = Field(default=24, ge=1, le=24 * 30, description="a browser session ends after this long without a request")
    session_hours: int = Field(default=24 * 7, ge=1, le=24 * 90, description="a browser session ends after this long in any case")

    @property
    def secure(self) -> bool:
        """Whether people reach us by https: decides cookies' names and HSTS."""
        return self.public_url.startswith("https://")

    @property
    def database(self) -> str:
        """The SQLAlchemy-free form of the database's address: `sqlite:///…` or `postgresql://…`; may hold a password."""
        return self.database_url.reveal() or f"sqlite:///{self.data_dir / 'hitchpost.db'}"

    @property
    def sqlite_file(self) -> Path | None:
        """Where the SQLite database is or will be; None for PostgreSQL."""
        if not self.database.startswith("sqlite:"):
            return None
        return Path(self.database.removeprefix("sqlite:///").partition("?")[0]).absolute()


@dataclass(frozen=True, slots=True)
class Configuration:
    """Settings and the configured apps."""

    settings: Settings
    apps: tuple[AppSettings, ...] = field(default=())


def _with_files(env: Mapping[str, str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name, value in env.items():
        if not name.startswith(PREFIX):
            continue
        short = name.removeprefix(PREFIX)
        if short.endswith("_FILE"):
            short = short.removesuffix("_FILE")
            if PREFIX + short in env:
                raise BadSettings(f"{PREFIX}{short} and {name} are both set; keep one of them")
            try:
                value = Path(value).read_text().strip()
            except (OSError, UnicodeDecodeError) as error:
                raise BadSettings(f"{name}: cannot read {value}: {getattr(error, 'strerror', None) or 'not text'}") from None
        found[short] = value
    return found


def _apps(found: dict[str, str]) -> tuple[AppSettings, ...]:
    slots: dict[str, dict[str, str]] = {}
    for name in list(found):
        if match := _APP.fullmatch(name):
            slots.setdefault(match[1], {})[match[2]] = found.pop(name).strip()
    return tuple(
        AppSettings(
            slot.lower(),
            values.get("CLIENT_ID", ""),
            Secret(values.get("CLIENT_SECRET", "")),
            values.get("VARIANT", ""),
            _words(values, "SCOPES"),
            values.get("VERSION", ""),
            _words(values, "PROVIDERS"),
        )
        for slot, values in sorted(slots.items())
    )


def _words(values: Mapping[str, str], name: str) -> tuple[str, ...]:
    return tuple(one for one in re.split(r"[\s,]+", values.get(name, "")) if one)


def read_settings(env: Mapping[str, str]) -> Configuration:
    """The configuration in `env`. Raises BadSettings naming every setting that is unknown or wrong."""
    found = _with_files(env)
    apps = _apps(found)
    secrets = {"DATABASE_URL", "KEY_RING"}
    values = {name.lower(): Secret(value) if name in secrets else value for name, value in found.items()}
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise BadSettings("\n".join(_said(one["loc"], one["type"], one["msg"]) for one in error.errors())) from None
    if "public_url" not in settings.model_fields_set:
        settings = settings.model_copy(update={"public_url": _url_of(settings.bind)})
    _refuse_unsafe(settings)
    return Configuration(settings, apps)


def _said(place: tuple[int | str, ...], kind: str, message: str) -> str:
    field = str(place[0] if place else "")
    name = PREFIX + field.upper()
    if kind == "extra_forbidden":
        return f"{name} is not a setting of Hitchpost (see docs/settings.md)"
    return f"{name}: {_allowed(field) or message.removeprefix('Value error, ')}"


def _allowed(name: str) -> str:
    """What a setting of this name may be, where its kind says it; empty where its own check has said it."""
    field = Settings.model_fields[name]
    if field.annotation is bool:
        return "must be true or false"
    if field.annotation is int:
        bounds = [
            str(bound) for one in field.metadata for bound in (getattr(one, "ge", None), getattr(one, "le", None)) if bound is not None
        ]
        return f"must be a whole number from {' to '.join(bounds)}"
    if get_origin(field.annotation) is Literal:
        *most, last = get_args(field.annotation)
        return f"must be {', '.join(most)} or {last}"
    return ""


def _refuse_unsafe(settings: Settings) -> None:
    if not settings.secure and not is_loopback(settings.public_url) and not settings.public_url_insecure:
        raise BadSettings(
            f"{PREFIX}PUBLIC_URL is plain http on a name that is not this machine; use https, or set {PREFIX}PUBLIC_URL_INSECURE=true"
        )
    base = settings.networks_at
    if base and (not base.startswith("https://") or is_loopback(base)) and not settings.networks_at_insecure:
        raise BadSettings(
            f"{PREFIX}NETWORKS_AT is plain http or this machine; that is for sandboxes only: set {PREFIX}NETWORKS_AT_INSECURE=true"
        )
    if not settings.database.startswith(("sqlite:///", "postgresql://")):
        raise BadSettings(f"{PREFIX}DATABASE_URL must start with sqlite:/// or postgresql://")
