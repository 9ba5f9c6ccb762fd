"""What an identifier of DL/T 645 asks for: name, format, unit. Rows stand in `rows.py`, energies and demands here.

A byte FF in an identifier asks for a block: the item as often as it comes. The first row that fits counts. In its name
`{n}` is the identifier's last byte: which status word, how-manieth holiday, how many purchases back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from edge.explain import rows

RATES = {0: "total", 1: "sharp 尖", 2: "peak 峰", 3: "flat 平", 4: "valley 谷", 5: "deep valley 深谷"}
PHASES = {1: "phase A", 2: "phase B", 3: "phase C"}

ENERGY = rows.ENERGY

_KINDS: dict[int, tuple[str, bool, str]] = {
    0x00: ("combined active energy", True, "kWh"),
    0x01: ("forward active energy", False, "kWh"),
    0x02: ("reverse active energy", False, "kWh"),
    0x03: ("combined reactive energy 1", True, "kvarh"),
    0x04: ("combined reactive energy 2", True, "kvarh"),
    0x05: ("reactive energy, quadrant 1", False, "kvarh"),
    0x06: ("reactive energy, quadrant 2", False, "kvarh"),
    0x07: ("reactive energy, quadrant 3", False, "kvarh"),
    0x08: ("reactive energy, quadrant 4", False, "kvarh"),
    0x09: ("forward apparent energy", False, "kVAh"),
    0x0A: ("reverse apparent energy", False, "kVAh"),
}

_ENERGIES = {
    **_KINDS,
    0x0B: ("energy of the settlement period that runs", True, "kWh"),
    0x0C: ("energy of the last settlement period", True, "kWh"),
    # Of a phase there are all kinds but combined active energy, in the same order: A from 15H, B from 29H, C from 3DH.
    **{
        first + number - 1: (f"{name}, {phase}", signed, unit)
        for first, phase in ((0x15, "phase A"), (0x29, "phase B"), (0x3D, "phase C"))
        for number, (name, signed, unit) in _KINDS.items()
        if number
    },
}

_FREEZES = {
    0x00: "timed freeze", 0x01: "instant freeze", 0x02: "freeze at the change of time zones",
    0x03: "freeze at the change of day tables", 0x04: "hourly freeze", 0x05: "freeze at the change of prices",
    0x06: "daily freeze", 0x07: "freeze at the change of steps",
}  # fmt: skip


@dataclass(frozen=True)
class Item:
    """What an identifier means. `formats` as in `formats.py`."""

    name: str
    formats: str
    unit: str
    block: bool = False


def item_of(identifier: str) -> Item | None:
    """The item of a 2007 identifier (eight hex digits), None where it is not known."""
    di3, di2, di1, di0 = bytes.fromhex(identifier)
    found = _row(rows.ROWS, identifier)
    if found is None:
        return _counted(di3, di2, di1, di0)
    name, formats, unit = found
    which, what = {1: "first", 2: "second"}.get(di2, ""), {0x32: "energy", 0x33: "money"}.get(di2, "")
    name = name.format(n="each" if di0 == 0xFF else di0, set=which, what=what, port=di0 - 2)
    if di3 == 0x02 and di2 <= 0x06:
        phases = "phases" if di2 <= 0x02 else "total and phases"
        name += f", {phases}" if di1 == 0xFF else f", {PHASES.get(di1, 'total')}"
    if di3 == 0x05 and identifier.upper() != "05080201":
        name = f"{_FREEZES.get(di2, f'freeze {di2:02X}')}, {di0} back: {name}"
    return Item(name, formats, unit, "*" in formats and " " not in formats)


def _counted(di3: int, di2: int, di1: int, di0: int) -> Item | None:
    """Energies (00) and maximum demands (01), by rate and settlement day."""
    if (di3 == 0x00 and di2 not in _ENERGIES) or (di3 == 0x01 and di2 not in _KINDS) or di3 > 0x01:
        return None
    name, signed, unit = _ENERGIES[di2]
    rate = "total and tariffs" if di1 == 0xFF else RATES.get(di1, f"tariff {di1}")
    when = "" if di0 == 0 else ", all settlement days" if di0 == 0xFF else f", settlement day {di0} back"
    block = 0xFF in (di1, di0)
    series = "~rate" if di1 == 0xFF and di0 != 0xFF else ""
    if di3 == 0x01:
        name, unit = name.replace("energy", "maximum demand"), unit.removesuffix("h")
        peak = f"peak:{'+' if signed else ''}{rows.PEAK} at:YYMMDDhhmm"
        return Item(f"{name}, {rate}{when}", f"*{series}({peak})" if block else peak, unit, block)
    format = f"+{ENERGY}" if signed else ENERGY
    formats = f"*{series}{':' if series else ''}{format}" if block else format
    return Item(f"{name}, {rate}{when}", formats, unit, block)


def item_of_1997(identifier: str) -> Item | None:
    """The item of a 1997 identifier (four hex digits), None where it is not known."""
    found = _row(rows.ROWS_1997, identifier)
    return None if found is None else Item(*found, block=found[1].startswith("*"))


def _row(table: tuple[rows.Row, ...], identifier: str) -> tuple[str, str, str] | None:
    for pattern, name, formats, unit in table:
        if re.fullmatch(pattern.replace("*", "."), identifier.upper()):
            return name, formats, unit
    return None
