"""Everything that is checked of one house after each day, and what was found wrong.

The new entries of the book are looked at one by one; frames, messages and people beside them; all of it anew where an
older copy of the book was put back.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from tests.simulate import truth, witnesses, witnesses_clock, witnesses_inside, witnesses_ways
from tests.simulate import witnesses_owed as owed
from tests.simulate import witnesses_people as people
from tests.simulate.fate import Fate
from tests.simulate.house import House
from tests.simulate.invariants import OF_ENTRIES
from tests.simulate.known import Known
from tests.simulate.rows import TENANT, Entry, entries
from tests.simulate.till import Till

FOLDED_EVERY = 10
"""Days between two folds of the whole book."""


@dataclass(frozen=True)
class Breach:
    """Something that must never be."""

    rule: str
    gateway: str
    day: int
    why: str

    @property
    def sentence(self) -> str:
        return f"{self.rule} on day {self.day} at {self.gateway}: {self.why}"


class Checker:
    """Of one house."""

    def __init__(self, house: House, till: Till, fate: Fate):
        self.house, self.till, self.known = house, till, Known()
        self.counter, self.leases = fate.counter, fate.movers.leases
        self.breaches: list[Breach] = []
        self.checked: Counter[str] = Counter()
        self._judged = 0
        self._trips: list[Entry] = []
        self._postings: dict[str, list[int]] = {}
        self._closes: list[Entry] = []
        self._lifted: list[Entry] = []
        self._moved: list[Entry] = []
        self._dark: dict[str, float] = {}
        """Who was paid and held off at the last look."""
        self._due: dict[str, owed.Due] = {}
        """Who had nothing left at the last look."""

    def breach(self, rule: str, said: Iterable[str]) -> None:
        self.checked[rule] += 1
        for why in said:
            self.breaches.append(Breach(rule, self.house.plan.gateway, self.house.day(), why))

    def restored(self) -> None:
        """An older copy stands there: its entries are all looked at again."""
        self.known = Known()

    def look(self, whole: bool = False) -> None:
        """After a day, or before something that makes the past unreadable."""
        house, known = self.house, self.known
        rows = self._rows()
        for entry in rows:
            self._one(entry)
        self.breach("I5", witnesses.i5(house, self.till, known) if not house.memory.recovering else ())
        self.breach("I5", people.i5_acts(house, self.till, self.counter) if not house.memory.recovering else ())
        self.breach("I4", people.i4_asked(self.till, self.counter, rows))
        self.breach("I7", witnesses.i7_i8(house, self._trips, self._postings))
        self.breach("I10", witnesses.i10_closes(house, self._closes))
        self.breach("R6", witnesses_ways.r6_orders(house, known))
        self.breach("R6", witnesses_ways.r6_told(house, known, rows))
        self.breach("R6", witnesses_ways.r6_presses(house, self._moved) if house.fair else ())
        self.breach("I9", witnesses.i9_t1(house, self._lifted) if house.fair else ())
        dark = owed.dark(house, known) if house.fair or whole else {}
        self.breach("I9", owed.i9({id: over for id, over in dark.items() if whole or id in self._dark}))
        self.breach("I14", owed.i14(house, known) if house.fair or whole else ())
        self._dark = dark
        self._due = owed.due(house, known, self._due) if house.fair else {}
        self.breach("R1", owed.r1(house, self._due) if house.fair else ())
        self.breach("R25", witnesses_clock.r25(house, whole))
        self.breach("mode", owed.normal(house, whole))
        self.breach("I12", witnesses.i12(house))
        self.breach("I13", witnesses.i13(house))
        self.breach("I17", witnesses.i17_i19(house, known, rows))
        self.breach("I11", witnesses.told_apart(house))
        self.breach("I23", witnesses_inside.i23(house))
        self.breach("I24", witnesses.i24(house, rows))
        if whole or house.day() % FOLDED_EVERY == 0:
            self.breach("I25", witnesses_inside.i25(house, known) if not house.edge.core.cannot_write else ())
        for each in house.judge.violations[self._judged :]:
            self.breach(each.rule, [f"{each.meter} at {each.at}: {each.why}"])
        self._judged = len(house.judge.violations)
        found, house.broken = house.broken, []
        self.breach("crash", found)
        house.memory.orders.clear()
        self._lifted.clear()
        self._postings.clear()
        newest = [self.house.edge.core.book.boot]
        self._trips = [each for each in self._trips if each.boot in newest]
        self._closes = [each for each in self._closes if each.boot in newest]
        self._moved = [each for each in self._moved if each.boot in newest]
        house.memory.presses = witnesses_ways.too_new(house)

    def end(self) -> None:
        """The network is well again, and what it lost was asked for."""
        self.breach("I19", witnesses.i19_i20(self.house, self.known))
        self.breach("I5", owed.answers(self.house, self.till, self.counter))

    def _rows(self) -> list[Entry]:
        try:
            return list(entries(self.house.directory / "book.db", self.known.seq))
        except (ValueError, sqlite3.Error) as trouble:
            self.breach("I6", [str(trouble)])
            return []

    def _one(self, entry: Entry) -> None:
        for rule, look in OF_ENTRIES.items():
            try:
                self.breach(rule, [f"entry {entry.seq} {entry.kind}: {why}" for why in look(entry, self.known)])
            except Exception as trouble:
                self.breach(rule, [f"entry {entry.seq} {entry.kind} is not as documented: {trouble!r}"])
        self.breach("I16", [f"entry {entry.seq}: {why}" for why in witnesses_clock.i16(self.house, self.known, entry)])
        self.breach("R11", [f"entry {entry.seq}: {why}" for why in truth.of_charge(self.house, entry)])
        self.breach("R33", [f"entry {entry.seq}: {why}" for why in people.r33_lease(self.leases, entry)])
        self.known.take(entry)
        for side in {move[side] for move in entry.fields.get("moves", ()) for side in ("from", "to")}:
            self._postings.setdefault(side.removeprefix(TENANT), []).append(entry.seq)
        if entry.kind == "trip/1":
            self._trips.append(entry)
        elif entry.kind == "close/1":
            self._closes.append(entry)
        elif entry.kind == "relay/1":
            self._moved.append(entry)
        elif entry.kind == "hold/1" and entry.fields["meter"] in self.known.restored:
            self._lifted.append(entry)

    def money(self) -> dict[str, Any]:
        """Payments: how many were answered `done`, how many of those are lost, how many stand twice."""
        done = [one for one in self.till.payments.values() if one.answered == "done"]
        lost = sum(1 for one in done if one.transaction not in self.known.topups)
        doubled = sum(1 for found in self.known.topups.values() if len(found) > 1)
        return {"topups": len(done), "lost": lost, "doubled": doubled}
