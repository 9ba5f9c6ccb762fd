"""The meter's page for meters that are not like the others: water with a valve, a purse in the meter."""

from __future__ import annotations

import re

from panel_facts import at, reading, relay
from panel_stage import Stage

from bridge.contract.messages import MeterEvent, MeterFacts
from edge.purses import OPENED
from panel.edge_purse_words import OWN_PURSE

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


def test_a_tenant_who_pays_twice_is_shown_at_the_meter(shop: Stage) -> None:
    """A purse that counts beside an account: said in the list of values, in a sentence, and among the events."""
    shop.say(reading(purse_counts=True, purse_remaining_fen=4_000), "a206")
    text = (
        "what is prepaid in the meter counts down while this gateway bills it too, so its tenant pays twice "
        "(R14): switch the prepay function off in the meter"
    )
    seq = shop.entry("alarm/1", {"meter": "a206", "alarm": "purse-counts", "text": text})
    shop.say(MeterEvent(at=at(1), kind="purse-counts", text=text, seq=seq), "a206")
    page = shop.visitor("engineer").see(METER)
    assert re.search(r'neg">Prepaid in the meter</td><td class="n neg"[^>]*>counts down', page)
    assert "its tenant pays twice. Switch the prepay function off" in page and "Paid twice" in page
    page = shop.visitor("manager", language="zh").see(METER)
    for words in ("表内预付费", "正在扣减", "重复收费", "租户付了两次钱（R14）", "租户付了两次钱。请关闭"):
        assert words in page, words
    shop.say(reading(purse_counts=False), "a206")
    shop.entry("alarm/1", {"meter": "a206", "alarm": "purse-off", "text": "what is prepaid in the meter no longer "
                           "counts down beside this gateway's account"})  # fmt: skip
    page = shop.visitor("engineer").see(METER)
    assert "Switch the prepay function off in the meter." not in page and "Prepaid in the meter" not in page
    good = page[page.index("No longer paid twice") - 300 : page.index("No longer paid twice")]
    assert "neg" not in good[good.rindex("<li>") :]


def test_a_room_that_its_own_purse_made_dark_is_not_called_cut(shop: Stage) -> None:
    """Grid, meter and account say that the meter did it and what to do; a close says so while it waits."""
    for why, word in OPENED.items():
        shop.say(relay("open", desired="closed", why=why, own_purse=word), "a206")
        page = shop.visitor("engineer").see(METER)
        assert "Off by itself" in page and why in page and "Cut off" not in page
        assert "By itself" in shop.visitor("engineer").see("/rooms")
        page = shop.visitor("engineer").see("/account/100206")
        assert "by the meter itself" in page and why in page and "Top up until" not in page
        assert "Off by itself" in page and "Cut off" not in page
    zh = shop.visitor("manager", language="zh").see(METER)
    assert "表自行断电" in zh and "表自带预付费，可能" in zh
    visitor = shop.visitor("engineer")
    found = re.search(r'<dialog.*?name="transaction" value="([^"]+)"', visitor.get(METER + "?ask=close").text, re.S)
    assert found
    transaction = found[1]
    visitor.post(METER, METER + "?ask=close", room="A206", why="service", do="close", transaction=transaction)
    shop.answer("close", transaction, "accepted", data={"holds": [], "text": OWN_PURSE[0]})
    assert OWN_PURSE[0] in visitor.see(f"/answer/{transaction}")
    shop.say(relay("open", desired="closed", why="closing"), "a206")
    assert "Off by itself" not in visitor.see(METER)
