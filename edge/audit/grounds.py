"""What a register rests on that no meter has said: the readings around it, where each stands in the book, and the sum.

Readings of a round stand in sweeps, which keep no frames and only some weeks; borders that were read keep theirs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.between import GUESSED, INTERPOLATED, Between, around, between
from bridge.contract.entries import PRICED
from bridge.contract.units import micros_of_text
from edge.audit import figures
from edge.audit.opened import Reader
from edge.audit.words import say
from edge.book import Entry
from edge.nearby import SETTLED_US

Fields = dict[str, Any]

SECOND_US = 1_000_000


def places(reader: Reader, entry: Entry, before: Entry | None) -> dict[str, Fields]:
    """{instant: {"sweep": number} or {"entry": id, "seq": number}}: where the readings stand that a charge's registers
    rest on, and the borders in it that were read."""
    meter = entry.fields["meter"]
    found: dict[str, Fields] = {}
    ends = [entry.fields["end"], *([before.fields["end"]] if before is not None and before.kind in PRICED else [])]
    for mark in [mark for end in ends for mark in end.get("rests_on", ()) if mark["source"] == "read"]:
        if (number := _sweep(reader, meter, mark)) is not None:
            found[mark["at"]] = {"sweep": number}
    if entry.fields.get("between"):
        for border in reader.of_kinds("border/1", until=entry.seq):
            if border.fields["meter"] == meter:
                found[border.fields["at"]] = {"entry": border.id, "seq": border.seq}
    return found


def _sweep(reader: Reader, meter: str, mark: Fields) -> int | None:
    """The sweep that has a reading; None where it was trimmed, or is not saved yet."""
    at = micros_of_text(mark["at"])
    for number, made in reader.sweep_instants():
        if at <= made <= at + SETTLED_US:
            for row in reader.sweep(number) or ():
                if (row["meter"], row["read_at"], row.get("registers_wh")) == (meter, at, mark["registers_wh"]):
                    return number
    return None


def of_marks(fields: Fields, before: Entry | None, where: dict[str, Fields]) -> list[Fields]:
    """For each mark of a charge, from its start to its end: {rests_on, sum} where it was guessed, {entry, seq} where a
    border was read, {} for others."""
    marks = [fields["start"], *fields.get("between", ()), fields["end"]]
    full = fields.get("full_scale_wh", 0)
    found: list[Fields] = []
    for place, mark in enumerate(marks):
        if mark["source"] not in GUESSED:
            found.append(where.get(mark["at"], {}) if 0 < place < len(marks) - 1 else {})
            continue
        if 0 < place < len(marks) - 1:
            two = around(marks, place, full)
            resting = [two.before, two.after] if two is not None else []
        else:
            held = before.fields["end"] if place == 0 and before is not None and before.kind in PRICED else mark
            resting = held.get("rests_on", [])
            straight = mark["source"] == INTERPOLATED and len(resting) == 2
            two = between(mark, resting[0], resting[1], full) if straight else None
        placed = [{**each, **where.get(each["at"], {})} for each in resting]
        found.append({"rests_on": placed, "sum": None if two is None else _sum(two)})
    return found


def _sum(two: Between) -> Fields:
    return {
        "early_us": two.early_us, "whole_us": two.whole_us, "registers": [dict(part._asdict()) for part in two.parts],
    }  # fmt: skip


def lines_of(mark: Fields, marks: Sequence[Fields], unit: str, zone: ZoneInfo, language: str) -> list[str]:
    """The readings and the sum in words; `marks` are those of the charge itself, whose frames stand with it."""
    lines = []
    if "seq" in mark and not mark.get("rests_on"):
        lines.append(say("stands-in-entry", language, seq=mark["seq"]))
    for each in mark.get("rests_on") or ():
        registers = ", ".join(
            f"{figures.rate_word(name, language)} {figures.quantity(each['registers_wh'][name], unit)}"
            for name in figures.in_order(each["registers_wh"])
        )
        own = any(each["at"] == other["at"] and each["source"] == other["source"] for other in marks)
        lines.append(say(
            "rests-on", language, at=figures.instant(each["at"], zone), registers=registers,
            how=figures.source_word(each["source"], language), where=_where(each, own, language),
        ))  # fmt: skip
    if (told := mark.get("sum")) is not None:
        seconds = {"early": _seconds(told["early_us"]), "whole": _seconds(told["whole_us"])}
        lines.append(say("straight", language, **seconds))
        for row in told["registers"]:
            value = {key: figures.quantity(row[key], unit) for key in ("before", "moved", "part")}
            value["is"] = figures.quantity(mark["registers_wh"][row["register"]], unit)
            words = "straight-sum" if row["straight"] else "hours-sum"
            lines.append(f"{figures.rate_word(row['register'], language)}: {say(words, language, **value, **seconds)}")
    return ["         " + line for line in lines]


def _where(mark: Fields, own: bool, language: str) -> str:
    if "sweep" in mark:
        return say("in-sweep", language, number=mark["sweep"])
    if "seq" in mark:
        return say("stands-in-entry", language, seq=mark["seq"])
    if own:
        return say("of-this-charge", language)
    return say("in-no-sweep" if mark["source"] == "read" else "of-charge-before", language)


def _seconds(us: int) -> str:
    """Seconds, as exact as they are known."""
    whole, rest = divmod(us, SECOND_US)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")
