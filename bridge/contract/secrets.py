"""Secrets stand in files of their own, one per program, mode 0600, never in the site file.

`<data>/secrets/<program>.json`:

    {"broker": {"url": "mqtt://127.0.0.1:1883", "user": "edge", "password": "...", "protocol": "5"},
     "keys": {"panel": "<64 hex digits>", ...}}

The edge holds every key, because it checks seals; each other program holds its own. The file of the person
at this machine, `shell.json`, is what `riser status` names as the broker's credentials.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from bridge.contract.os_words import in_words

GUESSES = 100_000
"""Rounds of PBKDF2 between a password and the client id made from it: an id may stand in a broker's log."""


class NoSecrets(OSError):
    """The program's secrets are missing or unreadable; `riser up` writes them, as the same user."""


@dataclass(frozen=True)
class BrokerLogin:
    """Where the broker is and who we are there."""

    host: str
    port: int
    tls: bool
    user: str | None
    password: str | None
    protocol: str

    @classmethod
    def of(cls, table: dict[str, str]) -> BrokerLogin:
        url = urlsplit(table["url"])
        tls = url.scheme == "mqtts"
        return cls(
            host=url.hostname or "127.0.0.1",
            port=url.port or (8883 if tls else 1883),
            tls=tls,
            user=table.get("user"),
            password=table.get("password"),
            protocol=table.get("protocol", "5"),
        )

    def client_id(self, name: str) -> str:
        """The MQTT client id of the program `name`: always the same for this login, and nobody else can guess it.

        A broker closes the connection of whoever has an id that somebody else comes with, under any user. Were the id
        known, an integrator's client could keep the edge off the broker and in mode identity, where nobody is cut.
        """
        if self.password is None:
            return name
        proof = hashlib.pbkdf2_hmac("sha256", self.password.encode(), f"{name}\0{self.user}".encode(), GUESSES, 8)
        return f"{name}-{proof.hex()}"

    def __repr__(self) -> str:  # A login in a log line must not carry its password (I24).
        return f"BrokerLogin({self.user}@{self.host}:{self.port})"


@dataclass(frozen=True, repr=False)
class Secrets:
    """One program's secrets."""

    broker: BrokerLogin
    keys: dict[str, bytes]
    extra: dict[str, object]


def path_of(data_directory: Path, program: str) -> Path:
    return data_directory / "secrets" / f"{program}.json"


def read(data_directory: Path, program: str) -> Secrets:
    """Read one program's secrets. Raises NoSecrets with one sentence."""
    path = path_of(data_directory, program)
    try:
        tables = json.loads(path.read_text(encoding="utf-8"))
        keys = {name: bytes.fromhex(secret) for name, secret in tables.pop("keys", {}).items()}
        return Secrets(BrokerLogin.of(tables.pop("broker")), keys, tables)
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise NoSecrets(
            f"{path} cannot be used ({in_words(error)}); `riser up` writes it, run as the same user"
        ) from None


def write(data_directory: Path, program: str, tables: dict[str, object]) -> Path:
    """Write one program's secrets so that only its owner can read them; the file is whole or absent."""
    path = path_of(data_directory, program)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    scratch = path.with_suffix(".new")
    with os.fdopen(os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as out:
        os.fchmod(out.fileno(), 0o600)  # A leftover of a killed start may be wider.
        json.dump(tables, out, indent=1)
        out.flush()
        os.fsync(out.fileno())
    scratch.replace(path)
    return path
