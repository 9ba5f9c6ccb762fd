"""A tenant has seen a final warning on their own page: told to the gateway (R1), twice a minute at most for each.

Nobody waits for the answer: the account says whether the warning counts as delivered. The address itself stands in no
message and no entry, for others may read those.
"""

from __future__ import annotations

import threading

from bridge.contract.asking import new_transaction
from bridge.contract.clock import Clock
from bridge.contract.messages import Account
from panel.commands import Commands
from panel.final_warning import undelivered

AGAIN_S = 30.0


class TenantSeen:
    """Whom it was told of, and when."""

    def __init__(self, commands: Commands, clock: Clock):
        self._commands, self._clock, self._lock = commands, clock, threading.Lock()
        self._told: dict[str, tuple[int, float]] = {}

    def tell(self, id: str, account: Account, episode: str) -> bool:
        """True when the gateway is told that this warning was seen, now or a moment ago. Not where the page that was
        seen stood open since another one. Raises NotSent."""
        if not undelivered(account) or episode != str(account.episode):
            return False
        now = self._clock.monotonic()
        with self._lock:
            known = self._told.get(id)
            if known is not None and known[0] == account.episode and now - known[1] < AGAIN_S:
                return True
            self._commands.pass_on(
                "told", who="tenant", role="tenant", transaction=new_transaction(), how="page", account=id,
                episode=account.episode,
            )  # fmt: skip
            self._told[id] = (account.episode, now)
        return True
