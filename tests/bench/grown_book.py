"""A book of many meters over many days, as the edge would have written it, without an edge: for benches and tests.

Meters freeze their midnights and are charged by hours, with yearly steps, a surcharge and a daily fee; every charge
keeps raw frames that say what it says. One price change a year; every meter's load is its own and random by a seed.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from bridge.contract.clock import ManualClock
from bridge.contract.entries import FEES, TENANT, TILL
from bridge.contract.units import NANO_PER_FEN, instant_exact, instant_text, micros_of
from edge import model
from edge.billing.tariff import Version, local_midnight
from edge.book import Book
from edge.charge_body import priced_body
from edge.codec import dlt645
from edge.codec.dlt645 import Frame
from edge.fold import apply
from edge.pricing import ENERGY, Pricing, mark_body
from edge.state import Counter, Mark, State

ZONE = ZoneInfo("Asia/Shanghai")
RATES = ("sharp", "peak", "flat", "valley")
MODEL = "dlt645-3p"
FULL = model.load(MODEL).full_scale_wh
BEGINS = date(2016, 1, 1)
TOPUP_FEN = 500_00

Draft = tuple[str, str, dict[str, Any]]


class Grown:
    """Writes day after day."""

    def __init__(self, directory: Path, meters: int, begins: date = BEGINS, seed: int = 1, fee_nano: int = 333_333_333):
        self.day, self.dice, self.fee_nano = begins, Random(seed), fee_nano
        start = local_midnight(begins, ZONE) + timedelta(hours=1)
        self.clock = ManualClock(start)
        self.book = Book(directory, self.clock, "boot-1")
        self.book.trusted = True
        self.state = State()
        self.names = [f"m{n:03d}" for n in range(meters)]
        self.registers = {
            name: {"total": 0, **{rate: self.dice.randrange(10**5) * 10 for rate in RATES}} for name in self.names
        }
        for registers in self.registers.values():
            registers["total"] = sum(registers.values())
        self._append(*self._installed(start))
        self.pricing = Pricing(self.state, ZONE)
        self._append(*(self._opened(name, start) for name in self.names))

    def _append(self, *drafts: Draft) -> None:
        for entry in self.book.append(*drafts):
            apply(self.state, entry)

    def _installed(self, start: datetime) -> Iterator[Draft]:
        yield "genesis/1", "genesis", {"gateway": "grown", "name": "Grown", "zone": str(ZONE), "epoch": "0" * 16}
        yield self._tariff(1, start)
        for number, name in enumerate(self.names):
            row = {
                "meter": name, "model": MODEL, "model_name": "three-phase", "protocol": "dlt645-2007", "port": "line-1",
                "address": f"{number:012d}", "serial": f"{number:012d}", "room": name, "floor": "1", "shaft": "A",
                "name": "", "multiplier": 1 + number % 3 * 20, "phases": 3, "max_amps": 60, "volts": 220,
                "relay": "direct", "rates": True, "by": "seed",
            }  # fmt: skip
            yield "meter/1", f"meter:{name}:1", row
            account = {
                "account": f"t{name}", "name": f"商户 {number}", "room": name, "phone": "", "tariff": "shop",
                "meters": [name], "since": instant_exact(start), "by": "seed",
            }  # fmt: skip
            yield "account/1", f"account:t{name}", account

    def _tariff(self, version: int, at: datetime) -> Draft:
        cents = 10_000 * (version % 7)
        prices = {"sharp": 1_387_651, "peak": 1_154_321, "flat": 697_337, "valley": 312_113}
        hours = [
            (0, 480, "valley"),
            (480, 660, "peak"),
            (660, 1080, "flat"),
            (1080, 1260, "sharp"),
            (1260, 1440, "flat"),
        ]
        body = {
            "tariff": "shop", "name": "商铺分时", "version": version, "effective_at": instant_exact(at),
            "price_kind": "tou", "prices_micro": {rate: micro + cents for rate, micro in prices.items()},
            "windows": [{"from": begin, "to": end, "rate": rate} for begin, end, rate in hours], "unit": "kWh",
            "tables": [], "steps": {"period": "year", "month": 1, "day": 1, "moving_in": "full", "steps": [
                {"above_wh": 2_160_000, "add_micro": 50_000}, {"above_wh": 4_200_000, "add_micro": 300_000}]},
            "surcharges": [{"name": "fund", "micro": 27_123, "category": None}], "daily_fee_nano": self.fee_nano,
            "purchase_micro": {}, "by": "seed",
        }  # fmt: skip
        return "tariff/2", f"tariff:shop:{version}", body

    def _frames(self, name: str, item: str, at: datetime) -> list[list[str]]:
        address = self.state.meters[name].row["address"]
        registers = self.registers[name]
        parts = [registers["total"], *(registers[rate] for rate in RATES)]
        energy = b"".join(bytes.fromhex(f"{wh // 10 % 10**8:08d}")[::-1] for wh in parts)
        asked = [(item, energy)]
        if item == "freeze-energy":
            frozen = bytes.fromhex(at.astimezone(ZONE).strftime("%y%m%d%H%M"))[::-1]
            asked = [("freeze-time", frozen), (item, energy)]
        found = []
        for question, value in asked:
            frame = model.load(MODEL).ask(question, address, 1)
            reply = dlt645.encode(Frame(address, 0x91, dlt645.decode(frame).data[:4] + value), 0)
            found.append([frame.hex(), reply.hex()])
        return found

    def _opened(self, name: str, at: datetime) -> Draft:
        body = {
            "meter": name, "serial": self.state.meters[name].row["serial"], "registers_wh": dict(self.registers[name]),
            "at": instant_exact(at), "source": "opening", "frames": self._frames(name, "energy", at),
        }  # fmt: skip
        return "opening/1", f"opening:{name}:{self.book.seq + 1}", body

    def grow(self, days: int) -> None:
        """Close so many days more."""
        for _ in range(days):
            midnight = local_midnight(self.day + timedelta(days=1), ZONE)
            self.clock.advance((midnight + timedelta(seconds=90) - self.clock.now()).total_seconds())
            drafts: list[Draft] = []
            for name in self.names:
                drafts += self._closed(name, midnight)
            self._append(*drafts)
            self.day += timedelta(days=1)
            if (self.day.month, self.day.day) == (7, 1):
                number = len(self.state.tariffs["shop"]) + 1
                self._append(self._tariff(number, self.clock.now() + timedelta(hours=9, minutes=30)))
                self.pricing.refresh()
            if self.day.day == 5:
                self._append(*(self._topup(name, n) for n, name in enumerate(self.names, self.book.seq + 1)))

    def _topup(self, name: str, seq: int) -> Draft:
        nano, account = TOPUP_FEN * NANO_PER_FEN, f"t{name}"
        body = {
            "account": account, "amount_fen": TOPUP_FEN, "method": "cash", "reference": "",
            "receipt": f"{self.day:%Y%m%d}-{seq:06d}", "who": "林芳", "role": "cashier", "request": {},
            "moves": [{"from": TILL + "cash", "to": TENANT + account, "amount_nano": nano}],
            "balance_after_nano": self.state.posted_nano(account) + nano,
        }  # fmt: skip
        return "topup/1", f"panel:top-{name}-{self.day}", body

    def _closed(self, name: str, midnight: datetime) -> Iterator[Draft]:
        meter, account = self.state.meters[name], self.state.accounts[f"t{name}"]
        registers, day = self.registers[name], self.day.isoformat()
        for rate in RATES:
            used = self.dice.randrange(600) * 10
            registers[rate], registers["total"] = registers[rate] + used, registers["total"] + used
        for register in registers:
            registers[register] %= FULL
        start, counters = meter.billed, account.counters
        assert start is not None
        mark = Mark(dict(registers), micros_of(midnight), "freeze")
        priced = self.pricing.charge(
            account, [start, mark], meter.multiplier, FULL, unit=ENERGY, borders=False, counters=counters
        )
        version = self.pricing.version_at(account, datetime.fromtimestamp(start.at / 1e6, UTC))
        posted, before = self.state.posted_nano(account.id), counters.get(ENERGY, Counter())
        end = mark_body(mark) | {
            "read_at": instant_text(self.clock.now()), "frames": self._frames(name, "freeze-energy", midnight)
        }  # fmt: skip
        body = priced_body(account.id, meter, ENERGY, priced, version, FULL, False, before, posted)
        yield "charge/2", f"charge:{name}:{day}", {
            "account": account.id, "meter": name, "start": mark_body(start),
            "between": [mark_body(each) for each in priced.marks[1:-1]], "end": end, "guessed": list(priced.guessed),
            "days": 1, "date": day, **body,
        }  # fmt: skip
        fee, posted = version.daily_fee_nano, body["balance_after_nano"]
        if fee:
            yield self._fee(account.id, day, version, posted - fee)
        yield "closing/1", f"close:{account.id}:{day}", {
            "account": account.id, "date": day, "charges": [f"charge:{name}:{day}"],
            "fees": [f"fee:{account.id}:{day}:kWh"] if fee else [], "deferred": [],
            "opening_nano": account.closing_nano, "closing_nano": posted - fee,
        }  # fmt: skip

    def _fee(self, account: str, day: str, version: Version, posted: int) -> Draft:
        fee = version.daily_fee_nano
        body = {
            "account": account, "date": day, "tariff": version.tariff, "tariff_name": version.name,
            "version": version.version, "unit": ENERGY, "amount_nano": fee,
            "moves": [{"from": TENANT + account, "to": FEES, "amount_nano": fee}], "balance_after_nano": posted,
        }  # fmt: skip
        return "fee/1", f"fee:{account}:{day}:kWh", body


def grow(directory: Path, meters: int, days: int, *, seed: int = 1, fee_nano: int = 333_333_333) -> None:
    """Write the book of `meters` over `days` into an empty directory."""
    grown = Grown(directory, meters, seed=seed, fee_nano=fee_nano)
    grown.grow(days)
    grown.book.close()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A book of many meters over many days.")
    parser.add_argument("directory", type=Path)
    parser.add_argument("--meters", type=int, default=100)
    parser.add_argument("--days", type=int, default=3652)
    parser.add_argument("--fee-nano", type=int, default=333_333_333)
    chosen = parser.parse_args()
    grow(chosen.directory, chosen.meters, chosen.days, fee_nano=chosen.fee_nano)
