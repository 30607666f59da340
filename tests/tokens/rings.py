"""Key rings with fresh keys, and how the setting writes them."""

import base64

from hitchpost.ids import random_bytes
from hitchpost.tokens.ring import Ring


def new_ring(*ids: str) -> Ring:
    """A ring with fresh keys, the first id primary."""
    named = ids or ("first",)
    return Ring(named[0], {one: random_bytes(32) for one in named})


def ring_text(ring: Ring) -> str:
    """The ring as the setting has it."""
    return ",".join(f"{name}:{base64.urlsafe_b64encode(key).decode()}" for name, key in ring.keys.items())
