"""The one home of randomness: ids, tokens, API keys, from the system's generator only."""

import base64
import hashlib
import os
import re

_ALPHABET = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID = re.compile(r"c[0-9a-z]{24}")
_TOKEN = re.compile(r"[A-Za-z0-9_-]{43}")
_KEY = re.compile(r"hp_[0-9a-z]{8}_[0-9a-z]{40}")


def _base36(length: int) -> str:
    # 64 spare bits make the modulo's bias smaller than 2^-64: one system call instead of one per character.
    number = int.from_bytes(os.urandom((length * 6) // 8 + 8), "big")
    digits = []
    for _ in range(length):
        number, digit = divmod(number, 36)
        digits.append(_ALPHABET[digit])
    return "".join(digits)


def new_id() -> str:
    """A 25-character CUID-shaped id: `c` and 24 base-36 characters (124 random bits)."""
    return "c" + _base36(24)


def is_id(text: object) -> bool:
    """Whether `text` has the shape of an id; says nothing about its existence."""
    return isinstance(text, str) and _ID.fullmatch(text) is not None


def new_token(size: int = 32) -> str:
    """`size` random bytes as url-safe base64 without padding (32 bytes: 43 characters, 256 bits)."""
    return base64.urlsafe_b64encode(os.urandom(size)).rstrip(b"=").decode()


def is_token(text: str) -> bool:
    """Whether `text` has the shape of a token of the usual 32 bytes; says nothing about its existence."""
    return _TOKEN.fullmatch(text) is not None


def random_bytes(size: int) -> bytes:
    """`size` bytes of the system's generator, for keys and nonces."""
    return os.urandom(size)


def new_api_key() -> str:
    """`hp_`, 8 visible characters, `_`, 40 secret base-36 characters (206 bits)."""
    return f"hp_{_base36(8)}_{_base36(40)}"


def api_key_prefix(key: str) -> str | None:
    """The visible part of an API key (`hp_` and 8 characters), or None when `key` is not shaped like one."""
    return key[:11] if _KEY.fullmatch(key) else None


def digest(token: str) -> str:
    """SHA-256 of a token in hex: what is stored in place of keys, states and cookies.

    Enough for tokens of 160 random bits and more; passwords go through argon2 instead.
    """
    return hashlib.sha256(token.encode()).hexdigest()


def new_code() -> str:
    """A one-time code that people type: 12 base-32 characters in groups of four (60 bits)."""
    raw = base64.b32encode(os.urandom(8)).decode()[:12]
    return f"{raw[:4]}-{raw[4:8]}-{raw[8:]}"
