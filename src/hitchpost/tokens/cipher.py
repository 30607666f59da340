"""AES-256-GCM bound to its place: a sealed text opens only in the row, column and owner that it was sealed for (threats E1, E3)."""

import base64
import binascii
import hashlib
import hmac
from dataclasses import dataclass

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from hitchpost.ids import random_bytes

KEY_BYTES = 32
_NONCE_BYTES = 12
_VERSION = "v1"


class SealBroken(Exception):
    """A sealed text does not open here: wrong key, wrong place, or changed. Says no more on purpose."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a sealed text stands. `owner`: '-' for the installation, or a workspace's id."""

    owner: str
    table: str
    column: str
    row: str


def _joined(*parts: str) -> bytes:
    """Length before each part, so that no two lists of parts join to the same bytes."""
    return b"".join(len(part.encode()).to_bytes(4, "big") + part.encode() for part in parts)


def _cipher(data_key: bytes, place: Place) -> AESGCM:
    # A key for each row lifts GCM's limit of about 2^32 random nonces for one key.
    info = _joined("hitchpost", place.table, place.column, place.row)
    return AESGCM(HKDFExpand(SHA256(), KEY_BYTES, info).derive(data_key))


def mark(data_key: bytes, purpose: str, text: str) -> str:
    """HMAC-SHA256 of `text` in hexadecimal, under a subkey that serves `purpose` alone."""
    subkey = HKDFExpand(SHA256(), KEY_BYTES, _joined("hitchpost mark", purpose)).derive(data_key)
    return hmac.new(subkey, text.encode(), hashlib.sha256).hexdigest()


def seal(data_key: bytes, key_id: str, place: Place, clear: bytes) -> str:
    """`v1.<key id>.<base64 of nonce and ciphertext>`."""
    nonce = random_bytes(_NONCE_BYTES)
    bound = _joined(_VERSION, key_id, place.owner, place.table, place.column, place.row)
    return f"{_VERSION}.{key_id}.{base64.urlsafe_b64encode(nonce + _cipher(data_key, place).encrypt(nonce, clear, bound)).decode()}"


def unseal(data_key: bytes, place: Place, text: str) -> bytes:
    """What was sealed. Raises SealBroken."""
    version, _, rest = text.partition(".")
    key_id, _, encoded = rest.partition(".")
    try:
        raw = base64.urlsafe_b64decode(encoded.encode())
        # The decoder passes over foreign characters and spare bits; a sealed text is the one that was written, to the byte.
        if version != _VERSION or base64.urlsafe_b64encode(raw).decode() != encoded:
            raise SealBroken
        bound = _joined(version, key_id, place.owner, place.table, place.column, place.row)
        return _cipher(data_key, place).decrypt(raw[:_NONCE_BYTES], raw[_NONCE_BYTES:], bound)
    except (InvalidTag, binascii.Error, UnicodeEncodeError, ValueError):
        raise SealBroken from None


def key_id_of(text: str) -> str:
    """The key id that a sealed text names; empty when it is no sealed text."""
    return text.partition(".")[2].partition(".")[0]
