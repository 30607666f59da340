"""LinkedIn as its own documents and public clients know it: all-or-nothing consent, silent when it was given before; tokens of 60 days.

App options, errors and turns: `linkedin_words`. Consent: `linkedin_authorize`. Tokens: `linkedin_tokens`. The API: `linkedin_api` and on.
"""

from hitchpost_sandbox.networks import (
    linkedin_authorize,
    linkedin_oidc,
    linkedin_organizations,
    linkedin_people,
    linkedin_tokens,
    linkedin_words,
)
from hitchpost_sandbox.networks.linkedin_api import lost
from hitchpost_sandbox.networks.linkedin_rest import Act, unversioned, versioned
from hitchpost_sandbox.twin import Route, Twin

_WWW = ("www.linkedin.com",)
_API = ("api.linkedin.com",)
# What a GET asks may come as the body of a POST.
_READ = "GET POST"


def _old_and_new(pattern: str, act: Act) -> tuple[Route, Route]:
    return Route(_API, _READ, f"/v2{pattern}", unversioned(act)), Route(_API, _READ, f"/rest{pattern}", versioned(act))


TWIN = Twin(
    network="linkedin",
    title="LinkedIn",
    authority="linkedin",
    routes=(
        Route(_WWW, "GET POST", "/oauth/v2/authorization", linkedin_authorize.authorize),
        Route(_WWW, "GET POST", "/oauth/native-pkce/authorization", linkedin_authorize.authorize_native),
        Route(_WWW, "GET", "/m/logout/", linkedin_authorize.sign_out),
        Route(_WWW, "POST", "/oauth/v2/accessToken", linkedin_tokens.token),
        Route(_WWW, "POST", "/oauth/v2/introspectToken", linkedin_tokens.introspect),
        Route(_WWW, "POST", "/oauth/v2/revoke", linkedin_tokens.revoke),
        Route(_WWW, "GET", "/oauth/.well-known/openid-configuration", linkedin_oidc.discovery),
        Route(_WWW, "GET", "/oauth/openid/jwks", linkedin_oidc.jwks),
        Route(_API, _READ, "/v2/userinfo", linkedin_people.userinfo),
        Route(_API, _READ, "/v2/emailAddress", linkedin_people.email_address),
        *_old_and_new("/me", linkedin_people.read_me),
        *_old_and_new("/organizationAcls", linkedin_organizations.acls),
        Route(_API, _READ, "/v2/organizationalEntityAcls", unversioned(linkedin_organizations.acls)),
        *_old_and_new("/organizations", linkedin_organizations.organizations_found),
        *_old_and_new("/organizations/{id}", linkedin_organizations.organization),
        *_old_and_new("/organizationsLookup", linkedin_organizations.organizations_lookup),
        *_old_and_new("/networkSizes/{urn}", linkedin_organizations.network_size),
        Route(_API, _READ, "/rest/images", versioned(linkedin_organizations.images)),
        Route(_API, _READ, "/rest/images/{urn}", versioned(linkedin_organizations.image)),
        Route(_API, "GET POST PUT PATCH DELETE OPTIONS", "/{rest:path}", lost, paths=()),
    ),
    lost=lost,
    picture_hosts=("media.licdn.com",),
    picture_path="/dms/image/{rest:path}.png",
    colour="#0a66c2",
    scope_words=linkedin_authorize.SCOPES,
    errors=linkedin_words.ERRORS,
    turns=linkedin_words.TURNS,
    switches=linkedin_words.SWITCHES,
)
