"""Where a charge ends: the instant its day asks for, and registers that follow from what stands behind them (R24).

Frozen and border registers are read again from frames (`frames.py`). A load record too; an interpolation is worked out
again between the two readings it names, an estimate from the meter's last seven days.
"""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.units import exact_of_micros, instant_of_micros, instant_text, micros_of, micros_of_text
from edge import model
from edge.audit import frames
from edge.audit.kept import Kept
from edge.audit.lie import Report, Wrong, must
from edge.audit.repricing import Repricing
from edge.billing.spans import GUESSED, INTERPOLATED, NEAR_US, Rules
from edge.billing.tariff import local_midnight
from edge.borders import BORDER_S
from edge.charged import mark_of
from edge.fallbacks import ESTIMATED_AT_MOST
from edge.guesses import estimated, interpolated
from edge.load_record import SOURCE as LOAD_RECORD
from edge.nearby import SETTLED_US, WITHIN
from edge.pricing import mark_body
from edge.state import AccountState, Mark, MeterState, State

Fields = dict[str, Any]

BORDER_US, WITHIN_US = BORDER_S * 1_000_000, WITHIN // timedelta(microseconds=1)

READ = "read"


@lru_cache(maxsize=1024)  # A day ends for all meters at once.
def _day_ends(day: str, zone: ZoneInfo) -> tuple[int, str]:
    """The midnight after a local day: microseconds, and as an entry holds it."""
    at = micros_of(local_midnight(date.fromisoformat(day) + timedelta(days=1), zone))
    return at, exact_of_micros(at)


class Ends:
    """The ends of one book's charges, against its state before them."""

    def __init__(self, state: State, zone: ZoneInfo, pricing: Repricing, report: Report, kept: Kept):
        self._state, self._zone, self._pricing, self._report, self._kept = state, zone, pricing, report, kept

    def check(self, account: AccountState, meter: MeterState, unit: str, id: str, fields: Fields) -> None:
        """Raises Wrong."""
        end, source = fields["end"], fields["end"]["source"]
        if id == f"charge:{meter.id}:{fields['date']}":
            self._at_midnight(fields["date"], end, source)
        elif id == f"charge:{meter.id}:exit:{account.id}":
            must(source, READ, "how its end was obtained")
        if source in ("border", READ):
            must(end["read_at"], instant_text(instant_of_micros(micros_of_text(end["at"]))), "its read_at")
        if source == LOAD_RECORD:
            frames.recorded(meter.row, end, self._zone, "its end")
            self._report.count("load records read again")
        elif source in GUESSED:
            must(end["frames"], [], "its frames")
            (self._interpolated if source == INTERPOLATED else self._estimated)(account, meter, unit, fields)

    def _at_midnight(self, day: str, end: Fields, source: str) -> None:
        at, text = _day_ends(day, self._zone)
        if source == "border":
            if abs(micros_of_text(end["at"]) - at) > BORDER_US:
                raise Wrong(f"its end was read at {end['at']}", f"within {BORDER_S} s of {text}")
        elif source in (frames.FREEZE, LOAD_RECORD, *GUESSED):
            must(end["at"], text, "where its day ends")
        else:
            raise Wrong(f"its end was obtained as {source!r}", "a register of that midnight")

    # --- guesses ---

    def _rests_on(self, meter: MeterState, marks: list[Mark], end: Fields, at: int) -> None:
        """Readings are what the sweeps have; the charged register is that of the last charge. Interpolated is between
        sweeps that were saved; an estimate may rest on a newer reading."""
        assert meter.billed is not None
        for mark in marks:
            if mark.source == READ:
                self._kept.look(meter.id, mark, at + WITHIN_US + SETTLED_US, end["source"] == INTERPOLATED)
            else:
                must(mark_body(mark), mark_body(meter.billed), "what its end rests on")
        must(end["read_at"], instant_text(instant_of_micros(max(mark.at for mark in marks))), "its read_at")

    def _interpolated(self, account: AccountState, meter: MeterState, unit: str, fields: Fields) -> None:
        end, billed = fields["end"], meter.billed
        assert billed is not None
        at = micros_of_text(end["at"])
        before, after = (mark_of(each) for each in end["rests_on"])
        newer = before.source == READ and billed.at < before.at
        if not at - WITHIN_US <= before.at <= at < after.at <= at + WITHIN_US or after.source != READ or not (
            newer or (before == billed and billed.source not in GUESSED)
        ):  # fmt: skip
            raise Wrong("its end rests on readings that do not lie around it", "one within two hours on each side")
        self._rests_on(meter, [before, after], end, at)
        borders = self._pricing.told_by_borders(account, meter, unit, billed.at, at)
        rules = Rules(self._pricing.pricing.versions(account, unit), self._zone, self._state.days, borders)
        own = interpolated([before, after], at, rules, model.of_row(meter.row).full_scale_wh)
        self._same(end, own, "interpolated registers worked out again")

    def _estimated(self, account: AccountState, meter: MeterState, unit: str, fields: Fields) -> None:
        end, billed = fields["end"], meter.billed
        assert billed is not None
        at = micros_of_text(end["at"])
        must(end["days"], meter.days, "the days that its end rests on")
        first = instant_of_micros(billed.at + NEAR_US).astimezone(self._zone).date()
        days = (instant_of_micros(at).astimezone(self._zone).date() - first).days
        if (row := meter.estimated_days + days) > ESTIMATED_AT_MOST:
            raise Wrong(f"it would be day {row} in a row that is estimated", f"at most {ESTIMATED_AT_MOST} (R24)")
        base, *rest = (mark_of(each) for each in end["rests_on"])
        later = rest[0] if len(rest) == 1 else None
        if len(rest) > 1 or (later is not None and (later.at <= at or later.source != READ)):
            raise Wrong("its end rests on readings that do not lie around it", "one before it, perhaps one after it")
        if base != billed and not (base.source == READ and billed.at < base.at <= at):
            raise Wrong("its end does not go on from a reading", f"from {billed.registers_wh}, or from a later reading")
        self._rests_on(meter, [base, *rest], end, at)
        full = model.of_row(meter.row).full_scale_wh
        own = estimated(base, later, meter.days, at, full, flows=meter.known != "open")
        self._same(end, own, "estimates worked out again")

    def _same(self, end: Fields, own: Mark | None, what: str) -> None:
        if own is None:
            raise Wrong(f"its end cannot be had from what it rests on ({end['source']})", "no such charge")
        must(end["registers_wh"], own.registers_wh, "its end, by what it rests on,")
        self._report.count(what)
