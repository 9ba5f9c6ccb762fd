"""Secrets under a passphrase: scrypt makes the key, AES-256-GCM seals and notices every changed byte. Pure bytes.

    riser sealed 1 LF | salt 16 | nonce 12 | ciphertext and tag

Nothing here knows what is inside. The only importer of `cryptography`.
"""

from __future__ import annotations

import os
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

from bridge.contract.os_words import in_words
from host.exits import USAGE, Trouble

MAGIC = b"riser sealed 1\n"
SALT, NONCE = 16, 12

WORK = 2**15
"""scrypt's N: 32 MiB and some tenths of a second, on a Pi too, for each guess."""

SHORTEST = 12
"""Letters of a passphrase: who has the file has all the time in the world to guess."""


def passphrase_of(path: Path) -> bytes:
    """The first line of a passphrase file. Raises Trouble."""
    try:
        text = path.expanduser().read_text(encoding="utf-8").partition("\n")[0].strip()
    except (OSError, UnicodeDecodeError) as error:
        raise Trouble(USAGE, f"the passphrase file {path} cannot be read: {in_words(error)}") from None
    if len(text) < SHORTEST:
        raise Trouble(USAGE, f"the first line of {path} is the passphrase, and has less than {SHORTEST} letters")
    return text.encode()


def seal(contents: bytes, passphrase: bytes) -> bytes:
    salt, nonce = os.urandom(SALT), os.urandom(NONCE)
    return MAGIC + salt + nonce + AESGCM(_key(passphrase, salt)).encrypt(nonce, contents, MAGIC + salt)


def unseal(told: bytes, passphrase: bytes) -> bytes:
    """The contents. Raises Trouble for another passphrase or changed bytes; nobody can tell which of the two."""
    salt, rest = told[len(MAGIC) : len(MAGIC) + SALT], told[len(MAGIC) + SALT :]
    if not told.startswith(MAGIC) or len(rest) <= NONCE:
        raise Trouble(USAGE, "the sealed secrets of this backup are of a kind that this Riser does not know")
    try:
        return AESGCM(_key(passphrase, salt)).decrypt(rest[:NONCE], rest[NONCE:], MAGIC + salt)
    except InvalidTag:
        raise Trouble(
            USAGE, "the passphrase does not open the secrets of this backup; nothing was changed. Take the passphrase "
            "file of the day it was made, or leave the secrets out with --without-secrets"
        ) from None  # fmt: skip


def _key(passphrase: bytes, salt: bytes) -> bytes:
    return Scrypt(salt=salt, length=32, n=WORK, r=8, p=1).derive(passphrase)
