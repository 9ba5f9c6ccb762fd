"""Tenants and the ways their money takes: each payment is asked for under one id until an answer has come.

What a payer does is what a careful program does: the same id again and again, never a new one while nobody has said no.
Some press twice, some are raced by a second window, some send the same id with another amount, which must be refused.
"""

from __future__ import annotations

import random
import sqlite3
from dataclasses import dataclass
from typing import Any

from bridge.contract.asking import ask
from tests.bench.policy_site import Room
from tests.edge.building import KEYS
from tests.simulate.house import House

PANEL = ("panel", KEYS["panel"])
LOOK_S = (7000.0, 15_000.0)
RETRY_S = 75.0
TIRED_AFTER = 400


@dataclass
class Payment:
    """One intention to pay."""

    transaction: str
    account: str
    fen: int
    made_s: int
    answered: str | None = None
    posted: bool = False
    """It was seen in the book, so the tenant's money is there."""
    asked: int = 0
    dropped = False
    """Nobody gives up a payment."""
    repaid_fen: int = 0
    """What of it an emergency credit took."""
    receipt: str | None = None


class Till:
    """All tenants of one gateway."""

    def __init__(self, house: House):
        self.house = house
        self.chance = random.Random(f"till:{house.plan.seed}")
        self.payments: dict[str, Payment] = {}
        house.noticing.append(self.notices)
        house.healed.append(self._goes_on)
        self._open: dict[str, str] = {}
        """Accounts that have a payment under way."""
        self._habits: dict[str, float] = {}
        """With how many days of money left somebody pays; below zero: after the light has gone."""
        for room in house.plan.rooms:
            self.joins(room)

    # --- tenants ---

    def joins(self, room: Room) -> None:
        """Somebody lives there now, and looks at their money now and then."""
        self._habits[room.account] = self.chance.choice((2.0, 0.5, -0.2, -0.4))
        self.house.at(self.chance.uniform(600, LOOK_S[0]), lambda: self._looks(room))

    def leaves(self, account: str) -> None:
        del self._habits[account]

    def daily_fen(self, room: Room) -> int:
        """About what a day costs."""
        return max(sum(meter.watts * meter.multiplier for meter in room.meters) * 24 * 8 // 200_00 * 10, 50)

    def _looks(self, room: Room) -> None:
        house = self.house
        if room.account not in self._habits:
            return
        left = house.judge.left_nano(room.account, house.clock.true.now())
        if left < self._habits[room.account] * self.daily_fen(room) * 10**7 and room.account not in self._open:
            days = self.chance.choice((1, 2, 4, 8))
            fen = int(self.daily_fen(room) * days * self.chance.uniform(0.7, 1.3)) + max(-left // 10**7, 0)
            house.at(self.chance.uniform(60, 20_000), lambda: self.pays(room.account, fen))
        house.at(self.chance.uniform(*LOOK_S), lambda: self._looks(room))

    def pays(self, account: str, fen: int) -> None:
        """Somebody wants to pay."""
        if account in self._open:
            return
        number = len(self.payments)
        made_s = int(self.house.clock.true.now().timestamp())
        one = Payment(f"pay-{self.house.plan.seed}-{number:06d}", account, min(max(fen, 100), 4_000_000), made_s)
        self.payments[one.transaction], self._open[account] = one, one.transaction
        self.house.ear.answers[one.transaction] = lambda answer: self._answered(one, answer)
        self.house.say(f"{account} pays {one.fen / 100:.2f} ({one.transaction})")
        self._sends(one)

    def _sends(self, one: Payment) -> None:
        if one.answered is not None or one.asked > TIRED_AFTER:
            return
        one.asked += 1
        self.house.send(*self.message(one))
        self.house.at(RETRY_S * min(one.asked, 12), lambda: self._sends(one))

    def _goes_on(self) -> None:
        """Whoever was not answered yet asks again, and from now on nothing is in the way."""
        for one in self.payments.values():
            one.asked = 0
            self._sends(one)

    def message(self, one: Payment, **other: Any) -> tuple[str, bytes]:
        """The request of a payment."""
        fields = {"account": one.account, "amount_fen": one.fen, "method": "online", "reference": one.transaction}
        topic, payload, _ = ask(
            self.house.edge.topics, self.house.clock.true, PANEL, "topup",
            who="陈楠", role="finance", transaction=one.transaction, **fields | other,
        )  # fmt: skip
        return topic, payload

    def _answered(self, one: Payment, answer: dict[str, Any]) -> None:
        if answer["status"] == "refused" and answer["rule"] == "I5":
            return  # The disk is full now; asked again.
        if "another request" in (answer.get("error") or ""):
            return  # To somebody who sent this id with other words.
        if answer["status"] == "done":
            one.receipt = answer["data"]["receipt"]
        if one.answered is None:
            one.answered = answer["status"]
            self._open.pop(one.account, None)
            self.house.say(f"{one.transaction} is answered {one.answered}")

    # --- what the book has ---

    def notices(self) -> None:
        """Which payments stand in the book now, by a look at the file: from then on the tenant has the money."""
        waiting = [one for one in self.payments.values() if not one.posted and one.answered in (None, "done")]
        if not waiting:
            return
        db = sqlite3.connect(f"file:{self.house.directory / 'book.db'}?mode=ro", uri=True)
        try:
            for one in waiting:
                row = db.execute("SELECT kind FROM journal WHERE id = ?", (f"panel:{one.transaction}",)).fetchone()
                if row and row[0] == "topup/1":
                    one.posted = True
                    one.repaid_fen = self.house.judge.pays(one.account, one.fen, self.house.clock.true.now())
        finally:
            db.close()

    def again(self) -> None:
        """Every payment that was answered is asked for once more: an older copy of the book was put back."""
        for one in self.payments.values():
            if one.answered == "done":
                self.house.arrives(*self.message(one))

    # --- what goes wrong at a till ---

    def newest(self) -> Payment | None:
        done = [one for one in self.payments.values() if one.answered == "done"]
        return done[-1] if done else None

    def doubled(self, account: str, fen: int) -> None:
        """Two presses of the same button: one id, two messages."""
        self.pays(account, fen)
        if account in self._open:
            self.house.send(*self.message(self.payments[self._open[account]]))

    def raced(self) -> bool:
        """An old id comes again with another amount: nothing may be booked."""
        if (one := self.newest()) is None:
            return False
        self.house.send(*self.message(one, amount_fen=one.fen + 100))
        self.house.send(*self.message(one))
        return True
