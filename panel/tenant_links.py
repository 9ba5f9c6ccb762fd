"""The address of each tenant's own page, in `panel.db`: who has it sees that account's balance and bills, and no name.

An address is made by a person at the counter and given to the tenant, on paper or as a picture to scan. A new one ends
the one before; it is as hard to guess as a key.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import datetime

from bridge.contract.clock import Clock
from bridge.contract.units import instant_of_micros, micros_of
from panel.users import Database

_TABLE = """
CREATE TABLE IF NOT EXISTS tenant_link (
  account TEXT PRIMARY KEY, token TEXT NOT NULL UNIQUE, who TEXT NOT NULL, at_us INTEGER NOT NULL) STRICT;
"""

BYTES = 16
_TOKEN = re.compile(r"[A-Za-z0-9_-]{22}", re.ASCII)


@dataclass(frozen=True)
class TenantLink:
    """One address: its secret part, and who made it when."""

    token: str
    who: str
    at: datetime


class TenantLinks:
    """Addresses, one for an account."""

    def __init__(self, database: Database, clock: Clock):
        self._database, self._clock = database, clock
        with database.open() as connection:
            connection.executescript(_TABLE)

    def of(self, account: str) -> TenantLink | None:
        """The address that leads to the account now."""
        question = "SELECT token, who, at_us FROM tenant_link WHERE account = ?"
        with self._database.open() as connection:
            row = connection.execute(question, (account,)).fetchone()
        return TenantLink(row[0], row[1], instant_of_micros(row[2])) if row else None

    def make(self, account: str, who: str) -> None:
        """A new address; the one before leads nowhere from now on."""
        row = (account, secrets.token_urlsafe(BYTES), who, micros_of(self._clock.now()))
        with self._database.open() as connection:
            connection.execute(
                "INSERT OR REPLACE INTO tenant_link (account, token, who, at_us) VALUES (?, ?, ?, ?)", row
            )

    def end(self, account: str) -> None:
        """No address leads to the account any more."""
        with self._database.open() as connection:
            connection.execute("DELETE FROM tenant_link WHERE account = ?", (account,))

    def account_of(self, token: str) -> str | None:
        """Whose page the address is."""
        if not _TOKEN.fullmatch(token):
            return None
        with self._database.open() as connection:
            row = connection.execute("SELECT account FROM tenant_link WHERE token = ?", (token,)).fetchone()
        return str(row[0]) if row else None
