"""The simulator's judge of the way in which supply comes back (R6): by orders on the line and buttons."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from tests.simulate import witnesses, witnesses_ways
from tests.simulate.known import Known
from tests.simulate.memory import Memory, Order, Press
from tests.simulate.rows import Entry
from tests.simulate.witnesses import CONTROL, DIRECT, PERMIT, TRIP
from tests.test_simulate_checker import DAY, rows, true_book

BOOT, WIRED, TENANT, GONE = "boot-1", 3, 4, 17
"""The tenancy begins with entry 4; what a case adds stands from entry 17 on."""


class Line:
    """One meter, wired direct, and what leaves for it behind which entry."""

    def __init__(self, *more: tuple[str, dict[str, Any]]):
        self.memory, self.mono, self.fair = Memory(), 5000.0, True
        self.memory.hung["m1"] = [SimpleNamespace(device=SimpleNamespace(address="1"))]  # type: ignore[list-item]
        self.edge = SimpleNamespace(core=SimpleNamespace(book=SimpleNamespace(boot=BOOT)))
        self.rows, self.known = list(rows([*true_book(), *more])), Known()
        for entry in self.rows:
            self.known.take(entry)

    def leaves(self, code: int, seq: int) -> None:
        self.memory.orders.append(Order(100.0, BOOT, "1", CONTROL, code, False, seq))

    def said(self) -> list[str]:
        return list(witnesses_ways.r6_orders(self, self.known))  # type: ignore[arg-type]


BY_BUTTON = ("close-way/1", {"account": "a1", "close": "permit"})
ITSELF = ("close-way/1", {"account": "a1", "close": "direct"})
LEFT = ("exit/1", {"account": "a1"})
PAID = ("hold/1", {"meter": "m1", "hold": "arrears", "set": False})
ON = ("hold/1", {"meter": "m1", "hold": "manual", "set": False})
LIT = ("relay/1", {"meter": "m1", "observed": "closed"})
ANOTHER = ("account/1", {"account": "a2", "meters": ["m1"], "tariff": "single", "close": "permit", "since": DAY})


@pytest.mark.parametrize(
    ("more", "seq", "right"),
    [
        ((), WIRED, DIRECT), ((), TENANT, DIRECT), ((BY_BUTTON,), GONE - 1, DIRECT), ((BY_BUTTON,), GONE, PERMIT),
        ((BY_BUTTON, ITSELF), GONE, PERMIT), ((BY_BUTTON, ITSELF), GONE + 1, DIRECT),
        ((BY_BUTTON, LEFT), GONE + 1, DIRECT), ((LEFT, ANOTHER), GONE + 1, PERMIT),
        ((BY_BUTTON, PAID, LEFT), GONE + 2, PERMIT), ((BY_BUTTON, PAID, LIT, LEFT), GONE + 3, DIRECT),
        ((BY_BUTTON, PAID, LEFT, ON), GONE + 3, DIRECT),
    ],
)  # fmt: skip
def test_r6_an_order_of_the_other_way_is_said(more: tuple[Any, ...], seq: int, right: int) -> None:
    """As the meter is wired, as its tenant says, as the next one says; as one wanted it who has left while it waited,
    until somebody else says on. A trip and a right order are let be."""
    line = Line(*more)
    line.leaves(right, seq)
    line.leaves(TRIP, seq)
    assert line.said() == []
    line.leaves(PERMIT if right == DIRECT else DIRECT, seq)
    assert len(line.said()) == 1 and "close left for m1" in line.said()[0]


@pytest.mark.parametrize(
    ("way", "permitted", "fair", "wrongs"),
    [(BY_BUTTON, True, True, 0), (BY_BUTTON, False, True, 1), (BY_BUTTON, False, False, 0), (ITSELF, True, False, 1),
     (ITSELF, False, False, 0), (ITSELF, False, True, 1)],
)  # fmt: skip
def test_r6_a_dark_meter_was_permitted_in_its_time(way: Any, permitted: bool, fair: bool, wrongs: int) -> None:
    """The alarm after ten minutes says that only the button is missing, of those that wait for theirs and no others."""
    text = "closing has been permitted for ten minutes" if permitted else "supply should be back"
    line = Line(way, ("alarm/1", {"meter": "m1", "alarm": "paid-and-dark", "text": text}))
    line.fair = fair
    assert len(list(witnesses_ways.r6_told(line, line.known, line.rows))) == wrongs  # type: ignore[arg-type]


def test_i10_an_order_is_what_its_newest_entry_says() -> None:
    """The entry of a direct close bears no permission; one of a permission does, from then on."""
    line = Line()
    line.leaves(DIRECT, 13)
    direct = next(each for each in line.rows if each.kind == "close/1")
    permit = replace(direct, fields=direct.fields | {"command": "permit"})

    def said(*closes: Entry) -> list[str]:
        return list(witnesses.i10_closes(line, list(closes)))  # type: ignore[arg-type]

    assert said(direct) == [] and said(permit, direct) == []
    assert "its entry says permit" in said(direct, permit)[0] and "without an entry" in said()[0]


@pytest.mark.parametrize(
    ("observed", "late_s", "right"), [("closed", 900, True), ("closed", 1100, False), ("open", 900, False)]
)
def test_r6_light_that_a_button_brought_is_seen(observed: str, late_s: int, right: bool) -> None:
    """By the next round it stands in the book; before that round nothing is said."""
    line = Line()
    line.memory.presses = [Press(100.0, BOOT, "m1"), Press(4900.0, BOOT, "m1")]
    relay = replace(
        line.rows[-1], mono_ns=(100 + late_s) * 10**9, kind="relay/1", fields={"meter": "m1", "observed": observed}
    )
    assert (list(witnesses_ways.r6_presses(line, [relay])) == []) is right  # type: ignore[arg-type]
    assert witnesses_ways.too_new(line) == [Press(4900.0, BOOT, "m1")]  # type: ignore[arg-type]
