"""Every program's secrets, made once and kept over restarts: its own password at the broker, its own signing key.

The edge holds all keys, because it checks seals. The keys that may mint money without a person (`demo`) exist
in the demo alone.
"""

from __future__ import annotations

import json
import re
import secrets as entropy
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bridge.contract import secrets
from bridge.contract.os_words import in_words
from bridge.contract.permissions import KEYS
from bridge.contract.site import Broker
from host.acl import DEMO, ROLES
from host.exits import USAGE, Trouble
from host.passwords import new_password

FACTORY_PASSWORD = {"level": "02", "password": "000000", "operator": "00000000"}
"""What DL/T 645-2007 meters leave the factory with; a site writes its own into edge.json, and they stay there."""


@dataclass(frozen=True)
class BrokerAccess:
    """How every program reaches the broker. `user` None with a broker of our own: each has a user of its name."""

    url: str
    protocol: str
    ours: bool
    user: str | None = None
    password: str | None = None

    def table(self, program: str, own_password: str) -> dict[str, str]:
        """The `broker` table of a program's secrets."""
        table = {"url": self.url, "protocol": self.protocol}
        if self.ours:
            return {**table, "user": program, "password": own_password}
        if self.user is not None:
            table |= {"user": self.user, "password": self.password or ""}
        return table


def roles(demo: bool) -> tuple[str, ...]:
    """The programs and people that have secrets here."""
    return (*ROLES, DEMO) if demo else ROLES


def foreign_broker(broker: Broker, site_file: Path) -> BrokerAccess:
    """Access to the broker the site file names; its password stands in a file beside it. Raises Trouble."""
    assert broker.url is not None
    password = None
    if broker.password_file is not None:
        path = site_file.parent / Path(broker.password_file).expanduser()
        try:
            password = path.read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise Trouble(USAGE, f"broker.password_file: {path} cannot be read: {in_words(error)}") from None
    return BrokerAccess(broker.url, broker.protocol, False, broker.user, password)


def kept_passwords(data: Path, demo: bool) -> dict[str, str]:
    """{user: password} for our own broker: those of the last start, new ones where there was none."""
    found: dict[str, str] = {}
    for role in roles(demo):
        table = _kept(data, role).get("broker", {})
        found[role] = table["password"] if table.get("user") == role and table.get("password") else new_password()
    return found


def write_all(data: Path, access: BrokerAccess, passwords: dict[str, str], demo: bool) -> None:
    """Write every program's secrets file (0600). What a person added to one stays."""
    kept_keys = _kept(data, "edge").get("keys", {})
    keys = {
        name: kept_keys.get(name) or _kept(data, name).get("keys", {}).get(name) or entropy.token_hex(32)
        for name in KEYS
        if demo or name != DEMO
    }
    for role in roles(demo):
        tables = _kept(data, role)
        tables["broker"] = access.table(role, passwords.get(role, ""))
        tables["keys"] = keys if role == "edge" else {name: keys[name] for name in keys if name == role}
        if role == "edge":
            tables.setdefault("meter_passwords", {"default": FACTORY_PASSWORD})
        secrets.write(data, role, tables)
    if not demo:
        secrets.path_of(data, DEMO).unlink(missing_ok=True)


def _kept(data: Path, program: str) -> dict[str, Any]:
    """A secrets file as it stands, {} where there is none. A damaged one is a person's decision. Raises Trouble."""
    path = secrets.path_of(data, program)
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        sentence = f"{path} cannot be read ({in_words(error)}); mend it, or remove it and a new one is made"
        raise Trouble(USAGE, sentence) from None
    if not isinstance(found, dict):
        raise Trouble(USAGE, f"{path} is no JSON object; mend it, or remove it and a new one is made")
    for name in ("broker", "keys", "meter_passwords"):
        if not isinstance(found.get(name, {}), dict):
            raise Trouble(USAGE, f"{path}: `{name}` is no table; mend it, or remove the file and a new one is made")
    for name, key in found.get("keys", {}).items():
        if not (isinstance(key, str) and re.fullmatch(r"(?:[0-9a-f]{2}){16,}", key)):
            sentence = f"{path}: key `{name}` is not 32 or more hex digits; remove it, and a new one is made"
            raise Trouble(USAGE, sentence)
    return found
