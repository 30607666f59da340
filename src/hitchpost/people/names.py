"""What counts as an e-mail address and as a name, and when two addresses are the same account at sign-in."""

import re
import unicodedata

from hitchpost.errors import Problem

# Whether an address works only a letter to it would show; this refuses what is none at all. 254: RFC 5321 §4.5.3.1.3.
_EMAIL = re.compile(r"[^\s@]{1,64}@[^\s@]{1,189}")


def email_key(email: str) -> str:
    """What signing in compares: without case and without Unicode's spelling variants (NFKC). Never used to link accounts (threat A24)."""
    # Folding can undo the normal form, so it is made once more (Unicode §3.13, toNFKC_Casefold).
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", email.strip()).casefold())


def checked_email(email: str) -> str:
    """The address as it will be shown. Raises Problem form_incomplete."""
    text = email.strip()
    if not _EMAIL.fullmatch(text) or not text.isprintable():
        raise Problem("form_incomplete", detail="Please give an e-mail address, such as ada@example.com.")
    return text


def checked_name(name: str) -> str:
    """The name as it will be shown, blanks in a row as one. Raises Problem form_incomplete."""
    text = " ".join(name.split())
    if not 1 <= len(text) <= 120 or not text.isprintable():
        raise Problem("form_incomplete", detail="Please give a name of at most 120 characters.")
    return text
