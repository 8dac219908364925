"""Passwords and tokens: made, hashed, compared."""

from __future__ import annotations

import hashlib
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from hub.config import AccountsConfig
from hub.domain.errors import TooManyTriesError

TOKEN_PREFIX = "gw_"  # a token that leaked into a file is found by it
_LETTERS = "abcdefghjkmnpqrstuvwxyz23456789"  # none that is read as another
_GROUPS, _GROUP = 4, 5  # 31^20: 99 bits
_WAIT_S = 5.0
_AT_ONCE = threading.BoundedSemaphore(2)  # each takes 64 MiB: others wait


@dataclass(frozen=True, slots=True)
class Passwords:
    """Argon2id at the configured cost. Thread-safe."""

    config: AccountsConfig
    _hasher: PasswordHasher = field(init=False, repr=False)

    def __post_init__(self) -> None:
        c = self.config
        hasher = PasswordHasher(c.argon2_time_cost, c.argon2_memory_kib, c.argon2_parallelism)
        object.__setattr__(self, "_hasher", hasher)

    def hashed(self, password: str) -> str:
        """The hash that is stored, with its salt and cost."""
        with _turn():
            return self._hasher.hash(password)

    def fits(self, stored: str | None, password: str) -> bool:
        """Whether it is the password. None takes as long: nobody learns which logins there are."""
        wanted = stored or self._hashed_nothing()
        with _turn():
            try:
                right = self._hasher.verify(wanted, password)
            except (VerificationError, InvalidHashError):
                return False
        return right and stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether it was hashed at another cost than is configured now."""
        return self._hasher.check_needs_rehash(stored)

    def _hashed_nothing(self) -> str:
        key = (
            self.config.argon2_time_cost,
            self.config.argon2_memory_kib,
            self.config.argon2_parallelism,
        )
        if key not in _NOTHING:
            _NOTHING[key] = self.hashed(secrets.token_urlsafe())
        return _NOTHING[key]


_NOTHING: dict[tuple[int, int, int], str] = {}  # by cost: a hash of what nobody knows


@contextmanager
def _turn() -> Iterator[None]:
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise TooManyTriesError(60)
    try:
        yield
    finally:
        _AT_ONCE.release()


def new_password() -> str:
    """A password that can be read out loud."""
    return "-".join(
        "".join(secrets.choice(_LETTERS) for _ in range(_GROUP)) for _ in range(_GROUPS)
    )


def new_secret() -> str:
    """What a browser or a link holds: 256 random bits."""
    return secrets.token_urlsafe(32)


def new_token() -> str:
    """What a program holds."""
    return TOKEN_PREFIX + new_secret()


def digest_of(secret: str) -> str:
    """What is stored of a session, link or token: its bits are random, so SHA-256 will do."""
    return hashlib.sha256(secret.encode()).hexdigest()
