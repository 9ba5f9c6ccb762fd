"""Guessing is slowed down without locking the owner out.

Wrong passwords are counted for each source and name together, for each source, and for each name over all sources.
A browser in which a person signed in before carries a signed mark and is counted by that mark alone: whoever guesses
from elsewhere cannot keep the owner out.
"""

from __future__ import annotations

import hashlib

from bridge.contract.clock import Clock
from panel.sessions import boot_id
from panel.users import Database

WINDOW_S = 60.0
"""Real seconds a source waits after too many wrong passwords, and after which its count begins anew."""

PAIR_AT_MOST, SOURCE_AT_MOST, NAME_AT_MOST, MARK_AT_MOST = 5, 20, 60, 10


def _key(kind: str, *parts: str) -> str:
    return kind + ":" + hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]


class Throttle:
    """Counts of wrong passwords."""

    def __init__(self, database: Database, clock: Clock):
        self._database, self._clock, self._boot = database, clock, boot_id()

    def _limits(self, source: str, name: str, mark: str | None) -> list[tuple[str, int]]:
        name = name.casefold()
        if mark is not None:
            return [(_key("mark", mark), MARK_AT_MOST)]
        return [
            (_key("pair", source, name), PAIR_AT_MOST),
            (_key("source", source), SOURCE_AT_MOST),
            (_key("name", name), NAME_AT_MOST),
        ]

    def wait_s(self, source: str, name: str, mark: str | None = None) -> float:
        """Real seconds until this source may try this name again; 0 when it may now."""
        now_s, wait_s = self._clock.monotonic(), 0.0
        with self._database.open() as connection:
            for key, at_most in self._limits(source, name, mark):
                row = connection.execute(
                    "SELECT boot, failures, since_s FROM throttle WHERE key = ?", (key,)
                ).fetchone()
                if row is not None and row[0] == self._boot and row[1] >= at_most:
                    wait_s = max(wait_s, row[2] + WINDOW_S - now_s)
        return wait_s

    def left(self, source: str, name: str, mark: str | None = None) -> int:
        """Wrong tries left before a wait."""
        now_s, left = self._clock.monotonic(), PAIR_AT_MOST
        with self._database.open() as connection:
            for key, at_most in self._limits(source, name, mark):
                row = connection.execute(
                    "SELECT boot, failures, since_s FROM throttle WHERE key = ?", (key,)
                ).fetchone()
                fresh = row is not None and row[0] == self._boot and now_s - row[2] < WINDOW_S
                left = min(left, at_most - (row[1] if fresh else 0))
        return max(0, left)

    def wrong(self, source: str, name: str, mark: str | None = None) -> None:
        """Count a wrong password."""
        now_s = self._clock.monotonic()
        with self._database.open() as connection:
            connection.execute(
                "DELETE FROM throttle WHERE boot <> ? OR since_s < ?", (self._boot, now_s - 10 * WINDOW_S)
            )
            for key, _ in self._limits(source, name, mark):
                connection.execute(
                    "INSERT INTO throttle VALUES (?1, ?2, 1, ?3) ON CONFLICT (key) DO UPDATE SET"
                    " failures = CASE WHEN since_s < ?3 - ?4 THEN 1 ELSE failures + 1 END, since_s = ?3, boot = ?2",
                    (key, self._boot, now_s, WINDOW_S),
                )

    def right(self, source: str, name: str, mark: str | None = None) -> None:
        """Forget the count of this source and name: its person is here."""
        with self._database.open() as connection:
            key, _ = self._limits(source, name, mark)[0]
            connection.execute("DELETE FROM throttle WHERE key = ?", (key,))
