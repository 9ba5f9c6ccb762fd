"""Is what was charged what the load used? Its integral while the contact let it flow, times the price of each moment.

Registers show whole steps of 10 Wh and their times are told by clocks that are a little off; beyond that, nothing. What
steps of a price add is counted from what was charged, exactly (R29, `invariants_people.py`).
"""

from __future__ import annotations

from collections.abc import Iterator

from firmware_sim.loads import WUS_PER_WH
from tests.simulate.house import House
from tests.simulate.memory import Hung
from tests.simulate.rows import CHARGES, Entry, us_of

STEP_WH = 10
METER_OFF_S = 70
"""A meter's midnight is that of its own clock. No calendar that leaps sets it (R25), in whichever direction and however
often; one that creeps does, which here comes to little more than half a minute, and beyond 10 s it is set back."""

CALENDAR_OFF_S = 310
"""What was read at another instant has its time from the gateway's calendar, which is believed when it is minutes off;
border reads come within a minute of a border."""

REMEMBERED_DAYS = 60


def of_charge(house: House, entry: Entry) -> Iterator[str]:
    """What is wrong with a charge by the load behind its meter."""
    f = entry.fields
    if entry.kind not in CHARGES or f["guessed"] or f["start"]["source"] in ("estimate", "interpolated"):
        return
    begins, ends = us_of(f["start"]["at"]), us_of(f["end"]["at"])
    hung, seen = _device(house, f["meter"], begins, ends), house.judge.by_id[f["meter"]]
    if hung is None or ends - begins > REMEMBERED_DAYS * 86_400 * 10**6:
        return
    device, tariff, prices = hung.device, seen.room.tariff, house.judge.prices
    energy = cost = 0
    for since, until in device.metrology.history.spans(begins, ends):
        energy += device.metrology.load.energy_wus(since, until)
        for a, b, micro in prices.pieces(tariff, since, until):
            cost += device.metrology.load.energy_wus(a, b) * micro
    times, dearest = f["multiplier"], prices.dearest(tariff)
    told_by = 1 if f["by"] == "borders" else len({line["rate"] for line in f["lines"] if line["kind"] == "rate"})
    frozen = f["by"] == "registers" and {f["start"]["source"], f["end"]["source"]} == {"freeze"} and not f["between"]
    off_s = METER_OFF_S if frozen else CALENDAR_OFF_S
    loose_wh = (2 + len(f["between"])) * STEP_WH * told_by + seen.meter.watts * 13 * off_s // 36_000
    if abs(f["wh"] - energy * times // WUS_PER_WH) > loose_wh * times:
        yield f"{f['meter']}: {f['wh']} Wh are charged, its load used {energy * times // WUS_PER_WH}"
    if tariff == "tou" and f["by"] == "registers" and not seen.meter.own_hours:
        return  # The meter's own hours are other ones, which it is charged by until they were looked at (R28).
    plain = f["amount_nano"] - sum(line["amount_nano"] for line in f["lines"] if line["kind"] == "step")
    if abs(plain - cost * times // WUS_PER_WH) > loose_wh * times * dearest:
        yield f"{f['meter']}: {plain} nano-yuan are charged, its load cost {cost * times // WUS_PER_WH}"


def _device(house: House, meter: str, begins: int, ends: int) -> Hung | None:
    """The one device that hung there all the time and told its load; None where there was none."""
    hung = house.memory.hung[meter]
    for number, each in enumerate(hung):
        gone_us = hung[number + 1].since_us if number + 1 < len(hung) else ends
        if each.since_us <= begins and ends <= gone_us:
            return None if each.bent_us is not None and ends > each.bent_us else each
    return None
