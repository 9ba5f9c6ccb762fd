"""The newest bills and payments of an account for its tenant's page, looked up at most twice a minute for each account:
strangers may load that page as often as they like, and the archive is the staff's as well."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable

from bridge.contract.clock import Clock
from panel.concerning import Concerning
from panel.history import History, Line
from panel.money_told import moved_nano

SHOWN = 31
PAGE, PAGES = 100, 5
"""So many of the newest entries are looked through, at most."""

KEPT_S, ACCOUNTS = 30.0, 500


class TenantBills:
    """What was found, for half a minute; None where it could not be read."""

    def __init__(self, history: History, clock: Clock):
        self._history, self._clock, self._lock = history, clock, threading.Lock()
        self._kept: OrderedDict[str, tuple[float, list[Line] | None]] = OrderedDict()

    def of(self, account: str, concerning: Concerning, unread: Callable[[], bool]) -> list[Line] | None:
        """Entries that moved the account's money, the newest first. `unread` says whether the archive failed. While
        one looks, others get what was found before: an archive that hangs holds one of them, not all."""
        now = self._clock.monotonic()
        with self._lock:
            at, lines = self._kept.get(account, (now - 2 * KEPT_S, None))
            if now - at < KEPT_S:
                return lines
            self._keep(account, now, lines)
        found = self._look(account, concerning)
        with self._lock:
            self._keep(account, now, None if unread() else found)
            return self._kept[account][1]

    def _keep(self, account: str, at: float, lines: list[Line] | None) -> None:
        self._kept[account] = (at, lines)
        self._kept.move_to_end(account)
        while len(self._kept) > ACCOUNTS:
            self._kept.popitem(last=False)

    def _look(self, account: str, concerning: Concerning) -> list[Line]:
        found: list[Line] = []
        before: int | None = None
        for _ in range(PAGES):
            lines = self._history.of_account(concerning, before, limit=PAGE)
            found += [line for line in lines if moved_nano(line, account)]
            if len(lines) < PAGE or len(found) >= SHOWN:
                break
            before = lines[-1].seq
        return found[:SHOWN]
