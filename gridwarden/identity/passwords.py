"""Passwords of agents, and how Mosquitto keeps them."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets

SECRET_BYTES = 24  # 192 bits: nothing to guess, so the hash need not be slow
# Mosquitto hashes in the thread that serves everybody: a thousand agents that come back at once
# cost 0.05 s with its own default of 101 rounds, 5 s with 10,000
GENERATED_ROUNDS = 101
CHOSEN_ROUNDS = 10_000  # of a password that a person may have chosen
_SALT_BYTES, _HASH_BYTES = 12, 64  # as mosquitto_passwd of 2.0 has them


def new_password() -> str:
    """A random password that needs no quoting anywhere."""
    return secrets.token_urlsafe(SECRET_BYTES)


def hash_password(password: str, rounds: int = GENERATED_ROUNDS) -> str:
    """The password as Mosquitto's password file has it: `$7$rounds$salt$hash`.

    PBKDF2 with HMAC-SHA-512, salt and hash in base64; mosquitto 2.0, src/mosquitto_passwd.c.
    """
    return _hashed(password, rounds, os.urandom(_SALT_BYTES))


def matches(password: str, hashed: str) -> bool:
    """Whether it is the password that `hashed` was made of."""
    _, kind, rounds, salt, _ = hashed.split("$")
    if kind != "7":
        return False
    return hmac.compare_digest(_hashed(password, int(rounds), base64.b64decode(salt)), hashed)


def _hashed(password: str, rounds: int, salt: bytes) -> str:
    key = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, rounds, _HASH_BYTES)
    return f"$7${rounds}${base64.b64encode(salt).decode()}${base64.b64encode(key).decode()}"
