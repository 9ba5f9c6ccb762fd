"""Reads a worked example, tests/edge/ledgers/NN-name.txt: a sentence, how its sum is made, a rule of dashes, then
headings with rows. What it does not understand it refuses with the line's number; it guesses nothing.

    Price 1 from 2026-01-01 00:00     Meter a101                             Charge a101 from ... to ...
      all hours 1.05                    multiplier 1, full scale 100000.000    price 1 rate total 2.000 kWh x 1.05 = 2.1
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from zoneinfo import ZoneInfo

from edge.state import Counter, Mark
from tests.edge.ledger_prices import PriceRows, scaled
from tests.edge.ledger_sheet import ChargeSheet, DaySheet, Ledger, LineSheet, MeterSheet

AT = r"(\d{4}-\d\d-\d\d \d\d:\d\d(?::\d\d)?(?: again)?)"
DAY, WH, NUMBER, MONEY = r"(\d{4}-\d\d-\d\d)", r"(-?\d+\.\d{3})", r"(-?\d+\.\d{2,6})", r"(-?\d+\.\d{2,9})"
SOURCES = {"opening", "freeze", "border", "read", "load-record", "final", "estimate", "interpolated"}

ROWS: dict[str, list[tuple[str, str]]] = {
    "": [
        (r"Place (\S+)", "place"), (r"Counts (kWh|m3)", "counts"), (r"Through a whole gateway", "gateway"),
        (rf"Gateway off from {AT} to {AT}", "off"),
        (rf"Price (\d+) from {AT}", "price"), (r"Calendar", "calendar"), (r"Account", "account"),
        (r"Meter (\S+)", "meter"), (rf"Charge (\S+) from {AT} to {AT}", "charge"), (rf"Day {DAY}", "day"),
        (rf"In all {MONEY}, in full (-?\d+\.\d{{9}})", "in_all"),
    ],
    "price": [
        (rf"all hours {NUMBER}", "single"), (rf"(sharp|peak|flat|valley|deep) {NUMBER}", "rate"),
        (r"(?:every day|other days): (.+)", "windows"), (r"((?:from|on) [^:]+): (.+)", "table"),
        (rf"step (\d+) above {WH}: {NUMBER} more", "step"),
        (r"steps begin anew on day (\d+) of every month", "monthly"),
        (r"steps begin anew on (\d\d)-(\d\d) of every year", "yearly"),
        (r"who moves in has the steps (in full|by the days left)", "moving_in"),
        (rf"surcharge (\S+) {NUMBER}(?: for category (\S+))?", "surcharge"), (rf"daily fee {MONEY}", "fee"),
    ],
    "calendar": [(rf"holiday {DAY}", "holiday"), (rf"worked {DAY}", "worked")],
    "account": [
        (rf"moved in {DAY}", "moved_in"), (r"category (\S+)", "category"), (rf"money {MONEY}", "money"),
        (rf"used {WH} since {DAY}", "used"),
    ],
    "meter": [
        (rf"multiplier (\d+), full scale {WH}", "plate"), (r"hours by (registers|borders)", "hours"),
        (rf"{AT}((?: [a-z]+ -?\d+\.\d{{3}})+) (\S+)", "reading"),
    ],
    "charge": [
        (rf"price (\d+) (rate|step|surcharge) (\S+) {WH} (kWh|m3) x {NUMBER} = {MONEY}", "line"),
        (rf"between {AT}((?: [a-z]+ -?\d+\.\d{{3}})+) (\S+)", "between"), (r"marked (\S+(?:, \S+)*)", "marked"),
        (rf"sum {MONEY}, in full (-?\d+\.\d{{9}})", "sum"), (rf"used {WH} since {DAY}", "used_after"),
        (r"refused by (R\d+)", "refused"),
    ],
    "day": [
        (rf"daily fee {MONEY}", "day_fee"), (rf"opens with {MONEY}, closes with {MONEY}", "opens"),
        (r"without (\S+)", "without"),
    ],
}  # fmt: skip
"""Heading (none for the headings themselves), and the rows that may stand below it."""


class Unreadable(ValueError):
    """A ledger says something that is not understood; the line's number and the line are told."""


def load(path: Path) -> Ledger:
    """Read one worked example. Raises Unreadable."""
    return read(path.read_text(encoding="utf-8"))


def read(text: str) -> Ledger:
    """The same of its text. Raises Unreadable."""
    lines = text.splitlines()
    rule = next((n for n, line in enumerate(lines) if set(line) == {"-"}), None)
    if rule is None:
        raise Unreadable("line 1: a rule of dashes must divide the words from the figures")
    reader = _Reader()
    reader.ledger.title, reader.ledger.how = lines[0], " ".join(lines[1:rule]).strip()
    for number, line in enumerate(lines[rule + 1 :], rule + 2):
        if line.strip():
            try:
                reader.take(line)
            except (ValueError, KeyError, IndexError, ArithmeticError) as trouble:
                raise Unreadable(f"line {number}: {line.strip()!r}: {trouble}") from trouble
    if not lines[0].endswith(".") or "How the sum is made:" not in reader.ledger.how or reader.ledger.since is None:
        raise Unreadable("line 1: a sentence, how the sum is made, and since when the account is there must be told")
    return reader.ledger


