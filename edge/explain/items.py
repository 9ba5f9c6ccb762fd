"""The identifiers of DL/T 645: which name, format and unit a DI has. Rows, not code (DL/T 645-2007 annex A).

In a pattern `**` stands for any byte. A byte FF in an identifier asks for a block: the item as often as it comes.
The first row that fits counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

RATES = {0: "total", 1: "sharp 尖", 2: "peak 峰", 3: "flat 平", 4: "valley 谷", 5: "deep valley 深谷"}
PHASES = {1: "phase A", 2: "phase B", 3: "phase C"}

ENERGY = "XXXXXX.XX"
EVENT = "YYMMDDhhmmss"

_ENERGIES = {
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
    0x15: ("forward active energy, phase A", False, "kWh"),
    0x16: ("reverse active energy, phase A", False, "kWh"),
    0x29: ("forward active energy, phase B", False, "kWh"),
    0x2A: ("reverse active energy, phase B", False, "kWh"),
    0x3D: ("forward active energy, phase C", False, "kWh"),
    0x3E: ("reverse active energy, phase C", False, "kWh"),
}

_FREEZES = {
    0x00: "timed freeze", 0x01: "instant freeze", 0x02: "freeze at the change of time zones",
    0x03: "freeze at the change of day tables", 0x04: "hourly freeze", 0x05: "freeze at the change of prices",
    0x06: "daily freeze", 0x07: "freeze at the change of steps",
}  # fmt: skip

ROWS: tuple[tuple[str, str, str, str], ...] = (
    ("00900100", "remaining energy", ENERGY, "kWh"),
    ("00900101", "overdrawn energy", ENERGY, "kWh"),
    ("00900200", "remaining amount", ENERGY, "yuan"),
    ("00900201", "overdrawn amount", ENERGY, "yuan"),
    ("00FE00**", "settlement time", "YYMMDDhh", ""),
    ("0201**00", "voltage", "XXX.X", "V"),
    ("0202**00", "amperes", "+XXX.XXX", "A"),
    ("0203**00", "active power", "+XX.XXXX", "kW"),
    ("0204**00", "reactive power", "+XX.XXXX", "kvar"),
    ("0205**00", "apparent power", "XX.XXXX", "kVA"),
    ("0206**00", "power factor", "+X.XXX", ""),
    ("02800001", "amperes of the neutral", "XXX.XXX", "A"),
    ("02800002", "frequency", "XX.XX", "Hz"),
    ("02800003", "active power, one-minute mean", "XX.XXXX", "kW"),
    ("02800007", "temperature inside the meter", "+XXX.X", "°C"),
    ("02800008", "voltage of the clock battery", "XX.XX", "V"),
    ("02800009", "voltage of the reading battery", "XX.XX", "V"),
    ("0280000A", "battery life used", "XXXXXXXX", "min"),
    ("0280000B", "price of the step in force", "NNNN.NNNN", "yuan/kWh"),
    ("0101****", "forward maximum demand and its time", "*XX.XXXX", "kW"),
    ("03010000", "losses of voltage, per phase: count and minutes", "*XXXXXX", ""),
    ("03020000", "under-voltage, per phase: count and minutes", "*XXXXXX", ""),
    ("03030000", "over-voltage, per phase: count and minutes", "*XXXXXX", ""),
    ("03040000", "phase breaks, per phase: count and minutes", "*XXXXXX", ""),
    ("03050000", "total losses of voltage: count and minutes", "*XXXXXX", ""),
    ("03110000", "power downs", "XXXXXX", "times"),
    ("031100**", "power down: start, end", f"{EVENT} {EVENT}", ""),
    ("03300000", "programmings", "XXXXXX", "times"),
    ("033000**", "programming: time, operator, identifiers", f"{EVENT} B4 *B4", ""),
    ("03300100", "clearings of the meter", "XXXXXX", "times"),
    ("03300200", "clearings of demand", "XXXXXX", "times"),
    ("03300300", "clearings of events", "XXXXXX", "times"),
    ("03300400", "settings of the clock", "XXXXXX", "times"),
    ("033004**", "setting of the clock: operator, before, after", f"B4 {EVENT} {EVENT}", ""),
    ("03300D00", "openings of the cover", "XXXXXX", "times"),
    ("03300D**", "opening of the cover: start, end, energies before and after", f"{EVENT} {EVENT} *{ENERGY}", ""),
    ("03300E00", "openings of the terminal cover", "XXXXXX", "times"),
    ("03300E**", "opening of the terminal cover: start, end, energies", f"{EVENT} {EVENT} *{ENERGY}", ""),
    ("03350000", "magnetic interferences", "XXXXXX", "times"),
    ("033500**", "magnetic interference: start, end, energies", f"{EVENT} {EVENT} *{ENERGY}", ""),
    ("03360000", "wrong operations of the relay", "XXXXXX", "times"),
    ("03370000", "faults of the meter's supply", "XXXXXX", "times"),
    ("033[23]01**", "time of a purchase", "YYMMDDhhmm", ""),
    ("033[23]02**", "purchase count", "NNNN", "times"),
    ("033203**", "energy bought", ENERGY, "kWh"),
    ("033204**", "remaining energy before the purchase", ENERGY, "kWh"),
    ("033205**", "remaining energy after the purchase", ENERGY, "kWh"),
    ("033206**", "energy bought so far", ENERGY, "kWh"),
    ("033303**", "amount bought", ENERGY, "yuan"),
    ("033304**", "remaining amount before the purchase", ENERGY, "yuan"),
    ("033305**", "remaining amount after the purchase", ENERGY, "yuan"),
    ("033306**", "amount bought so far", ENERGY, "yuan"),
    ("04000101", "date", "YYMMDDWW", ""),
    ("04000102", "time", "hhmmss", ""),
    ("0400010C", "date and time", "YYMMDDWWhhmmss", ""),
    ("04000103", "demand period", "NN", "min"),
    ("0400010[6789]", "instant at which the second set takes over", "YYMMDDhhmm", ""),
    ("04000201", "year zones", "NN", ""),
    ("04000202", "day tables", "NN", ""),
    ("04000203", "periods of a day", "NN", ""),
    ("04000204", "tariffs", "NN", ""),
    ("04000205", "holidays", "NNNN", ""),
    ("04000207", "steps", "NN", ""),
    ("04000306", "ratio of the current transformers", "XXXXXX", ""),
    ("04000307", "ratio of the voltage transformers", "XXXXXX", ""),
    ("04000401", "communication address", "I6", ""),
    ("04000402", "meter number", "I6", ""),
    ("04000403", "asset number", "A32", ""),
    ("0400040[456]", "rated voltage, amperes or maximum amperes", "A6", ""),
    ("0400040[78]", "accuracy class", "A4", ""),
    ("04000409", "active impulse constant", "XXXXXX", "imp/kWh"),
    ("0400040A", "reactive impulse constant", "XXXXXX", "imp/kvarh"),
    ("0400040B", "model", "A10", ""),
    ("0400040C", "production date", "A10", ""),
    ("0400040D", "protocol version", "A16", ""),
    ("0400040E", "customer number", "I6", ""),
    ("0400050[1-7]", "status word", "B2", ""),
    ("040005FF", "all status words", "*B2", ""),
    ("0400060*", "how combined energy is formed", "B1", ""),
    ("0400070*", "speed of a port", "B1", ""),
    ("04000B**", "settlement day", "DDhh", ""),
    ("04000C**", "password", "P", ""),
    ("04000F**", "energy limit", ENERGY, "kWh"),
    ("04001001", "alarm amount 1", ENERGY, "yuan"),
    ("04001002", "alarm amount 2", ENERGY, "yuan"),
    ("04001003", "overdraft limit", ENERGY, "yuan"),
    ("04001004", "hoarding limit", ENERGY, "yuan"),
    ("04001005", "amount that permits closing", ENERGY, "yuan"),
    ("04001401", "delay before a trip", "NNNN", "min"),
    ("040[12]0000", "year zones: day table, day, month", "*XXXXXX", ""),
    ("040[12]00**", "day table: tariff, minute, hour", "*XXXXXX", ""),
    ("040300**", "holiday and its day table", "XXXXXXXX", ""),
    ("040501**", "tariff price in force", "NNNN.NNNN", "yuan/kWh"),
    ("040502**", "tariff price to come", "NNNN.NNNN", "yuan/kWh"),
    ("048000**", "version or factory number", "A32", ""),
    ("05**00**", "time of a freeze", "YYMMDDhhmm", ""),
    ("05**01**", "frozen forward active energy", f"*{ENERGY}", "kWh"),
    ("05**02**", "frozen reverse active energy", f"*{ENERGY}", "kWh"),
    ("05**0[3-8]**", "frozen reactive energy", f"*{ENERGY}", "kvarh"),
    ("05**10**", "frozen powers", "*+XX.XXXX", "kW"),
    ("1D000001", "trips", "XXXXXX", "times"),
    ("1D0001**", "trip: time, operator, energies", f"{EVENT} B4 *{ENERGY}", ""),
    ("1E000001", "closings of the relay", "XXXXXX", "times"),
    ("1E0001**", "closing: time, operator, energies", f"{EVENT} B4 *{ENERGY}", ""),
)

ROWS_1997: tuple[tuple[str, str, str, str], ...] = (
    ("901F", "forward active energy, total and tariffs", f"*{ENERGY}", "kWh"),
    ("901*", "forward active energy", ENERGY, "kWh"),
    ("902*", "reverse active energy", ENERGY, "kWh"),
    ("911*", "forward reactive energy", ENERGY, "kvarh"),
    ("B61[123]", "voltage", "XXXX", "V"),
    ("B62[123]", "amperes", "XX.XX", "A"),
    ("C010", "date", "YYMMDDWW", ""),
    ("C011", "time", "hhmmss", ""),
    ("C030", "impulse constant", "XXXXXX", "imp/kWh"),
    ("C032", "meter number", "I6", ""),
)


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
    found = _row(ROWS, identifier)
    if found is None and di3 == 0x00 and di2 in _ENERGIES:
        name, signed, unit = _ENERGIES[di2]
        rate = "total and tariffs" if di1 == 0xFF else RATES.get(di1, f"tariff {di1}")
        when = "" if di0 == 0 else ", all settlement days" if di0 == 0xFF else f", settlement day {di0} back"
        format = f"+{ENERGY}" if signed else ENERGY
        return Item(f"{name}, {rate}{when}", f"*{format}" if 0xFF in (di1, di0) else format, unit, 0xFF in (di1, di0))
    if found is None:
        return None
    name, formats, unit = found
    block = 0xFF in (di1, di0) and "*" not in formats and di3 in (0x02, 0x04)
    if di3 == 0x02 and di2 <= 0x06:
        name += ", total and phases" if block else f", {PHASES.get(di1, 'total')}"
    if di3 == 0x05:
        name = f"{_FREEZES.get(di2, f'freeze {di2:02X}')}, {di0} back: {name}"
    return Item(name, f"*{formats}" if block else formats, unit, block or formats.startswith("*"))


def item_of_1997(identifier: str) -> Item | None:
    """The item of a 1997 identifier (four hex digits), None where it is not known."""
    found = _row(ROWS_1997, identifier)
    return None if found is None else Item(*found, block=found[1].startswith("*"))


def _row(rows: tuple[tuple[str, str, str, str], ...], identifier: str) -> tuple[str, str, str] | None:
    for pattern, name, formats, unit in rows:
        if re.fullmatch(pattern.replace("*", "."), identifier.upper()):
            return name, formats, unit
    return None
