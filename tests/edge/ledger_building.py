"""A worked example lived through: the demo's meter a101 shows the readings of a ledger, and a gateway charges them."""

from __future__ import annotations

from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

from bridge.contract.entries import BROUGHT_IN, TENANT
from bridge.contract.site import Site
from bridge.contract.units import instant_exact, instant_of_micros
from edge.billing.tariff import Version, Windows
from edge.state import Mark
from firmware_sim.loads import Load
from firmware_sim.metrology import STEP_WUS
from tests.edge.building import Building
from tests.edge.ledger_sheet import Ledger

RATES = ("sharp", "peak", "flat", "valley")

BEFORE = timedelta(minutes=10)
"""So long before a midnight the display has come to what it must show then: nothing is used in between."""

PARTS = 24
"""In so many steps it comes there: a step that no load can make would be set aside (R21)."""


class LedgerBuilding(Building):
    """The demo's first line with its meter a101, and one tenant of the ledger's."""

    def __init__(self, directory: Path, ledger: Ledger):
        self.ledger = ledger
        self.marks = ledger.meters["a101"].marks
        super().__init__(
            directory, meters={"a101"}, start=instant_of_micros(self.marks[0].at), poll_s=300, idle_s=10
        )  # fmt: skip
        self.sim_meter("a101").metrology.load = Load("constant", 0, 1, ledger.zone)
        self.show(self.marks[0])
        self._let()

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        return Site.model_validate(tables | {"accounts": []})

    def _let(self) -> None:
        """The tenant moves in, before the meter is read for the first time."""
        versions = [("tariff/2", f"tariff:ledger:{each.version}", tariff_body(each)) for each in self.ledger.versions]
        money = self.ledger.money_nano or 0
        account = {
            "account": "t101", "name": "T101", "room": "A101", "phone": None, "tariff": "ledger", "meters": ["a101"],
            "category": self.ledger.category, "since": instant_exact(self.clock.now()), "by": "site file",
        }  # fmt: skip
        moves = [{"from": BROUGHT_IN, "to": TENANT + "t101", "amount_nano": money}]
        brought = {"account": "t101", "moves": moves, "balance_after_nano": money, "by": "site file"}
        self.edge.core.append(
            *versions, ("account/1", "account:t101", account), ("opening-balance/1", "opening-balance:t101", brought)
        )

    def show(self, mark: Mark) -> None:
        """The meter's display, in steps of 10 Wh."""
        metrology = self.sim_meter("a101").metrology
        metrology.total_wus = mark.registers_wh["total"] // 10 * STEP_WUS
        metrology.rates_wus = [mark.registers_wh[name] // 10 * STEP_WUS for name in RATES]

    def live_until(self, at: datetime) -> None:
        """Time passes; without power the meter runs on alone."""
        while self.clock.now() < at:
            off = self.ledger.off
            if off is None or not off[0] <= self.clock.now() < off[1]:
                if not self._powered:
                    self.start_edge()
                    self._powered = True
                border = at if off is None or self.clock.now() >= off[1] else min(at, off[0])
                self.run(seconds=(border - self.clock.now()).total_seconds())
            else:
                if self._powered:
                    self.stop_edge()
                    self._powered = False
                self.clock.advance((min(at, off[1]) - self.clock.now()).total_seconds())
                self.sim_meter("a101").advance(self.clock.now())

    _powered = True


def close(ledger: Ledger, directory: Path) -> Building:
    """Live through a ledger, until its last midnight is charged."""
    building = LedgerBuilding(directory, ledger)
    for before, mark in pairwise(building.marks):
        for part in range(1, PARTS + 1):
            building.live_until(instant_of_micros(before.at + (mark.at - before.at) * part // PARTS) - BEFORE)
            building.show(between(before, mark, part))
        building.live_until(instant_of_micros(mark.at) + timedelta(minutes=30))
    if ledger.off is not None:
        building.live_until(ledger.off[1] + timedelta(minutes=30))
    return building


def between(before: Mark, after: Mark, part: int) -> Mark:
    """What the meter shows after some of its steps from one mark to the next."""
    rise = {name: after.registers_wh[name] - wh for name, wh in before.registers_wh.items()}
    registers = {name: wh + rise[name] * part // PARTS for name, wh in before.registers_wh.items()}
    return Mark(registers, after.at, after.source)


def tariff_body(version: Version) -> dict[str, Any]:
    """A version as its entry in the book holds it."""
    steps = version.steps
    return {
        "tariff": "ledger", "name": version.name, "version": version.version, "by": "site file",
        "effective_at": instant_exact(version.effective_at), "price_kind": version.kind, "unit": version.unit,
        "prices_micro": version.prices_micro, "windows": _rows(version.windows),
        "tables": [
            {"windows": _rows(each.windows), "seasons": each.seasons, "days": sorted(each.days)}
            for each in version.tables
        ],
        "steps": None if steps is None else {
            "period": steps.period, "month": steps.month, "day": steps.day, "moving_in": steps.moving_in,
            "steps": [{"above_wh": each.above_wh, "add_micro": each.add_micro} for each in steps.steps],
        },
        "surcharges": [
            {"name": each.name, "micro": each.micro, "category": each.category} for each in version.surcharges
        ],
        "daily_fee_nano": version.daily_fee_nano,
    }  # fmt: skip


def _rows(windows: Windows) -> list[dict[str, Any]]:
    return [{"from": first, "to": last, "rate": rate} for first, last, rate in windows]
