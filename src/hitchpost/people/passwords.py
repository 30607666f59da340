"""Passwords: argon2id in threads of its own, and the same work for a name that nobody has (threat F2)."""

import asyncio
import unicodedata
from concurrent.futures import ThreadPoolExecutor

from argon2 import PasswordHasher
from argon2.exceptions import VerifyMismatchError

from hitchpost.errors import Problem
from hitchpost.ids import new_token
from hitchpost.secret import Secret

SHORTEST, LONGEST = 12, 1024

# 21 ms and 19 MiB each: OWASP's second choice for argon2id. The library's default allows 8 sign-ins a second: a lever for whoever
# wants to stop the server.
HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)

# The worst of those that are long enough; guessing budgets do the rest.
_WORST = frozenset(
    {
        "123456789012", "1234567890123", "12345678901234", "123456789012345", "1234567890123456", "0123456789012", "1q2w3e4r5t6y",
        "administrator", "correcthorsebatterystaple", "iloveyouiloveyou", "letmeinletmein", "passw0rd1234", "password1234", "password12345",
        "password123456", "passwordpassword", "qwerty123456", "qwertyqwerty", "qwertyuiop12", "qwertyuiop123", "qwertyuiopasdfghjkl",
        "welcome12345",
    }
)  # fmt: skip


def _bytes(password: Secret) -> bytes:
    # One spelling for what looks the same on every keyboard (RFC 8265 §4.2 asks for a normal form).
    return unicodedata.normalize("NFKC", password.reveal()).encode("utf-8", "surrogatepass")


def check_strength(password: Secret) -> None:
    """Raises Problem form_incomplete for a password that is too short, too long, or among the first that anybody tries."""
    text = unicodedata.normalize("NFKC", password.reveal())
    if len(text) < SHORTEST:
        raise Problem("form_incomplete", detail=f"Please choose a password of at least {SHORTEST} characters.")
    if len(text) > LONGEST:
        raise Problem("form_incomplete", detail=f"Please choose a password of at most {LONGEST} characters.")
    if text.casefold() in _WORST or len(set(text)) < 4:
        raise Problem("form_incomplete", detail="That password is among the first that anybody would try. Please choose another one.")


def hash_now(password: Secret, hasher: PasswordHasher = HASHER) -> str:
    """The hash to store, made in this thread (21 ms): for command lines. Raises Problem form_incomplete."""
    check_strength(password)
    return hasher.hash(_bytes(password))


class Passwords:
    """Hashes and verifies beside the event loop, at most two at once: the memory that guessing can take is 38 MiB."""

    def __init__(self, hasher: PasswordHasher = HASHER) -> None:
        self._hasher = hasher
        # Threads of its own: a cancelled request leaves its hash running, and a semaphore would not count it any more.
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="passwords")
        self._nobodys = hasher.hash(new_token())

    async def hash(self, password: Secret) -> str:
        """The hash to store. Raises Problem form_incomplete."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, hash_now, password, self._hasher)

    async def match(self, password: Secret, stored: str | None) -> bool:
        """Whether this is the password. `stored` None, for a name that nobody has, costs the same and is never a match."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._match, password, stored)

    async def renewed(self, password: Secret, stored: str) -> str | None:
        """A new hash of a password that matched, when `stored` was made with other parameters."""
        if not self._hasher.check_needs_rehash(stored):
            return None
        # Without the check of strength: rules that came later must not keep anybody out.
        return await asyncio.get_running_loop().run_in_executor(self._threads, self._hasher.hash, _bytes(password))

    def _match(self, password: Secret, stored: str | None) -> bool:
        try:
            self._hasher.verify(self._nobodys if stored is None else stored, _bytes(password))
        except VerifyMismatchError:
            return False
        return stored is not None
