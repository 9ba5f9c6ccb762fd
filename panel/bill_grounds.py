"""What a register on a bill rests on that no meter has said: the readings around it, where they can be seen, the sum.

The two readings stand in the entry itself, or in the one before it; the archive says in which sweep each was taken.
"""

from __future__ import annotations

from typing import Any

from bridge.archive.tables import ENTRY
from bridge.contract.between import GUESSED, INTERPOLATED, Between, Part, around, between
from bridge.contract.units import instant_of
from panel import bill
from panel.bill_words import quantity, rate_word, source_word, unit_word
from panel.history import History, Line
from panel.words import t

Fields = dict[str, Any]

SECOND_US = 1_000_000


def grounds(history: History, line: Line, place: int, holder: Line | None) -> Fields:
    """{rests_on: [{at, registers, how, where}], sum: sentences} of the mark at `place` of a charge, of which -1 is the
    last; empty lists where the meter said it itself. `holder` has the first one's."""
    body = line.body
    marks = [body["start"], *(body.get("between") or ()), body["end"]]
    place, mark, unit = place % len(marks), marks[place], str(body.get("unit") or "kWh")
    found: Fields = {"rests_on": [], "sum": []}
    if mark.get("source") not in GUESSED:
        return found
    full = body.get("full_scale_wh", 0)
    if 0 < place < len(marks) - 1:
        two = around(marks, place, full)
        resting = [two.before, two.after] if two is not None else []
    else:
        held = (holder.body.get("end") or {}) if place == 0 and holder is not None else mark
        resting = held.get("rests_on") or []
        straight = mark["source"] == INTERPOLATED and len(resting) == 2
        two = between(mark, resting[0], resting[1], full) if straight else None
    own = {(each["at"], each.get("source")) for each in marks}
    found["rests_on"] = [_reading(history, line, each, unit, (each["at"], each.get("source")) in own)
                         for each in resting]  # fmt: skip
    if two is not None:
        found["sum"] = _sum(two, mark, unit)
    return found


def between_of(history: History, line: Line) -> list[Fields]:
    """The marks within a charge that were worked out, each with its grounds."""
    marks = line.body.get("between") or ()
    return [
        {"at": mark["at"], "source": mark["source"], **grounds(history, line, place, None)}
        for place, mark in enumerate(marks, 1)
        if mark.get("source") in GUESSED
    ]


def read_borders(history: History, line: Line) -> list[Line]:
    """The entries of the borders within a charge that were read: they keep the frames."""
    wanted = {mark["at"] for mark in line.body.get("between") or () if mark.get("source") == "border"}
    if not wanted or line.meter is None:
        return []
    borders = (ENTRY.c.meter == line.meter, ENTRY.c.kind == "border/1", ENTRY.c.seq < line.seq)
    newest = history.lines(*borders, limit=max(64, 4 * len(wanted)))
    return [each for each in reversed(newest) if each.body.get("at") in wanted]


def _reading(history: History, line: Line, mark: Fields, unit: str, own: bool) -> Fields:
    registers = mark["registers_wh"]
    sweep = None
    if mark.get("source") == "read" and line.meter is not None and "total" in registers:
        sweep = history.swept(line.meter, instant_of(mark["at"]), registers["total"], unit)
    return {
        "at": mark["at"], "how": source_word(str(mark.get("source", ""))), "where": _where(mark, sweep, own, line.seq),
        "registers": [(name, registers[name]) for name in bill.in_order(registers)],
    }  # fmt: skip


def _where(mark: Fields, sweep: int | None, own: bool, seq: int) -> str:
    if own:
        return t("a register of this charge itself")
    if mark.get("source") != "read":
        return t("a register of the charge before this one")
    if sweep is not None:
        return t("sweep {n} of the readings here; a round of readings keeps no frames", n=sweep)
    return t("not among the readings here; on the gateway, “riser explain {seq}” says where it stands", seq=seq)


def _sum(two: Between, mark: Fields, unit: str) -> list[str]:
    said = t("The load is taken as even between the two readings: {early} s of {whole} s had passed.",
             early=_seconds(two.early_us), whole=_seconds(two.whole_us))  # fmt: skip
    return [said, *(_worked(part, two, mark["registers_wh"][part.register], unit) for part in two.parts)]


def _worked(part: Part, two: Between, value: int, unit: str) -> str:
    figures = {"name": rate_word(part.register), "before": quantity(part.before, unit), "unit": unit_word(unit),
               "moved": quantity(part.moved, unit), "value": quantity(value, unit)}  # fmt: skip
    if part.straight:
        return t("{name}: {before} + {moved} × {early} ÷ {whole} = {value} {unit}, rounded down.", **figures,
                 early=_seconds(two.early_us), whole=_seconds(two.whole_us))  # fmt: skip
    return t("{name}: {before} + {part} = {value} {unit}; of the {moved} between the two readings so much lies before, "
             "by the hours of its rate.", **figures, part=quantity(part.part, unit))  # fmt: skip


def _seconds(us: int) -> str:
    """Seconds, as exact as they are known."""
    whole, rest = divmod(us, SECOND_US)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
