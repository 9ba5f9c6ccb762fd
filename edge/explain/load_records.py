"""Load records of DL/T 645-2007 (DI 0600....): blocks of values at one instant, as many as fit an answer.

    A0 A0 N   mm hh DD MM YY   class 1 AA  class 2 AA  ...  class 6 AA   CS E5

N counts the bytes from the time to the last AA. A class that the meter does not record is an AA alone; no decimal digit
is AA, so the two cannot be confused. The layout is the standard's annex B as it is commonly told; no published frame
was found to prove it, so what does not fit it is shown as it stands. CS is not looked at: sources do not say what it
counts, and the frame around it has a sum of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

from edge.explain import formats

BEGIN, APART, END = b"\xa0\xa0", 0xAA, 0xE5

CLASSES: tuple[str, ...] = (
    "3*~phase(voltage:XXX.X@V) 3*~phase(amperes:+XXX.XXX@A) frequency:XX.XX@Hz",
    "4*~total(active_power:+XX.XXXX@kW) 4*~total(reactive_power:+XX.XXXX@kvar)",
    "4*~total(power_factor:+X.XXX)",
    "forward_active:XXXXXX.XX@kWh reverse_active:XXXXXX.XX@kWh"
    " combined_reactive_1:+XXXXXX.XX@kvarh combined_reactive_2:+XXXXXX.XX@kvarh",
    "4*quadrant:XXXXXX.XX@kvarh",
    "active_demand:+XX.XXXX@kW reactive_demand:+XX.XXXX@kvar",
)
"""Values of the six classes, in the order of the line."""


@dataclass(frozen=True)
class Record:
    """One block: when it was stored by the meter's own clock, and (label, text or None, unit) of each value."""

    at: str | None
    values: tuple[tuple[str, str | None, str], ...]


def records(raw: bytes) -> list[Record] | None:
    """The records of an answer, None where it is not made of whole ones. Empty: the meter has none from there on."""
    found: list[Record] = []
    while raw:
        size = 3 + raw[2] + 2 if len(raw) > 2 else 0
        block = raw[:size]
        whole = block[:2] == BEGIN and len(block) == size and block[-1] == END
        if not whole or (record := _record(block[3:-2])) is None:
            return None
        found.append(record)
        raw = raw[size:]
    return found


def _record(body: bytes) -> Record | None:
    """Time and classes; None where a class is cut or not closed by its AA."""
    try:
        at = formats.read("YYMMDDhhmm", body[:5]).text
    except ValueError:
        return None
    rest, values = body[5:], []
    for layout in CLASSES:
        if rest[:1] == bytes([APART]):
            rest = rest[1:]
            continue
        for part in formats.parts(layout, 0):
            size = formats.size_of(part.format)
            try:
                values.append((part.label, formats.read(part.format, rest[:size]).text, part.unit or ""))
            except ValueError:
                return None
            rest = rest[size:]
        if rest[:1] != bytes([APART]):
            return None
        rest = rest[1:]
    return None if rest else Record(at, tuple(values))
