"""The newest register that a meter was charged to, as the archive tells it, beside the one that people say is right.

Only that one can be put right (R12): what lies before it is in later charges as well. What it costs is the gateway's to
work out; here registers are set side by side.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bridge.contract.entries import CHARGES, PRICED, REPLACED
from bridge.contract.messages import MeterRow
from bridge.contract.site_prices import amount_wh
from panel import bill
from panel.bill_history import newest_register
from panel.bill_words import quantity
from panel.history import History, Line
from panel.money_acts import ACTS, REGISTERS, Act
from panel.switches import counts_water
from panel.words import t

OPERATION = "correct-reading"


class NotNow(Exception):
    """There is nothing that could be put right; one sentence says why. `newest` is the entry that can, if one can."""

    def __init__(self, sentence: str, newest: int | None = None):
        self.sentence, self.newest = sentence, newest
        super().__init__(sentence)


@dataclass(frozen=True)
class Booked:
    """The register of the book. `entry` is the charge or opening that ended there, `holder` the entry that says so now:
    the same one, or a correction of it."""

    entry: Line
    holder: Line
    at: str
    registers: dict[str, int]
    unit: str
    multiplier: int
    full_scale_wh: int

    @property
    def act(self) -> Act:
        """The act with a field for each register that this meter has."""
        return replace(ACTS[OPERATION], fields=(*self.registers, "why", "papers"))


@dataclass(frozen=True)
class Pair:
    """One register, wrong and right, in Wh or litres. `all` is the difference after the multiplier."""

    register: str
    wrong: int
    right: int | None
    all: int | None


def booked(history: History, meter: MeterRow, seq: int | None = None) -> Booked:
    """What stands in the book for a meter. Raises NotNow where that cannot be put right, or is not entry `seq`."""
    holder = newest_register(history, meter.id)
    if holder is None:
        raise NotNow(t("Nothing was charged for this meter yet, or it has not reached the archive."))
    if holder.kind in REPLACED:
        raise NotNow(t("The meter was replaced or its multiplier changed since, and it counts from that reading on. "
                       "What was wrong before is put right by a compensation or a deduction (R12)."))  # fmt: skip
    entry = holder
    if holder.kind == "reading-correction/1":
        original = history.by_id(holder.body["entry"])
        if original is None or original.kind not in (*CHARGES, "opening/1"):
            raise NotNow(t("The entry that was put right has not reached the archive."))
        entry = original
    if holder.kind not in (*PRICED, "opening/1"):
        raise NotNow(t("The newest entry of this meter cannot be read here."))
    if seq is not None and seq not in (entry.seq, holder.seq):
        raise NotNow(
            t("Entry {seq} does not hold the newest register of this meter: what lies before that is in later charges "
              "as well, and is put right by a compensation or a deduction (R12).", seq=seq), holder.seq,
        )  # fmt: skip
    mark = holder.body["end"] if holder.kind in PRICED else holder.body
    return Booked(
        entry, holder, mark["at"], {name: mark["registers_wh"][name] for name in bill.in_order(mark["registers_wh"])},
        "m3" if counts_water(meter) else "kWh", int(holder.body.get("multiplier") or meter.multiplier),
        int(holder.body.get("full_scale_wh") or 0),
    )  # fmt: skip


def pairs(found: Booked, words: Mapping[str, Any] | None = None) -> list[Pair]:
    """Each register beside the right one, as far as that is known."""
    made = []
    for name, wrong in found.registers.items():
        right = _amount((words or {}).get(name))
        made.append(Pair(name, wrong, right, None if right is None else (right - wrong) * found.multiplier))
    return made


def mistakes(found: Booked, words: Mapping[str, Any]) -> dict[str, str]:
    """What the gateway would refuse of what was typed, as far as it is known here."""
    full, wrong = found.full_scale_wh, {}
    for pair in pairs(found, words):
        if full and pair.right is not None and pair.right >= full:
            wrong[pair.register] = t("The meter counts to {n} only (R20).", n=quantity(full, found.unit))
    if not wrong and all(pair.right == pair.wrong for pair in pairs(found, words)):
        wrong["form"] = t("These are the registers that stand in the book already (R12).")
    return wrong


def beside(history: History, meter: MeterRow | None, body: Mapping[str, Any]) -> tuple[Booked, list[Pair]] | None:
    """A proposal's registers beside those of the book; None where these cannot be told any more."""
    if meter is None:
        return None
    try:
        found = booked(history, meter)
    except NotNow:
        return None
    named = {name for name in REGISTERS if body.get(name) is not None}
    fits = found.entry.id == body.get("entry") and named == found.registers.keys()
    return (found, pairs(found, body)) if fits else None


def _amount(text: object) -> int | None:
    try:
        return amount_wh(text) if isinstance(text, str) else None
    except ValueError:
        return None
