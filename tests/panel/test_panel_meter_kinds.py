"""The meter's page for meters that are not like the others: water with a valve, a purse in the meter."""

from __future__ import annotations

import re

from panel_facts import at, reading, relay
from panel_stage import Stage

from bridge.contract.messages import MeterEvent, MeterFacts

METER = "/meter/a206"


def test_water_is_shown_in_cubic_metres_with_valve_and_battery(shop: Stage) -> None:
    """123,450 L are 123.450 m3 with their age; a broken valve and a low battery stand out; no kWh is invented."""
    facts = MeterFacts(read_at=at(1), quality="good", volume_l=123_450, valve="fault", battery_low=True)
    shop.say(facts, "a206")
    shop.say(relay("unknown", desired="closed", why="the meter says that it is out of order"), "a206")
    text = "the meter's battery is low: change it soon, with an empty one its valve may not move"
    seq = shop.entry("alarm/1", {"meter": "a206", "alarm": "battery-low", "text": text})
    shop.say(MeterEvent(at=at(1), kind="battery-low", text=text, seq=seq), "a206")
    page = shop.visitor("engineer").see(METER)
    assert "<b>123.450</b>" in page and "m³, multiplier" in page and "Used today" not in page
    assert re.search(r'neg">Valve</td><td class="n neg">fault', page)
    assert re.search(r'neg">Battery</td><td class="n neg">low', page) and "Battery low" in page
    page = shop.visitor("manager", language="zh").see(METER)
    for words in ("阀门", "异常", "电池", "电量低", "表报告自身异常", "表内电池电量低", "123.450"):
        assert words in page, words


def test_a_purse_in_the_meter_is_shown_as_the_meters_own(shop: Stage) -> None:
    """Balance, overdraft, purchases, limits and price of the meter's own purse stand apart from the wallet."""
    shop.say(
        reading(
            purse_remaining_fen=19_856, purse_overdrawn_fen=0, purse_count=17, purse_alarm_1_fen=2000,
            purse_alarm_2_fen=500, purse_price_micro_per_kwh=617_300,
        ),
        "a206",
    )  # fmt: skip
    page = shop.visitor("engineer").see(METER)
    for label, value in (
        ("Balance in the meter", "198.56 yuan"), ("Overdrawn in the meter", "0.00 yuan"), ("Purchases counted", "17"),
        ("Alarm limits in the meter", "20.00 yuan / 5.00 yuan"), ("Price in the meter", "0.6173 yuan per kWh"),
    ):  # fmt: skip
        assert re.search(rf"{label}</td><td[^>]*>{re.escape(value)}</td>", page), label
    page = shop.visitor("manager", language="zh").see(METER)
    assert "表内余额" in page and "198.56 元" in page and "0.6173 元/kWh" in page


def test_a_relay_that_does_not_tell_is_not_called_closed(shop: Stage) -> None:
    """An entry that says that nobody can tell how a relay stands is read so, and not as closed."""
    shop.entry("relay/1", {"meter": "a206", "observed": "unknown", "why": "nobody can tell how it stands"})
    page = shop.visitor("engineer").see(METER)
    assert "not known, read back · nobody can tell how it stands" in page
    assert "未知（读回）" in shop.visitor("manager", language="zh").see(METER)