class _Reader(PriceRows):
    """Takes line after line; `_heading` is the one that the next rows belong to."""

    def __init__(self) -> None:
        super().__init__()
        self._heading = ""

    def take(self, line: str) -> None:
        indented = line.startswith("  ")
        if not indented:
            self._heading = ""
        for pattern, name in ROWS[self._heading if indented and self._heading else ""]:
            if indented == bool(self._heading) and (found := re.fullmatch(pattern, " ".join(line.split()))):
                row: Callable[..., None] = getattr(self, f"_{name}")
                row(*found.groups())
                if not indented and name in ROWS:
                    self._heading = name
                return
        raise ValueError(f"this is no row of {self._heading!r}" if indented else "this is no heading")

    def _place(self, zone: str) -> None:
        self.ledger.zone = ZoneInfo(zone)

    def _counts(self, unit: str) -> None:
        self.ledger.unit = unit

    def _gateway(self) -> None:
        self.ledger.gateway = True

    def _off(self, first: str, last: str) -> None:
        self.ledger.off = (self._at(first), self._at(last))

    def _in_all(self, fen: str, full: str) -> None:
        self.ledger.all_fen, self.ledger.all_nano = scaled(fen, 2), scaled(full, 9)

    # --- account, meters ---

    def _account(self) -> None:
        pass

    def _moved_in(self, day: str) -> None:
        self.ledger.since = date.fromisoformat(day)

    def _category(self, name: str) -> None:
        self.ledger.category = name

    def _money(self, yuan: str) -> None:
        self.ledger.money_nano = scaled(yuan, 9)

    def _used(self, wh: str, since: str) -> None:
        self.ledger.counter = Counter(date.fromisoformat(since), scaled(wh, 3))

    def _meter(self, name: str) -> None:
        self.ledger.meters[name] = MeterSheet()

    def _sheet(self) -> MeterSheet:
        return list(self.ledger.meters.values())[-1]

    def _plate(self, multiplier: str, full: str) -> None:
        self._sheet().multiplier, self._sheet().full_scale_wh = int(multiplier), scaled(full, 3)

    def _hours(self, by: str) -> None:
        self._sheet().borders = by == "borders"

    def _reading(self, at: str, registers: str, source: str) -> None:
        mark = self._mark(at, registers, source)
        if any(mark.at <= before.at for before in self._sheet().marks):
            raise ValueError("readings are told in the order of time")
        self._sheet().marks.append(mark)

    def _mark(self, at: str, registers: str, source: str) -> Mark:
        words = registers.split()
        if source not in SOURCES:
            raise ValueError(f"{source!r} is no way to obtain a reading")
        found = {name: scaled(wh, 3) for name, wh in zip(words[::2], words[1::2], strict=True)}
        return Mark(found, int(self._at(at).timestamp()) * 1_000_000, source)

    # --- what is expected ---

    def _charge(self, meter: str, first: str, last: str) -> None:
        self.ledger.charges.append(ChargeSheet(meter, self._at(first), self._at(last)))
        self.ledger.meters[meter].between(self._at(first), self._at(last))

    def _line(self, version: str, kind: str, name: str, wh: str, unit: str, price: str, amount: str) -> None:
        line = LineSheet(int(version), kind, name, scaled(wh, 3), scaled(price, 6), scaled(amount, 9))
        if line.wh * line.price_micro != line.amount_nano or unit != self.ledger.unit:
            raise ValueError("the quantity times the price is not the amount")
        self.ledger.charges[-1].lines.append(line)

    def _between(self, at: str, registers: str, source: str) -> None:
        self.ledger.charges[-1].between.append(self._mark(at, registers, source))

    def _marked(self, words: str) -> None:
        self.ledger.charges[-1].guessed = words.split(", ")

    def _sum(self, fen: str, full: str) -> None:
        charge = self.ledger.charges[-1]
        charge.sum_fen, charge.sum_nano = scaled(fen, 2), scaled(full, 9)

    def _used_after(self, wh: str, since: str) -> None:
        self.ledger.charges[-1].counter = Counter(date.fromisoformat(since), scaled(wh, 3))

    def _refused(self, rule: str) -> None:
        self.ledger.charges[-1].refused = rule

    def _day(self, day: str) -> None:
        self.ledger.closings.append(DaySheet(date.fromisoformat(day)))

    def _day_fee(self, yuan: str) -> None:
        self.ledger.closings[-1].fees_nano.append(scaled(yuan, 9))

    def _opens(self, opening: str, closing: str) -> None:
        day = self.ledger.closings[-1]
        day.opening_nano, day.closing_nano = scaled(opening, 9), scaled(closing, 9)

    def _without(self, meter: str) -> None:
        self.ledger.closings[-1].deferred.append(meter)
