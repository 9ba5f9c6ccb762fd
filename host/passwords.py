"""Mosquitto's password file: `user:$7$<rounds>$<salt>$<hash>`, PBKDF2 with SHA-512, base64 (mosquitto_passwd(1)).

It is written here and not by mosquitto_passwd, whose batch mode shows the password in the list of processes.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping

ROUNDS = 1000
"""The passwords are 192 random bits, which no number of rounds makes safer; a Pi Zero checks one in 5 ms."""

SALT_BYTES = 12
"""The one length that every Mosquitto 2 reads."""


def new_password() -> str:
    """A password that nobody guesses and every shell takes unquoted."""
    return secrets.token_urlsafe(24)


def hashed(password: str, salt: bytes | None = None) -> str:
    """The part of a line after `user:`."""
    salt = secrets.token_bytes(SALT_BYTES) if salt is None else salt
    digest = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, ROUNDS)
    return f"$7${ROUNDS}${base64.b64encode(salt).decode()}${base64.b64encode(digest).decode()}"


def password_file(passwords: Mapping[str, str]) -> str:
    """The whole file for these users."""
    return "".join(f"{user}:{hashed(password)}\n" for user, password in passwords.items())
