"""Money that is given back, taken back, lent, put right: what one or two people at the counter do besides taking
payments (R12, R16). Also too much of it, twice at once, without a consent, and while the power goes.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.bench.policy_seen import Seen
from tests.simulate.counter import Counter, nothing
from tests.simulate.house import House
from tests.simulate.till import Payment, Till

NANO_PER_FEN = 10**7
PAPERS = {"papers": "slip 12", "why": "simulated"}


class Desk:
    """Of one house."""

    def __init__(self, house: House, till: Till, counter: Counter, chance: random.Random):
        self.house, self.till, self.counter, self.chance = house, till, counter, chance
        text = house.plan.policy.get("emergency_credit", "0.00")
        self._lent_fen = int(text[:-3]) * 100 + int(text[-2:])
        self._begun_s = 0
        """Payments from before an older book was put back have other receipts by now."""

    def _left_fen(self, account: str) -> int:
        return self.house.judge.left_nano(account, self.house.clock.true.now()) // NANO_PER_FEN

    def _ready(self, seen: Seen) -> bool:
        return not seen.vacant and not self.house.memory.recovering

    def _agree(self, operation: str, account: str, fen: int, posted: Callable[[], None], **words: Any) -> bool:
        def stands() -> None:
            self.house.people[operation] += 1
            posted()

        asked = {"account": account, "amount_fen": fen, **PAPERS, **words}
        self.counter.agree(operation, "approve-money", asked, nothing, stands)
        return True

    # --- out ---

    def refund(self, seen: Seen) -> bool:
        """Something of what is left, or a little more; now and then two clerks give the same money at once."""
        account, left = seen.room.account, self._left_fen(seen.room.account)
        if not self._ready(seen) or left < 200:
            return False
        for _ in range(2 if self.chance.random() < 0.25 else 1):
            fen = int(left * self.chance.uniform(0.2, 1.1))
            words = {
                "account": account,
                "amount_fen": fen,
                "method": "cash",
                "reference": "slip 12",
                "why": "simulated",
            }
            self.counter.agree("refund", "approve-money", words, nothing, partial(self._out, "refund", account, fen))
        return True

    def _out(self, operation: str, account: str, fen: int) -> None:
        self.house.people[operation] += 1
        self.house.judge.took(account, fen)

    def deduct(self, seen: Seen) -> bool:
        account, left = seen.room.account, self._left_fen(seen.room.account)
        if not self._ready(seen) or left < 200:
            return False
        fen, consent = int(left * self.chance.uniform(0.1, 1.1)), self.chance.choice(("signed", "signed", ""))
        taken = partial(self.house.judge.took, account, fen)
        return self._agree("deduct", account, fen, taken, reason="price-reform", consent=consent)

    def correct(self, seen: Seen) -> bool:
        """From one tenant to another."""
        other = self.chance.choice(list(self.house.judge.by_id.values()))
        account, taker, left = seen.room.account, other.room.account, self._left_fen(seen.room.account)
        if not self._ready(seen) or not self._ready(other) or left < 200 or account == taker:
            return False
        fen = int(left * self.chance.uniform(0.1, 1.1))

        def moved() -> None:
            self.house.judge.took(account, fen)
            self.house.judge.given(taker, fen, self.house.clock.true.now())

        return self._agree("correct", account, fen, moved, to_account=taker)

    # --- in ---

    def compensate(self, seen: Seen) -> bool:
        if not self._ready(seen):
            return False
        account = seen.room.account
        fen = int(self.till.daily_fen(seen.room) * self.chance.uniform(0.1, 1.5))
        return self._agree("compensate", account, fen, partial(self._in, account, fen), reason="system-duplicate")

    def _in(self, account: str, fen: int) -> None:
        self.house.judge.given(account, fen, self.house.clock.true.now())

    def lend(self, seen: Seen) -> bool:
        """Once until it is repaid, however many clerks are asked."""
        if not self._ready(seen) or not self._lent_fen:
            return False
        account = seen.room.account
        for _ in range(self.chance.choice((1, 1, 2, 3))):
            self.counter.wants("lend", {"account": account, "why": "simulated"}, nothing, kind="credit/1",
                               posted=partial(self._lent, account))  # fmt: skip
        return True

    def _lent(self, account: str) -> None:
        self.house.people["lend"] += 1
        self.house.judge.lends(account, self._lent_fen, self.house.clock.true.now())

    # --- back ---

    def begins_anew(self) -> None:
        """An older book was put back: whatever was paid until now is booked once more."""
        self._begun_s = int(self.house.clock.true.now().timestamp())

    def reverse(self, seen: Seen) -> bool:
        """The newest payment was of somebody else; two clerks see it."""
        account = seen.room.account
        mine = [one for one in self.till.payments.values() if one.account == account and one.receipt is not None]
        if not self._ready(seen) or not mine or mine[-1].made_s < self._begun_s:
            return False
        one = mine[-1]
        for _ in range(self.chance.choice((1, 1, 2))):
            words = {"account": account, "receipt": one.receipt, "why": "simulated"}
            self.counter.wants("reverse", words, nothing, kind="reversal/1", posted=partial(self._reversed, one))
        return True

    def _reversed(self, one: Payment) -> None:
        self.house.people["reverse"] += 1
        self.house.judge.took(one.account, one.fen - one.repaid_fen, one.repaid_fen)
