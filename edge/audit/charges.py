"""A charge, a fee: each worked out again from the state before it, and compared field by field (I2, I3, I15)."""

from __future__ import annotations

from datetime import date, timedelta
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.entries import CHARGES, FEES, TENANT
from bridge.contract.site_prices import amount_wh
from bridge.contract.units import micros_of, micros_of_text
from edge import model
from edge.audit import frames, meters
from edge.audit.ends import Ends
from edge.audit.kept import Kept
from edge.audit.lie import Report, Wrong, must
from edge.audit.repricing import Repricing
from edge.billing import rating
from edge.billing.rating import RATE, NotRatable
from edge.billing.spans import GUESSED
from edge.billing.tariff import Version, local_midnight
from edge.book import Entry
from edge.charge_body import income_of, moves_of
from edge.pricing import CORRECTED, ENERGY, WATER, counter_body, line_body, mark_body, moment_before
from edge.state import AccountState, Counter, Mark, MeterState, State

Fields = dict[str, Any]


class Charges:
    """Charges and fees of one book, against its state so far."""

    def __init__(self, state: State, zone: ZoneInfo, pricing: Repricing, report: Report, kept: Kept):
        self._state, self._zone, self.pricing, self._report = state, zone, pricing, report
        self._ends = Ends(state, zone, pricing, report, kept)

    def charge(self, id: str, kind: str, fields: Fields) -> None:
        """Check a charge before it is folded. Raises Wrong, or KeyError for a field that is not there."""
        account, meter = self._who(fields)
        start, end = fields["start"], fields["end"]
        if meter.billed is None:
            raise Wrong("its meter has no opening register (R19)", "an opening/1 before the first charge")
        if meter.quarantined is not None:
            raise Wrong("its meter's reading is set aside (I15)", "a release/1 before the next charge")
        must(start, mark_body(meter.billed), "where it starts")
        unit = _unit(meter)
        must(fields.get("unit", ENERGY), unit, "its unit")
        last = meters.last_charge(self._state, meter, id, end)
        if "date" in fields and not last and id not in (
            own := f"charge:{meter.id}:{fields['date']}", f"charge:{meter.id}:exit:{account.id}"
        ):  # fmt: skip
            raise Wrong(f"its id is {id!r}", f"{own!r}")
        at = micros_of_text(end["at"])
        if at <= meter.billed.at:
            raise Wrong(f"it ends at {end['at']}, before it starts", f"later than {start['at']}")
        must(fields["multiplier"], meter.multiplier, "its multiplier")
        if frames.check(meter.row, end, self._zone, "its end"):
            self._report.count("registers read again from raw frames")
        mark = Mark(end["registers_wh"], at, end["source"])
        if kind == "charge/2":
            self._ends.check(account, meter, unit, id, fields)
        amount = (self._priced_now if kind == "charge/2" else self._priced_once)(account, meter, mark, fields)
        if "date" in fields:
            self._days(start, fields)
        _money(account, unit, fields, amount)

    def reading_correction(self, fields: Fields, original: Entry) -> None:
        """Check that the register of a charge or opening was put right at its price, before it is folded. Raises
        Wrong."""
        account, meter = self._who(fields)
        if meter.billed is None:
            raise Wrong("its meter has no register that could be wrong", "an opening/1 or a charge before it")
        start, end, kind = fields["start"], fields["end"], model.of_row(meter.row)
        must(start, mark_body(meter.billed), "the register that was wrong")
        must(end["at"], start["at"], "when its right register is of")
        must(end["registers_wh"], {name: amount_wh(fields[name]) for name in start["registers_wh"]}, "what was typed")
        must(end["source"], CORRECTED, "its source")
        told = original.fields["end"] if original.kind in CHARGES else original.fields
        must((original.fields["meter"], told["at"]), (meter.id, start["at"]), "the entry that was wrong")
        borders = original.fields.get("by") == "borders"
        must(fields["by"], "borders" if borders else "registers", "how its hours are told apart")
        must(fields["multiplier"], meter.multiplier, "its multiplier")
        unit = _unit(meter)
        must(fields["unit"], unit, "its unit")
        self._priced_by(account, unit, moment_before(meter.billed), kind.full_scale_wh, fields)
        try:
            priced = self.pricing.pricing.put_right(
                account, meter, end["registers_wh"], kind.full_scale_wh,
                unit=unit, borders=borders, charged=original.kind in CHARGES,
            )  # fmt: skip
        except NotRatable as trouble:
            raise Wrong(f"it cannot be charged: {trouble}", "no correction") from None
        must((fields["between"], fields["guessed"]), ([], []), "what it has between, and what it says was guessed")
        amount = _comes_to(fields, [line_body(line) for line in priced.lines], priced.counter)
        _money(account, unit, fields, amount)

    def _days(self, start: Fields, fields: Fields) -> None:
        spans = _days_between(start["at"], fields["date"], self._zone)
        if fields["days"] not in spans:
            raise Wrong(f"its days is {fields['days']!r}", spans[0])

    def _who(self, fields: Fields) -> tuple[AccountState, MeterState]:
        account = self._state.accounts.get(fields["account"])
        if account is None:
            raise Wrong(f"there is no account {fields['account']!r}", "an account/1 before it")
        meter = self._state.meters.get(fields["meter"])
        if meter is None:
            raise Wrong(f"there is no meter {fields['meter']!r}", "a meter/1 before it")
        if meter.account != account.id or meter.id not in account.meters:
            raise Wrong(f"meter {meter.id} does not belong to account {account.id}", f"account {meter.account}")
        return account, meter

    def _priced_by(self, account: AccountState, unit: str, at: int, full_scale_wh: int, fields: Fields) -> None:
        """The scale, the price in force at `at`, the step counter before."""
        must(fields["full_scale_wh"], full_scale_wh, "its full_scale_wh")
        version = self.pricing.version_at(account, at, unit)
        named = (fields["tariff"], fields["tariff_name"], fields["version"])
        must(named, (version.tariff, version.name, version.version), "its price")
        must(fields["counter_before"], counter_body(account.counters.get(unit, Counter())), "its step counter before")

    def _priced_now(self, account: AccountState, meter: MeterState, end: Mark, fields: Fields) -> int:
        kind, start = model.of_row(meter.row), meter.billed
        assert start is not None
        unit = fields["unit"]
        self._priced_by(account, unit, start.at, kind.full_scale_wh, fields)
        borders = self.pricing.told_by_borders(account, meter, unit, start.at, end.at)
        must(fields["by"], "borders" if borders else "registers", "how its hours are told apart")
        between = [each for each in meter.borders if start.at < each.at < end.at]
        try:
            lines, counter, marks = self.pricing.charge(
                account, [start, *between, end], meter.multiplier, kind.full_scale_wh, unit, borders
            )
        except NotRatable as trouble:
            raise Wrong(f"it cannot be charged: {trouble}", "no charge") from None
        must(fields["between"], [mark_body(each) for each in marks[1:-1]], "its readings between")
        guessed = sorted({mark.source for mark in marks} & set(GUESSED))
        must(fields["guessed"], guessed, "what it says was guessed")
        return _comes_to(fields, lines, counter)

    def _priced_once(self, account: AccountState, meter: MeterState, end: Mark, fields: Fields) -> int:
        """A charge of the first kind: one version for the whole span, by the registers that the price names."""
        start, full = meter.billed, model.of_row(meter.row).full_scale_wh
        assert start is not None
        version = self.pricing.version_at(account, start.at, ENERGY)
        must((fields["tariff"], fields["version"]), (version.tariff, version.version), "its price")
        try:
            lines = rating.rate(start.registers_wh, end.registers_wh, meter.multiplier, full, version)
        except NotRatable as trouble:
            raise Wrong(f"it cannot be charged: {trouble}", "no charge") from None
        told = [{key: line[key] for key in ("rate", "wh", "price_micro", "amount_nano")} for line in fields["lines"]]
        _same_lines(told, [
            {"rate": line.rate, "wh": line.wh, "price_micro": line.price_micro, "amount_nano": line.amount_nano}
            for line in lines
        ])  # fmt: skip
        must(fields["wh"], rating.energy_wh(lines), "its wh")
        return rating.amount_nano(lines)

    # --- fees ---

    def fee(self, id: str, fields: Fields) -> None:
        """Check a day's fixed fee before it is folded. Raises Wrong."""
        account = self._state.accounts.get(fields["account"])
        if account is None:
            raise Wrong(f"there is no account {fields['account']!r}", "an account/1 before it")
        must(id, f"fee:{account.id}:{fields['date']}:{fields['unit']}", "its id")
        day, unit = date.fromisoformat(fields["date"]), fields["unit"]
        amount = self.fee_nano(account, day, unit)
        must(fields["amount_nano"], amount, "its amount_nano")
        if amount:
            version = self._version_of_fee(account, day, unit)
            named = (fields["tariff"], fields["tariff_name"], fields["version"])
            must(named, (version.tariff, version.name, version.version), "its price")
        must(fields["moves"], moves_of(TENANT + account.id, FEES, amount), "its moves")

    def fee_nano(self, account: AccountState, day: date, unit: str) -> int:
        """The fee of a day, by the price with which it began; 0 where there is none."""
        if not self.pricing.owes_fees(account, unit):
            return 0
        return self._version_of_fee(account, day, unit).daily_fee_nano

    def _version_of_fee(self, account: AccountState, day: date, unit: str) -> Version:
        begins = max(local_midnight(day, self._zone), frames.instant(account.row["since"]))
        return self.pricing.version_at(account, micros_of(begins), unit)


