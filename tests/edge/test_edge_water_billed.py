"""A tenant whose electricity and water are paid from one wallet: each by its own price, in steps of its own."""

from __future__ import annotations

import copy
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bridge.contract.entries import FEES, INCOME, WATER_INCOME
from bridge.contract.site import Site
from bridge.contract.units import kwh_text
from edge.audit.verify import verify
from tests.edge.building import Building
from tests.edge.pricing import request
from tests.edge.test_edge_moved_by_model import SITE, Box, Shaft, Water

PRICE: dict[str, Any] = {
    "id": "water", "name": "水价", "unit": "m3", "kind": "single", "price": "3.45", "daily_fee": "0.10",
    "steps": {"period": "month", "bounds": [{"above": "2", "add": "1.5"}, {"above": "3", "add": "4"}]},
}  # fmt: skip


class Flat(Shaft):
    """The box's circuit and the water meter of one flat, on one account of a household."""

    def __init__(self, directory: Path):
        self.box, self.water = Box(), Water()
        Building.__init__(self, directory, idle_s=4, start=datetime(2026, 11, 20, 12, tzinfo=UTC))
        self.connect()
        self.run_until(lambda: len(self.of("opening/1")) == 2, hours=0.5)
        self.run(minutes=5)

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = copy.deepcopy(SITE)
        tables["tariffs"].append(PRICE)
        tables["accounts"][0] |= {"meters": ["m1", "w1"], "water_tariff": "water", "category": "home"}
        for port in tables["ports"]:
            port["poll_s"] = 120
        tables["policy"] = {"border_lead_s": 20}
        return Site.model_validate(tables)


def test_water_is_billed_in_litres_by_its_own_price_and_steps(tmp_path: Path) -> None:
    """3.5 m3 within a month: two at 3.45, one at 4.95, a half at 7.45, a daily fee beside it; electricity by its own
    price; and before the bill is written the tenant already sees the same money gone."""
    flat = Flat(tmp_path)
    fact = flat.fact("account/a1")
    assert (fact["water_price_now"], fact["water_step"], fact["water_step_next_l"]) == ("3.4500", 1, 2000)
    assert "step" not in fact and fact["price_now"] == "0.5000"
    for _ in range(35):  # A tap gives 1.2 m3 an hour; more at once is set aside (R21).
        flat.water.hundredths += 10
        flat.run(minutes=5)
    fact = flat.fact("account/a1")
    exactly = 2000 * 3_450_000 + 1000 * 4_950_000 + 500 * 7_450_000
    assert (fact["provisional_l"], fact["provisional_nano"], fact["provisional_wh"]) == (3500, exactly, 0)
    assert (fact["water_price_now"], fact["water_step"], fact["water_step_used_l"]) == ("7.4500", 3, 3500)
    assert "water_step_next_l" not in fact
    flat.run_until(lambda: bool(flat.of("closing/1")), hours=15)
    (charge,) = flat.of("charge/2", meter="w1")
    told = [(line["kind"], line["rate"], line["wh"], line["price_micro"]) for line in charge.fields["lines"]]
    assert told == [
        ("rate", "total", 3500, 3_450_000), ("step", "2", 1000, 1_500_000), ("step", "3", 500, 4_000_000)
    ]  # fmt: skip
    assert (charge.fields["unit"], charge.fields["amount_nano"]) == ("m3", exactly)
    (fee,) = flat.of("fee/1")
    assert (fee.fields["unit"], fee.fields["amount_nano"]) == ("m3", 100_000_000)
    ledger = flat.edge.core.state.ledger
    assert (ledger[WATER_INCOME], ledger[FEES]) == (exactly, 100_000_000) and sum(ledger.values()) == 0
    flat.run(minutes=5)
    fact = flat.fact("account/a1")
    assert (fact["provisional_l"], fact["water_step_used_l"], fact["water_step"]) == (0, 3500, 3)
    row = flat.fact("accounts")["accounts"][0]
    assert (row["water_tariff"], row["category"], row["household"]) == ("water", "home", True)
    right = charge.fields["end"]["registers_wh"]["total"] - 100
    proposed = request(
        flat, "correct-reading", "王敏", account="a1", meter="w1", entry=charge.id, total=kwh_text(right),
        why="misread", papers="photo 7",
    )  # fmt: skip
    assert proposed["status"] == "done", proposed
    request(flat, "approve-money", "李伟", proposal=proposed["data"]["proposal"])
    (entry,) = flat.of("reading-correction/1")
    assert (entry.fields["unit"], entry.fields["amount_nano"]) == ("m3", -100 * 7_450_000)
    assert (ledger[WATER_INCOME], ledger.get(INCOME, 0)) == (exactly - 100 * 7_450_000, 0), "not out of electricity"


class WaterOnly(Flat):
    """A garden with a tap: its tenant has water and no electricity."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        tables["accounts"][0] |= {"meters": ["w1"], "tariff": None, "opening": "20.00"}
        return Site.model_validate(tables)


def test_who_has_water_only_needs_no_price_of_electricity(tmp_path: Path) -> None:
    """Shown, judged, warned and billed by the price of water; when the money is used up the valve may close, and what
    stands in the book is true."""
    flat = WaterOnly(tmp_path)
    assert flat.fact("accounts")["accounts"][0].get("tariff") is None
    for _ in range(20):
        flat.water.hundredths += 10
        flat.run(minutes=5)
    fact = flat.fact("account/a1")
    assert (fact["provisional_l"], fact["provisional_nano"]) == (2000, 2000 * 3_450_000)
    assert "price_now" not in fact and fact["water_price_now"] == "4.9500" and not fact["provisional_wh"]
    flat.run_until(lambda: bool(flat.of("closing/1")), hours=15)
    (charge,) = flat.of("charge/2")
    assert charge.fields["tariff"] == "water" and charge.fields["amount_nano"] == 2000 * 3_450_000
    assert [entry.fields["level"] for entry in flat.of("level/1")] == [1, 2]
    flat.edge.core.book.close()
    assert verify(tmp_path).lie is None


class Poor(Flat):
    """Three yuan are left, and an oven uses 2.50 an hour."""

    def _site(self, poll_s: int, policy: dict[str, Any], meters: set[str] | None) -> Site:
        tables = super()._site(poll_s, policy, meters).model_dump(by_alias=True)
        tables["accounts"][0] |= {"opening": "3.00"}
        tables["policy"] |= {"lead_min": 30, "cut_at": "0.00", "levels": ["50.00", "38.00", "25.00"]}
        return Site.model_validate(tables)

    def burn(self, watts: int, minutes: int) -> None:
        self.box.words[0x010D] = watts
        for _ in range(minutes // 6):
            self.box.words[0x0101] += watts // 100
            self.run(minutes=6)


def test_r1_a_warning_is_taken_back_also_where_a_meter_tells_no_load(tmp_path: Path) -> None:
    """An oven runs, the tenant is warned and told; it is switched off, and zero is days away: the warning is taken
    back, though the account's water meter never says how many W it has. Next time there is a new one."""
    flat = Poor(tmp_path)
    for _ in range(10):
        flat.burn(5000, 6)
        if flat.of("final/1"):
            break
    assert flat.answers(flat.request("told", account="a1", how="phone", why="rang"))[-1]["status"] == "done"
    flat.burn(0, 120)
    assert [each.fields["account"] for each in flat.of("cancelled/1")] == ["a1"] and not flat.of("trip/1")
    flat.burn(5000, 24)
    assert len(flat.of("final/1")) == 2 and not flat.of("trip/1") and verify(tmp_path).good
