"""OpenID Connect as LinkedIn offers it: discovery, one RSA key, and id tokens without a nonce."""

import base64
import json
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from starlette.responses import JSONResponse, Response

from hitchpost_sandbox.apps import App
from hitchpost_sandbox.networks.linkedin_people import claims
from hitchpost_sandbox.people import Person
from hitchpost_sandbox.twin import Visit

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey

ISSUER = "https://www.linkedin.com/oauth"
OLD_ISSUER = "https://www.linkedin.com"
"""As id tokens said in 2023."""
KEY_ID = "d929668a-bab1-4c69-9598-4373149723ff"
ID_TOKEN_LIFE = timedelta(hours=1)


async def discovery(_visit: Visit) -> Response:
    """GET /oauth/.well-known/openid-configuration: no PKCE methods, no revocation, no introspection are named."""
    return JSONResponse(
        {
            "issuer": ISSUER,
            "authorization_endpoint": f"{ISSUER}/v2/authorization",
            "token_endpoint": f"{ISSUER}/v2/accessToken",
            "userinfo_endpoint": "https://api.linkedin.com/v2/userinfo",
            "jwks_uri": f"{ISSUER}/openid/jwks",
            "response_types_supported": ["code"],
            "subject_types_supported": ["pairwise"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "scopes_supported": ["openid", "profile", "email"],
            "claims_supported": [
                "iss",
                "aud",
                "iat",
                "exp",
                "sub",
                "name",
                "given_name",
                "family_name",
                "picture",
                "email",
                "email_verified",
                "locale",
            ],
        }
    )


async def jwks(_visit: Visit) -> Response:
    """GET /oauth/openid/jwks: the public half (RFC 7517)."""
    public = _key().public_key().public_numbers()
    key = {"kty": "RSA", "use": "sig", "alg": "RS256", "kid": KEY_ID, "n": _number(public.n), "e": _number(public.e)}
    return JSONResponse({"keys": [key]})


def id_token(visit: Visit, app: App, person: Person, scopes: tuple[str, ...]) -> str:
    """A signed statement of who consented, for one hour (RFC 7519)."""
    from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
    from cryptography.hazmat.primitives.hashes import SHA256

    now = visit.clock.now()
    times = {"iat": int(now.timestamp()), "exp": int((now + ID_TOKEN_LIFE).timestamp())}
    issuer = OLD_ISSUER if app.on("old_issuer") else ISSUER
    said = {"iss": issuer, "aud": app.client_id} | times | claims(visit, app, person, scopes)
    # The odd "zip" is LinkedIn's own; libraries that know every field of a header stumble over it.
    odd = {} if app.on("plain_id_token") else {"zip": "RS256"}
    signed = f"{_part(odd | {'typ': 'JWT', 'kid': KEY_ID, 'alg': 'RS256'})}.{_part(said)}"
    return f"{signed}.{_text(_key().sign(signed.encode(), PKCS1v15(), SHA256()))}"


@cache
def _key() -> "RSAPrivateKey":
    """One key a process. Imported and made at first use: neither belongs to starting."""
    from cryptography.hazmat.primitives.asymmetric.rsa import generate_private_key

    return generate_private_key(65537, 2048)


def _part(value: dict[str, Any]) -> str:
    return _text(json.dumps(value, separators=(",", ":")).encode())


def _number(value: int) -> str:
    return _text(value.to_bytes((value.bit_length() + 7) // 8, "big"))


def _text(value: bytes) -> str:
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
