"""Vault: seals and opens secrets under their owner's data key; the data keys are stored wrapped by the ring."""

from collections.abc import Callable

from hitchpost.clock import Clock
from hitchpost.db.engine import Tx
from hitchpost.ids import random_bytes
from hitchpost.secret import Secret
from hitchpost.tokens import cipher, repository
from hitchpost.tokens.cipher import KEY_BYTES, Place, SealBroken
from hitchpost.tokens.ring import BadRing, Ring

INSTALLATION = "-"


def tokens_place(grant_id: str) -> Place:
    """Where a grant's tokens are sealed for."""
    return Place(INSTALLATION, "token_sets", "sealed", grant_id)


def is_unused(tx: Tx) -> bool:
    """Whether nothing was ever sealed in this database: only then may a new ring be made."""
    return repository.holds_nothing(tx)


class Vault:
    """One for the process; unwrapped data keys are kept in memory. `reload`: the ring as it stands now, for who rotates it elsewhere."""

    def __init__(self, ring: Ring, clock: Clock, *, reload: Callable[[], Ring] | None = None) -> None:
        self._ring, self._clock, self._reload = ring, clock, reload or (lambda: ring)
        self._opened: dict[str, bytes] = {}

    def check(self, tx: Tx) -> None:
        """At start: every data key opens with the ring. Raises BadRing otherwise, and nothing else happens (threat E2)."""
        for owner, wrapped in repository.data_keys_by_owner(tx).items():
            self._unwrapped(owner, wrapped)
        if is_unused(tx):
            self._make(tx, INSTALLATION)
        elif self._known(tx, INSTALLATION) is None:
            raise BadRing("the database holds sealed secrets, but its data key is gone: restore a backup that is whole, data_keys included")

    def seal(self, tx: Tx, place: Place, secret: Secret) -> str:
        """The sealed text of a secret, to be stored at `place` and nowhere else. An owner's first seal makes the data key."""
        key = self._known(tx, place.owner) or self._make(tx, place.owner)
        return cipher.seal(key, self._ring.primary, place, secret.reveal().encode())

    def open(self, tx: Tx, place: Place, text: str) -> Secret:
        """The secret that was sealed for `place`. Raises SealBroken, also when the owner's data key is gone: opening never makes one."""
        key = self._known(tx, place.owner)
        if key is None:
            raise SealBroken
        return Secret(cipher.unseal(key, place, text).decode())

    def mark(self, tx: Tx, purpose: str, text: str) -> str:
        """HMAC-SHA256 in hexadecimal under a key of its own for this purpose (threat E3), derived from the installation's data key."""
        key = self._known(tx, INSTALLATION) or self._make(tx, INSTALLATION)
        return cipher.mark(key, purpose, text)

    def _known(self, tx: Tx, owner: str) -> bytes | None:
        stored = repository.data_key(tx, owner)
        if stored is None:
            return None
        # Remembered by the wrapped text, not by the owner: a key whose transaction was rolled back is never used again.
        if stored not in self._opened:
            self._opened[stored] = self._unwrapped(owner, stored)
        return self._opened[stored]

    def rewrap(self, tx: Tx) -> int:
        """Step: every data key that another key than the ring's first has wrapped is wrapped by that one; how many. Raises BadRing."""
        changed = 0
        repository.hold_data_keys(tx)
        for owner, wrapped in repository.data_keys_by_owner(tx).items():
            if cipher.key_id_of(wrapped) != self._ring.primary:
                again = self._wrapped(owner, self._unwrapped(owner, wrapped))
                changed += repository.rewrap_data_key(tx, owner, wrapped, again, self._ring.primary)
        return changed

    def shred(self, tx: Tx, owner: str) -> bool:
        """Step: forget the owner's data key: nothing that it sealed opens any more, in this database; whether there was one."""
        return repository.drop_data_key(tx, owner)

    def _make(self, tx: Tx, owner: str) -> bytes:
        # Held, then read again: a key that is being retired just now must wrap nothing new.
        repository.hold_data_keys(tx)
        self._ring = self._reload()
        wrapped = self._wrapped(owner, random_bytes(KEY_BYTES))
        row = {"owner": owner, "wrapped": wrapped, "key_id": self._ring.primary, "created_at": self._clock.now()}
        return self._unwrapped(owner, repository.keep_data_key(tx, row))

    def _wrapped(self, owner: str, key: bytes) -> str:
        return cipher.seal(self._ring.keys[self._ring.primary], self._ring.primary, _wrapping(owner), key)

    def _unwrapped(self, owner: str, wrapped: str) -> bytes:
        if cipher.key_id_of(wrapped) not in self._ring.keys:
            # Rotated by another process while this one runs.
            self._ring = self._reload()
        key = self._ring.keys.get(cipher.key_id_of(wrapped))
        try:
            if key is None:
                raise SealBroken
            return cipher.unseal(key, _wrapping(owner), wrapped)
        except SealBroken:
            raise BadRing(
                f"the key ring does not open this database: HITCHPOST_KEY_RING (or the file in HITCHPOST_KEY_DIR) must hold the key "
                f"{cipher.key_id_of(wrapped)} that sealed it; nothing was changed"
            ) from None


def _wrapping(owner: str) -> Place:
    return Place(owner, "data_keys", "wrapped", owner)
