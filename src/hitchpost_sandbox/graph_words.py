"""Meta's words for the death of a token, for both Graph hosts."""

DEATHS = {
    "app_removed": (458, "Error validating access token: The user has not authorized application {app}."),
    "checkpoint": (459, "You cannot access the app till you log in to www.facebook.com and follow the instructions given."),
    "password_changed": (
        460,
        (
            "Error validating access token: The session has been invalidated because the user changed their password "
            "or Facebook has changed the session for security reasons."
        ),
    ),
    "unconfirmed": (464, "Error validating access token: Sessions for the user are not allowed because the user is not a confirmed user."),
    "logged_out": (467, "Error validating access token: The session is invalid because the user logged out."),
    "role_lost": (
        492,
        "Error validating access token: The user must be an administrator, editor, or moderator of the page in order to impersonate it.",
    ),
}
"""Why a token died → subcode of 190 and sentence (fact sheet of Facebook, §6.1)."""