@lru_cache(maxsize=1024)
def _days_between(start: str, last: str, zone: ZoneInfo) -> list[int]:
    """How many local days a charge spans; one that starts within a minute before midnight starts with that midnight."""
    day, at = date.fromisoformat(last), frames.instant(start)
    firsts = {(at + near).astimezone(zone).date() for near in (timedelta(0), timedelta(seconds=60))}
    return [max((day - first).days + 1, 1) for first in sorted(firsts)]


def _unit(meter: MeterState) -> str:
    return WATER if model.of_row(meter.row).quantity == "volume" else ENERGY


def _comes_to(fields: Fields, lines: list[Fields], counter: Counter) -> int:
    """Compare the lines and what hangs on them; returns their amount."""
    _same_lines(fields["lines"], lines)
    must(fields["counter"], counter_body(counter), "its step counter after")
    must(fields["wh"], sum(line["wh"] for line in lines if line["kind"] == RATE), "its wh")
    return sum(line["amount_nano"] for line in lines)


def _money(account: AccountState, unit: str, fields: Fields, amount: int) -> None:
    must(fields["amount_nano"], amount, "its amount_nano")
    must(fields["moves"], moves_of(TENANT + account.id, income_of(unit), amount), "its moves")


def _same_lines(told: list[Fields], expected: list[Fields]) -> None:
    if told == expected:
        return
    must(len(told), len(expected), "the number of its lines")
    for number, (line, own) in enumerate(zip(told, expected, strict=True), 1):
        for key in own:
            must(line.get(key), own[key], f"line {number} ({own['rate']}), {key}:")
        must(line, own, f"line {number}")
