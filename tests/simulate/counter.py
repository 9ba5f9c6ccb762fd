"""The counter of one gateway: people who ask for something under one id until they are answered, and pairs of them who
agree on something (R32).

As at the till, nobody makes a new id while nobody has said no. What stands in the book counts from the moment it stands
there; that is looked at in the file.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bridge.contract.asking import ask
from tests.edge.building import KEYS
from tests.simulate.house import House
from tests.simulate.rows import stands

PANEL = ("panel", KEYS["panel"])
MAKER, CHECKER, THIRD = "陈楠", "王敏", "李强"
RETRY_S, TIRED_AFTER = 60.0, 120
GONE = {"status": "gone", "error": "nobody answers"}

Words = dict[str, Any]
Heard = Callable[[Words], None]


def nothing(*_: Any) -> None:
    """Whoever does not mind what comes of it."""


@dataclass
class Wish:
    """One thing that somebody asks for."""

    transaction: str
    operation: str
    who: str
    words: Words
    heard: Heard
    kind: str | None
    """The entry that it becomes under its own id; None for what need not be looked for."""
    posted: Callable[[], None]
    role: str
    answered: str | None = None
    stands: bool = False
    dropped: bool = False
    asked: int = 0
    sent: float = 0.0
    """When it was sent the last time, in monotonic seconds."""


class Counter:
    """Everybody who asks for more than to pay."""

    def __init__(self, house: House):
        self.house, self.chance = house, random.Random(f"counter:{house.plan.seed}")
        self.wishes: dict[str, Wish] = {}
        self._waiting: list[Wish] = []
        self._oddities = random.Random(f"who may not:{house.plan.seed}")
        house.noticing.append(self.notices)
        house.healed.append(self._goes_on)

    def wants(
        self, operation: str, words: Words, heard: Heard, who: str = MAKER, *, kind: str | None = None,
        posted: Callable[[], None] = nothing, role: str = "manager",
    ) -> Wish:  # fmt: skip
        """Somebody asks; `heard` is told the answer once, `posted` when it stands in the book."""
        transaction = f"wish-{self.house.plan.seed}-{len(self.wishes):06d}"
        wish = Wish(transaction, operation, who, words, heard, kind, posted, role)
        self.wishes[transaction] = wish
        if kind is not None:
            self._waiting.append(wish)
        self.house.ear.answers[transaction] = lambda answer: self._answered(wish, answer)
        self.house.say(f"{who} asks for {operation} {words.get('account', words.get('proposal', ''))} ({transaction})")
        self._sends(wish)
        return wish

    def message(self, wish: Wish, **other: Any) -> tuple[str, bytes]:
        """The request of a wish, or nearly."""
        topic, payload, _ = ask(
            self.house.edge.topics, self.house.clock.true, PANEL, wish.operation,
            who=wish.who, role=wish.role, transaction=wish.transaction, **wish.words | other,
        )  # fmt: skip
        return topic, payload

    def _sends(self, wish: Wish) -> None:
        if wish.answered is not None or wish.dropped:
            return
        if wish.asked > TIRED_AFTER:
            wish.dropped = True
            wish.heard(GONE)
            return
        wish.asked, wish.sent = wish.asked + 1, self.house.mono
        self.house.send(*self.message(wish))
        self.house.at(RETRY_S * min(wish.asked, 15), lambda: self._sends(wish))

    def _goes_on(self) -> None:
        """Whoever was not answered yet asks again, and from now on nothing is in the way."""
        for wish in list(self.wishes.values()):
            wish.asked = 0
            self._sends(wish)

    def _answered(self, wish: Wish, answer: Words) -> None:
        if answer["status"] == "refused" and answer["rule"] == "I5" and not self._refused(wish):
            return  # The disk is full now; asked again.
        if "another request" in (answer.get("error") or "") or wish.answered is not None or wish.dropped:
            return
        wish.answered = answer["status"]
        if wish.answered != "done":
            self.house.say(f"{wish.operation} ({wish.transaction}) {wish.answered}: {answer.get('error')}")
        self.notices()
        wish.heard(answer)

    def notices(self) -> None:
        """Which wishes stand in the book now."""
        self._waiting = [each for each in self._waiting if each.answered in (None, "done")]
        if not self._waiting:
            return
        db = sqlite3.connect(f"file:{self.house.directory / 'book.db'}?mode=ro", uri=True)
        try:
            stand = [each for each in self._waiting if _kind(db, f"panel:{each.transaction}") == each.kind]
        finally:
            db.close()
        for wish in stand:
            wish.stands = True
            self._waiting.remove(wish)
            self.house.memory.agreed += 1
            wish.posted()

    def _refused(self, wish: Wish) -> bool:
        """A refusal stands in the book under this id: it gets no other answer, also once the reason is gone."""
        return stands(self.house.directory / "book.db", f"panel:{wish.transaction}", "refusal/1")

    def forgets(self) -> None:
        """An older copy of the book was put back: what was under way is begun anew by whoever still wants it."""
        for wish in list(self.wishes.values()):
            if wish.answered is None and not wish.dropped:
                wish.dropped = True
                self.house.at(1.0, lambda wish=wish: wish.heard(GONE))  # type: ignore[misc]

    # --- two people ---

    def agree(
        self, operation: str, approve: str, words: Words, over: Callable[[str | None], None],
        posted: Callable[[], None] = nothing,
    ) -> None:  # fmt: skip
        """One proposes and another approves; `over` is told why not, or None. Now and then the maker tries it alone,
        a third one is as quick as the second, or somebody sends it twice, or once more with other words."""

        def proposed(answer: Words) -> None:
            if answer["status"] != "done":
                over(answer.get("error") or answer["status"])
                return
            proposal = answer["data"]["proposal"]
            if self.chance.random() < 0.1:
                self.house.send(*self.message(wish, **_others(wish.words)))
            if self.chance.random() < 0.2:
                self.wants(approve, {"proposal": proposal}, nothing, MAKER, kind="decision/1", posted=self._alone)
            if self._oddities.random() < 0.1:
                role = self._oddities.choice(("operations", "engineer"))
                self.wants(
                    approve, {"proposal": proposal}, nothing, THIRD, kind="decision/1", posted=self._beyond, role=role
                )
            self.house.at(self.chance.uniform(5, 900), lambda: self._approves(approve, proposal, over, posted))

        wish = self.wants(operation, words, proposed)
        if self.chance.random() < 0.1:
            self.house.send(*self.message(wish))

    def _beyond(self) -> None:
        self.house.broken.append("I18: somebody has approved money or a tenant whose role may not")

    def _alone(self) -> None:
        self.house.broken.append("I18: the maker has approved their own proposal")

    def _approves(
        self, approve: str, proposal: str, over: Callable[[str | None], None], posted: Callable[[], None]
    ) -> None:
        once = [True]

        def first() -> None:
            if not once:
                self.house.broken.append(f"I4: {proposal} was carried out twice")
            else:
                once.clear()
                posted()

        ways = 2 if self.chance.random() < 0.15 else 1
        left = [ways]

        def heard(answer: Words) -> None:
            left[0] -= 1
            if answer["status"] == "done":
                left[0] = -9
                over(None)
            elif left[0] == 0:
                over(answer.get("error") or answer["status"])

        if not self.house.fair and self.chance.random() < 0.15:
            self.house.weather.cut_at_write = self.chance.randrange(3)
        for who in (CHECKER, THIRD)[:ways]:
            self.wants(approve, {"proposal": proposal}, heard, who, kind="decision/1", posted=first)


def _kind(db: sqlite3.Connection, id: str) -> str | None:
    row = db.execute("SELECT kind FROM journal WHERE id = ?", (id,)).fetchone()
    return row[0] if row else None


def _others(words: Words) -> Words:
    """The same request with another content: for one id that is a conflict."""
    if "amount_fen" in words:
        return {"amount_fen": words["amount_fen"] + 1}
    return {"papers": "others"} if "papers" in words else {}
