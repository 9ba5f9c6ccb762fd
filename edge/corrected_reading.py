"""A register that was charged and turns out wrong is put right by one entry, and the next charge goes on from there.

Only the newest register a meter was charged to can be: what lies before it is in later charges as well, and for that
there are compensation and deduction (R12). The difference is charged, or given back, at the price of the moment before
the register's instant, on the step the account stands at, as an estimate is trued up.
"""

from __future__ import annotations

from typing import Any

from bridge.contract.entries import CHARGES, REPLACED
from bridge.contract.site_prices import amount_wh
from bridge.contract.units import RATES, exact_of_micros, instant_of_micros, kwh_text, micros_of, micros_of_text
from edge import gate
from edge.asked import Refusal
from edge.billing.rating import NotRatable
from edge.billing.spans import used_wh
from edge.charge_body import priced_body
from edge.core import Core
from edge.entry import Entry
from edge.pricing import CORRECTED, mark_body, moment_before
from edge.state import AccountState, Counter, Mark, MeterState, Registers

REGISTERS = ("total", *RATES)


class CorrectedReading:
    """Works out what such an entry says; writes nothing."""

    def __init__(self, core: Core):
        self._core = core

    def fields(self, account: AccountState, words: dict[str, Any]) -> dict[str, Any]:
        """All of the entry that is not a word of the request. Raises Refusal."""
        core, meter = self._core, self._meter(account, words["meter"])
        billed, model = meter.billed, core.lives[meter.id].model
        original = core.book.find(words["entry"])
        if original is None or original.fields.get("meter") != meter.id:
            raise Refusal("R12", f"there is no charge or opening {words['entry'][:64]!r} of meter {meter.id}")
        if billed is None or _ends_at(original) != billed.at or self._counts_anew(meter, original):
            raise Refusal(
                "R12",
                f"{original.id} is not the newest register of meter {meter.id}; "
                "put an older one right by a compensation or a deduction",
            )
        right = self._registers(words, billed.registers_wh, model.full_scale_wh)
        self._plausible(meter, original, Mark(right, billed.at, CORRECTED))
        unit, borders = core.balances.unit(meter), original.fields.get("by") == "borders"
        try:
            priced = core.pricing.put_right(
                account, meter, right, model.full_scale_wh,
                unit=unit, borders=borders, charged=original.kind in CHARGES,
            )  # fmt: skip
        except NotRatable as trouble:
            rule, _, sentence = str(trouble).partition(": ")
            raise Refusal(rule, sentence) from None
        version = core.pricing.version_at(account, instant_of_micros(moment_before(billed)), unit)
        before, posted_nano = account.counters.get(unit, Counter()), core.state.posted_nano(account.id)
        return {
            "start": mark_body(billed),
            "between": [],
            "end": {"registers_wh": right, "at": exact_of_micros(billed.at), "source": CORRECTED},
            "guessed": [],
            **priced_body(account.id, meter, unit, priced, version, model.full_scale_wh, borders, before, posted_nano),
        }

    def _meter(self, account: AccountState, id: str) -> MeterState:
        meter = self._core.state.meters.get(id)
        if meter is None or id not in account.meters:
            raise Refusal("R12", f"meter {id[:32]!r} is none of account {account.id}")
        return meter

    def _counts_anew(self, meter: MeterState, original: Entry) -> bool:
        """Whether the meter was replaced or its multiplier changed since: it goes on from there (R22, R23)."""
        since = self._core.book.entries(original.seq + 1)
        return any(each.kind in REPLACED and each.fields["meter"] == meter.id for each in since)

    def _registers(self, words: dict[str, Any], known: Registers, full_scale_wh: int) -> Registers:
        """The registers as they were typed, all that the wrong ones had and no other. Raises Refusal."""
        found: Registers = {}
        for name in REGISTERS:
            if (text := words.get(name)) is not None:
                try:
                    found[name] = amount_wh(text)
                except ValueError as trouble:
                    raise Refusal("R7", f"{name}: {trouble}") from None
                if found[name] >= full_scale_wh:
                    raise Refusal("R20", f"{name}: the meter counts to {kwh_text(full_scale_wh)} only")
        if found.keys() != known.keys():
            names = ", ".join(name for name in REGISTERS if name in known)
            raise Refusal("R12", f"give each register that stands in the book, and no other: {names}")
        if found == known:
            raise Refusal("R12", "the book says that already")
        return found

    def _plausible(self, meter: MeterState, original: Entry, right: Mark) -> None:
        """Between what was charged before and what the meter has said since. Raises Refusal."""
        live = self._core.lives[meter.id]
        model, sample = live.model, live.sample or live.floor
        spans = []
        if original.kind in CHARGES:
            begins = original.fields["start"]
            spans.append((Mark(begins["registers_wh"], micros_of_text(begins["at"]), begins["source"]), right))
            offset_wh = gate.rates_apart_wh(model, begins["registers_wh"])
            if (moved := gate.rates_moved(model, right.registers_wh, offset_wh)) is not None:
                raise Refusal("R28", moved)
        if sample is not None and sample.told and (at := micros_of(sample.read_at)) > right.at:
            spans.append((right, Mark(sample.registers_wh, at, "read")))
        spans += [(right, border) for border in meter.borders if border.at > right.at]
        for start, end in spans:
            ceiling_wh = gate.ceiling_wh(model, (end.at - start.at) // 1_000_000)
            for name in sorted(start.registers_wh.keys() & end.registers_wh.keys()):
                try:
                    used = used_wh(start, end, name, model.full_scale_wh)
                except NotRatable as trouble:
                    raise Refusal("R20", str(trouble).partition(": ")[2]) from None
                if used > ceiling_wh:
                    raise Refusal(
                        "R21", f"the register {name} would have risen by {used} Wh, more than the meter can carry"
                    )


def _ends_at(entry: Entry) -> int | None:
    """The instant of the register that an entry brought a meter to; None for one that brings it nowhere."""
    fields = entry.fields
    found = fields["end"] if entry.kind in CHARGES else fields if entry.kind == "opening/1" else None
    return None if found is None else micros_of_text(found["at"])
