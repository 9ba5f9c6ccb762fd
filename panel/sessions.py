"""A session lives in `panel.db`, at most 12 hours, at most 30 minutes without an act of its person.

The browser holds a random token, the database its hash. Time is the machine's own real time: a demo whose calendar
runs fast does not sign people out, and after a reboot everybody signs in again. Pages that refresh themselves do not
count as acts.
"""

from __future__ import annotations

import hashlib
import secrets
from pathlib import Path

from bridge.contract.clock import Clock
from panel.users import Database, User, Users

IDLE_S = 30 * 60.0
TOTAL_S = 12 * 3600.0
NOTED_S = 30.0
"""An act is written down at most twice a minute: the card of a Pi is not worn out by clicking."""


def boot_id() -> str:
    """What distinguishes this run of the machine, so that real seconds of another run are not compared."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return "unknown"


def _hash(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


class Sessions:
    """Beginning, finding and ending sessions."""

    def __init__(self, database: Database, users: Users, clock: Clock):
        self._database, self._users, self._clock, self._boot = database, users, clock, boot_id()

    def begin(self, user: User) -> str:
        """A new session. Return its token, which only the browser keeps."""
        token, now_s = secrets.token_urlsafe(32), self._clock.monotonic()
        with self._database.open() as connection:
            connection.execute(
                "DELETE FROM session WHERE boot <> ? OR begun_s < ? OR seen_s < ?",
                (self._boot, now_s - TOTAL_S, now_s - IDLE_S),
            )
            connection.execute(
                "INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)",
                (_hash(token), user.id, user.version, self._boot, now_s, now_s),
            )
        return token

    def find(self, token: str, act: bool) -> User | None:
        """Whose session this is, None when it has ended. `act` is False for a page that refreshes itself."""
        now_s = self._clock.monotonic()
        with self._database.open() as connection:
            row = connection.execute(
                "SELECT user, version, boot, begun_s, seen_s FROM session WHERE token_hash = ?", (_hash(token),)
            ).fetchone()
        if row is None or row[2] != self._boot or now_s - row[3] > TOTAL_S or now_s - row[4] > IDLE_S:
            return None
        user = self._users.get(row[0])
        if user is None or user.version != row[1]:
            return None
        if act and now_s - row[4] > NOTED_S:
            with self._database.open() as connection:
                connection.execute("UPDATE session SET seen_s = ? WHERE token_hash = ?", (now_s, _hash(token)))
        return user

    def end(self, token: str) -> None:
        with self._database.open() as connection:
            connection.execute("DELETE FROM session WHERE token_hash = ?", (_hash(token),))
