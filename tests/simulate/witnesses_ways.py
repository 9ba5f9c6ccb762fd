"""How supply comes back (R6), by what left on the lines and by what people did at the meters, beside the book's rows.

An order to close is of the way that stands in the book when it leaves; a button that was pressed brings light, and the
book has it.
"""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulate.house import House
from tests.simulate.known import Known
from tests.simulate.memory import Press
from tests.simulate.rows import Entry
from tests.simulate.witnesses import COMMANDS, CONTROL, names_of

Said = Iterator[str]

PERMITTED = "closing has been permitted"
SEEN_S = 1000.0
"""A round is 15 minutes; with all its meters it may take a little longer."""


def r6_orders(house: House, known: Known) -> Said:
    """A direct order never leaves where the way is to permit, nor a permission where it is direct, whoever lifted the
    hold: no request closes in a way of its own. Here bytes leave in the moment of their last look, so none is on its
    way when that changes."""
    names = names_of(house)
    for order in house.memory.orders:
        point = known.points.get(names.get(order.address, ""))
        if order.control != CONTROL or order.code not in COMMANDS or point is None:
            continue
        if (way := point.way_at(order.seq)) != COMMANDS[order.code]:
            yield (
                f"a {COMMANDS[order.code]} close left for {names[order.address]} at {order.mono:.1f} of {order.boot} "
                f"behind entry {order.seq}, and its supply comes back by {way}"
            )


def r6_presses(house: House, moved: list[Entry]) -> Said:
    """Where nothing is wrong the book has each light that a button brought, at the latest after the next round."""
    newer = too_new(house)
    for press in house.memory.presses:
        seen = [
            each.mono_ns / 1e9 - press.mono for each in moved
            if each.fields["meter"] == press.meter and each.fields["observed"] == "closed" and each.boot == press.boot
        ]  # fmt: skip
        if press not in newer and not any(0 <= late_s <= SEEN_S for late_s in seen):
            yield f"{press.meter} was closed by its button at {press.mono:.1f} of {press.boot}, and nobody saw it"


def r6_told(house: House, known: Known, rows: list[Entry]) -> Said:
    """Whoever is told that a meter is paid and dark hears truly whether only its button is missing; where nothing is
    wrong that is all that can be: what waits for its button was permitted in time, and all others have light."""
    for entry in rows:
        f = entry.fields
        if entry.kind != "alarm/1" or f["alarm"] != "paid-and-dark":
            continue
        by_button, permitted = known.points[f["meter"]].way_at(entry.seq) == "permit", PERMITTED in f["text"]
        if permitted and not by_button:
            yield f"entry {entry.seq}: the button of {f['meter']} is waited for, and its supply comes back by itself"
        if house.fair and not permitted:
            yield f"entry {entry.seq}: {f['meter']} is paid and dark, and was not permitted to close in its time"


def too_new(house: House) -> list[Press]:
    """Presses after which there was no round yet."""
    boot = house.edge.core.book.boot
    return [each for each in house.memory.presses if each.boot == boot and house.mono - each.mono <= SEEN_S]
